/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/json/split.h"

#define MAX_BYTES  4096
#define MAX_SLICES 8
#define NONE       "(none)"

/* Slices are written one behind the other with a bar between; then the link. */
static const struct {
	const char *says, *body, *slices, *link;
} pages[] = {
	{ "an empty page", "{\"value\":[]}", "", NONE },
	{ "one element", "{\"value\":[{\"a\":1}]}", "{\"a\":1}", NONE },
	{ "two elements", "{\"value\":[{\"a\":1},{\"b\":2}]}", "{\"a\":1}|{\"b\":2}", NONE },
	{ "white space wherever it may be",
	    " \r\n\t{ \"x\" : 1 , \"value\" : [ { } , { } ] , \"@odata.nextLink\" : \"l\" } \n",
	    "{ }|{ }", "l" },
	{ "a byte order mark", "\xef\xbb\xbf{\"value\":[{}]}", "{}", NONE },
	{ "the link before the list", "{\"@odata.nextLink\":\"l\",\"value\":[{}]}", "{}", "l" },
	{ "the link behind the list", "{\"value\":[{}],\"@odata.nextLink\":\"l\"}", "{}", "l" },
	{ "a link with escapes", "{\"value\":[],\"@odata.nextLink\":\"https:\\/\\/x\\u0026y\"}", "",
	    "https://x&y" },
	{ "a link that is null", "{\"value\":[],\"@odata.nextLink\":null}", "", NONE },
	{ "of two links the last",
	    "{\"@odata.nextLink\":\"a\",\"value\":[],\"@odata.nextLink\":\"b\"}", "", "b" },
	{ "value written with escapes", "{\"\\u0076al\\u0075e\":[{}]}", "{}", NONE },
	{ "a member named value inside an element",
	    "{\"value\":[{\"value\":[1,2]},{\"v\":{\"value\":[]}}]}",
	    "{\"value\":[1,2]}|{\"v\":{\"value\":[]}}", NONE },
	{ "a member named value inside another member", "{\"x\":{\"value\":[1]},\"value\":[{}]}",
	    "{}", NONE },
	{ "a link inside an element is none", "{\"value\":[{\"@odata.nextLink\":\"evil\"}]}",
	    "{\"@odata.nextLink\":\"evil\"}", NONE },
	{ "brackets and commas in strings", "{\"value\":[{\"a\":\"}],{[\"},{\"b\":\"]\"}]}",
	    "{\"a\":\"}],{[\"}|{\"b\":\"]\"}", NONE },
	{ "escaped quotes and backslashes",
	    "{\"value\":[{\"a\":\"\\\"}\\\\\"},{\"b\":\"\\\\\\\"]\"}]}",
	    "{\"a\":\"\\\"}\\\\\"}|{\"b\":\"\\\\\\\"]\"}", NONE },
	{ "elements that are no objects", "{\"value\":[1,\"a,]\",null,[1,[2]],true]}",
	    "1|\"a,]\"|null|[1,[2]]|true", NONE },
	{ "every other type beside the list",
	    "{\"a\":-1.5e9,\"b\":true,\"c\":null,\"d\":[[],{}],\"e\":{\"f\":[]},\"value\":[{}]}",
	    "{}", NONE },
	{ "an element that is not JSON spoils no other",
	    "{\"value\":[{\"a\":1},{\"b\":tru,,},{\"c\":3}]}", "{\"a\":1}|{\"b\":tru,,}|{\"c\":3}",
	    NONE },
	{ "a swapped bracket spoils no other", "{\"value\":[{\"a\":1},{\"b\":[1}},{\"c\":3}]}",
	    "{\"a\":1}|{\"b\":[1}}|{\"c\":3}", NONE },
	{ "a missing comma loses nothing", "{\"value\":[{\"a\":1}{\"b\":2}\"c\" 4]}",
	    "{\"a\":1}|{\"b\":2}|\"c\"|4", NONE },
	{ "commas too many", "{\"value\":[,{\"a\":1},,{\"b\":2},]}", "{\"a\":1}|{\"b\":2}", NONE },
	{ "rubbish between elements is a slice", "{\"value\":[{\"a\":1}xyz,{\"b\":2}]}",
	    "{\"a\":1}|xyz|{\"b\":2}", NONE },
	{ "elements with nothing between them", "{\"value\":[1{\"a\":1}tru[2]fals\"x\"5]}",
	    "1|{\"a\":1}|tru|[2]|fals|\"x\"|5", NONE },
	{ "an odd byte in an element", "{\"value\":[{\"a\":\"\xff\xfe\"},{}]}",
	    "{\"a\":\"\xff\xfe\"}|{}", NONE },
	{ "as many elements as allowed", "{\"value\":[1,2,3,4,5,6,7,8]}", "1|2|3|4|5|6|7|8", NONE },
};

