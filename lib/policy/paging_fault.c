/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/policy/paging_step.h"

#define BROKEN_TRIES  3  /* at one place before it is made smaller */
#define GIVE_UPS_MOST 14 /* 2^42 ticks: five days */
#define PATIENCE_MOST 64

/* The same place with a smaller page; a chain of links begins again. */
static bool
shrink(struct paging *p)
{
	struct paging_habits *h = p->habits;
	unsigned skip = p->ask.mode == PAGING_SKIP ? p->ask.skip : 0;

	if (p->ask.top <= 1)
		return false;
	h->top_limit = p->ask.top / 2;
	h->good = 0;
	if (h->patience < PATIENCE_MOST)
		h->patience *= 2;
	if (p->ask.mode == PAGING_LINK)
		paging_ask_keyset(p, p->ask.from);
	p->ask.top = h->top_limit;
	p->ask.skip = skip;
	p->checking = 0;
	return true;
}

/* One record further by position. */
static bool
step_over(struct paging *p)
{
	if (p->no_skip || p->position >= PAGING_SKIP_MOST)
		return false;
	p->poison_from = p->last != TICKS_NONE ? p->last : p->ask.from;
	p->ask.mode = PAGING_SKIP;
	p->ask.skip = ++p->position;
	return true;
}

/* Where positions do not help either, ever longer pieces of time are given up. */
static void
give_up_poison(struct paging *p, struct paging_step *out)
{
	unsigned shift = 3 * p->give_ups;

	p->is_poisoned = p->is_probing = false;
	if (p->give_ups < GIVE_UPS_MOST)
		p->give_ups++;
	paging_give_up(p, INT64_C(1) << shift, paging_gap_poison, out);
	p->ask.top = 1;
}

static void
fault_too_large(struct paging *p, struct paging_step *out)
{
	if (shrink(p))
		return;
	if (step_over(p))
		p->is_poisoned = true;
	else
		give_up_poison(p, out);
}

/* Passing over is believed only when what lies behind it answers (settle_poison). */
static void
fault_broken(struct paging *p)
{
	if (p->is_probing) {
		p->is_probing = false;
		p->ask = p->before_probe;
		p->position--;
		p->faults = 0;
		return;
	}
	if (++p->faults % BROKEN_TRIES != 0 || shrink(p))
		return;
	p->before_probe = p->ask;
	p->is_probing = step_over(p);
}

/* $skip is refused: nothing that needs a position can be read here. */
static void
fault_skip(struct paging *p, struct paging_step *out)
{
	p->no_skip = true;
	if (p->is_by_skip) {
		paging_ask_keyset(p, p->ask.from);
		return;
	}
	if (p->is_poisoned || p->is_probing) {
		give_up_poison(p, out);
	} else if (p->is_unordered && p->ask.before != p->ask.from + 1) {
		p->is_incomplete = true;
		paging_report_gap(p, out, p->begin, p->started, paging_gap_unread);
		paging_window_complete(p, out);
	} else {
		paging_give_up(p, 1, paging_gap_tick, out);
	}
}

static void
fault_refused(struct paging *p, struct paging_step *out)
{
	if (p->ask.mode == PAGING_SKIP && !p->no_skip) {
		fault_skip(p, out);
	} else if (p->ask.before != PAGING_FOREVER && !p->no_before) {
		p->no_before = true;
		p->ask.before = PAGING_FOREVER;
		paging_ask_keyset(p, p->ask.from);
	} else if (p->ask.mode == PAGING_KEYSET && p->ask.top > p->wanted && !p->no_most) {
		p->no_most = true;
		p->page_size = p->wanted;
		paging_ask_keyset(p, p->ask.from);
	} else if (p->ask.mode == PAGING_LINK && !p->no_link) {
		p->no_link = true;
		paging_ask_keyset(p, p->ask.from);
	} else {
		out->what = PAGING_FAILED;
		err_set(&out->err, ERR_TEMP, "the API refuses the request");
	}
}

static void
fault_order(struct paging *p)
{
	p->habits->is_order_refused = true;
	p->habits->is_ascending = false;
	p->habits->ascents = p->habits->reads_refused = 0;
	p->is_unordered = true;
	p->ask.with_order = false;
	paging_ask_keyset(p, p->begin);
}

void
paging_fault(struct paging *p, enum paging_fault fault, struct paging_step *out)
{
	*out = (struct paging_step){ .what = PAGING_ASK, .cursor = TICKS_NONE };
	p->checking = 0;
	switch (fault) {
	case PAGING_TOO_LARGE:
		fault_too_large(p, out);
		break;
	case PAGING_ORDER_REFUSED:
		fault_order(p);
		break;
	case PAGING_REFUSED:
		fault_refused(p, out);
		break;
	case PAGING_BROKEN:
		fault_broken(p);
		break;
	}
}
