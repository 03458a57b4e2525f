/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

#define READ_ERRORS 3    /* in a row: the disk does not give it any more */
#define SAVE_EVERY  4096 /* remembered alerts, between two times the counts are saved */

/* ---- state --------------------------------------------------------------- */

void
publish(struct store *s)
{
	struct journal_stats stats = {
		.state = s->state,
		.file_bytes = s->pages * PAGE_SIZE,
		.max_bytes = s->max_pages * PAGE_SIZE,
		.entries = s->counts.entries,
		.remembered = s->counts.memory,
		.quarantine = s->counts.quarantine,
		.dead = s->counts.dead,
		.gaps = s->counts.gaps,
		.appends = s->appends,
		.commits = s->commits,
		.oldest_open = TICKS_NONE,
	};

	for (size_t i = 0; i < s->nplaces; i++) {
		const struct place *p = s->places[i];

		if (p == NULL)
			continue;
		registry_sink_figures(s->reg, p->sink, p->entries, p->bytes, p->oldest, p->dead);
		if (!p->is_forgotten && p->oldest != TICKS_NONE
		    && (stats.oldest_open == TICKS_NONE || p->oldest < stats.oldest_open))
			stats.oldest_open = p->oldest;
	}
	registry_set_stats(s->reg, &stats);
}

static void
tell_state(struct store *s, const char *why)
{
	switch (s->state) {
	case JOURNAL_OK:
		outbox_note(s->out, JOURNAL_NOTE_STATE, s->state,
		    "the journal takes new alerts again");
		break;
	case JOURNAL_PAUSED:
		outbox_note(s->out, JOURNAL_NOTE_STATE, s->state,
		    "%s (%" PRIu64 " of %" PRIu64 " MiB used): no new alerts are taken until sinks "
		    "have taken more or there is room; none is lost meanwhile",
		    s->is_at_high_water ? "the journal is nearly full" : "the disk is nearly full",
		    used_pages(s) * PAGE_SIZE >> 20, s->max_pages * PAGE_SIZE >> 20);
		break;
	case JOURNAL_FAILED:
		outbox_note(s->out, JOURNAL_NOTE_STATE, s->state,
		    "the journal cannot be written: %s; trying again every %d s",
		    why != NULL ? why : "see above", RETRY_MS / 1000);
		break;
	}
}

void
update_state(struct store *s, const char *why)
{
	enum journal_state was = s->state;

	if (s->remedy != REMEDY_NONE)
		s->state = JOURNAL_FAILED;
	else if (s->is_disk_full || s->is_at_high_water)
		s->state = JOURNAL_PAUSED;
	else
		s->state = JOURNAL_OK;
	if (s->state == was)
		return;
	publish(s);
	tell_state(s, why);
}

static void
need(struct store *s, enum remedy remedy, const struct err *err)
{
	if (remedy > s->remedy)
		s->remedy = remedy;
	update_state(s, err->text);
}

/* No error of SQLite: nothing to be done. Out of memory: that job failed, no more. */
void
trouble(struct store *s, const struct err *err)
{
	int rc = s->rc;

	s->rc = SQLITE_OK;
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_NOMEM:
		return;
	case SQLITE_FULL:
		s->is_disk_full = true;
		s->disk_at = clock_mono(s->clock) + RETRY_MS;
		update_state(s, NULL);
		return;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		need(s, REMEDY_SALVAGE, err);
		return;
	case SQLITE_IOERR:
		if (rc == SQLITE_IOERR_NOMEM)
			return;
		if (rc == SQLITE_IOERR_READ && ++s->read_errors >= READ_ERRORS) {
			need(s, REMEDY_SALVAGE, err);
			return;
		}
		break;
	}
	need(s, REMEDY_REOPEN, err);
}

/* ---- transactions -------------------------------------------------------- */

struct place *
place_of(const struct store *s, uint32_t sink)
{
	return sink >= 1 && sink <= s->nplaces ? s->places[sink - 1] : NULL;
}

void
change_add(struct store *s, struct change c)
{
	if (s->nchanges == s->changes_room) {
		s->changes_room = s->changes_room == 0 ? 256 : 2 * s->changes_room;
		s->changes = xreallocarray(s->changes, s->changes_room, sizeof(*s->changes));
	}
	s->changes[s->nchanges++] = c;
}

static void
settled(struct store *s, struct place *p, const struct change *c)
{
	ledger_settle(&s->ledger, c->seq);
	p->entries -= p->entries > 0;
	p->bytes -= c->n < p->bytes ? c->n : p->bytes;
	if (c->seq == p->oldest_seq)
		p->oldest_seq = 0;
}

