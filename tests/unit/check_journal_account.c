/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/journal/account.h"
#include "tests/unit/given_stage.h"

/* What is known of the alerts of a day, and what became of each at each sink: of every engine. */
static const struct journal_engine *const engines[] = { &journal_sqlite, &journal_mem };

#define DAY  (INT64_C(86400) * TICKS_SEC)

/* Of the day that all were created on. */
static struct account *
account(struct kit *k)
{
	struct account *a = account_new(stream(k), KIT_START - KIT_START % DAY,
	    KIT_START - KIT_START % DAY + DAY);
	const struct journal_task t = { .what = JOURNAL_ACCOUNT, .account = a };

	ck_assert(kit_work_all(k, t).is_over);
	return a;
}

struct tally {
	size_t of[FATE_COUNT], all;
};

static struct tally
tally(struct kit *k, uint32_t sink)
{
	struct account *a = account(k);
	size_t column = account_column(a, sink);
	struct tally t = { .all = 0 };

	for (size_t i = 0; i < a->nslots; i++) {
		if (a->alerts[i].n == 0 || !a->alerts[i].is_remembered || !account_is_of(a, &a->alerts[i]))
			continue;
		t.all++;
		t.of[account_fate(a, &a->alerts[i], column)]++;
	}
	account_free(a);
	return t;
}

static void
expect(struct kit *k, uint32_t sink, enum account_fate fate, size_t n, size_t all, const char *says)
{
	struct tally t = tally(k, sink);

	ck_assert_msg(t.all == all && t.of[fate] == n,
	    "%s: %zu of %zu (accepted %zu, waiting %zu, refused %zu, missed %zu, left out %zu, "
	    "unknown %zu, not there %zu)", says, t.of[fate], t.all, t.of[FATE_ACCEPTED],
	    t.of[FATE_WAITING], t.of[FATE_REFUSED], t.of[FATE_MISSED], t.of[FATE_LEFT_OUT],
	    t.of[FATE_UNKNOWN], t.of[FATE_NOT_THERE]);
}

static void
what_waits_is_accepted_once_it_is_settled(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	give(k, "a", 5, V(1), siem);
	expect(k, siem, FATE_WAITING, 5, 5, "given");
	b = kit_read(k, siem, 2, SIZE_MAX, NULL);
	expect(k, siem, FATE_WAITING, 5, 5, "handed out");
	kit_settle(k, siem, &b->items[0], MARK_OK, 0, NULL);
	kit_settle(k, siem, &b->items[0], MARK_OK, 0, NULL);
	kit_settle(k, siem, &b->items[1], MARK_LATER, V(50), "memo");
	journal_batch_free(b);
	kit_wait_backlog(k, siem, 4);
	expect(k, siem, FATE_ACCEPTED, 1, 5, "settled twice counts once");
	expect(k, siem, FATE_WAITING, 4, 5, "put off is waiting");
}

static void
versions_count_once(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");

	give(k, "a", 3, V(1), siem);
	kit_drain(k, siem, true);
	kit_wait_backlog(k, siem, 0);
	give(k, "a", 2, V(2), siem);
	expect(k, siem, FATE_WAITING, 2, 3, "the last version");
	kit_drain(k, siem, true);
	kit_wait_backlog(k, siem, 0);
	expect(k, siem, FATE_ACCEPTED, 3, 3, "the last version");
}

static void
what_is_refused_is_so_until_it_is_accepted(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	const struct journal_task again = { .what = JOURNAL_RETRY, .which = { .sink = siem } };
	struct journal_batch *b;

	give(k, "a", 3, V(1), siem);
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	for (size_t i = 0; i < 3; i++)
		kit_settle(k, siem, &b->items[i], i == 0 ? MARK_DEAD : MARK_OK, 0, NULL);
	journal_batch_free(b);
	kit_wait_backlog(k, siem, 0);
	expect(k, siem, FATE_REFUSED, 1, 3, "a dead letter");
	ck_assert_uint_eq(kit_work_all(k, again).done, 1);
	expect(k, siem, FATE_REFUSED, 1, 3, "it is one while it is tried again");
	kit_drain(k, siem, true);
	kit_wait_backlog(k, siem, 0);
	expect(k, siem, FATE_ACCEPTED, 3, 3, "accepted at last");
}

