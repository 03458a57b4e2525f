/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>

#include "lib/base/ticks.h"
#include "tests/unit/journal_kit.h"

/* The contract of journal.h: every case runs against every engine. */
static const struct journal_engine *const engines[] = { &journal_sqlite, &journal_mem };

#define V(n) (KIT_START + (n) * TICKS_SEC)

static uint32_t
stream(struct kit *k)
{
	return journal_stream(k->j, "global/1111/alerts", "about 1111");
}

static struct kit_page *
page(struct kit *k, const char *prefix, size_t n, uint32_t sink)
{
	struct kit_page *p = kit_page(k, stream(k), prefix, n, 100, V(1));

	if (sink != 0)
		kit_route(p, sink);
	return p;
}

/* ---- cases --------------------------------------------------------------- */

static void
what_goes_in_comes_out(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct kit_page *p = page(k, "a", 3, siem);
	struct journal_batch *b;

	p->page.entries[1].type = 4;
	p->page.entries[1].flags = JOURNAL_BACKFILL;
	kit_must_append(k, p);
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	ck_assert(kit_is(b, "a-0 a-1 a-2"));
	ck_assert(!b->has_more);
	ck_assert_int_eq(b->items[1].type, 4);
	ck_assert_int_eq(b->items[1].flags, JOURNAL_BACKFILL);
	ck_assert_int_eq(b->items[1].version, V(1));
	ck_assert_int_eq(b->items[1].journalled, KIT_START);
	ck_assert_int_eq(b->items[1].kind, 0);
	ck_assert_uint_eq(b->items[1].body.n, 100);
	ck_assert_mem_eq(b->items[1].body.s, "a-1a-1", 6);
	ck_assert_ptr_null(b->items[1].memo);
	ck_assert_uint_eq(b->items[1].stream, stream(k));
	journal_batch_free(b);
}

static void
repeats_are_skipped(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_appended r;

	r = kit_append(k, page(k, "a", 3, siem));
	ck_assert(r.ok && r.forwarded == 3 && r.skipped == 0);
	r = kit_append(k, page(k, "a", 4, siem));
	ck_assert(r.ok && r.forwarded == 1 && r.skipped == 3);
}

static void
a_newer_version_is_told(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct kit_page *p;
	struct journal_batch *b;

	kit_must_append(k, page(k, "a", 1, siem));
	p = kit_page(k, stream(k), "a", 1, 100, V(2));
	kit_route(p, siem);
	p->page.entries[0].now.severity = 4;
	kit_must_append(k, p);
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	ck_assert(kit_is(b, "a-0 a-0"));
	ck_assert_int_eq(b->items[1].kind, 2);
	ck_assert_int_eq(b->items[1].changed, 1);
	ck_assert_int_eq(b->items[1].version, V(2));
	journal_batch_free(b);
}

static void
the_judge_sees_its_own_page(struct kit *k)
{
	struct kit_page *p = page(k, "a", 2, journal_sink(k->j, "siem"));
	struct journal_appended r;

	p->page.entries[1].id = p->page.entries[0].id;
	p->page.entries[1].now = p->page.entries[0].now;
	r = kit_append(k, p);
	ck_assert(r.ok && r.forwarded == 1 && r.skipped == 1);
}

static void
remembered_is_not_told(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_appended r = kit_append(k, page(k, "r", 2, siem));

	ck_assert(r.ok && r.remembered == 2 && r.forwarded == 0);
	kit_is_read(k, siem, "");
	r = kit_append(k, page(k, "r", 2, siem));
	ck_assert_uint_eq(r.skipped, 2);
}

static void
streams_do_not_mix(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	uint32_t other = journal_stream(k->j, "global/2222/alerts", "about 2222");
	struct kit_page *p = kit_page(k, other, "a", 1, 10, V(1));
	struct journal_appended r;

	kit_must_append(k, page(k, "a", 1, siem));
	kit_route(p, siem);
	r = kit_append(k, p);
	ck_assert_msg(r.forwarded == 1, "the same id of another tenant was taken for this one's");
}

static void
streams_keep_their_numbers(struct kit *k)
{
	uint32_t a = journal_stream(k->j, "a", "one"), b = journal_stream(k->j, "b", "two");

	ck_assert_uint_ne(a, b);
	ck_assert_uint_eq(journal_stream(k->j, "a", "three"), a);
	ck_assert_str_eq(journal_stream_key(k->j, b), "b");
	ck_assert_str_eq(journal_stream_about(k->j, a), "three");
	ck_assert_ptr_null(journal_stream_key(k->j, 99));
}

