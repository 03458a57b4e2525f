/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/format/format.h"
#include "lib/policy/judge.h"
#include "lib/policy/match.h"
#include "lib/record/event.h"
#include "tests/unit/cef_parse.h"
#include "tests/unit/make_record.h"

#define NOW   (INT64_C(1800000000) * TICKS_SEC)
#define TIMES "\"createdDateTime\":\"2026-11-22T04:00:00.5Z\",\"lastUpdateDateTime\":"
#define WAS   TIMES "\"2026-11-22T04:10:46.09Z\""
#define LATER TIMES "\"2026-11-22T04:10:47Z\""
#define BASE \
	"{\"id\":\"40817\",\"tenantId\":\"" MADE_TENANT_ID "\",\"severity\":\"medium\"," \
	"\"status\":\"active\",\"displayName\":\"Odd things\"," WAS "}"
#define NEXT(more) \
	"{\"id\":\"40817\",\"tenantId\":\"" MADE_TENANT_ID "\",\"displayName\":\"Odd things\"," LATER \
	"," more "}"

static struct record *
read_text(const char *slice)
{
	return record_from_incident(str_of(slice), true, NOW);
}

/* ---- what a version means ------------------------------------------------------------ */

#define MEDIUM "\"severity\":\"medium\""
static const struct {
	const char *says, *was, *now;
	enum judge_act act;
	enum event_kind kind;
	unsigned changed;
} versions[] = {
	{ "the first one is new", NULL, BASE, JUDGE_FORWARD, KIND_NEW, 0 },
	{ "first sight of one that was merged is new, too", NULL,
	    NEXT("\"status\":\"redirected\",\"redirectIncidentId\":\"7\""), JUDGE_FORWARD, KIND_NEW,
	    0 },
	{ "nothing but its time: remembered", BASE, NEXT(MEDIUM ",\"status\":\"active\""),
	    JUDGE_REMEMBER, KIND_UPDATED, 0 },
	{ "who touched it last is no news", BASE,
	    NEXT(MEDIUM ",\"status\":\"active\",\"lastModifiedBy\":\"x\""), JUDGE_REMEMBER,
	    KIND_UPDATED, 0 },
	{ "severity rises", BASE, NEXT("\"severity\":\"High\",\"status\":\"active\""),
	    JUDGE_FORWARD, KIND_ESCALATED, 1u << PART_SEVERITY },
	{ "resolved", BASE, NEXT(MEDIUM ",\"status\":\"Resolved\""), JUDGE_FORWARD, KIND_RESOLVED,
	    1u << PART_STATUS },
	{ "merged: updated, with the incident and the status as what changed", BASE,
	    NEXT(MEDIUM ",\"status\":\"redirected\",\"redirectIncidentId\":\"41000\""),
	    JUDGE_FORWARD, KIND_UPDATED, 1u << PART_STATUS | 1u << PART_INCIDENT },
	{ "merged, its id as a number", BASE,
	    NEXT(MEDIUM ",\"status\":\"Redirected\",\"redirectIncidentId\":41000"), JUDGE_FORWARD,
	    KIND_UPDATED, 1u << PART_STATUS | 1u << PART_INCIDENT },
	{ "assigned and begun", BASE,
	    NEXT(MEDIUM ",\"status\":\"inProgress\",\"assignedTo\":\"a@b\""), JUDGE_FORWARD,
	    KIND_UPDATED, 1u << PART_STATUS | 1u << PART_ASSIGNEE },
	{ "a verdict", BASE,
	    NEXT(MEDIUM ",\"status\":\"active\",\"classification\":\"TruePositive\""),
	    JUDGE_FORWARD, KIND_UPDATED, 1u << PART_VERDICT },
	{ "a comment, as the samples write it", BASE,
	    NEXT(MEDIUM ",\"status\":\"active\",\"comments\":[{\"comment\":\"c\",\"createdBy\":\"x\","
			"\"createdTime\":\"2026-11-22T04:10:46Z\"}]"),
	    JUDGE_FORWARD, KIND_UPDATED, 1u << PART_COMMENT },
	{ "a tag", BASE, NEXT(MEDIUM ",\"status\":\"active\",\"customTags\":[\"vip\"]"),
	    JUDGE_FORWARD, KIND_UPDATED, 1u << PART_OTHER },
	{ "resolved, and open again", NEXT(MEDIUM ",\"status\":\"resolved\""),
	    "{\"id\":\"40817\",\"severity\":\"medium\",\"status\":\"awaitingAction\","
	    "\"displayName\":\"Odd things\"," TIMES "\"2026-11-22T05:00:00Z\"}",
	    JUDGE_FORWARD, KIND_REOPENED, 1u << PART_STATUS },
	{ "an older version is nothing", NEXT(MEDIUM ",\"status\":\"resolved\""), BASE, JUDGE_SKIP,
	    KIND_UPDATED, 0 },
};

