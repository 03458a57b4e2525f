/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "lib/policy/budget.h"
#include "lib/policy/spread.h"

static const struct {
	const char *says;
	int64_t per_span, span_ms;
	unsigned reserve;
	int64_t ms;          /* asked again and again for so long */
	int64_t least, most; /* requests granted */
} cases[] = {
	{ "Graph's 150 a minute are not passed", 150, BUDGET_MINUTE, 0, 60000, 145, 150 },
	{ "nor ten times that in ten minutes", 150, BUDGET_MINUTE, 0, 600000, 1350, 1365 },
	{ "the burst is a tenth", 150, BUDGET_MINUTE, 0, 0, 15, 15 },
	{ "a reserve leaves some of it", 150, BUDGET_MINUTE, 50, 0, 7, 8 },
	{ "all of the burst reserved: one by one", 150, BUDGET_MINUTE, 100, 0, 1, 1 },
	{ "a reserve does not slow the flow", 150, BUDGET_MINUTE, 50, 60000, 138, 143 },
	{ "one a minute", 1, BUDGET_MINUTE, 0, 600000, 10, 11 },
	{ "two a minute", 2, BUDGET_MINUTE, 0, 60000, 1, 2 },
	{ "1500 an hour, beside it", 1500, BUDGET_HOUR, 0, 3600000, 1490, 1500 },
	{ "of which few come at once", 1500, BUDGET_HOUR, 0, 60000, 172, 173 },
	{ "ten thousand a minute", 10000, BUDGET_MINUTE, 0, 60000, 9990, 10000 },
};

START_TEST(test_granted)
{
	struct budget b;
	int64_t now = 5000, end = now + cases[_i].ms, granted = 0, wait;

	budget_init(&b, cases[_i].per_span, cases[_i].span_ms, now);
	while (now <= end) {
		wait = budget_take(&b, cases[_i].reserve, now);
		granted += wait == 0;
		ck_assert_int_ge(wait, 0);
		now += wait;
		if (wait == 0 && granted > 100000)
			break;
	}
	ck_assert_msg(granted >= cases[_i].least && granted <= cases[_i].most, "%s: %d",
	    cases[_i].says, (int)granted);
}
END_TEST

/* Ended and started again every minute, and asked for as much as there is. */
START_TEST(test_restarts_do_not_pass_it)
{
	struct budget b;
	int64_t started = 0, remembered = 0, wait;
	int granted = 0;

	budget_init(&b, 1500, BUDGET_HOUR, 0);
	for (int64_t now = 0; now < 3600000; now += wait) {
		if (now - started >= 60000) {
			remembered = now + budget_full_in(&b, now);
			budget_init(&b, 1500, BUDGET_HOUR, now);
			budget_resume(&b, remembered - now);
			started = now;
		}
		wait = budget_take(&b, 0, now);
		granted += wait == 0;
	}
	ck_assert_int_le(granted, 1500);
	ck_assert_int_ge(granted, 1480);
	budget_init(&b, 1500, BUDGET_HOUR, 0);
	budget_resume(&b, INT64_C(1) << 60); /* a clock that went back: empty, no more */
	ck_assert_int_lt(budget_wait(&b, 0, 0), 3000);
	budget_init(&b, 1500, BUDGET_HOUR, 0);
	budget_resume(&b, -5);
	ck_assert_int_eq(budget_full_in(&b, 0), 0);
}
END_TEST

START_TEST(test_change_holds_at_once)
{
	struct budget b;
	int granted = 0;

	budget_init(&b, 1000, BUDGET_MINUTE, 0);
	budget_change(&b, 10, 0);
	while (budget_take(&b, 0, 0) == 0)
		granted++;
	ck_assert_int_eq(granted, 1);
	budget_change(&b, 1000, 0);
	ck_assert_int_gt(budget_take(&b, 0, 0), 0);
}
END_TEST

START_TEST(test_a_day_of_silence_is_one_burst)
{
	struct budget b;
	int granted = 0;

	budget_init(&b, 150, BUDGET_MINUTE, 0);
	while (budget_take(&b, 0, 0) == 0)
		continue;
	while (budget_take(&b, 0, INT64_C(86400000)) == 0)
		granted++;
	ck_assert_int_eq(granted, 15);
}
END_TEST

static const struct {
	const char *says;
	uint64_t hash;
	int64_t interval, now, want;
} points[] = {
	{ "at his offset", 7, 100, 0, 7 },
	{ "after now, never at it", 7, 100, 7, 107 },
	{ "does not drift", 7, 100, 110, 207 },
	{ "missed ones are passed over", 7, 100, 5099, 5107 },
	{ "a large hash", UINT64_MAX, 100, 0, 15 },
	{ "offset nought", 0, 100, 0, 100 },
};

START_TEST(test_points)
{
	int64_t got = spread_next(points[_i].hash, points[_i].interval, points[_i].now);

	ck_assert_msg(got == points[_i].want, "%s: %d", points[_i].says, (int)got);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("budget");
	TCase *tc = tcase_create("budget");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_granted, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_restarts_do_not_pass_it);
	tcase_add_test(tc, test_change_holds_at_once);
	tcase_add_test(tc, test_a_day_of_silence_is_one_burst);
	tcase_add_loop_test(tc, test_points, 0, (int)ARRAY_LEN(points));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
