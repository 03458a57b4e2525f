/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_H
#define UNIT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

/*
 * unit: quantities as people write them. Whole numbers, a unit right behind;
 * several parts add up ("1h30m"). False for anything else, and on overflow.
 */

/* "250ms" "10s" "5m" "1h" "7d", in milliseconds. A bare 0 is allowed, other bare numbers not. */
bool unit_time(struct str s, int64_t *ms);
/* "512" "64KiB" "8MiB" "2GiB" "1TiB", in bytes. KB, MB and the like are not: which do they mean? */
bool unit_size(struct str s, int64_t *bytes);

/* "2027-03-01": the ticks (lib/base/ticks.h) at which that day begins in UTC. */
bool unit_date(struct str s, int64_t *ticks);

/* Back to text, in the largest unit that is exact: "90s", "7d", "8GiB"; bytes stay bare. */
void unit_put_time(struct buf *b, int64_t ms);
void unit_put_size(struct buf *b, int64_t bytes);

#endif
