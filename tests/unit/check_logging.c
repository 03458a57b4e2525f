/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/logging.h"
#include "lib/base/log.h"
#include "lib/base/ticks.h"

/* What goes to standard error is read back from a file in its place. */
static int real_stderr, file;
static struct logging *l;
static int64_t mono_ms;
static const struct log_ctx contoso = { "tenant", "contoso" };

static int64_t
mono(const struct clock *c)
{
	(void)c;
	return mono_ms;
}

static int64_t
wall(const struct clock *c)
{
	int64_t t;

	(void)c;
	ck_assert(ticks_parse(str_of("2026-11-01T10:00:00Z"), &t));
	return t;
}

static const struct clock still = { mono, wall };

static void
start(void)
{
	char path[] = "/tmp/check_logging.XXXXXX";

	mono_ms = 1000;
	file = mkstemp(path);
	ck_assert_int_ge(file, 0);
	unlink(path);
	real_stderr = dup(STDERR_FILENO);
	dup2(file, STDERR_FILENO);
	unsetenv("JOURNAL_STREAM");
	log_set_level(LOG_LEVEL_INFO);
	l = logging_start(&still);
}

static void
stop(void)
{
	logging_stop(l);
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(file);
}

static const char *
said(void)
{
	static char text[65536];
	ssize_t n = pread(file, text, sizeof(text) - 1, 0);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	return text;
}

static unsigned
count(const char *word)
{
	unsigned n = 0;

	for (const char *p = strstr(said(), word); p != NULL; p = strstr(p + 1, word))
		n++;
	return n;
}

START_TEST(test_text)
{
	log_info(&contoso, "was read period=%d", 3);
	ck_assert_str_eq(said(), "info: tenant contoso: was read period=3\n");
}
END_TEST

START_TEST(test_json)
{
	json_t *o;

	logging_use(l, LOGGING_JSON);
	log_warn(&contoso, "an entry = \"%s\" was read code=%d where=%s", "odd\n", 3, "over there");
	o = json_loads(said(), 0, NULL);
	ck_assert_ptr_nonnull(o);
	ck_assert_str_eq(json_string_value(json_object_get(o, "time")), "2026-11-01T10:00:00.000Z");
	ck_assert_str_eq(json_string_value(json_object_get(o, "level")), "warning");
	ck_assert_str_eq(json_string_value(json_object_get(o, "tenant")), "contoso");
	ck_assert_str_eq(json_string_value(json_object_get(o, "message")),
	    "an entry = \"odd\\x0a\" was read");
	ck_assert_int_eq(json_integer_value(json_object_get(o, "code")), 3);
	ck_assert_str_eq(json_string_value(json_object_get(o, "where")), "over there");
	ck_assert_uint_eq(json_object_size(o), 6);
	json_decref(o);
}
END_TEST

START_TEST(test_repeats_are_counted)
{
	for (int i = 0; i < 100; i++)
		log_error(&contoso, "cannot be reached tries=%d", i);
	ck_assert_uint_eq(count("cannot be reached"), 5);
	mono_ms += 11000;
	log_error(&contoso, "cannot be reached tries=%d", 100);
	ck_assert_uint_eq(count("cannot be reached tries=100 repeated=95\n"), 1);
}
END_TEST

START_TEST(test_another_is_not_a_repeat)
{
	const struct log_ctx fabrikam = { "tenant", "fabrikam" };

	for (int i = 0; i < 10; i++) {
		log_error(&contoso, "cannot be reached");
		log_error(&fabrikam, "cannot be reached");
		log_info(&contoso, "is read");
	}
	ck_assert_uint_eq(count("contoso: cannot"), 5);
	ck_assert_uint_eq(count("fabrikam: cannot"), 5);
	ck_assert_uint_eq(count("is read"), 10); /* not trouble: each is said */
}
END_TEST

/* Several that come in turn, whatever places they have, do not push each other out. */
START_TEST(test_many_in_turn)
{
	char name[20];

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 60; i++) {
			struct log_ctx c = { "tenant", name };

			snprintf(name, sizeof(name), "t%03d", i);
			mono_ms++;
			log_error(&c, "cannot be reached");
		}
	}
	ck_assert_uint_eq(count("cannot be reached\n"), 60 * 5);
	ck_assert_uint_eq(count("again and again"), 0);
}
END_TEST

START_TEST(test_what_was_left_out_is_told_at_the_end)
{
	for (int i = 0; i < 8; i++)
		log_warn(NULL, "the disk is slow ms=%d", i);
	logging_stop(l);
	ck_assert_uint_eq(count("the disk is slow ms=0 repeated=3\n"), 1);
	l = logging_start(&still);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("logging");
	TCase *c = tcase_create("logging");
	SRunner *sr = srunner_create(s);
	int bad;

	tcase_add_checked_fixture(c, start, stop);
	tcase_add_test(c, test_text);
	tcase_add_test(c, test_json);
	tcase_add_test(c, test_repeats_are_counted);
	tcase_add_test(c, test_another_is_not_a_repeat);
	tcase_add_test(c, test_many_in_turn);
	tcase_add_test(c, test_what_was_left_out_is_told_at_the_end);
	suite_add_tcase(s, c);
	srunner_run_all(sr, CK_ENV);
	bad = srunner_ntests_failed(sr);
	srunner_free(sr);
	return bad != 0;
}
