/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "daemon/journal/place.h"
#include "lib/base/alloc.h"

struct place *
place_new(uint32_t sink)
{
	struct place *p = xcalloc(1, sizeof(*p));

	p->sink = sink;
	p->next = 1;
	p->oldest = INT64_MIN;
	return p;
}

void
place_free(struct place *p)
{
	if (p == NULL)
		return;
	free(p->out.seq);
	free(p->later.v);
	free(p->again.seq);
	free(p);
}

/* ---- handed out: an open table, linear probing --------------------------- */

static size_t
home(const struct place *p, uint64_t seq)
{
	return (size_t)(seq * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (p->out.room - 1);
}

/* The slot that holds seq, or the free one where it would go. */
static size_t
probe(const struct place *p, uint64_t seq)
{
	size_t i = home(p, seq);

	while (p->out.seq[i] != 0 && p->out.seq[i] != seq)
		i = (i + 1) & (p->out.room - 1);
	return i;
}

static void
out_grow(struct place *p)
{
	uint64_t *seq = p->out.seq;
	size_t room = p->out.room;

	p->out.room = room == 0 ? 64 : room * 2;
	p->out.seq = xcalloc(p->out.room, sizeof(*seq));
	for (size_t i = 0; i < room; i++)
		if (seq[i] != 0)
			p->out.seq[probe(p, seq[i])] = seq[i];
	free(seq);
}

void
place_hand_out(struct place *p, uint64_t seq)
{
	size_t i;

	if (p->out.n * 2 >= p->out.room)
		out_grow(p);
	i = probe(p, seq);
	if (p->out.seq[i] == 0)
		p->out.n++;
	p->out.seq[i] = seq;
}

bool
place_is_out(const struct place *p, uint64_t seq)
{
	return p->out.n > 0 && p->out.seq[probe(p, seq)] == seq;
}

/* Closes the hole, so that probing never stops too early. */
static void
out_remove(struct place *p, size_t hole)
{
	size_t mask = p->out.room - 1;

	for (size_t i = (hole + 1) & mask; p->out.seq[i] != 0; i = (i + 1) & mask) {
		size_t h = home(p, p->out.seq[i]);

		if (((i - h) & mask) < ((i - hole) & mask))
			continue;
		p->out.seq[hole] = p->out.seq[i];
		hole = i;
	}
	p->out.seq[hole] = 0;
	p->out.n--;
}

/* A sink may settle what was rewound from it a moment ago. */
static void
again_forget(struct place *p, uint64_t seq)
{
	size_t lo = p->again.at, hi = p->again.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->again.seq[mid] == seq) {
			memmove(p->again.seq + mid, p->again.seq + mid + 1,
			    (p->again.n - mid - 1) * sizeof(seq));
			p->again.n--;
			return;
		}
		if (p->again.seq[mid] < seq)
			lo = mid + 1;
		else
			hi = mid;
	}
}

void
place_take_back(struct place *p, uint64_t seq)
{
	if (p->again.at < p->again.n)
		again_forget(p, seq);
	if (place_is_out(p, seq))
		out_remove(p, probe(p, seq));
}

/* ---- waiting for its time: a heap ---------------------------------------- */

static bool
is_sooner(const struct place_due *a, const struct place_due *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static void
swap(struct place_due *a, struct place_due *b)
{
	struct place_due t = *a;

	*a = *b;
	*b = t;
}

void
place_later(struct place *p, uint64_t seq, int64_t due)
{
	size_t i = p->later.n++;

	if (p->later.n > p->later.room) {
		p->later.room = p->later.n * 2;
		p->later.v = xreallocarray(p->later.v, p->later.room, sizeof(*p->later.v));
	}
	p->later.v[i] = (struct place_due) { .at = due, .seq = seq };
	for (; i > 0 && is_sooner(&p->later.v[i], &p->later.v[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&p->later.v[i], &p->later.v[(i - 1) / 2]);
}

void
place_clock_set_back(struct place *p, int64_t ticks)
{
	for (size_t i = 0; i < p->later.n; i++)
		p->later.v[i].at -= ticks;
}

static void
later_pop(struct place *p)
{
	struct place_due *v = p->later.v;
	size_t i = 0, n = --p->later.n;

	v[0] = v[n];
	for (;;) {
		size_t k = 2 * i + 1;

		if (k + 1 < n && is_sooner(&v[k + 1], &v[k]))
			k++;
		if (k >= n || !is_sooner(&v[k], &v[i]))
			return;
		swap(&v[i], &v[k]);
		i = k;
	}
}

/* ---- rewound ------------------------------------------------------------- */

static int
seq_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void
place_rewind(struct place *p)
{
	size_t left = p->again.n - p->again.at, n = 0;
	uint64_t *all;

	if (p->out.n == 0)
		return;
	all = xreallocarray(NULL, left + p->out.n, sizeof(*all));
	for (size_t i = 0; i < p->out.room; i++)
		if (p->out.seq[i] != 0)
			all[n++] = p->out.seq[i];
	if (left > 0)
		memcpy(all + n, p->again.seq + p->again.at, left * sizeof(*all));
	n += left;
	qsort(all, n, sizeof(*all), seq_cmp);
	free(p->again.seq);
	p->again.seq = all;
	p->again.at = 0;
	p->again.n = n;
	memset(p->out.seq, 0, p->out.room * sizeof(*p->out.seq));
	p->out.n = 0;
}

void
place_begin_anew(struct place *p)
{
	if (p->out.n > 0)
		memset(p->out.seq, 0, p->out.room * sizeof(*p->out.seq));
	p->out.n = p->later.n = 0;
	p->again.at = p->again.n = 0;
	p->next = 1;
}

uint64_t
place_pop(struct place *p, int64_t now)
{
	while (p->later.n > 0 && p->later.v[0].at <= now) {
		uint64_t seq = p->later.v[0].seq;

		later_pop(p);
		if (!place_is_out(p, seq))
			return seq;
	}
	if (p->again.at < p->again.n)
		return p->again.seq[p->again.at++];
	return 0;
}

void
place_retry(struct place *p, uint64_t seq, int64_t now)
{
	if (p->retrying++ > 0)
		return;
	p->retry_from = seq;
	p->retry_at = now;
}

int64_t
place_waits_since(const struct place *p, uint64_t seq, int64_t journalled)
{
	if (journalled < p->resent_at)
		journalled = p->resent_at;
	if (p->retrying > 0 && seq >= p->retry_from && journalled < p->retry_at)
		journalled = p->retry_at;
	return journalled;
}

bool
place_has_work(const struct place *p, int64_t now)
{
	if (p->is_forgotten || p->is_resending)
		return false;
	return p->again.at < p->again.n || p->newest >= p->next
	    || (p->later.n > 0 && p->later.v[0].at <= now);
}
