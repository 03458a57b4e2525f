#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/journal/periods.h"
#include "lib/base/ticks.h"
#include "tests/unit/journal_kit.h"

/* Periods that are to be read again, and parked sinks: every case runs against every engine. */
static const struct journal_engine *const engines[] = { &journal_sqlite, &journal_mem };

#define V(n) (KIT_START + (n) * TICKS_SEC)
#define KEEP JOURNAL_PARK_KEEP
#define OWN  5 /* a type of entries that are made here */

static uint32_t
stream(struct kit *k)
{
	return journal_stream(k->j, "global/1111/alerts", "about 1111");
}

/* Versions rise by a second each. */
static void
put(struct kit *k, const char *prefix, size_t n, int64_t first, uint32_t sink)
{
	struct kit_page *p = kit_page(k, stream(k), prefix, n, 100, first);

	for (size_t i = 0; i < n; i++)
		p->page.entries[i].now.version = first + (int64_t)i * TICKS_SEC;
	kit_route(p, sink);
	kit_must_append(k, p);
}

static bool
period(struct kit *k, uint64_t number, struct journal_period *out)
{
	struct journal_period all[64];
	size_t n = journal_periods(k->j, all, 64);

	for (size_t i = 0; i < n; i++) {
		if (all[i].number != number)
			continue;
		*out = all[i];
		return true;
	}
	return false;
}

static struct journal_period
only_period(struct kit *k)
{
	struct journal_period all[64];

	ck_assert_uint_eq(journal_periods(k->j, all, 64), 1);
	return all[0];
}

static uint64_t
ask(struct kit *k, uint32_t sink)
{
	return journal_period_add(k->j, &(struct journal_period) { .stream = stream(k),
	    .sink = sink, .from = V(0), .to = V(100), .at = TICKS_NONE, .made = V(0),
	    .flags = JOURNAL_PERIOD_ALL });
}

static struct kit_page *
replay_page(struct kit *k, const char *prefix, size_t n, uint64_t number, int64_t at)
{
	struct kit_page *p = kit_page(k, stream(k), prefix, n, 100, V(1));

	p->page.reader = "replay";
	p->page.cursor = TICKS_NONE;
	p->page.period = number;
	p->page.period_at = at;
	p->page.period_seen = n;
	return p;
}

/* ---- periods ------------------------------------------------------------- */

static void
a_period_is_kept_as_it_was_asked_for(struct kit *k)
{
	uint64_t a = ask(k, 0), b = ask(k, 7);
	struct journal_period p;

	ck_assert_uint_ne(a, b);
	ck_assert(period(k, b, &p));
	ck_assert_uint_eq(p.sink, 7);
	ck_assert_int_eq(p.from, V(0));
	ck_assert_int_eq(p.to, V(100));
	ck_assert_int_eq(p.at, TICKS_NONE);
	ck_assert_uint_eq(p.flags, JOURNAL_PERIOD_ALL);
}

static void
a_page_moves_its_period(struct kit *k)
{
	uint64_t number = ask(k, 0);
	struct kit_page *page;
	struct journal_period p;

	kit_must_append(k, replay_page(k, "a", 3, number, V(40)));
	ck_assert(period(k, number, &p));
	ck_assert_int_eq(p.at, V(40));
	ck_assert_uint_eq(p.seen, 3);
	ck_assert_uint_eq(p.told, 3);
	kit_must_append(k, replay_page(k, "a", 4, number, TICKS_NONE));
	ck_assert(period(k, number, &p));
	ck_assert_int_eq(p.at, V(40));
	ck_assert_uint_eq(p.told, 4);
	page = replay_page(k, "b", 0, number, V(100));
	page->page.is_part_done = true;
	kit_must_append(k, page);
	ck_assert(period(k, number, &p));
	ck_assert_int_eq(p.at, TICKS_NONE);
	ck_assert_uint_eq(p.flags, JOURNAL_PERIOD_ALL | JOURNAL_PERIOD_PART);
	page = replay_page(k, "b", 0, number, V(100));
	page->page.is_period_done = true;
	kit_must_append(k, page);
	ck_assert(period(k, number, &p));
	ck_assert_uint_eq(p.flags,
	    JOURNAL_PERIOD_ALL | JOURNAL_PERIOD_PART | JOURNAL_PERIOD_DONE);
	ck_assert(!journal_period_cancel(k->j, number));
}

