/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <event2/event.h>
#include <stdlib.h>

#include "daemon/intake/cap.h"
#include "daemon/loop.h"

/* A clock that stands still until it is turned. */
struct turned_clock {
	struct clock clock;
	int64_t ms;
};

static int64_t
turned_mono(const struct clock *c)
{
	return ((const struct turned_clock *)c)->ms;
}

static struct turned_clock now = { .clock = { .mono = turned_mono }, .ms = 1000 };
static struct engine_env env;
static struct scheduler s;
static struct cap cap;
static struct place places[600];
static struct place *started[600];
static size_t nstarted;

static void
on_start(struct place *p)
{
	started[nstarted++] = p;
	scheduler_leave(&s, p);
}

static void
setup(void)
{
	env.base = event_base_new();
	env.clock = &now.clock;
	env.loop = loop_new(env.base);
	env.timers = timers_new(NULL, &now.clock);
	scheduler_init(&s, env.loop, on_start);
	scheduler_resize(&s, 64);
	cap_init(&cap, &env, &s);
}

static void
teardown(void)
{
	cap_release(&cap);
	scheduler_release(&s);
	timers_free(env.timers);
	loop_free(env.loop);
	event_base_free(env.base);
}

static void
turn(int64_t ms)
{
	for (int64_t end = now.ms + ms; now.ms <= end; now.ms += 10) {
		(void)timers_run(env.timers);
		(void)event_base_loop(env.base, EVLOOP_NONBLOCK);
	}
}

static void
ask(size_t from, size_t n, enum lane lane)
{
	for (size_t i = from; i < from + n; i++)
		scheduler_ask(&s, &places[i], lane);
}

START_TEST(test_without_one_nothing_waits)
{
	cap_configure(&cap, 0);
	ask(0, 600, LANE_DUE);
	turn(0);
	ck_assert_uint_eq(nstarted, 600);
}
END_TEST

/* In no minute more than that, and all of it where it is wanted. */
START_TEST(test_a_minute)
{
	cap_configure(&cap, 200);
	ask(0, 600, LANE_DUE);
	turn(0);
	ck_assert_uint_eq(nstarted, 20);
	turn(30000);
	ck_assert_uint_ge(nstarted, 105);
	ck_assert_uint_le(nstarted, 112);
	turn(30000);
	ck_assert_uint_ge(nstarted, 195);
	ck_assert_uint_le(nstarted, 201);
	turn(180000);
	ck_assert_uint_eq(nstarted, 600);
}
END_TEST

/* Who is due goes before backlogs, but for one start in four, and before sweeps, whoever asked first;
 * nobody loses a turn. */
START_TEST(test_who_is_due_goes_first)
{
	size_t due = 0, more = 0;

	cap_configure(&cap, 100);
	ask(0, 100, LANE_SWEEP);
	ask(100, 100, LANE_MORE);
	turn(0);
	ck_assert_uint_eq(nstarted, 10);
	ask(200, 40, LANE_DUE);
	turn(40000);
	for (size_t i = 10; i < nstarted && due < 40; i++) {
		size_t place = (size_t)(started[i] - places);

		ck_assert_msg(place == 200 + due || (place >= 100 && place < 200), "%zu", i);
		due += place >= 200;
		more += place < 200;
	}
	ck_assert_uint_eq(due, 40);
	ck_assert_uint_ge(more, 13);
	ck_assert_uint_le(more, 14);
	turn(180000);
	ck_assert_uint_eq(nstarted, 240);
	ck_assert_ptr_eq(started[239], &places[99]);
}
END_TEST

START_TEST(test_a_reload_changes_it)
{
	cap_configure(&cap, 100);
	ask(0, 600, LANE_DUE);
	turn(6000);
	ck_assert_uint_le(nstarted, 20);
	cap_configure(&cap, 1000);
	turn(6000);
	ck_assert_uint_ge(nstarted, 90);
	ck_assert_uint_le(nstarted, 200);
	cap_configure(&cap, 0);
	turn(0);
	ck_assert_uint_eq(nstarted, 600);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("cap");
	TCase *tc = tcase_create("cap");
	SRunner *sr = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_without_one_nothing_waits);
	tcase_add_test(tc, test_a_minute);
	tcase_add_test(tc, test_who_is_due_goes_first);
	tcase_add_test(tc, test_a_reload_changes_it);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
