/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPREAD_H
#define SPREAD_H

#include <stdint.h>

/*
 * spread: when it is whose turn, so that many with the same interval do not all
 * come at once. Pure.
 *
 * Everyone has points in time of his own, interval apart, at an offset that
 * follows from a hash of who he is: the same after every restart, never
 * drifting. Points that were missed are passed over, not made up for.
 */
/* The first point after now. interval > 0; times in any one unit, not negative. */
static inline int64_t
spread_next(uint64_t hash, int64_t interval, int64_t now)
{
	int64_t offset = (int64_t)(hash % (uint64_t)interval);
	int64_t since = (now % interval - offset + interval) % interval;

	return now - since + interval;
}

#endif