/* Another reader's cursor goes with a page. */
static void
a_cursor_beside_it(struct kit *k)
{
	struct kit_page *page = kit_page(k, stream(k), "a", 1, 100, V(1));
	struct journal_cursor c;

	page->page.cursor = V(1);
	page->page.beside = "beside";
	page->page.beside_cursor = V(77);
	kit_must_append(k, page);
	ck_assert(journal_cursor(k->j, stream(k), "beside", &c));
	ck_assert_int_eq(c.at, V(77));
	if (k->engine != &journal_sqlite)
		return;
	kit_close(k);
	kit_must_open(k);
	ck_assert(journal_cursor(k->j, stream(k), "beside", &c));
	ck_assert_int_eq(c.at, V(77));
}

static void
a_cancel_holds(struct kit *k)
{
	uint64_t number = ask(k, 0);
	struct journal_period p;

	ck_assert(!journal_period_cancel(k->j, number + 1));
	ck_assert(journal_period_cancel(k->j, number));
	ck_assert(!journal_period_cancel(k->j, number));
	kit_must_append(k, replay_page(k, "a", 1, number, V(40)));
	ck_assert(period(k, number, &p));
	ck_assert((p.flags & JOURNAL_PERIOD_CANCELLED) != 0);
}

static void
a_page_of_no_period_is_stored(struct kit *k)
{
	struct journal_period all[4];

	kit_must_append(k, replay_page(k, "a", 1, 99, V(40)));
	ck_assert_uint_eq(journal_periods(k->j, all, 4), 0);
}

static void
those_that_ended_do_not_pile_up(struct kit *k)
{
	struct journal_period all[128];
	uint64_t first = ask(k, 0), open = ask(k, 0), last = 0;

	ck_assert(journal_period_cancel(k->j, first));
	for (int i = 0; i < 90; i++) {
		last = ask(k, 0);
		ck_assert(journal_period_cancel(k->j, last));
	}
	kit_run(k, 100);
	ck_assert_uint_le(journal_periods(k->j, all, 128), 66);
	ck_assert(!period(k, first, &all[0]));
	ck_assert(period(k, open, &all[0]));
}

static void
a_repeat_leaves_the_memory(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct kit_page *p;
	struct journal_appended r;

	put(k, "x", 1, V(5), siem);
	/* Of another version than the one that is remembered, and of one that is not. */
	p = kit_page(k, stream(k), "x", 2, 100, V(3));
	p->is_repeat = true;
	kit_route(p, siem);
	r = kit_append(k, p);
	ck_assert_uint_eq(r.forwarded, 2);
	ck_assert_uint_eq(kit_drain(k, siem, true), 3);
	p = kit_page(k, stream(k), "x", 2, 100, V(5));
	kit_route(p, siem);
	r = kit_append(k, p);
	ck_assert_msg(r.skipped == 1 && r.forwarded == 1, "skipped %zu forwarded %zu", r.skipped,
	    r.forwarded);
}

/* ---- parked sinks ---------------------------------------------------------- */

static void
park(struct kit *k, uint32_t sink, bool is_parked)
{
	journal_sink_park(k->j, sink, is_parked);
	kit_run(k, 60);
}

static void
a_parked_sink_keeps_its_oldest(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), other = journal_sink(k->j, "other");
	struct kit_page *page = kit_page(k, stream(k), "a", KEEP + 40, 100, V(1));
	struct journal_period p;
	struct journal_stats stats;

	for (int i = 0; i < KEEP + 40; i++)
		page->page.entries[i].now.version = V(i);
	kit_route(page, siem);
	kit_route(page, other);
	kit_must_append(k, page);
	park(k, siem, true);
	kit_wait_backlog(k, siem, KEEP);
	ck_assert(kit_backlog(k, siem).is_parked);
	p = only_period(k);
	ck_assert_uint_eq(p.sink, siem);
	ck_assert_uint_eq(p.stream, stream(k));
	ck_assert_int_eq(p.from, V(KEEP));
	ck_assert_int_eq(p.to, V(KEEP + 39) + 1);
	ck_assert_uint_eq(p.flags, JOURNAL_PERIOD_ALL | JOURNAL_PERIOD_GAP | JOURNAL_PERIOD_GROWS);
	ck_assert_uint_eq(kit_drain(k, siem, true), KEEP);
	ck_assert_msg(kit_drain(k, other, true) == KEEP + 40, "another sink lost something");
	kit_wait_backlog(k, other, 0);
	kit_run(k, 1300);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.entries, 0);
}

