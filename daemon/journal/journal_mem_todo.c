/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "daemon/journal/journal_mem.h"
#include "lib/base/alloc.h"

struct mem_place *
mem_place(struct store *s, uint32_t sink)
{
	if (!registry_is_sink(s->reg, sink))
		return NULL;
	if (s->nplaces < sink) {
		s->places = xreallocarray(s->places, sink, sizeof(*s->places));
		memset(s->places + s->nplaces, 0, (sink - s->nplaces) * sizeof(*s->places));
		s->nplaces = sink;
	}
	if (s->places[sink - 1].place == NULL) {
		s->places[sink - 1].place = place_new(sink);
		s->places[sink - 1].place->is_parked = registry_is_parked(s->reg, sink);
	}
	return &s->places[sink - 1];
}

/* Where seq is, or would be. */
size_t
mem_todo_find(const struct mem_place *p, uint64_t seq)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->todo[mid].seq < seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct mem_todo *
mem_todo_of(const struct mem_place *p, uint64_t seq)
{
	size_t i = mem_todo_find(p, seq);

	return i < p->n && p->todo[i].seq == seq ? &p->todo[i] : NULL;
}

bool
mem_todo_add(struct mem_place *p, uint64_t seq, size_t size)
{
	size_t i = mem_todo_find(p, seq);

	if (i < p->n && p->todo[i].seq == seq)
		return false;
	if (p->n == p->room) {
		p->room = p->room == 0 ? 64 : 2 * p->room;
		p->todo = xreallocarray(p->todo, p->room, sizeof(*p->todo));
	}
	memmove(p->todo + i + 1, p->todo + i, (p->n++ - i) * sizeof(*p->todo));
	p->todo[i] = (struct mem_todo) { .seq = seq };
	p->place->newest = seq > p->place->newest ? seq : p->place->newest;
	p->place->entries++;
	p->place->bytes += size;
	return true;
}

void
mem_todo_drop(struct store *s, struct mem_place *p, uint64_t seq)
{
	size_t i = mem_todo_find(p, seq);

	free(p->todo[i].memo);
	memmove(p->todo + i, p->todo + i + 1, (--p->n - i) * sizeof(*p->todo));
	p->place->entries--;
	p->place->bytes -= s->entries[seq - 1]->body.n;
	ledger_settle(&s->ledger, seq);
}
