/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/delivery/pace.h"

static struct pace p;

static void
barren(unsigned links, size_t in_doubt)
{
	for (unsigned i = 0; i < links; i++)
		pace_barren(&p, in_doubt);
}

START_TEST(test_accidents_do_not_slow)
{
	pace_init(&p);
	barren(2, 1000);
	ck_assert_uint_eq(pace_room(&p, 100000), PACE_ANY);
	pace_accepted(&p);
	barren(2, 1000);
	ck_assert_uint_eq(pace_room(&p, 100000), PACE_ANY);
}
END_TEST

START_TEST(test_idle_links_tell_nothing)
{
	pace_init(&p);
	barren(100, 0);
	ck_assert_uint_eq(pace_room(&p, 0), PACE_ANY);
}
END_TEST

START_TEST(test_halves_down_to_one)
{
	size_t room = 1000;

	pace_init(&p);
	barren(2, room);
	while (room > 1) {
		pace_barren(&p, room);
		ck_assert_uint_eq(pace_room(&p, 0), room / 2);
		ck_assert_uint_eq(pace_room(&p, room / 2), 0);
		ck_assert_uint_eq(pace_room(&p, room), 0);
		room /= 2;
	}
	pace_barren(&p, 1);
	ck_assert_uint_eq(pace_room(&p, 0), 1);
}
END_TEST

START_TEST(test_grows_with_what_is_accepted)
{
	pace_init(&p);
	barren(10, 1);
	for (size_t want = 4; want < PACE_ANY; want *= 4) {
		pace_accepted(&p);
		ck_assert_uint_eq(pace_room(&p, 0), want);
	}
	pace_accepted(&p);
	ck_assert_uint_eq(pace_room(&p, PACE_ANY), PACE_ANY);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("pace");
	TCase *tc = tcase_create("pace");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, test_accidents_do_not_slow);
	tcase_add_test(tc, test_idle_links_tell_nothing);
	tcase_add_test(tc, test_halves_down_to_one);
	tcase_add_test(tc, test_grows_with_what_is_accepted);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
