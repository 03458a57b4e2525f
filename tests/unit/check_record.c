/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "tests/unit/record_text.h"

#define UPDATED "2026-11-22T04:10:46.09Z"
#define HEAD    "{\"id\":\"a1\",\"tenantId\":\"t1\",\"lastUpdateDateTime\":\"" UPDATED "\""
#define NOW     (INT64_C(1800000000) * TICKS_SEC)
#define MAX     10000000
#define TYPE(t) "\"@odata.type\":\"#microsoft.graph.security." t "\""

static struct record *
read_text(const char *slice)
{
	return record_from_alert(str_of(slice), true, NOW);
}

static char *
text_of(const struct record *r)
{
	struct buf out = BUF_INIT(MAX);

	record_text(&out, r);
	return buf_take(&out);
}

/* ---- whole alerts, from files -------------------------------------------------------- */

static const char *const files[] = { "full", "kinds", "nested" };

static char *
read_file(const char *dir, const char *name)
{
	struct buf all = BUF_INIT(MAX);
	char *path = xasprintf("tests/data/alert/%s/%s", dir, name), block[4096];
	FILE *f = fopen(path, "r");
	size_t n = 1;

	ck_assert_msg(f != NULL, "%s is not there", path);
	while (n != 0) {
		n = fread(block, 1, sizeof(block), f);
		buf_add(&all, block, n);
	}
	fclose(f);
	free(path);
	return buf_take(&all);
}

START_TEST(test_file)
{
	char *slice = read_file(files[_i], "input.json"), *want = read_file(files[_i], "expected");
	struct record *r = read_text(slice);
	char *got = text_of(r);

	ck_assert_msg(strcmp(got, want) == 0, "%s: got\n%s", files[_i], got);
	record_unref(r);
	free(slice);
	free(want);
	free(got);
}
END_TEST

/* ---- members that surprise -------------------------------------------------------------- */

