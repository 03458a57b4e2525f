/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUTAGE_H
#define OUTAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * outage: when the same trouble of many is one trouble, and when that is over.
 *
 * It begins when more than a tenth of all, and at least OUTAGE_LEAST, fell into
 * the same state within OUTAGE_SPAN_MS; it ends when nobody is left in it, or
 * fewer than would begin one for longer than OUTAGE_TAIL_MS. It knows nothing of
 * whose trouble it is; now is monotonic milliseconds.
 */
#define OUTAGE_LEAST   3
#define OUTAGE_SPAN_MS (5 * 60 * 1000)
#define OUTAGE_TAIL_MS (10 * 60 * 1000)

struct outage {
	bool is_on;
	int64_t few_since; /* fewer than would begin it; -1: not so */
	size_t most;       /* that were in it at once */
};

/* fresh: how many fell into that state within OUTAGE_SPAN_MS and still are. True when it
 * begins now. */
bool outage_begins(struct outage *o, size_t fresh, size_t all);
/* members: how many of it are still in that state. True when it ends now. */
bool outage_ends(struct outage *o, size_t members, size_t all, int64_t now);

#endif
