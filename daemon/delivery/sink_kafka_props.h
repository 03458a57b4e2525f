/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_KAFKA_PROPS_H
#define SINK_KAFKA_PROPS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct sink_kafka_conf;

/*
 * sink_kafka_props: librdkafka's properties: our defaults, the user's, those that
 * our promises need, and the secrets, in this order.
 *
 * A secret is read from its file when properties are made, so that a changed one
 * holds from the next connection on; it is in no message. All calls block for small reads.
 */
enum kafka_props_for {
	KAFKA_PROPS_TRIAL,   /* to see what librdkafka thinks of it: no brokers, no passwords */
	KAFKA_PROPS_BATCHES,
	KAFKA_PROPS_ALONE,   /* one message a batch, so that a broker's answer is about this one */
};

/* Judges one of the user's: ERR_CONF with librdkafka's own words, or why it is not the user's. */
bool kafka_prop_check(const char *name, const char *value, struct err *err) MUST_CHECK;

/* NULL when a file cannot be read or librdkafka refuses a value. instance: this msspd's name, or NULL. */
rd_kafka_conf_t *kafka_props_new(const struct sink_kafka_conf *c, enum kafka_props_for what,
    const char *instance, struct err *err);

/* Has librdkafka judge all of them together. */
bool kafka_props_try(const struct sink_kafka_conf *c, void (*warn)(void *arg, const char *text),
    void *arg, struct err *err) MUST_CHECK;

/* A property that is a number; 0 when there is none of that name. */
int64_t kafka_props_number(const rd_kafka_conf_t *props, const char *name);

#endif
