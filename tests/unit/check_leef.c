/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/format/format.h"
#include "tests/unit/golden.h"
#include "tests/unit/leef_parse.h"

static const struct format_opts plenty = { .max_bytes = 60000 };

struct line {
	struct buf text;
	struct leef_parsed leef;
};

static void
write_line(struct line *l, const struct event *ev, const struct format_opts *opts)
{
	const char *wrong;

	buf_init(&l->text, opts->max_bytes);
	ck_assert(format_leef.write(&l->text, ev, opts));
	wrong = leef_parse(&l->leef, buf_peek(&l->text));
	ck_assert_msg(wrong == NULL, "%s: %s", wrong, l->text.p);
	ck_assert_uint_le(l->text.n, opts->max_bytes);
}

static void
assert_key(const struct line *l, const char *says, const char *key, const char *want)
{
	struct str got = leef_get(&l->leef, key);

	if (want == NULL)
		ck_assert_msg(got.s == NULL, "%s: %s is %.*s", says, key, STR_ARG(got));
	else
		ck_assert_msg(str_is(got, want), "%s: %s is %.*s", says, key, STR_ARG(got));
}

#define EVIDENCE(type, members) \
	"\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security." type "\"," members "}]"

static const struct {
	const char *says, *members, *key, *want; /* want NULL: no such key */
} cases[] = {
	{ "the title is a key, as the header has no name", "\"title\":\"T\"", "title", "T" },
	{ "and never missing", "\"title\":null", "title", "Microsoft Defender alert" },
	{ "the event id", "\"x\":1", "eventId",
	    MADE_TENANT_ID "/alert:da1_1/2026-11-22T04:10:46.0900000Z" },
	{ "the alert's id", "\"x\":1", "alertId", "da1_1" },
	{ "the tenant", "\"x\":1", "tenantId", MADE_TENANT_ID },
	{ "the customer", "\"x\":1", "customer", "Contoso Ltd" },
	{ "high is 8", "\"severity\":\"high\"", "sev", "8" },
	{ "informational is 1", "\"severity\":\"informational\"", "sev", "1" },
	{ "what is not known is in the middle", "\"severity\":\"dire\"", "sev", "5" },
	{ "the time", "\"createdDateTime\":\"2026-11-22T04:10:30.7033333Z\"", "devTime",
	    "1795320630703" },
	{ "what happened", "\"x\":1", "act", "new" },
	{ "the category", "\"category\":\"Execution\"", "cat", "Execution" },
	{ "a tab in a value is a space", "\"description\":\"a\\tb\\r\\nc\"", "description",
	    "a b c" },
	{ "nothing is escaped", "\"description\":\"a=b|c\\\\d\"", "description", "a=b|c\\d" },
	{ "a value of spaces is no key", "\"description\":\" \\t \"", "description", NULL },
	{ "an incident with a number", "\"incidentId\":\"40817\"", "incidentId", "40817" },
	{ "or a name", "\"incidentId\":\"x40\"", "incidentId", "x40" },
	{ "the device", EVIDENCE("deviceEvidence", "\"hostName\":\"h\""), "identHostName", "h" },
	{ "its address",
	    EVIDENCE("deviceEvidence", "\"hostName\":\"h\",\"lastIpAddress\":\"10.0.0.1\""), "src",
	    "10.0.0.1" },
	{ "of IPv6, too",
	    EVIDENCE("deviceEvidence", "\"hostName\":\"h\",\"lastIpAddress\":\"2001:db8::1\""),
	    "src", "2001:db8::1" },
	{ "the user", EVIDENCE("userEvidence", "\"userAccount\":{\"accountName\":\"a\"}"),
	    "usrName", "a" },
	{ "a link", EVIDENCE("urlEvidence", "\"url\":\"http://x/?a=b\""), "url", "http://x/?a=b" },
	{ "the command line", EVIDENCE("processEvidence", "\"processCommandLine\":\"x /y\""),
	    "commandLine", "x /y" },
};

