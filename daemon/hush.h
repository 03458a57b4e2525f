/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HUSH_H
#define HUSH_H

#include <stdbool.h>
#include <stdint.h>

/*
 * hush: keeps a storm of like events from becoming a storm of log lines.
 *
 * Some lines are said at once; what is over is counted, and the count goes with
 * the next line. The longer it lasts the fewer lines there are; when it was quiet
 * for a while it begins anew. It knows nothing of what is said, and no clock.
 */
struct hush {
	int64_t since;   /* monotonic ms */
	int64_t span_ms; /* how long said and kept are counted */
	unsigned said, kept;
};

/* True when the line may be said; the count of those kept back since is put into kept. */
bool hush_allows(struct hush *h, int64_t now, unsigned *kept);

#endif
