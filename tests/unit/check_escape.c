/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/format/escape.h"

enum how { VALUE, HEADER, PLAIN, NAME };

static const struct {
	const char *says;
	enum how how;
	size_t limit;
	struct str in, want;
} cases[] = {
	{ "plain text is itself", VALUE, 99, STR("abc def"), STR("abc def") },
	{ "nothing is nothing", VALUE, 99, STR(""), STR("") },
	{ "equals signs and backslashes are escaped", VALUE, 99, STR("a=b\\c"), STR("a\\=b\\\\c") },
	{ "a bar is not", VALUE, 99, STR("a|b"), STR("a|b") },
	{ "every line end is \\n", VALUE, 99, STR("a\nb\rc\r\nd\n\re"),
	    STR("a\\nb\\nc\\nd\\n\\ne") },
	{ "tab, NUL, ESC, DEL are spaces", VALUE, 99,
	    STR("a\tb\0c\x1b"
		"d\x7f"
		"e"),
	    STR("a b c d e") },
	{ "so are C1 controls", VALUE, 99,
	    STR("a\xc2\x85"
		"b\xc2\x9b"
		"c"),
	    STR("a b c") },
	{ "and the separators of lines and paragraphs", VALUE, 99,
	    STR("a\xe2\x80\xa8"
		"b\xe2\x80\xa9"
		"c"),
	    STR("a b c") },
	{ "neighbours of those stay", VALUE, 99, STR("\xc2\xa0x\xe2\x80\xaa"),
	    STR("\xc2\xa0x\xe2\x80\xaa") },
	{ "each byte that is not UTF-8 is U+FFFD", VALUE, 99, STR("a\xff\xc3"),
	    STR("a\xef\xbf\xbd\xef\xbf\xbd") },
	{ "a surrogate is no UTF-8", VALUE, 99, STR("\xed\xa0\x80"),
	    STR("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") },
	{ "trimmed of spaces and of what becomes one", VALUE, 99,
	    STR(" \t\n a b \r\n\xc2\x85\xe2\x80\xa8 "), STR("a b") },
	{ "nothing but spaces is nothing", VALUE, 99, STR(" \n\t\xc2\x85"), STR("") },
	{ "inner spaces stay", VALUE, 99, STR("a   b"), STR("a   b") },
	{ "what fits exactly is not cut", VALUE, 6, STR("abcdef"), STR("abcdef") },
	{ "what does not ends with dots", VALUE, 6, STR("abcdefg"), STR("abc...") },
	{ "escapes count as two", VALUE, 6, STR("a==="), STR("a\\=...") },
	{ "and fit exactly", VALUE, 6, STR("==="), STR("\\=\\=\\=") },
	{ "an escape is never cut", VALUE, 6, STR("ab=def"), STR("ab...") },
	{ "a character is never cut", VALUE, 6,
	    STR("ab\xc3\xa9"
		"def"),
	    STR("ab...") },
	{ "the last character that fits stays", VALUE, 7,
	    STR("ab\xc3\xa9"
		"def"),
	    STR("ab\xc3\xa9"
		"def") },
	{ "line ends count as two", VALUE, 6, STR("a\nbcdef"), STR("a\\n...") },
	{ "a long character in a small room", VALUE, 4, STR("\xf0\x9f\x98\x80x"), STR("...") },
	{ "a long run far over the limit", VALUE, 8,
	    STR("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"), STR("abcde...") },
	{ "far more spaces at its end than there is room for are no part of it", VALUE, 8,
	    STR("ab\xff                                                            "),
	    STR("ab\xef\xbf\xbd") },
	{ "many spaces before the limit, then text", VALUE, 5,
	    STR("a                              b"), STR("a ...") },

	{ "a header escapes bar and backslash", HEADER, 99, STR("a|b\\c=d"), STR("a\\|b\\\\c=d") },
	{ "a header has no line ends", HEADER, 99, STR("a\r\nb\nc"), STR("a b c") },
	{ "nor has a header what is far behind its end", HEADER, 6,
	    STR("ab\\ \\                                         \r\n\t\\"), STR("ab") },
	{ "a header does not end in a backslash", HEADER, 99, STR("C:\\dir\\\\ \\ "),
	    STR("C:\\\\dir") },
	{ "not even behind a control", HEADER, 99, STR("a\\\xc2\x85"), STR("a") },
	{ "nothing but backslashes is nothing", HEADER, 99, STR("\\\\\\"), STR("") },
	{ "a header is cut with dots", HEADER, 6, STR("abc|defg"), STR("abc...") },
	{ "a plain header needs no escapes", PLAIN, 99, STR("a|b\\c=d"), STR("a/b/c:d") },

	{ "a name keeps letters, digits and some signs", NAME, 99, STR("a-B_9.c d"),
	    STR("a-B_9.c d") },
	{ "all else is a dash, one for a character", NAME, 99, STR("a|\xc3\xa9=\n\"z"),
	    STR("a-----z") },
	{ "a name without letters and digits is none", NAME, 99, STR("{-}|\xc3\xa9"), STR("") },
	{ "a name is cut without dots or a space at the end", NAME, 4, STR("abc def"), STR("abc") },
};

static void
write_case(struct buf *out, enum how how, struct str in, size_t limit)
{
	switch (how) {
	case VALUE:
		escape_value(out, in, limit);
		break;
	case HEADER:
	case PLAIN:
		escape_header(out, in, limit, how == PLAIN);
		break;
	case NAME:
		ck_assert_int_eq(escape_name(out, in, limit), out->n > 0);
		break;
	}
}

START_TEST(test_escape)
{
	struct buf out = BUF_INIT(1000);

	write_case(&out, cases[_i].how, cases[_i].in, cases[_i].limit);
	ck_assert_msg(str_same(buf_peek(&out), cases[_i].want), "%s: got <%.*s>", cases[_i].says,
	    STR_ARG(buf_peek(&out)));
	buf_release(&out);
}
END_TEST

/* Each text at each limit: never too long, never cut inside anything, and a prefix of the whole. */
START_TEST(test_every_limit)
{
	struct buf whole = BUF_INIT(1000), out = BUF_INIT(1000);
	enum how how = cases[_i].how;

	write_case(&whole, how, cases[_i].in, 900);
	for (size_t limit = 4; limit < whole.n + 3 && how != NAME; limit++) {
		size_t n;

		buf_clear(&out);
		write_case(&out, how, cases[_i].in, limit);
		ck_assert_uint_le(out.n, limit);
		ck_assert(utf8_valid(out.p, out.n));
		if (str_same(buf_peek(&out), buf_peek(&whole)))
			continue;
		ck_assert_uint_gt(whole.n, limit);
		ck_assert_uint_ge(out.n, 3);
		n = out.n - 3;
		ck_assert(memcmp(out.p + n, "...", 3) == 0 && memcmp(out.p, whole.p, n) == 0);
		while (n > 0 && out.p[n - 1] == '\\')
			n--;
		ck_assert_uint_eq((out.n - 3 - n) % 2, 0);
	}
	buf_release(&whole);
	buf_release(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("escape");
	TCase *tc = tcase_create("escape");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_escape, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(tc, test_every_limit, 0, (int)ARRAY_LEN(cases));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
