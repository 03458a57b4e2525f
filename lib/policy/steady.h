/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STEADY_H
#define STEADY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * steady: which of the states that something goes through are worth telling.
 *
 * A state is told when it has lasted: what is ill for a moment is told to nobody,
 * and what falls ill again and again is called well later each time (up to
 * STEADY_LONGEST_MS), so that a thing that flaps makes a few records and not a
 * flood of them. It knows nothing of what the states are and keeps no clock: now
 * is monotonic milliseconds.
 */
#define STEADY_UNTOLD     (-1)
#define STEADY_LONGEST_MS (60 * 60 * 1000)

struct steady {
	int state, told; /* told: STEADY_UNTOLD at the beginning */
	bool is_ill, was_told_ill;
	int64_t since;        /* in this state */
	int64_t ill_since;    /* not well, in whatever state */
	int64_t well_told_at; /* when it was called well last */
	unsigned relapses;    /* that followed soon upon being called well */
};

void steady_init(struct steady *s);

/* It is in that state now. True when this has to be told; it counts as told then. */
bool steady_see(struct steady *s, int state, bool is_ill, int64_t now, int64_t settle_ms);

#endif
