/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/journal_mem.h"
#include "lib/base/ticks.h"

/* ---- periods ------------------------------------------------------------- */

void
mem_period_grow(struct store *s, uint32_t sink, uint32_t stream, int64_t version, int64_t now)
{
	struct journal_period p;

	periods_growing(registry_periods(s->reg), sink, stream, &p);
	if (p.from > p.to)
		p.made = now;
	if (version == TICKS_NONE)
		version = now;
	p.from = version < p.from ? version : p.from;
	p.to = version >= p.to ? version + 1 : p.to;
	periods_put(registry_periods(s->reg), &p);
}

void
mem_period_page(struct store *s, const struct page_job *job)
{
	const struct journal_page *page = job->page;
	struct journal_period p;

	if (page->period == 0 || !periods_find(registry_periods(s->reg), page->period, &p))
		return;
	if (page->period_at != TICKS_NONE)
		p.at = page->period_at;
	p.seen += page->period_seen;
	p.told += job->result.forwarded;
	if (page->is_period_done)
		p.flags |= JOURNAL_PERIOD_DONE;
	if (page->is_part_done) {
		p.flags += JOURNAL_PERIOD_PART;
		p.at = TICKS_NONE;
	}
	periods_put(registry_periods(s->reg), &p);
}

static void
end_growth(struct store *s, uint32_t sink)
{
	struct journal_period p;
	bool has_refill = false;

	for (uint64_t after = 0; periods_next_growing(registry_periods(s->reg), sink, after, &p);
	     after = p.number) {
		p.flags &= ~(unsigned)JOURNAL_PERIOD_GROWS;
		periods_put(registry_periods(s->reg), &p);
		has_refill = true;
	}
	if (has_refill)
		outbox_note(s->out, JOURNAL_NOTE_REFILL, s->stats.state,
		    "what a parked sink was not given is read again");
}

/* Down to the oldest of what the sink has. */
static void
let_parked_go(struct store *s, struct mem_place *p, int64_t now)
{
	for (size_t i = p->n; i > JOURNAL_PARK_KEEP; i--) {
		uint64_t seq = p->todo[i - 1].seq;
		const struct journal_item *e = s->entries[seq - 1];

		if (place_is_own(s->own_types, e->type) || place_is_out(p->place, seq) ||
		    (p->place->retrying > 0 && seq >= p->place->retry_from))
			continue;
		mem_period_grow(s, p->place->sink, e->stream, e->version, now);
		mem_say_how(s, e, p->place->sink, GIVEN_MISSED);
		mem_todo_drop(s, p, seq);
	}
}

void
mem_look_at_parked(struct store *s)
{
	for (size_t i = 0; i < s->nplaces; i++) {
		struct mem_place *p = &s->places[i];
		bool was;

		if (p->place == NULL)
			continue;
		was = p->place->is_parked;
		p->place->is_parked = registry_is_parked(s->reg, p->place->sink);
		if (p->place->is_parked && !was)
			let_parked_go(s, p, clock_wall(s->clock));
		else if (!p->place->is_parked && was)
			end_growth(s, p->place->sink);
	}
}

/* ---- what a sink lost -------------------------------------------------------- */

static bool
was_for(const struct journal_item *item, uint32_t sink)
{
	const struct mem_entry *e = (const struct mem_entry *)item;

	for (unsigned i = 0; i < e->nroutes; i++) {
		if (e->route[i] == sink)
			return true;
	}
	return false;
}

static void
end_hold(struct store *s, uint32_t sink)
{
	struct periods *list = registry_periods(s->reg);
	struct journal_period p;

	for (uint64_t after = 0; periods_next_held(list, sink, 0, after, &p); after = p.number) {
		p.flags &= ~(unsigned)JOURNAL_PERIOD_HELD;
		if (s->trimmed_to <= p.from)
			p.flags |= JOURNAL_PERIOD_DONE;
		else if (s->trimmed_to < p.to)
			p.to = s->trimmed_to;
		periods_put(list, &p);
	}
	outbox_note(s->out, JOURNAL_NOTE_REFILL, s->stats.state,
	    "what a sink has lost is read again");
}

static void
resend(struct store *s, struct mem_place *p, int64_t from)
{
	struct journal_period period;

	for (size_t i = 0; i < s->nentries; i++) {
		const struct journal_item *e = s->entries[i];

		if (e == NULL || e->journalled < from || !was_for(e, p->place->sink) ||
		    !mem_todo_add(p, e->pos.seq, e->body.n))
			continue;
		ledger_wait(&s->ledger, e->pos.seq);
		if (!periods_next_held(registry_periods(s->reg), p->place->sink, e->stream, 0,
			&period))
			continue;
		period.told++;
		periods_put(registry_periods(s->reg), &period);
	}
	end_hold(s, p->place->sink);
	place_begin_anew(p->place);
	p->place->is_resending = false;
	for (size_t i = 0; i < p->n; i++) {
		if (p->todo[i].memo != NULL)
			place_later(p->place, p->todo[i].seq, p->todo[i].due);
	}
}

void
mem_look_at_resends(struct store *s)
{
	struct journal_period held;
	uint32_t sink;
	int64_t from;

	for (size_t i = 0; i < s->nplaces; i++) {
		struct place *p = s->places[i].place;

		if (p == NULL || !p->is_resending ||
		    periods_next_held(registry_periods(s->reg), p->sink, 0, 0, &held))
			continue;
		place_begin_anew(p); /* it was cancelled */
		p->is_resending = false;
	}
	for (uint32_t after = 0;
	     periods_holding(registry_periods(s->reg), after, &sink, &from); after = sink) {
		struct mem_place *p = mem_place(s, sink);

		if (p == NULL)
			continue;
		p->place->is_resending = true;
		if (p->place->out.n == 0 && p->place->marked == 0)
			resend(s, p, from);
	}
}