/* The alert is HEAD, members and "}"; each line of `lines` is found in its text. */
static const struct {
	const char *says, *members, *lines;
	bool is_repaired;
} members[] = {
	{ "nothing but what is needed", "", "id: a1\ntenant_id: t1\n", false },
	{ "nulls",
	    ",\"title\":null,\"evidence\":null,\"comments\":null,\"categories\":null,"
	    "\"createdDateTime\":null,\"customDetails\":null",
	    "nevidence_all: 0\n", false },
	{ "a number for text", ",\"incidentId\":40817", "incident_id: 40817\n", false },
	{ "a huge number for text is its text", ",\"incidentId\":123456789012345678901234567890",
	    "incident_id: 123456789012345678901234567890\n", false },
	{ "a boolean for text", ",\"title\":true", "title: true\n", false },
	{ "an object for text", ",\"title\":{\"a\":1},\"category\":\"c\"", "category: c\n", true },
	{ "a list for text", ",\"title\":[\"a\"],\"category\":\"c\"", "category: c\n", true },
	{ "text for a list", ",\"categories\":\"Execution\"", "categories: Execution\n", false },
	{ "odd things in a list", ",\"categories\":[\"a\",null,5,{\"b\":1},\"c\"]",
	    "categories: a\ncategories: 5\ncategories: c\n", true },
	{ "text for a number",
	    ",\"evidence\":[{" TYPE("processEvidence") ",\"processId\":\"4780\"}]",
	    "process.pid: 4780\n", false },
	{ "words for a number",
	    ",\"evidence\":[{" TYPE(
		"processEvidence") ",\"processId\":\"x\",\"parentProcessId\":1}]",
	    "process.parent_pid: 1\n", true },
	{ "a number out of range",
	    ",\"evidence\":[{" TYPE("processEvidence") ",\"processId\":9223372036854775808,"
						       "\"parentProcessId\":9223372036854775807}]",
	    "process.parent_pid: 9223372036854775807\n", true },
	{ "1e999",
	    ",\"evidence\":[{" TYPE("processEvidence") ",\"processId\":1e999,"
						       "\"parentProcessId\":-5}]",
	    "process.parent_pid: -5\n", true },
	{ "a fraction",
	    ",\"evidence\":[{" TYPE("fileEvidence") ",\"fileDetails\":{\"fileSize\":1.5,"
						    "\"fileName\":\"f\"}}]",
	    "name: f\n", true },
	{ "\\u0000", ",\"title\":\"a\\u0000b\"", "title: a<00>b\n", false },
	{ "half a surrogate pair", ",\"title\":\"a\\ud83db\"",
	    "title: a\xef\xbf\xbd"
	    "b\n",
	    true },
	{ "bytes that are not UTF-8",
	    ",\"title\":\"a\xff\xfe"
	    "b\"",
	    "title: a\xef\xbf\xbd\xef\xbf\xbd"
	    "b\n",
	    true },
	{ "a control character",
	    ",\"title\":\"a\x01"
	    "b\"",
	    "title: a<01>b\n", true },
	{ "an escape that is none", ",\"title\":\"C:\\xyz\"", "title: C:\xef\xbf\xbdxyz\n", true },
	{ "an odd string in what is skipped", ",\"new\":[\"\xff\"],\"title\":\"x\"", "title: x\n",
	    true },
	{ "odd strings in JSON that is kept", ",\"customDetails\":{\"a\":\"\xff\\ud800\"}",
	    "custom_details: {\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\"}\n", true },
	{ "of two titles the last", ",\"title\":\"a\",\"title\":\"b\"", "title: b\n", false },
	{ "a null last", ",\"title\":\"a\",\"title\":null,\"category\":\"c\"", "category: c\n",
	    false },
	{ "of two lists the last", ",\"categories\":[\"a\",\"b\"],\"categories\":[\"c\"]",
	    "categories: c\n", false },
	{ "of two evidences the last",
	    ",\"evidence\":[{" TYPE("urlEvidence") ",\"url\":\"a\"},{}],\"evidence\":[{" TYPE(
		"urlEvidence") ",\"url\":\"b\"}]",
	    "nevidence_all: 1\n  url.url: b\n", false },
	{ "of two accounts the last",
	    ",\"evidence\":[{" TYPE(
		"hostLogonSessionEvidence") ",\"account\":{\"userAccount\":{"
					    "\"accountName\":\"a\"}},\"host\":{\"hostName\":\"h\"},"
					    "\"account\":{\"userAccount\":{"
					    "\"accountName\":\"b\"}}}]",
	    "    device.host_name: h\n    account_name: b\n", false },
	{ "an account given again leaves nothing of the first",
	    ",\"evidence\":[{" TYPE("userEvidence") ",\"userAccount\":{\"accountName\":\"a\"},"
						    "\"userAccount\":{\"domainName\":\"d\"}}]",
	    "  domain_name: d\n", false },
	{ "a name with escapes", ",\"t\\u0069tle\":\"x\"", "title: x\n", false },
	{ "a member unknown to us", ",\"x\":[{\"title\":\"no\"}],\"title\":\"yes\"", "title: yes\n",
	    false },
	{ "severity in another case", ",\"severity\":\"HIGH\"",
	    "severity_text: HIGH\nseverity: high\n", false },
	{ "a severity nobody knows", ",\"severity\":\"critical\"",
	    "severity_text: critical\nseverity: other\n", false },
	{ "no severity", "", "severity: unknown\nstatus: unknown\n", false },
	{ "status as MDE spells it", ",\"status\":\"InProgress\"",
	    "status_text: InProgress\nstatus: inProgress\n", false },
	{ "a status nobody knows", ",\"status\":\"unknownFutureValue\"",
	    "status_text: unknownFutureValue\nstatus: other\n", false },
	{ "the sentinel time is none",
	    ",\"createdDateTime\":\"0001-01-01T00:00:00Z\",\"resolvedDateTime\":"
	    "\"2026-11-22T04:10:46Z\"",
	    "resolved: 2026-11-22T04:10:46.0000000Z\n", false },
	{ "a time that is none",
	    ",\"createdDateTime\":\"soon\",\"resolvedDateTime\":\"2026-11-22T04:10:46Z\"",
	    "resolved: 2026-11-22T04:10:46.0000000Z\n", true },
	{ "a number for a time", ",\"createdDateTime\":5,\"title\":\"x\"", "title: x\n", true },
	{ "a year far ahead", ",\"createdDateTime\":\"2099-01-01T00:00:00Z\"",
	    "created: 2099-01-01T00:00:00.0000000Z\n", false },
	{ "custom details that are text", ",\"customDetails\":\"x\"", "custom_details: \"x\"\n",
	    false },
	{ "empty details are none", ",\"customDetails\":{ },\"additionalData\":[],\"title\":\"x\"",
	    "title: x\n", false },
	{ "evidence that is one object", ",\"evidence\":{" TYPE("urlEvidence") ",\"url\":\"u\"}",
	    "  url.url: u\n", false },
	{ "evidence that is text",
	    ",\"evidence\":[\"x\",{" TYPE("urlEvidence") ",\"url\":\"u\"},5]",
	    "nevidence_all: 3\nevidence: url urlEvidence\n  url.url: u\n", true },
	{ "a null among evidence", ",\"evidence\":[null,{}]",
	    "nevidence_all: 1\nevidence: generic \n", false },
	{ "of two types the first",
	    ",\"evidence\":[{" TYPE("urlEvidence") ",\"url\":\"u\"," TYPE("ipEvidence") "}]",
	    "  url.url: u\n", false },
	{ "an account that is text",
	    ",\"evidence\":[{" TYPE(
		"userEvidence") ",\"userAccount\":\"x\",\"stream\":{\"name\":\"s\"}}]",
	    "  user.stream: s\n", true },
	{ "a child that is text",
	    ",\"evidence\":[{" TYPE(
		"dnsEvidence") ",\"dnsServerIp\":\"10.0.0.1\",\"hostIpAddress\":{"
			       "\"ipAddress\":\"10.0.0.2\"}}]",
	    "    ip.address: 10.0.0.2\n", true },
	{ "comments that are text", ",\"comments\":\"x\",\"title\":\"x\"", "title: x\n", true },
	{ "a comment that is text", ",\"comments\":[\"x\",{\"comment\":\"y\"}]", "comment: y\n",
	    true },
};

