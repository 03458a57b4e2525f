/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/str.h"

START_TEST(test_compare)
{
	ck_assert(
	    str_is(STR("abc"), "abc") && !str_is(STR("abc"), "ab") && !str_is(STR("ab"), "abc"));
	ck_assert(str_is((struct str){ NULL, 0 }, "") && !str_is((struct str){ NULL, 0 }, "a"));
	ck_assert(str_same(STR("a\0b"), STR("a\0b")) && !str_same(STR("a\0b"), STR("a\0c")));
	ck_assert(str_same((struct str){ NULL, 0 }, STR("")));
	ck_assert(
	    str_same_nocase(STR("aBz"), STR("AbZ")) && !str_same_nocase(STR("ab"), STR("abc")));
	ck_assert(!str_same_nocase(STR("@["), STR("`{")) &&
		  !str_same_nocase(STR("\xc3\xa9"), STR("\xc3\x89")));
	ck_assert(str_starts(STR("abc"), "ab") && str_starts(STR("abc"), "") &&
		  !str_starts(STR("ab"), "abc"));
	ck_assert(
	    str_starts((struct str){ NULL, 0 }, "") && !str_starts((struct str){ NULL, 0 }, "a"));
	ck_assert_uint_eq(str_of(NULL).n, 0);
}
END_TEST

/* Stored on disk: these may never change. */
START_TEST(test_hash)
{
	ck_assert_uint_eq(str_hash("", 0), UINT64_C(0xefd01f60ba992926));
	ck_assert_uint_eq(str_hash("a", 1), UINT64_C(0x82a2a958a9bece5b));
	ck_assert_uint_ne(str_hash("ab", 2), str_hash("ba", 2));
}
END_TEST

static const struct {
	const char *says;
	struct str text;
	size_t len; /* of the first character; 0: none */
	uint32_t cp;
} characters[] = {
	{ "ASCII", STR("a"), 1, 'a' },
	{ "NUL is a character", STR("\0"), 1, 0 },
	{ "two bytes", STR("\xc3\xa9"), 2, 0xe9 },
	{ "the least of two", STR("\xc2\x80"), 2, 0x80 },
	{ "three bytes", STR("\xe2\x82\xac"), 3, 0x20ac },
	{ "the least of three", STR("\xe0\xa0\x80"), 3, 0x800 },
	{ "four bytes", STR("\xf0\x9f\x98\x80"), 4, 0x1f600 },
	{ "the least of four", STR("\xf0\x90\x80\x80"), 4, 0x10000 },
	{ "the last one", STR("\xf4\x8f\xbf\xbf"), 4, 0x10ffff },
	{ "beyond the last", STR("\xf4\x90\x80\x80"), 0, 0 },
	{ "overlong in two", STR("\xc0\x80"), 0, 0 },
	{ "overlong in two, again", STR("\xc1\xbf"), 0, 0 },
	{ "overlong in three", STR("\xe0\x9f\xbf"), 0, 0 },
	{ "overlong in four", STR("\xf0\x8f\xbf\xbf"), 0, 0 },
	{ "the first surrogate", STR("\xed\xa0\x80"), 0, 0 },
	{ "the last surrogate", STR("\xed\xbf\xbf"), 0, 0 },
	{ "just before them", STR("\xed\x9f\xbf"), 3, 0xd7ff },
	{ "just behind them", STR("\xee\x80\x80"), 3, 0xe000 },
	{ "a continuation alone", STR("\x80"), 0, 0 },
	{ "cut after one of two", STR("\xc3"), 0, 0 },
	{ "cut after two of three", STR("\xe2\x82"), 0, 0 },
	{ "cut after three of four", STR("\xf0\x9f\x98"), 0, 0 },
	{ "no continuation",
	    STR("\xc3"
		"a"),
	    0, 0 },
	{ "five bytes are none", STR("\xf8\x88\x80\x80\x80"), 0, 0 },
	{ "FF", STR("\xff"), 0, 0 },
};

START_TEST(test_character)
{
	uint32_t cp = 0;
	size_t len = utf8_next(characters[_i].text.s, characters[_i].text.n, &cp);

	ck_assert_msg(len == characters[_i].len && cp == characters[_i].cp, "%s: %zu U+%04x",
	    characters[_i].says, len, cp);
	ck_assert_uint_eq(utf8_next(characters[_i].text.s, characters[_i].text.n, NULL), len);
	ck_assert_int_eq(
	    utf8_valid(characters[_i].text.s, characters[_i].text.n), len == characters[_i].text.n);
}
END_TEST

