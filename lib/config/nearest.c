/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/str.h"
#include "lib/config/nearest.h"

#define FAR 4

/* "interval" for "poll_interval", "warning" for "warn": as good as two errors. */
static bool
holds(const char *word, const char *part)
{
	return strlen(part) >= 4 && strstr(word, part) != NULL;
}

void
nearest_init(struct nearest *n, const char *wrong)
{
	size_t len = strlen(wrong);

	/* A short word is close to every other short word. */
	*n = (struct nearest){ .wrong = wrong,
		.distance = len <= 2   ? 1
		            : len == 3 ? 2
		            : len <= 8 ? 3
		                       : FAR };
}

void
nearest_offer(struct nearest *n, const char *word)
{
	unsigned d = str_distance(str_of(n->wrong), str_of(word), FAR);

	if (d > 2 && (holds(word, n->wrong) || holds(n->wrong, word)))
		d = 2;
	if (d >= n->distance)
		return;
	n->distance = d;
	n->best = word;
}
