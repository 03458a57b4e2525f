/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/clock.h"

#include <time.h>

#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

static struct timespec
read_clock(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		BUG("clock %d cannot be read", (int)id);
	return ts;
}

static int64_t
system_mono(const struct clock *c)
{
	struct timespec ts = read_clock(CLOCK_BOOTTIME);

	(void)c;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t
system_wall(const struct clock *c)
{
	struct timespec ts = read_clock(CLOCK_REALTIME);

	(void)c;
	return (int64_t)ts.tv_sec * TICKS_SEC + ts.tv_nsec / 100;
}

const struct clock clock_system = { .mono = system_mono, .wall = system_wall };
