/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_kafka_slots.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

#define SLOTS_FIRST 256

void
kafka_slots_init(struct kafka_slots *s)
{
	*s = (struct kafka_slots) { 0 };
}

void
kafka_slots_release(struct kafka_slots *s)
{
	free(s->v);
	kafka_slots_init(s);
}

void
kafka_slots_reset(struct kafka_slots *s)
{
	s->n = 0;
	s->first_free = 0;
}

static uint32_t
free_place(struct kafka_slots *s)
{
	uint32_t place = s->first_free;

	if (place != 0) {
		s->first_free = s->v[place - 1].next;
		return place;
	}
	if (s->n == s->room) {
		s->room = s->room != 0 ? s->room * 2 : SLOTS_FIRST;
		s->v = xreallocarray(s->v, s->room, sizeof(*s->v));
	}
	return (uint32_t)++s->n;
}

void *
kafka_slots_put(struct kafka_slots *s, const struct kafka_slot *what)
{
	uint32_t place = free_place(s);

	s->v[place - 1] = *what;
	return (void *)(uintptr_t)place;
}

struct kafka_slot
kafka_slots_take(struct kafka_slots *s, void *opaque)
{
	uint32_t place = (uint32_t)(uintptr_t)opaque;
	struct kafka_slot slot;

	BUG_IF(place == 0 || place > s->n);
	slot = s->v[place - 1];
	s->v[place - 1] = (struct kafka_slot) { .next = s->first_free };
	s->first_free = place;
	return slot;
}
