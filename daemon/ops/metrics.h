/* SPDX-License-Identifier: Apache-2.0 */
#ifndef METRICS_H
#define METRICS_H

#include "daemon/engine.h"
#include "lib/base/buf.h"

/*
 * metrics: how msspd is, as Prometheus reads it. What there is stands in one table:
 * what is served and docs/METRICS.md are made from it.
 *
 * It knows nothing of HTTP. It counts nothing itself: counters are where the work is
 * done, and are read here.
 *
 * Cost: a few µs a tenant; nothing waits. Series are bounded: METRICS_TENANTS tenants
 * and METRICS_SINKS sinks have series of their own, in the order of their names;
 * msspd_left_out says how many have none. Sums over all of them are always there.
 */
#define METRICS_TENANTS  2000
#define METRICS_SINKS    200
#define METRICS_EXPIRIES 1000

/* Appends all of them. */
void metrics_write(struct buf *out, const struct engine *e);
/* docs/METRICS.md. */
void metrics_manual(struct buf *out);

#endif