static void
a_dead_letter_that_is_dropped_stays_refused(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	const struct journal_task drop = { .what = JOURNAL_DROP, .which = { .sink = siem } };
	struct journal_batch *b;

	give(k, "a", 1, V(1), siem);
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	kit_settle(k, siem, &b->items[0], MARK_DEAD, 0, NULL);
	journal_batch_free(b);
	kit_wait_backlog(k, siem, 0);
	ck_assert_uint_eq(kit_work_all(k, drop).done, 1);
	expect(k, siem, FATE_REFUSED, 1, 1, "nobody took it");
}

static void
what_a_parked_sink_is_not_given_is_let_go(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	size_t most = JOURNAL_PARK_KEEP + 20;
	struct kit_page *p;

	give(k, "a", most, V(1), siem);
	journal_sink_park(k->j, siem, true);
	kit_wait_backlog(k, siem, JOURNAL_PARK_KEEP);
	give(k, "b", 5, V(3), siem);
	expect(k, siem, FATE_MISSED, 25, most + 5, "parked");
	expect(k, siem, FATE_WAITING, JOURNAL_PARK_KEEP, most + 5, "what it keeps");
	journal_sink_park(k->j, siem, false);
	kit_run(k, 300);
	p = page(k, "b", 5, V(3));
	p->is_missing = true;
	kit_route(p, siem);
	kit_must_append(k, p);
	expect(k, siem, FATE_MISSED, 20, most + 5, "read again for it");
	while (kit_backlog(k, siem).entries > 0) {
		kit_drain(k, siem, true);
		kit_run(k, 200);
	}
	expect(k, siem, FATE_ACCEPTED, most - 20 + 5, most + 5, "and accepted");
}

static void
what_a_filter_leaves_out_is_left_out(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), lake = journal_sink(k->j, "lake");
	struct kit_page *p = page(k, "a", 2, V(2));

	give(k, "a", 2, V(1), siem);
	kit_drain(k, siem, true);
	kit_wait_backlog(k, siem, 0);
	kit_mean(p, siem);
	kit_mean(p, lake);
	kit_must_append(k, p);
	expect(k, siem, FATE_ACCEPTED, 2, 2, "it has the last one that was meant for it");
	expect(k, lake, FATE_LEFT_OUT, 2, 2, "it never had one");
}

/* A dead letter of a version that was overtaken is none of the alert's. */
static void
an_old_dead_letter_is_of_no_interest(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	give(k, "a", 1, V(1), siem);
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	give(k, "a", 1, V(2), siem);
	kit_settle(k, siem, &b->items[0], MARK_DEAD, 0, NULL);
	journal_batch_free(b);
	kit_wait_backlog(k, siem, 1);
	kit_drain(k, siem, true);
	kit_wait_backlog(k, siem, 0);
	expect(k, siem, FATE_ACCEPTED, 1, 1, "the newer one");
}

static void
a_replay_for_another_sink_counts(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), lake = journal_sink(k->j, "lake");
	struct kit_page *p;

	give(k, "a", 2, V(1), siem);
	p = page(k, "a", 2, V(1));
	p->is_repeat = true;
	kit_route(p, lake);
	kit_must_append(k, p);
	expect(k, lake, FATE_WAITING, 2, 2, "read again for it");
	kit_drain(k, lake, true);
	kit_wait_backlog(k, lake, 0);
	expect(k, lake, FATE_ACCEPTED, 2, 2, "accepted");
	expect(k, siem, FATE_WAITING, 2, 2, "the other one has its own");
}

static void
other_streams_and_days_are_not_counted(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	uint32_t other = journal_stream(k->j, "global/2222/alerts", "about 2222");
	struct kit_page *p = kit_page(k, other, "x", 4, 100, V(1)), *q = page(k, "y", 3, V(1));

	kit_route(p, siem);
	kit_must_append(k, p);
	for (size_t i = 0; i < 3; i++)
		q->page.entries[i].now.created = KIT_START + DAY;
	kit_route(q, siem);
	kit_must_append(k, q);
	give(k, "a", 2, V(1), siem);
	expect(k, siem, FATE_WAITING, 2, 2, "those of the stream and the day");
}

