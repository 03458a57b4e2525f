/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

#define STEP_ROWS 500
/* Our clock and Microsoft's need not agree: so much of what is kept is read again, too. */
#define MARGIN    (INT64_C(60) * TICKS_SEC)

/* ---- whose turn it is ---------------------------------------------------- */

/* What it has must be settled, and stored as such: else an older version could follow a newer. */
static bool
is_ready(const struct place *p)
{
	return p->out.n == 0 && p->marked == 0;
}

/* It waits no more: it was cancelled. */
static void
let_others_go(struct store *s, uint32_t from, uint32_t to)
{
	for (uint32_t sink = from; sink < to && sink <= s->nplaces; sink++) {
		struct place *p = place_of(s, sink);

		if (p == NULL || !p->is_resending)
			continue;
		place_begin_anew(p);
		p->is_resending = false;
	}
}

/* The first that can begin, or goes on. False: none. */
static bool
find_sink(struct store *s, uint32_t *sink, int64_t *from)
{
	uint32_t after = 0, next;
	int64_t begin;
	bool found = false;

	while (!found && periods_holding(registry_periods(s->reg), after, &next, &begin)) {
		struct place *p = load_place(s, next);

		let_others_go(s, after + 1, next);
		p->is_resending = true;
		found = is_ready(p);
		*sink = next;
		*from = begin;
		after = next;
	}
	if (!found)
		let_others_go(s, after + 1, UINT32_MAX);
	return found;
}

/* ---- a step ------------------------------------------------------------------ */

struct kept {
	uint64_t seq, size;
	uint32_t stream;
};

/* Of the next entries those that the sink was given. *looked: how many there were. */
static bool
read_kept(struct store *s, uint32_t sink, int64_t from, struct kept *v, size_t *n, size_t *looked,
    struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_ENTRY_SOME);
	int rc;

	*n = *looked = 0;
	sqlite3_bind_int64(st, 1, (int64_t)s->resend_at);
	sqlite3_bind_int64(st, 2, STEP_ROWS);
	while ((rc = db_row(s, st, err)) == 1) {
		uint64_t seq = (uint64_t)sqlite3_column_int64(st, 0);

		*looked += 1;
		s->resend_at = seq;
		if (sqlite3_column_int64(st, 2) < from ||
		    !entry_was_for(column_bytes(st, 4), seq, sink))
			continue;
		v[(*n)++] = (struct kept){ .seq = seq,
			.size = (uint64_t)sqlite3_column_int64(st, 3),
			.stream = (uint32_t)sqlite3_column_int64(st, 1) };
	}
	return rc >= 0;
}

/* One that waits for it already stays as it is. */
static bool
put_before(struct store *s, uint32_t sink, const struct kept *e, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_TODO_PUT);

	sqlite3_bind_int64(st, 1, sink);
	sqlite3_bind_int64(st, 2, (int64_t)e->seq);
	sqlite3_bind_int64(st, 3, (int64_t)e->size);
	if (!db_run(s, st, err))
		return false;
	if (sqlite3_changes(s->db) == 0)
		return true;
	change_add(s, (struct change){ CHANGE_AGAIN, .sink = sink, .seq = e->seq, .n = e->size });
	period_resent(s, sink, e->stream, 1);
	return true;
}

static bool
finish(struct store *s, uint32_t sink, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_TODO_MEMO);
	int rc;

	period_end_hold(s, sink, s->trimmed_to + MARGIN);
	change_add(s, (struct change){ CHANGE_ANEW, .sink = sink });
	sqlite3_bind_int64(st, 1, sink);
	while ((rc = db_row(s, st, err)) == 1)
		change_add(s, (struct change){ CHANGE_LATER, .sink = sink,
		    .seq = (uint64_t)sqlite3_column_int64(st, 0),
		    .due = column_ticks(st, 1) });
	return rc == 0;
}

static bool
step(struct store *s, uint32_t sink, int64_t from, struct err *err)
{
	struct kept *v = xreallocarray(NULL, STEP_ROWS, sizeof(*v));
	size_t n = 0, looked = 0;
	bool ok = read_kept(s, sink, from, v, &n, &looked, err);

	for (size_t i = 0; i < n && ok; i++)
		ok = put_before(s, sink, &v[i], err);
	if (ok && looked < STEP_ROWS)
		ok = finish(s, sink, err);
	free(v);
	return ok;
}

bool
resend_step(struct store *s)
{
	struct err err = { 0 };
	uint64_t was;
	uint32_t sink;
	int64_t from;

	if (!find_sink(s, &sink, &from))
		return false;
	if (s->resend_sink != sink)
		s->resend_at = 0;
	s->resend_sink = sink;
	was = s->resend_at;
	if (transaction_begin(s, &err) && step(s, sink, from, &err) && transaction_commit(s, &err)) {
		if (!place_of(s, sink)->is_resending)
			s->resend_sink = 0;
		return true;
	}
	transaction_rollback(s);
	trouble(s, &err);
	s->resend_at = was;
	return false;
}