static void
apply(struct store *s, const struct change *c)
{
	struct place *p = place_of(s, c->sink);

	switch (c->what) {
	case CHANGE_ADDED:
		ledger_add(&s->ledger, c->seq, (unsigned)c->n);
		break;
	case CHANGE_TODO:
		if (p->entries++ == 0) {
			p->oldest_seq = c->seq;
			p->oldest = s->now;
		}
		p->bytes += c->n;
		p->newest = c->seq;
		break;
	case CHANGE_AGAIN:
		ledger_wait(&s->ledger, c->seq);
		p->entries++;
		p->bytes += c->n;
		p->oldest_seq = 0;
		p->newest = c->seq > p->newest ? c->seq : p->newest;
		break;
	case CHANGE_ANEW:
		place_begin_anew(p);
		p->is_resending = false;
		p->resent_at = s->now;
		break;
	case CHANGE_SETTLED:
		settled(s, p, c);
		break;
	case CHANGE_LATER:
		place_later(p, c->seq, c->due);
		break;
	case CHANGE_DEAD:
		if (p != NULL)
			p->dead += c->n;
		break;
	case CHANGE_RETRY:
		place_retry(p, c->seq, s->now);
		break;
	case CHANGE_NO_RETRY:
		if (p != NULL)
			p->retrying -= c->n < p->retrying ? c->n : p->retrying;
		break;
	case CHANGE_GONE:
		ledger_gone(&s->ledger, c->seq, c->n);
		break;
	case CHANGE_DROPPED:
		p->is_dropped = true;
		break;
	}
}

static void
set_place(struct store *s, const struct registry_name *name)
{
	bool is_new = place_of(s, name->number) == NULL;
	struct place *p = load_place(s, name->number);

	if (is_new)
		p->since = s->now;
	p->is_forgotten = name->is_forgotten;
	if (p->is_parked != name->is_parked)
		p->park_from = 0;
	p->is_parked = name->is_parked;
}

static void
keep_name(struct store *s, const struct registry_name *name)
{
	s->names = xreallocarray(s->names, s->nnames + 1, sizeof(*name));
	s->names[s->nnames++] = *name;
}

static bool
save_sinks(struct store *s, struct err *err)
{
	struct registry_name name;
	bool ok = true;

	for (uint32_t after = 0; ok && registry_unsaved_sink(s->reg, after, &name);
	     after = name.number) {
		sqlite3_stmt *st = db_use(s, ST_SINK_PUT);

		keep_name(s, &name);
		s->nsinks = s->nnames;
		set_place(s, &name);
		sqlite3_bind_int64(st, 1, name.number);
		bind_text(st, 2, name.name);
		bind_ticks(st, 3, name.undeclared_since);
		sqlite3_bind_int(st, 4, name.is_forgotten);
		sqlite3_bind_int(st, 5, name.is_parked);
		sqlite3_bind_int64(st, 6, place_of(s, name.number)->since);
		ok = db_run(s, st, err);
	}
	return ok;
}

static bool
save_streams(struct store *s, struct err *err)
{
	struct registry_name name;
	bool ok = true;

	for (uint32_t after = 0; ok && registry_unsaved_stream(s->reg, after, &name);
	     after = name.number) {
		sqlite3_stmt *st = db_use(s, ST_STREAM_PUT);

		keep_name(s, &name);
		sqlite3_bind_int64(st, 1, name.number);
		bind_text(st, 2, name.name);
		bind_text(st, 3, name.about);
		bind_ticks(st, 4, name.begin);
		ok = db_run(s, st, err);
	}
	return ok;
}

/* A sink that is given everything again; its periods were taken. */
static void
end_growths(struct store *s)
{
	for (size_t i = 0; i < s->nsinks; i++) {
		if (!s->names[i].is_parked)
			period_end_growth(s, s->names[i].number);
	}
}

/*
 * In this order: the loop may add more at any moment, but what a sink was added with was there
 * before it, and so was the stream of a period. So what is saved is saved with all it needs.
 */
static bool
save_names(struct store *s, struct err *err)
{
	if (!save_sinks(s, err))
		return false;
	periods_take(s);
	end_growths(s);
	return save_streams(s, err);
}

/* saved: they are on disk now. */
void
transaction_names_done(struct store *s, bool saved)
{
	for (size_t i = 0; i < s->nnames; i++) {
		struct registry_name *name = &s->names[i];

		if (saved && i < s->nsinks)
			registry_saved_sink(s->reg, name->number, name->edit);
		else if (saved)
			registry_saved_stream(s->reg, name->number, name->edit);
		free(name->name);
		free(name->about);
	}
	free(s->names);
	s->names = NULL;
	s->nnames = s->nsinks = 0;
}

bool
transaction_begin(struct store *s, struct err *err)
{
	s->rc = SQLITE_OK;
	s->now = clock_wall(s->clock);
	s->before = s->counts;
	s->seq_before = s->next_seq;
	s->nchanges = 0;
	s->inserted = 0;
	s->nperiods = 0;
	s->has_refill = false;
	if (s->db == NULL)
		return err_set(err, ERR_TEMP, "the journal is closed after a failure");
	return db_run(s, db_use(s, ST_BEGIN), err) && save_names(s, err);
}

