/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kafka_mock.h"

#include <check.h>
#include <stdlib.h>

#include "lib/base/alloc.h"

#define PARTITIONS 4 /* the mock's own default */

void
kafka_mock_init(struct kafka_mock *m, int brokers)
{
	char reason[512];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	rd_kafka_conf_set_log_cb(conf, NULL);
	m->owner = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
	ck_assert_ptr_nonnull(m->owner);
	m->cluster = rd_kafka_mock_cluster_new(m->owner, brokers);
	ck_assert_ptr_nonnull(m->cluster);
	m->brokers = xstrdup(rd_kafka_mock_cluster_bootstraps(m->cluster));
}

void
kafka_mock_release(struct kafka_mock *m)
{
	free(m->brokers);
	rd_kafka_mock_cluster_destroy(m->cluster);
	rd_kafka_destroy(m->owner);
}

/* ---- reading back -------------------------------------------------------------------- */

static rd_kafka_t *
new_consumer(const char *brokers)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char reason[512];
	rd_kafka_t *rk;

	(void)rd_kafka_conf_set(conf, "bootstrap.servers", brokers, reason, sizeof(reason));
	(void)rd_kafka_conf_set(conf, "group.id", "check", reason, sizeof(reason));
	(void)rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", reason, sizeof(reason));
	(void)rd_kafka_conf_set(conf, "fetch.wait.max.ms", "20", reason, sizeof(reason));
	(void)rd_kafka_conf_set(conf, "enable.auto.commit", "false", reason, sizeof(reason));
	rd_kafka_conf_set_log_cb(conf, NULL);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
	ck_assert_msg(rk != NULL, "%s", reason);
	(void)rd_kafka_poll_set_consumer(rk);
	return rk;
}

static void
copy(char *out, size_t room, const void *p, size_t n)
{
	size_t take = n < room - 1 ? n : room - 1;

	memcpy(out, p, take);
	out[take] = '\0';
}

static void
read_headers(struct kafka_got *got, const rd_kafka_message_t *m)
{
	rd_kafka_headers_t *headers = NULL;
	const char *name;
	const void *value;
	size_t n, used;

	if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &n) == 0; i++) {
		used = strlen(got->headers);
		snprintf(got->headers + used, sizeof(got->headers) - used, "%s=%.*s ", name, (int)n,
		    (const char *)value);
		if (strcmp(name, "event-id") == 0)
			copy(got->id, sizeof(got->id), value, n);
	}
}

static void
keep(struct kafka_read *out, const rd_kafka_message_t *m)
{
	struct kafka_got *got;

	out->v = xreallocarray(out->v, out->n + 1, sizeof(*out->v));
	got = &out->v[out->n++];
	*got = (struct kafka_got) { .partition = m->partition, .len = m->len };
	copy(got->key, sizeof(got->key), m->key, m->key_len);
	got->value = xmemdup(m->payload, m->len + 1);
	got->value[m->len] = '\0';
	read_headers(got, m);
}

void
kafka_read(const char *brokers, const char *topic, size_t n, struct kafka_read *out)
{
	rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(PARTITIONS);
	rd_kafka_t *rk = new_consumer(brokers);
	rd_kafka_message_t *m;
	int quiet = 0;

	*out = (struct kafka_read) { 0 };
	for (int i = 0; i < PARTITIONS; i++)
		rd_kafka_topic_partition_list_add(parts, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
	ck_assert_int_eq(rd_kafka_assign(rk, parts), RD_KAFKA_RESP_ERR_NO_ERROR);
	while (quiet < (out->n >= n ? 3 : 400)) {
		m = rd_kafka_consumer_poll(rk, 50);
		quiet = m != NULL && m->err == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : quiet + 1;
		if (m != NULL && m->err == RD_KAFKA_RESP_ERR_NO_ERROR)
			keep(out, m);
		if (m != NULL)
			rd_kafka_message_destroy(m);
	}
	rd_kafka_topic_partition_list_destroy(parts);
	rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void
kafka_read_release(struct kafka_read *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].value);
	free(r->v);
	*r = (struct kafka_read) { 0 };
}

/* ---- judging ------------------------------------------------------------------------- */

static int
by_id(const void *x, const void *y)
{
	const struct kafka_got *a = x, *b = y;

	return strcmp(a->id, b->id);
}

size_t
kafka_read_ids(const struct kafka_read *r)
{
	struct kafka_got *v = r->n > 0 ? xmemdup(r->v, r->n * sizeof(*v)) : NULL;
	size_t n = 0;

	qsort(v, r->n, sizeof(*v), by_id);
	for (size_t i = 0; i < r->n; i++)
		n += i == 0 || strcmp(v[i - 1].id, v[i].id) != 0;
	free(v);
	return n;
}

static size_t
version_of(const struct kafka_got *got)
{
	const char *dot = strrchr(got->id, '.');

	return dot != NULL ? strtoul(dot + 1, NULL, 10) : 0;
}

void
kafka_read_check_order(const struct kafka_read *r, size_t nalerts)
{
	for (size_t i = 0; i < r->n; i++) {
		size_t newest = 0, last = 0;
		bool is_first = true;

		for (size_t k = 0; k < r->n; k++) {
			if (strcmp(r->v[k].key, r->v[i].key) != 0)
				continue;
			is_first &= k >= i;
			ck_assert_int_eq(r->v[k].partition, r->v[i].partition);
			last = version_of(&r->v[k]);
			ck_assert_msg(last <= newest || newest == 0 || last == newest + nalerts,
			    "%s came after %zu", r->v[k].id, newest);
			newest = last > newest ? last : newest;
		}
		ck_assert_uint_eq(last, newest);
	}
}
