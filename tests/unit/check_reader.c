/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/json/reader.h"
#include "lib/json/repair.h"
#include "lib/json/skim.h"
#include "lib/json/writer.h"

#define TEXT(lit) \
	{ \
		lit, sizeof(lit) - 1 \
	}

/* ---- what is JSON ------------------------------------------------------------------- */

static const struct {
	const char *says;
	struct str text;
	const char *why; /* NULL: it is JSON */
	size_t place;
} texts[] = {
	{ "an empty object", TEXT("{}"), NULL, 0 },
	{ "white space of all kinds", TEXT(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n"), NULL, 0 },
	{ "scalars of all kinds", TEXT("[true,false,null,0,-0,1.5,1e9,1E+9,-1e-9,\"\"]"), NULL, 0 },
	{ "a number of any size", TEXT("[1e999,99999999999999999999999]"), NULL, 0 },
	{ "every escape", TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uFFFF\""), NULL, 0 },
	{ "a surrogate pair", TEXT("\"\\ud83d\\uDE00\""), NULL, 0 },
	{ "UTF-8 of every length", TEXT("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""), NULL, 0 },
	{ "the delete character", TEXT("\"\x7f\""), NULL, 0 },
	{ "the same name twice", TEXT("{\"a\":1,\"a\":2}"), NULL, 0 },
	{ "nothing", TEXT(""), "the text ends too early", 0 },
	{ "an object cut off", TEXT("{\"a\":1"), "the text ends too early", 6 },
	{ "a list cut off", TEXT("[1,"), "the text ends too early", 3 },
	{ "a string cut off", TEXT("[\"abc"), "the text ends too early", 5 },
	{ "a name cut off", TEXT("{\"a"), "the text ends too early", 3 },
	{ "a name without value", TEXT("{\"a\""), "the text ends too early", 4 },
	{ "a comma too many in an object", TEXT("{\"a\":1,}"), "a name in quotes is missing", 7 },
	{ "a comma too many in a list", TEXT("[1,]"), "this is no value", 3 },
	{ "a comma at the start", TEXT("[,1]"), "this is no value", 1 },
	{ "no comma in a list", TEXT("[1 2]"), "a comma or the closing bracket is missing", 3 },
	{ "no comma in an object", TEXT("{\"a\":1 \"b\":2}"),
	    "a comma or the closing bracket is missing", 7 },
	{ "no colon", TEXT("{\"a\" 1}"), "a colon is missing", 5 },
	{ "no value", TEXT("{\"a\":}"), "this is no value", 5 },
	{ "a name without quotes", TEXT("{a:1}"), "a name in quotes is missing", 1 },
	{ "a name that is a number", TEXT("{1:1}"), "a name in quotes is missing", 1 },
	{ "a list closed as an object", TEXT("[1}"), "a comma or the closing bracket is missing",
	    2 },
	{ "an object closed as a list", TEXT("{\"a\":1]"),
	    "a comma or the closing bracket is missing", 6 },
	{ "brackets crossed deep inside", TEXT("[{\"a\":[1}]]"),
	    "a comma or the closing bracket is missing", 8 },
	{ "a word that is none", TEXT("[nul]"), "this is no value", 1 },
	{ "a word in capitals", TEXT("[True]"), "this is no value", 1 },
	{ "not a number", TEXT("[NaN]"), "this is no value", 1 },
	{ "a plus sign", TEXT("[+1]"), "this is no value", 1 },
	{ "a leading zero", TEXT("[01]"), "a number is wrong", 1 },
	{ "only a sign", TEXT("[-]"), "a number is wrong", 2 },
	{ "a point without digits", TEXT("[1.]"), "a number is wrong", 3 },
	{ "an exponent without digits", TEXT("[1e+]"), "a number is wrong", 4 },
	{ "single quotes", TEXT("['a']"), "this is no value", 1 },
	{ "a comment", TEXT("[1/**/]"), "a comma or the closing bracket is missing", 2 },
	{ "an escape that is none", TEXT("\"a\\x\""), "an escape in a string is wrong", 2 },
	{ "an escape cut short", TEXT("\"\\u12\""), "an escape in a string is wrong", 1 },
	{ "half a pair, the first", TEXT("\"\\ud83d\""), "an escape in a string is wrong", 1 },
	{ "half a pair, the second", TEXT("\"\\ude00\""), "an escape in a string is wrong", 1 },
	{ "two first halves", TEXT("\"\\ud83d\\ud83d\""), "an escape in a string is wrong", 1 },
	{ "a control character", TEXT("\"a\nb\""), "a byte in a string is wrong", 2 },
	{ "a NUL byte", TEXT("\"a\0b\""), "a byte in a string is wrong", 2 },
	{ "a byte that is not UTF-8", TEXT("\"a\xff\""), "a byte in a string is wrong", 2 },
	{ "an overlong sequence", TEXT("\"\xc0\xaf\""), "a byte in a string is wrong", 1 },
	{ "a surrogate in UTF-8", TEXT("\"\xed\xa0\x80\""), "a byte in a string is wrong", 1 },
	{ "a sequence cut short", TEXT("\"\xe2\x82\""), "a byte in a string is wrong", 1 },
	{ "a bad name in a nested object", TEXT("{\"a\":{\"\\x\":1}}"),
	    "an escape in a string is wrong", 7 },
	{ "more behind the end", TEXT("{} {}"), "more follows behind the end", 3 },
	{ "a NUL byte behind the end", TEXT("{}\0"), "more follows behind the end", 2 },
	{ "a byte order mark", TEXT("\xef\xbb\xbf{}"), "this is no value", 0 },
};

START_TEST(test_grammar)
{
	/* At the very end of its memory, so that the sanitizer sees a look beyond. */
	size_t n = texts[_i].text.n;
	char *copy = malloc(n + (n == 0));
	struct jr r;

	memcpy(copy, texts[_i].text.s, n);
	jr_init(&r, (struct str){ copy, n }, NULL);
	ck_assert_msg((jr_skip(&r) && jr_end(&r)) == (texts[_i].why == NULL), "%s", texts[_i].says);
	if (texts[_i].why != NULL) {
		ck_assert_msg(!jr_ok(&r) && strcmp(r.why, texts[_i].why) == 0, "%s: %s",
		    texts[_i].says, r.why);
		ck_assert_msg(
		    jr_place(&r) == texts[_i].place, "%s: at %zu", texts[_i].says, jr_place(&r));
	}
	free(copy);
}
END_TEST

/* ---- values ------------------------------------------------------------------------- */

static const struct {
	const char *says, *json;
	struct str want;
} strings[] = {
	{ "empty", "\"\"", TEXT("") },
	{ "as it is", "\"abc\"", TEXT("abc") },
	{ "every short escape", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", TEXT("\"\\/\b\f\n\r\t") },
	{ "a NUL", "\"a\\u0000b\"", TEXT("a\0b") },
	{ "code points of one to three bytes", "\"\\u0041\\u00e9\\u20AC\"",
	    TEXT("A\xc3\xa9\xe2\x82\xac") },
	{ "a surrogate pair", "\"x\\ud83d\\ude00y\"", TEXT("x\xf0\x9f\x98\x80y") },
	{ "the last code point", "\"\\udbff\\udfff\"", TEXT("\xf4\x8f\xbf\xbf") },
	{ "an escape behind a long run", "\"0123456789abcdef0123456789abcdef\\n\"",
	    TEXT("0123456789abcdef0123456789abcdef\n") },
	{ "what looks like an escape", "\"\\\\u0041\"", TEXT("\\u0041") },
};

START_TEST(test_string)
{
	struct arena arena;
	struct str got;
	struct jr r;

	arena_init(&arena);
	jr_init(&r, str_of(strings[_i].json), &arena);
	ck_assert(jr_string(&r, &got) && jr_end(&r));
	ck_assert_msg(str_same(got, strings[_i].want), "%s: %.*s", strings[_i].says, STR_ARG(got));
	if (strchr(strings[_i].json, '\\') == NULL)
		ck_assert_ptr_eq(got.s, strings[_i].json + 1);
	arena_release(&arena);
}
END_TEST

static const struct {
	const char *text;
	bool ok;
	int64_t want;
} ints[] = {
	{ "0", true, 0 },
	{ "-0", true, 0 },
	{ "4780", true, 4780 },
	{ "9223372036854775807", true, INT64_MAX },
	{ "-9223372036854775808", true, INT64_MIN },
	{ "9223372036854775808", false, 0 },
	{ "-9223372036854775809", false, 0 },
	{ "99999999999999999999999999", false, 0 },
	{ "1.0", false, 0 },
	{ "1e2", false, 0 },
	{ "", false, 0 },
	{ "-", false, 0 },
	{ "+1", false, 0 },
	{ " 1", false, 0 },
	{ "1 ", false, 0 },
	{ "0x10", false, 0 },
};

START_TEST(test_int64)
{
	int64_t got = 0;

	ck_assert_msg(jr_int64(str_of(ints[_i].text), &got) == ints[_i].ok, "%s", ints[_i].text);
	ck_assert_int_eq(got, ints[_i].want);
}
END_TEST

START_TEST(test_walk)
{
	struct str name, s;
	struct jr r, bookmark;
	bool v = false;

	jr_init(&r, STR("{\"a\":[1,[],\"x\"],\"b\":{},\"c\":true,\"d\":null,\"e\":[]}"), NULL);
	ck_assert(jr_enter_object(&r));
	ck_assert(jr_next_member(&r, &name) && str_is(name, "a"));
	bookmark = r;
	ck_assert(!jr_enter_object(&r) && !jr_string(&r, &s) && !jr_bool(&r, &v) && !jr_null(&r));
	ck_assert(jr_enter_array(&r));
	ck_assert(jr_next_element(&r) && jr_type(&r) == JR_NUMBER);
	ck_assert(jr_raw(&r, &s) && str_is(s, "1"));
	ck_assert(jr_next_element(&r) && jr_skip(&r));
	ck_assert(jr_next_element(&r) && jr_string(&r, &s) && str_is(s, "x"));
	ck_assert(!jr_next_element(&r) && jr_ok(&r));
	r = bookmark;
	ck_assert(jr_raw(&r, &s) && str_is(s, "[1,[],\"x\"]"));
	ck_assert(jr_next_member(&r, &name) && str_is(name, "b"));
	ck_assert(jr_enter_object(&r) && !jr_next_member(&r, &name) && jr_ok(&r));
	ck_assert(jr_next_member(&r, &name) && jr_bool(&r, &v) && v);
	ck_assert(jr_next_member(&r, &name) && jr_null(&r));
	ck_assert(jr_next_member(&r, &name) && jr_enter_array(&r) && !jr_next_element(&r));
	ck_assert(!jr_next_member(&r, &name) && jr_ok(&r) && jr_end(&r));
}
END_TEST

/* Guessed right or wrong, the members are the same. */
static const struct {
	const char *says, *json, *names;
	bool ok;
} guesses[] = {
	{ "right each time", "{\"guess\":1,\"guess\":2}", "guess!guess!", true },
	{ "spaces", "{ \"guess\" : 1, \"guess\":2 }", "guess guess ", true },
	{ "longer, shorter, other", "{\"guesses\":1,\"gues\":2,\"gUess\":3}", "guesses gues gUess ",
	    true },
	{ "with escapes", "{\"gu\\u0065ss\":1,\"guess\\\"\":2}", "guess guess\" ", true },
	{ "no comma", "{\"guess\":1\"guess\":2}", "guess!", false },
	{ "cut off behind the quote", "{\"guess\"", "", false },
	{ "cut off in the name", "{\"gue", "", false },
	{ "no value", "{\"guess\":", "guess!", false },
	{ "none", "{}", "", true },
};

START_TEST(test_guess)
{
	static const char guess[] = "guess";
	struct buf names = BUF_INIT(1000);
	struct arena arena;
	struct str name;
	struct jr r;

	arena_init(&arena);
	jr_init(&r, str_of(guesses[_i].json), &arena);
	ck_assert(jr_enter_object(&r));
	while (jr_next_member_guess(&r, (struct str){ guess, 5 }, &name)) {
		buf_printf(&names, "%.*s%c", STR_ARG(name), name.s == guess ? '!' : ' ');
		jr_skip(&r);
	}
	ck_assert_msg(str_same(buf_peek(&names), str_of(guesses[_i].names)), "%s: %s",
	    guesses[_i].says, names.p);
	ck_assert_int_eq(jr_ok(&r), guesses[_i].ok);
	buf_release(&names);
	arena_release(&arena);
}
END_TEST

START_TEST(test_stays_failed)
{
	struct str name, s;
	struct jr r;
	bool v;

	jr_init(&r, STR("[1 ,{\"a\":x},2]"), NULL);
	ck_assert(jr_enter_array(&r) && jr_next_element(&r) && jr_skip(&r));
	ck_assert(jr_next_element(&r) && !jr_skip(&r) && !jr_ok(&r));
	ck_assert_int_eq(jr_type(&r), JR_NONE);
	ck_assert(!jr_skip(&r) && !jr_raw(&r, &s) && !jr_string(&r, &s) && !jr_bool(&r, &v));
	ck_assert(!jr_null(&r) && !jr_enter_array(&r) && !jr_next_element(&r));
	ck_assert(!jr_enter_object(&r) && !jr_next_member(&r, &name) && !jr_end(&r));
	ck_assert_str_eq(r.why, "this is no value");
	ck_assert_uint_eq(jr_place(&r), 9);
}
END_TEST

/* What follows the fault could be read by itself: it is not. */
START_TEST(test_goes_no_further)
{
	struct jr r;

	jr_init(&r, STR("[1 2,3]"), NULL);
	ck_assert(jr_enter_array(&r) && jr_next_element(&r) && jr_skip(&r));
	ck_assert(!jr_next_element(&r) && !jr_ok(&r));
	ck_assert(!jr_skip(&r) && !jr_next_element(&r));
	ck_assert_uint_eq(jr_place(&r), 3);
}
END_TEST

static const struct {
	size_t depth;
	bool ok;
} depths[] = { { 3000, true }, { JR_DEPTH - 1, true }, { JR_DEPTH, false }, { 2000000, false } };

/* Lists and objects in turn: [{"":[{"": … }]}] */
START_TEST(test_depth)
{
	size_t depth = depths[_i].depth;
	struct buf text = BUF_INIT(10000000);
	struct jr r;

	for (size_t i = 0; i < depth; i++)
		buf_puts(&text, i % 2 == 0 ? "[" : "{\"\":");
	buf_puts(&text, "1");
	for (size_t i = depth; i > 0; i--)
		buf_puts(&text, i % 2 == 1 ? "]" : "}");
	jr_init(&r, buf_peek(&text), NULL);
	ck_assert((jr_skip(&r) && jr_end(&r)) == depths[_i].ok);
	if (!depths[_i].ok)
		ck_assert_str_eq(r.why, "it is nested too deeply");
	buf_release(&text);
}
END_TEST

/* ---- repair, glance, writer ------------------------------------------------------------ */

static const struct {
	const char *says;
	struct str text, want;
} repairs[] = {
	{ "what is right stays", TEXT("{\"a\":\"\\u00e9\xc3\xa9\\\\\"}"),
	    TEXT("{\"a\":\"\\u00e9\xc3\xa9\\\\\"}") },
	{ "half a pair, the first", TEXT("\"\\ud83dx\""), TEXT("\"\xef\xbf\xbdx\"") },
	{ "half a pair, the second", TEXT("\"\\ude00\""), TEXT("\"\xef\xbf\xbd\"") },
	{ "half a pair before a pair", TEXT("\"\\ud83d\\ud83d\\ude00\""),
	    TEXT("\"\xef\xbf\xbd\\ud83d\\ude00\"") },
	{ "bytes that are not UTF-8, one by one", TEXT("\"a\xff\xe2\x82z\""),
	    TEXT("\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"") },
	{ "a backslash before no escape", TEXT("\"C:\\xyz\""), TEXT("\"C:\xef\xbf\xbdxyz\"") },
	{ "an escape cut short", TEXT("\"\\u12\""), TEXT("\"\xef\xbf\xbdu12\"") },
	{ "an escaped quote stays one", TEXT("\"\\\"\\q\\\"\""),
	    TEXT("\"\\\"\xef\xbf\xbdq\\\"\"") },
	{ "control characters are escaped", TEXT("\"a\n\0\x1f\""),
	    TEXT("\"a\\u000a\\u0000\\u001f\"") },
	{ "in names, too", TEXT("{\"\xff\":1}"), TEXT("{\"\xef\xbf\xbd\":1}") },
	{ "in the second string", TEXT("[\"ok\",\"\xff\"]"), TEXT("[\"ok\",\"\xef\xbf\xbd\"]") },
	{ "nothing outside of strings", TEXT("\xff{\\\n\x01"), TEXT("\xff{\\\n\x01") },
	{ "a string that never ends", TEXT("\"a\xff"), TEXT("\"a\xef\xbf\xbd") },
	{ "a backslash at the end", TEXT("\"a\\"), TEXT("\"a\xef\xbf\xbd") },
	{ "nothing", TEXT(""), TEXT("") },
};

START_TEST(test_repair)
{
	struct arena arena;
	struct str got;

	arena_init(&arena);
	got = jr_repair(repairs[_i].text, &arena);
	ck_assert_msg(str_same(got, repairs[_i].want), "%s: %.*s", repairs[_i].says, STR_ARG(got));
	if (str_same(repairs[_i].text, repairs[_i].want))
		ck_assert_ptr_eq(got.s, repairs[_i].text.s);
	arena_release(&arena);
}
END_TEST

/* Members as name=value; */
static const struct {
	const char *says, *text, *want;
} glances[] = {
	{ "the outermost members",
	    "{\"a\":\"x\", \"b\" : {\"a\":\"y\"}, \"c\":[\"a\",{\"d\":\"e\"}], \"e\":1}",
	    "a=\"x\";b={;c=[;e=1;" },
	{ "escapes", "{\"a\\\"\":\"\\\\\",\"b\":\"}\\\"\"}", "a\\\"=\"\\\\\";b=\"}\\\"\";" },
	{ "what is left of a broken object", "{\"a\":tru,,]x \"b\":\"c\"", "a=t;b=\"c\";" },
	{ "what was cut off", "{\"a\":\"b\",\"c\":\"d", "a=\"b\";c=\"d;" },
	{ "a name cut off", "{\"a\":\"b\",\"c", "a=\"b\";" },
	{ "no value", "{\"a\":", "a=;" },
	{ "brackets that never close", "{\"a\":\"b\",\"c\":[{\"d\":\"e\"}", "a=\"b\";c=[;" },
	{ "no object", "[\"a\",{\"b\":\"c\"}]", "" },
	{ "nothing", "", "" },
};

START_TEST(test_skim)
{
	struct buf got = BUF_INIT(1000);
	struct skim_member m;
	struct skim s;

	skim_init(&s, str_of(glances[_i].text));
	while (skim_next(&s, &m))
		buf_printf(&got, "%.*s=%.*s;", STR_ARG(m.name), STR_ARG(m.value));
	ck_assert_msg(
	    str_same(buf_peek(&got), str_of(glances[_i].want)), "%s: %s", glances[_i].says, got.p);
	buf_release(&got);
}
END_TEST

START_TEST(test_writer)
{
	struct buf out = BUF_INIT(1000);
	struct jw w;

	jw_init(&w, &out);
	jw_object(&w);
	jw_name(&w, "list");
	jw_array(&w);
	jw_int(&w, INT64_MIN);
	jw_bool(&w, true);
	jw_bool(&w, false);
	jw_null(&w);
	jw_array(&w);
	jw_array_end(&w);
	jw_object(&w);
	jw_object_end(&w);
	jw_array_end(&w);
	jw_name_str(&w, STR("na\"me"));
	jw_str(&w, STR("q\" b\\ \b\f\n\r\t \x01 \x7f \0 \xc3\xa9 \xff \xe2\x82"));
	jw_name(&w, "absent");
	jw_str(&w, (struct str){ NULL, 0 });
	jw_name(&w, "none");
	jw_text(&w, NULL);
	jw_name(&w, "text");
	jw_text(&w, "");
	jw_name(&w, "raw");
	jw_raw(&w, STR("[1]"));
	jw_object_end(&w);
	ck_assert(buf_ok(&out));
	ck_assert_str_eq(out.p,
	    "{\"list\":[-9223372036854775808,true,false,null,[],{}],"
	    "\"na\\\"me\":\"q\\\" b\\\\ \\b\\f\\n\\r\\t \\u0001 \\u007f \\u0000 \xc3\xa9 "
	    "\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\","
	    "\"absent\":null,\"none\":null,\"text\":\"\",\"raw\":[1]}");
	buf_release(&out);
}
END_TEST

START_TEST(test_writer_full)
{
	struct buf out = BUF_INIT(8);
	struct jw w;

	jw_init(&w, &out);
	jw_str(&w, STR("more than eight bytes"));
	ck_assert(!buf_ok(&out));
	buf_release(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reader");
	TCase *tc = tcase_create("json");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_grammar, 0, ARRAY_LEN(texts));
	tcase_add_loop_test(tc, test_string, 0, ARRAY_LEN(strings));
	tcase_add_loop_test(tc, test_int64, 0, ARRAY_LEN(ints));
	tcase_add_test(tc, test_walk);
	tcase_add_loop_test(tc, test_guess, 0, ARRAY_LEN(guesses));
	tcase_add_test(tc, test_stays_failed);
	tcase_add_test(tc, test_goes_no_further);
	tcase_add_loop_test(tc, test_depth, 0, ARRAY_LEN(depths));
	tcase_add_loop_test(tc, test_repair, 0, ARRAY_LEN(repairs));
	tcase_add_loop_test(tc, test_skim, 0, ARRAY_LEN(glances));
	tcase_add_test(tc, test_writer);
	tcase_add_test(tc, test_writer_full);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