START_TEST(test_member)
{
	char *slice = xasprintf("%s%s}", HEAD, members[_i].members);
	struct record *r = read_text(slice);
	char *got = text_of(r), *lines = xstrdup(members[_i].lines), *at, *line;
	char *rest = lines;

	ck_assert_msg(r->type == RECORD_ALERT, "%s: got\n%s", members[_i].says, got);
	ck_assert_msg(r->is_repaired == members[_i].is_repaired, "%s", members[_i].says);
	ck_assert(str_same(r->raw, str_of(slice)));
	for (at = got; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
		at = strstr(at, line);
		ck_assert_msg(at != NULL, "%s: no \"%s\" in\n%s", members[_i].says, line, got);
		at += strlen(line);
		ck_assert_msg(
		    *at == '\n', "%s: more than \"%s\" in\n%s", members[_i].says, line, got);
	}
	record_unref(r);
	free(lines);
	free(slice);
	free(got);
}
END_TEST

/* What `members` would say of an absent field it cannot: here are those that must not be. */
static const struct {
	const char *says, *members, *not ;
} absents[] = {
	{ "an object for text", ",\"title\":{\"a\":1}", "title:" },
	{ "a null last", ",\"title\":\"a\",\"title\":null", "title:" },
	{ "a number out of range",
	    ",\"evidence\":[{" TYPE("processEvidence") ",\"processId\":9223372036854775808}]",
	    "pid:" },
	{ "1e999", ",\"evidence\":[{" TYPE("processEvidence") ",\"processId\":1e999}]", "pid:" },
	{ "the sentinel time", ",\"createdDateTime\":\"0001-01-01T00:00:00Z\"", "created:" },
	{ "a time that is none", ",\"createdDateTime\":\"soon\"", "created:" },
	{ "empty details", ",\"customDetails\":{ },\"additionalData\":[\n]",
	    "d"
	    "etails:" },
	{ "empty data", ",\"additionalData\":\"\"", "data:" },
	{ "the first account",
	    ",\"evidence\":[{" TYPE("userEvidence") ",\"userAccount\":{\"accountName\":\"a\"},"
						    "\"userAccount\":{\"domainName\":\"d\"}}]",
	    "account_name:" },
	{ "evidence given again as null", ",\"evidence\":[{}],\"evidence\":null", "generic" },
};

START_TEST(test_absent)
{
	char *slice = xasprintf("%s%s}", HEAD, absents[_i].members);
	struct record *r = read_text(slice);
	char *got = text_of(r);

	ck_assert_int_eq(r->type, RECORD_ALERT);
	ck_assert_msg(strstr(got, absents[_i].not ) == NULL, "%s: got\n%s", absents[_i].says, got);
	record_unref(r);
	free(slice);
	free(got);
}
END_TEST

