/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/policy/paging.h"

/* ---- one answer, one decision: the contract as a table ------------------------ */

enum { ANY = -1 };
#define T(n) (INT64_C(1000000) + (n))

/* Pages are written as their timestamps in order, from T(0); asked: ge T(10), $top 10. */
static const struct {
	const char *says;
	bool is_proven;
	const char *stamps; /* one letter a record: 'a' is T(0), 'k' is T(10) */
	bool has_link;
	enum paging_what what;
	enum paging_mode mode;
	int from; /* of the next request */
	int top, skip;
	int cursor; /* ANY: stays */
} cases[] = {
	{ "an empty page is the end", true, "", false, PAGING_DONE, 0, ANY, ANY, ANY, ANY },
	{ "an empty page with a link is not", true, "", true, PAGING_ASK, PAGING_LINK, 10, ANY, ANY,
	    ANY },
	{ "a short page is the end, the cursor its newest", true, "klm", false, PAGING_DONE, 0, ANY,
	    ANY, ANY, 12 },
	{ "a short page with a link goes on by key", true, "klm", true, PAGING_ASK, PAGING_KEYSET,
	    12, 10, 0, 12 },
	{ "a short page on the bound with a link follows it", true, "kk", true, PAGING_ASK,
	    PAGING_LINK, 10, ANY, ANY, 10 },
	{ "a full page goes on at its last stamp", true, "kklmnopqrs", false, PAGING_ASK,
	    PAGING_KEYSET, 18, 10, 0, 18 },
	{ "a full page goes on by key though it has a link", true, "kklmnopqrs", true, PAGING_ASK,
	    PAGING_KEYSET, 18, 10, 0, 18 },
	{ "a full page on one stamp beyond the bound goes on there", true, "llllllllll", false,
	    PAGING_ASK, PAGING_KEYSET, 11, 10, 0, 11 },
	{ "a full page on the bound follows the link", true, "kkkkkkkkkk", true, PAGING_ASK,
	    PAGING_LINK, 10, ANY, ANY, 10 },
	{ "a full page on the bound without one asks for more", true, "kkkkkkkkkk", false,
	    PAGING_ASK, PAGING_KEYSET, 10, 1000, 0, 10 },
	{ "a page longer than asked is full", true, "kklmnopqrstuvw", false, PAGING_ASK,
	    PAGING_KEYSET, 22, 10, 0, 22 },
	{ "five that may be a clamp are doubted once", true, "klmno", false, PAGING_ASK,
	    PAGING_KEYSET, 14, 10, 0, 14 },
	{ "a descent within the page: unordered, the link is followed, the cursor stays", true,
	    "srqponmlkk", true, PAGING_ASK, PAGING_LINK, 10, ANY, ANY, ANY },
	{ "a descent without a link: more of it", true, "srqponmlkk", false, PAGING_ASK,
	    PAGING_KEYSET, 10, 1000, 0, ANY },
	{ "a short page may have any order: it is all", true, "sk", false, PAGING_DONE, 0, ANY, ANY,
	    ANY, 18 },
	{ "below the bound: the filter is ignored, the link is followed", true, "abcdefghij", true,
	    PAGING_ASK, PAGING_LINK, 10, ANY, ANY, ANY },
	{ "the same without a link: more of it", true, "abcdefghij", false, PAGING_ASK,
	    PAGING_KEYSET, 10, 1000, 0, ANY },
	{ "no proof of order yet: a page on one stamp follows its link", false, "llllllllll", true,
	    PAGING_ASK, PAGING_LINK, 10, ANY, ANY, ANY },
	{ "no proof and no link: more of it", false, "llllllllll", false, PAGING_ASK, PAGING_KEYSET,
	    10, 1000, 0, ANY },
	{ "a full page that ascends is proof", false, "kkkkkkkkkl", false, PAGING_ASK,
	    PAGING_KEYSET, 11, 10, 0, 11 },
	{ "a stamp after the server's clock does not move the cursor there", true, "klz", false,
	    PAGING_DONE, 0, ANY, ANY, ANY, 11 },
};

