/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/record/record.h"

#define HEAD    "{\"id\":\"a1\",\"lastUpdateDateTime\":\"2026-11-22T04:10:46Z\","
#define TYPE(t) "\"@odata.type\":\"#microsoft.graph.security." t "\","
#define FILE_1  "{" TYPE("fileEvidence") "\"fileDetails\":{\"fileName\":\"a\"}}"
#define FILE_2  "{" TYPE("fileEvidence") "\"fileDetails\":{\"fileName\":\"b\"}}"
#define SESSION(account, host, extra) \
	"\"evidence\":[{" TYPE("hostLogonSessionEvidence") "\"account\":{\"userAccount\":{" \
							   "\"accountName\":\"" account \
							   "\"}},\"host\":{" host "}" extra "}]"

#define BIT(part) (1u << PART_##part)

/* From one version of an alert to another: the parts that changed. */
static const struct {
	const char *says, *before, *after;
	unsigned want;
} changes[] = {
	{ "nothing", "\"title\":\"a\"", "\"title\":\"a\"", 0 },
	{ "lastUpdateDateTime alone", "\"x\":1", "\"x\":2", 0 },
	{ "createdDateTime", "\"x\":1", "\"createdDateTime\":\"2026-11-22T04:10:46Z\"", 0 },
	{ "web links", "\"alertWebUrl\":\"a\"", "\"incidentWebUrl\":\"b\"", 0 },
	{ "a member unknown to us", "\"new\":{\"a\":1}", "\"new\":{\"a\":2}", 0 },
	{ "null or absent", "\"title\":null,\"comments\":[],\"evidence\":null", "\"x\":1", 0 },
	{ "order of members", "\"title\":\"a\",\"category\":\"b\"",
	    "\"category\":\"b\",\"title\":\"a\"", 0 },
	{ "severity", "\"severity\":\"low\"", "\"severity\":\"high\"", BIT(SEVERITY) },
	{ "status", "\"status\":\"new\"", "\"status\":\"resolved\"", BIT(STATUS) },
	{ "classification", "\"x\":1", "\"classification\":\"truePositive\"", BIT(VERDICT) },
	{ "determination", "\"determination\":\"apt\"", "\"x\":1", BIT(VERDICT) },
	{ "two values that change places", "\"classification\":\"a\",\"determination\":\"b\"",
	    "\"classification\":\"b\",\"determination\":\"a\"", BIT(VERDICT) },
	{ "assignee", "\"assignedTo\":null", "\"assignedTo\":\"ana\"", BIT(ASSIGNEE) },
	{ "incident", "\"incidentId\":\"1\"", "\"incidentId\":\"2\"", BIT(INCIDENT) },
	{ "incident, as a number", "\"incidentId\":\"1\"", "\"incidentId\":1", 0 },
	{ "investigation", "\"investigationState\":\"queued\"",
	    "\"investigationState\":\"running\"", BIT(REMEDIATION) },
	{ "title", "\"title\":\"a\"", "\"title\":\"b\"", BIT(OTHER) },
	{ "last activity alone", "\"lastActivityDateTime\":\"2026-11-22T04:10:46Z\"",
	    "\"lastActivityDateTime\":\"2026-11-22T04:10:47Z\"", BIT(OTHER) },
	{ "a time written otherwise", "\"lastActivityDateTime\":\"2026-11-22T04:10:46Z\"",
	    "\"lastActivityDateTime\":\"2026-11-22T04:10:46.0000000Z\"", 0 },
	{ "custom details", "\"customDetails\":{\"a\":1}", "\"customDetails\":{\"a\":2}",
	    BIT(OTHER) },
	{ "order of techniques", "\"mitreTechniques\":[\"a\",\"b\"]",
	    "\"mitreTechniques\":[\"b\",\"a\"]", 0 },
	{ "one more technique", "\"mitreTechniques\":[\"a\"]", "\"mitreTechniques\":[\"a\",\"b\"]",
	    BIT(OTHER) },
	{ "a comment", "\"comments\":[]", "\"comments\":[{\"comment\":\"a\"}]", BIT(COMMENT) },
	{ "comments whose authors change places",
	    "\"comments\":[{\"comment\":\"a\",\"createdByDisplayName\":\"x\"},"
	    "{\"comment\":\"b\",\"createdByDisplayName\":\"y\"}]",
	    "\"comments\":[{\"comment\":\"a\",\"createdByDisplayName\":\"y\"},"
	    "{\"comment\":\"b\",\"createdByDisplayName\":\"x\"}]",
	    BIT(COMMENT) },
	{ "evidence that came", "\"evidence\":[" FILE_1 "]", "\"evidence\":[" FILE_1 "," FILE_2 "]",
	    BIT(EVIDENCE) },
	{ "the same evidence twice", "\"evidence\":[" FILE_1 "]",
	    "\"evidence\":[" FILE_1 "," FILE_1 "]", BIT(EVIDENCE) },
	{ "order of evidence", "\"evidence\":[" FILE_1 "," FILE_2 "]",
	    "\"evidence\":[" FILE_2 "," FILE_1 "]", 0 },
	{ "a verdict", "\"evidence\":[{\"verdict\":\"suspicious\"}]",
	    "\"evidence\":[{\"verdict\":\"malicious\"}]", BIT(EVIDENCE) },
	{ "the kind alone", "\"evidence\":[{" TYPE("aEvidence") "\"x\":1}]",
	    "\"evidence\":[{" TYPE("bEvidence") "\"x\":1}]", BIT(EVIDENCE) },
	{ "when evidence was made", "\"evidence\":[{\"createdDateTime\":\"2026-11-22T04:10:46Z\"}]",
	    "\"evidence\":[{\"createdDateTime\":\"2026-11-22T04:10:47Z\"}]", 0 },
	{ "order of roles", "\"evidence\":[{\"roles\":[\"a\",\"b\"]}]",
	    "\"evidence\":[{\"roles\":[\"b\",\"a\"]}]", 0 },
	{ "a member of a kind unknown to us", "\"evidence\":[{" TYPE("newEvidence") "\"x\":1}]",
	    "\"evidence\":[{" TYPE("newEvidence") "\"x\":2}]", BIT(EVIDENCE) },
	{ "order of members of a kind unknown to us",
	    "\"evidence\":[{" TYPE("newEvidence") "\"x\":1,\"y\":2}]",
	    "\"evidence\":[{" TYPE("newEvidence") "\"y\":2,\"x\":1}]", 0 },
	{ "a process id", "\"evidence\":[{" TYPE("processEvidence") "\"processId\":1}]",
	    "\"evidence\":[{" TYPE("processEvidence") "\"processId\":2}]", BIT(EVIDENCE) },
	{ "image and parent that change places",
	    "\"evidence\":[{" TYPE("processEvidence") "\"imageFile\":{\"sha1\":\"a\"}}]",
	    "\"evidence\":[{" TYPE(
		"processEvidence") "\"parentProcessImageFile\":{\"sha1\":\"a\"}}]",
	    BIT(EVIDENCE) },
	{ "the state of a device",
	    "\"evidence\":[{" TYPE(
		"deviceEvidence") "\"healthStatus\":\"active\",\"lastIpAddress\":\"1\"}]",
	    "\"evidence\":[{" TYPE(
		"deviceEvidence") "\"healthStatus\":\"inactive\",\"loggedOnUsers\":["
				  "{\"accountName\":\"a\"}]}]",
	    BIT(OTHER) },
	{ "the name of a device", "\"evidence\":[{" TYPE("deviceEvidence") "\"hostName\":\"a\"}]",
	    "\"evidence\":[{" TYPE("deviceEvidence") "\"hostName\":\"b\"}]", BIT(EVIDENCE) },
	{ "remediation", "\"evidence\":[{\"remediationStatus\":\"active\"}]",
	    "\"evidence\":[{\"remediationStatus\":\"remediated\"}]", BIT(REMEDIATION) },
	{ "why of a remediation", "\"evidence\":[{\"remediationStatus\":\"active\"}]",
	    "\"evidence\":[{\"remediationStatus\":\"active\",\"remediationStatusDetails\":\"x\"}]",
	    BIT(REMEDIATION) },
	{ "no remediation or none", "\"evidence\":[{\"remediationStatus\":null}]",
	    "\"evidence\":[{\"remediationStatus\":\"None\"}]", 0 },
	{ "two remediations that change places",
	    "\"evidence\":[{\"verdict\":\"a\",\"remediationStatus\":\"active\"},"
	    "{\"verdict\":\"b\",\"remediationStatus\":\"blocked\"}]",
	    "\"evidence\":[{\"verdict\":\"a\",\"remediationStatus\":\"blocked\"},"
	    "{\"verdict\":\"b\",\"remediationStatus\":\"active\"}]",
	    BIT(REMEDIATION) },
	{ "evidence that came remediated", "\"evidence\":[]",
	    "\"evidence\":[{\"remediationStatus\":\"remediated\"}]",
	    BIT(EVIDENCE) | BIT(REMEDIATION) },
	{ "a child", SESSION("a", "\"hostName\":\"h\"", ""), SESSION("b", "\"hostName\":\"h\"", ""),
	    BIT(EVIDENCE) },
	{ "children that change places",
	    "\"evidence\":[{" TYPE(
		"networkConnectionEvidence") "\"sourceAddress\":{\"ipAddress\":\"a\"},"
					     "\"destinationAddress\":{\"ipAddress\":\"b\"}}]",
	    "\"evidence\":[{" TYPE(
		"networkConnectionEvidence") "\"sourceAddress\":{\"ipAddress\":\"b\"},"
					     "\"destinationAddress\":{\"ipAddress\":\"a\"}}]",
	    BIT(EVIDENCE) },
	{ "a child's state", SESSION("a", "\"healthStatus\":\"x\"", ""),
	    SESSION("a", "\"healthStatus\":\"y\"", ""), BIT(OTHER) },
	{ "a child's remediation", SESSION("a", "\"remediationStatus\":\"active\"", ""),
	    SESSION("a", "\"remediationStatus\":\"remediated\"", ""), BIT(REMEDIATION) },
	{ "a holder's own member", SESSION("a", "", ",\"sessionId\":\"1\""),
	    SESSION("a", "", ",\"sessionId\":\"2\""), BIT(EVIDENCE) },
};

