/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kafka_tool: what the runs ask of a Kafka cluster: make a topic, forbid one, read all.
 *
 * usage: kafka-tool BROKERS create TOPIC [PROPERTY=VALUE…]
 *        kafka-tool BROKERS forbid TOPIC [PROPERTY=VALUE…]
 *        kafka-tool BROKERS read PREFIX [PROPERTY=VALUE…]
 *
 * read prints every message of every topic that begins so, to its end, as JSON lines.
 * Properties are librdkafka's; config.NAME=VALUE are those of the topic that is made.
 */
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS    20000
#define PARTITIONS 4

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "kafka-tool: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

static rd_kafka_t *
client(rd_kafka_type_t type, const char *brokers, char **props)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char reason[512], *equals;
	rd_kafka_t *rk;

	(void)rd_kafka_conf_set(conf, "bootstrap.servers", brokers, reason, sizeof(reason));
	(void)rd_kafka_conf_set(conf, "group.id", "kafka-tool", reason, sizeof(reason));
	(void)rd_kafka_conf_set(conf, "enable.partition.eof", "true", reason, sizeof(reason));
	(void)rd_kafka_conf_set(conf, "enable.auto.commit", "false", reason, sizeof(reason));
	for (; *props != NULL; props++) {
		equals = strchr(*props, '=');
		if (equals == NULL || strncmp(*props, "config.", 7) == 0)
			continue;
		*equals = '\0';
		if (rd_kafka_conf_set(conf, *props, equals + 1, reason, sizeof(reason)) != RD_KAFKA_CONF_OK)
			die(*props, reason);
		*equals = '=';
	}
	rd_kafka_conf_set_log_cb(conf, NULL);
	rk = rd_kafka_new(type, conf, reason, sizeof(reason));
	if (rk == NULL)
		die("client", reason);
	return rk;
}

/* ---- making and forbidding --------------------------------------------------------------- */

static void
check_topics(const rd_kafka_CreateTopics_result_t *result)
{
	size_t n;
	const rd_kafka_topic_result_t **v = rd_kafka_CreateTopics_result_topics(result, &n);

	for (size_t i = 0; i < n; i++) {
		if (rd_kafka_topic_result_error(v[i]) != RD_KAFKA_RESP_ERR_NO_ERROR)
			die(rd_kafka_topic_result_name(v[i]), rd_kafka_topic_result_error_string(v[i]));
	}
}

static void
check_acls(const rd_kafka_CreateAcls_result_t *result)
{
	size_t n;
	const rd_kafka_acl_result_t **v = rd_kafka_CreateAcls_result_acls(result, &n);

	for (size_t i = 0; i < n; i++) {
		if (rd_kafka_acl_result_error(v[i]) != NULL)
			die("acl", rd_kafka_error_string(rd_kafka_acl_result_error(v[i])));
	}
}

