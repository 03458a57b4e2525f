/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/policy/judge.h"
#include "lib/policy/paging.h"
#include "lib/record/record.h"

#define NOW (INT64_C(1800000000) * TICKS_SEC)
#define AT(time) \
	"\"alertCreationTime\":\"2026-11-22T04:00:00.5Z\",\"lastUpdateTime\":\"" time "\""
#define HEAD "{\"id\":\"da1_2\"," AT("2026-11-22T04:10:46.09Z")

static struct record *
read_text(const char *slice)
{
	return record_from_mde(str_of(slice), true, NOW);
}

/* ---- fields --------------------------------------------------------------------------- */

START_TEST(test_fields)
{
	struct record *r = read_text(HEAD
	    ",\"incidentId\":40817,\"severity\":\"High\",\"status\":\"InProgress\","
	    "\"classification\":\"TruePositive\",\"determination\":\"Malware\","
	    "\"aadTenantId\":\"t1\",\"machineId\":\"73e7\",\"computerDnsName\":\"pc7\","
	    "\"rbacGroupName\":\"W\",\"relatedUser\":{\"userName\":\"ana\",\"domainName\":\"C\"},"
	    "\"threatName\":\"Emotet\",\"comments\":[{\"comment\":\"c\",\"createdBy\":\"x\","
	    "\"createdTime\":\"2026-11-22T04:00:00Z\"}],\"evidence\":[{\"entityType\":\"Process\","
	    "\"fileName\":\"a.exe\",\"processId\":4780,\"processCommandLine\":\"a -b\"},"
	    "{\"entityType\":\"ip\",\"ipAddress\":\"10.0.0.1\"},{\"entityType\":\"New\",\"x\":1}]}");
	const struct alert *a = &r->alert;

	ck_assert_int_eq(r->type, RECORD_ALERT);
	ck_assert(!r->is_repaired);
	ck_assert(str_is(r->id, "da1_2") && str_is(a->incident_id, "40817"));
	ck_assert(a->severity == SEVERITY_HIGH && str_is(a->severity_text, "high"));
	ck_assert(a->status == STATUS_IN_PROGRESS && str_is(a->status_text, "inProgress"));
	ck_assert(str_is(a->classification, "truePositive") && str_is(a->determination, "malware"));
	ck_assert(str_is(a->service_source, "microsoftDefenderForEndpoint"));
	ck_assert(str_is(record_tenant_id(r), "t1"));
	ck_assert(str_is(a->threat_display_name, "Emotet"));
	ck_assert(a->ncomments == 1 && str_is(a->comments[0].by, "x"));
	ck_assert_uint_eq(a->nevidence, 5);
	ck_assert_uint_eq(a->nevidence_all, 5);
	ck_assert(a->evidence[0].kind == EVIDENCE_DEVICE && a->evidence[0].is_primary);
	ck_assert(str_is(a->evidence[0].device.dns_name, "pc7"));
	ck_assert(str_is(a->evidence[0].device.rbac_group_name, "W"));
	ck_assert(str_is(a->evidence[1].user.account.account_name, "ana"));
	ck_assert_int_eq(a->evidence[2].process.pid, 4780);
	ck_assert(str_is(a->evidence[2].process.image.name, "a.exe"));
	ck_assert(str_is(a->evidence[3].ip.address, "10.0.0.1"));
	ck_assert_int_eq(a->evidence[4].kind, EVIDENCE_GENERIC);
	ck_assert(str_is(a->evidence[4].json, "{\"entityType\":\"New\",\"x\":1}"));
	ck_assert_int_eq(a->first_activity, TICKS_NONE);
	record_unref(r);
}
END_TEST

