/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TICKS_H
#define TICKS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

/*
 * ticks: points in time as Microsoft's APIs give them, 100 ns each, since
 * 1970-01-01T00:00:00Z, signed, proleptic Gregorian, no leap seconds.
 *
 * Graph sends 0 to 7 digits of fraction, with trailing zeros cut, so times are
 * compared as numbers and never as text. Years 1 to 9999 fit.
 */
#define TICKS_SEC  INT64_C(10000000)
#define TICKS_MS   INT64_C(10000)
#define TICKS_NONE INT64_MIN /* no time: absent, null, or unreadable */

/*
 * RFC 3339 date-time: "2026-11-22T04:10:30[.f…](Z|±hh:mm)". More than 7 digits
 * of fraction are cut, never rounded. False for anything else; a leap second
 * (:60) is taken as :59.9999999.
 */
bool ticks_parse(struct str s, int64_t *ticks);

/* True for the sentinel 0001-01-01T00:00:00Z, which means "none". */
bool ticks_is_sentinel(int64_t ticks);

static inline int64_t
ticks_from_ms(int64_t ms)
{
	return ms * TICKS_MS;
}

/* Towards the past, also before 1970. */
int64_t ticks_to_ms(int64_t ticks);
int64_t ticks_to_sec(int64_t ticks);

/* "2026-11-22T04:10:30.1234567Z" with the given number of digits, 0 to 7, cut not rounded. */
void ticks_write(struct buf *b, int64_t ticks, unsigned digits);

struct ticks_date {
	int year;
	unsigned month, day, hour, minute, second; /* month 1 to 12, day 1 to 31 */
	unsigned fraction;                         /* 0 to 9999999 */
};
void ticks_date(int64_t ticks, struct ticks_date *d);

#endif
