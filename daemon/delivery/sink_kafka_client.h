/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_KAFKA_CLIENT_H
#define SINK_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "daemon/env.h"
#include "lib/base/err.h"
#include "lib/base/log.h"

/*
 * sink_kafka_client: one producer of librdkafka's, with its events on our loop.
 *
 * librdkafka has threads of its own, which touch nothing of ours: what they have to
 * say waits in a queue, and an eventfd says that it is not empty. Nothing here waits
 * for a broker. It knows nothing of sinks, entries or topics.
 */
struct kafka_client;

/* All are called from the loop; none of them may close the client but `settled`. */
struct kafka_client_user {
	void (*delivered)(void *arg, const rd_kafka_message_t *m);
	/* Something is wrong with the producer as a whole, or one of its brokers. */
	void (*trouble)(void *arg, rd_kafka_resp_err_t code, const char *text);
	/* The answer to kafka_client_ask_replicas(): 0 when the cluster does not say. */
	void (*replicas)(void *arg, const char *topic, int min_in_sync);
	/* After some of the above, once. */
	void (*settled)(void *arg);
};

struct kafka_client_opts {
	rd_kafka_conf_t *props;         /* taken, also when it fails */
	const char *token_file;         /* of OAUTHBEARER; NULL: none. Lives as long as the client */
	const struct log_ctx *log;
};

/* NULL: librdkafka refuses the properties, or a file in them. */
struct kafka_client *kafka_client_open(const struct engine_env *env,
    const struct kafka_client_opts *opts, const struct kafka_client_user *user, void *arg,
    struct err *err);

rd_kafka_t *kafka_client_producer(const struct kafka_client *c);
/* Whether a broker has answered, ever. Does not wait. */
bool kafka_client_is_connected(const struct kafka_client *c);
/* Whether there is a connection to one now. Waits for a millisecond where there is. */
bool kafka_client_is_reachable(const struct kafka_client *c);
void kafka_client_ask_replicas(struct kafka_client *c, const char *topic);

/*
 * Producers end on threads of their own, since a name that cannot be resolved may hold
 * one up. Those that are ending, for one sink:
 */
#define KAFKA_GRAVES 4
struct kafka_graves {
	pthread_t threads[KAFKA_GRAVES];
	size_t n;
};

/* True when there is room for one more. */
bool kafka_graves_have_room(struct kafka_graves *g);
/* Waits at most wait_ms for all of them; those that take longer are left to themselves. */
void kafka_graves_release(struct kafka_graves *g, int wait_ms);

/* Nothing comes from it any more; what was under way may or may not arrive. The caller
 * has destroyed its topics. NULL: nothing to do. */
void kafka_client_close(struct kafka_client *c, struct kafka_graves *g);

#endif
