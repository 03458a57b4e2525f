/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/config/yaml.h"

/* One line for each problem, without the name of the file. */
static void
on_problem(void *arg, bool is_error, const char *line)
{
	(void)is_error;
	buf_puts(arg, str_starts(str_of(line), "f.yaml:") ? line + 7 : line);
	buf_byte(arg, '\n');
}

static void
put_tree(struct buf *b, const struct node *n)
{
	if (n->key != NULL)
		buf_printf(b, "%s@%u:%u=", n->key, n->key_at.line, n->key_at.column);
	if (n->kind == NODE_SCALAR) {
		buf_puts(b, n->is_null ? "null" : n->text);
		buf_printf(b, "@%u:%u", n->at.line, n->at.column);
		return;
	}
	buf_byte(b, n->kind == NODE_MAP ? '{' : '[');
	for (const struct node *c = n->first; c != NULL; c = c->next) {
		put_tree(b, c);
		if (c->next != NULL)
			buf_byte(b, ' ');
	}
	buf_byte(b, n->kind == NODE_MAP ? '}' : ']');
}

/* The tree as text, or "-" and what is wrong; from malloc. */
static char *
read_text(struct str text)
{
	struct buf out = BUF_INIT(1 << 20);
	struct problems p;
	struct arena a;
	struct node *n;

	arena_init(&a);
	problems_init(&p);
	n = yaml_read(&a, text, "f.yaml", 0, &p);
	if (n != NULL && p.errors == 0)
		put_tree(&out, n);
	ck_assert(n != NULL || p.errors > 0);
	problems_report(&p, on_problem, &out);
	problems_release(&p);
	arena_release(&a);
	return buf_take(&out);
}

static const struct {
	const char *says, *text, *want;
} good[] = {
	{ "places count from one", "a: 1\nbb: 2\n", "{a@1:1=1@1:4 bb@2:1=2@2:5}" },
	{ "a mapping in a mapping", "a:\n  b: x\n  c: y\n", "{a@1:1={b@2:3=x@2:6 c@3:3=y@3:6}}" },
	{ "lists of both shapes", "a: [1, 2]\nb:\n  - 3\n", "{a@1:1=[1@1:5 2@1:8] b@2:1=[3@3:5]}" },
	{ "quoted text begins at its quote", "a: \"x\"\nb: 'y'\n", "{a@1:1=x@1:4 b@2:1=y@2:4}" },
	{ "JSON is YAML", "{\"a\": {\"b\": [true, \"x\"]}}", "{a@1:2={b@1:8=[true@1:14 x@1:20]}}" },
	{ "nothing is null, with the place of its key", "a:\nb: ~\nc: null\nd: ''\n",
	  "{a@1:1=null@1:1 b@2:1=null@2:4 c@3:1=null@3:4 d@4:1=@4:4}" },
	{ "a quoted null is a text", "a: \"null\"\n", "{a@1:1=null@1:4}" },
	{ "comments and blank lines", "# x\n\na: 1 # y\n", "{a@3:1=1@3:4}" },
	{ "a byte order mark", "\xef\xbb\xbf" "a: 1\n", "{a@1:1=1@1:4}" },
	{ "the start of a document may be said", "---\na: 1\n...\n", "{a@2:1=1@2:4}" },
	{ "YAML 1.2: no, on and 010 are texts", "a: [no, on, 010]", "{a@1:1=[no@1:5 on@1:9 010@1:13]}" },
	{ "UTF-8", "a: M\xc3\xbcller\n", "{a@1:1=M\xc3\xbcller@1:4}" },
	{ "a URL is no mapping", "a: tls://h:6514\n", "{a@1:1=tls://h:6514@1:4}" },
	{ "lines of Windows", "a: 1\r\nb: 2\r\n", "{a@1:1=1@1:4 b@2:1=2@2:4}" },
	{ "text of several lines", "a: |\n  x\n  y\n", "{a@1:1=x\ny\n@2:1}" },
	{ "an empty mapping", "{}", "{}" },
	{ "no line end at the end", "a: 1", "{a@1:1=1@1:4}" },
};

