/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/str.h"
#include "lib/policy/outage.h"
#include "lib/policy/steady.h"

#define SETTLE 60
enum { W, A, B }; /* well, two ways of being ill */

/*
 * A story: "W" and the others say what is seen each ten seconds (upper case);
 * what is told, in order, is the second text.
 */
static const struct {
	const char *says, *seen, *told;
} stories[] = {
	{ "well is told when it lasts", "WWWWWW", "" },
	{ "… and once", "WWWWWWWWWWWWWWWWWWWWWWWW", "W" },
	{ "ill for a moment is told to nobody", "WWWWWWWAAAWWWWWWWWWWWWW", "W" },
	{ "ill for long is told once", "WWWWWWWAAAAAAAAAAAAAAAAA", "WA" },
	{ "ill at the first look is told, too", "AAAAAAAAAAAA", "A" },
	{ "one trouble after the other is ill all the time", "WWWWWWWABABABABABAB", "WA" },
	{ "another trouble that lasts is told", "AAAAAAAAABBBBBBBBBBB", "AB" },
	{ "… but not when it passes", "AAAAAAAAABBBAAAAAAAA", "A" },
	{ "well for a moment is told to nobody", "AAAAAAAAWWAAAAAAAAAAAA", "A" },
	{ "well again", "AAAAAAAAWWWWWWWWW", "AW" },
	{ "flapping faster than it settles tells nothing", "WWWWWWWAWAWAWAWAWAWAWAW", "W" },
};

static void
play(struct steady *s, const char *seen, int64_t *now, char *told)
{
	size_t n = strlen(told);

	for (; *seen != '\0'; seen++) {
		int state = *seen == 'W' ? W : *seen - 'A' + 1;

		if (steady_see(s, state, state != W, *now, SETTLE))
			told[n++] = *seen;
		told[n] = '\0';
		*now += 10;
	}
}

START_TEST(test_story)
{
	struct steady s;
	char told[64] = "";
	int64_t now = 1000;

	steady_init(&s);
	play(&s, stories[_i].seen, &now, told);
	ck_assert_msg(strcmp(told, stories[_i].told) == 0, "%s: told %s", stories[_i].says, told);
}
END_TEST

START_TEST(test_at_once)
{
	struct steady s;

	steady_init(&s);
	ck_assert(steady_see(&s, W, false, 0, 0));
	ck_assert(!steady_see(&s, W, false, 1, 0));
	ck_assert(steady_see(&s, A, true, 2, 0));
	ck_assert(steady_see(&s, W, false, 3, 0));
}
END_TEST

/* Two minutes ill, two minutes well, for a day: 720 changes. */
START_TEST(test_flapping_is_no_flood)
{
	struct steady s;
	unsigned told = 0, ill = 0;

	steady_init(&s);
	for (int64_t sec = 0; sec < 86400; sec += 5) {
		bool is_ill = sec / 120 % 2 == 1;

		told += steady_see(&s, is_ill, is_ill, sec * 1000, 60000);
		ill += is_ill;
	}
	ck_assert_uint_ge(told, 3);
	ck_assert_uint_lt(told, 12);
	/* It is called ill, and well in the end. */
	ck_assert(s.was_told_ill);
	for (int64_t sec = 86400; sec < 86400 + 3600 + 10; sec += 5)
		told += steady_see(&s, W, false, sec * 1000, 60000);
	ck_assert(!s.was_told_ill);
}
END_TEST

/* After hours without trouble it is called well as soon as ever. */
START_TEST(test_relapses_are_forgotten)
{
	struct steady s;
	int64_t now = 0;
	bool told = false;

	steady_init(&s);
	for (int i = 0; i < 6; i++) {
		for (int64_t end = now + 100000; now < end; now += 1000)
			(void)steady_see(&s, A, true, now, 60000);
		for (int64_t end = now + 4000000; now < end; now += 1000)
			(void)steady_see(&s, W, false, now, 60000);
	}
	ck_assert(!s.was_told_ill);
	for (int64_t end = now + 100000; now < end; now += 1000)
		(void)steady_see(&s, A, true, now, 60000);
	for (int64_t end = now + 62000; now < end; now += 1000)
		told |= steady_see(&s, W, false, now, 60000);
	ck_assert(told);
}
END_TEST

static const struct {
	const char *says;
	size_t fresh, all;
	bool begins;
} begins[] = {
	{ "one of one", 1, 1, false },
	{ "two of two", 2, 2, false },
	{ "three of three", 3, 3, true },
	{ "three of thirty are a tenth, not more", 3, 30, false },
	{ "four of thirty", 4, 30, true },
	{ "fifty of five hundred", 50, 500, false },
	{ "fifty-one of five hundred", 51, 500, true },
	{ "none of none", 0, 0, false },
};

START_TEST(test_begins)
{
	struct outage o = { .is_on = false };

	ck_assert_msg(outage_begins(&o, begins[_i].fresh, begins[_i].all) == begins[_i].begins,
	    "%s", begins[_i].says);
	ck_assert(o.is_on == begins[_i].begins);
	ck_assert(!outage_begins(&o, begins[_i].fresh, begins[_i].all) || !begins[_i].begins);
}
END_TEST

START_TEST(test_ends)
{
	struct outage o = { .is_on = false };

	ck_assert(!outage_ends(&o, 0, 100, 0));
	ck_assert(outage_begins(&o, 20, 100));
	ck_assert(!outage_ends(&o, 60, 100, 1000));
	ck_assert_uint_eq(o.most, 60);
	ck_assert(!outage_ends(&o, 5, 100, 2000));
	ck_assert(!outage_ends(&o, 30, 100, 3000)); /* it comes back */
	ck_assert(!outage_ends(&o, 5, 100, 4000));
	ck_assert(!outage_ends(&o, 5, 100, 3999 + OUTAGE_TAIL_MS));
	ck_assert(outage_ends(&o, 5, 100, 4000 + OUTAGE_TAIL_MS));
	ck_assert_uint_eq(o.most, 60);
	ck_assert(!outage_ends(&o, 5, 100, 5000 + OUTAGE_TAIL_MS)); /* once */
	ck_assert(outage_begins(&o, 20, 100));
	ck_assert(outage_ends(&o, 0, 100, 0)); /* nobody is left */
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("steady");
	TCase *tc = tcase_create("steady");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_story, 0, ARRAY_LEN(stories));
	tcase_add_test(tc, test_at_once);
	tcase_add_test(tc, test_flapping_is_no_flood);
	tcase_add_test(tc, test_relapses_are_forgotten);
	tcase_add_loop_test(tc, test_begins, 0, ARRAY_LEN(begins));
	tcase_add_test(tc, test_ends);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
