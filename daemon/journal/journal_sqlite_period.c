/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

#define STEP_ROWS 500

/* ---- the transaction's view ---------------------------------------------- */

/* A period that this transaction changes: what the list shall say once it is committed. */
static struct periods_unsaved *
add(struct store *s, const struct periods_unsaved *what)
{
	s->periods = xreallocarray(s->periods, s->nperiods + 1, sizeof(*s->periods));
	s->periods[s->nperiods] = *what;
	return &s->periods[s->nperiods++];
}

static struct periods_unsaved *
of_number(struct store *s, uint64_t number)
{
	struct periods_unsaved found = { .is_gone = false };

	for (size_t i = 0; i < s->nperiods; i++)
		if (s->periods[i].period.number == number)
			return s->periods[i].is_gone ? NULL : &s->periods[i];
	return periods_find(registry_periods(s->reg), number, &found.period) ? add(s, &found) : NULL;
}

static bool
grows_for(const struct periods_unsaved *u, uint32_t sink, uint32_t stream)
{
	return !u->is_gone && (u->period.flags & JOURNAL_PERIOD_GROWS) != 0
	    && u->period.sink == sink && u->period.stream == stream;
}

void
period_grow(struct store *s, uint32_t sink, uint32_t stream, int64_t version)
{
	struct periods_unsaved *u = NULL, found = { .is_gone = false };

	for (size_t i = 0; i < s->nperiods && u == NULL; i++)
		if (grows_for(&s->periods[i], sink, stream))
			u = &s->periods[i];
	if (u == NULL) {
		periods_growing(registry_periods(s->reg), sink, stream, &found.period);
		u = add(s, &found);
	}
	if (u->period.from > u->period.to)
		u->period.made = s->now;
	if (version == TICKS_NONE)
		version = s->now;
	if (version < u->period.from)
		u->period.from = version;
	if (version >= u->period.to)
		u->period.to = version + 1;
}

void
period_end_growth(struct store *s, uint32_t sink)
{
	struct journal_period p;

	for (uint64_t after = 0;
	     periods_next_growing(registry_periods(s->reg), sink, after, &p); after = p.number) {
		struct periods_unsaved *u = of_number(s, p.number);

		if (u == NULL)
			continue;
		u->period.flags &= ~(unsigned)JOURNAL_PERIOD_GROWS;
		s->has_refill = true;
	}
}

/* Of damaged entries, whose sinks are not parked: what is found together is read together. */
static const struct place *
place_that_grew(const struct store *s)
{
	struct journal_period p;

	for (size_t i = 0; i < s->nplaces; i++) {
		if (s->places[i] != NULL && !s->places[i]->is_parked && !s->places[i]->is_forgotten &&
		    periods_next_growing(registry_periods(s->reg), s->places[i]->sink, 0, &p))
			return s->places[i];
	}
	return NULL;
}

bool
growth_step(struct store *s)
{
	const struct place *p = place_that_grew(s);
	struct err err = { 0 };

	if (p == NULL)
		return false;
	if (transaction_begin(s, &err)) {
		period_end_growth(s, p->sink);
		if (transaction_commit(s, &err))
			return true;
	}
	transaction_rollback(s);
	trouble(s, &err);
	return false;
}

void
period_resent(struct store *s, uint32_t sink, uint32_t stream, uint64_t n)
{
	struct journal_period p;
	struct periods_unsaved *u = NULL;

	if (periods_next_held(registry_periods(s->reg), sink, stream, 0, &p))
		u = of_number(s, p.number);
	if (u != NULL)
		u->period.told += n;
}

void
period_end_hold(struct store *s, uint32_t sink, int64_t kept)
{
	struct journal_period p;

	for (uint64_t after = 0;
	     periods_next_held(registry_periods(s->reg), sink, 0, after, &p); after = p.number) {
		struct periods_unsaved *u = of_number(s, p.number);

		if (u == NULL)
			continue;
		u->period.flags &= ~(unsigned)JOURNAL_PERIOD_HELD;
		if (kept <= u->period.from)
			u->period.flags |= JOURNAL_PERIOD_DONE;
		else if (kept < u->period.to)
			u->period.to = kept;
		s->has_refill = true;
	}
}

void
period_page(struct store *s, const struct page_job *job)
{
	const struct journal_page *page = job->page;
	struct periods_unsaved *u = page->period == 0 ? NULL : of_number(s, page->period);

	if (u == NULL)
		return;
	if (page->period_at != TICKS_NONE)
		u->period.at = page->period_at;
	u->period.seen += page->period_seen;
	u->period.told += job->result.forwarded;
	if (page->is_period_done)
		u->period.flags |= JOURNAL_PERIOD_DONE;
	if (page->is_part_done) {
		u->period.flags += JOURNAL_PERIOD_PART;
		u->period.at = TICKS_NONE;
	}
}

/* ---- its beginning and end ----------------------------------------------- */

void
periods_take(struct store *s)
{
	struct periods_unsaved u;

	for (uint64_t after = 0; periods_unsaved(registry_periods(s->reg), after, &u);
	     after = u.period.number)
		add(s, &u);
}

bool
periods_reread(struct store *s, struct err *err)
{
	const unsigned ended = JOURNAL_PERIOD_DONE | JOURNAL_PERIOD_CANCELLED;

	for (size_t i = 0; i < s->nperiods; i++) {
		if ((s->periods[i].period.flags & ended) == 0)
			s->periods[i].period.at = TICKS_NONE;
	}
	return db_exec(s, "UPDATE period SET at = NULL WHERE flags & 24 = 0", err);
}