/* ---- unreadable -------------------------------------------------------------------------- */

#define SHA(hex) "id: " hex "\n"
static const struct {
	const char *says, *slice, *text;
} unreadables[] = {
	{ "nothing", "",
	    SHA("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") "why: it is "
										    "broken at "
										    "byte 0: the "
										    "text ends too "
										    "early\nsize: "
										    "0\n" },
	{ "a number", "5",
	    SHA("ef2d127de37b942baad06145e54b0c619a1f22327b2ebbcfbec78f5564afe39d") "why: it is no "
										    "object\nsize: "
										    "1\n" },
	{ "a list", "[{\"id\":\"a\"}]",
	    SHA("3f2d3382920cf76f6c108c87a501b0c6742601774c5db8bd3d71732299a9d852") "why: it is no "
										    "object\nsize: "
										    "12\n" },
	{ "broken JSON shows what it has",
	    "{\"id\":\"a1\",\"x\":tru,\"title\":\"T\",\"severity\":\"high\",\"createdDateTime\":"
	    "\"2026-11-22T04:00:00Z\",\"lastUpdateDateTime\":\"" UPDATED "\"}",
	    "id: a1\ntitle: T\nseverity_text: high\nupdated: 2026-11-22T04:10:46.0900000Z\n"
	    "created: 2026-11-22T04:00:00.0000000Z\n"
	    "why: it is broken at byte 15: this is no value\nsize: 137\n" },
	{ "odd strings in broken JSON are repaired", "{\"id\":\"a\xff\",\"x\":}",
	    "id: a\xef\xbf\xbd\nwhy: it is broken at byte 17 of the repaired text: this is no "
	    "value\nsize: 16\n" },
	{ "no id", "{\"lastUpdateDateTime\":\"" UPDATED "\",\"title\":\"T\"}",
	    SHA("") "title: T\nupdated: 2026-11-22T04:10:46.0900000Z\nwhy: it has no id\nsize: "
		    "60\n" },
	{ "an empty id", "{\"id\":\"\",\"lastUpdateDateTime\":\"" UPDATED "\"}",
	    SHA("") "updated: 2026-11-22T04:10:46.0900000Z\nwhy: it has no id\nsize: 56\n" },
	{ "an id that is an object", "{\"id\":{},\"lastUpdateDateTime\":\"" UPDATED "\"}",
	    SHA("") "updated: 2026-11-22T04:10:46.0900000Z\nwhy: it has no id\nsize: 56\n" },
	{ "no lastUpdateDateTime", "{\"id\":\"a1\"}",
	    "id: a1\nwhy: it has no lastUpdateDateTime that can be read\nsize: 11\n" },
	{ "a lastUpdateDateTime that is none", "{\"id\":\"a1\",\"lastUpdateDateTime\":\"now\"}",
	    "id: a1\nwhy: it has no lastUpdateDateTime that can be read\nsize: 38\n" },
	{ "the sentinel as lastUpdateDateTime",
	    "{\"id\":\"a1\",\"lastUpdateDateTime\":\"0001-01-01T00:00:00Z\"}",
	    "id: a1\nwhy: it has no lastUpdateDateTime that can be read\nsize: 55\n" },
	{ "two ids", HEAD ",\"id\":\"a2\"}",
	    SHA("") "updated: 2026-11-22T04:10:46.0900000Z\nwhy: it has two ids\nsize: 84\n" },
	{ "the same id twice", HEAD ",\"\\u0069d\":\"a1\"}",
	    "id: a1\nupdated: 2026-11-22T04:10:46.0900000Z\nwhy: it has two ids\nsize: 89\n" },
	{ "two tenantIds", HEAD ",\"tenantId\":null}",
	    "id: a1\nupdated: 2026-11-22T04:10:46.0900000Z\nwhy: it has two tenantIds\nsize: "
	    "90\n" },
	{ "two lastUpdateDateTimes", HEAD ",\"lastUpdateDateTime\":\"" UPDATED "\"}",
	    "id: a1\nupdated: 2026-11-22T04:10:46.0900000Z\nwhy: it has two lastUpdateDateTimes\n"
	    "size: 121\n" },
	{ "two of them inside something else are no matter", HEAD ",\"x\":{\"id\":1,\"id\":2},}",
	    "id: a1\nupdated: 2026-11-22T04:10:46.0900000Z\n"
	    "why: it is broken at byte 94: a name in quotes is missing\nsize: 95\n" },
	{ "text behind the alert", HEAD "}x",
	    "id: a1\nupdated: 2026-11-22T04:10:46.0900000Z\n"
	    "why: it is broken at byte 74: more follows behind the end\nsize: 75\n" },
};

