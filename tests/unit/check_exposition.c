/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/ops/exposition.h"
#include "daemon/ops/host.h"

/* ---- labels ------------------------------------------------------------------- */

static const struct {
	const char *says, *value, *want;
} labels[] = {
	{ "plain", "contoso", "a=\"contoso\"" },
	{ "empty", "", "a=\"\"" },
	{ "a quote is escaped", "a\"b", "a=\"a\\\"b\"" },
	{ "a backslash is escaped", "a\\", "a=\"a\\\\\"" },
	{ "a line end is escaped", "a\nb", "a=\"a\\nb\"" },
	{ "braces and commas are text", "},{x=\"1\"} 1", "a=\"},{x=\\\"1\\\"} 1\"" },
	{ "UTF-8 stays", "M\xc3\xbcller", "a=\"M\xc3\xbcller\"" },
	{ "what is not UTF-8 is replaced", "a\xff\xc3", "a=\"a\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "a surrogate is not UTF-8", "\xed\xa0\x80", "a=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
};

START_TEST(test_label)
{
	struct buf b = BUF_INIT(1000);

	exposition_label(&b, "a", labels[_i].value);
	ck_assert_msg(strcmp(buf_peek(&b).s, labels[_i].want) == 0, "%s: %s", labels[_i].says,
	    buf_peek(&b).s);
	buf_release(&b);
}
END_TEST

START_TEST(test_labels_are_parted)
{
	struct buf l = BUF_INIT(1000), b = BUF_INIT(1000);

	exposition_label(&l, "a", "1");
	exposition_label(&l, "b", "2");
	exposition_head(&b, "m_total", EXPOSITION_COUNTER, "What it is.");
	exposition_number(&b, "m_total", buf_peek(&l), 7);
	exposition_number(&b, "m_total", (struct str) { NULL, 0 }, -7);
	ck_assert_str_eq(b.p, "# HELP m_total What it is.\n# TYPE m_total counter\n"
	    "m_total{a=\"1\",b=\"2\"} 7\nm_total -7\n");
	buf_release(&l);
	buf_release(&b);
}
END_TEST

/* ---- numbers ---------------------------------------------------------------------- */

static const struct {
	int64_t value;
	const char *want;
} numbers[] = {
	{ 0, "m 0\n" }, { 1000, "m 1\n" }, { 1, "m 0.001\n" }, { 10, "m 0.01\n" },
	{ 100, "m 0.1\n" }, { 1234567, "m 1234.567\n" }, { -1, "m -0.001\n" },
	{ -1500, "m -1.5\n" }, { -86400000, "m -86400\n" }, { 1795356232630, "m 1795356232.63\n" },
};

START_TEST(test_thousandths)
{
	struct buf b = BUF_INIT(1000);

	exposition_thousandths(&b, "m", (struct str) { NULL, 0 }, numbers[_i].value);
	ck_assert_str_eq(b.p, numbers[_i].want);
	buf_release(&b);
}
END_TEST

static const struct {
	const char *says;
	int64_t ms;
	unsigned class;
} adds[] = {
	{ "nothing is in the first", 0, 0 },
	{ "less than nothing counts as nothing", -5000, 0 },
	{ "a bound belongs to its class", 50, 0 },
	{ "what is above it to the next", 51, 1 },
	{ "the last bound", 120000, HISTOGRAM_BOUNDS - 1 },
	{ "above all bounds", 120001, HISTOGRAM_BOUNDS },
	{ "far above", INT64_MAX / 2, HISTOGRAM_BOUNDS },
};

START_TEST(test_histogram_add)
{
	struct histogram h = { .bounds = &histogram_durations };

	histogram_add(&h, adds[_i].ms);
	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS; i++)
		ck_assert_msg(h.counts[i] == (i == adds[_i].class), "%s: %u", adds[_i].says, i);
	ck_assert_uint_eq(h.sum_ms, adds[_i].ms > 0 ? (uint64_t)adds[_i].ms : 0);
}
END_TEST

START_TEST(test_histogram_is_cumulative)
{
	struct histogram h = { .bounds = &histogram_delays };
	struct buf b = BUF_INIT(4000), l = BUF_INIT(100);

	histogram_add(&h, 500);
	histogram_add(&h, 7000);
	histogram_add(&h, 100000000);
	exposition_label(&l, "s", "x");
	exposition_histogram(&b, "d_seconds", buf_peek(&l), &h);
	ck_assert_ptr_nonnull(strstr(b.p, "d_seconds_bucket{s=\"x\",le=\"1\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(b.p, "d_seconds_bucket{s=\"x\",le=\"5\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(b.p, "d_seconds_bucket{s=\"x\",le=\"10\"} 2\n"));
	ck_assert_ptr_nonnull(strstr(b.p, "d_seconds_bucket{s=\"x\",le=\"86400\"} 2\n"));
	ck_assert_ptr_nonnull(strstr(b.p, "d_seconds_bucket{s=\"x\",le=\"+Inf\"} 3\n"));
	ck_assert_ptr_nonnull(strstr(b.p, "d_seconds_sum{s=\"x\"} 100007.5\n"));
	ck_assert_ptr_nonnull(strstr(b.p, "d_seconds_count{s=\"x\"} 3\n"));
	buf_release(&b);
	buf_release(&l);
}
END_TEST

/* ---- names that we may be asked by ------------------------------------------------- */

static const struct {
	const char *host;
	bool is_ours;
} hosts[] = {
	{ "127.0.0.1", true }, { "10.0.0.9", true }, { "[::1]", true }, { "[fe80::1]", true },
	{ "localhost", true }, { "LocalHost", true }, { "status.example", true },
	{ "Status.Example", true },
	{ "", false }, { "evil.example", false }, { "127.0.0.1.evil.example", false },
	{ "localhost.", false }, { "localhost.evil.example", false }, { "127.1", false },
	{ "2130706433", false }, { "0x7f.1", false }, { "[", false }, { "[]", false },
	{ "[127.0.0.1]", false }, { "::1", false }, { "xstatus.example", false },
	{ "status.example.evil", false }, { "1.2.3.4 ", false },
	{ "1111111111111111111111111111111111111111111111111111111111111111111.1.1.1", false },
};

START_TEST(test_host)
{
	char name[] = "status.example", *v[] = { name };
	struct conf_list names = { v, 1 };

	ck_assert_msg(host_is_ours(str_of(hosts[_i].host), &names) == hosts[_i].is_ours, "%s",
	    hosts[_i].host);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("exposition");
	TCase *tc = tcase_create("exposition");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_label, 0, (int)ARRAY_LEN(labels));
	tcase_add_test(tc, test_labels_are_parted);
	tcase_add_loop_test(tc, test_thousandths, 0, (int)ARRAY_LEN(numbers));
	tcase_add_loop_test(tc, test_histogram_add, 0, (int)ARRAY_LEN(adds));
	tcase_add_test(tc, test_histogram_is_cumulative);
	tcase_add_loop_test(tc, test_host, 0, (int)ARRAY_LEN(hosts));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
