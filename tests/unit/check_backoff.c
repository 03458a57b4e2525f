/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "lib/policy/backoff.h"

static const struct {
	const char *says;
	unsigned tries;
	int64_t hint, want;
} cases[] = {
	{ "the first failure waits the base", 1, 0, 2000 },
	{ "no failure yet waits no longer", 0, 0, 2000 },
	{ "each further failure doubles", 4, 0, 16000 },
	{ "the last step below the cap", 8, 0, 256000 },
	{ "never longer than the cap", 9, 0, 300000 },
	{ "also after very many", 4000000000u, 0, 300000 },
	{ "a longer hint wins", 1, 120000, 120000 },
	{ "a shorter one does not", 6, 5000, 64000 },
	{ "a hint may exceed the cap", 1, 900000, 900000 },
};

START_TEST(test_delay)
{
	int64_t got = backoff_delay(cases[_i].tries, 2000, 300000, cases[_i].hint);

	ck_assert_msg(got == cases[_i].want, "%s: got %lld", cases[_i].says, (long long)got);
}
END_TEST

START_TEST(test_base_over_cap)
{
	ck_assert_int_eq(backoff_delay(1, 9000, 5000, 0), 5000);
}
END_TEST

static const struct {
	const char *says;
	int64_t delay;
	uint32_t random;
	int64_t want;
} jitters[] = {
	{ "nothing added at 0", 1000, 0, 1000 },
	{ "half of a fifth in the middle", 1000, 0x80000000u, 1100 },
	{ "just below a fifth at the most", 1000, 0xffffffffu, 1199 },
	{ "no delay stays none", 0, 0xffffffffu, 0 },
	{ "a day", 86400000, 0xffffffffu, 103679999 },
};

START_TEST(test_jitter)
{
	int64_t got = backoff_jitter(jitters[_i].delay, jitters[_i].random);

	ck_assert_msg(got == jitters[_i].want, "%s: got %lld", jitters[_i].says, (long long)got);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("backoff");
	TCase *tc = tcase_create("backoff");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_delay, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_base_over_cap);
	tcase_add_loop_test(tc, test_jitter, 0, (int)ARRAY_LEN(jitters));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