START_TEST(test_version)
{
	struct record *was = versions[_i].was != NULL ? read_text(versions[_i].was) : NULL;
	struct record *now = read_text(versions[_i].now);
	struct judgement j;

	ck_assert_int_eq(now->type, RECORD_INCIDENT);
	judge(was != NULL ? &was->seen : NULL, now, TICKS_NONE, &j);
	ck_assert_msg(j.act == versions[_i].act, "%s: act %d", versions[_i].says, (int)j.act);
	ck_assert_msg(j.act == JUDGE_SKIP || j.kind == versions[_i].kind, "%s: kind %d",
	    versions[_i].says, (int)j.kind);
	ck_assert_msg(j.changed == versions[_i].changed, "%s: changed %#x", versions[_i].says,
	    j.changed);
	record_unref(was);
	record_unref(now);
}
END_TEST

/* ---- what cannot be read --------------------------------------------------------------- */

static const struct {
	const char *says, *slice, *why;
} odd[] = {
	{ "no object", "[]", "it is no object" },
	{ "no id", "{" WAS "}", "it has no id" },
	{ "two ids", "{\"id\":\"1\",\"id\":\"2\"," WAS "}", "it has two ids" },
	{ "two tenants", "{\"id\":\"1\",\"tenantId\":\"a\",\"tenantId\":\"b\"," WAS "}",
	    "it has two tenantIds" },
	{ "no time", "{\"id\":\"1\"}", "it has no lastUpdateDateTime that can be read" },
	{ "cut short", "{\"id\":\"1\"," WAS, "it is broken at byte" },
};

START_TEST(test_unreadable)
{
	struct record *r = read_text(odd[_i].slice);

	ck_assert_int_eq(r->type, RECORD_UNREADABLE);
	ck_assert_msg(str_starts(r->unreadable.why, odd[_i].why), "%s: %.*s", odd[_i].says,
	    STR_ARG(r->unreadable.why));
	record_unref(r);
}
END_TEST

/* From the journal it comes back as it was. */
START_TEST(test_entry)
{
	struct record *r = read_text(BASE);
	struct record *again = record_from_entry(RECORD_INCIDENT, r->id, r->version, str_of(BASE));

	ck_assert_int_eq(again->type, RECORD_INCIDENT);
	ck_assert(str_same(again->incident.name, r->incident.name));
	ck_assert_int_eq(again->incident.status, INCIDENT_ACTIVE);
	ck_assert_int_eq(again->incident.created, r->incident.created);
	ck_assert(str_is(record_tenant_id(again), MADE_TENANT_ID));
	record_unref(r);
	record_unref(again);
}
END_TEST

/* ---- formats ------------------------------------------------------------------------------ */

#define WHOLE \
	"{\"id\":\"40817\",\"tenantId\":\"" MADE_TENANT_ID "\",\"severity\":\"high\"," \
	"\"status\":\"redirected\",\"redirectIncidentId\":\"41000\",\"displayName\":\"Odd | things\"," \
	"\"priorityScore\":73,\"customTags\":[\"vip\",\"a=b\"],\"systemTags\":[\"Defender Experts\"]," \
	"\"classification\":\"truePositive\",\"determination\":\"malware\",\"summary\":\"In short\"," \
	"\"resolvingComment\":\"Done\",\"incidentWebUrl\":\"https://evil.example/incidents/40817\"," WAS \
	"}"

