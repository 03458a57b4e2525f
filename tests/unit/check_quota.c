/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "lib/policy/quota.h"

static const struct {
	const char *text;
	bool ok;
	unsigned n;
	int64_t per_ms;
} texts[] = {
	{ "60/h", true, 60, 3600000 },
	{ "5/10m", true, 5, 600000 },
	{ "1/s", true, 1, 1000 },
	{ "1000/1h30m", true, 1000, 5400000 },
	{ "none", true, 0, 0 },
	{ "0/h", false, 0, 0 },
	{ "1001/h", false, 0, 0 },
	{ "60", false, 0, 0 },
	{ "60/", false, 0, 0 },
	{ "60/10ms", false, 0, 0 },
	{ "60/8d", false, 0, 0 },
	{ "-1/h", false, 0, 0 },
	{ " 6/h", false, 0, 0 },
	{ "60/hour", false, 0, 0 },
	{ "", false, 0, 0 },
};

START_TEST(test_parse)
{
	struct quota_limit limit;
	struct err err;

	ck_assert_int_eq(quota_parse(texts[_i].text, &limit, &err), texts[_i].ok);
	if (!texts[_i].ok)
		return;
	ck_assert_uint_eq(limit.n, texts[_i].n);
	ck_assert_int_eq(limit.per_ms, texts[_i].per_ms);
}
END_TEST

/* Asked once each step_ms for a while: how many go out alone, and how many digests there are of the rest. */
static const struct {
	const char *says, *limit;
	int64_t step_ms, for_ms;
	unsigned alone, digests;
} storms[] = {
	{ "a quiet hour is within the limit", "60/h", 70000, 3600000, 52, 0 },
	{ "of a storm nine tenths go alone, the rest in digests", "60/h", 1000, 3600000, 54, 6 },
	{ "and again in the next hour", "60/h", 1000, 7200000, 108, 12 },
	{ "one has room for one of each", "1/h", 1000, 3600000, 1, 1 },
	{ "two: one alone, one digest", "2/h", 1000, 3600000, 1, 1 },
	{ "no limit, no digest", "none", 10, 10000, 1000, 0 },
};

START_TEST(test_storm)
{
	const int64_t begin = INT64_C(1800000000000); /* a full hour */
	struct quota q = { .n = 0 };
	struct quota_limit limit;
	struct err err;
	unsigned alone = 0, digests = 0;
	int64_t due = 0;

	ck_assert(quota_parse(storms[_i].limit, &limit, &err));
	for (int64_t t = begin; t < begin + storms[_i].for_ms; t += storms[_i].step_ms) {
		if (quota_take(&q, &limit, t)) {
			alone++;
			continue;
		}
		ck_assert_int_gt(quota_due(&limit, t), t);
		digests += quota_due(&limit, t) != due;
		due = quota_due(&limit, t);
	}
	quota_release(&q);
	ck_assert_msg(alone == storms[_i].alone && digests == storms[_i].digests, "%s: %u and %u",
	    storms[_i].says, alone, digests);
}
END_TEST

START_TEST(test_take_back_and_a_clock_set_back)
{
	const struct quota_limit limit = { .n = 3, .per_ms = 1000 };
	struct quota q = { .n = 0 };

	ck_assert(quota_take(&q, &limit, 5000));
	ck_assert(quota_take(&q, &limit, 5000));
	ck_assert(!quota_take(&q, &limit, 5500));
	quota_give_back(&q);
	ck_assert(quota_take(&q, &limit, 5500));
	ck_assert(!quota_take(&q, &limit, 5600));
	ck_assert_msg(quota_take(&q, &limit, 100), "those of the future do not count");
	quota_release(&q);
}
END_TEST

START_TEST(test_next)
{
	ck_assert_int_eq(quota_next(900000, 0), 900000);
	ck_assert_int_eq(quota_next(900000, 899999), 900000);
	ck_assert_int_eq(quota_next(900000, 900000), 1800000);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("quota");
	TCase *tc = tcase_create("quota");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_parse, 0, (int)ARRAY_LEN(texts));
	tcase_add_loop_test(tc, test_storm, 0, (int)ARRAY_LEN(storms));
	tcase_add_test(tc, test_take_back_and_a_clock_set_back);
	tcase_add_test(tc, test_next);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