static void
fill(struct paging_page *pg, const struct paging *p, const char *stamps, bool has_link)
{
	paging_page_init(pg, p, T(24));
	for (const char *c = stamps; *c != '\0'; c++)
		paging_page_add(pg, T(*c - 'a'), true);
	pg->has_link = has_link;
	pg->link = 7;
}

static void
begin(struct paging *p, struct paging_habits *h)
{
	const struct paging_bounds b = {
		.from = T(10), .until = PAGING_FOREVER, .cursor = TICKS_NONE, .page_size = 10
	};

	paging_begin(p, h, &b);
}

#define OK(cond) ck_assert_msg(cond, "%s: %s", cases[_i].says, #cond)

START_TEST(test_decision)
{
	struct paging_habits h = { .is_ascending = cases[_i].is_proven };
	struct paging_page pg;
	struct paging_step step;
	struct paging p;

	begin(&p, &h);
	fill(&pg, &p, cases[_i].stamps, cases[_i].has_link);
	paging_take(&p, &pg, &step);
	OK(step.what == cases[_i].what);
	OK(step.gap_why == NULL);
	OK(step.cursor == (cases[_i].cursor == ANY ? TICKS_NONE : T(cases[_i].cursor)));
	if (step.what != PAGING_ASK)
		return;
	OK(p.ask.mode == cases[_i].mode);
	OK(p.ask.from == T(cases[_i].from));
	OK(cases[_i].top == ANY || p.ask.top == (unsigned)cases[_i].top);
	OK(cases[_i].skip == ANY || p.ask.skip == (unsigned)cases[_i].skip);
}
END_TEST

/* What changed after the first page may have been put behind the reader. */
START_TEST(test_unordered_cursor_stays_before_the_beginning)
{
	struct paging_habits h = { .is_ascending = true };
	struct paging_step step;
	struct paging_page pg;
	struct paging p;

	begin(&p, &h);
	fill(&pg, &p, "srqponmlkk", true);
	paging_take(&p, &pg, &step);
	ck_assert(!h.is_ascending);
	paging_page_init(&pg, &p, T(200));
	paging_page_add(&pg, T(11), true);
	paging_page_add(&pg, T(150), true);
	paging_take(&p, &pg, &step);
	ck_assert_int_eq(step.what, PAGING_DONE);
	ck_assert_int_eq(step.cursor, T(24));
}
END_TEST

START_TEST(test_a_late_descent_begins_again)
{
	struct paging_habits h = { .is_ascending = true };
	struct paging_step step;
	struct paging_page pg;
	struct paging p;

	begin(&p, &h);
	fill(&pg, &p, "kklmnopqrs", false);
	paging_take(&p, &pg, &step);
	ck_assert_int_eq(step.cursor, T(18));
	fill(&pg, &p, "sxwvutsutx", true);
	paging_take(&p, &pg, &step);
	ck_assert_int_eq(step.what, PAGING_ASK);
	ck_assert_int_eq(p.ask.mode, PAGING_KEYSET);
	ck_assert_int_eq(p.ask.from, T(10));
	ck_assert_int_eq(step.cursor, TICKS_NONE);
	fill(&pg, &p, "sxlk", false);
	paging_take(&p, &pg, &step);
	ck_assert_int_eq(step.what, PAGING_DONE);
	ck_assert_int_eq(step.cursor, T(23));
	ck_assert(!h.is_ascending);
}
END_TEST

/* Nothing moves on the strength of an order that was never seen. */
START_TEST(test_order_has_to_be_seen)
{
	struct paging_habits h = { .is_ascending = false };
	struct paging_step step;
	struct paging_page pg;
	struct paging p;

	begin(&p, &h);
	fill(&pg, &p, "xxxxxxxxxx", true);
	paging_take(&p, &pg, &step);
	ck_assert_int_eq(step.cursor, TICKS_NONE);
	ck_assert_int_eq(p.ask.mode, PAGING_LINK);
	fill(&pg, &p, "wwvvvvuuuu", true);
	pg.link = 8;
	paging_take(&p, &pg, &step);
	ck_assert_int_eq(step.cursor, TICKS_NONE);
	ck_assert_int_eq(p.ask.mode, PAGING_LINK);
	ck_assert(p.is_unordered);
}
END_TEST

