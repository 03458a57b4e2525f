/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "lib/base/ticks.h"
#include "lib/policy/retry_after.h"

#define SERVER "Sun, 06 Nov 1994 08:49:37 GMT"

static const struct {
	const char *says, *value;
	int64_t want_ms;
} waits[] = {
	{ "seconds", "17", 17000 },
	{ "seconds among spaces", " \t17 ", 17000 },
	{ "a fraction rounds up", "1.2", 2000 },
	{ "zero waits the smallest time", "0", 1000 },
	{ "negative waits the smallest time", "-30", 1000 },
	{ "the largest", "3600", 3600000 },
	{ "above the largest", "3601", 3600000 },
	{ "seconds that overflow 64 bits", "99999999999999999999999999", 3600000 },
	{ "a date counts from the server's Date", "Sun, 06 Nov 1994 08:50:07 GMT", 30000 },
	{ "a date in the past", "Sun, 06 Nov 1994 08:49:00 GMT", 1000 },
	{ "a date in another century", "Fri, 06 Nov 2099 08:49:00 GMT", 3600000 },
	{ "RFC 850 date", "Sunday, 06-Nov-94 08:49:57 GMT", 20000 },
	{ "asctime date", "Sun Nov  6 08:49:57 1994", 20000 },
	{ "nothing", "", -1 },
	{ "only a sign", "-", -1 },
	{ "words", "soon", -1 },
	{ "seconds with a unit", "10s", -1 },
	{ "no such month", "Sun, 06 Nuv 1994 08:50:07 GMT", -1 },
	{ "no such day", "Sun, 31 Nov 1994 08:50:07 GMT", -1 },
	{ "text behind a date", "Sun, 06 Nov 1994 08:50:07 GMT+1", -1 },
	{ "a date cut short", "Sun, 06 Nov 1994 08:50:0", -1 },
};

START_TEST(test_wait)
{
	int64_t date = http_date(STR(SERVER));
	int64_t got = retry_after_ms(str_of(waits[_i].value), date, 0);

	ck_assert_msg(got == waits[_i].want_ms, "%s: got %lld", waits[_i].says, (long long)got);
}
END_TEST

static const struct {
	const char *says, *text, *want; /* want: RFC 3339, or NULL */
} dates[] = {
	{ "IMF-fixdate", "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z" },
	{ "RFC 850 of the last century", "Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z" },
	{ "RFC 850 of this century", "Sunday, 22-Nov-26 08:49:37 GMT", "2026-11-22T08:49:37Z" },
	{ "asctime, one digit", "Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z" },
	{ "asctime, two digits", "Sun Nov 16 08:49:37 1994", "1994-11-16T08:49:37Z" },
	{ "a leap day", "Thu, 29 Feb 2024 00:00:00 GMT", "2024-02-29T00:00:00Z" },
	{ "not a leap year", "Wed, 29 Feb 2023 00:00:00 GMT", NULL },
	{ "hour 24", "Sun, 06 Nov 1994 24:49:37 GMT", NULL },
	{ "another zone", "Sun, 06 Nov 1994 08:49:37 CET", NULL },
	{ "digits for a weekday", "123, 06 Nov 1994 08:49:37 GMT", NULL },
	{ "month at the very end", "Sun, 06 No", NULL },
	{ "a long text",
	    "Sunnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnday, 06-Nov-94 08:49:37 GMT",
	    NULL },
};

START_TEST(test_date)
{
	int64_t want = TICKS_NONE;

	if (dates[_i].want != NULL)
		ck_assert(ticks_parse(str_of(dates[_i].want), &want));
	ck_assert_msg(http_date(str_of(dates[_i].text)) == want, "%s", dates[_i].says);
}
END_TEST

START_TEST(test_no_server_date)
{
	int64_t now = http_date(STR("Sun, 06 Nov 1994 08:49:00 GMT"));

	ck_assert_int_eq(retry_after_ms(STR(SERVER), TICKS_NONE, now), 37000);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("retry_after");
	TCase *tc = tcase_create("retry_after");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_wait, 0, ARRAY_LEN(waits));
	tcase_add_loop_test(tc, test_date, 0, ARRAY_LEN(dates));
	tcase_add_test(tc, test_no_server_date);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
