/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENDS_H
#define ENDS_H

#include "daemon/expiries.h"
#include "daemon/health/watch.h"

/*
 * ends: what ends on a known day (credentials, access that customers granted) as
 * health records: of a customer's thing to the sinks of its first tenant, of an
 * app's to those who are told of msspd itself.
 */

/* e is at that stage, for an expiries_tell. */
void ends_tell(struct watch *w, const struct settings *s, const struct expiry *e,
    enum expiry_stage stage, int64_t days);
/* After a start or a reload: what was told to end and now does so far away is well again. */
void ends_clear(struct watch *w, const struct settings *s, struct expiries *x, int64_t now);

#endif
