/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_KAFKA_MESSAGE_H
#define SINK_KAFKA_MESSAGE_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/format/format.h"
#include "lib/record/event.h"

/*
 * sink_kafka_message: an event as a message of Kafka's: key, headers, value.
 *
 * The key is tenant-GUID:id, so that what is told of one alert is in one partition, in
 * its order. One such thing is used again and again, for its memory; only the value, which
 * is most of it, is librdkafka's from when it is sent, for a copy costs more.
 */
struct kafka_message_opts {
	const struct format *format;
	bool without_raw;
	size_t max_bytes; /* of the whole, as librdkafka counts it */
};

struct kafka_message {
	struct buf key, value, id;
	size_t bytes; /* of all of it, headers included */
	rd_kafka_headers_t *headers;
};

void kafka_message_init(struct kafka_message *m, size_t max_bytes);
void kafka_message_release(struct kafka_message *m);
/* False: not even its shortest form is short enough. */
bool kafka_message_make(struct kafka_message *m, const struct kafka_message_opts *opts,
    const struct event *ev, struct err *err) MUST_CHECK;
/* Hands it to the producer, which takes the memory of its value: a failure leaves it here. topic:
 * a handle, or else its name. */
rd_kafka_resp_err_t kafka_message_send(struct kafka_message *m, rd_kafka_t *producer,
    rd_kafka_topic_t *topic, const char *name, void *opaque);

#endif
