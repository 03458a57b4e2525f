/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "daemon/journal/ledger.h"
#include "lib/base/alloc.h"

#define CHUNK 4096
#define DONE  0
#define GONE  255

struct ledger_chunk {
	unsigned present; /* not GONE */
	uint8_t left[CHUNK];
};

/* What is only assumed takes no memory until somebody looks closer. NULL is: all gone. */
static const struct ledger_chunk assumed_done;
#define ASSUMED_DONE ((struct ledger_chunk *)&assumed_done) /* never written to */

void
ledger_init(struct ledger *l)
{
	*l = (struct ledger) { 0 };
}

static void
chunk_free(struct ledger_chunk *c)
{
	if (c != ASSUMED_DONE)
		free(c);
}

void
ledger_release(struct ledger *l)
{
	for (size_t i = 0; i < l->n; i++)
		chunk_free(l->chunks[i]);
	free(l->chunks);
	ledger_init(l);
}

/* Makes a slot for that chunk number, filling the way to it with "all gone". */
static struct ledger_chunk **
slot(struct ledger *l, uint64_t number)
{
	size_t index;

	if (l->n == 0)
		l->base = number;
	BUG_IF(number < l->base);
	index = (size_t)(number - l->base);
	if (index >= l->room) {
		l->room = index + index / 2 + 16;
		l->chunks = xreallocarray(l->chunks, l->room, sizeof(*l->chunks));
	}
	while (l->n <= index)
		l->chunks[l->n++] = NULL;
	return &l->chunks[index];
}

static struct ledger_chunk *
chunk_for_write(struct ledger *l, uint64_t seq)
{
	struct ledger_chunk **c = slot(l, seq / CHUNK), *made;

	if (*c != NULL && *c != ASSUMED_DONE)
		return *c;
	made = xmalloc(sizeof(*made));
	made->present = *c == NULL ? 0 : CHUNK;
	memset(made->left, *c == NULL ? GONE : DONE, CHUNK);
	*c = made;
	return made;
}

/* NULL when nothing is known of it. */
static struct ledger_chunk *
chunk_of(const struct ledger *l, uint64_t seq)
{
	uint64_t number = seq / CHUNK;

	if (number < l->base || number - l->base >= l->n)
		return NULL;
	return l->chunks[number - l->base];
}

static void
mark_done(struct ledger *l, uint64_t first, uint64_t last)
{
	struct ledger_chunk *c = chunk_for_write(l, first);

	for (uint64_t seq = first; seq <= last; seq++) {
		c->present += c->left[seq % CHUNK] == GONE;
		c->left[seq % CHUNK] = DONE;
	}
}

void
ledger_assume_done(struct ledger *l, uint64_t first, uint64_t last)
{
	/* Exactly these: what a chunk holds beyond them is still to come. */
	for (uint64_t seq = first; seq <= last; seq = (seq | (CHUNK - 1)) + 1) {
		uint64_t end = seq | (CHUNK - 1);

		if (seq % CHUNK == 0 && end <= last)
			*slot(l, seq / CHUNK) = ASSUMED_DONE;
		else
			mark_done(l, seq, end < last ? end : last);
	}
	if (l->scan == 0 || first < l->scan)
		l->scan = first;
}

void
ledger_add(struct ledger *l, uint64_t seq, unsigned left)
{
	struct ledger_chunk *c = chunk_for_write(l, seq);
	uint8_t *at = &c->left[seq % CHUNK];

	if (*at == GONE)
		c->present++;
	else if (*at != DONE)
		l->open--;
	*at = (uint8_t)left;
	if (left != DONE)
		l->open++;
	else if (seq < l->scan || l->scan == 0)
		l->scan = seq;
}

void
ledger_wait(struct ledger *l, uint64_t seq)
{
	struct ledger_chunk *c = chunk_of(l, seq);
	uint8_t left = c == NULL ? GONE : c->left[seq % CHUNK];

	ledger_add(l, seq, left == GONE ? 1 : left + 1u);
}

bool
ledger_settle(struct ledger *l, uint64_t seq)
{
	struct ledger_chunk *c = chunk_of(l, seq);
	uint8_t *at;

	if (c == NULL || c == ASSUMED_DONE)
		return false;
	at = &c->left[seq % CHUNK];
	if (*at == GONE || *at == DONE)
		return false;
	if (--*at != DONE)
		return false;
	l->open--;
	if (seq < l->scan || l->scan == 0)
		l->scan = seq;
	return true;
}

static void
drop_leading(struct ledger *l)
{
	size_t k = 0;

	while (k < l->n && l->chunks[k] == NULL)
		k++;
	/* Moving is worth it only now and then. */
	if (k < 64 && k < l->n)
		return;
	memmove(l->chunks, l->chunks + k, (l->n - k) * sizeof(*l->chunks));
	l->base += k;
	l->n -= k;
}

static void
gone_in_chunk(struct ledger *l, uint64_t first, uint64_t last)
{
	struct ledger_chunk *c = chunk_of(l, first);

	if (c == NULL)
		return;
	if (first % CHUNK != 0 || last % CHUNK != CHUNK - 1 || c != ASSUMED_DONE) {
		c = chunk_for_write(l, first);
		for (uint64_t seq = first; seq <= last; seq++) {
			uint8_t *at = &c->left[seq % CHUNK];

			if (*at == GONE)
				continue;
			if (*at != DONE)
				l->open--;
			*at = GONE;
			c->present--;
		}
		if (c->present > 0)
			return;
	}
	chunk_free(c);
	l->chunks[first / CHUNK - l->base] = NULL;
	drop_leading(l);
}

void
ledger_gone(struct ledger *l, uint64_t first, uint64_t last)
{
	while (first <= last) {
		uint64_t end = first | (CHUNK - 1);

		gone_in_chunk(l, first, end < last ? end : last);
		first = end + 1;
	}
}

static uint64_t
run_end(const struct ledger_chunk *c, uint64_t first, uint64_t max)
{
	uint64_t end = first | (CHUNK - 1), last = first;

	while (last < end && last - first + 1 < max && c->left[(last + 1) % CHUNK] == DONE)
		last++;
	return last;
}

bool
ledger_next_done(struct ledger *l, uint64_t from, uint64_t max, uint64_t *first, uint64_t *last)
{
	bool is_hint = from <= l->scan;
	uint64_t seq = is_hint ? l->scan : from;

	if (seq / CHUNK < l->base)
		seq = l->base * CHUNK;
	while (seq / CHUNK - l->base < l->n) {
		const struct ledger_chunk *c = l->chunks[seq / CHUNK - l->base];
		const uint8_t *hit = c == NULL ? NULL :
		    memchr(c->left + seq % CHUNK, DONE, CHUNK - seq % CHUNK);

		if (hit == NULL) {
			seq = (seq | (CHUNK - 1)) + 1;
			continue;
		}
		*first = seq - seq % CHUNK + (uint64_t)(hit - c->left);
		*last = run_end(c, *first, max);
		if (is_hint)
			l->scan = *first;
		return true;
	}
	if (is_hint)
		l->scan = seq;
	return false;
}
