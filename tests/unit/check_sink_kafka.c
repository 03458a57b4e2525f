/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/delivery/sink_kafka_conf.h"
#include "lib/base/alloc.h"
#include "lib/config/conf.h"
#include "tests/unit/kafka_mock.h"
#include "tests/unit/rig.h"

#define PRODUCE 0 /* Kafka's API key */

static struct rig rig;
static struct kafka_mock mock;
static struct arena arena;
static struct sink_kafka_conf conf;
static struct conf_pair pairs[8];
static char *brokers[1];

static void
property(const char *name, const char *value)
{
	ck_assert_uint_lt(conf.rdkafka.n, ARRAY_LEN(pairs));
	pairs[conf.rdkafka.n++] = (struct conf_pair) { (char *)name, (char *)value };
	conf.rdkafka.v = pairs;
}

static void
setup(void)
{
	struct problems problems;
	const struct conf c = { .arena = &arena, .problems = &problems };

	rig_init(&rig);
	kafka_mock_init(&mock, 1);
	arena_init(&arena);
	problems_init(&problems);
	conf = (struct sink_kafka_conf) { 0 };
	(void)conf_fill_one(&c, NULL, sink_kafka.opts, &conf);
	problems_release(&problems);
	brokers[0] = mock.brokers;
	conf.brokers = (struct conf_list) { .v = brokers, .n = 1 };
	conf.topic = (char *)"alerts";
	property("retry.backoff.ms", "20");
}

static void
teardown(void)
{
	rig_release(&rig);
	kafka_mock_release(&mock);
	arena_release(&arena);
}

static void
begin(void)
{
	rig_sink(&rig, "kafka", &sink_kafka, &conf, "kafka");
	rig_apply(&rig);
}

static bool
is_up(void *arg)
{
	(void)arg;
	return rig_figures(&rig, "kafka").link == SINK_UP;
}

static bool
is_down(void *arg)
{
	return !is_up(arg);
}

/* All that was appended is there, in order, each once where is_once. */
static void
check_topic(const char *topic, size_t n, size_t nalerts, bool is_once)
{
	struct kafka_read got;

	kafka_read(mock.brokers, topic, n, &got);
	ck_assert_uint_eq(kafka_read_ids(&got), n);
	if (is_once)
		ck_assert_uint_eq(got.n, n);
	kafka_read_check_order(&got, nalerts);
	kafka_read_release(&got);
}

/* ---- what arrives -------------------------------------------------------------------- */

START_TEST(test_arrives)
{
	begin();
	rig_append_many(&rig, 0, "a", 7, 1000);
	ck_assert(rig_run_idle(&rig, 10000));
	ck_assert_uint_eq(rig_figures(&rig, "kafka").accepted, 1000);
	check_topic("alerts", 1000, 7, true);
}
END_TEST

START_TEST(test_message)
{
	struct kafka_read got;

	begin();
	rig_append(&rig, 1, "a", 1, 10);
	ck_assert(rig_run_idle(&rig, 10000));
	kafka_read(mock.brokers, "alerts", 1, &got);
	ck_assert_uint_eq(got.n, 1);
	ck_assert_str_eq(got.v[0].key, "00000001-2222-3333-4444-555555555555:a");
	ck_assert_str_eq(got.v[0].headers, "tenant=t1 tenant-id=00000001-2222-3333-4444-555555555555 "
	    "customer=t1 stream=alerts event-kind=new event-id=00000001-2222-3333-4444-555555555555/"
	    "alert:a/2023-11-14T22:13:20.0000001Z format=ocsf format-version=1.8.0 "
	    "content-type=application/json instance= ");
	ck_assert_int_eq(got.v[0].value[0], '{');
	ck_assert_int_eq(got.v[0].value[got.v[0].len - 1], '}');
	ck_assert_ptr_nonnull(strstr(got.v[0].value, "\"class_uid\":2004"));
	kafka_read_release(&got);
}
END_TEST

/* Each format, as a receiver tells them apart. */
static const struct {
	const char *format, *begins, *headers;
} formats_cases[] = {
	{ "cef", "CEF:0|", "format=cef format-version=0 content-type=text/plain" },
	{ "leef", "LEEF:2.0|", "format=leef format-version=2.0 content-type=text/plain" },
	{ "ecs", "{", "format=ecs format-version=8.17.0 content-type=application/json" },
	{ "raw", "{\"msspd\":", "format=raw format-version=1 content-type=application/json" },
};