START_TEST(test_mapping)
{
	char *slice = xasprintf("{\"id\":\"da1_1\",\"lastUpdateDateTime\":"
				"\"2026-11-22T04:10:46.09Z\",%s}",
	    cases[_i].members);
	struct made m;
	struct record *r = make_from_json(&m, str_of(slice));
	struct line l;

	ck_assert_int_eq(r->type, RECORD_ALERT);
	write_line(&l, &m.event, &plenty);
	assert_key(&l, cases[_i].says, cases[_i].key, cases[_i].want);
	buf_release(&l.text);
	record_unref(r);
	free(slice);
}
END_TEST

START_TEST(test_header)
{
	struct made m;
	struct line l;

	make_alert(&m);
	m.record.alert.detector_id = STR("7f1c|3609");
	write_line(&l, &m.event, &plenty);
	ck_assert(str_is(l.leef.header[1], "Microsoft"));
	ck_assert(str_is(l.leef.header[2], "Microsoft Defender for Endpoint"));
	ck_assert(str_is(l.leef.header[4], "7f1c-3609"));
	buf_release(&l.text);
	make_health(&m);
	write_line(&l, &m.event, &plenty);
	ck_assert(str_is(l.leef.header[1], "msspd"));
	ck_assert(str_starts(l.leef.header[4], "health."));
	buf_release(&l.text);
	m.record.type = RECORD_CANARY;
	write_line(&l, &m.event, &plenty);
	assert_key(&l, "sev begins at 1", "sev", "1");
	buf_release(&l.text);
	make_unreadable(&m, "da9_9", "it is broken");
	write_line(&l, &m.event, &plenty);
	ck_assert(str_is(l.leef.header[4], "unreadable"));
	assert_key(&l, "an unreadable alert", "title", "Unreadable alert");
	assert_key(&l, "and its reason", "recommendedActions", "it is broken");
	buf_release(&l.text);
}
END_TEST

static const char *const kept[] = { "title", "sev", "devTime", "act", "alertId", "tenantId",
	"customer", "eventId" };

START_TEST(test_every_size)
{
	char text[5000];
	struct evidence e = make_evidence(EVIDENCE_PROCESS);
	struct made m;
	struct line l;

	memset(text, 'x', sizeof(text));
	make_alert(&m);
	m.record.alert.title = m.record.alert.description = (struct str){ text, 900 };
	m.record.alert.recommended_actions = (struct str){ text, sizeof(text) };
	e.process.command_line = (struct str){ text, sizeof(text) };
	m.record.alert.evidence = &e;
	m.record.alert.nevidence = 1;
	for (size_t max = 480; max < 9000; max += 31) {
		const struct format_opts opts = { .max_bytes = max };

		write_line(&l, &m.event, &opts);
		for (size_t i = 0; i < ARRAY_LEN(kept); i++)
			ck_assert_msg(
			    leef_get(&l.leef, kept[i]).n != 0, "%zu: no %s", max, kept[i]);
		ck_assert_msg(max < 1000 || leef_get(&l.leef, "alertUrl").n != 0, "%zu", max);
		ck_assert_msg(max < 8000 || l.text.n > 6000, "%zu: %zu", max, l.text.n);
		buf_release(&l.text);
	}
}
END_TEST

START_TEST(test_no_room)
{
	struct format_opts opts = { .max_bytes = 100 };
	struct buf out = BUF_INIT(200);
	struct made m;

	make_alert(&m);
	buf_puts(&out, "before");
	ck_assert(!format_leef.write(&out, &m.event, &opts));
	ck_assert(!format_leef.write(&out, &m.event, &plenty));
	ck_assert_str_eq(out.p, "before");
	ck_assert(buf_ok(&out));
	buf_release(&out);
}
END_TEST

static void
check_golden(const char *name, const struct golden *g)
{
	struct line l;

	write_line(&l, &g->made.event, &g->opts);
	buf_byte(&l.text, '\n');
	ck_assert_msg(str_same(buf_peek(&l.text), g->want), "%s gives\n%s", name, l.text.p);
	buf_release(&l.text);
}

START_TEST(test_golden)
{
	ck_assert_uint_ge(golden_each("tests/data/leef", check_golden), 5);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("leef");
	TCase *tc = tcase_create("leef");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_mapping, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_header);
	tcase_add_test(tc, test_every_size);
	tcase_add_test(tc, test_no_room);
	tcase_add_test(tc, test_golden);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
