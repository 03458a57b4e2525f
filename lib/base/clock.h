/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/*
 * clock: what time it is, as a thing that is passed in, so that tests turn it.
 *
 * mono is for intervals (milliseconds from an arbitrary start, never backwards,
 * counts the time the machine was suspended); wall is for records only (ticks.h,
 * may jump).
 */
struct clock {
	int64_t (*mono)(const struct clock *c);
	int64_t (*wall)(const struct clock *c);
};

static inline int64_t
clock_mono(const struct clock *c)
{
	return c->mono(c);
}

static inline int64_t
clock_wall(const struct clock *c)
{
	return c->wall(c);
}

#endif