static bool
write_one(struct store *s, const struct periods_unsaved *u, struct err *err)
{
	sqlite3_stmt *st = db_use(s, u->is_gone ? ST_PERIOD_DROP : ST_PERIOD_PUT);
	const struct journal_period *p = &u->period;

	sqlite3_bind_int64(st, 1, (int64_t)p->number);
	if (u->is_gone)
		return db_run(s, st, err);
	sqlite3_bind_int64(st, 2, p->stream);
	sqlite3_bind_int64(st, 3, p->sink);
	sqlite3_bind_int64(st, 4, p->from);
	sqlite3_bind_int64(st, 5, p->to);
	bind_ticks(st, 6, p->at);
	sqlite3_bind_int64(st, 7, p->made);
	sqlite3_bind_int64(st, 8, p->flags);
	sqlite3_bind_int64(st, 9, (int64_t)p->seen);
	sqlite3_bind_int64(st, 10, (int64_t)p->told);
	return db_run(s, st, err);
}

bool
periods_write(struct store *s, struct err *err)
{
	for (size_t i = 0; i < s->nperiods; i++)
		if (!write_one(s, &s->periods[i], err))
			return false;
	return true;
}

void
periods_done(struct store *s)
{
	struct periods *list = registry_periods(s->reg);

	for (size_t i = 0; i < s->nperiods; i++) {
		const struct periods_unsaved *u = &s->periods[i];

		if (!u->is_gone)
			periods_put(list, &u->period);
		if (u->edit != 0)
			periods_saved(list, u->period.number, u->edit);
	}
	s->nperiods = 0;
	if (s->has_refill)
		outbox_note(s->out, JOURNAL_NOTE_REFILL, s->state,
		    "what a sink was not given, or has lost, is read again");
	s->has_refill = false;
}

/* ---- letting go of what a parked sink has --------------------------------- */

/* Where its oldest entries end. */
static bool
find_end(struct store *s, struct place *p, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_PARK_END);
	int rc;

	sqlite3_bind_int64(st, 1, p->sink);
	sqlite3_bind_int64(st, 2, JOURNAL_PARK_KEEP - 1);
	rc = db_row(s, st, err);
	p->park_from = rc == 1 ? (uint64_t)sqlite3_column_int64(st, 0) : UINT64_MAX;
	sqlite3_reset(st);
	return rc >= 0;
}

struct parked {
	uint64_t seq, size;
	uint32_t stream;
	int64_t version;
	unsigned type;
};

static bool
read_parked(struct store *s, const struct place *p, struct parked *v, size_t *n, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_PARK_SOME);
	int rc;

	*n = 0;
	sqlite3_bind_int64(st, 1, p->sink);
	sqlite3_bind_int64(st, 2, (int64_t)p->park_from);
	sqlite3_bind_int64(st, 3, STEP_ROWS);
	while ((rc = db_row(s, st, err)) == 1)
		v[(*n)++] = (struct parked) {
			.seq = (uint64_t)sqlite3_column_int64(st, 0),
			.size = (uint64_t)sqlite3_column_int64(st, 1),
			.stream = (uint32_t)sqlite3_column_int64(st, 2),
			.version = sqlite3_column_int64(st, 3),
			.type = (unsigned)sqlite3_column_int64(st, 4),
		};
	return rc >= 0;
}

static bool
let_one_go(struct store *s, const struct place *p, const struct parked *e, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_TODO_DROP);

	sqlite3_bind_int64(st, 1, p->sink);
	sqlite3_bind_int64(st, 2, (int64_t)e->seq);
	sqlite3_bind_int64(st, 3, (int64_t)e->seq);
	if (!db_run(s, st, err) || !given_take_back_entry(s, e->seq, p->sink, GIVEN_MISSED, err))
		return false;
	change_add(s, (struct change) { CHANGE_SETTLED, .sink = p->sink, .seq = e->seq,
	    .n = e->size });
	period_grow(s, p->sink, e->stream, e->version);
	return true;
}

static bool
park_part(struct store *s, struct place *p, struct err *err)
{
	struct parked *v = xreallocarray(NULL, STEP_ROWS, sizeof(*v));
	size_t n = 0;
	bool ok = read_parked(s, p, v, &n, err);

	for (size_t i = 0; i < n && ok; i++)
		if (!place_is_own(s->own_types, v[i].type) && !place_is_out(p, v[i].seq) &&
		    !letter_is(s, p->sink, v[i].seq))
			ok = let_one_go(s, p, &v[i], err);
	if (ok)
		p->park_from = n == 0 ? UINT64_MAX : v[n - 1].seq;
	free(v);
	return ok;
}

bool
park_step(struct store *s)
{
	struct err err = { 0 };
	struct place *p = NULL;

	for (size_t i = 0; i < s->nplaces && p == NULL; i++)
		if (s->places[i] != NULL && s->places[i]->is_parked && !s->places[i]->is_forgotten
		    && s->places[i]->park_from != UINT64_MAX)
			p = s->places[i];
	if (p == NULL)
		return false;
	if (transaction_begin(s, &err) && (p->park_from != 0 || find_end(s, p, &err))
	    && (p->park_from == UINT64_MAX || park_part(s, p, &err)) && transaction_commit(s, &err))
		return true;
	transaction_rollback(s);
	trouble(s, &err);
	p->park_from = 0;
	return false;
}