static void
cursors_move_with_pages(struct kit *k)
{
	struct journal_cursor c;
	struct kit_page *p = page(k, "a", 1, 0);

	ck_assert(!journal_cursor(k->j, stream(k), "live", &c));
	ck_assert_int_eq(c.begin, TICKS_NONE);
	p->page.cursor = V(5);
	p->page.memory_begin = V(-100);
	kit_must_append(k, p);
	ck_assert(journal_cursor(k->j, stream(k), "live", &c));
	ck_assert_int_eq(c.at, V(5));
	ck_assert_int_eq(c.begin, V(-100));
	p = page(k, "b", 0, 0);
	p->page.reader = "sweep";
	p->page.cursor = TICKS_NONE;
	p->page.memory_begin = V(-200);
	kit_must_append(k, p);
	ck_assert(!journal_cursor(k->j, stream(k), "sweep", &c));
	ck_assert_msg(c.begin == V(-100), "the first begin stays");
}

static void
sinks_take_only_what_is_theirs(struct kit *k)
{
	uint32_t a = journal_sink(k->j, "a"), b = journal_sink(k->j, "b");
	struct kit_page *p = page(k, "both", 1, a);

	kit_must_append(k, page(k, "x", 1, a));
	kit_route(p, b);
	kit_must_append(k, p);
	kit_must_append(k, page(k, "y", 1, b));
	kit_is_read(k, a, "x-0 both-0");
	kit_is_read(k, b, "both-0 y-0");
}

static void
limits_are_kept(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	kit_must_append(k, page(k, "a", 5, siem));
	b = kit_read(k, siem, 2, SIZE_MAX, NULL);
	ck_assert(kit_is(b, "a-0 a-1") && b->has_more);
	journal_batch_free(b);
	b = kit_read(k, siem, 10, 250, NULL);
	ck_assert(kit_is(b, "a-2 a-3") && b->has_more);
	journal_batch_free(b);
	b = kit_read(k, siem, 10, 1, NULL);
	ck_assert_msg(kit_is(b, "a-4"), "the first comes whatever its size");
	ck_assert(!b->has_more);
	journal_batch_free(b);
}

static void
nothing_comes_twice_but_after_a_rewind(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	kit_must_append(k, page(k, "a", 4, siem));
	b = kit_read(k, siem, 3, SIZE_MAX, NULL);
	kit_settle(k, siem, &b->items[1], MARK_OK, 0, NULL);
	journal_batch_free(b);
	kit_is_read(k, siem, "a-3");
	kit_is_read(k, siem, "");
	journal_rewind(k->j, siem);
	kit_is_read(k, siem, "a-0 a-2 a-3");
	kit_is_read(k, siem, "");
}

static void
a_late_verdict_after_a_rewind_counts(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	kit_must_append(k, page(k, "a", 3, siem));
	b = kit_read(k, siem, 3, SIZE_MAX, NULL);
	journal_rewind(k->j, siem);
	kit_settle(k, siem, &b->items[0], MARK_OK, 0, NULL);
	kit_settle(k, siem, &b->items[1], MARK_LATER, V(100), NULL);
	kit_is_read(k, siem, "a-2");
	journal_batch_free(b);
	kit_wait_backlog(k, siem, 2);
	atomic_store(&k->clock.wall, V(101));
	kit_is_read(k, siem, "a-1");
}

static void
a_look_shows_what_waits_with_a_memo(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), lake = journal_sink(k->j, "lake");
	struct journal_batch *b;

	kit_must_append(k, page(k, "a", 5, siem));
	b = kit_read(k, siem, 4, SIZE_MAX, NULL);
	kit_settle(k, siem, &b->items[0], MARK_LATER, V(60), "digest 7");
	kit_settle(k, siem, &b->items[1], MARK_LATER, V(30), NULL);
	kit_settle(k, siem, &b->items[2], MARK_LATER, V(70), "digest 8");
	kit_settle(k, siem, &b->items[3], MARK_LATER, V(80), "digest 9");
	journal_batch_free(b);
	b = kit_look(k, siem, 2);
	ck_assert(kit_is(b, "a-0 a-2"));
	ck_assert_str_eq(b->items[1].memo, "digest 8");
	ck_assert_int_eq(b->items[1].due, V(70));
	/* Let go of without having been handed out. */
	kit_settle(k, siem, &b->items[1], MARK_OK, 0, NULL);
	journal_batch_free(b);
	b = kit_look(k, siem, 9);
	ck_assert(kit_is(b, "a-0 a-3"));
	journal_batch_free(b);
	b = kit_look(k, lake, 9);
	ck_assert_uint_eq(b->n, 0);
	journal_batch_free(b);
	/* Nothing of that was handed out. */
	atomic_store(&k->clock.wall, V(90));
	b = kit_read(k, siem, 9, SIZE_MAX, NULL);
	ck_assert(kit_is(b, "a-1 a-0 a-3 a-4"));
	journal_batch_free(b);
}

