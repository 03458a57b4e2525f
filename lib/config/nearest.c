#include "lib/base/str.h"
#include "lib/config/nearest.h"

void
nearest_init(struct nearest *n, const char *wrong)
{
	size_t len = strlen(wrong);

	/* A short word is close to every other short word: one error at most. */
	*n = (struct nearest) { .wrong = wrong, .distance = len <= 3 ? 2 : len <= 10 ? 3 : 4 };
}

void
nearest_offer(struct nearest *n, const char *word)
{
	unsigned d = str_distance(str_of(n->wrong), str_of(word), 4);

	if (d >= n->distance)
		return;
	n->distance = d;
	n->best = word;
}
