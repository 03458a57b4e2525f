/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PORTAL_H
#define PORTAL_H

#include "lib/base/buf.h"
#include "lib/record/event.h"

/*
 * portal: the link to an alert or incident in the customer's own Defender portal. It is always
 * https, on origin->portal_host, and carries ?tid=<tenant>; what the API gave is
 * used when it fulfils that (tid added where it is missing), else the link is
 * built from tenant and id; without a usable id it leads to the tenant's alerts (or
 * incidents).
 * At most PORTAL_LINK_MAX bytes, printable ASCII without spaces.
 */
#define PORTAL_LINK_MAX 1000

void portal_link(struct buf *out, const struct event *ev);

/* What the API gave, where it leads there; false, and nothing is written, where it does not. */
bool portal_given(struct buf *out, struct str given, const struct origin *o);

#endif