static void
wait_for(rd_kafka_queue_t *queue)
{
	rd_kafka_event_t *ev = rd_kafka_queue_poll(queue, WAIT_MS);

	if (ev == NULL)
		die("admin", "no answer");
	if (rd_kafka_event_error(ev) != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("admin", rd_kafka_event_error_string(ev));
	if (rd_kafka_event_CreateTopics_result(ev) != NULL)
		check_topics(rd_kafka_event_CreateTopics_result(ev));
	if (rd_kafka_event_CreateAcls_result(ev) != NULL)
		check_acls(rd_kafka_event_CreateAcls_result(ev));
	rd_kafka_event_destroy(ev);
}

static void
create(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *topic, char **props)
{
	char reason[512], *equals;
	rd_kafka_NewTopic_t *new = rd_kafka_NewTopic_new(topic, PARTITIONS, 1, reason, sizeof(reason));

	for (; *props != NULL; props++) {
		equals = strchr(*props, '=');
		if (equals == NULL || strncmp(*props, "config.", 7) != 0)
			continue;
		*equals = '\0';
		(void)rd_kafka_NewTopic_set_config(new, *props + 7, equals + 1);
	}
	rd_kafka_CreateTopics(rk, &new, 1, NULL, queue);
	rd_kafka_NewTopic_destroy(new);
	wait_for(queue);
}

/* A list of who may write that holds nobody who is there. */
static void
forbid(rd_kafka_t *rk, rd_kafka_queue_t *queue, const char *topic)
{
	char reason[512];
	rd_kafka_AclBinding_t *acl = rd_kafka_AclBinding_new(RD_KAFKA_RESOURCE_TOPIC, topic,
	    RD_KAFKA_RESOURCE_PATTERN_LITERAL, "User:nobody", "*", RD_KAFKA_ACL_OPERATION_WRITE,
	    RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, reason, sizeof(reason));

	if (acl == NULL)
		die("acl", reason);
	rd_kafka_CreateAcls(rk, &acl, 1, NULL, queue);
	rd_kafka_AclBinding_destroy(acl);
	wait_for(queue);
}

/* ---- reading -------------------------------------------------------------------------------- */

static void
print(const rd_kafka_message_t *m)
{
	rd_kafka_headers_t *headers = NULL;
	json_t *o = json_object(), *h = json_object();
	const char *name;
	const void *value;
	size_t n;

	(void)rd_kafka_message_headers(m, &headers);
	for (size_t i = 0; headers != NULL && rd_kafka_header_get_all(headers, i, &name, &value, &n) == 0; i++)
		json_object_set_new(h, name, json_stringn(value, n));
	json_object_set_new(o, "topic", json_string(rd_kafka_topic_name(m->rkt)));
	json_object_set_new(o, "partition", json_integer(m->partition));
	json_object_set_new(o, "offset", json_integer(m->offset));
	json_object_set_new(o, "at_ms", json_integer(rd_kafka_message_timestamp(m, NULL)));
	json_object_set_new(o, "key", json_stringn(m->key, m->key_len));
	json_object_set_new(o, "headers", h);
	json_object_set_new(o, "value", json_stringn(m->payload, m->len));
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

static rd_kafka_topic_partition_list_t *
partitions(rd_kafka_t *rk, const char *prefix)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
	const struct rd_kafka_metadata *md;
	rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 1, NULL, &md, WAIT_MS);

	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("metadata", rd_kafka_err2str(code));
	for (int i = 0; i < md->topic_cnt; i++) {
		if (strncmp(md->topics[i].topic, prefix, strlen(prefix)) != 0)
			continue;
		for (int p = 0; p < md->topics[i].partition_cnt; p++)
			rd_kafka_topic_partition_list_add(list, md->topics[i].topic, p)->offset =
			    RD_KAFKA_OFFSET_BEGINNING;
	}
	rd_kafka_metadata_destroy(md);
	return list;
}

static void
read_all(rd_kafka_t *rk, const char *prefix)
{
	rd_kafka_topic_partition_list_t *list = partitions(rk, prefix);
	int left = list->cnt;
	rd_kafka_message_t *m;

	(void)rd_kafka_assign(rk, list);
	while (left > 0) {
		m = rd_kafka_consumer_poll(rk, WAIT_MS);
		if (m == NULL)
			die("read", "no answer");
		if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			left--;
		else if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
			print(m);
		rd_kafka_message_destroy(m);
	}
	rd_kafka_topic_partition_list_destroy(list);
}

int
main(int argc, char **argv)
{
	bool is_reading = argc >= 4 && strcmp(argv[2], "read") == 0;
	rd_kafka_queue_t *queue;
	rd_kafka_t *rk;

	if (argc < 4)
		die("usage", "kafka-tool BROKERS create|forbid|read NAME [PROPERTY=VALUE...]");
	rk = client(is_reading ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, argv[1], argv + 4);
	queue = rd_kafka_queue_new(rk);
	if (is_reading)
		read_all(rk, argv[3]);
	else if (strcmp(argv[2], "create") == 0)
		create(rk, queue, argv[3], argv + 4);
	else if (strcmp(argv[2], "forbid") == 0)
		forbid(rk, queue, argv[3]);
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	return EXIT_SUCCESS;
}