/* Every code point is written as it is read, and nothing else is read. */
START_TEST(test_all_characters)
{
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		bool is_surrogate = cp >= 0xd800 && cp <= 0xdfff;
		char text[4];
		size_t n = utf8_put(text, cp);
		uint32_t again = 0;

		ck_assert_uint_eq(utf8_next(text, n, &again), is_surrogate ? 0 : n);
		if (!is_surrogate)
			ck_assert_uint_eq(again, cp);
	}
}
END_TEST

static const struct {
	const char *says;
	struct str text;
	size_t max, want;
} cuts[] = {
	{ "shorter than that", STR("abc"), 5, 3 },
	{ "ASCII anywhere", STR("abc"), 2, 2 },
	{ "to nothing", STR("abc"), 0, 0 },
	{ "behind a character",
	    STR("a\xc3\xa9"
		"b"),
	    3, 3 },
	{ "not inside of two",
	    STR("a\xc3\xa9"
		"b"),
	    2, 1 },
	{ "not inside of three", STR("\xe2\x82\xac"), 2, 0 },
	{ "not inside of four", STR("a\xf0\x9f\x98\x80"), 4, 1 },
	{ "exactly four", STR("a\xf0\x9f\x98\x80"), 5, 5 },
	{ "not even where the text ends inside", STR("a\xf0\x9f\x98"), 9, 1 },
	{ "what is no UTF-8 is cut anywhere", STR("\x80\x80\x80\x80\x80"), 4, 4 },
};

START_TEST(test_cut)
{
	size_t got = utf8_cut(cuts[_i].text.s, cuts[_i].text.n, cuts[_i].max);

	ck_assert_msg(got == cuts[_i].want, "%s: %zu", cuts[_i].says, got);
}
END_TEST

START_TEST(test_guid)
{
	char out[37];

	ck_assert(guid_parse(STR("0123ABCD-ef01-2345-6789-abcdefABCDEF"), out));
	ck_assert_str_eq(out, "0123abcd-ef01-2345-6789-abcdefabcdef");
	ck_assert(!guid_parse(STR("0123abcd-ef01-2345-6789-abcdefabcde"), out));
	ck_assert(!guid_parse(STR("0123abcd-ef01-2345-6789-abcdefabcdefa"), out));
	ck_assert(!guid_parse(STR("0123abcd-ef01-2345-6789-abcdefabcdeg"), out));
	ck_assert(!guid_parse(STR("0123abcdeef01-2345-6789-abcdefabcdef"), out));
	ck_assert(!guid_parse(STR("{123abcd-ef01-2345-6789-abcdefabcde}"), out));
	ck_assert(!guid_parse((struct str){ NULL, 0 }, out));
}
END_TEST

static const struct {
	const char *a, *b;
	unsigned cap, want;
} distances[] = {
	{ "", "", 3, 0 },
	{ "abc", "abc", 3, 0 },
	{ "abc", "abd", 3, 1 },
	{ "abc", "ab", 3, 1 },
	{ "abc", "xabc", 3, 1 },
	{ "kitten", "sitting", 3, 3 },
	{ "kitten", "sitting", 2, 3 },
	{ "abc", "", 3, 3 },
	{ "abcdef", "uvwxyz", 2, 3 },
	{ "severity", "severty", 2, 1 },
};

START_TEST(test_distance)
{
	struct str a = str_of(distances[_i].a), b = str_of(distances[_i].b);

	ck_assert_uint_eq(str_distance(a, b, distances[_i].cap), distances[_i].want);
	ck_assert_uint_eq(str_distance(b, a, distances[_i].cap), distances[_i].want);
}
END_TEST

START_TEST(test_distance_of_long)
{
	char text[66];

	memset(text, 'a', sizeof(text));
	ck_assert_uint_eq(str_distance((struct str){ text, 65 }, STR("a"), 2), 3);
	ck_assert_uint_eq(str_distance((struct str){ text, 64 }, (struct str){ text, 64 }, 2), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("str");
	TCase *tc = tcase_create("str");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_compare);
	tcase_add_test(tc, test_hash);
	tcase_add_loop_test(tc, test_character, 0, (int)ARRAY_LEN(characters));
	tcase_add_test(tc, test_all_characters);
	tcase_add_loop_test(tc, test_cut, 0, (int)ARRAY_LEN(cuts));
	tcase_add_test(tc, test_guid);
	tcase_add_loop_test(tc, test_distance, 0, (int)ARRAY_LEN(distances));
	tcase_add_test(tc, test_distance_of_long);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
