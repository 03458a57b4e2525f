/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SLEEPER_H
#define SLEEPER_H

#include "daemon/clock.h"
#include "lib/base/ticks.h"

/* sleeper: the clock of a machine that slept slept_ms, as a test says. One a program. */
static int64_t slept_ms;

static inline int64_t
mono_that_slept(const struct clock *c)
{
	(void)c;
	return clock_mono(&clock_system) + slept_ms;
}

static inline int64_t
wall_that_slept(const struct clock *c)
{
	(void)c;
	return clock_wall(&clock_system) + ticks_from_ms(slept_ms);
}

static const struct clock sleeper = { mono_that_slept, wall_that_slept };

#endif