static void
it_is_given_nothing_new(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_period p;

	put(k, "a", 3, V(10), siem);
	park(k, siem, true);
	put(k, "b", 2, V(50), siem);
	ck_assert_uint_eq(kit_backlog(k, siem).entries, 3);
	p = only_period(k);
	ck_assert(p.from == V(50) && p.to == V(51) + 1);
	put(k, "c", 1, V(40), siem);
	put(k, "d", 1, V(60), siem);
	p = only_period(k);
	ck_assert(p.from == V(40) && p.to == V(60) + 1);
	park(k, siem, false);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_REFILL], 1);
	ck_assert(!kit_backlog(k, siem).is_parked);
	put(k, "e", 1, V(70), siem);
	p = only_period(k);
	ck_assert_int_eq(p.to, V(60) + 1);
	ck_assert_uint_eq(p.flags, JOURNAL_PERIOD_ALL | JOURNAL_PERIOD_GAP);
	ck_assert_uint_eq(kit_drain(k, siem, true), 4);
	/* Once more: a period of its own. */
	park(k, siem, true);
	put(k, "f", 1, V(80), siem);
	ck_assert(period(k, p.number, &p) && p.to == V(60) + 1);
}

static void
each_stream_has_its_period(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	uint32_t other = journal_stream(k->j, "global/2222/alerts", "about 2222");
	struct kit_page *page = kit_page(k, other, "a", 1, 100, V(9));
	struct journal_period all[4];

	park(k, siem, true);
	put(k, "a", 1, V(5), siem);
	kit_route(page, siem);
	kit_must_append(k, page);
	ck_assert_uint_eq(journal_periods(k->j, all, 4), 2);
	ck_assert(all[0].stream == stream(k) && all[0].from == V(5) && all[0].to == V(5) + 1);
	ck_assert(all[1].stream == other && all[1].from == V(9) && all[1].to == V(9) + 1);
}

static void
what_is_ours_stays(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct kit_page *page = kit_page(k, stream(k), "own", KEEP + 1, 10, V(1));

	for (size_t i = 0; i < KEEP + 1; i++)
		page->page.entries[i].type = OWN;
	kit_route(page, siem);
	kit_must_append(k, page);
	park(k, siem, true);
	page = kit_page(k, stream(k), "more", 2, 10, V(1));
	page->page.entries[1].type = OWN;
	kit_route(page, siem);
	kit_must_append(k, page);
	kit_run(k, 1300);
	ck_assert_uint_eq(kit_backlog(k, siem).entries, KEEP + 2);
}

static void
what_is_handed_out_stays(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	put(k, "a", KEEP + 10, V(1), siem);
	b = kit_read(k, siem, KEEP + 4, SIZE_MAX, NULL);
	park(k, siem, true);
	kit_wait_backlog(k, siem, KEEP + 4);
	for (size_t i = 0; i < b->n; i++)
		kit_settle(k, siem, &b->items[i], MARK_OK, 0, NULL);
	journal_batch_free(b);
	kit_wait_backlog(k, siem, 0);
}

/* ---- what a sink lost ---------------------------------------------------------- */

static void
lose(struct kit *k, uint32_t sink, int64_t from)
{
	const struct journal_period p = { .stream = stream(k), .from = from, .to = V(5000),
		.at = TICKS_NONE, .flags = JOURNAL_PERIOD_ALL | JOURNAL_PERIOD_GAP };

	journal_sink_resend(k->j, sink, &p, 1);
}

static bool
is_resent(struct kit *k)
{
	return k->notes[JOURNAL_NOTE_REFILL] > 0;
}