START_TEST(test_good)
{
	char *got = read_text(str_of(good[_i].text));

	ck_assert_msg(strcmp(got, good[_i].want) == 0, "%s:\n got %s\nwant %s", good[_i].says, got,
	    good[_i].want);
	free(got);
}
END_TEST

/* want: how each line of what is said begins, or a part of the first. */
static const struct {
	const char *says;
	struct str text;
	const char *want;
} bad[] = {
	{ "an empty file", STR(""), " is empty; write" },
	{ "only comments", STR("# x\n"), " is empty; write" },
	{ "a document of nothing", STR("---\n"), " is empty; write" },
	{ "a list", STR("- a\n"), "1:1: not a mapping" },
	{ "a text", STR("hello"), "1:1: not a mapping" },
	{ "two documents", STR("a: 1\n---\nb: 2\n"), "2:1: a second document" },
	{ "an alias", STR("a: *x\n"), "aliases" },
	{ "an anchor", STR("a: &x 1\n"), "1:7: anchors" },
	{ "an anchor on a mapping", STR("a: &x {b: 1}\n"), "anchors" },
	{ "a tag", STR("a: !!str 1\n"), "1:10: tags" },
	{ "a tag on a list", STR("a: !x [1]\n"), "tags" },
	{ "a merge key", STR("a: 1\n<<: *x\n"), "aliases" },
	{ "a key twice", STR("a: 1\nb: 2\na: 3\n"), "3:1: a: given twice, first at f.yaml:1:1" },
	{ "a key twice, deeper", STR("a: {b: 1, b: 2}\n"), "1:11: a.b: given twice, first at f.yaml:1:5" },
	{ "a key that is a list", STR("? [a]\n: 1\n"), "1:3: a key cannot be" },
	{ "a missing key", STR(": 1\n"), "1:1: a key is missing" },
	{ "a tab for indentation", STR("a:\n\tb: 1\n"), "a tab in the indentation" },
	{ "a bracket left open", STR("a: [1, 2\n"), "not YAML: " },
	{ "a quote left open", STR("a: \"x\n"), "not YAML: " },
	{ "a mapping in a line", STR("a: b: c\n"), "not YAML: " },
	{ "wrong indentation", STR("a:\n   b: 1\n  c: 2\n"), "not YAML: " },
	{ "Latin-1", STR("a: 1\nb: M\xfcller\n"), "2:5: this byte is not UTF-8" },
	{ "UTF-16", STR("\xff\xfe" "a\0:\0"), "1:1: this byte is not UTF-8" },
	{ "a NUL", STR("a: x\0y\n"), "1:5: a control character" },
	{ "a NUL that is escaped", STR("a: \"x\\0y\"\n"), "1:4: this text holds a NUL" },
	{ "an escape of a terminal", STR("a: \x1b[2J\n"), "1:4: a control character" },
};

START_TEST(test_bad)
{
	char *got = read_text(bad[_i].text);
	bool is_start = bad[_i].want[0] >= '0' && bad[_i].want[0] <= '9';

	ck_assert_msg(is_start ? str_starts(str_of(got), bad[_i].want)
	    : strstr(got, bad[_i].want) != NULL, "%s:\n got %s\nwant %s", bad[_i].says, got,
	    bad[_i].want);
	free(got);
}
END_TEST

/* n times open, then n times close. */
static char *
nested(size_t n, char open, char close)
{
	struct buf b = BUF_INIT(1 << 20);

	buf_puts(&b, "a: ");
	for (size_t i = 0; i < n; i++)
		buf_byte(&b, open);
	for (size_t i = 0; i < n; i++)
		buf_byte(&b, close);
	return buf_take(&b);
}

