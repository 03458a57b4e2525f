/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <event2/event.h>

#include "daemon/clock.h"
#include "daemon/timer.h"
#include "lib/base/str.h"
#include "lib/base/ticks.h"

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
static struct timers *ts;
static struct timer timers[300];
static char seen[64];

static void
note(void *arg)
{
	size_t n = strlen(seen);

	ck_assert_uint_lt(n + 1, sizeof(seen));
	seen[n] = *(const char *)arg;
	seen[n + 1] = '\0';
}

static void
setup(void)
{
	ts = timers_new(NULL, &now.clock);
}

static void
teardown(void)
{
	timers_free(ts);
}

static char names[] = "abcdef";

/* Timers a to f are set in this order, then the clock is turned. */
static const struct {
	const char *says;
	int64_t after[6]; /* -1: not set */
	int64_t turn;
	const char *want;
	int64_t next;
} cases[] = {
	{ "no timer: nothing to wait for", { -1, -1, -1, -1, -1, -1 }, 5, "", -1 },
	{ "not due yet: says how long", { 10, -1, -1, -1, -1, -1 }, 4, "", 6 },
	{ "due to the millisecond", { 10, 11, -1, -1, -1, -1 }, 10, "a", 1 },
	{ "zero is due at once", { 0, -1, -1, -1, -1, -1 }, 0, "a", -1 },
	{ "a negative time is zero, not before others", { 0, -7, -1, -1, -1, -1 }, 0, "ab", -1 },
	{ "in order of time, not of setting", { 30, 20, 10, 25, 5, 15 }, 40, "ecfbda", -1 },
	{ "equal times in order of setting", { 5, 5, 5, 5, 5, 5 }, 5, "abcdef", -1 },
	{ "for ever is not now", { INT64_MAX, 10, -1, -1, -1, -1 }, 20, "b", INT64_MAX / 2 - 20 },
	{ "only what is due", { 30, 20, 10, 25, 5, 15 }, 20, "ecfb", 5 },
};

START_TEST(test_cases)
{
	for (int i = 0; i < 6; i++) {
		timer_init(&timers[i], note, &names[i]);
		if (cases[_i].after[i] != -1)
			timer_set(ts, &timers[i], cases[_i].after[i]);
	}
	now.ms += cases[_i].turn;
	ck_assert_int_eq(timers_run(ts), cases[_i].next);
	ck_assert_msg(strcmp(seen, cases[_i].want) == 0, "%s: %s", cases[_i].says, seen);
}
END_TEST

START_TEST(test_set_again_moves)
{
	timer_init(&timers[0], note, &names[0]);
	timer_init(&timers[1], note, &names[1]);
	timer_set(ts, &timers[0], 10);
	timer_set(ts, &timers[1], 20);
	timer_set(ts, &timers[0], 30);
	now.ms += 30;
	(void)timers_run(ts);
	ck_assert_str_eq(seen, "ba");
}
END_TEST

START_TEST(test_unset)
{
	timer_init(&timers[0], note, &names[0]);
	timer_unset(ts, &timers[0]);
	timer_set(ts, &timers[0], 10);
	ck_assert(timer_is_set(&timers[0]));
	timer_unset(ts, &timers[0]);
	ck_assert(!timer_is_set(&timers[0]));
	now.ms += 30;
	ck_assert_int_eq(timers_run(ts), -1);
	ck_assert_str_eq(seen, "");
}
END_TEST

static void
set_again(void *arg)
{
	ck_assert(!timer_is_set(&timers[0]));
	timer_set(ts, &timers[0], 0);
	note(arg);
}

START_TEST(test_zero_in_a_callback_is_the_next_turn)
{
	timer_init(&timers[0], set_again, &names[0]);
	timer_set(ts, &timers[0], 0);
	ck_assert_int_eq(timers_run(ts), 0);
	ck_assert_str_eq(seen, "a");
	ck_assert_int_eq(timers_run(ts), 0);
	ck_assert_str_eq(seen, "aa");
}
END_TEST

static void
unset_others(void *arg)
{
	note(arg);
	timer_unset(ts, &timers[1]);
	timer_unset(ts, &timers[2]);
}

START_TEST(test_unset_of_others_in_a_callback)
{
	timer_init(&timers[0], unset_others, &names[0]);
	for (int i = 1; i < 4; i++)
		timer_init(&timers[i], note, &names[i]);
	for (int i = 0; i < 4; i++)
		timer_set(ts, &timers[i], 1);
	now.ms++;
	(void)timers_run(ts);
	ck_assert_str_eq(seen, "ad");
}
END_TEST

static int64_t last_at;
static unsigned ran;

static void
check_order(void *arg)
{
	struct timer *t = arg;

	ck_assert_int_ge(t->at, last_at);
	last_at = t->at;
	ran++;
}

/* A fixed pseudo-random mix of setting, moving and unsetting. */
START_TEST(test_heap_keeps_order)
{
	uint32_t rnd = 12345;
	unsigned left = 0;

	for (int i = 0; i < 300; i++)
		timer_init(&timers[i], check_order, &timers[i]);
	for (int i = 0; i < 5000; i++) {
		rnd = rnd * 1664525u + 1013904223u;
		if (rnd >> 30 == 0)
			timer_unset(ts, &timers[(rnd >> 8) % 300]);
		else
			timer_set(ts, &timers[(rnd >> 8) % 300], (rnd >> 12) % 1000);
	}
	for (int i = 0; i < 300; i++)
		left += timer_is_set(&timers[i]);
	while (timers_run(ts) >= 0)
		now.ms += 7;
	ck_assert_uint_gt(left, 100);
	ck_assert_uint_eq(ran, left);
}
END_TEST

static struct event_base *base;

static void
stop_loop(void *arg)
{
	note(arg);
	(void)event_base_loopbreak(base);
}

START_TEST(test_on_a_loop)
{
	struct timers *real;
	int64_t began = clock_mono(&clock_system);

	base = event_base_new();
	real = timers_new(base, &clock_system);
	timer_init(&timers[0], note, &names[0]);
	timer_init(&timers[1], stop_loop, &names[1]);
	timer_init(&timers[2], note, &names[2]);
	timer_set(real, &timers[1], 40);
	timer_set(real, &timers[0], 20);
	timer_set(real, &timers[2], 1);
	timer_unset(real, &timers[2]);
	event_base_dispatch(base);
	ck_assert_str_eq(seen, "ab");
	ck_assert_int_ge(clock_mono(&clock_system) - began, 40);
	timers_free(real);
	event_base_free(base);
}
END_TEST

START_TEST(test_system_clock)
{
	int64_t wall = clock_wall(&clock_system);

	ck_assert_int_gt(clock_mono(&clock_system), 0);
	ck_assert_int_lt(ticks_to_sec(wall) - (int64_t)time(NULL), 2);
	ck_assert_int_gt(ticks_to_sec(wall) - (int64_t)time(NULL), -2);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("timer");
	TCase *tc = tcase_create("timer");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_cases, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, test_set_again_moves);
	tcase_add_test(tc, test_unset);
	tcase_add_test(tc, test_zero_in_a_callback_is_the_next_turn);
	tcase_add_test(tc, test_unset_of_others_in_a_callback);
	tcase_add_test(tc, test_heap_keeps_order);
	tcase_add_test(tc, test_on_a_loop);
	tcase_add_test(tc, test_system_clock);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