/* Its ids in one string, in order; all are settled. */
static const char *
got(struct kit *k, uint32_t sink)
{
	static char ids[2000];
	struct journal_batch *b = kit_read(k, sink, 100, SIZE_MAX, NULL);

	ids[0] = '\0';
	for (size_t i = 0; i < b->n; i++) {
		snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%.*s ",
		    (int)b->items[i].id.n, b->items[i].id.s);
		kit_settle(k, sink, &b->items[i], MARK_OK, 0, NULL);
	}
	journal_batch_free(b);
	return ids;
}

static void
what_is_kept_comes_again(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), other = journal_sink(k->j, "other");
	struct journal_period p;

	put(k, "a", 2, V(1), siem);
	put(k, "b", 1, V(5), other);
	put(k, "c", 1, V(6), siem);
	ck_assert_str_eq(got(k, siem), "a-0 a-1 c-0 ");
	ck_assert_str_eq(got(k, other), "b-0 ");
	kit_wait_backlog(k, siem, 0);
	kit_run(k, 1300);
	lose(k, siem, k->clock.wall - 60 * TICKS_SEC);
	ck_assert(kit_wait(k, is_resent, 5000));
	put(k, "d", 1, V(9), siem);
	ck_assert_uint_eq(kit_backlog(k, siem).entries, 4);
	ck_assert_str_eq(got(k, siem), "a-0 a-1 c-0 d-0 ");
	kit_wait_backlog(k, siem, 0);
	ck_assert_str_eq(got(k, siem), "");
	ck_assert_str_eq(got(k, other), "");
	p = only_period(k);
	ck_assert_uint_eq(p.told, 3);
	ck_assert_uint_eq(p.flags & JOURNAL_PERIOD_HELD, 0);
}

/* What was journalled before the journal was opened is not all kept for sure. */
static void
what_is_not_kept_is_to_be_read(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	int64_t opened = k->clock.wall;
	struct journal_period p;

	lose(k, siem, opened - 3600 * TICKS_SEC);
	ck_assert(kit_wait(k, is_resent, 5000));
	ck_assert(journal_period_next(k->j, stream(k), 0, &p));
	ck_assert_int_ge(p.to, opened);
	ck_assert_int_le(p.to, opened + 70 * TICKS_SEC);
	k->notes[JOURNAL_NOTE_REFILL] = 0;
	k->clock.wall += 7200 * TICKS_SEC;
	lose(k, siem, k->clock.wall - 3600 * TICKS_SEC);
	ck_assert(kit_wait(k, is_resent, 5000));
	ck_assert(period(k, p.number + 1, &p));
	ck_assert_msg((p.flags & JOURNAL_PERIOD_DONE) != 0, "all of it is kept");
}

/* A newer version that is on its way must not be followed by older ones. */
static void
it_settles_what_it_has_first(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_period p;
	struct journal_batch *b;

	put(k, "a", 1, V(1), siem);
	ck_assert_str_eq(got(k, siem), "a-0 ");
	kit_wait_backlog(k, siem, 0);
	put(k, "b", 1, V(2), siem);
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	ck_assert(kit_is(b, "b-0"));
	lose(k, siem, k->clock.wall - 60 * TICKS_SEC);
	put(k, "c", 1, V(3), siem);
	kit_run(k, 1300);
	ck_assert(!is_resent(k));
	ck_assert_msg(!journal_period_next(k->j, stream(k), 0, &p), "it is held");
	ck_assert_str_eq(got(k, siem), "");
	kit_settle(k, siem, &b->items[0], MARK_OK, 0, NULL);
	journal_batch_free(b);
	ck_assert(kit_wait(k, is_resent, 5000));
	ck_assert_str_eq(got(k, siem), "a-0 b-0 c-0 ");
}

static void
a_resend_that_is_cancelled(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	put(k, "a", 1, V(1), siem);
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	lose(k, siem, k->clock.wall - 60 * TICKS_SEC);
	kit_run(k, 1300);
	put(k, "b", 1, V(2), siem);
	ck_assert_str_eq(got(k, siem), "");
	ck_assert(journal_period_cancel(k->j, only_period(k).number));
	kit_run(k, 1300);
	journal_batch_free(b);
	ck_assert_str_eq(got(k, siem), "a-0 b-0 ");
}

