/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

/* Each cap is small against max_bytes, so that what waits for sinks always finds room to drain. */
#define DEAD_MOST         UINT64_C(100000)
#define QUARANTINE_MOST   UINT64_C(10000)
#define LETTERS_SHARE     16  /* of max_bytes, each of dead letters and quarantine */
#define MEMORY_SHARE      4
#define MEMORY_ROW        160 /* bytes a remembered alert takes, about */
#define STEP_ROWS         500
#define MEMORY_STEP       256
#define CAP_STEP          16
#define ROUND_MS          600000 /* between two looks through the memory */
/* A stream whose window nobody says any more (its tenant is gone) is forgotten this much later. */
#define ORPHAN_TICKS      (INT64_C(30) * 86400 * TICKS_SEC)

/* ---- delivered entries --------------------------------------------------- */

static bool
is_over_half(const struct store *s)
{
	return used_pages(s) > s->max_pages / 2;
}

static bool
is_due(const struct store *s, int64_t now)
{
	return is_over_half(s) || now >= s->next_trim_at;
}

/* The first entry of the range: 1 there is one, 0 none, -1 failed. */
static int
first_entry(struct store *s, uint64_t first, uint64_t last, uint64_t *seq, int64_t *journalled,
    struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_ENTRY_FIRST);
	int rc;

	sqlite3_bind_int64(st, 1, (int64_t)first);
	sqlite3_bind_int64(st, 2, (int64_t)last);
	rc = db_row(s, st, err);
	if (rc == 1) {
		*seq = (uint64_t)sqlite3_column_int64(st, 0);
		*journalled = sqlite3_column_int64(st, 1);
		sqlite3_reset(st);
	}
	return rc;
}

static void
note_gone(struct store *s, uint64_t first, uint64_t end)
{
	if (first < end)
		change_add(s, (struct change) { CHANGE_GONE, .seq = first, .n = end - 1 });
}

static void
trimmed(struct store *s, int64_t to)
{
	if (to > s->trimmed_to)
		s->trimmed_to = to;
}

/* Drops what is due of a run of delivered entries. *stop: the rest is not due yet. */
static bool
drop_run(struct store *s, uint64_t first, uint64_t last, uint64_t *dropped, bool *stop,
    struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_ENTRY_DROP);
	int64_t cutoff = is_over_half(s) ? INT64_MAX : s->now - s->keep_delivered + 1, journalled;
	uint64_t left;
	int rc = first_entry(s, first, last, &left, &journalled, err);

	*dropped = 0;
	if (rc == 1 && journalled < cutoff) {
		sqlite3_bind_int64(st, 1, (int64_t)first);
		sqlite3_bind_int64(st, 2, (int64_t)last);
		sqlite3_bind_int64(st, 3, cutoff);
		if (!db_run(s, st, err))
			return false;
		*dropped = (uint64_t)sqlite3_changes64(s->db);
		if (*dropped > 0)
			trimmed(s, cutoff < s->now ? cutoff : s->now);
		if (!pack_drop(s, first, last, err))
			return false;
		s->counts.entries -= *dropped < s->counts.entries ? *dropped : s->counts.entries;
		if (*dropped == last - first + 1)
			rc = 0;
		else
			rc = first_entry(s, first, last, &left, &journalled, err);
	}
	if (rc < 0)
		return false;
	note_gone(s, first, rc == 0 ? last + 1 : left);
	*stop = rc == 1;
	if (*stop)
		s->next_trim_at = journalled + s->keep_delivered;
	return true;
}

bool
trim_delivered(struct store *s, uint64_t max, struct err *err)
{
	uint64_t from = 0, n = 0, first, last, dropped;
	bool stop = !is_due(s, s->now);

	for (int runs = 0; !stop && n < max && runs < 64; runs++) {
		if (!ledger_next_done(&s->ledger, from, max - n, &first, &last))
			return true;
		BUG_IF(last >= s->seq_before); /* what comes with this transaction is not done */
		if (!drop_run(s, first, last, &dropped, &stop, err))
			return false;
		n += dropped;
		from = last + 1;
	}
	return true;
}

/* In a transaction of its own. True when something went. */
static bool
in_transaction(struct store *s, bool (*part)(struct store *s, struct err *err))
{
	struct err err = { 0 };

	if (transaction_begin(s, &err) && part(s, &err) && transaction_commit(s, &err))
		return true;
	transaction_rollback(s);
	trouble(s, &err);
	return false;
}

static bool
delivered_part(struct store *s, struct err *err)
{
	return trim_delivered(s, STEP_ROWS, err);
}

static bool
delivered_step(struct store *s)
{
	uint64_t first, last;

	if (!is_due(s, clock_wall(s->clock))
	    || !ledger_next_done(&s->ledger, 0, 1, &first, &last))
		return false;
	return in_transaction(s, delivered_part);
}

