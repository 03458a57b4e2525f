/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/format/format.h"
#include "tests/unit/golden.h"
#include "tests/unit/json_lines.h"

#define PLENTY (1 << 20)

/* Writes it, checks what holds for every event, and returns it; NULL when it was not written. */
static json_t *
try_write(const struct event *ev, const struct format_opts *opts)
{
	struct buf out = BUF_INIT(opts->max_bytes);
	json_error_t error;
	json_t *top;

	if (!format_ecs.write(&out, ev, opts)) {
		ck_assert_uint_eq(out.n, 0);
		ck_assert(buf_ok(&out));
		return NULL;
	}
	ck_assert_uint_le(out.n, opts->max_bytes);
	ck_assert_ptr_null(line_fault(buf_peek(&out)));
	top = json_loadb(out.p, out.n, JSON_ALLOW_NUL, &error);
	ck_assert_msg(top != NULL, "%s: %s", error.text, out.p);
	buf_release(&out);
	return top;
}

static json_t *
write_ecs(const struct event *ev, size_t max_bytes)
{
	struct format_opts opts = { .max_bytes = max_bytes };
	json_t *top = try_write(ev, &opts);

	ck_assert_msg(top != NULL, "not written in %zu bytes", max_bytes);
	return top;
}

static void
assert_at(json_t *top, const char *says, const char *path, const char *want)
{
	json_t *value = json_at(top, path);
	char *got = value == NULL
	                ? xstrdup("")
	                : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);

	ck_assert_msg(strcmp(got, want) == 0, "%s: %s is %s, not %s", says, path, got, want);
	free(got);
}

/* ---- the mapping: members of an alert, a path, the value as JSON ------------------------- */

