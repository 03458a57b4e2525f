/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <sys/queue.h>

#include "daemon/journal/outbox.h"
#include "daemon/journal/recent.h"
#include "lib/base/alloc.h"

#define KEEP_MS 2000

struct kept_page {
	TAILQ_ENTRY(kept_page) link;
	atomic_uint refs;
	struct journal_page *page;
	int64_t since; /* monotonic ms */
	uint64_t first; /* entry[i] is that of first + i */
	size_t n;
	const struct journal_entry *entry[];
};

struct recent {
	struct outbox *out;
	TAILQ_HEAD(kept_list, kept_page) pages; /* the oldest first */
	size_t bytes;
};

struct recent *
recent_new(struct outbox *out)
{
	struct recent *r = xcalloc(1, sizeof(*r));

	r->out = out;
	TAILQ_INIT(&r->pages);
	return r;
}

/* Pages are given back on the loop's thread only. */
static void
let_go(struct recent *r, struct kept_page *k)
{
	struct told *t = xcalloc(1, sizeof(*t));

	TAILQ_REMOVE(&r->pages, k, link);
	r->bytes -= k->page->keeps;
	t->what = TOLD_LET_GO;
	t->kept = k;
	outbox_put(r->out, t);
}

void
recent_free(struct recent *r)
{
	while (!TAILQ_EMPTY(&r->pages))
		let_go(r, TAILQ_FIRST(&r->pages));
	free(r);
}

void
recent_age(struct recent *r, int64_t now_ms)
{
	while (!TAILQ_EMPTY(&r->pages) && TAILQ_FIRST(&r->pages)->since + KEEP_MS < now_ms)
		let_go(r, TAILQ_FIRST(&r->pages));
}

/* Those that were forwarded; one transaction numbers them without a hole. */
static struct kept_page *
kept_page_new(struct journal_page *page)
{
	struct kept_page *k = xcalloc(1, sizeof(*k) + page->n * sizeof(k->entry[0]));

	k->page = page;
	atomic_init(&k->refs, 2);
	for (size_t i = 0; i < page->n; i++) {
		const struct journal_entry *e = &page->entries[i];

		if (!e->is_forwarded)
			continue;
		if (k->n == 0)
			k->first = e->pos.seq;
		BUG_IF(e->pos.seq != k->first + k->n);
		k->entry[k->n++] = e;
	}
	return k;
}

struct kept_page *
recent_add(struct recent *r, struct journal_page *page, int64_t now_ms)
{
	struct kept_page *k;

	if (page->keeps == 0 || page->keeps > RECENT_BYTES)
		return NULL;
	k = kept_page_new(page);
	if (k->n == 0) {
		free(k);
		return NULL;
	}
	k->since = now_ms;
	while (r->bytes + page->keeps > RECENT_BYTES)
		let_go(r, TAILQ_FIRST(&r->pages));
	TAILQ_INSERT_TAIL(&r->pages, k, link);
	r->bytes += page->keeps;
	return k;
}

uint64_t
recent_last(const struct recent *r)
{
	const struct kept_page *k = TAILQ_LAST(&r->pages, kept_list);

	return k == NULL ? 0 : k->first + k->n - 1;
}

size_t
recent_after(const struct recent *r, uint64_t seq)
{
	const struct kept_page *k;
	size_t bytes = 0;

	TAILQ_FOREACH(k, &r->pages, link)
		bytes += k->first + k->n > seq + 1 ? k->page->keeps : 0;
	return bytes;
}

const struct journal_entry *
recent_find(const struct recent *r, uint64_t seq, struct kept_page **page)
{
	struct kept_page *k;

	TAILQ_FOREACH(k, &r->pages, link) {
		if (seq < k->first || seq - k->first >= k->n)
			continue;
		*page = k;
		return k->entry[seq - k->first];
	}
	return NULL;
}

struct kept_page *
kept_page_ref(struct kept_page *page)
{
	atomic_fetch_add(&page->refs, 1);
	return page;
}

void
kept_page_unref(struct kept_page *page)
{
	if (page == NULL || atomic_fetch_sub(&page->refs, 1) != 1)
		return;
	if (page->page->release != NULL)
		page->page->release(page->page);
	free(page);
}

uint32_t
kept_page_stream(const struct kept_page *page)
{
	return page->page->stream;
}