/* ---- sinks --------------------------------------------------------------- */

static void
expire(struct store *s, uint32_t sink)
{
	const struct place *p = place_of(s, sink);

	registry_forget_number(s->reg, sink);
	outbox_note(s->out, JOURNAL_NOTE_GAP, s->state,
	    "sink %s is no longer configured, for longer than its place is kept: "
	    "%" PRIu64 " entries for it are let go", registry_sink_name(s->reg, sink),
	    p != NULL ? p->entries : 0);
}

void
trim_look_at_sinks(struct store *s)
{
	int64_t now = clock_wall(s->clock), since;
	bool is_forgotten;
	uint32_t sink;

	for (size_t i = 0; registry_each_sink(s->reg, &i, &sink, &is_forgotten, &since);) {
		if (!is_forgotten && since != TICKS_NONE && now - since > s->forget_sink) {
			expire(s, sink);
			is_forgotten = true;
		}
		if (is_forgotten)
			load_place(s, sink)->is_forgotten = true;
	}
}

/* The first of those that still have something on disk. */
static const struct place *
forgotten_place(const struct store *s)
{
	for (size_t i = 0; i < s->nplaces; i++)
		if (s->places[i] != NULL && s->places[i]->is_forgotten && !s->places[i]->is_dropped)
			return s->places[i];
	return NULL;
}

static bool
sink_part(struct store *s, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_TODO_SOME);
	const struct place *p = forgotten_place(s);
	uint64_t last = 0;
	int rc;

	if (p == NULL)
		return true;
	sqlite3_bind_int64(st, 1, p->sink);
	sqlite3_bind_int64(st, 2, STEP_ROWS);
	while ((rc = db_row(s, st, err)) == 1) {
		last = (uint64_t)sqlite3_column_int64(st, 0);
		change_add(s, (struct change) { CHANGE_SETTLED, .sink = p->sink, .seq = last,
		    .n = (uint64_t)sqlite3_column_int64(st, 1) });
	}
	if (rc < 0 || !letters_give_up(s, p->sink, err))
		return false;
	st = db_use(s, last == 0 ? ST_SINK_DROP : ST_TODO_DROP);
	sqlite3_bind_int64(st, 1, p->sink);
	if (last != 0) {
		sqlite3_bind_int64(st, 2, 0);
		sqlite3_bind_int64(st, 3, (int64_t)last);
	} else {
		change_add(s, (struct change) { CHANGE_DROPPED, .sink = p->sink });
	}
	return db_run(s, st, err);
}

static bool
sink_step(struct store *s)
{
	const struct place *p = forgotten_place(s);

	if (p == NULL)
		return false;
	/* Before the transaction that lets go of its number. */
	periods_forget_sink(registry_periods(s->reg), p->sink);
	return in_transaction(s, sink_part);
}

/* ---- memory -------------------------------------------------------------- */

/* May it go? Never while its version lies in the window that is read again and again. */
static bool
may_forget(struct store *s, sqlite3_stmt *st, int64_t cutoff)
{
	uint32_t stream = (uint32_t)sqlite3_column_int64(st, 1);
	int64_t journalled = sqlite3_column_int64(st, 2);
	int64_t window = registry_window(s->reg, stream);
	struct str blob = column_bytes(st, 3);
	struct seen seen;

	if (journalled >= cutoff || blob.n != sizeof(seen))
		return false;
	memcpy(&seen, blob.s, sizeof(seen));
	if (window == TICKS_NONE)
		return journalled < s->now - s->remember - ORPHAN_TICKS;
	return seen.version < window;
}

struct forget {
	int64_t keys[MEMORY_STEP];
	size_t n;
	int64_t last; /* the last key looked at; NO_ROWID: there was none */
};

static bool
look_at_memory(struct store *s, int64_t from, int64_t cutoff, struct forget *f, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_MEMORY_OLD);
	int rc;

	f->n = 0;
	f->last = NO_ROWID;
	sqlite3_bind_int64(st, 1, from);
	sqlite3_bind_int64(st, 2, MEMORY_STEP);
	while ((rc = db_row(s, st, err)) == 1) {
		f->last = sqlite3_column_int64(st, 0);
		if (may_forget(s, st, cutoff))
			f->keys[f->n++] = f->last;
	}
	return rc == 0;
}

static bool
forget_keys(struct store *s, const struct forget *f, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_MEMORY_DROP);

	for (size_t i = 0; i < f->n; i++) {
		sqlite3_bind_int64(st, 1, f->keys[i]);
		if (!db_run(s, st, err))
			return false;
	}
	s->counts.memory -= f->n < s->counts.memory ? f->n : s->counts.memory;
	return true;
}