START_TEST(test_formats)
{
	struct kafka_read got;

	conf.format = (char *)formats_cases[_i].format;
	begin();
	rig_append(&rig, 1, "a", 1, 10);
	ck_assert(rig_run_idle(&rig, 10000));
	kafka_read(mock.brokers, "alerts", 1, &got);
	ck_assert_uint_eq(got.n, 1);
	ck_assert_ptr_nonnull(strstr(got.v[0].headers, formats_cases[_i].headers));
	ck_assert_int_eq(strncmp(got.v[0].value, formats_cases[_i].begins,
	    strlen(formats_cases[_i].begins)), 0);
	kafka_read_release(&got);
}
END_TEST

START_TEST(test_topics)
{
	conf.topic = (char *)"of {tenant}/{stream}";
	begin();
	for (size_t i = 0; i < RIG_TENANTS; i++)
		rig_append_many(&rig, i, "a", 7, 100);
	ck_assert(rig_run_idle(&rig, 10000));
	check_topic("of_t0_alerts", 100, 7, true);
	check_topic("of_t2_alerts", 100, 7, true);
}
END_TEST

/* A queue of librdkafka's that is far too small only makes it slower. */
START_TEST(test_small_queue)
{
	property("queue.buffering.max.messages", "10");
	property("linger.ms", "1");
	begin();
	rig_append_many(&rig, 0, "a", 7, 300);
	ck_assert(rig_run_idle(&rig, 20000));
	check_topic("alerts", 300, 7, true);
}
END_TEST

/* What is longer than a message may be loses its least useful parts. */
START_TEST(test_long)
{
	struct kafka_read got;

	property("message.max.bytes", "4000");
	begin();
	rig_append(&rig, 0, "a", 1, 100000);
	rig_append(&rig, 0, "b", 2, 10);
	ck_assert(rig_run_idle(&rig, 10000));
	ck_assert_uint_eq(rig_dead(&rig, "kafka"), 0);
	kafka_read(mock.brokers, "alerts", 2, &got);
	ck_assert_uint_eq(got.n, 2);
	ck_assert_uint_lt(got.v[0].len, 4000);
	kafka_read_release(&got);
}
END_TEST

