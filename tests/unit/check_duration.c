/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/duration.h"

static const struct {
	int64_t sec;
	const char *want;
} cases[] = {
	{ 0, "0 s" },
	{ 119, "119 s" },
	{ 120, "2 min" },
	{ 7199, "119 min" },
	{ 7200, "2 h" },
	{ 172799, "47 h" },
	{ 172800, "2 d" },
	{ INT64_MAX, "106751991167300 d" },
	{ -5, "-5 s" },
};

START_TEST(test_duration)
{
	struct buf out = BUF_INIT(64);

	duration_write(&out, cases[_i].sec);
	ck_assert_str_eq(out.p, cases[_i].want);
	buf_release(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("duration");
	TCase *tc = tcase_create("duration");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_duration, 0, (int)ARRAY_LEN(cases));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