static struct record *
read_members(const char *members)
{
	char *slice = xasprintf("%s%s}", HEAD, members);
	struct record *r = record_from_alert(str_of(slice), true, 0);

	ck_assert_int_eq(r->type, RECORD_ALERT);
	free(slice);
	return r;
}

static unsigned
changed(const struct seen *a, const struct seen *b)
{
	unsigned bits = 0;

	for (unsigned part = 0; part < PART_COUNT; part++) {
		if (a->part[part] != b->part[part])
			bits |= 1u << part;
	}
	return bits;
}

START_TEST(test_change)
{
	struct record *before = read_members(changes[_i].before);
	struct record *after = read_members(changes[_i].after);
	unsigned got = changed(&before->seen, &after->seen);

	ck_assert_msg(got == changes[_i].want, "%s: got %#x, want %#x", changes[_i].says, got,
	    changes[_i].want);
	record_unref(before);
	record_unref(after);
}
END_TEST

/* How many of n versions that differ in one text look alike: 2^-16 of them may. */
START_TEST(test_spread)
{
	static const unsigned n = 20000;
	uint8_t *met = calloc(1, 65536);
	unsigned different = 0;

	for (unsigned i = 0; i < n; i++) {
		char *members = xasprintf("\"title\":\"title number %u\"", i);
		struct record *r = read_members(members);

		different += !met[r->seen.part[PART_OTHER]];
		met[r->seen.part[PART_OTHER]] = 1;
		record_unref(r);
		free(members);
	}
	/* 65536 × (1 − e^(−20000/65536)) = 17,240 are to be expected. */
	ck_assert_uint_gt(different, 17000);
	ck_assert_uint_lt(different, 17500);
	free(met);
}
END_TEST