static void
later_comes_when_due(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	kit_must_append(k, page(k, "a", 3, siem));
	b = kit_read(k, siem, 2, SIZE_MAX, NULL);
	kit_settle(k, siem, &b->items[0], MARK_LATER, V(60), "digest 7");
	kit_settle(k, siem, &b->items[1], MARK_LATER, V(30), NULL);
	journal_batch_free(b);
	kit_run(k, 400);
	kit_is_read(k, siem, "a-2");
	kit_is_read(k, siem, "");
	ck_assert_uint_eq(k->ready[siem], 0);
	atomic_store(&k->clock.wall, V(70));
	for (int i = 0; i < 10 && k->ready[siem] == 0; i++)
		kit_run(k, 600);
	ck_assert_uint_eq(k->ready[siem], 1);
	b = kit_read(k, siem, 9, SIZE_MAX, NULL);
	ck_assert_msg(kit_is(b, "a-1 a-0"), "soonest first");
	ck_assert_uint_eq(b->items[1].tries, 1);
	ck_assert_str_eq(b->items[1].memo, "digest 7");
	ck_assert_ptr_null(b->items[0].memo);
	journal_batch_free(b);
}

static void
dead_letters_free_the_entry(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_stats stats;
	struct journal_batch *b;

	kit_must_append(k, page(k, "a", 2, siem));
	b = kit_read(k, siem, 2, SIZE_MAX, NULL);
	kit_settle(k, siem, &b->items[0], MARK_DEAD, 0, NULL);
	kit_settle(k, siem, &b->items[0], MARK_DEAD, 0, NULL);
	kit_settle(k, siem, &b->items[1], MARK_OK, 0, NULL);
	journal_batch_free(b);
	kit_wait_backlog(k, siem, 0);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.dead, 1);
	ck_assert_uint_eq(kit_backlog(k, siem).dead, 1);
	journal_rewind(k->j, siem);
	kit_is_read(k, siem, "");
}

static void
an_entry_stays_until_all_have_it(struct kit *k)
{
	uint32_t a = journal_sink(k->j, "a"), b = journal_sink(k->j, "b");
	struct kit_page *p = page(k, "x", 5, a);
	struct journal_stats stats;

	atomic_store(&k->clock.wall, V(10));
	kit_route(p, b);
	kit_must_append(k, p);
	atomic_store(&k->clock.wall, V(20));
	ck_assert_uint_eq(kit_drain(k, a, true), 5);
	kit_wait_backlog(k, a, 0);
	kit_run(k, 100);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.entries, 5);
	ck_assert_int_eq(stats.oldest_open, V(10));
	ck_assert_uint_eq(kit_drain(k, b, true), 5);
	kit_wait_backlog(k, b, 0);
	kit_run(k, 1300);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.entries, 0);
	ck_assert_int_eq(stats.oldest_open, TICKS_NONE);
}

static void
backlogs_are_counted(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_backlog log;
	struct journal_batch *b;

	journal_sinks_declare(k->j, (const char *const[]) { "siem" }, 1);
	atomic_store(&k->clock.wall, V(10));
	kit_must_append(k, page(k, "a", 2, siem));
	atomic_store(&k->clock.wall, V(20));
	kit_must_append(k, page(k, "b", 2, siem));
	log = kit_backlog(k, siem);
	ck_assert_str_eq(log.sink, "siem");
	ck_assert(log.is_declared);
	ck_assert_uint_eq(log.entries, 4);
	ck_assert_uint_eq(log.bytes, 400);
	ck_assert_int_eq(log.oldest, V(10));
	b = kit_read(k, siem, 2, SIZE_MAX, NULL);
	for (size_t i = 0; i < b->n; i++)
		kit_settle(k, siem, &b->items[i], MARK_OK, 0, NULL);
	journal_batch_free(b);
	kit_wait_backlog(k, siem, 2);
	log = kit_backlog(k, siem);
	ck_assert_uint_eq(log.bytes, 200);
	ck_assert_int_eq(log.oldest, V(20));
}

