/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/config/conf.h"
#include "lib/config/nearest.h"
#include "lib/config/unit.h"

struct inner {
	char *ca_file;
	bool verify;
};

struct thing {
	char *name, *path;
	int64_t port, wait, room, day;
	bool is_on;
	int mode;
	unsigned kinds;
	struct conf_list hosts, secrets;
	struct conf_pairs labels;
	struct inner tls;
	const struct node *rest;
};

static bool
check_mode(const char *text, struct err *err)
{
	return strcmp(text, "quic") != 0 || err_set(err, ERR_CONF, "quic is not there yet");
}

static const char *const modes[] = { "udp", "tcp", "tls", NULL };

static const struct conf_opt inner_opts[] = {
	{ .name = "ca_file", .type = CONF_STR, .off = offsetof(struct inner, ca_file),
	  .flags = CONF_REQUIRED, .help = "Whom to trust." },
	{ .name = "verify", .type = CONF_BOOL, .off = offsetof(struct inner, verify), .def = "true",
	  .help = "Whether to look." },
	{ .name = NULL }
};

#define F(field) offsetof(struct thing, field)
static const struct conf_opt opts[] = {
	{ .name = "name", .type = CONF_STR, .off = F(name), .flags = CONF_REQUIRED,
	  .help = "What it is called." },
	{ .name = "path", .type = CONF_STR, .off = F(path), .def = "/x", .check = conf_check_absolute,
	  .flags = CONF_FIXED, .help = "Where it is." },
	{ .name = "port", .type = CONF_INT, .off = F(port), .def = "6514", .min = 1, .max = 65535,
	  .help = "Port." },
	{ .name = "wait", .type = CONF_TIME, .off = F(wait), .def = "30s", .min = 1000, .max = 600000,
	  .help = "How long." },
	{ .name = "room", .type = CONF_SIZE, .off = F(room), .def = "8KiB", .help = "How much." },
	{ .name = "day", .type = CONF_DATE, .off = F(day), .help = "When." },
	{ .name = "is_on", .type = CONF_BOOL, .off = F(is_on), .def = "false", .help = "Whether." },
	{ .name = "mode", .type = CONF_CHOICE, .off = F(mode), .def = "tls", .choices = modes,
	  .check = check_mode, .help = "Which." },
	{ .name = "kinds", .type = CONF_CHOICES, .off = F(kinds), .choices = modes,
	  .help = "Which ones." },
	{ .name = "hosts", .type = CONF_LIST, .off = F(hosts), .def = "a b", .max = 3,
	  .help = "Where to." },
	{ .name = "secrets", .type = CONF_SECRET, .off = F(secrets), .help = "Files." },
	{ .name = "labels", .type = CONF_PAIRS, .off = F(labels), .help = "Anything." },
	{ .name = "tls", .type = CONF_MAP, .off = F(tls), .sub = inner_opts, .help = "TLS." },
	{ .name = "rest", .type = CONF_TREE, .off = F(rest), .help = "Read elsewhere." },
	{ .name = NULL }
};
#undef F

static void
on_problem(void *arg, bool is_error, const char *line)
{
	buf_puts(arg, is_error ? "" : "warning ");
	buf_puts(arg, str_starts(str_of(line), "f:") ? line + 2 : line);
	buf_byte(arg, '\n');
}

static bool
refuse_secret(const char *name, struct err *err)
{
	return strcmp(name, "open") != 0 || err_set(err, ERR_CONF, "%s is open to others", name);
}

/* Problems, or when there is none the canonical text; from malloc. */
static char *
fill(const char *text)
{
	struct buf out = BUF_INIT(1 << 20);
	struct problems p;
	struct arena a;
	struct conf c = { .arena = &a, .problems = &p, .check_secret = refuse_secret };
	struct thing t = { .port = 0 };
	const struct node *n;
	bool ok;

	arena_init(&a);
	problems_init(&p);
	n = yaml_read(&a, str_of(text), "f", 0, &p);
	ck_assert_ptr_nonnull(n);
	ok = conf_fill_one(&c, n, opts, &t);
	ck_assert_int_eq(ok, p.errors == 0);
	if (ok)
		conf_write(&out, opts, &t);
	problems_report(&p, on_problem, &out);
	problems_release(&p);
	arena_release(&a);
	return buf_take(&out);
}

