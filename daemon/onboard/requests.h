/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REQUESTS_H
#define REQUESTS_H

#include <jansson.h>

#include "daemon/settings.h"
#include "lib/base/buf.h"

/*
 * requests: the checklist's part in Entra ID as Microsoft Graph requests, for an
 * administrator of the customer to send with a tool of theirs; msspd sends none of
 * them, and its app must never get the permissions that they need. Pure.
 *
 * An answer's id that a later request needs has a name in angle brackets:
 * "<tier1-group>".
 */

/*
 * An array of {"what", "method", "url", "keep", "body"}: keep, where there is one, is a
 * mapping of names to where in the answer their value is; a GET has no body. now: ticks,
 * for the day of the first review. The caller's.
 */
json_t *requests_make(const struct settings *s, const struct tenant *t, int64_t now);
/* The same as text for a person, which begins with who sends them, as whom. */
void requests_put(struct buf *out, const json_t *requests);

#endif