/* Keys begin with the hour of creation, and nothing is journalled before it was created. */
static bool
memory_step(struct store *s, int64_t mono)
{
	struct forget *f;
	struct err err = { 0 };
	int64_t cutoff;
	bool ok = true;

	/* Just opened: who reads has not said its window yet. */
	if (s->forget_at == 0)
		s->forget_at = mono + ROUND_MS;
	if (mono < s->forget_at)
		return false;
	f = xmalloc(sizeof(*f));
	s->now = clock_wall(s->clock);
	cutoff = s->now - s->remember;
	ok = look_at_memory(s, s->forget_from, cutoff, f, &err);
	if (ok && f->n > 0)
		ok = transaction_begin(s, &err) && forget_keys(s, f, &err)
		    && transaction_commit(s, &err);
	if (!ok) {
		transaction_rollback(s);
		trouble(s, &err);
	}
	s->forget_from = f->last;
	if (!ok || f->last == NO_ROWID
	    || memory_hour(f->last) > ticks_to_sec(cutoff) / 3600) {
		s->forget_from = NO_ROWID;
		s->forget_at = mono + ROUND_MS;
	}
	free(f);
	return ok;
}

bool
trim_step(struct store *s, int64_t mono)
{
	return sink_step(s) || park_step(s) || growth_step(s) || delivered_step(s) || memory_step(s, mono);
}

/* ---- caps ---------------------------------------------------------------- */

/* retried: as which entry; 0: it is not. */
static bool
drop_letter(struct store *s, enum statement find, enum statement drop, uint64_t *bytes,
    uint32_t *sink, uint64_t *retried, struct err *err)
{
	sqlite3_stmt *st = db_use(s, find);
	int64_t n;
	int rc = db_row(s, st, err);

	if (rc != 1)
		return rc == 0;
	n = sqlite3_column_int64(st, 0);
	*bytes = (uint64_t)sqlite3_column_int64(st, 1);
	*sink = sqlite3_column_count(st) > 2 ? (uint32_t)sqlite3_column_int64(st, 2) : 0;
	*retried = *sink != 0 ? (uint64_t)sqlite3_column_int64(st, 3) : 0;
	sqlite3_reset(st);
	st = db_use(s, drop);
	sqlite3_bind_int64(st, 1, n);
	return db_run(s, st, err);
}

static bool
cap_letters(struct store *s, uint64_t *count, uint64_t *total, uint64_t most, enum statement find,
    enum statement drop, enum journal_note note, const char *what, struct err *err)
{
	uint64_t gone = 0, bytes = 0, retried = 0;
	uint32_t sink = 0;

	while (gone < CAP_STEP && *count > 0
	    && (*count > most || *total > s->room.max_bytes / LETTERS_SHARE)) {
		if (!drop_letter(s, find, drop, &bytes, &sink, &retried, err))
			return false;
		*count -= 1;
		*total -= bytes < *total ? bytes : *total;
		gone++;
		if (sink != 0)
			change_add(s, (struct change) { CHANGE_DEAD, .sink = sink, .n = UINT64_MAX });
		if (retried != 0)
			change_add(s, (struct change) { CHANGE_NO_RETRY, .sink = sink, .n = 1 });
	}
	if (gone > 0)
		outbox_note(s->out, note, s->state,
		    "the cap of %s is reached: the oldest %" PRIu64 " are let go", what, gone);
	return true;
}

static bool
cap_memory(struct store *s, struct err *err)
{
	uint64_t most = s->room.max_bytes / MEMORY_SHARE / MEMORY_ROW;
	struct forget *f;
	bool ok;

	if (s->counts.memory <= most)
		return true;
	f = xmalloc(sizeof(*f));
	ok = look_at_memory(s, s->cap_from, INT64_MAX, f, err) && forget_keys(s, f, err);
	s->cap_from = f->last;
	free(f);
	if (ok && !s->has_told_memory_cap)
		outbox_note(s->out, JOURNAL_NOTE_GAP, s->state,
		    "the cap of remembered alerts, %" PRIu64 ", is reached: the oldest are "
		    "forgotten early and may be told as new once more", most);
	s->has_told_memory_cap = true;
	return ok;
}

bool
trim_caps(struct store *s, struct err *err)
{
	struct counts *c = &s->counts;

	return cap_letters(s, &c->dead, &c->dead_bytes, DEAD_MOST, ST_DEAD_OLDEST, ST_DEAD_DROP,
	           JOURNAL_NOTE_DEAD_CAP, "dead letters", err)
	    && cap_letters(s, &c->quarantine, &c->quarantine_bytes, QUARANTINE_MOST,
	           ST_QUARANTINE_OLDEST, ST_QUARANTINE_DROP, JOURNAL_NOTE_QUARANTINE_CAP,
	           "the quarantine", err)
	    && cap_memory(s, err);
}