static const struct {
	const char *key, *value;
} keys[] = {
	{ "externalId", "40817" },
	{ "cn1", "40817" },
	{ "cn1Label", "IncidentId" },
	{ "MicrosoftDefenderEventId",
	    MADE_TENANT_ID "/incident:40817/2026-11-22T04:10:46.0900000Z" },
	{ "MicrosoftDefenderMergedInto", "41000" },
	{ "cs5", "redirected" },
	{ "cs6", "truePositive/malware" },
	{ "cn3", "73" },
	{ "cn3Label", "PriorityScore" },
	{ "MicrosoftDefenderTags", "vip,a=b,Defender Experts" },
	{ "msg", "In short" },
	{ "reason", "Done" },
	{ "flexString1",
	    "https://security.microsoft.com/incidents/40817?tid=" MADE_TENANT_ID },
	{ "cs3", MADE_TENANT_ID },
	{ "cn2", NULL },
	{ "cat", NULL },
};

START_TEST(test_cef)
{
	struct format_opts opts = { .max_bytes = 60000 };
	struct record *r = read_text(WHOLE);
	struct buf out = BUF_INIT(60000);
	struct cef_parsed p;
	struct made m;

	make_alert(&m);
	m.event.record = r;
	m.event.kind = KIND_UPDATED;
	ck_assert(format_cef.write(&out, &m.event, &opts));
	ck_assert_ptr_null(cef_parse(&p, buf_peek(&out)));
	ck_assert_ptr_nonnull(strstr(out.p, "|Microsoft Defender XDR Incident|1.0|incident|Odd \\| "
					    "things|8|"));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct str got = cef_get(&p, keys[i].key);

		if (keys[i].value == NULL)
			ck_assert_msg(got.s == NULL, "%s: %.*s", keys[i].key, STR_ARG(got));
		else
			ck_assert_msg(str_is(got, keys[i].value), "%s: %.*s", keys[i].key,
			    STR_ARG(got));
	}
	cef_parsed_release(&p);
	buf_release(&out);
	record_unref(r);
}
END_TEST

START_TEST(test_raw)
{
	struct format_opts opts = { .max_bytes = _i == 0 ? 60000 : 700 };
	struct record *r = read_text(WHOLE);
	struct buf out = BUF_INIT(60000);
	struct made m;

	make_alert(&m);
	m.event.record = r;
	ck_assert(format_raw.write(&out, &m.event, &opts));
	ck_assert_ptr_nonnull(strstr(out.p, _i == 0 ? ",\"incident\":{\"id\":\"40817\"" : "too_large"));
	ck_assert_ptr_nonnull(strstr(out.p, "Odd | things"));
	buf_release(&out);
	record_unref(r);
}
END_TEST

/* Its severity is asked as an alert's; what only alerts have is not known of it, and passes. */
START_TEST(test_match)
{
	static const char *const words[] = { "microsoftDefenderForEndpoint" };
	struct match high = { .severities = 1u << SEVERITY_HIGH };
	struct match medium = { .severities = 1u << SEVERITY_MEDIUM };
	struct match service = { .services = { words, 1 } };
	struct record *r = read_text(WHOLE);
	struct made m;

	make_alert(&m);
	m.event.record = r;
	ck_assert(match_test(&high, &m.event));
	ck_assert(!match_test(&medium, &m.event));
	ck_assert(match_test(&service, &m.event));
	record_unref(r);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("incident");
	TCase *tc = tcase_create("incident");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_version, 0, (int)ARRAY_LEN(versions));
	tcase_add_loop_test(tc, test_unreadable, 0, (int)ARRAY_LEN(odd));
	tcase_add_test(tc, test_entry);
	tcase_add_test(tc, test_cef);
	tcase_add_loop_test(tc, test_raw, 0, 2);
	tcase_add_test(tc, test_match);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
