/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/period_stage.h"

/* Periods that are to be read again, and parked sinks: every case runs against every engine. */
static const struct journal_engine *const engines[] = { &journal_sqlite, &journal_mem };

#define KEEP JOURNAL_PARK_KEEP
#define OWN  5 /* a type of entries that are made here */

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
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
