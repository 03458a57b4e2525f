/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_KAFKA_TOPICS_H
#define SINK_KAFKA_TOPICS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * sink_kafka_topics: the topics that a sink writes to, and how much of each may be on
 * its way, so that one that is absent or slow holds back no other.
 *
 * A topic may fill as much as is still free, so that the rest is always somebody's, and
 * is filled in bursts: when one is full, the next begins after the last answer to it, or
 * when there was none for a moment. So all its batches are under way at once; while one
 * waits for its turn behind those, librdkafka's thread (2.0) looks after it in a loop
 * without a rest, which costs more CPU than sending.
 *
 * One that has not answered for a while is asked to wait entry by entry, instead of the
 * sink as a whole. One that failed is tried with a single entry after a backoff. It knows
 * nothing of entries, and no clock. Bounded in number: the longest unused goes first.
 */
#define KAFKA_TOPICS_MAX 4096
#define KAFKA_TOPIC_NAME 249 /* Kafka's own limit */

struct kafka_topic {
	LIST_ENTRY(kafka_topic) same; /* of one place in the table */
	TAILQ_ENTRY(kafka_topic) age; /* the one used last is the last */
	char *name;
	rd_kafka_topic_t *handle; /* of the producer of now; NULL: none yet */
	size_t in_flight, bytes;
	int64_t progress_at;      /* when it was last heard of, or began to wait */
	bool is_proven;           /* it took something since the producer began */
	bool is_full;             /* the burst is: nothing more until all of it is back */
	bool is_asked;            /* for its replicas */
	unsigned fails;           /* since it last worked */
	int64_t again_at;         /* monotonic ms; where it fails */
	char *why;                /* of the last failure; NULL */
};

#define KAFKA_TOPIC_PLACES 1024
struct kafka_topics {
	LIST_HEAD(kafka_topic_place, kafka_topic) places[KAFKA_TOPIC_PLACES];
	TAILQ_HEAD(, kafka_topic) ages;
	size_t n;
	size_t bytes, max_bytes; /* on their way */
	size_t burst_bytes;      /* of a topic */
};

enum kafka_room {
	KAFKA_ROOM,       /* one more may go */
	KAFKA_ROOM_SOON,  /* the sink is full for a moment */
	KAFKA_ROOM_LATER, /* this topic's entries wait, others' go on */
};

void kafka_topics_init(struct kafka_topics *ts, size_t max_bytes, size_t burst_bytes);
void kafka_topics_release(struct kafka_topics *ts);

/* Of name, which is made legal: what Kafka does not allow becomes _, and what is too long ends
 * in a hash of the whole. NULL: there are too many, and all of them are busy. */
struct kafka_topic *kafka_topics_get(struct kafka_topics *ts, struct str name);
enum kafka_room kafka_topics_room(const struct kafka_topics *ts, const struct kafka_topic *t,
    int64_t now);
void kafka_topics_sent(struct kafka_topics *ts, struct kafka_topic *t, size_t bytes, int64_t now);
/* It was delivered, or failed: no longer on its way. */
void kafka_topics_back(struct kafka_topics *ts, struct kafka_topic *t, size_t bytes, int64_t now);
/* Nothing is on its way, and no handle is good any more: the producer ends. */
void kafka_topics_reset(struct kafka_topics *ts);

/* True when it had failed before. */
bool kafka_topic_worked(struct kafka_topic *t);
/* True for the first failure of a wait. random: any number, for the jitter. */
bool kafka_topic_failed(struct kafka_topic *t, const char *why, int64_t now, uint32_t random);

#endif
