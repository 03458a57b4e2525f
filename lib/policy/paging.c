/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/policy/paging_step.h"

#define STILL_PAGES 3
#define ORDER_AGAIN 60                 /* reads until a refused $orderby is tried again */
#define GAP_AGAIN   (3600 * TICKS_SEC) /* a gap that has grown by it is told again */
#define TIE_PASSES  4
#define SKIP_MARGIN 10 /* records read twice, as those before may have moved away */
#define PATIENCE    2  /* good pages until a limit grows back */

const char paging_gap_tick[] = "more alerts on one timestamp than the API lets through";
const char paging_gap_poison[] = "an alert that the API cannot deliver was passed over";
const char paging_gap_unread[] = "the API ignores the filter and gives no link to further pages";

/* $top for a page of `wanted`, as far as pages of that size came through. */
static unsigned
top_for(const struct paging *p, unsigned wanted)
{
	unsigned limit = p->habits->top_limit;

	return limit != 0 && limit < wanted ? limit : wanted;
}

void
paging_ask_keyset(struct paging *p, int64_t from)
{
	if (from != p->ask.from)
		p->passes = 0;
	p->ask.mode = PAGING_KEYSET;
	p->ask.from = from;
	p->ask.top = top_for(p, p->page_size);
	p->ask.skip = 0;
	p->last = TICKS_NONE;
	p->is_shifting = p->has_fresh = false;
	p->position = 0;
	p->links = 0;
	p->link = p->link_mark = 0;
}

void
paging_begin(struct paging *p, struct paging_habits *h, const struct paging_bounds *b)
{
	*p = (struct paging){ .habits = h,
		.begin = b->from,
		.until = b->until,
		.cursor = b->cursor,
		.newest = TICKS_NONE,
		.started = TICKS_NONE,
		.last = TICKS_NONE,
		.page_size = b->page_size,
		.wanted = b->page_size,
		.most = b->most != 0 ? b->most : PAGING_MOST,
		.is_by_skip = b->is_by_skip };
	if (h->is_order_refused && ++h->reads_refused > ORDER_AGAIN)
		h->is_order_refused = false;
	if (h->patience == 0)
		h->patience = PATIENCE;
	h->checked_age++;
	p->is_unordered = h->is_order_refused || b->is_by_skip;
	p->ask.with_order = !p->is_unordered;
	p->ask.before = PAGING_FOREVER;
	paging_ask_keyset(p, b->from);
}

static void
grow_back(struct paging_habits *h)
{
	if (h->top_limit == 0 || ++h->good < h->patience)
		return;
	h->good = 0;
	h->top_limit *= 2;
	if (h->top_limit >= PAGING_MOST)
		h->top_limit = 0;
}

/* ---- what to do next --------------------------------------------------------- */

void
paging_report_gap(
    struct paging *p, struct paging_step *out, int64_t from, int64_t to, const char *why)
{
	struct paging_habits *h = p->habits;

	if (h->gap_from == from && to < h->gap_to + GAP_AGAIN)
		return;
	h->gap_from = from;
	h->gap_to = to;
	out->gap_from = from;
	out->gap_to = to;
	out->gap_why = why;
}

/* Without order, what changed since the first page may have been behind the reader. */
static void
move_cursor(struct paging *p, struct paging_step *out)
{
	int64_t to = p->newest;

	if (p->is_unordered || !p->habits->is_ascending)
		to = to < p->started ? to : p->started;
	if (to == TICKS_NONE || p->is_incomplete || to <= p->cursor)
		return;
	p->cursor = out->cursor = to;
}

static void
done(struct paging *p, struct paging_step *out)
{
	out->what = PAGING_DONE;
	move_cursor(p, out);
	if (p->is_incomplete)
		err_set(&out->err, ERR_TEMP, "%s; newer alerts may be missed", paging_gap_unread);
	if (p->checking != 0) {
		p->habits->checked = p->checking;
		p->habits->checked_age = 0;
	}
}

/* A loop of links is found by comparing with one that stays behind (Brent). */
static void
follow_link(struct paging *p, const struct paging_page *pg, struct paging_step *out)
{
	if (pg->link == p->link || pg->link == p->link_mark) {
		out->what = PAGING_FAILED;
		err_set(&out->err, ERR_TEMP, "the link to the next page leads in a circle");
		return;
	}
	if ((p->links & (p->links - 1)) == 0)
		p->link_mark = p->link;
	p->links++;
	p->link = pg->link;
	p->position += pg->count;
	p->ask.mode = PAGING_LINK;
	p->is_shifting = true;
}

