/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/replay.h"

#include <inttypes.h>
#include <stdlib.h>

#include "daemon/intake/poller.h"
#include "lib/base/alloc.h"
#include "lib/policy/judge.h"

#define NEVER     INT64_MAX
#define BUSY_MS   1000                /* until a sink with much to do is looked at again */
#define HELD_MS   (5 * INT64_C(60000)) /* until what was all somebody else's is asked for again */

static struct reader *
reader(struct poller *p)
{
	return &p->readers[READER_REPLAY];
}

bool
replay_is_at_it(const struct poller *p)
{
	return p->r == &p->readers[READER_REPLAY];
}

/* ---- the period at hand -------------------------------------------------------- */

void
replay_forget(struct poller *p)
{
	routing_unref(p->replay.routing);
	window_release(&p->replay.window);
	window_init(&p->replay.window, &p->in->windows);
	p->replay.routing = NULL;
	p->replay.period = (struct journal_period){ .number = 0 };
	reader_end(reader(p));
	reader(p)->due = NEVER;
}

static bool
has_ended(const struct journal_period *period)
{
	return (period->flags & (JOURNAL_PERIOD_DONE | JOURNAL_PERIOD_CANCELLED)) != 0;
}

/* Another stream of the tenant that has the same memory in the journal; NULL: none. */
static const struct tenant_stream *
sharer_of(const struct poller *p)
{
	for (size_t i = 0; i < p->t->nstreams; i++) {
		const struct tenant_stream *s = &p->t->streams[i];

		if (s->kind != p->s->kind && s->kind->memory == p->s->kind->memory)
			return s;
	}
	return NULL;
}

/* Those that share a memory read its periods one after the other, the one whose it is first. */
static bool
is_mine(const struct poller *p, const struct journal_period *period)
{
	bool is_first = p->s->kind->memory == p->which;

	return sharer_of(p) == NULL || is_first == (period->flags < JOURNAL_PERIOD_PART);
}

/* What the journal knows of it now. False: it ended, for this stream at least. */
static bool
refresh(struct poller *p)
{
	struct journal_period *period = &p->replay.period;

	return period->number != 0 &&
	       journal_period_find(p->in->journal, period->number, period) &&
	       !has_ended(period) && is_mine(p, period);
}

/* A sink that the tenant is not routed to any more must not be shown its alerts. */
static bool
is_routed(const struct poller *p, uint32_t sink)
{
	for (size_t i = 0; i < p->t->nsinks; i++) {
		if (journal_sink(p->in->journal, p->t->sinks[i]->name) == sink)
			return true;
	}
	return sink == 0;
}

static bool
take(struct poller *p, const struct journal_period *period)
{
	if (!is_routed(p, period->sink)) {
		log_warn(&p->s->log,
		    "is not routed any more to the sink that a period was to be read again for; "
		    "it is given up period=%" PRIu64,
		    period->number);
		(void)journal_period_cancel(p->in->journal, period->number);
		return false;
	}
	p->replay.period = *period;
	p->replay.routing = routing_new(p->in->journal, p->settings, p->t, p->s, p->begin);
	p->replay.routing->only = period->sink;
	p->replay.routing->is_all = (period->flags & JOURNAL_PERIOD_ALL) != 0;
	p->replay.routing->period_from = period->from;
	reader(p)->due = poller_mono(p);
	return true;
}

static bool
is_on_its_way(const struct poller *p)
{
	return replay_is_at_it(p) && p->at != POLLER_WAITING && p->at != POLLER_RESTING;
}

void
replay_look(struct poller *p)
{
	struct journal_period period;
	uint64_t after = 0;

	if (p->replay.period.number != 0) {
		/* What was cancelled ends with the page that is on its way, if there is one. */
		if (!refresh(p) && !is_on_its_way(p)) {
			reader(p)->is_open = false;
			replay_closed(p);
		}
		return;
	}
	while (journal_period_next(p->in->journal, p->stream, after, &period)) {
		if (is_mine(p, &period) && take(p, &period))
			return;
		after = period.number;
	}
}