static void
ready_is_said_once(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), other = journal_sink(k->j, "other");

	kit_must_append(k, page(k, "a", 1, siem));
	kit_run(k, 50);
	ck_assert_msg(k->ready[siem] == 0, "nobody asked yet");
	kit_is_read(k, siem, "a-0");
	kit_must_append(k, page(k, "b", 1, siem));
	kit_must_append(k, page(k, "c", 1, siem));
	kit_run(k, 50);
	ck_assert_uint_eq(k->ready[siem], 1);
	ck_assert_uint_eq(k->ready[other], 0);
	kit_is_read(k, siem, "b-0 c-0");
	kit_run(k, 50);
	ck_assert_uint_eq(k->ready[siem], 1);
	journal_rewind(k->j, siem);
	kit_run(k, 50);
	ck_assert_msg(k->ready[siem] == 2, "what is rewound can be read");
}

static void
undeclared_sinks_are_forgotten(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), old = journal_sink(k->j, "old");
	struct kit_page *p = page(k, "a", 3, siem);

	journal_sinks_declare(k->j, (const char *const[]) { "siem", "old" }, 2);
	kit_route(p, old);
	kit_must_append(k, p);
	journal_sinks_declare(k->j, (const char *const[]) { "siem" }, 1);
	ck_assert(!kit_backlog(k, old).is_declared);
	ck_assert_int_eq(kit_backlog(k, old).undeclared_since, KIT_START);
	kit_run(k, 50);
	ck_assert_uint_eq(kit_backlog(k, old).entries, 3);
	atomic_store(&k->clock.wall, V(8 * 86400));
	kit_run(k, 1300);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_GAP], 1);
	ck_assert_ptr_null(kit_backlog(k, old).sink);
	ck_assert_uint_eq(kit_drain(k, siem, true), 3);
	ck_assert_uint_ne(journal_sink(k->j, "old"), old);
}

static void
a_sink_can_be_let_go(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_stats stats;

	journal_sinks_declare(k->j, (const char *const[]) { "siem" }, 1);
	kit_must_append(k, page(k, "a", 3, siem));
	ck_assert(!journal_sink_forget(k->j, "siem"));
	ck_assert(!journal_sink_forget(k->j, "nobody"));
	journal_sinks_declare(k->j, NULL, 0);
	ck_assert(journal_sink_forget(k->j, "siem"));
	kit_is_read(k, siem, "");
	kit_run(k, 1500);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.entries, 0);
	kit_must_append(k, page(k, "b", 1, siem));
	kit_is_read(k, siem, "");
}

static void
gaps_are_told(struct kit *k)
{
	struct kit_page *p = page(k, "a", 1, 0);
	struct journal_stats stats;

	p->gap = (struct journal_gap) { .from = V(1), .to = V(2), .why = "a tick was passed over" };
	p->page.gap = &p->gap;
	kit_must_append(k, p);
	kit_run(k, 20);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.gaps, 1);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_GAP], 1);
	ck_assert_ptr_nonnull(strstr(k->text[JOURNAL_NOTE_GAP], "a tick was passed over"));
}

static void
quarantine_keeps_and_delivers(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct kit_page *p = page(k, "a", 2, siem);
	struct journal_appended r;
	struct journal_stats stats;

	p->page.entries[1].quarantine = true;
	p->page.entries[1].why = "no JSON";
	r = kit_append(k, p);
	ck_assert_uint_eq(r.quarantined, 1);
	ck_assert_uint_eq(r.forwarded, 2);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.quarantine, 1);
	kit_is_read(k, siem, "a-0 a-1");
}

static void
many_share_a_second(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_appended r = { 0 };

	for (int round = 0; round < 2; round++) {
		struct kit_page *p = page(k, "a", 3000, siem);

		for (size_t i = 0; i < 3000; i++)
			p->page.entries[i].now.created = i % 2 == 0 ? TICKS_NONE : KIT_START;
		r = kit_append(k, p);
		ck_assert_uint_eq(r.forwarded, round == 0 ? 3000 : 0);
	}
	ck_assert_uint_eq(r.skipped, 3000);
}