bool
transaction_put_count(struct store *s, const char *name, uint64_t value, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_META_PUT);

	bind_text(st, 1, name);
	sqlite3_bind_int64(st, 2, (int64_t)value);
	return db_run(s, st, err);
}

/* Those that only steer caps are saved now and then; all of them at the close. */
bool
transaction_save_counts(struct store *s, bool all, struct err *err)
{
	const struct counts *c = &s->counts, *was = &s->saved;
	bool is_far = c->memory - was->memory + SAVE_EVERY > 2 * SAVE_EVERY;
	const struct {
		const char *name;
		bool is_due;
		uint64_t value;
	} rows[] = {
		{ "entries", is_far, c->entries },
		{ "memory", is_far, c->memory },
		{ "dead", c->dead != was->dead, c->dead },
		{ "dead_bytes", c->dead_bytes != was->dead_bytes, c->dead_bytes },
		{ "quarantine", c->quarantine != was->quarantine, c->quarantine },
		{ "quarantine_bytes", c->quarantine_bytes != was->quarantine_bytes,
		    c->quarantine_bytes },
		{ "gaps", c->gaps != was->gaps, c->gaps },
		{ "letters", c->letters != was->letters, c->letters },
		{ "next_seq", is_far, s->next_seq },
		{ "trimmed_to", is_far, (uint64_t)s->trimmed_to },
		{ "reasons_since", !s->is_reasons_saved, (uint64_t)s->reasons_since },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if ((all || rows[i].is_due) && !transaction_put_count(s, rows[i].name, rows[i].value, err))
			return false;
	if (all || is_far) {
		s->saved = *c;
		return true;
	}
	s->saved.dead = c->dead;
	s->saved.dead_bytes = c->dead_bytes;
	s->saved.quarantine = c->quarantine;
	s->saved.quarantine_bytes = c->quarantine_bytes;
	s->saved.gaps = c->gaps;
	s->saved.letters = c->letters;
	return true;
}

/* The oldest that waits at a sink, where it was settled. A figure only: a failure leaves it. */
static void
find_oldest(struct store *s, struct place *p)
{
	sqlite3_stmt *st = db_use(s, ST_TODO_OLDEST);
	struct err err = { 0 };

	p->oldest = TICKS_NONE;
	if (p->entries == 0)
		return;
	sqlite3_bind_int64(st, 1, p->sink);
	if (db_row(s, st, &err) == 1)
		p->oldest_seq = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	st = db_use(s, ST_ENTRY_FIRST);
	sqlite3_bind_int64(st, 1, (int64_t)p->oldest_seq);
	sqlite3_bind_int64(st, 2, (int64_t)p->oldest_seq);
	if (p->oldest_seq != 0 && db_row(s, st, &err) == 1)
		p->oldest = sqlite3_column_int64(st, 1);
	if (p->oldest != TICKS_NONE)
		p->oldest = place_waits_since(p, p->oldest_seq, p->oldest);
	sqlite3_reset(st);
}

void
find_oldests(struct store *s)
{
	for (size_t i = 0; i < s->nplaces; i++)
		if (s->places[i] != NULL && s->places[i]->oldest_seq == 0)
			find_oldest(s, s->places[i]);
	s->rc = SQLITE_OK;
}

/* A log that cannot be emptied is trouble, but what is in it is safe. */
void
empty_log(struct store *s)
{
	struct err err = { 0 };

	if (s->wal_pages * PAGE_SIZE < s->room.wal_bytes || db_checkpoint(s, false, &err))
		return;
	if ((s->rc & 0xff) == SQLITE_FULL && disk_drop_ballast(s)
	    && db_checkpoint(s, false, &err))
		return;
	trouble(s, &err);
}

bool
transaction_commit(struct store *s, struct err *err)
{
	struct err measure = { 0 };

	if (!transaction_save_counts(s, false, err) || !periods_write(s, err)
	    || !db_run(s, db_use(s, ST_COMMIT), err))
		return false;
	for (size_t i = 0; i < s->nchanges; i++)
		apply(s, &s->changes[i]);
	s->nchanges = 0;
	s->is_reasons_saved = true;
	transaction_names_done(s, true);
	periods_done(s);
	s->commits++;
	s->read_errors = 0;
	find_oldests(s);
	empty_log(s);
	if (!disk_measure(s, &measure))
		trouble(s, &measure);
	update_state(s, NULL);
	publish(s);
	return true;
}

void
transaction_rollback(struct store *s)
{
	int rc = s->rc;
	struct err err = { 0 };

	s->counts = s->before;
	s->saved.memory = s->saved.memory < s->counts.memory ? s->saved.memory : s->counts.memory;
	s->next_seq = s->seq_before;
	s->nchanges = 0;
	s->nperiods = 0;
	transaction_names_done(s, false);
	if (s->db != NULL && !sqlite3_get_autocommit(s->db)
	    && !db_run(s, db_use(s, ST_ROLLBACK), &err))
		rc = SQLITE_IOERR; /* then only opening it anew helps */
	s->rc = rc;
}