void
replay_configured(struct poller *p)
{
	struct journal_period period = p->replay.period;
	bool is_asking;

	if (period.number == 0) {
		replay_look(p);
		return;
	}
	routing_unref(p->replay.routing);
	p->replay.routing = NULL;
	if (take(p, &period))
		return;
	/* A page that is on its way was for that sink, and goes to nobody. */
	is_asking = is_on_its_way(p);
	if (is_asking)
		poller_halt(p);
	replay_forget(p);
	replay_look(p);
	if (is_asking)
		poller_wait_for_next(p);
}

/* ---- reading ----------------------------------------------------------------------- */

bool
replay_bounds(struct poller *p, struct paging_bounds *out)
{
	const struct journal_period *period = &p->replay.period;

	if (!refresh(p))
		return false;
	out->from = period->at != TICKS_NONE ? period->at : period->from;
	out->until = period->to;
	out->cursor = period->at;
	return true;
}

bool
replay_wants(const struct poller *p, int64_t version)
{
	return version == TICKS_NONE ||
	       (version >= p->replay.period.from && version < p->replay.period.to);
}

/* An answer that is all somebody else's proves nothing. */
void
replay_mark_page(const struct poller *p, const struct paging_step *step, size_t seen,
    struct journal_page *jp)
{
	const struct reader *r = &p->readers[READER_REPLAY];
	int64_t at = step->cursor;

	jp->period = p->replay.period.number;
	jp->period_seen = seen;
	jp->period_at = TICKS_NONE;
	if (r->is_held)
		return;
	jp->is_part_done = step->what == PAGING_DONE && p->s->kind->memory == p->which &&
	                   sharer_of(p) != NULL;
	jp->is_period_done = step->what == PAGING_DONE && !jp->is_part_done;
	if (at != TICKS_NONE)
		jp->period_at = at < p->replay.period.to ? at : p->replay.period.to;
}

/* So much waits for it that what is read again would be too much, or it is given nothing now. */
static bool
is_busy(const struct poller *p, const struct sink_conf *sink, bool is_meant)
{
	struct journal_backlog log;
	uint32_t number = journal_sink(p->in->journal, sink->name);

	if (!journal_backlog_of(p->in->journal, number, &log))
		return false;
	if (log.is_parked)
		return is_meant;
	return sink->backlog.size != 0 && log.bytes > (uint64_t)sink->backlog.size / 2;
}

static bool
must_wait(const struct poller *p)
{
	uint32_t only = p->replay.period.sink;

	for (size_t i = 0; i < p->t->nsinks; i++) {
		bool is_meant = journal_sink(p->in->journal, p->t->sinks[i]->name) == only;

		if ((only == 0 || is_meant) && is_busy(p, p->t->sinks[i], is_meant))
			return true;
	}
	return false;
}

void
replay_went_on(struct poller *p)
{
	struct reader *r = reader(p);

	r->failures = 0;
	if (refresh(p)) {
		r->due = poller_mono(p) + (must_wait(p) ? BUSY_MS : 0);
		return;
	}
	r->is_open = false;
	replay_closed(p);
}

static void
tell_end(const struct poller *p)
{
	const struct journal_period *period = &p->replay.period;
	bool is_gap = (period->flags & JOURNAL_PERIOD_GAP) != 0;

	log_info(&p->s->log, "%s period=%" PRIu64 " read=%" PRIu64 " delivered=%" PRIu64,
	    (period->flags & JOURNAL_PERIOD_CANCELLED) != 0
		? "reading a period again was cancelled"
	    : is_gap ? "what a sink had missed was read again"
		     : "a period was read again",
	    period->number, period->seen, period->told);
}