START_TEST(test_too_long)
{
	char id[3000];

	memset(id, 'x', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	property("message.max.bytes", "2500");
	begin();
	rig_append(&rig, 0, id, 1, 10); /* which is in its key, and cannot be shortened */
	rig_append(&rig, 0, "b", 2, 10);
	ck_assert(rig_run_idle(&rig, 10000));
	ck_assert_uint_eq(rig_dead(&rig, "kafka"), 1);
	check_topic("alerts", 1, 1, true);
}
END_TEST

/* ---- errors of the brokers ----------------------------------------------------------- */

#define ERR(name) RD_KAFKA_RESP_ERR_##name
static const struct {
	const char *says;
	rd_kafka_resp_err_t code;
	size_t times;
	bool is_retried; /* by delivery: librdkafka does not do it by itself */
	size_t dead;
} answers[] = {
	{ "a leader that moved", ERR(NOT_LEADER_FOR_PARTITION), 2, false, 0 },
	{ "a broker that is slow", ERR(REQUEST_TIMED_OUT), 2, false, 0 },
	{ "too few replicas", ERR(NOT_ENOUGH_REPLICAS), 2, false, 0 },
	{ "too few replicas, found late", ERR(NOT_ENOUGH_REPLICAS_AFTER_APPEND), 1, false, 0 },
	{ "a coordinator that is not ready", ERR(COORDINATOR_LOAD_IN_PROGRESS), 1, false, 0 },
	{ "a broken disk", ERR(KAFKA_STORAGE_ERROR), 1, false, 0 },
	{ "a topic that is not there", ERR(UNKNOWN_TOPIC_OR_PART), 1, false, 0 },
	{ "a topic that is not ours", ERR(TOPIC_AUTHORIZATION_FAILED), 1, true, 0 },
	{ "a topic's name", ERR(TOPIC_EXCEPTION), 1, true, 0 },
	{ "a policy", ERR(POLICY_VIOLATION), 1, true, 0 },
	{ "an error that nobody knows", ERR(UNKNOWN), 1, true, 0 },
	{ "a batch that is too large: alone its entries are not", ERR(MSG_SIZE_TOO_LARGE), 1, true, 0 },
	{ "an invalid batch: alone its entries are not", ERR(INVALID_RECORD), 1, true, 0 },
	{ "an entry that is too large", ERR(MSG_SIZE_TOO_LARGE), 2, true, 1 },
	{ "an invalid entry", ERR(INVALID_RECORD), 2, true, 1 },
	{ "a producer that is not known", ERR(UNKNOWN_PRODUCER_ID), 1, false, 0 },
	{ "numbers out of order", ERR(OUT_OF_ORDER_SEQUENCE_NUMBER), 1, false, 0 },
	{ "a producer of before", ERR(INVALID_PRODUCER_EPOCH), 1, false, 0 },
};

START_TEST(test_answer)
{
	struct delivery_figures f;

	begin();
	ck_assert(rig_run(&rig, 5000, is_up, NULL));
	rig_append(&rig, 0, "first", 1, 10);
	ck_assert(rig_run_idle(&rig, 5000));
	for (size_t i = 0; i < answers[_i].times; i++)
		rd_kafka_mock_push_request_errors(mock.cluster, PRODUCE, 1, answers[_i].code);
	rig_append(&rig, 0, "a", 2, 10);
	ck_assert_msg(rig_run_idle(&rig, 20000), "%s: %s", answers[_i].says,
	    rig_figures(&rig, "kafka").trouble);
	f = rig_figures(&rig, "kafka");
	ck_assert_msg(rig_dead(&rig, "kafka") == answers[_i].dead, "%s: dead", answers[_i].says);
	ck_assert_msg((f.retried > 0) == answers[_i].is_retried, "%s: retried %llu", answers[_i].says,
	    (unsigned long long)f.retried);
	check_topic("alerts", 2 - answers[_i].dead, 1, false);
}
END_TEST

/* Of a batch that is refused for one of its entries the others arrive. */
START_TEST(test_one_of_many)
{
	begin();
	ck_assert(rig_run(&rig, 5000, is_up, NULL));
	rd_kafka_mock_push_request_errors(mock.cluster, PRODUCE, 4, ERR(MSG_SIZE_TOO_LARGE),
	    ERR(MSG_SIZE_TOO_LARGE), ERR(MSG_SIZE_TOO_LARGE), ERR(MSG_SIZE_TOO_LARGE));
	rig_append_many(&rig, 0, "a", 50, 200);
	ck_assert(rig_run_idle(&rig, 30000));
	ck_assert_uint_le(rig_dead(&rig, "kafka"), 3);
	check_topic("alerts", 200 - rig_dead(&rig, "kafka"), 50, false);
}
END_TEST

/* ---- a topic that takes nothing ------------------------------------------------------ */

static const struct {
	const char *says;
	rd_kafka_resp_err_t code;
} topic_errors[] = {
	{ "is not there", ERR(UNKNOWN_TOPIC_OR_PART) },
	{ "is not ours", ERR(TOPIC_AUTHORIZATION_FAILED) },
	{ "has no leader", ERR(LEADER_NOT_AVAILABLE) },
};

static bool
are_others_done(void *arg)
{
	(void)arg;
	return rig_figures(&rig, "kafka").accepted == 1000 && rig_backlog(&rig, "kafka") == 1000;
}

START_TEST(test_topic)
{
	conf.topic = (char *)"{tenant}";
	property("topic.metadata.propagation.max.ms", "500");
	property("message.timeout.ms", "2000");
	rd_kafka_mock_topic_set_error(mock.cluster, "t0", topic_errors[_i].code);
	begin();
	ck_assert(rig_run(&rig, 5000, is_up, NULL));
	rig_append_many(&rig, 0, "a", 500, 1000);
	rig_append_many(&rig, 1, "a", 7, 500);
	rig_append_many(&rig, 2, "a", 7, 500);
	ck_assert_msg(rig_run(&rig, 60000, are_others_done, NULL), "%s", topic_errors[_i].says);
	check_topic("t1", 500, 7, true);
	ck_assert_uint_eq(rig_backlog(&rig, "kafka"), 1000);
	ck_assert_int_eq(rig_figures(&rig, "kafka").link, SINK_UP);
	rd_kafka_mock_topic_set_error(mock.cluster, "t0", RD_KAFKA_RESP_ERR_NO_ERROR);
	ck_assert_msg(rig_run_idle(&rig, 60000), "%s", topic_errors[_i].says);
	check_topic("t0", 1000, 500, false);
}
END_TEST

/* ---- the link ------------------------------------------------------------------------ */

START_TEST(test_no_broker)
{
	static char nowhere[] = "127.0.0.1:1";

	brokers[0] = nowhere;
	begin();
	rig_append(&rig, 0, "a", 1, 10);
	rig_run(&rig, 3500, NULL, NULL);
	ck_assert_int_eq(rig_figures(&rig, "kafka").link, SINK_DOWN);
	ck_assert_ptr_nonnull(strstr(rig_figures(&rig, "kafka").trouble, "refused"));
	ck_assert_uint_eq(rig_backlog(&rig, "kafka"), 1);
	ck_assert_uint_eq(rig_figures(&rig, "kafka").retried, 0);
}
END_TEST

START_TEST(test_broker_goes)
{
	begin();
	rig_append_many(&rig, 0, "a", 7, 100);
	ck_assert(rig_run_idle(&rig, 5000));
	rd_kafka_mock_broker_set_down(mock.cluster, 1);
	rig_append_many(&rig, 0, "b", 7, 100);
	ck_assert(rig_run(&rig, 15000, is_down, NULL));
	rig_run(&rig, 3000, NULL, NULL);
	ck_assert_uint_eq(rig_backlog(&rig, "kafka"), 100);
	ck_assert_uint_eq(rig_figures(&rig, "kafka").retried, 0);
	ck_assert_str_ne(rig_figures(&rig, "kafka").trouble, "");
	rd_kafka_mock_broker_set_up(mock.cluster, 1);
	ck_assert(rig_run_idle(&rig, 20000));
	check_topic("alerts", 200, 7, false);
}
END_TEST

/* A broker that is back soon is no trouble at all, and nothing comes twice. */
START_TEST(test_broker_blinks)
{
	begin();
	rig_append_many(&rig, 0, "a", 7, 100);
	ck_assert(rig_run_idle(&rig, 5000));
	rd_kafka_mock_broker_set_down(mock.cluster, 1);
	rig_append_many(&rig, 0, "b", 7, 100);
	ck_assert(!rig_run(&rig, 1000, is_down, NULL));
	rd_kafka_mock_broker_set_up(mock.cluster, 1);
	ck_assert(rig_run_idle(&rig, 10000));
	ck_assert_uint_eq(rig_figures(&rig, "kafka").retried, 0);
	check_topic("alerts", 200, 7, true);
}
END_TEST

/* The same where nothing is to be sent that would show that the broker is back. */
START_TEST(test_idle_blink)
{
	begin();
	rig_append_many(&rig, 0, "a", 7, 100);
	ck_assert(rig_run_idle(&rig, 5000));
	rd_kafka_mock_broker_set_down(mock.cluster, 1);
	rig_run(&rig, 1000, NULL, NULL);
	rd_kafka_mock_broker_set_up(mock.cluster, 1);
	ck_assert_msg(!rig_run(&rig, 8000, is_down, NULL), "%s", rig_figures(&rig, "kafka").trouble);
	rig_append_many(&rig, 0, "b", 7, 100);
	ck_assert(rig_run_idle(&rig, 10000));
	check_topic("alerts", 200, 7, true);
}
END_TEST

/* And a broker that stays away is missed though nothing is to be sent. */
START_TEST(test_idle_gone)
{
	begin();
	rig_append_many(&rig, 0, "a", 7, 100);
	ck_assert(rig_run_idle(&rig, 5000));
	rd_kafka_mock_broker_set_down(mock.cluster, 1);
	ck_assert(rig_run(&rig, 30000, is_down, NULL));
}
END_TEST

/* Sent, and no answer in time: a new producer sends all of it again. */
START_TEST(test_no_answer)
{
	property("message.timeout.ms", "1500");
	property("socket.timeout.ms", "1000");
	begin();
	rig_append_many(&rig, 0, "a", 7, 100);
	ck_assert(rig_run_idle(&rig, 5000));
	rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 4000);
	rig_append_many(&rig, 0, "b", 7, 100);
	ck_assert(rig_run(&rig, 30000, is_down, NULL));
	ck_assert_ptr_nonnull(strstr(rig_figures(&rig, "kafka").trouble, "_MSG_TIMED_OUT"));
	ck_assert_uint_eq(rig_figures(&rig, "kafka").retried, 0);
	rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
	ck_assert(rig_run_idle(&rig, 30000));
	check_topic("alerts", 200, 7, false);
}
END_TEST

