/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/delivery/sink_kafka_topics.h"

/* How much of a topic may be on its way; sizes in bytes, one entry at a time. */

#define MAX   1000
#define BURST 400

static struct kafka_topics topics;
static struct kafka_topic *a, *b;

static void
set_up(void)
{
	kafka_topics_init(&topics, MAX, BURST);
	a = kafka_topics_get(&topics, STR("a"));
	b = kafka_topics_get(&topics, STR("b"));
	(void)kafka_topic_worked(a);
	(void)kafka_topic_worked(b);
}

static void
tear_down(void)
{
	kafka_topics_reset(&topics);
	kafka_topics_release(&topics);
}

static void
send_n(struct kafka_topic *t, int n, size_t bytes, int64_t now)
{
	for (int i = 0; i < n; i++)
		kafka_topics_sent(&topics, t, bytes, now);
}

START_TEST(test_a_burst_is_filled_and_then_waited_for)
{
	send_n(a, 3, 100, 0);
	ck_assert_int_eq(kafka_topics_room(&topics, a, 0), KAFKA_ROOM);
	kafka_topics_back(&topics, a, 100, 0);
	ck_assert_int_eq(kafka_topics_room(&topics, a, 0), KAFKA_ROOM);
	send_n(a, 2, 100, 0);
	ck_assert_int_eq(kafka_topics_room(&topics, a, 0), KAFKA_ROOM_SOON);
	ck_assert_msg(kafka_topics_room(&topics, b, 0) == KAFKA_ROOM, "others go on");
	for (int i = 0; i < 3; i++) {
		kafka_topics_back(&topics, a, 100, 200);
		ck_assert_int_eq(kafka_topics_room(&topics, a, 400), KAFKA_ROOM_SOON);
	}
	kafka_topics_back(&topics, a, 100, 200);
	ck_assert_int_eq(kafka_topics_room(&topics, a, 400), KAFKA_ROOM);
}
END_TEST

/* One partition without a leader: what is on its way there comes back much later. */
START_TEST(test_a_burst_that_is_stuck_is_not_waited_for)
{
	send_n(a, 4, 100, 0);
	kafka_topics_back(&topics, a, 100, 100);
	ck_assert_int_eq(kafka_topics_room(&topics, a, 349), KAFKA_ROOM_SOON);
	ck_assert_int_eq(kafka_topics_room(&topics, a, 350), KAFKA_ROOM);
	send_n(a, 2, 100, 350);
	ck_assert_msg(kafka_topics_room(&topics, a, 350) == KAFKA_ROOM_SOON, "half of all is the most");
}
END_TEST

START_TEST(test_an_entry_longer_than_a_burst_goes)
{
	send_n(a, 1, 450, 0);
	ck_assert_int_eq(kafka_topics_room(&topics, a, 0), KAFKA_ROOM_SOON);
	kafka_topics_back(&topics, a, 450, 0);
	ck_assert_int_eq(kafka_topics_room(&topics, a, 0), KAFKA_ROOM);
}
END_TEST

START_TEST(test_a_new_producer_begins_anew)
{
	send_n(a, 4, 100, 0);
	kafka_topics_reset(&topics);
	ck_assert_int_eq(kafka_topics_room(&topics, a, 0), KAFKA_ROOM);
	send_n(a, 64, 1, 0);
	ck_assert_msg(kafka_topics_room(&topics, a, 0) == KAFKA_ROOM_SOON, "unproven again");
}
END_TEST

START_TEST(test_what_does_not_answer_holds_no_other_back)
{
	send_n(a, 5, 100, 0);
	ck_assert_int_eq(kafka_topics_room(&topics, a, 5000), KAFKA_ROOM_SOON);
	ck_assert_int_eq(kafka_topics_room(&topics, a, 5001), KAFKA_ROOM_LATER);
	ck_assert_int_eq(kafka_topics_room(&topics, b, 5001), KAFKA_ROOM);
}
END_TEST

START_TEST(test_one_that_failed_is_tried_with_one_entry)
{
	ck_assert(kafka_topic_failed(a, "gone", 0, 0));
	ck_assert_int_eq(kafka_topics_room(&topics, a, a->again_at - 1), KAFKA_ROOM_LATER);
	ck_assert_int_eq(kafka_topics_room(&topics, a, a->again_at), KAFKA_ROOM);
	send_n(a, 1, 100, a->again_at);
	ck_assert_int_eq(kafka_topics_room(&topics, a, a->again_at), KAFKA_ROOM_LATER);
	ck_assert(kafka_topic_worked(a));
	ck_assert_int_eq(kafka_topics_room(&topics, a, a->again_at), KAFKA_ROOM);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("kafka_topics");
	TCase *tc = tcase_create("room");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_a_burst_is_filled_and_then_waited_for);
	tcase_add_test(tc, test_a_burst_that_is_stuck_is_not_waited_for);
	tcase_add_test(tc, test_an_entry_longer_than_a_burst_goes);
	tcase_add_test(tc, test_a_new_producer_begins_anew);
	tcase_add_test(tc, test_what_does_not_answer_holds_no_other_back);
	tcase_add_test(tc, test_one_that_failed_is_tried_with_one_entry);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
