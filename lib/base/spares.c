/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/spares.h"

#define SPARES_MAX 32
/* Smaller ones come from the heap, which is there already. */
#define LEAST_BYTES ((size_t)128 << 10)

struct spare {
	char *p;
	size_t room;
};

struct spares {
	unsigned refs;
	size_t max_bytes, bytes, n;
	struct spare spare[SPARES_MAX]; /* the oldest first */
};

struct spares *
spares_new(size_t max_bytes)
{
	struct spares *s = xcalloc(1, sizeof(*s));

	s->refs = 1;
	s->max_bytes = max_bytes;
	return s;
}

struct spares *
spares_ref(struct spares *s)
{
	s->refs++;
	return s;
}

static struct spare
remove_at(struct spares *s, size_t i)
{
	struct spare gone = s->spare[i];

	s->n--;
	memmove(&s->spare[i], &s->spare[i + 1], (s->n - i) * sizeof(s->spare[0]));
	s->bytes -= gone.room;
	return gone;
}

void
spares_unref(struct spares *s)
{
	if (s == NULL || --s->refs != 0)
		return;
	while (s->n > 0)
		free(remove_at(s, s->n - 1).p);
	free(s);
}

/* Nearly enough is enough, for it can grow; much more would be a waste. */
static bool
is_fit(size_t room, size_t n)
{
	return room >= n - n / 4 && room / 2 <= n;
}

void
spares_lend(struct spares *s, struct buf *b, size_t n)
{
	BUG_IF(b->p != NULL);
	for (size_t i = s->n; i > 0; i--) {
		struct spare found;

		if (!is_fit(s->spare[i - 1].room, n))
			continue;
		found = remove_at(s, i - 1);
		b->p = found.p;
		b->room = found.room;
		b->p[0] = '\0';
		return;
	}
	(void)buf_room(b, n < b->max ? n : b->max);
}

void
spares_take(struct spares *s, struct buf *b)
{
	if (b->room < LEAST_BYTES || b->room > s->max_bytes) {
		buf_release(b);
		return;
	}
	while (s->n == SPARES_MAX || s->bytes + b->room > s->max_bytes)
		free(remove_at(s, 0).p);
	s->spare[s->n++] = (struct spare){ b->p, b->room };
	s->bytes += b->room;
	buf_init(b, b->max);
}