/* An idempotent producer that the brokers do not know any more can send nothing: a new one sends all of it. */
START_TEST(test_fatal)
{
	begin();
	rig_append_many(&rig, 0, "a", 7, 100);
	ck_assert(rig_run_idle(&rig, 10000));
	rd_kafka_mock_push_request_errors(mock.cluster, PRODUCE, 2, ERR(OUT_OF_ORDER_SEQUENCE_NUMBER),
	    ERR(OUT_OF_ORDER_SEQUENCE_NUMBER));
	rig_append_many(&rig, 0, "b", 7, 700);
	ck_assert(rig_run(&rig, 30000, is_down, NULL));
	ck_assert(rig_run_idle(&rig, 30000));
	ck_assert_uint_eq(rig_dead(&rig, "kafka"), 0);
	ck_assert_uint_eq(rig_figures(&rig, "kafka").retried, 0);
	check_topic("alerts", 800, 7, false);
}
END_TEST

static bool
are_under_way(void *arg)
{
	(void)arg;
	return rig_figures(&rig, "kafka").in_flight == 50;
}

static bool
is_nothing_left(void *arg)
{
	(void)arg;
	return rig_backlog(&rig, "kafka") == 0;
}

START_TEST(test_stop)
{
	property("linger.ms", "300");
	begin();
	rig_append_many(&rig, 0, "a", 7, 50);
	ck_assert(rig_run(&rig, 30000, are_under_way, NULL));
	ck_assert(rig_stop(&rig, 30000));
	ck_assert(rig_run(&rig, 30000, is_nothing_left, NULL));
	check_topic("alerts", 50, 7, true);
}
END_TEST