static const struct {
	const char *says, *members, *path, *want;
} cases[] = {
	{ "@timestamp of a new alert is its creation",
	    "\"createdDateTime\":\"2026-11-22T04:10:30.7033333Z\"", "@timestamp",
	    "\"2026-11-22T04:10:30.703Z\"" },
	{ "the schema's version", "\"x\":1", "ecs.version", "\"8.17.0\"" },
	{ "an alert", "\"x\":1", "event.kind", "\"alert\"" },
	{ "from msspd", "\"x\":1", "event.dataset", "\"msspd.alert\"" },
	{ "what happened", "\"x\":1", "event.action", "\"new\"" },
	{ "the alert's id", "\"x\":1", "event.id", "\"da1_1\"" },
	{ "high is 73", "\"severity\":\"high\"", "event.severity", "73" },
	{ "medium is 47", "\"severity\":\"medium\"", "event.severity", "47" },
	{ "informational is 21", "\"severity\":\"informational\"", "event.severity", "21" },
	{ "a word of next year has no number", "\"severity\":\"dire\"", "event.severity", "" },
	{ "but stays", "\"severity\":\"dire\"", "msspd.severity", "\"dire\"" },
	{ "start", "\"firstActivityDateTime\":\"2026-11-22T04:08:59.1Z\"", "event.start",
	    "\"2026-11-22T04:08:59.1000000Z\"" },
	{ "the portal's link", "\"x\":1", "event.url",
	    "\"https://security.microsoft.com/alerts/"
	    "da1_1?tid=11111111-2222-3333-4444-555555555555\"" },
	{ "the alert itself", "\"x\":1", "event.original",
	    "\"{\\\"id\\\":\\\"da1_1\\\",\\\"lastUpdateDateTime\\\":\\\"2026-11-22T04:10:46."
	    "09Z\\\",\\\"x\\\":1}\"" },
	{ "message is the description", "\"title\":\"T\",\"description\":\"d\"", "message",
	    "\"d\"" },
	{ "or the title", "\"title\":\"T\"", "message", "\"T\"" },
	{ "and never missing", "\"x\":1", "message", "\"Microsoft Defender alert\"" },
	{ "the rule",
	    "\"title\":\"T\",\"detectorId\":\"d\",\"alertPolicyId\":\"p\",\"category\":\"Malware\"",
	    "rule", "{\"category\":\"Malware\",\"id\":\"d\",\"name\":\"T\",\"uuid\":\"p\"}" },
	{ "tactics and techniques",
	    "\"category\":\"Execution\",\"mitreTechniques\":[\"T1059.001\",\"T1027\",\"odd\"]",
	    "threat",
	    "{\"framework\":\"MITRE "
	    "ATT&CK\",\"tactic\":{\"id\":[\"TA0002\"],\"name\":[\"Execution\"]},\"technique\":{"
	    "\"id\":[\"T1059\",\"T1027\"],\"subtechnique\":{\"id\":[\"T1059.001\"]}}}" },
	{ "no threat is none", "\"category\":\"Malware\"", "threat", "" },
	{ "the actor is a group", "\"actorDisplayName\":\"A\"", "threat.group.name", "\"A\"" },
	{ "malware", "\"threatFamilyName\":\"F\"", "threat.software.name", "\"F\"" },
	{ "tags", "\"systemTags\":[\"a\"]", "tags", "[\"a\"]" },
	{ "the tenant", "\"x\":1", "organization",
	    "{\"id\":\"11111111-2222-3333-4444-555555555555\",\"name\":\"Contoso Ltd\"}" },
	{ "the product", "\"serviceSource\":\"microsoftDefenderForIdentity\"", "observer.product",
	    "\"Microsoft Defender for Identity\"" },
	{ "is one of a list", "\"serviceSource\":\"evil\"", "observer.product",
	    "\"Microsoft Defender\"" },
	{ "the event's id", "\"x\":1", "msspd.event_id",
	    "\"11111111-2222-3333-4444-555555555555/alert:da1_1/2026-11-22T04:10:46.0900000Z\"" },
	{ "status", "\"status\":\"resolved\"", "msspd.status", "\"resolved\"" },
	{ "the incident", "\"incidentId\":\"7\"", "msspd.incident_id", "\"7\"" },
	{ "objects are text", "\"additionalData\":{\"a\":{\"b\":1}}", "msspd.additional_data",
	    "\"{\\\"a\\\":{\\\"b\\\":1}}\"" },
	{ "categories by evidence",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.urlEvidence\",\"url\":"
	    "\"u\"}]",
	    "event.category", "[\"intrusion_detection\",\"web\"]" },
	{ "the host",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.deviceEvidence\","
	    "\"deviceDnsName\":\"h.x\",\"hostName\":\"h\",\"mdeDeviceId\":\"m\",\"osPlatform\":"
	    "\"Linux\"}]",
	    "host",
	    "{\"hostname\":\"h\",\"id\":\"m\",\"name\":\"h.x\",\"os\":{\"name\":\"Linux\"}}" },
	{ "addresses only",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.deviceEvidence\","
	    "\"hostName\":\"h\",\"ipInterfaces\":[\"x\",\"10.0.0.1\"]}]",
	    "host.ip", "[\"10.0.0.1\"]" },
	{ "a user",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.userEvidence\","
	    "\"userAccount\":{\"accountName\":\"a\",\"userSid\":\"S\",\"domainName\":\"D\","
	    "\"userPrincipalName\":\"a@b.example\"}}]",
	    "user", "{\"domain\":\"D\",\"email\":\"a@b.example\",\"id\":\"S\",\"name\":\"a\"}" },
	{ "who is related",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.userEvidence\","
	    "\"userAccount\":{\"accountName\":\"a\",\"userPrincipalName\":\"a@b.example\"}}]",
	    "related.user", "[\"a\",\"a@b.example\"]" },
	{ "a process",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.processEvidence\","
	    "\"processId\":4,\"processCommandLine\":\"c\",\"imageFile\":{\"fileName\":\"x.exe\","
	    "\"filePath\":\"C:\\\\d\",\"sha1\":\"s\"}}]",
	    "process",
	    "{\"command_line\":\"c\",\"executable\":\"C:\\\\d\\\\x.exe\",\"hash\":{\"sha1\":\"s\"},"
	    "\"name\":\"x.exe\",\"pid\":4}" },
	{ "a file",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.fileEvidence\","
	    "\"fileDetails\":{\"fileName\":\"f\",\"filePath\":\"/d\",\"fileSize\":7}}]",
	    "file", "{\"directory\":\"/d\",\"name\":\"f\",\"path\":\"/d/f\",\"size\":7}" },
	{ "a hash by itself",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.fileHashEvidence\","
	    "\"algorithm\":\"sha256\",\"value\":\"v\"}]",
	    "file.hash", "{\"sha256\":\"v\"}" },
	{ "related hashes",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.fileHashEvidence\","
	    "\"algorithm\":\"sha256\",\"value\":\"v\"}]",
	    "related.hash", "[\"v\"]" },
	{ "an address without a device is the source",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.ipEvidence\",\"ipAddress\":"
	    "\"198.51.100.1\",\"countryLetterCode\":\"NL\"}]",
	    "source", "{\"geo\":{\"country_iso_code\":\"NL\"},\"ip\":\"198.51.100.1\"}" },
	{ "what is no address is none",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.ipEvidence\",\"ipAddress\":"
	    "\"x\"}]",
	    "source", "" },
	{ "nor related",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.ipEvidence\",\"ipAddress\":"
	    "\"x\"}]",
	    "related", "" },
	{ "a URL",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.urlEvidence\",\"url\":"
	    "\"https://u@h.example:1/p?q#f\"}]",
	    "url",
	    "{\"domain\":\"h.example\",\"original\":\"https://u@h.example:1/p?q#f\",\"path\":\"/"
	    "p\",\"query\":\"q\",\"scheme\":\"https\"}" },
	{ "mail",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.analyzedMessageEvidence\","
	    "\"subject\":\"S\",\"recipientEmailAddress\":\"r@x\",\"p2Sender\":{\"emailAddress\":"
	    "\"s@y\"},\"internetMessageId\":\"<m>\"}]",
	    "email",
	    "{\"from\":{\"address\":[\"s@y\"]},\"message_id\":\"<m>\",\"subject\":\"S\",\"to\":{"
	    "\"address\":[\"r@x\"]}}" },
	{ "registry",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.registryValueEvidence\","
	    "\"registryHive\":\"HKLM\",\"registryKey\":\"A\",\"registryValueName\":\"n\","
	    "\"registryValue\":\"v\"}]",
	    "registry",
	    "{\"data\":{\"strings\":[\"v\"]},\"hive\":\"HKLM\",\"key\":\"A\",\"path\":"
	    "\"HKLM\\\\A\\\\n\",\"value\":\"n\"}" },
	{ "a service",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.cloudApplicationEvidence\","
	    "\"displayName\":\"App\"}]",
	    "service.name", "\"App\"" },
	{ "what a holder holds",
	    "\"evidence\":[{\"@odata.type\":\"#microsoft.graph.security.hostLogonSessionEvidence\","
	    "\"host\":{\"hostName\":\"h\"}}]",
	    "host.hostname", "\"h\"" },
};