static const struct {
	const char *says, *slice, *why;
} odd[] = {
	{ "no object", "3", "it is no object" },
	{ "no id", "{" AT("2026-11-22T04:10:46Z") "}", "it has no id" },
	{ "Graph's time is not its own", "{\"id\":\"a\",\"lastUpdateDateTime\":"
					 "\"2026-11-22T04:10:46Z\"}",
	    "it has no lastUpdateDateTime" },
	{ "two times", HEAD "," AT("2026-11-22T04:10:46Z") "}", "it has two lastUpdateDateTimes" },
	{ "two tenants", HEAD ",\"aadTenantId\":\"a\",\"aadTenantId\":\"b\"}",
	    "it has two tenantIds" },
	{ "broken evidence", HEAD ",\"evidence\":[{\"entityType\":}]}", "it is broken" },
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

/* From the journal it comes back as the same alert, though the entry says no more than that. */
START_TEST(test_entry)
{
	const char *slice = HEAD ",\"severity\":\"Low\",\"evidence\":[{\"entityType\":\"Url\"}]}";
	struct record *r = read_text(slice);
	struct record *again = record_from_entry(RECORD_ALERT, r->id, r->version, str_of(slice));

	ck_assert_int_eq(again->type, RECORD_ALERT);
	ck_assert_int_eq(again->alert.severity, SEVERITY_LOW);
	ck_assert_uint_eq(again->alert.nevidence, 1);
	ck_assert(!again->is_repaired);
	record_unref(r);
	record_unref(again);
}
END_TEST

/* ---- beside Graph --------------------------------------------------------------------------- */

#define GRAPH(time, severity) \
	"{\"id\":\"da1_2\",\"createdDateTime\":\"2026-11-22T04:00:00.5Z\",\"severity\":\"" severity \
	"\",\"status\":\"new\",\"lastUpdateDateTime\":\"" time "\"}"
#define MDE(time, severity) \
	"{\"id\":\"da1_2\",\"severity\":\"" severity "\",\"status\":\"New\"," AT(time) "}"
#define ONE "2026-11-22T04:10:46Z"
#define TWO "2026-11-22T04:10:47Z"

static const struct {
	const char *says;
	bool was_mde, is_mde;
	const char *was, *now;
	enum judge_act act;
	enum event_kind kind;
} beside[] = {
	{ "the same version of Graph's: nothing", false, true, GRAPH(ONE, "low"), MDE(ONE, "Low"),
	    JUDGE_SKIP, KIND_UPDATED },
	{ "a newer one of Graph's: nothing, Graph will tell", false, true, GRAPH(ONE, "low"),
	    MDE(TWO, "High"), JUDGE_SKIP, KIND_UPDATED },
	{ "Graph comes late with the same version: nothing", true, false, MDE(ONE, "Low"),
	    GRAPH(ONE, "low"), JUDGE_SKIP, KIND_UPDATED },
	{ "Graph comes with a newer one: told", true, false, MDE(ONE, "Low"), GRAPH(TWO, "low"),
	    JUDGE_FORWARD, KIND_UPDATED },
	{ "and as what it is", true, false, MDE(ONE, "Low"), GRAPH(TWO, "high"), JUDGE_FORWARD,
	    KIND_ESCALATED },
	{ "the endpoint API alone: told", true, true, MDE(ONE, "Low"), MDE(TWO, "High"),
	    JUDGE_FORWARD, KIND_ESCALATED },
	{ "and not where nothing changed", true, true, MDE(ONE, "Low"), MDE(TWO, "Low"),
	    JUDGE_REMEMBER, KIND_UPDATED },
	{ "what cannot be read is nothing beside Graph's", false, true, GRAPH(ONE, "low"),
	    "{\"id\":\"da1_2\",\"lastUpdateTime\":\"" TWO "\",", JUDGE_SKIP, KIND_UPDATED },
};

static struct record *
read_of(bool is_mde, const char *slice)
{
	return (is_mde ? record_from_mde : record_from_alert)(str_of(slice), true, NOW);
}

START_TEST(test_beside)
{
	struct record *was = read_of(beside[_i].was_mde, beside[_i].was);
	struct record *now = read_of(beside[_i].is_mde, beside[_i].now);
	struct judgement j;

	judge(&was->seen, now, TICKS_NONE, &j);
	ck_assert_msg(j.act == beside[_i].act, "%s: act %d", beside[_i].says, (int)j.act);
	ck_assert_msg(j.act == JUDGE_SKIP || j.kind == beside[_i].kind, "%s: kind %d",
	    beside[_i].says, (int)j.kind);
	record_unref(was);
	record_unref(now);
}
END_TEST

/* ---- by position ------------------------------------------------------------------------------ */

/* A list in no order that loses its first items after page `moves` is read: what lies behind moves
 * up by more than is read twice, and some is passed over. */
struct list {
	unsigned n;
	int moves;
	bool is_deaf; /* to $skip */
	bool is_known[2000];
	unsigned found, requests;
};

static bool
read_page(struct list *l, struct paging *p, struct paging_step *step)
{
	struct paging_page pg;
	unsigned from = l->is_deaf ? 0 : p->ask.skip, shift = l->moves >= 0 && (int)l->requests > l->moves ? 15 : 0;

	paging_page_init(&pg, p, NOW);
	for (unsigned i = from; i < l->n - shift && i < from + p->ask.top; i++) {
		unsigned item = i + shift;

		paging_page_add(&pg, NOW - (int64_t)((item * 7919) % l->n) * TICKS_SEC,
		    !l->is_known[item]);
		l->found += !l->is_known[item];
		l->is_known[item] = true;
	}
	l->requests++;
	paging_take(p, &pg, step);
	return step->what == PAGING_ASK;
}

static const struct {
	const char *says;
	unsigned n;
	int moves;
	unsigned most; /* requests */
} lists[] = {
	{ "an empty list is one request", 0, -1, 1 },
	{ "one page, and one that finds its end", 30, -1, 2 },
	{ "beyond 500, which is no end here", 1500, -1, 80 },
	{ "what is passed over is found by the next pass", 1500, 0, 80 },
	{ "wherever it is", 1500, 9, 120 },
};

START_TEST(test_by_skip)
{
	struct paging_bounds b = { .from = NOW - 5000 * TICKS_SEC,
		.until = PAGING_FOREVER,
		.cursor = TICKS_NONE,
		.page_size = 50,
		.most = 1000,
		.is_by_skip = true };
	struct list l = { .n = lists[_i].n, .moves = lists[_i].moves };
	struct paging_habits habits = { 0 };
	struct paging_step step;
	struct paging p;

	paging_begin(&p, &habits, &b);
	ck_assert(!p.ask.with_order);
	while (read_page(&l, &p, &step)) {
		ck_assert_int_eq(step.cursor, TICKS_NONE);
		ck_assert_uint_lt(l.requests, 500);
	}
	ck_assert_int_eq(step.what, PAGING_DONE);
	ck_assert_msg(l.found == l.n, "%s: %u of %u", lists[_i].says, l.found, l.n);
	ck_assert_msg(l.requests <= lists[_i].most, "%s: %u requests", lists[_i].says, l.requests);
	ck_assert_int_eq(step.cursor, l.n != 0 ? NOW : TICKS_NONE);
}
END_TEST

/* A server that refuses $skip is read by windows of time. */
START_TEST(test_refused_skip)
{
	struct paging_bounds b = { .from = NOW - 100 * TICKS_SEC,
		.until = PAGING_FOREVER,
		.cursor = TICKS_NONE,
		.page_size = 10,
		.is_by_skip = true };
	struct list l = { .n = 40, .moves = -1 };
	struct paging_habits habits = { 0 };
	struct paging_step step;
	struct paging p;

	paging_begin(&p, &habits, &b);
	ck_assert(read_page(&l, &p, &step));
	ck_assert_int_eq(p.ask.mode, PAGING_SKIP);
	paging_fault(&p, PAGING_REFUSED, &step);
	ck_assert_int_eq(step.what, PAGING_ASK);
	ck_assert_int_eq(p.ask.mode, PAGING_KEYSET);
	ck_assert(read_page(&l, &p, &step));
	ck_assert_int_eq(p.ask.mode, PAGING_KEYSET);
}
END_TEST

/* One that takes no notice of it, too, and soon. */
START_TEST(test_ignored_skip)
{
	struct paging_bounds b = { .from = NOW - 100 * TICKS_SEC,
		.until = PAGING_FOREVER,
		.cursor = TICKS_NONE,
		.page_size = 10,
		.is_by_skip = true };
	struct list l = { .n = 40, .moves = -1, .is_deaf = true };
	struct paging_habits habits = { 0 };
	struct paging_step step;
	struct paging p;

	paging_begin(&p, &habits, &b);
	for (int i = 0; i < 5; i++)
		ck_assert(read_page(&l, &p, &step));
	ck_assert_int_eq(p.ask.mode, PAGING_KEYSET);
	ck_assert(p.ask.before == PAGING_FOREVER);
	ck_assert(read_page(&l, &p, &step));
	ck_assert_int_eq(p.ask.mode, PAGING_KEYSET);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mde");
	TCase *tc = tcase_create("mde");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, test_fields);
	tcase_add_loop_test(tc, test_unreadable, 0, (int)ARRAY_LEN(odd));
	tcase_add_test(tc, test_entry);
	tcase_add_loop_test(tc, test_beside, 0, (int)ARRAY_LEN(beside));
	tcase_add_loop_test(tc, test_by_skip, 0, (int)ARRAY_LEN(lists));
	tcase_add_test(tc, test_refused_skip);
	tcase_add_test(tc, test_ignored_skip);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
