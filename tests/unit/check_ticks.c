/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/ticks.h"

#define NO INT64_MIN

static const struct {
	const char *says, *text;
	int64_t want; /* NO: no time */
} cases[] = {
	{ "the beginning", "1970-01-01T00:00:00Z", 0 },
	{ "one tick", "1970-01-01T00:00:00.0000001Z", 1 },
	{ "fewer digits count from the left", "1970-01-01T00:00:00.5Z", 5000000 },
	{ "an eighth digit is cut", "1970-01-01T00:00:00.00000019Z", 1 },
	{ "as many digits as one likes", "1970-01-01T00:00:00.123456789012345678901234567890Z",
	    1234567 },
	{ "before the beginning", "1969-12-31T23:59:59.9999999Z", -1 },
	{ "as Graph writes it", "2026-11-22T04:10:46.09Z", INT64_C(17953206460900000) },
	{ "an offset to the east is earlier", "1970-01-01T02:00:00+02:00", 0 },
	{ "an offset to the west is later", "1969-12-31T18:30:00-05:30", 0 },
	{ "lower case and a space", "1970-01-01 00:00:01z", 10000000 },
	{ "a leap second is the last tick of the minute", "1970-01-01T00:00:60Z", 599999999 },
	{ "its fraction does not count", "1970-01-01T00:00:60.5Z", 599999999 },
	{ "a leap day", "2024-02-29T00:00:00Z", INT64_C(17091648000000000) },
	{ "the year 2000 had one", "2000-02-29T00:00:00Z", INT64_C(9517824000000000) },
	{ "the first time", "0001-01-01T00:00:00Z", INT64_C(-621355968000000000) },
	{ "the last time", "9999-12-31T23:59:59.9999999Z", INT64_C(2534023007999999999) },
	{ "before the first", "0001-01-01T00:00:00+00:01", NO },
	{ "after the last", "9999-12-31T23:59:59-00:01", NO },
	{ "no leap day", "2023-02-29T00:00:00Z", NO },
	{ "1900 had none", "1900-02-29T00:00:00Z", NO },
	{ "month 13", "2023-13-01T00:00:00Z", NO },
	{ "month 0", "2023-00-01T00:00:00Z", NO },
	{ "day 0", "2023-01-00T00:00:00Z", NO },
	{ "day 31 of April", "2023-04-31T00:00:00Z", NO },
	{ "hour 24", "2023-01-01T24:00:00Z", NO },
	{ "minute 60", "2023-01-01T00:60:00Z", NO },
	{ "second 61", "2023-01-01T00:00:61Z", NO },
	{ "year 0", "0000-01-01T00:00:00Z", NO },
	{ "no zone", "2023-01-01T00:00:00", NO },
	{ "no fraction behind the point", "2023-01-01T00:00:00.Z", NO },
	{ "a comma", "2023-01-01T00:00:00,5Z", NO },
	{ "an offset without a colon", "2023-01-01T00:00:00+0200", NO },
	{ "an offset of hours", "2023-01-01T00:00:00+02", NO },
	{ "an offset of 24 hours", "2023-01-01T00:00:00+24:00", NO },
	{ "something behind", "2023-01-01T00:00:00Zx", NO },
	{ "something before", " 2023-01-01T00:00:00Z", NO },
	{ "a sign in digits", "2023-+1-01T00:00:00Z", NO },
	{ "short", "2023-01-01", NO },
	{ "empty", "", NO },
};

START_TEST(test_parse)
{
	int64_t got = NO;
	bool ok = ticks_parse(str_of(cases[_i].text), &got);

	ck_assert_msg(ok == (cases[_i].want != NO), "%s", cases[_i].says);
	if (ok)
		ck_assert_msg(got == cases[_i].want, "%s: %lld", cases[_i].says, (long long)got);
}
END_TEST

START_TEST(test_absent)
{
	int64_t ticks;

	ck_assert(!ticks_parse((struct str){ NULL, 0 }, &ticks));
	ck_assert(ticks_parse(STR("0001-01-01T00:00:00Z"), &ticks));
	ck_assert(ticks_is_sentinel(ticks));
	ck_assert(!ticks_is_sentinel(ticks + 1));
}
END_TEST

static const char *const written[] = { "2026-11-22T04:10:46Z", "2026-11-22T04:10:46.9Z",
	"2026-11-22T04:10:46.98Z", "2026-11-22T04:10:46.987Z", "2026-11-22T04:10:46.9876Z",
	"2026-11-22T04:10:46.98765Z", "2026-11-22T04:10:46.987654Z", "2026-11-22T04:10:46.9876543Z",
	"2026-11-22T04:10:46.9876543Z" };

START_TEST(test_write)
{
	struct buf b = BUF_INIT(100);

	ticks_write(&b, INT64_C(17953206469876543), (unsigned)_i);
	ck_assert_str_eq(b.p, written[_i]);
	buf_release(&b);
}
END_TEST

static const struct {
	int64_t ticks, ms, sec;
} divisions[] = {
	{ 0, 0, 0 },
	{ 9999, 0, 0 },
	{ 10000, 1, 0 },
	{ -1, -1, -1 },
	{ -10000, -1, -1 },
	{ -10001, -2, -1 },
	{ 10000000, 1000, 1 },
	{ -10000000, -1000, -1 },
	{ -10000001, -1001, -2 },
};

START_TEST(test_divide)
{
	ck_assert_int_eq(ticks_to_ms(divisions[_i].ticks), divisions[_i].ms);
	ck_assert_int_eq(ticks_to_sec(divisions[_i].ticks), divisions[_i].sec);
	ck_assert_int_eq(ticks_from_ms(divisions[_i].ms) / TICKS_MS, divisions[_i].ms);
}
END_TEST

/* The C library as the second opinion, through 2,000 years. */
START_TEST(test_date)
{
	for (int64_t t = -INT64_C(30000000000); t < INT64_C(33000000000); t += 5000011) {
		time_t at = (time_t)t;
		struct ticks_date d;
		struct tm tm;

		gmtime_r(&at, &tm);
		ticks_date(t * TICKS_SEC + 7, &d);
		ck_assert_int_eq(d.year, tm.tm_year + 1900);
		ck_assert_uint_eq(d.month, (unsigned)tm.tm_mon + 1);
		ck_assert_uint_eq(d.day, (unsigned)tm.tm_mday);
		ck_assert_uint_eq(d.hour, (unsigned)tm.tm_hour);
		ck_assert_uint_eq(d.minute, (unsigned)tm.tm_min);
		ck_assert_uint_eq(d.second, (unsigned)tm.tm_sec);
		ck_assert_uint_eq(d.fraction, 7);
	}
}
END_TEST

/* Nothing that a number can be is undefined. */
START_TEST(test_extremes)
{
	static const int64_t extremes[] = { INT64_MIN, INT64_MIN + 1, INT64_MAX };

	for (size_t i = 0; i < ARRAY_LEN(extremes); i++) {
		struct buf b = BUF_INIT(100);

		ticks_write(&b, extremes[i], 7);
		ck_assert_uint_eq(b.n, 28);
		buf_release(&b);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ticks");
	TCase *tc = tcase_create("ticks");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_parse, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_absent);
	tcase_add_loop_test(tc, test_write, 0, (int)ARRAY_LEN(written));
	tcase_add_loop_test(tc, test_divide, 0, (int)ARRAY_LEN(divisions));
	tcase_add_test(tc, test_date);
	tcase_add_test(tc, test_extremes);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