/* A line of the canonical text that must be there. */
static const struct {
	const char *says, *text, *want;
} good[] = {
	{ "a text", "name: x y", "name: \"x y\"\n" },
	{ "text is escaped", "name: 'a\"b\\c'", "name: \"a\\\"b\\\\c\"\n" },
	{ "numbers and true are text where text is asked", "name: 010", "name: \"010\"\n" },
	{ "an empty text is one", "name: ''", "name: \"\"\n" },
	{ "default of a text", "name: x", "path: \"/x\"\n" },
	{ "default of a number", "name: x", "port: 6514\n" },
	{ "a number", "{name: x, port: 1}", "port: 1\n" },
	{ "a quoted number", "{name: x, port: '65535'}", "port: 65535\n" },
	{ "default of a duration", "name: x", "wait: 30s\n" },
	{ "a duration", "{name: x, wait: 1500ms}", "wait: 1500ms\n" },
	{ "the largest exact unit", "{name: x, wait: 120s}", "wait: 2m\n" },
	{ "durations add up", "{name: x, wait: 1m30s}", "wait: 90s\n" },
	{ "a size", "{name: x, room: 3MiB}", "room: 3MiB\n" },
	{ "a size in bytes", "{name: x, room: 1000}", "room: 1000\n" },
	{ "a date", "{name: x, day: 2028-02-29}", "day: 2028-02-29\n" },
	{ "no date", "name: x", "day: none\n" },
	{ "a boolean", "{name: x, is_on: true}", "is_on: true\n" },
	{ "a choice", "{name: x, mode: udp}", "mode: udp\n" },
	{ "choices are bits", "{name: x, kinds: [udp, tls]}", "kinds: 5\n" },
	{ "a scalar for choices", "{name: x, kinds: tcp}", "kinds: 2\n" },
	{ "no choices", "{name: x}", "kinds: 0\n" },
	{ "default of a list", "name: x", "hosts: [\"a\", \"b\"]\n" },
	{ "a list", "{name: x, hosts: [q]}", "hosts: [\"q\"]\n" },
	{ "an empty list", "{name: x, hosts: []}", "hosts: []\n" },
	{ "a scalar for a list", "{name: x, hosts: q}", "hosts: [\"q\"]\n" },
	{ "secrets by name", "{name: x, secrets: [a, /b]}", "secrets: [\"a\", \"/b\"]\n" },
	{ "pairs", "{name: x, labels: {a: 1, b: c}}", "labels: {\"a\": \"1\", \"b\": \"c\"}\n" },
	{ "a nested mapping", "{name: x, tls: {ca_file: /c}}", "tls.ca_file: \"/c\"\n" },
	{ "defaults in a nested mapping", "{name: x, tls: {ca_file: /c}}", "tls.verify: true\n" },
	{ "defaults of a mapping that is absent, nothing required", "name: x", "tls.verify: true\n" },
};

START_TEST(test_good)
{
	char *got = fill(good[_i].text), *at = strstr(got, good[_i].want);

	ck_assert_msg(at != NULL && (at == got || at[-1] == '\n'), "%s:\n got %s\nwant %s",
	    good[_i].says, got, good[_i].want);
	free(got);
}
END_TEST