START_TEST(test_depth)
{
	char *text = nested(YAML_MAX_DEPTH - 1, '[', ']'), *got = read_text(str_of(text));

	ck_assert(strstr(got, "deep") == NULL);
	free(text);
	free(got);
	text = nested(YAML_MAX_DEPTH, '[', ']');
	got = read_text(str_of(text));
	ck_assert_ptr_nonnull(strstr(got, "nested too deeply"));
	free(text);
	free(got);
	text = nested(100000, '[', ']');
	got = read_text(str_of(text));
	ck_assert_ptr_nonnull(strstr(got, "nested too deeply"));
	free(text);
	free(got);
}
END_TEST

START_TEST(test_size)
{
	struct buf b = BUF_INIT(YAML_MAX_BYTES * 2);
	char *got;

	buf_puts(&b, "a: [");
	for (size_t i = 0; i < YAML_MAX_NODES; i++)
		buf_puts(&b, "1,");
	buf_puts(&b, "1]");
	got = read_text(buf_peek(&b));
	ck_assert_ptr_nonnull(strstr(got, "too many values"));
	free(got);
	while (b.n <= YAML_MAX_BYTES)
		buf_puts(&b, "                                                  ");
	got = read_text(buf_peek(&b));
	ck_assert_ptr_nonnull(strstr(got, "larger than 4 MiB"));
	free(got);
	buf_release(&b);
}
END_TEST

/* Two files: sections become one, the same name in both is an error with both places. */
START_TEST(test_join)
{
	struct buf out = BUF_INIT(10000);
	struct node *a, *b;
	struct problems p;
	struct arena arena;

	arena_init(&arena);
	problems_init(&p);
	a = yaml_read(&arena, STR("s: {x: 1, y: 2}\nt: 1\n"), "a", 0, &p);
	b = yaml_read(&arena, STR("t: 2\ns: {z: 3, y: 4}\nu: 5\n"), "b", 1, &p);
	yaml_join(a, b, &p);
	yaml_joined(a, &p);
	put_tree(&out, a);
	ck_assert_str_eq(out.p, "{s@1:1={x@1:5=1@1:8 y@1:11=2@1:14 z@2:5=3@2:8 y@2:11=4@2:14} "
	    "t@2:1=1@2:4 u@3:1=5@3:4}");
	buf_clear(&out);
	problems_report(&p, on_problem, &out);
	ck_assert_str_eq(out.p, "b:1:1: t: given twice, first at a:2:1; keep one of them\n"
	    "b:2:11: s.y: given twice, first at a:1:11; keep one of them\n");
	buf_release(&out);
	problems_release(&p);
	arena_release(&arena);
}
END_TEST

START_TEST(test_many_problems)
{
	struct place at = { .file = "f.yaml", .line = 1, .column = 1 };
	struct buf out = BUF_INIT(1 << 20);
	struct problems p;
	size_t lines = 0;

	problems_init(&p);
	for (unsigned i = 0; i < PROBLEMS_MAX + 5; i++) {
		at.line = 1000 - i;
		problems_error(&p, &at, "a.b", "bad \x1b[1m\xff\xc2\x9b\xe2\x80\xae %u", i);
	}
	problems_report(&p, on_problem, &out);
	for (size_t i = 0; i < out.n; i++)
		lines += out.p[i] == '\n';
	ck_assert_uint_eq(lines, PROBLEMS_MAX + 1);
	ck_assert(str_starts(buf_peek(&out), "801:1: a.b: bad ?[1m??? 199\n802:1: "));
	ck_assert_ptr_nonnull(strstr(out.p, "\nand 5 more"));
	ck_assert_uint_eq(p.errors, PROBLEMS_MAX + 5);
	buf_release(&out);
	problems_release(&p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("yaml");
	TCase *tc = tcase_create("yaml");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_good, 0, ARRAY_LEN(good));
	tcase_add_loop_test(tc, test_bad, 0, ARRAY_LEN(bad));
	tcase_add_test(tc, test_depth);
	tcase_add_test(tc, test_size);
	tcase_add_test(tc, test_join);
	tcase_add_test(tc, test_many_problems);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
