/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_KAFKA_BLAME_H
#define SINK_KAFKA_BLAME_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

/*
 * sink_kafka_blame: what an error of Kafka's or librdkafka's is about, which is what
 * decides about the entry. A table; pure.
 */
enum kafka_blame {
	KAFKA_BLAME_NONE,     /* it was delivered */
	KAFKA_BLAME_MESSAGE,  /* it, or another of its batch, will never be taken */
	KAFKA_BLAME_TOPIC,    /* its topic does not take anything now */
	KAFKA_BLAME_PASSING,  /* nothing that lasts */
	KAFKA_BLAME_LINK,     /* no broker to be reached */
	KAFKA_BLAME_RIGHTS,   /* the brokers do not know us, or we them */
	KAFKA_BLAME_PRODUCER, /* it cannot be told any more what was delivered: a new one is needed */
};

enum kafka_blame kafka_blame(rd_kafka_resp_err_t code);

#endif
