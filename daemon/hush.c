/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/hush.h"

#define SPAN_MS     10000 /* the first one; each further one is twice as long */
#define SPAN_MAX_MS (10 * 60 * 1000)
#define LINES       5     /* in the first span; one in each further */

bool
hush_allows(struct hush *h, int64_t now, unsigned *kept)
{
	bool lasts = h->kept > 0 && now - h->since < h->span_ms * 2;
	int64_t span_ms = lasts ? h->span_ms * 2 : SPAN_MS;

	*kept = 0;
	if (h->said == 0 || now - h->since >= h->span_ms) {
		*kept = h->kept;
		*h = (struct hush) { .since = now,
			.span_ms = span_ms < SPAN_MAX_MS ? span_ms : SPAN_MAX_MS };
	}
	if (h->said == (h->span_ms == SPAN_MS ? LINES : 1)) {
		h->kept++;
		return false;
	}
	h->said++;
	return true;
}
