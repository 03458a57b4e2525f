/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/policy/judge.h"
#include "tests/unit/make_record.h"

#define BIT(n) (1u << (n))

/* A version in short: its time, what it is, and numbers that stand for its parts. */
struct version {
	int64_t at;
	enum severity severity;
	enum status status;
	uint16_t other, comment, verdict;
	uint16_t rev;    /* 0: of today */
	int64_t created; /* 0: long ago */
};

static const struct {
	const char *says;
	struct version was, now; /* was.at == 0: first sight */
	enum judge_act act;
	enum event_kind kind;
	unsigned changed, flags;
} cases[] = {
	{ "first sight is new", { 0 }, { 10, SEVERITY_LOW, STATUS_NEW, 1, .created = 600 },
	    JUDGE_FORWARD, KIND_NEW, 0, 0 },
	{ "also when it is resolved already", { 0 },
	    { 10, SEVERITY_LOW, STATUS_RESOLVED, 1, .created = 600 }, JUDGE_FORWARD, KIND_NEW, 0,
	    0 },
	{ "at the beginning of the memory, too", { 0 },
	    { 10, SEVERITY_LOW, STATUS_NEW, 1, .created = 500 }, JUDGE_FORWARD, KIND_NEW, 0, 0 },
	{ "before it, it is an update of something old", { 0 },
	    { 10, SEVERITY_LOW, STATUS_NEW, 1, .created = 499 }, JUDGE_FORWARD, KIND_UPDATED, 0,
	    EVENT_BACKFILL },
	{ "without a time it is new", { 0 },
	    { 10, SEVERITY_LOW, STATUS_NEW, 1, .created = TICKS_NONE }, JUDGE_FORWARD, KIND_NEW, 0,
	    0 },
	{ "the same version is nothing", { 10, SEVERITY_LOW, STATUS_NEW, 1 },
	    { 10, SEVERITY_LOW, STATUS_NEW, 1 }, JUDGE_SKIP, KIND_UPDATED, 0, 0 },
	{ "nor is the same version with other parts", { 10, SEVERITY_LOW, STATUS_NEW, 1 },
	    { 10, SEVERITY_HIGH, STATUS_NEW, 2 }, JUDGE_SKIP, KIND_UPDATED, 0, 0 },
	{ "nor an older one", { 10, SEVERITY_LOW, STATUS_NEW, 1 },
	    { 9, SEVERITY_HIGH, STATUS_RESOLVED, 2 }, JUDGE_SKIP, KIND_UPDATED, 0, 0 },
	{ "a newer one without a change is remembered", { 10, SEVERITY_LOW, STATUS_NEW, 1 },
	    { 11, SEVERITY_LOW, STATUS_NEW, 1 }, JUDGE_REMEMBER, KIND_UPDATED, 0, 0 },
	{ "a newer one with a change is updated", { 10, SEVERITY_LOW, STATUS_NEW, 1, 1, 1 },
	    { 11, SEVERITY_LOW, STATUS_NEW, 1, 2, 2 }, JUDGE_FORWARD, KIND_UPDATED,
	    BIT(PART_COMMENT) | BIT(PART_VERDICT), 0 },
	{ "updates are never backfill", { 10, SEVERITY_LOW, STATUS_NEW, 1, .created = 1 },
	    { 11, SEVERITY_LOW, STATUS_NEW, 2, .created = 1 }, JUDGE_FORWARD, KIND_UPDATED,
	    BIT(PART_OTHER), 0 },
	{ "a risen severity is escalated", { 10, SEVERITY_LOW, STATUS_NEW, 1 },
	    { 11, SEVERITY_MEDIUM, STATUS_NEW, 1 }, JUDGE_FORWARD, KIND_ESCALATED,
	    BIT(PART_SEVERITY), 0 },
	{ "to a word of next year, too", { 10, SEVERITY_HIGH, STATUS_NEW, 1 },
	    { 11, SEVERITY_OTHER, STATUS_NEW, 1 }, JUDGE_FORWARD, KIND_ESCALATED,
	    BIT(PART_SEVERITY), 0 },
	{ "a fallen severity is an update", { 10, SEVERITY_HIGH, STATUS_NEW, 1 },
	    { 11, SEVERITY_LOW, STATUS_NEW, 1 }, JUDGE_FORWARD, KIND_UPDATED, BIT(PART_SEVERITY),
	    0 },
	{ "resolved", { 10, SEVERITY_LOW, STATUS_IN_PROGRESS, 1 },
	    { 11, SEVERITY_LOW, STATUS_RESOLVED, 1 }, JUDGE_FORWARD, KIND_RESOLVED,
	    BIT(PART_STATUS), 0 },
	{ "still resolved is an update", { 10, SEVERITY_LOW, STATUS_RESOLVED, 1 },
	    { 11, SEVERITY_LOW, STATUS_RESOLVED, 2 }, JUDGE_FORWARD, KIND_UPDATED, BIT(PART_OTHER),
	    0 },
	{ "reopened", { 10, SEVERITY_LOW, STATUS_RESOLVED, 1 },
	    { 11, SEVERITY_LOW, STATUS_IN_PROGRESS, 1 }, JUDGE_FORWARD, KIND_REOPENED,
	    BIT(PART_STATUS), 0 },
	{ "resolved to a word of next year is an update", { 10, SEVERITY_LOW, STATUS_RESOLVED, 1 },
	    { 11, SEVERITY_LOW, STATUS_OTHER, 1 }, JUDGE_FORWARD, KIND_UPDATED, BIT(PART_STATUS),
	    0 },
	{ "new to in progress is an update", { 10, SEVERITY_LOW, STATUS_NEW, 1 },
	    { 11, SEVERITY_LOW, STATUS_IN_PROGRESS, 1 }, JUDGE_FORWARD, KIND_UPDATED,
	    BIT(PART_STATUS), 0 },
	{ "reopened and escalated is reopened", { 10, SEVERITY_LOW, STATUS_RESOLVED, 1 },
	    { 11, SEVERITY_HIGH, STATUS_NEW, 1 }, JUDGE_FORWARD, KIND_REOPENED,
	    BIT(PART_STATUS) | BIT(PART_SEVERITY), 0 },
	{ "escalated and resolved is escalated", { 10, SEVERITY_LOW, STATUS_NEW, 1 },
	    { 11, SEVERITY_HIGH, STATUS_RESOLVED, 1 }, JUDGE_FORWARD, KIND_ESCALATED,
	    BIT(PART_STATUS) | BIT(PART_SEVERITY), 0 },
	{ "parts of another revision count as changed",
	    { 10, SEVERITY_LOW, STATUS_NEW, 1, 1, 1, .rev = 99 },
	    { 11, SEVERITY_LOW, STATUS_NEW, 1, 1, 1 }, JUDGE_FORWARD, KIND_UPDATED, BIT(PART_OTHER),
	    0 },
	{ "their hashes say nothing", { 10, SEVERITY_LOW, STATUS_NEW, 1, 1, 1, .rev = 99 },
	    { 11, SEVERITY_HIGH, STATUS_NEW, 7, 7, 7 }, JUDGE_FORWARD, KIND_ESCALATED,
	    BIT(PART_OTHER) | BIT(PART_SEVERITY), 0 },
	{ "the same version of another revision is nothing",
	    { 10, SEVERITY_LOW, STATUS_NEW, 1, .rev = 99 }, { 10, SEVERITY_LOW, STATUS_NEW, 1 },
	    JUDGE_SKIP, KIND_UPDATED, 0, 0 },
};

