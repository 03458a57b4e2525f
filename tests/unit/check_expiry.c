/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "lib/base/ticks.h"
#include "lib/policy/expiry.h"

static int64_t
at(const char *text)
{
	int64_t t;

	ck_assert(ticks_parse(str_of(text), &t));
	return t;
}

static const struct {
	const char *says, *now;
	enum expiry_stage stage;
	int64_t days;
} cases[] = {
	{ "a year ahead nothing is told", "2026-03-01T00:00:00Z", EXPIRY_FAR, 365 },
	{ "just before the month", "2027-01-29T23:59:59Z", EXPIRY_FAR, 31 },
	{ "30 days ahead", "2027-01-30T00:00:00Z", EXPIRY_MONTH, 30 },
	{ "8 days are still the month", "2027-02-21T00:00:00Z", EXPIRY_MONTH, 8 },
	{ "7 days ahead", "2027-02-22T00:00:00Z", EXPIRY_WEEK, 7 },
	{ "25 hours are two begun days", "2027-02-27T23:00:00Z", EXPIRY_WEEK, 2 },
	{ "the last day", "2027-02-28T00:00:00Z", EXPIRY_DAY, 1 },
	{ "the last second", "2027-02-28T23:59:59Z", EXPIRY_DAY, 1 },
	{ "over", "2027-03-01T00:00:00Z", EXPIRY_OVER, 0 },
	{ "long over", "2031-03-01T00:00:00Z", EXPIRY_OVER, 0 },
};

START_TEST(test_stage)
{
	int64_t now = at(cases[_i].now), ends = at("2027-03-01T00:00:00Z");

	ck_assert_msg(expiry_stage(now, ends) == cases[_i].stage, "%s", cases[_i].says);
	ck_assert_msg(expiry_days(now, ends) == cases[_i].days, "%s: %lld days", cases[_i].says,
	    (long long)expiry_days(now, ends));
}
END_TEST

START_TEST(test_never)
{
	ck_assert_int_eq(expiry_stage(at("2027-03-01T00:00:00Z"), 0), EXPIRY_FAR);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("expiry");
	TCase *tc = tcase_create("stages");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_stage, 0, ARRAY_LEN(cases));
	tcase_add_test(tc, test_never);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
