/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <event2/event.h>
#include <stdlib.h>

#include "daemon/intake/scheduler.h"
#include "daemon/loop.h"

#define MIB ((size_t)1 << 20)

static struct event_base *base;
static struct loop *loop;
static struct scheduler s;
static struct place *started[1000];
static size_t nstarted;

static void
on_start(struct place *p)
{
	started[nstarted++] = p;
}

static void
setup(void)
{
	base = event_base_new();
	loop = loop_new(base);
	scheduler_init(&s, loop, on_start);
	scheduler_resize(&s, 64);
	s.max_bytes = 12 * MIB;
	nstarted = 0;
}

static void
teardown(void)
{
	scheduler_release(&s);
	loop_free(loop);
	event_base_free(base);
}

static void
turn(void)
{
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Its page came, was stored and is gone. */
static void
finish(struct place *p)
{
	size_t held = p->held;

	scheduler_hand_over(&s, p, held);
	scheduler_leave(&s, p);
	scheduler_give_back(&s, held);
}

/* Slow ones found out while they are out: a quarter stays, others leave while somebody waits. */
START_TEST(test_turns_out_slow)
{
	static struct place p[100];
	size_t kept = 0;

	for (int i = 0; i < 64; i++)
		scheduler_ask(&s, &p[i], LANE_DUE);
	turn();
	ck_assert_uint_eq(nstarted, 64);
	for (int i = 0; i < 64; i++)
		ck_assert(scheduler_keeps_slow(&s, &p[i])); /* nobody waits */
	for (int i = 64; i < 100; i++)
		scheduler_ask(&s, &p[i], LANE_SWEEP);
	for (int i = 0; i < 64; i++) {
		bool keeps = scheduler_keeps_slow(&s, &p[i]);

		kept += keeps;
		if (keeps)
			continue;
		scheduler_leave(&s, &p[i]);
		scheduler_ask(&s, &p[i], LANE_DUE);
		turn();
	}
	ck_assert_uint_eq(kept, 16 + 12); /* then the other 36 had places */
	ck_assert_uint_eq(nstarted, 100);
	ck_assert_uint_eq(s.out, 64);
	ck_assert_uint_eq(s.out_slow, 16);
	for (int i = 0; i < 100; i++)
		scheduler_leave(&s, &p[i]);
	ck_assert_uint_eq(s.out, 0);
	ck_assert_uint_eq(s.out_slow, 0);
}
END_TEST

START_TEST(test_lanes)
{
	struct place p[3] = { { .expected = 1 }, { .expected = 1 }, { .expected = 1 } };

	scheduler_resize(&s, 1);
	scheduler_ask(&s, &p[0], LANE_SWEEP);
	scheduler_ask(&s, &p[1], LANE_MORE);
	scheduler_ask(&s, &p[2], LANE_DUE);
	for (size_t i = 0; i < 3; i++) {
		turn();
		ck_assert_uint_eq(nstarted, i + 1);
		ck_assert_ptr_eq(started[i], &p[2 - i]);
		finish(started[i]);
	}
}
END_TEST

/* Where there are always more who are due than places, a backlog still goes on; sweeps do not. */
START_TEST(test_a_backlog_goes_on_behind_more_than_can_be_served)
{
	struct place due[4] = { { .expected = 1 }, { .expected = 1 }, { .expected = 1 },
		{ .expected = 1 } };
	struct place more = { .expected = 1 }, sweep = { .expected = 1 };
	size_t of_due = 0;

	scheduler_resize(&s, 1);
	scheduler_ask(&s, &more, LANE_MORE);
	scheduler_ask(&s, &sweep, LANE_SWEEP);
	for (size_t i = 0; i < 4; i++)
		scheduler_ask(&s, &due[i], LANE_DUE);
	for (size_t k = 0; k < 40; k++) {
		struct place *p;

		turn();
		p = started[nstarted - 1];
		of_due += p->lane == LANE_DUE;
		ck_assert_ptr_ne(p, &sweep);
		finish(p);
		scheduler_ask(&s, p, p->lane);
	}
	ck_assert_uint_eq(of_due, 30);
}
END_TEST

/* Smaller pages that always find some room do not keep a large one waiting for ever. */
START_TEST(test_a_large_page_gets_its_turn)
{
	struct place large = { .expected = 10 * MIB }, small[8];
	bool is_started = false;

	for (size_t i = 0; i < 8; i++) {
		small[i] = (struct place) { .expected = MIB };
		scheduler_ask(&s, &small[i], LANE_DUE);
	}
	turn();
	scheduler_ask(&s, &large, LANE_DUE);
	for (size_t k = 0; k < 600 && !is_started; k++) {
		struct place *p = &small[k % 8];

		/* Others are under way whenever one is over and asks again. */
		if (p->is_out) {
			finish(p);
			scheduler_ask(&s, p, LANE_DUE);
		}
		turn();
		is_started = large.is_out;
	}
	ck_assert(is_started);
	ck_assert_uint_le(s.bytes, s.max_bytes + large.expected);
	ck_assert_msg(scheduler_grow(&s, &large, 11 * MIB), "it is not sent back again");
	finish(&large);
	turn();
	for (size_t i = 0; i < 8; i++)
		ck_assert_msg(small[i].is_out, "%zu goes on", i);
}
END_TEST

/* One that is larger than all that may be held comes alone. */
START_TEST(test_a_page_larger_than_all_waits_for_none_left)
{
	struct place huge = { .expected = 100 * MIB }, small = { .expected = MIB };

	scheduler_ask(&s, &small, LANE_DUE);
	turn();
	scheduler_ask(&s, &huge, LANE_DUE);
	turn();
	ck_assert(!huge.is_out);
	finish(&small);
	turn();
	ck_assert(huge.is_out);
	finish(&huge);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scheduler");
	TCase *tc = tcase_create("scheduler");
	SRunner *sr = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_turns_out_slow);
	tcase_add_test(tc, test_lanes);
	tcase_add_test(tc, test_a_backlog_goes_on_behind_more_than_can_be_served);
	tcase_add_test(tc, test_a_large_page_gets_its_turn);
	tcase_add_test(tc, test_a_page_larger_than_all_waits_for_none_left);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