static void
fill(struct seen *s, const struct version *v)
{
	*s = (struct seen){ .created = v->created,
		.version = v->at,
		.rev = v->rev != 0 ? v->rev : SEEN_REVISION,
		.severity = (uint8_t)v->severity,
		.status = (uint8_t)v->status };
	s->part[PART_SEVERITY] = (uint16_t)(100 + v->severity);
	s->part[PART_STATUS] = (uint16_t)(200 + v->status);
	s->part[PART_OTHER] = v->other;
	s->part[PART_COMMENT] = v->comment;
	s->part[PART_VERDICT] = v->verdict;
}

START_TEST(test_alert)
{
	struct judgement j;
	struct seen was;
	struct made m;

	make_alert(&m);
	fill(&was, &cases[_i].was);
	fill(&m.record.seen, &cases[_i].now);
	judge(cases[_i].was.at != 0 ? &was : NULL, &m.record, 500, &j);
	ck_assert_msg(j.act == cases[_i].act, "%s: act %d", cases[_i].says, (int)j.act);
	if (j.act != JUDGE_FORWARD)
		return;
	ck_assert_msg(j.kind == cases[_i].kind, "%s: %s", cases[_i].says, kind_names[j.kind]);
	ck_assert_msg(j.changed == cases[_i].changed, "%s: changed %#x", cases[_i].says, j.changed);
	ck_assert_msg(j.flags == cases[_i].flags, "%s: flags %#x", cases[_i].says, j.flags);
}
END_TEST

