/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>

#include "daemon/journal/batch.h"
#include "lib/base/alloc.h"

#define BLOCK   (size_t)(256 << 10)
#define KEPT    6 /* blocks that wait for the next batch */

struct block {
	struct block *next;
	size_t room;
	char bytes[];
};

/*
 * Batches are made on the journal's thread and freed on the loop's, over and
 * over; blocks that go back and forth spare the system's allocator a page fault
 * for each 4 KiB of that.
 */
struct batch_pool {
	pthread_mutex_t lock;
	unsigned refs; /* the journal's, and one a batch */
	struct block *kept;
	unsigned nkept;
};

/* What the receiver of a batch sees, and the memory behind it. */
struct batch {
	struct journal_batch public; /* first: a batch is freed by its public face */
	struct batch_pool *pool;
	struct block *blocks; /* the newest first */
	size_t used;          /* of the newest */
	size_t max;
	const struct recent *recent;
	struct kept_page **pages; /* that items lean on */
	size_t npages;
	struct journal_letter *letters; /* max of them, beside the items; NULL: none */
};

struct batch_pool *
batch_pool_new(void)
{
	struct batch_pool *pool = xcalloc(1, sizeof(*pool));

	pthread_mutex_init(&pool->lock, NULL);
	pool->refs = 1;
	return pool;
}

void
batch_pool_unref(struct batch_pool *pool)
{
	unsigned refs;

	if (pool == NULL)
		return;
	pthread_mutex_lock(&pool->lock);
	refs = --pool->refs;
	pthread_mutex_unlock(&pool->lock);
	if (refs > 0)
		return;
	while (pool->kept != NULL) {
		struct block *block = pool->kept;

		pool->kept = block->next;
		free(block);
	}
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static struct block *
block_get(struct batch_pool *pool, size_t least)
{
	struct block *block = NULL;
	size_t room = least > BLOCK ? least : BLOCK;

	pthread_mutex_lock(&pool->lock);
	if (least <= BLOCK && pool->kept != NULL) {
		block = pool->kept;
		pool->kept = block->next;
		pool->nkept--;
	}
	pthread_mutex_unlock(&pool->lock);
	if (block != NULL)
		return block;
	block = xmalloc(sizeof(*block) + room);
	block->room = room;
	return block;
}

static void
block_put(struct batch_pool *pool, struct block *block)
{
	bool is_kept;

	pthread_mutex_lock(&pool->lock);
	is_kept = block->room == BLOCK && pool->nkept < KEPT;
	if (is_kept) {
		block->next = pool->kept;
		pool->kept = block;
		pool->nkept++;
	}
	pthread_mutex_unlock(&pool->lock);
	if (!is_kept)
		free(block);
}

struct journal_batch *
batch_new(struct batch_pool *pool, const struct recent *recent, size_t max)
{
	struct batch *b = xcalloc(1, sizeof(*b));

	b->pool = pool;
	b->recent = recent;
	b->max = max;
	pthread_mutex_lock(&pool->lock);
	pool->refs++;
	pthread_mutex_unlock(&pool->lock);
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

/* The entries of one page come one after the other. */
static void
lean_on(struct batch *b, struct kept_page *page)
{
	if (b->npages > 0 && b->pages[b->npages - 1] == page)
		return;
	b->pages = xreallocarray(b->pages, b->npages + 1, sizeof(struct kept_page *));
	b->pages[b->npages++] = kept_page_ref(page);
}

struct journal_item *
batch_add_recent(struct journal_batch *public, uint64_t seq)
{
	struct batch *b = (struct batch *)public;
	struct kept_page *page;
	const struct journal_entry *e = recent_find(b->recent, seq, &page);
	struct journal_item *item;

	if (e == NULL)
		return NULL;
	lean_on(b, page);
	item = batch_add(public);
	*item = (struct journal_item) {
		.pos = e->pos,
		.stream = kept_page_stream(page),
		.type = e->type,
		.kind = e->kind,
		.flags = e->flags,
		.changed = e->changed,
		.version = e->now.version,
		.journalled = e->journalled,
		.id = e->id,
		.body = { e->body, e->len },
		.user = e->user,
	};
	return item;
}

struct journal_letter *
batch_letter(struct journal_batch *public, struct journal_item *item)
{
	struct batch *b = (struct batch *)public;
	struct journal_letter *letter;

	if (b->letters == NULL)
		b->letters = xcalloc(b->max, sizeof(*b->letters));
	letter = &b->letters[item - public->items];
	item->letter = letter;
	return letter;
}

static char *
room_for(struct batch *b, size_t n)
{
	struct block *block = b->blocks;

	if (block == NULL || n > block->room - b->used) {
		block = block_get(b->pool, n);
		block->next = b->blocks;
		b->blocks = block;
		b->used = 0;
	}
	b->used += n;
	return block->bytes + b->used - n;
}

const char *
batch_text(struct journal_batch *public, const char *text)
{
	size_t n = text == NULL ? 0 : strlen(text) + 1;

	return text == NULL ? NULL : memcpy(room_for((struct batch *)public, n), text, n);
}

struct str
batch_bytes(struct journal_batch *public, const void *p, size_t n)
{
	char *copy = room_for((struct batch *)public, n);

	if (n > 0)
		memcpy(copy, p, n);
	return (struct str) { copy, n };
}

void
journal_batch_free(struct journal_batch *public)
{
	struct batch *b = (struct batch *)public;

	if (b == NULL)
		return;
	while (b->blocks != NULL) {
		struct block *block = b->blocks;

		b->blocks = block->next;
		block_put(b->pool, block);
	}
	for (size_t i = 0; i < b->npages; i++)
		kept_page_unref(b->pages[i]);
	free(b->pages);
	free(b->letters);
	batch_pool_unref(b->pool);
	free(public->items);
	free(b);
}