static const struct {
	const char *says;
	void (*run)(struct kit *k);
} cases[] = {
	{ "what is kept comes again, in order", what_is_kept_comes_again },
	{ "what is not kept is to be read", what_is_not_kept_is_to_be_read },
	{ "a sink settles first what it has", it_settles_what_it_has_first },
	{ "a resend can be cancelled", a_resend_that_is_cancelled },
	{ "a period is kept as it was asked for", a_period_is_kept_as_it_was_asked_for },
	{ "a page moves its period", a_page_moves_its_period },
	{ "a cursor beside a page's", a_cursor_beside_it },
	{ "a cancel holds, also against a page under way", a_cancel_holds },
	{ "a page of no period is stored", a_page_of_no_period_is_stored },
	{ "those that ended do not pile up", those_that_ended_do_not_pile_up },
	{ "a repeat leaves the memory as it is", a_repeat_leaves_the_memory },
	{ "a parked sink keeps its oldest, the rest is a period", a_parked_sink_keeps_its_oldest },
	{ "it is given nothing new until it is unparked", it_is_given_nothing_new },
	{ "each stream has a period of its own", each_stream_has_its_period },
	{ "what cannot be read again stays", what_is_ours_stays },
	{ "what is handed out stays", what_is_handed_out_stays },
};
#define NENGINES (int)ARRAY_LEN(engines)
#define RESENDS  4 /* the first ones */

START_TEST(test_contract)
{
	struct kit k;

	kit_init(&k, engines[_i % NENGINES]);
	k.opts.own_types = 1u << OWN;
	if (_i / NENGINES < RESENDS)
		k.opts.keep_delivered_ms = 86400000;
	kit_must_open(&k);
	cases[_i / NENGINES].run(&k);
	kit_release(&k);
}
END_TEST

/* ---- over a restart, and a crash -------------------------------------------- */

START_TEST(test_restart)
{
	struct journal_period p, gap;
	struct kit k;
	uint32_t siem;
	uint64_t number;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	siem = journal_sink(k.j, "siem");
	number = ask(&k, siem);
	kit_must_append(&k, replay_page(&k, "a", 2, number, V(40)));
	park(&k, siem, true);
	put(&k, "b", 2, V(50), siem);
	kit_close(&k);
	kit_must_open(&k);
	ck_assert(period(&k, number, &p));
	ck_assert(p.at == V(40) && p.seen == 2 && p.told == 2 && p.sink == siem && p.to == V(100));
	ck_assert(kit_backlog(&k, siem).is_parked);
	put(&k, "c", 1, V(60), siem);
	ck_assert(period(&k, number + 1, &gap));
	ck_assert(gap.from == V(50) && gap.to == V(60) + 1);
	ck_assert_uint_gt(ask(&k, 0), gap.number);
	park(&k, siem, false);
	kit_close(&k);
	kit_must_open(&k);
	ck_assert(!kit_backlog(&k, siem).is_parked);
	ck_assert(period(&k, gap.number, &gap));
	ck_assert_uint_eq(gap.flags & JOURNAL_PERIOD_GROWS, 0);
	kit_release(&k);
}
END_TEST

/* Asked for, and killed: it begins again. Nothing waited for the sink then. */
START_TEST(test_resend_over_a_restart)
{
	struct journal_batch *b;
	struct kit k;
	uint32_t siem;

	kit_init(&k, &journal_sqlite);
	k.opts.keep_delivered_ms = 86400000;
	kit_must_open(&k);
	siem = journal_sink(k.j, "siem");
	put(&k, "a", 3, V(1), siem);
	ck_assert_str_eq(got(&k, siem), "a-0 a-1 a-2 ");
	kit_wait_backlog(&k, siem, 0);
	put(&k, "b", 1, V(9), siem);
	b = kit_read(&k, siem, 10, SIZE_MAX, NULL);
	lose(&k, siem, k.clock.wall - 60 * TICKS_SEC);
	kit_run(&k, 100);
	kit_close(&k);
	journal_batch_free(b);
	kit_must_open(&k);
	ck_assert(kit_wait(&k, is_resent, 5000));
	ck_assert_str_eq(got(&k, siem), "a-0 a-1 a-2 b-0 ");
	kit_release(&k);
}
END_TEST