START_TEST(test_unreadable)
{
	struct record *r = read_text(unreadables[_i].slice);
	char *got = text_of(r);
	const char *want = unreadables[_i].text, *from = got;

	ck_assert_int_eq(r->type, RECORD_UNREADABLE);
	ck_assert(str_same(r->id, r->unreadable.id));
	ck_assert(str_same(r->raw, str_of(unreadables[_i].slice)));
	ck_assert(
	    r->version == (r->unreadable.updated == TICKS_NONE ? NOW : r->unreadable.updated));
	/* "id: " alone stands for any SHA-256. */
	if (strncmp(want, "id: \n", 5) == 0) {
		ck_assert_uint_eq(r->id.n, 64);
		from += strlen("id: ") + 64 + 1;
		want += 5;
	}
	ck_assert_msg(strcmp(from, want) == 0, "%s: got\n%s", unreadables[_i].says, got);
	record_unref(r);
	free(got);
}
END_TEST

START_TEST(test_id_size)
{
	for (size_t n = 511; n <= 513; n++) {
		char *slice = xasprintf(
		    "{\"id\":\"%0*d\",\"lastUpdateDateTime\":\"%s\"}", (int)n, 0, UPDATED);
		struct record *r = read_text(slice);

		ck_assert_int_eq(r->type, n <= 512 ? RECORD_ALERT : RECORD_UNREADABLE);
		ck_assert_uint_eq(r->id.n, n <= 512 ? n : 64);
		record_unref(r);
		free(slice);
	}
}
END_TEST

/* ---- bounds --------------------------------------------------------------------------------- */

static struct record *
read_repeated(const char *before, const char *item, const char *end, size_t n, const char *after)
{
	struct buf slice = BUF_INIT(MAX);
	struct record *r;

	buf_printf(&slice, "%s%s", HEAD, before);
	for (size_t i = 0; i < n; i++) {
		if (i != 0)
			buf_byte(&slice, ',');
		buf_printf(&slice, "%s%zu%s", item, i, end);
	}
	buf_puts(&slice, after);
	r = record_from_alert(buf_peek(&slice), true, NOW);
	buf_release(&slice);
	return r;
}

START_TEST(test_much_evidence)
{
	struct record *r = read_repeated(
	    ",\"evidence\":[", "{" TYPE("urlEvidence") ",\"url\":\"u", "\"}", 300, "]}");

	ck_assert_int_eq(r->type, RECORD_ALERT);
	ck_assert_uint_eq(r->alert.nevidence, EVIDENCE_MAX);
	ck_assert_uint_eq(r->alert.nevidence_all, 300);
	ck_assert(str_is(r->alert.evidence[255].url.url, "u255"));
	record_unref(r);
}
END_TEST

/* What a list that does not count held makes room for the one that does. */
START_TEST(test_much_evidence_twice)
{
	struct record *r = read_repeated(",\"evidence\":[",
	    "{" TYPE("dnsEvidence") ",\"ipAddresses\":[{},{}],\"n\":", "}", 100,
	    "],\"evidence\":[{},{}]}");

	ck_assert_uint_eq(r->alert.nevidence, 2);
	ck_assert_uint_eq(r->alert.nevidence_all, 2);
	record_unref(r);
}
END_TEST

/* A holder is kept before what it holds; both count. */
START_TEST(test_many_children)
{
	struct record *r =
	    read_repeated(",\"evidence\":[{" TYPE("teamsMessageEvidence") ",\"urls\":[",
		"{\"url\":\"u", "\"}", 300, "]},{" TYPE("urlEvidence") "}]}");

	ck_assert_uint_eq(r->alert.nevidence, 1);
	ck_assert_uint_eq(r->alert.nevidence_all, 2);
	ck_assert_uint_eq(r->alert.evidence[0].nchildren, EVIDENCE_MAX - 1);
	record_unref(r);
}
END_TEST