/* Everything that is said. */
static const struct {
	const char *says, *text, *want;
} bad[] = {
	{ "required", "{port: 1}", "1:1: name: is missing; What it is called.\n" },
	{ "unknown, with a proposal", "{name: x, prot: 1}",
	  "1:11: prot: unknown option; did you mean port?\n" },
	{ "unknown, without one", "{name: x, quux: 1}", "1:11: quux: unknown option; here may be: name, "
	  "path, port, wait, room, day, is_on, mode, kinds, hosts, secrets, labels, tls, rest\n" },
	{ "unknown, deeper", "{name: x, tls: {ca_file: x, verfy: true}}",
	  "1:29: tls.verfy: unknown option; did you mean verify?\n" },
	{ "unknown here, but not below", "{name: x, verify: true}",
	  "1:11: verify: unknown option here; it belongs below tls\n" },
	{ "required in a mapping that is there", "{name: x, tls: {verify: true}}",
	  "1:11: tls.ca_file: is missing; Whom to trust.\n" },
	{ "no value", "name:\n", "1:1: name: has no value; write one, or leave the option out\n" },
	{ "a list for a text", "name: [x]\n", "1:7: name: a list; write one value\n" },
	{ "a mapping for a number", "{name: x, port: {}}", "1:17: port: a mapping; write one value\n" },
	{ "not a number", "{name: x, port: 1x}",
	  "1:17: port: \"1x\" is not a whole number; write digits only\n" },
	{ "a fraction", "{name: x, port: 1.5}",
	  "1:17: port: \"1.5\" is not a whole number; write digits only\n" },
	{ "past 64 bits", "{name: x, port: 99999999999999999999}",
	  "1:17: port: \"99999999999999999999\" is not a whole number; write digits only\n" },
	{ "below the range", "{name: x, port: 0}", "1:17: port: 0 is out of range; it may be 1 to 65535\n" },
	{ "above the range", "{name: x, port: 65536}",
	  "1:17: port: 65536 is out of range; it may be 1 to 65535\n" },
	{ "a range of durations", "{name: x, wait: 1h}",
	  "1:17: wait: 1h is out of range; it may be 1s to 10m\n" },
	{ "a day that does not exist", "{name: x, day: 2027-02-29}", "1:16: day: \"2027-02-29\" is not a "
	  "date; write year, month and day: 2027-03-01\n" },
	{ "a time is no date", "{name: x, day: '2027-02-01T0'}", "1:16: day: \"2027-02-01T0\" is not a "
	  "date; write year, month and day: 2027-03-01\n" },
	{ "a duration without a unit", "{name: x, wait: 10}", "1:17: wait: \"10\" is not a duration; "
	  "write a number with ms, s, m, h or d: 90s, 10m, 7d\n" },
	{ "a size of unclear unit", "{name: x, room: 8MB}", "1:17: room: \"8MB\" is not a size; "
	  "write a number with KiB, MiB, GiB or TiB: 64KiB, 8GiB\n" },
	{ "a boolean of YAML 1.1", "{name: x, is_on: yes}",
	  "1:18: is_on: \"yes\" is neither; write true or false\n" },
	{ "an unknown choice", "{name: x, mode: carrier-pigeon}",
	  "1:17: mode: \"carrier-pigeon\" is unknown; it may be udp, tcp or tls\n" },
	{ "a choice nearly right", "{name: x, mode: tpc}",
	  "1:17: mode: \"tpc\" is unknown; it may be udp, tcp or tls\n" },
	{ "a choice with a reason of its own", "{name: x, mode: quic}",
	  "1:17: mode: quic is not there yet\n" },
	{ "unknown among choices", "{name: x, kinds: [udp, x, y]}",
	  "1:24: kinds[1]: \"x\" is unknown; it may be udp, tcp or tls\n"
	  "1:27: kinds[2]: \"y\" is unknown; it may be udp, tcp or tls\n" },
	{ "no choices at all", "{name: x, kinds: []}", "1:18: kinds: an empty list; give at least 1\n" },
	{ "too long a list", "{name: x, hosts: [a, b, c, d]}",
	  "1:18: hosts: 4 values; at most 3 are possible\n" },
	{ "a list in a list", "{name: x, hosts: [a, [b]]}",
	  "1:22: hosts[1]: a list in a list of texts; write a text\n" },
	{ "nothing in a list", "{name: x, hosts: [a, ~]}",
	  "1:22: hosts[1]: nothing in a list of texts; write a text\n" },
	{ "an empty text in a list", "{name: x, hosts: ['']}",
	  "1:19: hosts[0]: an empty text in a list; leave it out\n" },
	{ "a mapping for a list", "{name: x, hosts: {a: b}}",
	  "1:18: hosts: a mapping; write a text or a list of texts: [a, b]\n" },
	{ "a secret that is refused", "{name: x, secrets: [a, open]}",
	  "1:24: secrets[1]: open is open to others\n" },
	{ "a text for pairs", "{name: x, labels: gold}",
	  "1:19: labels: a text; write a mapping of name: text\n" },
	{ "a list among pairs", "{name: x, labels: {a: [b]}}", "1:23: labels.a: a list; write a text\n" },
	{ "a text for a mapping", "{name: x, tls: on}",
	  "1:16: tls: a text; write a mapping: {ca_file: ...}\n" },
	{ "a check of its own", "{name: x, path: x}", "1:17: path: \"x\" is not an absolute path; "
	  "begin it with /\n" },
	{ "everything at once, in the order of the file", "is_on: 1\nmode: x\npart: 2\n",
	  "1:1: name: is missing; What it is called.\n"
	  "1:8: is_on: \"1\" is neither; write true or false\n"
	  "2:7: mode: \"x\" is unknown; it may be udp, tcp or tls\n"
	  "3:1: part: unknown option; did you mean port?\n" },
};

START_TEST(test_bad)
{
	char *got = fill(bad[_i].text);

	ck_assert_msg(strcmp(got, bad[_i].want) == 0, "%s:\n got %s\nwant %s", bad[_i].says, got,
	    bad[_i].want);
	free(got);
}
END_TEST

/* What an outer section put there stays where nothing is written and nothing is the default. */
START_TEST(test_inherits)
{
	static const struct conf_opt plain[] = {
		{ .name = "port", .type = CONF_INT, .off = offsetof(struct thing, port), .help = "P." },
		{ .name = NULL }
	};
	struct problems p;
	struct arena a;
	struct conf c = { .arena = &a, .problems = &p };
	struct thing t = { .port = 7 };

	arena_init(&a);
	problems_init(&p);
	ck_assert(conf_fill_one(&c, yaml_read(&a, STR("{}"), "f", 0, &p), plain, &t));
	ck_assert_int_eq(t.port, 7);
	ck_assert(conf_fill_one(&c, yaml_read(&a, STR("port: 8"), "f", 0, &p), plain, &t));
	ck_assert_int_eq(t.port, 8);
	problems_release(&p);
	arena_release(&a);
}
END_TEST