START_TEST(test_mapping)
{
	char *slice = xasprintf("{\"id\":\"da1_1\",\"lastUpdateDateTime\":"
				"\"2026-11-22T04:10:46.09Z\",%s}",
	    cases[_i].members);
	struct made m;
	struct record *r = make_from_json(&m, str_of(slice));
	json_t *top;

	ck_assert_int_eq(r->type, RECORD_ALERT);
	top = write_ecs(&m.event, PLENTY);
	assert_at(top, cases[_i].says, cases[_i].path, cases[_i].want);
	json_decref(top);
	record_unref(r);
	free(slice);
}
END_TEST

START_TEST(test_other_records)
{
	struct str slice =
	    STR("{\"id\":\"40817\",\"lastUpdateDateTime\":\"2026-11-22T04:10:46.09Z\","
		"\"displayName\":\"N\",\"severity\":\"low\",\"customTags\":[\"t\"]}");
	struct record *r = record_from_incident(slice, true, 0);
	struct made m;
	json_t *top;

	make_unreadable(&m, "da9_9", "it is broken");
	top = write_ecs(&m.event, PLENTY);
	assert_at(top, "an unreadable alert is one", "event.kind", "\"alert\"");
	assert_at(top, "of weight", "event.severity", "73");
	assert_at(top, "with its reason", "event.reason", "\"it is broken\"");
	assert_at(top, "and its text", "event.original", "\"{\\\"id\\\":\"");
	json_decref(top);
	make_health(&m);
	top = write_ecs(&m.event, PLENTY);
	assert_at(top, "health is a state", "event.kind", "\"state\"");
	assert_at(top, "of msspd", "observer.product", "\"msspd\"");
	ck_assert(json_is_string(json_at(top, "msspd.remedy")));
	json_decref(top);
	m.record.type = RECORD_CANARY;
	top = write_ecs(&m.event, PLENTY);
	assert_at(top, "a canary is an event", "event.kind", "\"event\"");
	json_decref(top);
	make_alert(&m);
	m.event.record = r;
	top = write_ecs(&m.event, PLENTY);
	assert_at(top, "an incident", "event.dataset", "\"msspd.incident\"");
	assert_at(top, "its name", "message", "\"N\"");
	assert_at(top, "its severity", "event.severity", "21");
	assert_at(top, "its tags", "tags", "[\"t\"]");
	json_decref(top);
	record_unref(r);
}
END_TEST

START_TEST(test_without_raw)
{
	struct format_opts opts = { .max_bytes = PLENTY, .without_raw = true };
	struct made m;
	json_t *top;

	make_alert(&m);
	top = try_write(&m.event, &opts);
	assert_at(top, "none where none is asked for", "event.original", "");
	assert_at(top, "which cuts nothing", "msspd.truncated", "");
	json_decref(top);
}
END_TEST

