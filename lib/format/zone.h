/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_H
#define ZONE_H

#include <stdint.h>

#include "lib/base/err.h"

/*
 * zone: local time of a place by its IANA name ("Europe/Berlin"), from the
 * system's tzdata ($TZDIR, else /usr/share/zoneinfo).
 *
 * The file is read once, when the zone is opened; a zone is immutable then, and
 * any thread may ask it. It knows nothing of how times are written.
 */
struct zone;

/* NULL and ERR_CONF when there is no such zone, or its file is none. */
struct zone *zone_open(const char *name, struct err *err);
void zone_close(struct zone *z);

/* Seconds east of UTC at that Unix second. */
int zone_offset(const struct zone *z, int64_t sec);

#endif
