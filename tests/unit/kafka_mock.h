/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KAFKA_MOCK_H
#define KAFKA_MOCK_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * kafka_mock: librdkafka's cluster in this process, and a consumer that reads back
 * what is in it and judges the order of each key.
 */
struct kafka_mock {
	rd_kafka_t *owner;
	rd_kafka_mock_cluster_t *cluster;
	char *brokers;
};

void kafka_mock_init(struct kafka_mock *m, int brokers);
void kafka_mock_release(struct kafka_mock *m);

/* One message as it was read. */
struct kafka_got {
	char key[80], id[128]; /* id: the header event-id */
	char headers[512];     /* "name=value " each */
	char *value;
	size_t len;
	int32_t partition;
};

struct kafka_read {
	struct kafka_got *v;
	size_t n;
};

/* Reads a topic from its beginning until n or more are there and nothing more comes. */
void kafka_read(const char *brokers, const char *topic, size_t n, struct kafka_read *out);
void kafka_read_release(struct kafka_read *r);
/* How many keys there are; how many different ids. */
size_t kafka_read_ids(const struct kafka_read *r);
/*
 * Each key is in one partition; each new version of it came after all earlier ones, and the last
 * message of a key is its last version. Versions are those of rig_append_many() with nalerts.
 */
void kafka_read_check_order(const struct kafka_read *r, size_t nalerts);

#endif