START_TEST(test_long_lists)
{
	struct record *r = read_repeated(",\"categories\":[", "\"c", "\"", 100, "]}");

	ck_assert_uint_eq(r->alert.ncategories, EVIDENCE_LIST_MAX);
	ck_assert(str_is(r->alert.categories[63], "c63"));
	record_unref(r);
	r = read_repeated(",\"comments\":[", "{\"comment\":\"c", "\"}", 100, "]}");
	ck_assert_uint_eq(r->alert.ncomments, EVIDENCE_LIST_MAX);
	ck_assert(str_is(r->alert.comments[0].text, "c36"));
	ck_assert(str_is(r->alert.comments[63].text, "c99"));
	record_unref(r);
}
END_TEST

static const struct {
	size_t depth;
	enum record_type want;
} depths[] = { { 3000, RECORD_ALERT }, { 60000, RECORD_ALERT }, { 2000000, RECORD_UNREADABLE } };

START_TEST(test_deep)
{
	struct buf slice = BUF_INIT(MAX);
	struct record *r;

	buf_puts(&slice, HEAD ",\"customDetails\":");
	for (size_t i = 0; i < depths[_i].depth; i++)
		buf_byte(&slice, '[');
	for (size_t i = 0; i < depths[_i].depth; i++)
		buf_byte(&slice, ']');
	buf_puts(&slice, ",\"title\":\"T\"}");
	r = record_from_alert(buf_peek(&slice), false, NOW);
	ck_assert_int_eq(r->type, depths[_i].want);
	ck_assert(str_is(r->id, "a1"));
	ck_assert(str_is(r->type == RECORD_ALERT ? r->alert.title : r->unreadable.title, "T"));
	record_unref(r);
	buf_release(&slice);
}
END_TEST

/* A domain that trusts a domain that trusts …: kept to EVIDENCE_DEPTH, whole as JSON. */
START_TEST(test_deep_evidence)
{
	struct buf slice = BUF_INIT(MAX);
	const struct evidence *e;
	unsigned depth = 0;
	struct record *r;

	buf_puts(&slice, HEAD ",\"evidence\":[{" TYPE("activeDirectoryDomainEvidence"));
	for (size_t i = 0; i < 3000; i++)
		buf_puts(&slice, ",\"trustedDomains\":[{\"n\":1");
	for (size_t i = 0; i < 3000; i++)
		buf_puts(&slice, "}]");
	buf_puts(&slice, "}]}");
	r = record_from_alert(buf_peek(&slice), true, NOW);
	ck_assert_int_eq(r->type, RECORD_ALERT);
	for (e = &r->alert.evidence[0]; e->nchildren != 0; e = e->children)
		depth++;
	ck_assert_uint_eq(depth, EVIDENCE_DEPTH);
	ck_assert_uint_gt(e->json.n, 60000);
	record_unref(r);
	buf_release(&slice);
}
END_TEST

/* Half a megabyte of bytes that are no text is not mended, but told of. */
START_TEST(test_much_rubbish)
{
	struct buf slice = BUF_INIT(MAX);
	struct record *r;

	buf_puts(&slice, HEAD ",\"title\":\"");
	for (size_t i = 0; i < 600000; i++)
		buf_byte(&slice, '\xff');
	buf_puts(&slice, "\"}");
	r = record_from_alert(buf_peek(&slice), false, NOW);
	ck_assert_int_eq(r->type, RECORD_UNREADABLE);
	ck_assert(str_is(r->id, "a1") && r->unreadable.title.s == NULL);
	ck_assert(
	    str_is(r->unreadable.why, "it is broken at byte 83: a byte in a string is wrong"));
	record_unref(r);
	buf_release(&slice);
}
END_TEST

/* ---- again from the journal ------------------------------------------------------------------ */

START_TEST(test_entry)
{
	char *slice = read_file(files[_i], "input.json"), *text, *again;
	struct record *r = read_text(slice);
	struct record *e = record_from_entry(RECORD_ALERT, r->id, r->version, str_of(slice));

	text = text_of(r);
	again = text_of(e);
	ck_assert_str_eq(text, again);
	ck_assert_int_eq(r->seen.version, e->seen.version);
	record_unref(r);
	record_unref(e);
	free(slice);
	free(text);
	free(again);
}
END_TEST

