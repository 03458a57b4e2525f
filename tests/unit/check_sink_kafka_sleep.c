/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/delivery/sink_kafka_conf.h"
#include "lib/config/conf.h"
#include "tests/unit/kafka_mock.h"
#include "tests/unit/rig.h"
#include "tests/unit/sleeper.h"

/* The machine sleeps while a Kafka sink is connected: who is on the way may forget the connections, and
 * librdkafka, whose clock stood still, would wait a minute for answers that never come. */

#define PRODUCE  0 /* Kafka's number of the request */
#define HOUR_MS  INT64_C(3600000)
#define NEVER_MS 600000 /* until such an answer comes */
#define LIMIT_MS 30000  /* never a wait, and less than librdkafka's own patience */

static struct rig rig;
static struct kafka_mock mock;
static struct arena arena;
static struct sink_kafka_conf conf;
static char *brokers[1];
static void
setup(void)
{
	struct problems problems;
	const struct conf c = { .arena = &arena, .problems = &problems };

	rig_init(&rig);
	slept_ms = 0;
	rig.env.clock = &sleeper;
	kafka_mock_init(&mock, 1);
	arena_init(&arena);
	problems_init(&problems);
	conf = (struct sink_kafka_conf){ 0 };
	(void)conf_fill_one(&c, NULL, sink_kafka.opts, &conf);
	problems_release(&problems);
	brokers[0] = mock.brokers;
	conf.brokers = (struct conf_list){ .v = brokers, .n = 1 };
	conf.topic = (char *)"alerts";
	rig_sink(&rig, "kafka", &sink_kafka, &conf, "kafka");
	rig_apply(&rig);
	rig_append_many(&rig, 0, "a", 7, 100);
	ck_assert(rig_run_idle(&rig, LIMIT_MS));
}

static void
teardown(void)
{
	rig_release(&rig);
	kafka_mock_release(&mock);
	arena_release(&arena);
}

static bool
are_under_way(void *arg)
{
	return rig_figures(&rig, "kafka").in_flight >= *(size_t *)arg;
}

static bool
is_down(void *arg)
{
	(void)arg;
	return rig_figures(&rig, "kafka").link != SINK_UP;
}

static void
check_topic(size_t n, bool is_once)
{
	struct kafka_read got;

	kafka_read(mock.brokers, "alerts", n, &got);
	ck_assert_uint_eq(kafka_read_ids(&got), n);
	if (is_once)
		ck_assert_uint_eq(got.n, n);
	kafka_read_check_order(&got, 7);
	kafka_read_release(&got);
}

/* What was under way goes again, over connections that are new; before, none of it counts as accepted. */
START_TEST(test_answers_that_never_come)
{
	size_t n = 100;

	rd_kafka_mock_broker_set_rtt(mock.cluster, 1, NEVER_MS);
	rig_append_many(&rig, 0, "b", 7, n);
	ck_assert(rig_run(&rig, LIMIT_MS, are_under_way, &n));
	slept_ms += HOUR_MS;
	ck_assert_uint_eq(rig_figures(&rig, "kafka").accepted, 100);
	rig_append_many(&rig, 0, "c", 7, 100);
	ck_assert(rig_run(&rig, LIMIT_MS, is_down, NULL));
	rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
	ck_assert(rig_run_idle(&rig, LIMIT_MS));
	ck_assert_uint_eq(rig_figures(&rig, "kafka").accepted, 300);
	ck_assert_uint_eq(rig_figures(&rig, "kafka").retried, 0);
	check_topic(300, false);
}
END_TEST

/* Answers that were on their way when it fell asleep count, and nothing comes twice. */
START_TEST(test_answers_that_come)
{
	size_t n = 100;

	rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 1000);
	rig_append_many(&rig, 0, "b", 7, n);
	ck_assert(rig_run(&rig, LIMIT_MS, are_under_way, &n));
	slept_ms += HOUR_MS;
	rd_kafka_mock_broker_set_rtt(mock.cluster, 1, 0);
	ck_assert(rig_run(&rig, LIMIT_MS, is_down, NULL));
	ck_assert(rig_run_idle(&rig, LIMIT_MS));
	ck_assert_str_eq(rig_figures(&rig, "kafka").trouble, "");
	check_topic(200, true);
}
END_TEST

/* With nothing on its way: at once, and without a word of trouble. 0: before anybody looked. */
START_TEST(test_idle)
{
	slept_ms += HOUR_MS;
	if (_i == 0)
		rig_append_many(&rig, 0, "b", 7, 100);
	ck_assert(rig_run(&rig, LIMIT_MS, is_down, NULL));
	if (_i == 1)
		rig_append_many(&rig, 0, "b", 7, 100);
	ck_assert(rig_run_idle(&rig, LIMIT_MS));
	ck_assert_str_eq(rig_figures(&rig, "kafka").trouble, "");
	check_topic(200, true);
}
END_TEST

/* A busy machine is none that slept. */
START_TEST(test_short)
{
	for (int i = 0; i < 3; i++) {
		slept_ms += 2000;
		ck_assert(!rig_run(&rig, 1200, is_down, NULL));
	}
}
END_TEST

/* Some answers come after it woke, others never: the first do not make it wait for the others. */
START_TEST(test_some_answers_come)
{
	uint64_t accepted;
	size_t n = 100;

	rd_kafka_mock_broker_push_request_error_rtts(mock.cluster, 1, PRODUCE, 2,
	    RD_KAFKA_RESP_ERR_NO_ERROR, 4000, RD_KAFKA_RESP_ERR_NO_ERROR, NEVER_MS);
	rig_append_many(&rig, 0, "b", 7, n);
	ck_assert(rig_run(&rig, LIMIT_MS, are_under_way, &n));
	rig_run(&rig, 500, NULL, NULL);
	rig_append_many(&rig, 0, "c", 7, n);
	n = 200;
	ck_assert(rig_run(&rig, LIMIT_MS, are_under_way, &n));
	rig_run(&rig, 500, NULL, NULL);
	slept_ms += HOUR_MS;
	ck_assert(rig_run(&rig, LIMIT_MS, is_down, NULL));
	accepted = rig_figures(&rig, "kafka").accepted;
	ck_assert_uint_gt(accepted, 100);
	ck_assert_uint_lt(accepted, 300);
	ck_assert(rig_run_idle(&rig, LIMIT_MS));
	ck_assert_uint_eq(rig_figures(&rig, "kafka").accepted, 300);
	check_topic(300, false);
}
END_TEST

/* The sink goes while what slept is waited for. */
START_TEST(test_stopped_meanwhile)
{
	size_t n = 100;

	rd_kafka_mock_broker_set_rtt(mock.cluster, 1, NEVER_MS);
	rig_append_many(&rig, 0, "b", 7, n);
	ck_assert(rig_run(&rig, LIMIT_MS, are_under_way, &n));
	slept_ms += HOUR_MS;
	rig_run(&rig, 1500, NULL, NULL);
	ck_assert(rig_stop(&rig, 500));
	ck_assert_uint_eq(rig_backlog(&rig, "kafka"), 100);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sink_kafka_sleep");
	TCase *tc = tcase_create("sink_kafka_sleep");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_answers_that_never_come);
	tcase_add_test(tc, test_answers_that_come);
	tcase_add_loop_test(tc, test_idle, 0, 2);
	tcase_add_test(tc, test_short);
	tcase_add_test(tc, test_some_answers_come);
	tcase_add_test(tc, test_stopped_meanwhile);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