/* Goes on with the stream that shares the memory, which need not tell what this one has. */
static struct poller *
hand_over(struct poller *p)
{
	const struct tenant_stream *s = sharer_of(p);
	struct poller *other = s != NULL ? p->tn->streams[stream_number(s->kind)] : NULL;

	if (other == NULL || other->replay.period.number != 0)
		return other;
	window_release(&other->replay.window);
	other->replay.window = p->replay.window;
	window_init(&p->replay.window, &p->in->windows);
	return other;
}

void
replay_closed(struct poller *p)
{
	struct poller *other = NULL;

	reader(p)->failures = 0;
	if (refresh(p)) {
		reader(p)->due = poller_mono(p) + HELD_MS;
		return;
	}
	if (has_ended(&p->replay.period))
		tell_end(p);
	else
		other = hand_over(p);
	replay_forget(p);
	replay_look(p);
	if (other != NULL)
		poller_look_for_periods(other);
}

/* ---- life ------------------------------------------------------------------------------ */

void
replay_init(struct poller *p)
{
	*reader(p) = (struct reader){
		.name = "replay", .span_ms = 1, .cursor = TICKS_NONE, .swept = TICKS_NONE, .due = NEVER
	};
	window_init(&p->replay.window, &p->in->windows);
}

void
replay_release(struct poller *p)
{
	replay_forget(p);
	window_release(&p->replay.window);
}

/* ---- judging; on the journal's thread ---------------------------------------------------- */

/* What happened when is not known: an alert of that time was new in it, others changed in it. */
static void
describe(const struct routing *r, const struct record *now, struct judgement *j)
{
	j->kind = now->seen.created != TICKS_NONE && now->seen.created >= r->period_from
	              ? KIND_NEW
	              : KIND_UPDATED;
	if (now->type == RECORD_UNREADABLE)
		j->kind = KIND_UNREADABLE;
	j->changed = 0;
	j->flags = 0;
}

/* For one sink alone: what others are told, and so the memory, is not its affair. */
static enum journal_act
act_for_one(const struct routing *r, const struct seen *was, const struct record *now)
{
	if (was == NULL)
		return JOURNAL_REPEAT;
	/* A newer one was told, or will be. */
	if (was->version > now->seen.version)
		return JOURNAL_SKIP;
	if (was->version < now->seen.version || r->is_all)
		return JOURNAL_REPEAT;
	/* What the sink was told in Graph's words it need not have in others. */
	if ((now->seen.rev & SEEN_MDE) != 0 && (was->rev & SEEN_MDE) == 0)
		return JOURNAL_SKIP;
	return JOURNAL_MISSING;
}

static enum journal_act
act_for_all(const struct routing *r, const struct seen *was, const struct record *now,
    struct judgement *j)
{
	judge(was, now, r->memory_begin, j);
	if (j->act == JUDGE_FORWARD)
		return JOURNAL_FORWARD;
	if (!r->is_all)
		return j->act == JUDGE_REMEMBER ? JOURNAL_REMEMBER : JOURNAL_SKIP;
	if (was != NULL && was->version > now->seen.version)
		return JOURNAL_SKIP;
	describe(r, now, j);
	return j->act == JUDGE_REMEMBER ? JOURNAL_FORWARD : JOURNAL_REPEAT;
}

enum journal_act
replay_judge(const struct seen *was, struct journal_entry *e, const void *ctx)
{
	const struct routing *r = ctx;
	enum journal_act act;
	struct judgement j;

	if (e->user == NULL)
		return was == NULL ? JOURNAL_REMEMBER : JOURNAL_SKIP;
	if (r->only != 0) {
		act = act_for_one(r, was, e->user);
		describe(r, e->user, &j);
	} else {
		act = act_for_all(r, was, e->user, &j);
	}
	if (act == JOURNAL_SKIP || act == JOURNAL_REMEMBER)
		return act;
	e->kind = (uint8_t)j.kind;
	e->changed = (uint16_t)j.changed;
	e->flags |= (uint8_t)j.flags | JOURNAL_REPLAY;
	routing_select(r, e);
	return act;
}