START_TEST(test_loop_of_links)
{
	struct paging_habits h = { .is_ascending = true };
	struct paging_step step;
	struct paging_page pg;
	struct paging p;
	int pages = 0;

	begin(&p, &h);
	do {
		fill(&pg, &p, "", true);
		pg.link = (uint64_t)(100 + pages % 3);
		paging_take(&p, &pg, &step);
		pages++;
	} while (step.what == PAGING_ASK && pages < 50);
	ck_assert_int_eq(step.what, PAGING_FAILED);
	ck_assert_int_lt(pages, 12);
}
END_TEST

START_TEST(test_many_pages_are_said)
{
	struct paging_habits h = { .is_ascending = true };
	struct paging_step step;
	struct paging_page pg;
	struct paging p;

	begin(&p, &h);
	for (int i = 1; i <= 2 * PAGING_TURN; i++) {
		fill(&pg, &p, "", true);
		pg.link = (uint64_t)(100 + i);
		paging_take(&p, &pg, &step);
		ck_assert_int_eq(step.what, PAGING_ASK);
		ck_assert_int_eq(step.is_long, i % PAGING_TURN == 0);
	}
}
END_TEST

START_TEST(test_too_large_halves_and_grows_back)
{
	struct paging_habits h = { .is_ascending = true };
	struct paging_step step;
	struct paging_page pg;
	struct paging p;

	begin(&p, &h);
	paging_fault(&p, PAGING_TOO_LARGE, &step);
	ck_assert_int_eq(step.what, PAGING_ASK);
	ck_assert_uint_eq(p.ask.top, 5);
	ck_assert_int_eq(p.ask.from, T(10));
	for (int i = 0; i < 8; i++) {
		fill(&pg, &p, "k", false);
		paging_take(&p, &pg, &step);
		begin(&p, &h);
	}
	ck_assert_uint_eq(p.ask.top, 10);
}
END_TEST

START_TEST(test_one_record_too_large_is_passed_over_with_a_gap)
{
	struct paging_habits h = { .is_ascending = true };
	struct paging_step step;
	struct paging_page pg;
	struct paging p;

	begin(&p, &h);
	for (int top = 10; top > 1; top /= 2)
		paging_fault(&p, PAGING_TOO_LARGE, &step);
	ck_assert_uint_eq(p.ask.top, 1);
	paging_fault(&p, PAGING_TOO_LARGE, &step);
	ck_assert_int_eq(step.what, PAGING_ASK);
	ck_assert_int_eq(p.ask.mode, PAGING_SKIP);
	ck_assert_uint_eq(p.ask.skip, 1);
	fill(&pg, &p, "m", false);
	paging_take(&p, &pg, &step);
	ck_assert_ptr_nonnull(step.gap_why);
	ck_assert_int_eq(step.gap_from, T(10));
	ck_assert_int_eq(step.gap_to, T(12));
	ck_assert_int_eq(step.what, PAGING_ASK);
	ck_assert_int_eq(p.ask.from, T(12));
}
END_TEST

/* One record that makes the server fail: what lies behind it answers, so it is the record. */
START_TEST(test_one_bad_place_is_passed_over_with_a_gap)
{
	struct paging_habits h = { .is_ascending = true };
	struct paging_step step;
	struct paging_page pg;
	struct paging p;
	int tries = 0;

	begin(&p, &h);
	while (p.ask.mode != PAGING_SKIP && tries++ < 100) {
		paging_fault(&p, PAGING_BROKEN, &step);
		ck_assert_ptr_null(step.gap_why);
	}
	ck_assert_int_le(tries, 15);
	ck_assert_uint_eq(p.ask.top, 1);
	ck_assert_uint_eq(p.ask.skip, 1);
	fill(&pg, &p, "o", false);
	paging_take(&p, &pg, &step);
	ck_assert_ptr_nonnull(step.gap_why);
	ck_assert_int_eq(step.gap_from, T(10));
	ck_assert_int_eq(step.gap_to, T(14));
}
END_TEST

