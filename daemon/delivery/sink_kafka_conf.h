/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_KAFKA_CONF_H
#define SINK_KAFKA_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/config/option.h"

/*
 * sink_kafka_conf: the options of a kafka sink, and what they mean together. It
 * knows nothing of librdkafka but the names of its properties, which
 * sink_kafka_props judges.
 */
struct sink_kafka_tls {
	char *ca_file;          /* NULL: the system's authorities */
	char *certificate_file; /* ours, with its chain; NULL: none */
	struct conf_list key_file, key_password_file;
};

struct sink_kafka_conf {
	struct conf_list brokers;
	char *topic;
	char *format;
	bool raw_data;
	char *username;
	struct conf_list password_file, oauth_token_file, oauth_secret_file;
	struct sink_kafka_tls tls;
	int64_t connect_timeout_ms;
	struct conf_pairs rdkafka;
};

extern const struct conf_opt sink_kafka_options[];

/* The check() of the sink's kind. Blocks for tens of milliseconds: librdkafka is asked. */
bool sink_kafka_check(const void *conf, void (*warn)(void *arg, const char *text), void *arg,
    struct err *err);

#endif