/* Where the stream's memory has no beginning nothing is old. */
START_TEST(test_no_beginning)
{
	struct judgement j;
	struct made m;

	make_alert(&m);
	judge(NULL, &m.record, TICKS_NONE, &j);
	ck_assert(j.act == JUDGE_FORWARD && j.kind == KIND_NEW);
}
END_TEST

/* What the record room remembers of an unreadable slice: one hash of it all. */
static void
fill_unreadable(struct seen *s, int64_t at, uint16_t hash)
{
	*s = (struct seen){ .created = TICKS_NONE,
		.version = at,
		.rev = SEEN_REVISION,
		.severity = SEVERITY_HIGH };
	s->part[PART_OTHER] = hash;
}

START_TEST(test_unreadable)
{
	struct version readable = { 10, SEVERITY_LOW, STATUS_NEW, 5, 0, 0, 0, 600 };
	struct judgement j;
	struct seen was;
	struct made m;

	make_unreadable(&m, "da1", "why");
	fill_unreadable(&m.record.seen, 20, 7);
	judge(NULL, &m.record, 500, &j);
	ck_assert_msg(j.act == JUDGE_FORWARD && j.kind == KIND_UNREADABLE, "first sight");
	fill_unreadable(&was, 15, 7);
	judge(&was, &m.record, 500, &j);
	ck_assert_msg(j.act == JUDGE_SKIP, "the same bytes again, later");
	fill_unreadable(&was, 15, 8);
	judge(&was, &m.record, 500, &j);
	ck_assert_msg(j.act == JUDGE_FORWARD && j.kind == KIND_UNREADABLE, "other bytes");
	fill(&was, &readable);
	judge(&was, &m.record, 500, &j);
	ck_assert_msg(j.act == JUDGE_FORWARD && j.kind == KIND_UNREADABLE,
	    "a newer version of a readable one");
	was.version = 20;
	judge(&was, &m.record, 500, &j);
	ck_assert_msg(j.act == JUDGE_SKIP, "no newer version");
}
END_TEST

/* An unreadable version was stamped with when it was read: the real one must not lose to that. */
START_TEST(test_readable_again)
{
	struct version readable = { 10, SEVERITY_LOW, STATUS_NEW, 5, 0, 0, 0, 600 };
	struct judgement j;
	struct seen was;
	struct made m;

	make_alert(&m);
	fill(&m.record.seen, &readable);
	fill_unreadable(&was, 15, 7);
	judge(&was, &m.record, 500, &j);
	ck_assert(j.act == JUDGE_FORWARD && j.kind == KIND_NEW);
	was = m.record.seen;
	judge(&was, &m.record, 500, &j);
	ck_assert(j.act == JUDGE_SKIP);
}
END_TEST

/* An alert with so little in it that what is remembered looks like an unreadable one. */
START_TEST(test_poor_alert)
{
	struct judgement j;
	struct seen was;
	struct made m;

	make_alert(&m);
	fill_unreadable(&m.record.seen, 15, 7);
	was = m.record.seen;
	judge(&was, &m.record, 500, &j);
	ck_assert(j.act == JUDGE_SKIP);
}
END_TEST

START_TEST(test_other_types)
{
	struct judgement j;
	struct made m;

	make_alert(&m);
	m.record.type = RECORD_HEALTH;
	judge(NULL, &m.record, 500, &j);
	ck_assert(j.act == JUDGE_FORWARD && j.kind == KIND_HEALTH);
	m.record.type = RECORD_CANARY;
	judge(NULL, &m.record, 500, &j);
	ck_assert(j.act == JUDGE_FORWARD && j.kind == KIND_CANARY);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("judge");
	TCase *tc = tcase_create("judge");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_alert, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_no_beginning);
	tcase_add_test(tc, test_unreadable);
	tcase_add_test(tc, test_readable_again);
	tcase_add_test(tc, test_poor_alert);
	tcase_add_test(tc, test_other_types);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
