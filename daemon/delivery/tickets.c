/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/tickets.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

#define SLOT_BITS     20 /* of a number; the rest is the serial */
#define TICKETS_FIRST 256
#define TICKETS_KEEP  4096 /* more slots than this are given back when no ticket is out */

struct ticket_slot {
	uint64_t number; /* 0: free */
	uint64_t seq, key;
	int64_t version, journalled;
	uint32_t shard : 31, is_canary : 1;
	uint32_t tries; /* free: the next free slot, plus one */
	uint32_t stream;
};

void
tickets_init(struct tickets *ts, size_t max)
{
	BUG_IF(max > TICKETS_LIMIT);
	*ts = (struct tickets) { .max = max };
}

void
tickets_release(struct tickets *ts)
{
	tickets_void(ts);
}

static size_t
tickets_free_slot(struct tickets *ts)
{
	size_t i;

	if (ts->free_head != 0) {
		i = ts->free_head - 1;
		ts->free_head = ts->slots[i].tries;
		return i;
	}
	if (ts->used == ts->room) {
		ts->room = ts->room == 0 ? TICKETS_FIRST : ts->room * 2;
		ts->slots = xreallocarray(ts->slots, ts->room, sizeof(*ts->slots));
	}
	return ts->used++;
}

uint64_t
tickets_issue(struct tickets *ts, const struct ticket *t)
{
	size_t i;

	BUG_IF(tickets_is_full(ts));
	i = tickets_free_slot(ts);
	ts->slots[i] = (struct ticket_slot) {
		.number = ++ts->serial << SLOT_BITS | i,
		.seq = t->pos.seq,
		.shard = t->pos.shard & (UINT32_MAX >> 1),
		.is_canary = t->is_canary,
		.key = t->key,
		.version = t->version,
		.journalled = t->journalled,
		.tries = t->tries,
		.stream = t->stream,
	};
	ts->n++;
	return ts->slots[i].number;
}

bool
tickets_redeem(struct tickets *ts, uint64_t number, struct ticket *out)
{
	size_t i = number & (TICKETS_LIMIT - 1);
	struct ticket_slot *slot;

	if (number == 0 || i >= ts->used || ts->slots[i].number != number)
		return false;
	slot = &ts->slots[i];
	*out = (struct ticket) {
		.pos = { .shard = slot->shard, .seq = slot->seq },
		.key = slot->key,
		.tries = slot->tries,
		.is_canary = slot->is_canary,
		.stream = slot->stream,
		.version = slot->version,
		.journalled = slot->journalled,
	};
	slot->number = 0;
	slot->tries = ts->free_head;
	ts->free_head = (uint32_t)i + 1;
	ts->n--;
	if (ts->n == 0 && ts->room > TICKETS_KEEP)
		tickets_void(ts);
	return true;
}

void
tickets_void(struct tickets *ts)
{
	free(ts->slots);
	ts->slots = NULL;
	ts->used = ts->room = ts->n = 0;
	ts->free_head = 0;
}
