/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/hush.h"

START_TEST(test_few_are_said)
{
	struct hush h = { 0 };
	unsigned kept;

	for (int64_t now = 0; now < 3600 * 1000; now += 4000) {
		ck_assert(hush_allows(&h, now, &kept));
		ck_assert_uint_eq(kept, 0);
	}
}
END_TEST

/* What goes on for an hour is some lines, and nothing is uncounted. */
START_TEST(test_long_storm)
{
	struct hush h = { 0 };
	unsigned lines = 0, kept, counted = 0, n = 0;

	for (int64_t now = 1; now < 3600 * 1000; now += 100, n++) {
		if (!hush_allows(&h, now, &kept))
			continue;
		lines++;
		counted += 1 + kept;
	}
	ck_assert_uint_ge(lines, 10);
	ck_assert_uint_le(lines, 20);
	ck_assert_uint_eq(counted + h.kept, n);
	for (int64_t now = 10 * 3600 * 1000; now < 10 * 3600 * 1000 + 15000; now += 5000)
		ck_assert(hush_allows(&h, now, &kept)); /* it is over, and new trouble is told */
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("hush");
	TCase *tc = tcase_create("hush");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, test_few_are_said);
	tcase_add_test(tc, test_long_storm);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