static const struct {
	const char *says, *body;
	enum split_fault fault;
	const char *why;
} wrongs[] = {
	{ "nothing", "", SPLIT_BROKEN, "ends too early" },
	{ "white space", " \n", SPLIT_BROKEN, "ends too early" },
	{ "part of a byte order mark", "\xef\xbb", SPLIT_BROKEN, "ends too early" },
	{ "HTML", "<html>{\"value\":[]}</html>", SPLIT_BROKEN, "not a JSON list" },
	{ "a list", "[{\"value\":[]}]", SPLIT_BROKEN, "not a JSON list" },
	{ "a string", "\"value\"", SPLIT_BROKEN, "not a JSON list" },
	{ "an error body", "{\"error\":{\"code\":\"x\"}}", SPLIT_BROKEN, "no list" },
	{ "an empty object", "{}", SPLIT_BROKEN, "no list" },
	{ "value only inside", "{\"x\":{\"value\":[]}}", SPLIT_BROKEN, "no list" },
	{ "value in another case", "{\"Value\":[]}", SPLIT_BROKEN, "no list" },
	{ "value an object", "{\"value\":{}}", SPLIT_BROKEN, "not a list" },
	{ "value null", "{\"value\":null}", SPLIT_BROKEN, "not a list" },
	{ "value a string", "{\"value\":\"[]\"}", SPLIT_BROKEN, "not a list" },
	{ "value twice", "{\"value\":[{}],\"value\":[]}", SPLIT_BROKEN, "two lists" },
	{ "value twice, once escaped", "{\"value\":[],\"valu\\u0065\":[{}]}", SPLIT_BROKEN,
	    "two lists" },
	{ "cut before the list", "{\"value\":", SPLIT_BROKEN, "ends too early" },
	{ "cut in the list", "{\"value\":[{\"a\":1}", SPLIT_BROKEN, "ends too early" },
	{ "cut behind the list", "{\"value\":[{\"a\":1}]", SPLIT_BROKEN, "ends too early" },
	{ "cut in an element", "{\"value\":[{\"a\":1},{\"b\":", SPLIT_BROKEN, "ends too early" },
	{ "cut in a string", "{\"value\":[{\"a\":\"]}", SPLIT_BROKEN, "ends too early" },
	{ "cut in an escape", "{\"value\":[{\"a\":\"\\", SPLIT_BROKEN, "ends too early" },
	{ "cut in a scalar", "{\"value\":[tru", SPLIT_BROKEN, "ends too early" },
	{ "cut in a name", "{\"value\":[],\"@odata.next", SPLIT_BROKEN, "ends too early" },
	{ "text behind the end", "{\"value\":[]}x", SPLIT_BROKEN, "not a JSON list" },
	{ "a second page behind the end", "{\"value\":[]}{\"value\":[]}", SPLIT_BROKEN,
	    "not a JSON list" },
	{ "a NUL byte outside", "{\"value\":[]\x01}", SPLIT_BROKEN, "not a JSON list" },
	{ "a name without quotes", "{value:[]}", SPLIT_BROKEN, "not a JSON list" },
	{ "a missing colon", "{\"value\"[]}", SPLIT_BROKEN, "not a JSON list" },
	{ "a member without a value", "{\"a\":,\"value\":[]}", SPLIT_BROKEN, "not a JSON list" },
	{ "a comma before the end", "{\"value\":[],}", SPLIT_BROKEN, "not a JSON list" },
	{ "a missing bracket in an element", "{\"value\":[{\"a\":[1},{\"b\":2}]}", SPLIT_BROKEN,
	    "not a JSON list" },
	{ "a superfluous bracket in an element", "{\"value\":[{\"a\":1}},{\"b\":2}]}", SPLIT_BROKEN,
	    "not a JSON list" },
	{ "a link that is a number", "{\"value\":[],\"@odata.nextLink\":1}", SPLIT_BROKEN,
	    "no text" },
	{ "a link that is no JSON string", "{\"value\":[],\"@odata.nextLink\":\"\\x\"}",
	    SPLIT_BROKEN, "no text" },
	{ "a link with a NUL in it", "{\"value\":[],\"@odata.nextLink\":\"a\\u0000b\"}",
	    SPLIT_BROKEN, "no text" },
	{ "one element too many", "{\"value\":[1,2,3,4,5,6,7,8,9]}", SPLIT_TOO_BIG,
	    "too many elements" },
};