START_TEST(test_a_server_that_is_down_makes_no_gap)
{
	struct paging_habits h = { .is_ascending = true };
	struct paging_step step;
	struct paging p;

	begin(&p, &h);
	for (int i = 0; i < 200; i++) {
		paging_fault(&p, PAGING_BROKEN, &step);
		ck_assert_int_eq(step.what, PAGING_ASK);
		ck_assert_ptr_null(step.gap_why);
		ck_assert_int_eq(step.cursor, TICKS_NONE);
		ck_assert_uint_le(p.ask.skip, 1);
	}
}
END_TEST

START_TEST(test_refused_order_is_asked_again_without)
{
	struct paging_habits h = { .is_ascending = true };
	struct paging_step step;
	struct paging_page pg;
	struct paging p;

	begin(&p, &h);
	paging_fault(&p, PAGING_ORDER_REFUSED, &step);
	ck_assert_int_eq(step.what, PAGING_ASK);
	ck_assert(!p.ask.with_order);
	fill(&pg, &p, "klmnopqrst", true);
	paging_take(&p, &pg, &step);
	ck_assert_int_eq(p.ask.mode, PAGING_LINK);
	ck_assert_int_eq(step.cursor, TICKS_NONE);
	fill(&pg, &p, "kl", false);
	paging_take(&p, &pg, &step);
	ck_assert_int_eq(step.what, PAGING_DONE);
	ck_assert_int_eq(step.cursor, T(19));
	begin(&p, &h);
	ck_assert(!p.ask.with_order);
}
END_TEST

/* ---- a server that changes while it is read ------------------------------------ */

#define MINUTE   (60 * TICKS_SEC)
#define OVERLAP  (10 * MINUTE)
#define ALERTS   2600
#define VERSIONS 12000

enum order { ASCENDING, NEWEST_FIRST, BY_ID, REFUSED };
enum links { BY_TOKEN, BY_SKIP, WITHHELD };

struct version {
	int64_t at;          /* lastUpdateDateTime */
	int64_t since, till; /* when it could be seen */
	unsigned alert;
	bool is_read, is_exempt;
};

struct server {
	uint64_t seed;
	enum order order;
	enum links links;
	bool ignores_filter, refuses_before, refuses_long_links, has_empty_pages, refuses_order;
	unsigned clamp;
	int64_t now;
	struct version *v;
	unsigned n;
	unsigned current[ALERTS]; /* version of each alert */
	unsigned alerts;
	/* where a link leads: by token, behind a key; by skip, a position */
	struct paging_ask linked;
	unsigned linked_skip;
	uint64_t linked_key;
	unsigned nlinks;
	unsigned requests;
};

static uint64_t
dice(struct server *sv, uint64_t n)
{
	sv->seed = sv->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (sv->seed >> 33) % n;
}

static void
put(struct server *sv, unsigned alert, int64_t at)
{
	if (sv->n == VERSIONS)
		return;
	if (alert == sv->alerts)
		sv->alerts++;
	else
		sv->v[sv->current[alert]].till = sv->now;
	sv->v[sv->n] =
	    (struct version){ .at = at, .since = sv->now, .till = INT64_MAX, .alert = alert };
	sv->current[alert] = sv->n++;
}

/* A new alert now or a bit late, or an old one that changes. */
static void
change(struct server *sv)
{
	int64_t at = sv->now;

	if (dice(sv, 8) == 0 && sv->n != 0)
		at = sv->v[sv->n - 1].at;
	if (dice(sv, 4) != 0 && sv->alerts != 0) {
		put(sv, (unsigned)dice(sv, sv->alerts), sv->now);
		return;
	}
	if (dice(sv, 3) == 0)
		at = sv->now - (int64_t)dice(sv, OVERLAP - 4 * MINUTE);
	if (sv->alerts < ALERTS)
		put(sv, sv->alerts, at);
}

static const struct server *sorting;