static void
an_entry_for_nobody_is_no_burden(struct kit *k)
{
	struct journal_stats stats;

	kit_must_append(k, page(k, "a", 3, 0));
	kit_must_append(k, page(k, "b", 3, 77));
	kit_run(k, 1300);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.entries, 0);
	ck_assert_uint_eq(stats.remembered, 6);
}

/* More pages than one group holds, small and full; every callback once, every page back. */
static void
answered(void *arg, const struct journal_page *p, const struct journal_appended *r)
{
	(void)p;
	ck_assert(r->ok);
	*(unsigned *)arg += 1;
}

static void
many_pages_at_once(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_stats stats;
	unsigned done = 0;

	for (int i = 0; i < 100; i++) {
		char prefix[16];
		struct kit_page *p;

		snprintf(prefix, sizeof(prefix), "p%d", i);
		p = page(k, prefix, i % 7 == 0 ? 200 : 3, siem);
		p->page.is_full = i % 7 == 0;
		journal_append(k->j, &p->page, answered, &done);
	}
	ck_assert_uint_eq(done, 0);
	for (int i = 0; i < 100 && done < 100; i++)
		kit_run(k, 20);
	ck_assert_uint_eq(done, 100);
	ck_assert_uint_eq(k->released, 100);
	ck_assert_uint_eq(kit_drain(k, siem, true), 15 * 200 + 85 * 3);
	kit_wait_backlog(k, siem, 0);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.appends, 100);
	ck_assert_msg(stats.commits < 80, "small pages are grouped: %llu commits",
	    (unsigned long long)stats.commits);
}

static void
close_finishes_what_was_asked(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	unsigned done = 0;

	for (int i = 0; i < 5; i++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "p%d", i);
		journal_append(k->j, &page(k, prefix, 3, siem)->page, answered, &done);
	}
	kit_close(k);
	ck_assert_msg(done == 0, "no callback after the close");
	ck_assert_uint_eq(k->released, 5);
}

static const struct {
	const char *says;
	void (*run)(struct kit *k);
} cases[] = {
	{ "what goes in comes out, in order", what_goes_in_comes_out },
	{ "a version not newer is skipped", repeats_are_skipped },
	{ "a newer version is an entry of its own", a_newer_version_is_told },
	{ "the judge sees earlier entries of its page", the_judge_sees_its_own_page },
	{ "remembered entries are not delivered", remembered_is_not_told },
	{ "two tenants may use one id", streams_do_not_mix },
	{ "streams keep their numbers", streams_keep_their_numbers },
	{ "the cursor moves with the page", cursors_move_with_pages },
	{ "a sink takes only what is routed to it", sinks_take_only_what_is_theirs },
	{ "a read keeps to its limits", limits_are_kept },
	{ "handed out once, again after a rewind", nothing_comes_twice_but_after_a_rewind },
	{ "a verdict after a rewind counts", a_late_verdict_after_a_rewind_counts },
	{ "LATER comes when it is due, with its memo", later_comes_when_due },
	{ "a look shows what waits with a memo", a_look_shows_what_waits_with_a_memo },
	{ "a dead letter frees its entry", dead_letters_free_the_entry },
	{ "an entry stays until all sinks have it", an_entry_stays_until_all_have_it },
	{ "backlogs are counted", backlogs_are_counted },
	{ "ready is said once", ready_is_said_once },
	{ "a sink undeclared for long is forgotten", undeclared_sinks_are_forgotten },
	{ "a sink can be let go by hand", a_sink_can_be_let_go },
	{ "gaps are kept and told", gaps_are_told },
	{ "quarantine keeps, delivery goes on", quarantine_keeps_and_delivers },
	{ "many alerts of one second are told apart", many_share_a_second },
	{ "an entry routed to nobody goes", an_entry_for_nobody_is_no_burden },
	{ "many pages at once, each answered once", many_pages_at_once },
	{ "close finishes what was asked", close_finishes_what_was_asked },
};
#define NENGINES (int)ARRAY_LEN(engines)
#define NCASES   (int)ARRAY_LEN(cases)

START_TEST(test_contract)
{
	struct kit k;

	kit_init(&k, engines[_i % NENGINES]);
	kit_must_open(&k);
	cases[_i / NENGINES].run(&k);
	kit_release(&k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("journal");
	TCase *tc = tcase_create("contract");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_contract, 0, NCASES * NENGINES);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
