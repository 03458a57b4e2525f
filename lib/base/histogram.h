/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

/*
 * histogram: how often something took how long, in a few classes of milliseconds.
 *
 * It knows nothing of what is measured. Adding is a handful of comparisons and never
 * allocates, so that it may be done once an alert.
 */
#define HISTOGRAM_BOUNDS 12

struct histogram_bounds {
	int64_t ms[HISTOGRAM_BOUNDS]; /* rising; a value that is a bound belongs to it */
};
extern const struct histogram_bounds histogram_durations; /* of requests: 50 ms to 2 min */
extern const struct histogram_bounds histogram_delays;    /* of alerts: 1 s to a day */

/* Begins zeroed but for bounds. */
struct histogram {
	const struct histogram_bounds *bounds;
	uint64_t counts[HISTOGRAM_BOUNDS + 1]; /* the last: above all bounds */
	uint64_t sum_ms;
};

/* What is less than nothing (clocks that differ) counts as nothing. */
void histogram_add(struct histogram *h, int64_t ms);

#endif