static int
compare(const void *a, const void *b)
{
	const struct version *x = &sorting->v[*(const unsigned *)a];
	const struct version *y = &sorting->v[*(const unsigned *)b];

	if (sorting->order != BY_ID && x->at != y->at)
		return (x->at < y->at) == (sorting->order == ASCENDING) ? -1 : 1;
	/* equal stamps and ids have no order that means something */
	x = (const void *)((uintptr_t)x->alert * 2654435761u % 65536);
	y = (const void *)((uintptr_t)y->alert * 2654435761u % 65536);
	return x < y ? -1 : x > y;
}

struct answer {
	unsigned list[ALERTS];
	unsigned n;
	bool has_link, is_refused, is_order_refused;
};

static void
serve(struct server *sv, const struct paging *p, struct answer *a)
{
	struct paging_ask ask = p->ask.mode == PAGING_LINK ? sv->linked : p->ask;
	unsigned all[ALERTS], n = 0, top = ask.top, skip = ask.skip, end;
	enum order order = sv->order;

	sv->requests++;
	*a = (struct answer){ .is_order_refused = ask.with_order && sv->refuses_order,
		.is_refused =
		    ask.skip > 500 || (ask.before != PAGING_FOREVER && sv->refuses_before) };
	a->is_refused |= p->ask.mode == PAGING_LINK && sv->links == BY_SKIP &&
	                 sv->refuses_long_links && sv->linked_skip > 500;
	if (a->is_refused || a->is_order_refused)
		return;
	for (unsigned i = 0; i < sv->alerts; i++) {
		int64_t at = sv->v[sv->current[i]].at;

		if (sv->ignores_filter || (at >= ask.from && at < ask.before))
			all[n++] = sv->current[i];
	}
	if (order == REFUSED)
		sv->order = NEWEST_FIRST;
	sorting = sv;
	qsort(all, n, sizeof(all[0]), compare);
	if (p->ask.mode == PAGING_LINK && sv->links == BY_SKIP)
		skip = sv->linked_skip;
	if (p->ask.mode == PAGING_LINK && sv->links == BY_TOKEN) {
		/* behind the record that was last, wherever that is now */
		for (skip = 0; skip < n; skip++) {
			unsigned mark = (unsigned)sv->linked_key;

			if (compare(&all[skip], &mark) > 0)
				break;
		}
	}
	sv->order = order;
	if (top > 1000)
		top = 1000;
	if (sv->clamp != 0 && top > sv->clamp)
		top = sv->clamp;
	if (sv->has_empty_pages && sv->links != WITHHELD && dice(sv, 6) == 0)
		top = p->ask.mode == PAGING_LINK ? (unsigned)dice(sv, 2) : 1;
	if (skip > n)
		skip = n;
	end = skip + top < n ? skip + top : n;
	memcpy(a->list, all + skip, (end - skip) * sizeof(all[0]));
	a->n = end - skip;
	a->has_link = end < n && sv->links != WITHHELD;
	sv->linked = ask;
	sv->linked_skip = end;
	if (end != skip)
		sv->linked_key = all[end - 1];
}

static void
exempt_gap(struct server *sv, const struct paging_step *step)
{
	for (unsigned i = 0; i < sv->n; i++) {
		if (sv->v[i].at >= step->gap_from && sv->v[i].at < step->gap_to)
			sv->v[i].is_exempt = true;
	}
}

static void
check_cursor(const struct server *sv, int64_t cursor, int64_t before, int64_t begun, int seed)
{
	ck_assert_msg(cursor > before, "seed %d: backwards", seed);
	ck_assert_msg(cursor <= sv->now, "seed %d: after the server's clock", seed);
	if (sv->ignores_filter)
		return; /* the next read sees everything again, wherever it begins */
	for (unsigned i = 0; i < sv->alerts; i++) {
		const struct version *v = &sv->v[sv->current[i]];

		ck_assert_msg(
		    v->is_read || v->is_exempt || v->at >= cursor - OVERLAP || v->since >= begun,
		    "seed %d: cursor %" PRId64 " passed alert %u of %" PRId64
		    " unread (order %d links %d clamp %u)",
		    seed, cursor, i, v->at, (int)sv->order, (int)sv->links, sv->clamp);
	}
}