/* Its number may be another's after a restart: that one is given none of its periods. */
START_TEST(test_forgotten_sink)
{
	struct journal_period all[4];
	struct kit k;
	uint32_t old;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	old = journal_sink(k.j, "old");
	ask(&k, old);
	park(&k, old, true);
	put(&k, "a", 1, V(5), old);
	ck_assert_uint_eq(journal_periods(k.j, all, 4), 2);
	journal_sinks_declare(k.j, NULL, 0);
	ck_assert(journal_sink_forget(k.j, "old"));
	kit_run(&k, 1500);
	ck_assert_uint_eq(journal_periods(k.j, all, 4), 0);
	kit_close(&k);
	kit_must_open(&k);
	ck_assert_uint_eq(journal_sink(k.j, "new"), old);
	kit_run(&k, 100);
	ck_assert_uint_eq(journal_periods(k.j, all, 4), 0);
	kit_release(&k);
}
END_TEST

/* It ended, and was let go while a transaction that had it was under way. */
START_TEST(test_gone_meanwhile)
{
	struct periods *p = periods_new();
	struct periods_unsaved u;
	struct journal_period all[128], any = { .at = TICKS_NONE };
	uint64_t first = periods_add(p, &any);

	for (int i = 0; i < 80; i++)
		periods_cancel(p, periods_add(p, &any));
	ck_assert(periods_cancel(p, first));
	ck_assert(periods_unsaved(p, 0, &u) && u.period.number == first && !u.is_gone);
	periods_add(p, &any);
	periods_put(p, &u.period);
	periods_saved(p, first, u.edit);
	ck_assert_uint_gt(periods_list(p, all, 128), 0);
	ck_assert_uint_ne(all[0].number, first);
	ck_assert(periods_unsaved(p, 0, &u) && u.period.number == first && u.is_gone);
	periods_saved(p, first, u.edit);
	ck_assert(!periods_unsaved(p, 0, &u) || u.period.number != first);
	periods_free(p);
}
END_TEST

/* Entries of a number each, "p<n>-0" of version V(n); parks and unparks in between. The parent
 * kills it somewhere. */
static void
live_and_be_killed(struct kit *k, int out)
{
	uint32_t siem;

	kit_must_open(k);
	siem = journal_sink(k->j, "siem");
	for (int n = 0;; n++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "p%d", n);
		put(k, prefix, 1, V(n), siem);
		if (n % 700 == 500)
			journal_sink_park(k->j, siem, true);
		if (n % 700 == 699)
			journal_sink_park(k->j, siem, false);
		ck_assert_int_eq(write(out, &n, sizeof(n)), sizeof(n));
	}
}

static bool
is_in_a_period(const struct journal_period *all, size_t n, int64_t version)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].from <= version && version < all[i].to)
			return true;
	return false;
}

/* Each that was accepted waits for the sink, or lies in a period. */
static void
nothing_is_lost(struct kit *k, int last)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_period all[64];
	size_t nall;
	bool *has = calloc((size_t)last + 2, sizeof(*has)), has_more = true;

	while (has_more) {
		struct journal_batch *b = kit_read(k, siem, 500, SIZE_MAX, NULL);

		for (size_t i = 0; i < b->n; i++) {
			int64_t n = (b->items[i].version - KIT_START) / TICKS_SEC;

			if (n <= last)
				has[n] = true;
		}
		has_more = b->has_more;
		journal_batch_free(b);
	}
	/* After that: what is still being let go moves from the one to the other. */
	nall = journal_periods(k->j, all, 64);
	for (int n = 0; n <= last; n++)
		ck_assert_msg(has[n] || is_in_a_period(all, nall, V(n)), "%d of %d is lost", n, last);
	free(has);
}

