/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TIMER_H
#define TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"

struct event_base;
struct timers;

/*
 * timer: one heap of all timers, on a struct clock, so that tests turn it.
 *
 * A timer is embedded in its owner and costs nothing while it is not set. Times
 * are clock_mono() milliseconds. A callback runs with its timer already unset and
 * may set it again, or free the owner of others after timer_unset().
 */
struct timer {
	int64_t at;
	uint64_t order; /* of setting: equal times run in this order */
	size_t slot;    /* in the heap, plus one; 0: not set */
	void (*fn)(void *arg);
	void *arg;
};

/* base NULL: nothing runs by itself, tests call timers_run(). */
struct timers *timers_new(struct event_base *base, const struct clock *clock);
void timers_free(struct timers *ts);

static inline void
timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
	*t = (struct timer){ .fn = fn, .arg = arg };
}

static inline bool
timer_is_set(const struct timer *t)
{
	return t->slot != 0;
}

/* Due after_ms from now (0: the next turn); sets it anew when it is set already. */
void timer_set(struct timers *ts, struct timer *t, int64_t after_ms);
void timer_unset(struct timers *ts, struct timer *t);
/* Runs what is due; returns milliseconds until the next one, -1 when there is none. */
int64_t timers_run(struct timers *ts);

#endif
