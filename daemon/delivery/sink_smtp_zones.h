/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_SMTP_ZONES_H
#define SINK_SMTP_ZONES_H

#include <stddef.h>

#include "lib/base/log.h"
#include "lib/format/zone.h"

/*
 * zones: the customers' time zones, each opened once.
 */
#define ZONES_MAX 600 /* there are not that many */

struct zones {
	struct zones_one *v;
	size_t n, room;
};

/* NULL for UTC: where name is absent or "", or there is no such zone, which is logged once. */
const struct zone *zones_find(struct zones *z, const char *name, const struct log_ctx *log);
void zones_release(struct zones *z);

#endif