static const struct {
	const char *says;
	void (*run)(struct kit *k);
} cases[] = {
	{ "what waits is accepted once it is settled", what_waits_is_accepted_once_it_is_settled },
	{ "versions count once", versions_count_once },
	{ "what is refused is so until it is accepted", what_is_refused_is_so_until_it_is_accepted },
	{ "a dead letter that is dropped stays refused", a_dead_letter_that_is_dropped_stays_refused },
	{ "what a parked sink is not given is let go", what_a_parked_sink_is_not_given_is_let_go },
	{ "what a filter leaves out is left out", what_a_filter_leaves_out_is_left_out },
	{ "an old dead letter is of no interest", an_old_dead_letter_is_of_no_interest },
	{ "a replay for another sink counts", a_replay_for_another_sink_counts },
	{ "other streams and days are not counted", other_streams_and_days_are_not_counted },
};

START_TEST(on_each_engine)
{
	struct kit k;

	kit_init(&k, engines[_i % (int)ARRAY_LEN(engines)]);
	kit_must_open(&k);
	cases[_i / (int)ARRAY_LEN(engines)].run(&k);
	kit_release(&k);
}
END_TEST

/* ---- the file ------------------------------------------------------------- */

START_TEST(it_outlives_a_restart)
{
	struct journal_batch *b;
	struct kit k;
	uint32_t siem;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	siem = journal_sink(k.j, "siem");
	give(&k, "a", 4, V(1), siem);
	b = kit_read(&k, siem, 2, SIZE_MAX, NULL);
	kit_settle(&k, siem, &b->items[0], MARK_OK, 0, NULL);
	kit_settle(&k, siem, &b->items[1], MARK_DEAD, 0, NULL);
	journal_batch_free(b);
	kit_wait_backlog(&k, siem, 2);
	kit_close(&k);
	kit_must_open(&k);
	expect(&k, siem, FATE_ACCEPTED, 1, 4, "after a restart");
	expect(&k, siem, FATE_REFUSED, 1, 4, "after a restart");
	expect(&k, siem, FATE_WAITING, 2, 4, "after a restart");
	kit_release(&k);
}
END_TEST

/* It did not write down who was given what, or why others were not. */
START_TEST(what_an_older_one_stored_is_unknown)
{
	struct kit k;
	uint32_t siem, lake;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	siem = journal_sink(k.j, "siem");
	lake = journal_sink(k.j, "lake");
	give(&k, "a", 2, V(1), siem);
	kit_drain(&k, siem, true);
	kit_wait_backlog(&k, siem, 0);
	sql(&k, "UPDATE memory SET given = NULL");
	expect(&k, siem, FATE_UNKNOWN, 2, 2, "nothing was written down");
	give(&k, "b", 2, V(2), siem);
	kit_drain(&k, siem, true);
	kit_wait_backlog(&k, siem, 0);
	expect(&k, siem, FATE_ACCEPTED, 2, 4, "what is newer is known");
	expect(&k, lake, FATE_LEFT_OUT, 2, 4, "likewise");
	atomic_fetch_add(&k.clock.wall, 10 * TICKS_SEC);
	sql(&k, "DELETE FROM meta WHERE name = 'reasons_since'");
	expect(&k, siem, FATE_ACCEPTED, 2, 4, "who had it is known without reasons");
	expect(&k, lake, FATE_UNKNOWN, 4, 4, "but not why others have not");
	kit_release(&k);
}
END_TEST

START_TEST(a_sink_that_came_later_was_not_there)
{
	struct kit k;
	uint32_t siem, late;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	siem = journal_sink(k.j, "siem");
	give(&k, "a", 2, V(1), siem);
	atomic_fetch_add(&k.clock.wall, 100 * TICKS_SEC);
	late = journal_sink(k.j, "late");
	give(&k, "b", 1, V(2), late);
	expect(&k, late, FATE_NOT_THERE, 2, 3, "stored before it");
	expect(&k, late, FATE_WAITING, 1, 3, "and after");
	kit_release(&k);
}
END_TEST

