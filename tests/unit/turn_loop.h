/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TURN_LOOP_H
#define TURN_LOOP_H

#include <event2/event.h>

#include "daemon/clock.h"

/* turn_loop: the loop, for so long by the machine's own clock; once at the least. */
static inline void
turn_loop(struct event_base *base, int64_t ms)
{
	int64_t end = clock_mono(&clock_system) + ms;
	struct timeval tick = { 0, 2000 };

	do {
		(void)event_base_loopexit(base, &tick);
		event_base_loop(base, EVLOOP_ONCE);
	} while (clock_mono(&clock_system) < end);
}

#endif