/* One read to its end; returns the number of gaps. */
static unsigned
poll(struct server *sv, struct paging_habits *h, int64_t from, int64_t *cursor, unsigned page_size,
    unsigned changes, int seed)
{
	const struct paging_bounds b = {
		.from = from, .until = PAGING_FOREVER, .cursor = *cursor, .page_size = page_size
	};
	struct paging_step step;
	struct paging_page pg;
	struct answer a;
	struct paging p;
	unsigned gaps = 0, asked = 0;
	int64_t begun = sv->now;

	paging_begin(&p, h, &b);
	do {
		ck_assert_msg(++asked < 30000, "seed %d: endless", seed);
		sv->now += TICKS_SEC / 50;
		serve(sv, &p, &a);
		if (a.is_refused || a.is_order_refused) {
			paging_fault(
			    &p, a.is_order_refused ? PAGING_ORDER_REFUSED : PAGING_REFUSED, &step);
			ck_assert_int_eq(step.what, PAGING_ASK);
		} else {
			paging_page_init(&pg, &p, sv->now);
			for (unsigned i = 0; i < a.n; i++) {
				struct version *v = &sv->v[a.list[i]];

				paging_page_add(&pg, v->at, !v->is_read);
				v->is_read = true;
			}
			pg.has_link = a.has_link;
			pg.link = ++sv->nlinks;
			paging_take(&p, &pg, &step);
		}
		if (step.gap_why != NULL) {
			gaps++;
			exempt_gap(sv, &step);
		}
		if (step.cursor != TICKS_NONE) {
			check_cursor(sv, step.cursor, *cursor, begun, seed);
			*cursor = step.cursor;
		}
		if (step.err.kind != ERR_NONE)
			exempt_gap(sv, &(struct paging_step){ .gap_to = INT64_MAX });
		for (unsigned i = 0; i < changes && asked < 300; i++) {
			if (dice(sv, 3) == 0)
				change(sv);
		}
	} while (step.what == PAGING_ASK);
	ck_assert_int_eq(step.what, PAGING_DONE);
	return gaps;
}

static void
fill_backlog(struct server *sv, unsigned n, unsigned tie)
{
	int64_t at = sv->now - 20 * 60 * MINUTE;

	while (sv->alerts < n) {
		at += (int64_t)dice(sv, 60 * 20 * MINUTE / (n + 1));
		for (uint64_t k = dice(sv, 12) == 0 ? 1 + dice(sv, tie) : 1; k > 0; k--) {
			if (sv->alerts < n)
				put(sv, sv->alerts, at);
		}
	}
}

static void
run(struct server *sv, unsigned backlog, unsigned tie, unsigned page_size, unsigned changes,
    bool may_gap, int seed)
{
	struct paging_habits h = { 0 };
	int64_t first = sv->now - 24 * 60 * MINUTE, cursor = TICKS_NONE, next = sv->now;
	unsigned gaps = 0;

	sv->v = xcalloc(VERSIONS, sizeof(*sv->v));
	fill_backlog(sv, backlog, tie);
	for (int polls = 0; polls < 8; polls++) {
		int64_t from =
		    cursor != TICKS_NONE && cursor - OVERLAP > first ? cursor - OVERLAP : first;

		gaps += poll(sv, &h, from, &cursor, page_size, changes, seed);
		for (next += MINUTE; sv->now < next; sv->now += MINUTE / 6) {
			if (dice(sv, 2) == 0)
				change(sv);
		}
		next = sv->now;
		for (unsigned i = 0; i < sv->n; i++) {
			const struct version *v = &sv->v[i];
			int64_t till = v->till < sv->now ? v->till : sv->now;

			ck_assert_msg(v->is_read || v->is_exempt || till - v->since < 2 * MINUTE ||
					  sv->now - v->since < 40 * MINUTE,
			    "seed %d: %u not read", seed, i);
		}
	}
	/* all that stood still is read now */
	changes = sv->n;
	gaps += poll(sv, &h,
	    cursor != TICKS_NONE && cursor - OVERLAP > first ? cursor - OVERLAP : first, &cursor,
	    page_size, 0, seed);
	for (unsigned i = 0; i < changes; i++) {
		const struct version *v = &sv->v[i];

		ck_assert_msg(v->is_read || v->is_exempt || v->till != INT64_MAX,
		    "seed %d: version %u at %" PRId64 " since %" PRId64
		    " never read, cursor %" PRId64 " order %d links %d clamp %u",
		    seed, i, v->at, v->since, cursor, (int)sv->order, (int)sv->links, sv->clamp);
	}
	ck_assert_msg(may_gap || gaps == 0, "seed %d: gap", seed);
	free(sv->v);
}