/* More than one step of each kind. */
START_TEST(many)
{
	struct kit k;
	uint32_t siem, lake;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	siem = journal_sink(k.j, "siem");
	lake = journal_sink(k.j, "lake");
	for (int i = 0; i < 6; i++) {
		struct kit_page *p;
		char prefix[8];

		snprintf(prefix, sizeof(prefix), "p%d", i);
		p = page(&k, prefix, 900, V(1));
		kit_route(p, siem);
		kit_route(p, lake);
		kit_must_append(&k, p);
	}
	expect(&k, siem, FATE_WAITING, 5400, 5400, "all wait");
	expect(&k, lake, FATE_WAITING, 5400, 5400, "at both");
	kit_drain(&k, lake, true);
	kit_wait_backlog(&k, lake, 0);
	expect(&k, lake, FATE_ACCEPTED, 5400, 5400, "at one");
	expect(&k, siem, FATE_WAITING, 5400, 5400, "not at the other");
	kit_release(&k);
}
END_TEST

START_TEST(what_is_listed)
{
	struct account *a = account_new(1, V(0), V(100));
	struct given none = { .n = 0 };

	ck_assert(account_list(a, str_of("a"), V(1), V(1), false));
	ck_assert_msg(!account_list(a, str_of("a"), V(1), V(2), false), "once");
	ck_assert_msg(!account_list(a, (struct str){ "", 0 }, V(1), V(2), false), "it has no id");
	account_remember(a, str_of("b"), V(2), V(2), true, &none);
	ck_assert(account_list(a, str_of("b"), V(100), V(2), true));
	ck_assert_uint_eq(a->nalerts, 2);
	for (size_t i = 0; i < a->nslots; i++) {
		if (a->alerts[i].n == 0)
			continue;
		ck_assert_int_eq(a->alerts[i].is_remembered, *a->alerts[i].id == 'b');
		ck_assert_msg(account_is_of(a, &a->alerts[i]) == (*a->alerts[i].id == 'a'),
		    "Microsoft says when it was created");
	}
	account_free(a);
}
END_TEST

/* Whoever lists too many, or remembers them, is told; and memory has an end. */
START_TEST(too_many)
{
	struct account *a = account_new(1, V(0), V(100));
	struct given none = { .n = 0 };
	char id[32];

	for (size_t i = 0; i < ACCOUNT_MOST; i++) {
		(void)snprintf(id, sizeof(id), "%zu", i);
		ck_assert(account_list(a, str_of(id), V(1), V(1), false));
	}
	ck_assert(!a->is_full);
	account_remember(a, str_of("7"), V(1), V(1), true, &none);
	ck_assert_msg(!a->is_full, "it is there");
	if (_i == 0)
		ck_assert(!account_list(a, str_of("more"), V(1), V(1), false));
	else if (_i == 1)
		account_remember(a, str_of("more"), V(1), V(1), true, &none);
	else
		account_wait(a, str_of("more"), 1);
	ck_assert(a->is_full);
	ck_assert_uint_eq(a->nalerts, ACCOUNT_MOST);
	ck_assert_uint_le(a->nslots * sizeof(*a->alerts), (size_t)64 << 20);
	account_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("journal: account");
	TCase *each = tcase_create("each engine"), *file = tcase_create("file");
	SRunner *sr;
	int failed;

	tcase_set_timeout(each, 60);
	tcase_set_timeout(file, 60);
	tcase_add_loop_test(each, on_each_engine, 0,
	    (int)(ARRAY_LEN(cases) * ARRAY_LEN(engines)));
	tcase_add_test(file, it_outlives_a_restart);
	tcase_add_test(file, what_an_older_one_stored_is_unknown);
	tcase_add_test(file, a_sink_that_came_later_was_not_there);
	tcase_add_test(file, many);
	tcase_add_test(file, what_is_listed);
	tcase_add_loop_test(file, too_many, 0, 3);
	suite_add_tcase(s, each);
	suite_add_tcase(s, file);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
