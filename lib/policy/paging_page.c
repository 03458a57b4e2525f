/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/policy/paging_step.h"

#define LEAST_CLAMP   5 /* servers do not clamp to less */
#define PROOF_ASCENTS 4
#define PROOF_PAGE    8  /* a page this long that ascends somewhere is proof by itself */
#define CHECK_AGAIN   10 /* reads until a page length that was the end is doubted again */

/* ---- what is in it ------------------------------------------------------------------------ */

void
paging_page_init(struct paging_page *pg, const struct paging *p, int64_t server_now)
{
	*pg = (struct paging_page){ .from = p->ask.from,
		.limit = server_now,
		.first = TICKS_NONE,
		.last = TICKS_NONE,
		.least = TICKS_NONE,
		.most = TICKS_NONE,
		.newest = TICKS_NONE };
}

void
paging_page_add(struct paging_page *pg, int64_t version, bool is_fresh)
{
	pg->count++;
	pg->fresh += is_fresh;
	if (version == TICKS_NONE)
		return;
	pg->fresh_at_from += is_fresh && version == pg->from;
	if (pg->last == TICKS_NONE) {
		pg->first = pg->least = pg->most = version;
	} else {
		pg->ascents += version > pg->last;
		pg->is_descending |= version < pg->last;
	}
	pg->last = version;
	if (version < pg->least)
		pg->least = version;
	if (version > pg->most)
		pg->most = version;
	if (version <= pg->limit && version > pg->newest)
		pg->newest = version;
}

/* ---- is there more behind it? ------------------------------------------------------------ */

/* A page that is shorter than asked may be as long as the server lets it be. A server's
 * clamp is at least the longest page it ever gave, so such pages are doubted; others now
 * and then, for it may have been lowered. */
static bool
is_doubtful(const struct paging *p, const struct paging_page *pg)
{
	const struct paging_habits *h = p->habits;

	if (pg->has_link || pg->count < LEAST_CLAMP)
		return false;
	if (h->clamp != 0 && pg->count >= h->clamp)
		return true;
	if (pg->count < h->biggest)
		return h->checked_age >= CHECK_AGAIN && p->checking == 0;
	return pg->fresh != 0 || pg->count != h->checked || h->checked_age >= CHECK_AGAIN;
}

bool
paging_page_is_full(const struct paging *p, const struct paging_page *pg)
{
	return pg->count >= p->ask.top || is_doubtful(p, pg);
}

/* Behind the page that is checked there is something, known from before or not. */
static bool
shows_more(const struct paging *p, const struct paging_page *pg)
{
	return pg->fresh != 0 ||
	       (p->ask.mode == PAGING_KEYSET && p->ask.from == p->checking_from &&
		   pg->most != TICKS_NONE && pg->most > p->ask.from);
}

void
paging_learn_clamp(struct paging *p, const struct paging_page *pg, bool full)
{
	struct paging_habits *h = p->habits;

	if (h->clamp != 0 && pg->count > h->clamp)
		h->clamp = 0;
	if (p->checking != 0 && shows_more(p, pg)) {
		h->clamp = p->checking;
		p->checking = 0;
	}
	if (full && pg->count < p->ask.top) {
		p->checking = pg->count;
		p->checking_from = pg->last;
	}
	if (pg->count > h->biggest)
		h->biggest = pg->count;
}

/* ---- does the server keep to the order? --------------------------------------------------- */

static bool
breaks_order(const struct paging *p, const struct paging_page *pg)
{
	if (pg->is_descending)
		return true;
	return p->last != TICKS_NONE && pg->first != TICKS_NONE && pg->first < p->last;
}

static void
learn_ascent(struct paging_habits *h, const struct paging_page *pg, bool is_broken)
{
	if (is_broken) {
		h->ascents = 0;
		h->is_ascending = false;
		return;
	}
	if (h->ascents < PROOF_ASCENTS)
		h->ascents += pg->ascents;
	if (h->ascents >= PROOF_ASCENTS || (pg->ascents != 0 && pg->count >= PROOF_PAGE))
		h->is_ascending = true;
}

bool
paging_learn_ascent(struct paging *p, const struct paging_page *pg)
{
	bool is_broken = breaks_order(p, pg);

	if (p->ask.with_order)
		learn_ascent(p->habits, pg, is_broken);
	return is_broken;
}