/* No broker to be reached: stopping does not wait for one. */
START_TEST(test_stop_without)
{
	begin();
	ck_assert(rig_run(&rig, 5000, is_up, NULL));
	rd_kafka_mock_broker_set_down(mock.cluster, 1);
	rig_append_many(&rig, 0, "a", 7, 100);
	rig_run(&rig, 300, NULL, NULL);
	ck_assert(rig_stop(&rig, 500));
	ck_assert_uint_eq(rig_backlog(&rig, "kafka"), 100);
}
END_TEST

START_TEST(test_refresh)
{
	static char *files[] = { (char *)"/tmp/check_sink_kafka.none" };
	char path[] = "/tmp/check_sink_kafka.XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_eq(write(fd, "secret\n", 7), 7);
	close(fd);
	files[0] = path;
	conf.username = (char *)"user";
	conf.password_file = (struct conf_list) { .v = files, .n = 1 };
	property("security.protocol", "plaintext"); /* the mock knows no SASL */
	begin();
	rig_append_many(&rig, 0, "a", 7, 100);
	ck_assert(rig_run(&rig, 5000, is_up, NULL));
	delivery_refresh(rig.delivery);
	rig_append_many(&rig, 0, "b", 7, 100);
	ck_assert(rig_run_idle(&rig, 10000));
	check_topic("alerts", 200, 7, true);
	unlink(path);
}
END_TEST

/* Its file cannot be read any more: said, and tried again. */
START_TEST(test_no_secret)
{
	static char *files[] = { (char *)"/nowhere/password" };

	conf.username = (char *)"user";
	conf.password_file = (struct conf_list) { .v = files, .n = 1 };
	begin();
	rig_append(&rig, 0, "a", 1, 10);
	rig_run(&rig, 300, NULL, NULL);
	ck_assert_int_eq(rig_figures(&rig, "kafka").link, SINK_DOWN);
	ck_assert_ptr_nonnull(strstr(rig_figures(&rig, "kafka").trouble, "/nowhere/password"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sink_kafka");
	TCase *tc = tcase_create("sink_kafka");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_arrives);
	tcase_add_test(tc, test_message);
	tcase_add_loop_test(tc, test_formats, 0, ARRAY_LEN(formats_cases));
	tcase_add_test(tc, test_topics);
	tcase_add_test(tc, test_small_queue);
	tcase_add_test(tc, test_long);
	tcase_add_test(tc, test_too_long);
	tcase_add_loop_test(tc, test_answer, 0, ARRAY_LEN(answers));
	tcase_add_test(tc, test_one_of_many);
	tcase_add_loop_test(tc, test_topic, 0, ARRAY_LEN(topic_errors));
	tcase_add_test(tc, test_no_broker);
	tcase_add_test(tc, test_broker_goes);
	tcase_add_test(tc, test_broker_blinks);
	tcase_add_test(tc, test_idle_blink);
	tcase_add_test(tc, test_idle_gone);
	tcase_add_test(tc, test_no_answer);
	tcase_add_test(tc, test_fatal);
	tcase_add_test(tc, test_stop);
	tcase_add_test(tc, test_stop_without);
	tcase_add_test(tc, test_refresh);
	tcase_add_test(tc, test_no_secret);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