/* On by position, with some that were read before; false: no further that way. */
static bool
skip_on(struct paging *p, const struct paging_page *pg)
{
	unsigned covered = p->ask.skip + pg->count;

	covered -= pg->count / 4 < SKIP_MARGIN ? pg->count / 4 : SKIP_MARGIN;
	if (covered > PAGING_SKIP_MOST && !p->is_by_skip)
		covered = PAGING_SKIP_MOST;
	if (p->no_skip || covered <= p->ask.skip)
		return false;
	p->ask.mode = PAGING_SKIP;
	p->ask.skip = p->position = covered;
	return true;
}

/* The same place with more of it; false: there is no more to be had. */
static bool
ask_more_here(struct paging *p, const struct paging_page *pg)
{
	unsigned most = top_for(p, p->most);

	if (p->ask.mode == PAGING_KEYSET && p->ask.top < most && pg->count >= p->ask.top &&
	    !p->no_most) {
		p->ask.top = most;
		return true;
	}
	return skip_on(p, pg);
}

/* Links may be positions too, and alerts before them may have moved away meanwhile: a
 * timestamp that was read by links is read again until nothing new shows up. */
static bool
read_tie_again(struct paging *p)
{
	unsigned passes = p->passes + 1;

	if (!p->is_shifting || passes >= TIE_PASSES || (p->passes != 0 && !p->has_fresh))
		return false;
	paging_ask_keyset(p, p->ask.from);
	p->passes = passes;
	return true;
}

void
paging_give_up(struct paging *p, int64_t width, const char *why, struct paging_step *out)
{
	int64_t from = p->ask.from;

	paging_report_gap(p, out, from, from + width, why);
	p->ask.before = PAGING_FOREVER;
	paging_ask_keyset(p, from + width);
}

void
paging_window_complete(struct paging *p, struct paging_step *out)
{
	int64_t before = p->ask.before;

	if (before == PAGING_FOREVER) {
		done(p, out);
		return;
	}
	p->ask.before = PAGING_FOREVER;
	paging_ask_keyset(p, before);
}

/* The upper end of a window that holds about half of what the page showed. */
static bool
cut_window(struct paging *p, const struct paging_page *pg)
{
	int64_t before;

	if (p->is_unfiltered || p->no_before || pg->least == TICKS_NONE)
		return false;
	if (pg->least < pg->most)
		before = pg->least + (pg->most - pg->least) / 2 + 1;
	else
		before = pg->least > p->ask.from ? pg->least : pg->least + 1;
	if (before >= p->ask.before || before == PAGING_FOREVER)
		return false;
	p->ask.before = before;
	paging_ask_keyset(p, p->ask.from);
	return true;
}

/* Without order and links, the longer the pages the fewer the windows. */
static bool
ask_most(struct paging *p, const struct paging_page *pg)
{
	if (p->no_most || p->page_size >= p->most || pg->count < p->ask.top)
		return false;
	p->page_size = p->most;
	if (top_for(p, p->most) <= p->ask.top)
		return false;
	paging_ask_keyset(p, p->ask.from);
	return true;
}

/* The same page again and again, however far one skips. */
static bool
stands_still(struct paging *p, const struct paging_page *pg)
{
	bool is_same = p->ask.mode == PAGING_SKIP && pg->fresh == 0 &&
	               pg->first == p->still_first && pg->last == p->still_last;

	p->still = is_same ? p->still + 1 : 0;
	p->still_first = pg->first;
	p->still_last = pg->last;
	return p->passes == 0 && p->still >= STILL_PAGES;
}

/* Not full: the pass has come to the end of the list. */
static void
step_by_skip(struct paging *p, const struct paging_page *pg, bool full, struct paging_step *out)
{
	/* What moved by a few places was read twice, not passed over. */
	p->is_shifting |= p->ask.mode == PAGING_SKIP && pg->fresh != 0;
	if (full && stands_still(p, pg)) {
		p->no_skip = true; /* as if it had been refused: windows of time */
		paging_ask_keyset(p, p->ask.from);
		return;
	}
	if (full && skip_on(p, pg))
		return;
	if (!read_tie_again(p))
		paging_window_complete(p, out);
}

