/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/histogram.h"

const struct histogram_bounds histogram_durations = { {
    50, 100, 250, 500, 1000, 2500, 5000, 10000, 20000, 30000, 60000, 120000,
} };

const struct histogram_bounds histogram_delays = { {
    1000, 5000, 10000, 15000, 30000, 60000, 120000, 300000, 900000, 3600000, 21600000, 86400000,
} };

void
histogram_add(struct histogram *h, int64_t ms)
{
	unsigned i = 0;

	if (ms < 0)
		ms = 0;
	while (i < HISTOGRAM_BOUNDS && ms > h->bounds->ms[i])
		i++;
	h->counts[i]++;
	h->sum_ms += (uint64_t)ms;
}