/* Splits body in two pieces at `cut`, the rest in pieces of `step` bytes. */
static bool
split_pieces(struct str body, size_t cut, size_t step, struct split_page *page,
    enum split_fault *fault, struct err *err)
{
	struct split s;
	bool ok = true;

	split_init(&s, MAX_BYTES, MAX_SLICES);
	for (size_t at = 0, n = cut; ok && at < body.n; at += n, n = step) {
		n = n < body.n - at ? n : body.n - at;
		ok = split_feed(&s, body.s + at, n);
	}
	ck_assert(ok == (s.fault == SPLIT_FINE));
	ok = split_finish(&s, page, err);
	*fault = s.fault;
	return ok;
}

static char *
describe(const struct split_page *page)
{
	struct buf text = BUF_INIT(MAX_BYTES);

	for (size_t i = 0; i < page->n; i++) {
		if (i != 0)
			buf_byte(&text, '|');
		buf_str(&text, split_slice(page, i));
	}
	return buf_take(&text);
}

static void
check_page(int i, size_t cut, size_t step)
{
	struct split_page page;
	enum split_fault fault;
	struct err err;
	char *got;

	ck_assert_msg(split_pieces(str_of(pages[i].body), cut, step, &page, &fault, &err),
	    "%s, cut at %zu: %s", pages[i].says, cut, err.text);
	got = describe(&page);
	ck_assert_msg(
	    strcmp(got, pages[i].slices) == 0, "%s, cut at %zu: got %s", pages[i].says, cut, got);
	ck_assert_str_eq(page.next_link != NULL ? page.next_link : NONE, pages[i].link);
	free(got);
	split_page_release(&page);
}

START_TEST(test_page)
{
	size_t n = strlen(pages[_i].body);

	for (size_t cut = 0; cut <= n; cut++) {
		check_page(_i, cut, n);
		check_page(_i, cut, 1);
	}
}
END_TEST

START_TEST(test_wrong)
{
	size_t n = strlen(wrongs[_i].body);

	for (size_t cut = 0; cut <= n; cut++) {
		struct split_page page;
		enum split_fault fault;
		struct err err;

		ck_assert_msg(
		    !split_pieces(str_of(wrongs[_i].body), cut, cut % 3 + 1, &page, &fault, &err),
		    "%s", wrongs[_i].says);
		ck_assert_int_eq(fault, wrongs[_i].fault);
		ck_assert_int_eq(err.kind, ERR_TEMP);
		ck_assert_msg(
		    strstr(err.text, wrongs[_i].why) != NULL, "%s: %s", wrongs[_i].says, err.text);
	}
}
END_TEST

/* Whatever is cut off a page that is right, it is an error and never fewer elements. */
START_TEST(test_cut)
{
	size_t n = strlen(pages[_i].body);

	while (n > 0 && pages[_i].body[n - 1] != '}')
		n--;
	for (size_t cut = 0; cut < n; cut++) {
		struct split_page page;
		enum split_fault fault;
		struct err err;

		ck_assert(!split_pieces(
		    (struct str){ pages[_i].body, cut }, cut, 1, &page, &fault, &err));
		ck_assert_int_eq(fault, SPLIT_BROKEN);
	}
}
END_TEST

START_TEST(test_too_many_bytes)
{
	struct split_page page;
	struct split s;
	struct err err;
	char block[1000];

	memset(block, ' ', sizeof(block));
	split_init(&s, MAX_BYTES, MAX_SLICES);
	for (size_t n = 0; n + sizeof(block) <= MAX_BYTES; n += sizeof(block))
		ck_assert(split_feed(&s, block, sizeof(block)));
	ck_assert(!split_feed(&s, block, sizeof(block)));
	ck_assert_int_eq(s.fault, SPLIT_TOO_BIG);
	ck_assert(!split_feed(&s, block, 1));
	ck_assert(!split_finish(&s, &page, &err));
	ck_assert_str_eq(err.text, "the page is not usable: it is too big (byte 4000)");
}
END_TEST

