/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/readers.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

#define HOLD_MS      500                /* one that has not read for so long is not waited for */
#define UNREAD_MOST  (RECENT_BYTES / 2) /* a page waits behind so much that a sink has yet to read */
#define BEHIND_MOST  10000              /* entries: one further behind is not waited for */
#define LEAST_PER_MS 2                  /* entries of a storm, whoever is behind */

void
readers_release(struct readers *r)
{
	free(r->v);
	*r = (struct readers) { 0 };
}

static struct reader *
reader_of(struct readers *r, uint32_t sink)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i].sink == sink)
			return &r->v[i];
	}
	if (r->n == r->room) {
		r->room = r->room == 0 ? 8 : 2 * r->room;
		r->v = xreallocarray(r->v, r->room, sizeof(*r->v));
	}
	r->v[r->n] = (struct reader) { .sink = sink };
	return &r->v[r->n++];
}

void
readers_note(struct readers *r, uint32_t sink, uint64_t taken, int64_t now_ms)
{
	struct reader *reader = reader_of(r, sink);

	if (taken != 0)
		reader->taken = taken;
	reader->read_at = now_ms;
}

void
readers_stored(struct readers *r, size_t entries, int64_t now_ms)
{
	r->for_quickest = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i].read_at + HOLD_MS > r->for_quickest)
			r->for_quickest = r->v[i].read_at + HOLD_MS;
	}
	r->for_others = now_ms + (int64_t)entries / LEAST_PER_MS;
}

static bool
is_quicker(const struct reader *a, const struct reader *b)
{
	return b == NULL || a->taken > b->taken;
}

/* It has much to read that is still in memory, or nearly. */
static bool
is_behind(const struct reader *reader, const struct recent *recent)
{
	uint64_t last = recent_last(recent);

	return last > reader->taken && last - reader->taken < BEHIND_MOST
	    && recent_after(recent, reader->taken) > UNREAD_MOST;
}

int64_t
readers_wait(const struct readers *r, const struct recent *recent, int64_t now_ms)
{
	const struct reader *quickest = NULL;

	for (size_t i = 0; i < r->n; i++) {
		const struct reader *reader = &r->v[i];

		if (is_quicker(reader, quickest))
			quickest = reader;
		if (now_ms < r->for_others && now_ms < reader->read_at + HOLD_MS && is_behind(reader, recent))
			return r->for_others;
	}
	if (quickest != NULL && now_ms < r->for_quickest && is_behind(quickest, recent))
		return r->for_quickest;
	return 0;
}
