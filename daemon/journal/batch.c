#include <string.h>

#include "daemon/journal/journal_engine.h"
#include "lib/base/alloc.h"
#include "lib/base/arena.h"

/* What the receiver of a batch sees, and the memory behind it. */
struct batch {
	struct journal_batch public; /* first: a batch is freed by its public face */
	struct arena arena;
	size_t max;
};

struct journal_batch *
batch_new(size_t max)
{
	struct batch *b = xcalloc(1, sizeof(*b));

	arena_init(&b->arena);
	b->max = max;
	return &b->public;
}

struct journal_item *
batch_add(struct journal_batch *public)
{
	struct batch *b = (struct batch *)public;
	size_t n = public->n, room = n == 0 ? 16 : n * 2;

	BUG_IF(n >= b->max);
	/* A power of two that is full. */
	if (n == 0 || (n >= 16 && (n & (n - 1)) == 0))
		public->items = xreallocarray(public->items, room, sizeof(*public->items));
	public->items[n] = (struct journal_item) { 0 };
	return &public->items[public->n++];
}

const char *
batch_text(struct journal_batch *public, const char *text)
{
	struct batch *b = (struct batch *)public;

	return text == NULL ? NULL : arena_strdup(&b->arena, text);
}

struct str
batch_bytes(struct journal_batch *public, const void *p, size_t n)
{
	struct batch *b = (struct batch *)public;
	char *copy = arena_bytes(&b->arena, n + BATCH_PADDING);

	if (n > 0)
		memcpy(copy, p, n);
	memset(copy + n, 0, BATCH_PADDING);
	return (struct str) { copy, n };
}

void
journal_batch_free(struct journal_batch *public)
{
	struct batch *b = (struct batch *)public;

	if (b == NULL)
		return;
	arena_release(&b->arena);
	free(public->items);
	free(b);
}