/* However much was expected: what is not needed is given back. */
START_TEST(test_expect)
{
	const size_t expected[] = { 0, 1, 500, MAX_BYTES };
	struct str whole = STR("{\"value\":[{\"a\":1},2]}");

	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		struct split_page page;
		struct split s;
		struct err err;

		split_init(&s, MAX_BYTES, MAX_SLICES);
		(void)buf_room(&s.page.body, expected[i]);
		ck_assert(split_feed(&s, whole.s, whole.n));
		ck_assert(split_finish(&s, &page, &err));
		ck_assert_uint_eq(page.n, 2);
		ck_assert(str_is(split_slice(&page, 0), "{\"a\":1}"));
		ck_assert_uint_eq(page.body.room, whole.n + 1);
		split_page_release(&page);
	}
}
END_TEST

/* Two million brackets are one slice, and cost neither memory nor stack. */
START_TEST(test_depth)
{
	static const size_t depth = 2000000;
	struct split_page page;
	struct split s;
	struct err err;
	char *brackets = malloc(depth);

	split_init(&s, 5000000, MAX_SLICES);
	ck_assert(split_feed(&s, "{\"value\":[", 10));
	memset(brackets, '[', depth);
	ck_assert(split_feed(&s, brackets, depth));
	memset(brackets, ']', depth);
	ck_assert(split_feed(&s, brackets, depth));
	ck_assert(split_feed(&s, ",{}]}", 5));
	ck_assert(split_finish(&s, &page, &err));
	ck_assert_uint_eq(page.n, 2);
	ck_assert_uint_eq(page.slices[0].len, 2 * depth);
	split_page_release(&page);
	free(brackets);
}
END_TEST

START_TEST(test_given_up)
{
	struct split s;

	split_init(&s, MAX_BYTES, MAX_SLICES);
	ck_assert(split_feed(&s, "{\"value\":[1,2,3", 15));
	split_release(&s);
	split_release(&s);
}
END_TEST

/* What is passed over sixty-four bytes at a time is what byte after byte makes of it. */
START_TEST(test_dense)
{
	static const char letters[] = "\\\\\\\\\"\"\"{}[],:a ";
	uint32_t seed = (uint32_t)_i + 1;

	for (int round = 0; round < 500; round++) {
		char body[400] = "{\"value\":[{\"a\":[\"";
		size_t n = strlen(body), end = n + 64 + (size_t)round % 256;
		struct split_page page[2];
		struct split s[2];
		bool ok[2];
		struct err err;

		for (; n < end; n++) {
			seed = seed * 1664525 + 1013904223;
			body[n] = letters[(seed >> 24) % (sizeof(letters) - 1)];
		}
		n += (size_t)snprintf(body + n, sizeof(body) - n, "%s", "\"]},{}]}");
		for (int i = 0; i < 2; i++) {
			split_init(&s[i], MAX_BYTES, MAX_SLICES);
			for (size_t at = 0; at < n; at += i == 0 ? n : 1)
				(void)split_feed(&s[i], body + at, i == 0 ? n : 1);
			ok[i] = split_finish(&s[i], &page[i], &err);
		}
		ck_assert_msg(ok[0] == ok[1] && s[0].fault == s[1].fault, "%s", body);
		for (size_t i = 0; ok[0] && i < page[0].n; i++)
			ck_assert_msg(page[0].n == page[1].n && str_same(split_slice(&page[0], i),
									split_slice(&page[1], i)),
			    "%s", body);
		for (int i = 0; i < 2 && ok[0]; i++)
			split_page_release(&page[i]);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("split");
	TCase *tc = tcase_create("split");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_page, 0, ARRAY_LEN(pages));
	tcase_add_loop_test(tc, test_wrong, 0, ARRAY_LEN(wrongs));
	tcase_add_loop_test(tc, test_cut, 0, ARRAY_LEN(pages));
	tcase_add_test(tc, test_too_many_bytes);
	tcase_add_test(tc, test_expect);
	tcase_add_test(tc, test_depth);
	tcase_add_loop_test(tc, test_dense, 0, 8);
	tcase_add_test(tc, test_given_up);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
