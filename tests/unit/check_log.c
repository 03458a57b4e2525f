/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/log.h"

struct caught {
	struct buf text; /* lines, each with a line end */
	enum log_level level;
	unsigned n;
};

static void
catch_line(const struct log_event *e, void *arg)
{
	struct caught *c = arg;

	c->level = e->level;
	c->n++;
	buf_str(&c->text, e->line);
	buf_byte(&c->text, '\n');
}

static struct caught caught;

static void
start(void)
{
	caught = (struct caught){ .text = BUF_INIT(1 << 20) };
	log_set_writer(catch_line, &caught);
	log_set_level(LOG_LEVEL_INFO);
	log_set_prefixes(0);
}

static void
stop(void)
{
	log_set_writer(NULL, NULL);
	buf_release(&caught.text);
}

START_TEST(test_lines)
{
	const struct log_ctx tenant = { "tenant", "contoso" };

	log_error(NULL, "a %d", 1);
	log_warn(&tenant, "b, retry in=%ds", 40);
	log_info(&tenant, "c");
	log_debug(&tenant, "d");
	ck_assert_str_eq(caught.text.p, "error: a 1\nwarning: tenant contoso: b, retry in=40s\n"
					"info: tenant contoso: c\n");
	ck_assert_int_eq(caught.level, LOG_LEVEL_INFO);
}
END_TEST

START_TEST(test_level)
{
	log_set_level(LOG_LEVEL_ERROR);
	ck_assert_int_eq(log_level(), LOG_LEVEL_ERROR);
	log_warn(NULL, "x");
	ck_assert_uint_eq(caught.n, 0);
	log_error(NULL, "x");
	ck_assert_uint_eq(caught.n, 1);
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug(NULL, "x");
	ck_assert_uint_eq(caught.n, 2);
}
END_TEST

START_TEST(test_prefixes)
{
	const struct log_ctx sink = { "sink", "siem" };

	log_set_prefixes(1);
	log_set_level(LOG_LEVEL_DEBUG);
	log_error(&sink, "a");
	log_warn(NULL, "b");
	log_info(NULL, "c");
	log_debug(NULL, "d");
	ck_assert_str_eq(caught.text.p, "<3>sink siem: a\n<4>b\n<6>c\n<7>d\n");
}
END_TEST

/* Text from the network cannot forge a line, move a cursor or turn the writing around. */
static const struct {
	const char *says, *text, *want;
} cases[] = {
	{ "line ends", "a\n<3>forged\r\n", "info: a\\x0a<3>forged\\x0d\\x0a\n" },
	{ "terminal sequences", "\x1b[31m\x07", "info: \\x1b[31m\\x07\n" },
	{ "DEL and C1", "\x7f\xc2\x9b", "info: \\x7f\\xc2\\x9b\n" },
	{ "separators", "\xe2\x80\xa8\xe2\x80\xa9", "info: \\xe2\\x80\\xa8\\xe2\\x80\\xa9\n" },
	{ "overrides of direction",
	    "\xe2\x80\xae"
	    "abc\xe2\x81\xa6",
	    "info: \\xe2\\x80\\xaeabc\\xe2\\x81\\xa6\n" },
	{ "what nobody sees", "a\xe2\x80\x8b" "b", "info: a\\xe2\\x80\\x8bb\n" },
	{ "bytes that are not UTF-8", "\xff\xc3", "info: \\xff\\xc3\n" },
	{ "letters of any language stay", "M\xc3\xbcller \xe6\x97\xa5",
	    "info: M\xc3\xbcller \xe6\x97\xa5\n" },
	{ "percent signs stay", "100%s", "info: 100%s\n" },
};

START_TEST(test_escape)
{
	log_info(NULL, "%s", cases[_i].text);
	ck_assert_msg(
	    strcmp(caught.text.p, cases[_i].want) == 0, "%s: %s", cases[_i].says, caught.text.p);
}
END_TEST

START_TEST(test_escape_in_name)
{
	const struct log_ctx c = { "tenant", "a\nb" };

	log_info(&c, "x");
	ck_assert_str_eq(caught.text.p, "info: tenant a\\x0ab: x\n");
}
END_TEST

static const struct {
	const char *says, *fmt, *text, *want;
} pairs[] = {
	{ "none", "%s happened", "it happened", "it happened" },
	{ "at the end", "happened a=%s b=%d", "happened a=1 b=2", "happened|a=1|b=2" },
	{ "values with spaces", "happened a=%s b=%s", "happened a=1 2 b=3 4", "happened|a=1 2|b=3 4" },
	{ "what only looks like one is text", "%s a=%d", "evil a=9 b=8 a=1", "evil a=9 b=8|a=1" },
	{ "in the middle is text", "a=%s was not %s", "a=1 was not 2", "a=1 was not 2" },
	{ "the last ones, where there are more than room", "so n=%d m=%d x=%d y=%d", "so n=1 m=2 x=3 y=4",
	    "so n=1|m=2|x=3|y=4" },
	{ "nothing before them", "a=%d b=%d", "a=1 b=2", "a=1|b=2" },
};

START_TEST(test_fields)
{
	struct log_event e = { .fmt = pairs[_i].fmt, .text = str_of(pairs[_i].text) };
	struct log_field fields[3];
	struct buf got = BUF_INIT(1000);
	struct str phrase;
	size_t n = log_fields(&e, fields, ARRAY_LEN(fields), &phrase);

	buf_str(&got, phrase);
	for (size_t i = 0; i < n; i++)
		buf_printf(&got, "|%.*s=%.*s", STR_ARG(fields[i].key), STR_ARG(fields[i].value));
	ck_assert_msg(strcmp(got.p, pairs[_i].want) == 0, "%s: %s", pairs[_i].says, got.p);
	buf_release(&got);
}
END_TEST

/* However long the text is, there is one line, not too long, that begins as it should. */
START_TEST(test_long)
{
	static const size_t lengths[] = { 4000, 4090, 4094, 4095, 4096, 4097, 5000, 100000 };
	char *text = malloc(100001);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		memset(text, i % 2 ? 'x' : '\n', lengths[i]);
		text[lengths[i]] = '\0';
		buf_clear(&caught.text);
		log_info(NULL, "%s", text);
		ck_assert_uint_gt(caught.text.n, 4000);
		ck_assert_uint_le(caught.text.n, 5 * 4096);
		ck_assert(str_starts(buf_peek(&caught.text), i % 2 ? "info: xxx" : "info: \\x0a"));
		ck_assert_ptr_eq(
		    memchr(caught.text.p, '\n', caught.text.n), caught.text.p + caught.text.n - 1);
	}
	free(text);
}
END_TEST

START_TEST(test_stderr)
{
	char line[100] = "";
	int saved = dup(STDERR_FILENO), fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	log_set_writer(NULL, NULL);
	log_info(NULL, "to stderr");
	dup2(saved, STDERR_FILENO);
	ck_assert_int_gt(read(fds[0], line, sizeof(line) - 1), 0);
	ck_assert_str_eq(line, "info: to stderr\n");
	close(saved);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("log");
	TCase *tc = tcase_create("log");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, test_lines);
	tcase_add_test(tc, test_level);
	tcase_add_loop_test(tc, test_fields, 0, ARRAY_LEN(pairs));
	tcase_add_test(tc, test_prefixes);
	tcase_add_loop_test(tc, test_escape, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_escape_in_name);
	tcase_add_test(tc, test_long);
	tcase_add_test(tc, test_stderr);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
