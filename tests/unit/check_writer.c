/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/json/writer.h"

/* What the writer makes of text, beside what a few plain lines make of it, byte by byte. */

#define LENGTH_MAX 210 /* three times what the writer looks at at once, and a little */

static void
expect_char(struct buf *out, const char *s, size_t n, uint32_t cp)
{
	static const char from[] = "\b\f\n\r\t\"\\", as[] = "bfnrt\"\\";
	const char *at = cp != 0 && cp < 0x80 ? strchr(from, (int)cp) : NULL;

	if (at != NULL)
		buf_printf(out, "\\%c", as[at - from]);
	else if (utf8_is_control(cp))
		buf_printf(out, "\\u%04x", cp);
	else
		buf_add(out, s, n);
}

static void
expect(struct buf *out, const char *s, size_t n)
{
	buf_byte(out, '"');
	for (size_t i = 0, len; i < n; i += len) {
		uint32_t cp = 0;

		len = utf8_next(s + i, n - i, &cp);
		if (len != 0)
			expect_char(out, s + i, len, cp);
		else
			buf_puts(out, "\xef\xbf\xbd");
		len += len == 0;
	}
	buf_byte(out, '"');
}

/* The text is a piece of memory of its own, so that a sanitizer sees what is read beyond it. */
static void
compare(const char *text, size_t n, size_t max, size_t room)
{
	struct buf got = BUF_INIT(max), want = BUF_INIT(1 << 16);
	char *own = xmalloc(n + 1);
	struct jw w;

	memcpy(own, text, n);
	own = xrealloc(own, n != 0 ? n : 1);
	expect(&want, own, n);
	if (room != 0)
		buf_room(&got, room);
	jw_init(&w, &got);
	jw_str(&w, (struct str){ own, n });
	ck_assert_msg(buf_ok(&got) == (want.n <= max), "%zu bytes, at most %zu: ok is %d", n, max,
	    buf_ok(&got));
	if (buf_ok(&got))
		ck_assert_msg(str_same(buf_peek(&got), buf_peek(&want)), "%zu bytes: %s, not %s", n,
		    got.p, want.p);
	ck_assert_msg(got.n <= max, "%zu bytes, and at most %zu are allowed", got.n, max);
	free(own);
	buf_release(&got);
	buf_release(&want);
}

/* With room for all of it, growing, and with an end that is near: each has its own way. */
static void
compare_all(const char *text, size_t n)
{
	struct buf want = BUF_INIT(1 << 16);

	compare(text, n, 1 << 16, 1 << 14);
	compare(text, n, 1 << 16, 0);
	expect(&want, text, n);
	compare(text, n, want.n, 0);
	compare(text, n, want.n - 1, 0);
	compare(text, n, want.n / 2, 0);
	buf_release(&want);
}

static const struct {
	const char *says;
	const char *bytes;
} odd[] = {
	{ "a quote", "\"" },
	{ "a backslash", "\\" },
	{ "two quotes", "\"\"" },
	{ "a tab", "\t" },
	{ "a control character", "\x01" },
	{ "DEL", "\x7f" },
	{ "a letter of two bytes", "\xc3\xa9" },
	{ "a control character of two bytes", "\xc2\x85" },
	{ "the separator of lines", "\xe2\x80\xa8" },
	{ "four bytes", "\xf0\x9f\x94\x92" },
	{ "a byte that is no character", "\xff" },
	{ "half a character and a quote", "\xe2\x80\"" },
};

/* One such thing at every place of a text of every length. */
START_TEST(test_places)
{
	size_t n = strlen(odd[_i].bytes);
	char text[LENGTH_MAX];

	for (size_t len = n; len <= sizeof(text); len += len < 100 ? 1 : 7) {
		for (size_t at = 0; at + n <= len; at += len < 40 ? 1 : 3) {
			memset(text, 'x', len);
			memcpy(text + at, odd[_i].bytes, n);
			compare_all(text, len);
		}
	}
}
END_TEST

/* Nothing but such things. */
START_TEST(test_runs)
{
	size_t n = strlen(odd[_i].bytes);
	char text[LENGTH_MAX];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = odd[_i].bytes[i % n];
	for (size_t len = 0; len <= sizeof(text); len++)
		compare_all(text, len);
}
END_TEST

/* A long run of them that ends in every way at what the buf may hold. */
START_TEST(test_limits)
{
	size_t n = strlen(odd[_i].bytes);
	char text[1000];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = odd[_i].bytes[i % n];
	for (size_t max = sizeof(text); max < 2 * sizeof(text) + 200; max += 9)
		compare(text, sizeof(text), max, 0);
}
END_TEST

/* All mixed with each other. */
START_TEST(test_mixed)
{
	static const char some[] = "abcdefghijklmnop\"\"\"\\\\\n\x7f\xc3\xa9\xe2\x80\xa8\xff\xf0\x9f\x94\x92";
	uint32_t x = (uint32_t)_i + 1;
	char text[LENGTH_MAX];

	for (unsigned round = 0; round < 200; round++) {
		for (size_t i = 0; i < sizeof(text); i++) {
			x = x * 1664525 + 1013904223;
			text[i] = some[(x >> 16) % (sizeof(some) - 1)];
		}
		compare_all(text, (x >> 8) % (sizeof(text) + 1));
	}
}
END_TEST

START_TEST(test_member)
{
	struct buf out = BUF_INIT(1 << 12);
	struct jw w;

	jw_init(&w, &out);
	jw_object(&w);
	jw_plain_member(&w, STR("a"), STR("1\"2"));
	buf_room(&out, 1000);
	jw_plain_member(&w, STR("name"), STR("\xe2\x80\xa8"));
	jw_plain_name(&w, "n");
	jw_int(&w, 7);
	jw_plain_int(&w, STR("m"), -120);
	jw_plain_member(&w, STR("last"), STR(""));
	jw_object_end(&w);
	ck_assert_str_eq(
	    out.p, "{\"a\":\"1\\\"2\",\"name\":\"\\u2028\",\"n\":7,\"m\":-120,\"last\":\"\"}");
	buf_release(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("writer");
	TCase *tc = tcase_create("writer");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_places, 0, (int)ARRAY_LEN(odd));
	tcase_add_loop_test(tc, test_runs, 0, (int)ARRAY_LEN(odd));
	tcase_add_loop_test(tc, test_limits, 0, (int)ARRAY_LEN(odd));
	tcase_add_loop_test(tc, test_mixed, 0, 8);
	tcase_add_test(tc, test_member);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