/* In the order in which they go. */
static const char *const parts[] = { "event.original", "msspd.tenant", "related", "event.id" };

START_TEST(test_every_size)
{
	char text[3000];
	struct evidence e = make_evidence(EVIDENCE_USER);
	struct made m;
	size_t gone = 0;

	memset(text, 'x', sizeof(text));
	make_alert(&m);
	m.record.alert.description = (struct str){ text, sizeof(text) };
	e.user.account.account_name = STR("ana");
	e.user.account.display_name = (struct str){ text, 900 };
	m.record.alert.evidence = &e;
	m.record.alert.nevidence = 1;
	m.record.raw = (struct str){ text, sizeof(text) };
	for (size_t max = 12000; max >= 1200; max -= 97) {
		json_t *top = write_ecs(&m.event, max);
		size_t first = 0;

		assert_at(top, "never cut", "msspd.event_id",
		    "\"" MADE_TENANT_ID "/alert:da1_1/2026-11-22T04:10:46.0900000Z\"");
		assert_at(top, "nor this", "event.severity", "73");
		assert_at(top, "nor this", "organization.id", "\"" MADE_TENANT_ID "\"");
		while (json_at(top, parts[first]) == NULL)
			first++;
		ck_assert_msg(first >= gone, "%zu: %s is back", max, parts[first]);
		for (size_t i = first; i < ARRAY_LEN(parts); i++)
			ck_assert_msg(json_at(top, parts[i]) != NULL, "%zu: no %s", max, parts[i]);
		ck_assert_int_eq(first > 0, json_is_true(json_at(top, "msspd.truncated")));
		gone = first;
		json_decref(top);
	}
	ck_assert_uint_eq(gone, 3);
}
END_TEST

/* The smallest message that a syslog sink may be set to, header included, holds any usual id. */
START_TEST(test_the_least)
{
	struct buf slice = BUF_INIT(PLENTY);
	struct record *r;
	struct made m;
	json_t *top;

	buf_puts(&slice, "{\"id\":\"da1_1\",\"lastUpdateDateTime\":\"2026-11-22T04:10:46.09Z\","
			 "\"title\":\"A title\",\"severity\":\"high\",\"systemTags\":[\"x\"");
	for (unsigned i = 0; i < 60; i++)
		buf_printf(
		    &slice, ",\"a tag that is of some length, as tags are, and number %u\"", i);
	buf_puts(&slice, "]}");
	r = make_from_json(&m, buf_peek(&slice));
	top = write_ecs(&m.event, 900);
	assert_at(top, "which", "event.id", "\"da1_1\"");
	assert_at(top, "whose", "organization.id", "\"" MADE_TENANT_ID "\"");
	assert_at(top, "what", "message", "\"A title\"");
	assert_at(top, "how bad", "event.severity", "73");
	assert_at(top, "not all of it", "msspd.truncated", "true");
	json_decref(top);
	record_unref(r);
	buf_release(&slice);
}
END_TEST

START_TEST(test_no_room)
{
	struct format_opts opts = { .max_bytes = 200 };
	struct buf out = BUF_INIT(300);
	struct made m;

	make_alert(&m);
	ck_assert_ptr_null(try_write(&m.event, &opts));
	buf_puts(&out, "before");
	opts.max_bytes = PLENTY;
	ck_assert(!format_ecs.write(&out, &m.event, &opts));
	ck_assert_str_eq(out.p, "before");
	ck_assert(buf_ok(&out));
	buf_release(&out);
}
END_TEST

START_TEST(test_controls)
{
	struct made m;
	json_t *top;

	make_alert(&m);
	m.record.alert.title = STR("a\n\0\x7f\xc2\x85\xe2\x80\xa8\xff\"\\b");
	top = write_ecs(&m.event, PLENTY);
	assert_at(top, "every character comes back", "rule.name",
	    "\"a\\n\\u0000\x7f\xc2\x85\xe2\x80\xa8\xef\xbf\xbd\\\"\\\\b\"");
	json_decref(top);
}
END_TEST

static void
check_golden(const char *name, const struct golden *g)
{
	golden_assert_json(name, g, try_write(&g->made.event, &g->opts));
}

START_TEST(test_golden)
{
	ck_assert_uint_ge(golden_each("tests/data/ecs", check_golden), 6);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ecs");
	TCase *tc = tcase_create("ecs");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_mapping, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_other_records);
	tcase_add_test(tc, test_without_raw);
	tcase_add_test(tc, test_every_size);
	tcase_add_test(tc, test_the_least);
	tcase_add_test(tc, test_no_room);
	tcase_add_test(tc, test_controls);
	tcase_add_test(tc, test_golden);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