START_TEST(test_kill)
{
	static const int after[] = { 520, 640, 705, 1230 };
	struct kit k;
	int pipe_fd[2], n = -1, last = -1;
	pid_t pid;

	kit_init(&k, &journal_sqlite);
	ck_assert_int_eq(pipe(pipe_fd), 0);
	pid = fork();
	if (pid == 0)
		live_and_be_killed(&k, pipe_fd[1]);
	close(pipe_fd[1]);
	while (last < after[_i] && read(pipe_fd[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	kill(pid, SIGKILL);
	while (read(pipe_fd[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(pipe_fd[0]);
	kit_must_open(&k);
	nothing_is_lost(&k, last);
	kit_release(&k);
}
END_TEST

/* ---- sinks that are new --------------------------------------------------------- */

/* Each with two periods, of streams that are new too. The parent kills it somewhere. */
static void
add_sinks_and_be_killed(struct kit *k, int out)
{
	kit_must_open(k);
	for (int n = 0;; n++) {
		struct journal_period p[2] = { { .to = V(9), .at = TICKS_NONE },
			{ .from = V(10), .to = V(20), .at = TICKS_NONE } };
		char name[16], key[16];

		snprintf(name, sizeof(name), "s%d", n);
		snprintf(key, sizeof(key), "k%d", n);
		p[0].stream = p[1].stream = journal_stream(k->j, key, "about");
		journal_sink_since(k->j, name, p, 2);
		usleep(20); /* transactions begin at any time in between */
		ck_assert_int_eq(write(out, &n, sizeof(n)), sizeof(n));
	}
}

static unsigned
periods_of(const struct journal_period *all, size_t n, uint32_t sink)
{
	unsigned found = 0;

	for (size_t i = 0; i < n; i++)
		found += all[i].sink == sink;
	return found;
}

START_TEST(test_kill_with_new_sinks)
{
	struct journal_period *all = calloc(20000, sizeof(*all));
	struct journal_backlog *sinks = calloc(10000, sizeof(*sinks));
	struct kit k;
	int pipe_fd[2], n = -1;
	size_t nall, nsinks;
	pid_t pid;

	kit_init(&k, &journal_sqlite);
	ck_assert_int_eq(pipe(pipe_fd), 0);
	pid = fork();
	if (pid == 0)
		add_sinks_and_be_killed(&k, pipe_fd[1]);
	close(pipe_fd[1]);
	while (n < 900 + _i * 211 && read(pipe_fd[0], &n, sizeof(n)) == sizeof(n))
		continue;
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(pipe_fd[0]);
	kit_must_open(&k);
	nall = journal_periods(k.j, all, 20000);
	nsinks = journal_backlogs(k.j, sinks, 10000);
	for (size_t i = 0; i < nsinks; i++)
		ck_assert_uint_eq(periods_of(all, nall, sinks[i].number), 2);
	ck_assert_uint_eq(nall, 2 * nsinks);
	for (size_t i = 0; i < nall; i++)
		ck_assert_ptr_nonnull(journal_stream_key(k.j, all[i].stream));
	kit_release(&k);
	free(all);
	free(sinks);
}
END_TEST

START_TEST(test_new_sink)
{
	struct journal_period all[8], p = { .to = V(9), .at = TICKS_NONE, .sink = 99 };
	struct kit k;
	uint32_t a;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	p.stream = stream(&k);
	a = journal_sink_since(k.j, "a", &p, 1);
	ck_assert_uint_eq(journal_sink_since(k.j, "a", &p, 1), a);
	ck_assert_uint_eq(journal_periods(k.j, all, 8), 1);
	ck_assert_uint_eq(all[0].sink, a);
	/* One that nobody has, as a crash could leave it, and what another asked for its number. */
	ask(&k, a + 1);
	kit_close(&k);
	kit_must_open(&k);
	ck_assert_uint_eq(journal_periods(k.j, all, 8), 1);
	ask(&k, a + 1);
	ck_assert_uint_eq(journal_sink_since(k.j, "b", &p, 1), a + 1);
	ck_assert_uint_eq(journal_periods(k.j, all, 8), 2);
	ck_assert(all[1].sink == a + 1 && all[1].to == V(9));
	kit_release(&k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("journal_periods");
	TCase *tc = tcase_create("periods");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_contract, 0, (int)ARRAY_LEN(cases) * NENGINES);
	tcase_add_test(tc, test_restart);
	tcase_add_test(tc, test_resend_over_a_restart);
	tcase_add_test(tc, test_forgotten_sink);
	tcase_add_test(tc, test_gone_meanwhile);
	tcase_add_loop_test(tc, test_kill, 0, 4);
	tcase_add_test(tc, test_new_sink);
	tcase_add_loop_test(tc, test_kill_with_new_sinks, 0, 6);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
