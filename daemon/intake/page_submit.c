/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/page_inner.h"

#define FULL_PAGE 100

/* An answer that is all somebody else's is no proof that there was nothing of ours: it is read
 * again. A stream's first page says where its cursor is, so that a quiet tenant is not begun
 * anew at each start; of sweeps only the daily one is remembered, and only when it ran. */
static int64_t
new_cursor(const struct page *pg)
{
	const struct poller *p = pg->p;
	const struct reader *r = p->r;

	if (r->span_ms != 0)
		return r == &p->readers[READER_DAY] && pg->step.what == PAGING_DONE ? r->begun
		                                                                    : TICKS_NONE;
	if (r->cursor == TICKS_NONE && (pg->step.cursor == TICKS_NONE || r->is_held))
		return p->begin;
	return r->is_held ? TICKS_NONE : pg->step.cursor;
}

static void
report_gap(const struct log_ctx *log, const struct journal_gap *gap)
{
	struct buf text = BUF_INIT(128);

	buf_puts(&text, "from=");
	ticks_write(&text, gap->from, 7);
	buf_puts(&text, " to=");
	ticks_write(&text, gap->to, 7);
	log_error(log, "%s; alerts updated meanwhile may be missing, and the gap is on record %s",
	    gap->why, text.p);
	buf_release(&text);
}

static void
report(const struct page *pg)
{
	const struct log_ctx *log = &pg->p->s->log;

	if (pg->new_foreign != 0)
		log_error(log,
		    "alerts that name another tenant came in this one's answer; they are in "
		    "quarantine and go to nobody count=%u",
		    pg->new_foreign);
	if (pg->before_begin != 0 && poller_tells(pg->p, TOLD_FILTER))
		log_warn(log,
		    "the API ignores the filter; alerts from before first_lookback are left "
		    "out count=%u",
		    pg->before_begin);
	if (pg->gap.why != NULL)
		report_gap(log, &pg->gap);
}

/* Of this page, of faults before it, or one that spans both. */
static void
take_gap(struct page *pg)
{
	struct journal_gap *before = &pg->p->r->gap;

	pg->gap = *before;
	before->why = NULL;
	if (pg->step.gap_why == NULL)
		return;
	if (pg->gap.why == NULL)
		pg->gap = (struct journal_gap){ pg->step.gap_from, pg->step.gap_to, NULL };
	if (pg->step.gap_from < pg->gap.from)
		pg->gap.from = pg->step.gap_from;
	if (pg->step.gap_to > pg->gap.to)
		pg->gap.to = pg->step.gap_to;
	pg->gap.why = pg->step.gap_why;
}

static void
mark_hour(const struct poller *p, struct journal_page *jp)
{
	const struct clock *c = p->in->env->clock;

	jp->beside_cursor =
	    tenancy_hour(p->tn, p->s->kind->api, clock_mono(c), clock_wall(c));
	jp->beside = jp->beside_cursor != TICKS_NONE ? TENANCY_HOUR : NULL;
}

/* What follows from it for the reader. */
void
page_take_paging(struct page *pg)
{
	struct poller *p = pg->p;

	pg->facts.has_link = pg->split.next_link != NULL;
	if (pg->facts.has_link)
		pg->facts.link = str_hash(pg->split.next_link, strlen(pg->split.next_link));
	pg->paging_before = p->r->paging;
	pg->habits_before = p->r->habits;
	p->r->is_held |= pg->split.n != 0 && pg->foreign == pg->split.n;
	paging_take(&p->r->paging, &pg->facts, &pg->step);
}

static void
fill(struct page *pg)
{
	struct poller *p = pg->p;

	pg->jp = (struct journal_page){ .stream = p->stream,
		.reader = p->r->name,
		.cursor = new_cursor(pg),
		.memory_begin = p->begin,
		.window_from = reader_window(p),
		.judge = replay_is_at_it(p) ? replay_judge : routing_judge,
		.ctx = pg->routing,
		.meant = pg->routing->sinks,
		.nmeant = pg->routing->n,
		.entries = pg->entries,
		.n = pg->n,
		.gap = pg->gap.why != NULL ? &pg->gap : NULL,
		.is_full = pg->n >= FULL_PAGE,
		.plain = buf_peek(&pg->split.body),
		.packed = { pg->packed.p, buf_ok(&pg->packed) ? pg->packed.n : 0 },
		.keeps = pg->keeps };
	if (replay_is_at_it(p))
		replay_mark_page(p, &pg->step, pg->n, &pg->jp);
}

bool
page_prepare(struct page *pg)
{
	page_take_paging(pg);
	take_gap(pg);
	fill(pg);
	mark_hour(pg->p, &pg->jp);
	report(pg);
	return pg->n != 0 || pg->jp.period != 0 || pg->jp.cursor != TICKS_NONE || pg->gap.why != NULL;
}