START_TEST(test_entry_unreadable)
{
	struct record *e = record_from_entry(
	    RECORD_UNREADABLE, STR("kept id"), 5, STR("{\"id\":\"x\",\"title\":\"T\""));

	ck_assert_int_eq(e->type, RECORD_UNREADABLE);
	ck_assert(str_is(e->id, "kept id") && str_is(e->unreadable.id, "kept id"));
	ck_assert(e->version == 5 && e->seen.version == 5);
	ck_assert(str_is(e->unreadable.title, "T"));
	ck_assert(str_is(e->unreadable.why, "it is broken at byte 21: the text ends too early"));
	record_unref(e);
}
END_TEST

/* What was unreadable then is not an alert now, though this program can read it. */
START_TEST(test_entry_readable_now)
{
	struct record *e = record_from_entry(RECORD_UNREADABLE, STR("a1"), 5, STR(HEAD "}"));

	ck_assert_int_eq(e->type, RECORD_UNREADABLE);
	ck_assert(str_is(e->unreadable.why, "it could not be read when it came"));
	record_unref(e);
}
END_TEST

START_TEST(test_entry_other)
{
	struct record *e = record_from_entry(RECORD_CANARY, STR("h"), 5, STR("anything"));

	ck_assert_int_eq(e->type, RECORD_CANARY);
	ck_assert(str_is(e->id, "h") && e->version == 5 && str_is(e->raw, "anything"));
	ck_assert(e->canary.sink.s == NULL && e->canary.summary.s == NULL);
	record_unref(e);
}
END_TEST

START_TEST(test_entry_canary)
{
	const struct canary c = { STR("siem"), CANARY_PURPOSE_TEST, STR("a \"test\"\nof it") };
	struct buf body = BUF_INIT(1024);
	struct record *e;

	canary_write(&body, &c);
	e = record_from_entry(RECORD_CANARY, STR("siem"), 7, buf_peek(&body));
	ck_assert(str_is(e->canary.sink, "siem") && str_is(e->canary.purpose, "test"));
	ck_assert(str_is(e->canary.summary, "a \"test\"\nof it"));
	record_unref(e);
	buf_release(&body);
}
END_TEST

START_TEST(test_count)
{
	struct record *r = read_text(HEAD "}");

	ck_assert_ptr_eq(record_ref(r), r);
	ck_assert_uint_eq(r->refs, 2);
	record_unref(r);
	ck_assert(str_is(r->id, "a1"));
	record_unref(r);
	record_unref(NULL);
}
END_TEST

/* Without a copy nothing that stands in the slice as it is stands anywhere else. */
START_TEST(test_no_copy)
{
	static const char slice[] = HEAD ",\"title\":\"plain\",\"description\":\"a\\nb\"}";
	struct record *r = record_from_alert(STR(slice), false, NOW);

	ck_assert_ptr_eq(r->raw.s, slice);
	ck_assert(r->alert.title.s > slice && r->alert.title.s < slice + sizeof(slice));
	ck_assert(str_is(r->alert.description, "a\nb"));
	record_unref(r);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("record");
	TCase *tc = tcase_create("record");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_file, 0, ARRAY_LEN(files));
	tcase_add_loop_test(tc, test_member, 0, ARRAY_LEN(members));
	tcase_add_loop_test(tc, test_absent, 0, ARRAY_LEN(absents));
	tcase_add_loop_test(tc, test_unreadable, 0, ARRAY_LEN(unreadables));
	tcase_add_test(tc, test_id_size);
	tcase_add_test(tc, test_much_evidence);
	tcase_add_test(tc, test_much_evidence_twice);
	tcase_add_test(tc, test_many_children);
	tcase_add_test(tc, test_long_lists);
	tcase_add_loop_test(tc, test_deep, 0, ARRAY_LEN(depths));
	tcase_add_test(tc, test_deep_evidence);
	tcase_add_test(tc, test_much_rubbish);
	tcase_add_loop_test(tc, test_entry, 0, ARRAY_LEN(files));
	tcase_add_test(tc, test_entry_unreadable);
	tcase_add_test(tc, test_entry_readable_now);
	tcase_add_test(tc, test_entry_other);
	tcase_add_test(tc, test_entry_canary);
	tcase_add_test(tc, test_count);
	tcase_add_test(tc, test_no_copy);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