static void
on_changed(void *arg, const char *name)
{
	buf_printf(arg, "%s ", name);
}

START_TEST(test_fixed_changes)
{
	struct thing was = { .path = (char *)"/a", .port = 1 }, now = was;
	struct buf names = BUF_INIT(100);

	conf_fixed_changes(opts, &was, &now, "x.", on_changed, &names);
	ck_assert_uint_eq(names.n, 0);
	now.port = 2;
	now.path = (char *)"/b";
	conf_fixed_changes(opts, &was, &now, "x.", on_changed, &names);
	ck_assert_str_eq(names.p, "x.path ");
	buf_release(&names);
}
END_TEST

static const struct {
	const char *says, *wrong, *best;
} meant[] = {
	{ "one letter off", "prot", "port" },
	{ "a hyphen", "poll-interval", "poll_interval" },
	{ "an s too many", "sinks", "sink" },
	{ "a short word is close to nothing", "abc", NULL },
	{ "too far off", "intercom", NULL },
	{ "a part of the word", "interval", "poll_interval" },
	{ "more than the word", "portal_port_x", "port" },
	{ "a single letter is close to nothing", "z", NULL },
	{ "the closest of several", "pool", "poll" },
};

START_TEST(test_nearest)
{
	static const char *const words[] = { "port", "poll_interval", "sink", "poll", "xyz", "q" };
	struct nearest n;

	nearest_init(&n, meant[_i].wrong);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		nearest_offer(&n, words[i]);
	ck_assert_msg((n.best == NULL) == (meant[_i].best == NULL)
	    && (n.best == NULL || strcmp(n.best, meant[_i].best) == 0), "%s: got %s",
	    meant[_i].says, n.best != NULL ? n.best : "none");
}
END_TEST

/* Runs print into memory; from malloc. */
static char *
printed(void (*print)(FILE *out))
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	print(out);
	fclose(out);
	return text;
}

static void
print_list(FILE *out)
{
	conf_print_list(out, "x.", opts);
}

static void
print_manual(FILE *out)
{
	conf_print_manual(out, opts);
}

static const struct conf_opt odd[] = {
	{ .name = "note", .type = CONF_STR, .def = "", .help = "What else." },
	{ .name = "rules", .type = CONF_TREE, .flags = CONF_REQUIRED | CONF_LISTED, .help = "Who." },
	{ .name = NULL }
};

static void
print_odd(FILE *out)
{
	conf_print_manual(out, odd);
	conf_print_list(out, "", odd);
}

START_TEST(test_print_odd)
{
	char *text = printed(print_odd);

	ck_assert_ptr_nonnull(strstr(text, "| `note` | text | none | What else. |\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nnote (text; default: none)\n"));
	ck_assert_ptr_nonnull(strstr(text, "| `rules` | list of mappings | required | Who. |\n"));
	free(text);
}
END_TEST

START_TEST(test_print)
{
	char *list = printed(print_list), *manual = printed(print_manual);

	ck_assert_ptr_nonnull(strstr(list, "x.port (number, 1 to 65535; default: 6514)\n    Port.\n"));
	ck_assert_ptr_nonnull(strstr(list, "x.tls.ca_file (text; default: required)\n"));
	ck_assert_ptr_nonnull(strstr(list, "x.mode (one of udp, tcp, tls; default: tls)\n"));
	ck_assert_ptr_nonnull(strstr(manual, "| `wait` | duration, 1s to 10m | `30s` | How long. |\n"));
	ck_assert_ptr_nonnull(strstr(manual, "| `tls.verify` | true or false | `true` | Whether"));
	ck_assert_ptr_nonnull(strstr(manual, "| `path` | text | `/x` | Where it is. A change needs a "
	    "restart. |\n"));
	ck_assert_ptr_nonnull(strstr(manual, "| `kinds` | any of `udp`, `tcp`, `tls` | none |"));
	free(list);
	free(manual);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("option");
	TCase *tc = tcase_create("option");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_good, 0, ARRAY_LEN(good));
	tcase_add_loop_test(tc, test_bad, 0, ARRAY_LEN(bad));
	tcase_add_loop_test(tc, test_nearest, 0, ARRAY_LEN(meant));
	tcase_add_test(tc, test_inherits);
	tcase_add_test(tc, test_fixed_changes);
	tcase_add_test(tc, test_print);
	tcase_add_test(tc, test_print_odd);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