START_TEST(test_seen)
{
	struct record *r = read_members("\"severity\":\"High\",\"status\":\"resolved\","
					"\"createdDateTime\":\"2026-11-22T04:00:00Z\"");

	ck_assert_int_eq(r->seen.severity, SEVERITY_HIGH);
	ck_assert_int_eq(r->seen.status, STATUS_RESOLVED);
	ck_assert_int_eq(r->seen.rev, SEEN_REVISION);
	ck_assert(r->seen.created == r->alert.created && r->seen.version == r->alert.updated);
	record_unref(r);
}
END_TEST

START_TEST(test_unreadable)
{
	struct record *a = record_from_alert(STR("{\"id\":\"a\",\"severity\":\"low\"}"), true, 7);
	struct record *same =
	    record_from_alert(STR("{\"id\":\"a\",\"severity\":\"low\"}"), true, 8);
	struct record *other =
	    record_from_alert(STR("{\"id\":\"a\",\"severity\":\"low\"} "), true, 9);

	ck_assert_uint_eq(changed(&a->seen, &same->seen), 0);
	ck_assert_uint_eq(changed(&a->seen, &other->seen), BIT(OTHER));
	ck_assert(a->seen.version == 7 && same->seen.version == 8);
	ck_assert_int_eq(a->seen.severity, SEVERITY_LOW);
	ck_assert_int_eq(a->seen.rev, SEEN_REVISION);
	record_unref(a);
	record_unref(same);
	record_unref(other);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("parts");
	TCase *tc = tcase_create("parts");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_change, 0, ARRAY_LEN(changes));
	tcase_add_test(tc, test_spread);
	tcase_add_test(tc, test_seen);
	tcase_add_test(tc, test_unreadable);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