static const unsigned sizes[] = { 3, 10, 10, 50, 200 };
static const unsigned clamps[] = { 0, 0, 0, 7, 25, 50, 100 };

static struct server *
server_of(int seed)
{
	struct server *sv = xcalloc(1, sizeof(*sv));

	sv->seed = (uint64_t)seed * 7919 + 1;
	sv->now = INT64_C(17000000000000000);
	for (int i = 0; i < 4; i++)
		dice(sv, 2);
	sv->order = (enum order)dice(sv, 4);
	sv->links = (enum links)dice(sv, 3);
	sv->refuses_order = sv->order == REFUSED;
	sv->has_empty_pages = dice(sv, 4) == 0;
	sv->refuses_long_links = !sv->has_empty_pages && dice(sv, 2) == 0;
	sv->clamp = clamps[dice(sv, 7)];
	/* without order and links every page costs a cut: many of them are no test but a wait */
	if (sv->links == WITHHELD && sv->order != ASCENDING && sv->clamp < 25)
		sv->clamp = 0;
	return sv;
}

#define SEEDS 120

START_TEST(test_every_version_is_read)
{
	struct server *sv = server_of(_i);

	run(sv, (unsigned)dice(sv, 600), 30, sizes[dice(sv, 5)], (unsigned)dice(sv, 4), false, _i);
	free(sv);
}
END_TEST

START_TEST(test_long_ties)
{
	struct server *sv = server_of(_i + 5000);

	sv->clamp = sv->links == WITHHELD ? 0 : sv->clamp;
	run(sv, 1200 + (unsigned)dice(sv, 1200), 2000, 50, (unsigned)dice(sv, 3),
	    sv->links == WITHHELD || sv->refuses_long_links, _i);
	free(sv);
}
END_TEST

START_TEST(test_filter_ignored)
{
	struct server *sv = server_of(_i + 9000);

	sv->ignores_filter = true;
	run(sv, (unsigned)dice(sv, 500), 30, sizes[1 + dice(sv, 4)], (unsigned)dice(sv, 3),
	    sv->links == WITHHELD, _i);
	free(sv);
}
END_TEST

START_TEST(test_upper_bound_refused)
{
	struct server *sv = server_of(_i + 13000);

	sv->refuses_before = true;
	sv->clamp = 0;
	run(sv, (unsigned)dice(sv, 1200), 30, sizes[1 + dice(sv, 4)], (unsigned)dice(sv, 3), false,
	    _i);
	free(sv);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("paging");
	TCase *tc = tcase_create("decision"), *world = tcase_create("world");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_decision, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_unordered_cursor_stays_before_the_beginning);
	tcase_add_test(tc, test_a_late_descent_begins_again);
	tcase_add_test(tc, test_order_has_to_be_seen);
	tcase_add_test(tc, test_loop_of_links);
	tcase_add_test(tc, test_many_pages_are_said);
	tcase_add_test(tc, test_too_large_halves_and_grows_back);
	tcase_add_test(tc, test_one_record_too_large_is_passed_over_with_a_gap);
	tcase_add_test(tc, test_one_bad_place_is_passed_over_with_a_gap);
	tcase_add_test(tc, test_a_server_that_is_down_makes_no_gap);
	tcase_add_test(tc, test_refused_order_is_asked_again_without);
	suite_add_tcase(s, world);
	tcase_set_timeout(world, 60);
	tcase_add_loop_test(world, test_every_version_is_read, 0, SEEDS);
	tcase_add_loop_test(world, test_long_ties, 0, SEEDS / 6);
	tcase_add_loop_test(world, test_filter_ignored, 0, SEEDS / 2);
	tcase_add_loop_test(world, test_upper_bound_refused, 0, SEEDS / 2);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
