/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_KAFKA_SLOTS_H
#define SINK_KAFKA_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/delivery/sink_kafka_topics.h"

/*
 * sink_kafka_slots: what is known here of each entry on its way, so that a delivery
 * report finds it again. Used anew when it is free; the memory stays.
 */
struct kafka_slot {
	uint64_t ticket;
	struct kafka_topic *topic;
	uint32_t bytes;
	bool is_alone; /* in a batch of its own */
	uint32_t next; /* free ones: place of the next, plus one */
};

struct kafka_slots {
	struct kafka_slot *v;
	size_t n, room;
	uint32_t first_free; /* plus one; 0: none */
};

void kafka_slots_init(struct kafka_slots *s);
void kafka_slots_release(struct kafka_slots *s);
/* All are free. */
void kafka_slots_reset(struct kafka_slots *s);
/* What goes with the message: never NULL. */
void *kafka_slots_put(struct kafka_slots *s, const struct kafka_slot *what);
struct kafka_slot kafka_slots_take(struct kafka_slots *s, void *opaque);

#endif