static void
step_unordered(struct paging *p, const struct paging_page *pg, bool full, struct paging_step *out)
{
	if (pg->has_link) {
		follow_link(p, pg, out);
	} else if (p->is_by_skip && !p->no_skip) {
		step_by_skip(p, pg, full, out);
	} else if (p->ask.mode == PAGING_LINK || !full) {
		paging_window_complete(p, out);
	} else if (ask_most(p, pg) || cut_window(p, pg) || ask_more_here(p, pg)) {
		return;
	} else if (!p->is_unfiltered && p->ask.before == p->ask.from + 1) {
		paging_give_up(p, 1, paging_gap_tick, out);
	} else {
		p->is_incomplete = true;
		paging_report_gap(p, out, p->begin, pg->limit, paging_gap_unread);
		paging_window_complete(p, out);
	}
}

static void
step_ordered(struct paging *p, const struct paging_page *pg, bool full, struct paging_step *out)
{
	bool proven = p->habits->is_ascending, has_more = full || pg->has_link;
	bool is_beyond = pg->last != TICKS_NONE && pg->last > p->ask.from;

	if ((!has_more || (proven && is_beyond)) && read_tie_again(p))
		return;
	if (proven)
		move_cursor(p, out);
	if (!has_more || (proven && is_beyond && pg->last >= p->until)) {
		done(p, out);
	} else if (proven && is_beyond) {
		paging_ask_keyset(p, pg->last);
	} else if (pg->has_link) {
		follow_link(p, pg, out);
	} else if (p->ask.mode == PAGING_LINK && is_beyond) {
		done(p, out);
	} else if (p->ask.mode == PAGING_LINK) {
		paging_ask_keyset(p, p->ask.from + 1);
	} else if (!proven) {
		p->is_unordered = true;
		step_unordered(p, pg, full, out);
	} else if (!ask_more_here(p, pg)) {
		paging_give_up(p, 1, paging_gap_tick, out);
	}
}

/* From here on nothing is believed about order. What was read by key is read again. */
static bool
restart_unordered(struct paging *p)
{
	p->is_unordered = true;
	if (p->ask.from == p->begin && p->ask.mode != PAGING_SKIP)
		return false;
	paging_ask_keyset(p, p->begin);
	return true;
}

static void
take_newest(struct paging *p, const struct paging_page *pg)
{
	if (p->started == TICKS_NONE)
		p->started = pg->limit;
	if (pg->newest > p->newest)
		p->newest = pg->newest;
}

static void
settle_poison(struct paging *p, const struct paging_page *pg, struct paging_step *out)
{
	p->is_poisoned |= p->is_probing;
	p->is_probing = false;
	p->faults = p->give_ups = 0;
	if (!p->is_poisoned)
		return;
	p->is_poisoned = false;
	paging_report_gap(p, out, p->poison_from, pg->first != TICKS_NONE ? pg->first : pg->limit,
	    paging_gap_poison);
}

/* Links that the server itself refuses (its $skip has an end): there is more, but not that way. */
static void
step_without_link(struct paging *p, struct paging_page pg, struct paging_step *out)
{
	pg.has_link = false;
	if (pg.count == 0) {
		out->what = PAGING_FAILED;
		err_set(
		    &out->err, ERR_TEMP, "the only way to the next page is a link that is refused");
	} else if (p->is_unordered) {
		step_unordered(p, &pg, true, out);
	} else {
		step_ordered(p, &pg, true, out);
	}
}

/* True when the read has to begin again. */
static bool
learn_order(struct paging *p, const struct paging_page *pg)
{
	bool is_unfiltered =
	    pg->least != TICKS_NONE && (pg->least < p->ask.from || pg->most >= p->ask.before);
	bool is_broken = paging_learn_ascent(p, pg);

	p->is_unfiltered |= is_unfiltered;
	p->has_fresh |= p->is_by_skip ? pg->fresh != 0 : pg->fresh_at_from != 0;
	if (pg->last != TICKS_NONE)
		p->last = pg->last;
	return (is_broken || is_unfiltered) && !p->is_unordered && restart_unordered(p);
}

void
paging_take(struct paging *p, const struct paging_page *pg, struct paging_step *out)
{
	bool full;

	*out = (struct paging_step){ .what = PAGING_ASK, .cursor = TICKS_NONE };
	p->pages++;
	p->turn_pages++;
	settle_poison(p, pg, out);
	grow_back(p->habits);
	if (learn_order(p, pg))
		return;
	full = paging_page_is_full(p, pg);
	paging_learn_clamp(p, pg, full);
	take_newest(p, pg);
	if (p->no_link && pg->has_link) {
		step_without_link(p, *pg, out);
		return;
	}
	if (p->is_unordered)
		step_unordered(p, pg, full, out);
	else
		step_ordered(p, pg, full, out);
	if (out->what == PAGING_ASK && p->turn_pages >= PAGING_TURN) {
		p->turn_pages = 0;
		out->is_long = true;
	}
}
