/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"

/*
 * All of a stream goes, a step at a time: readers, entries (what is with a sink just now last),
 * dead letters, quarantine, memory, its name; then what is left of it in free pages, the log, and
 * where rows once were, some pages at a time. While rows go, SQLite is told to overwrite them
 * (secure_delete): what it does else leaves whole pages as they are.
 */
#define STEP_ROWS   500
#define STEP_HOURS  64
#define SCRUB_PAGES 1024
#define SCRUB_PASSES 5
#define SCRUB_TRIES 100 /* somebody who reads the file (a backup) keeps the log from being cut */

/* ---- where it is ----------------------------------------------------------------- */

/* With the first rows that go it is written down which streams go; with their names, that only the
 * file's pages are left to do: a number may be another stream's from then on. A restart goes on there. */
static bool
write_down(struct store *s, const struct journal_task *t, bool with_streams, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_META_PUT);
	struct buf streams = BUF_INIT(JOURNAL_STREAMS * 12);
	bool ok;

	buf_puts(&streams, "");
	for (size_t i = 0; i < t->which.nstreams && with_streams; i++)
		buf_printf(&streams, "%u ", t->which.streams[i]);
	bind_text(st, 1, "purging");
	sqlite3_bind_text(st, 2, with_streams ? streams.p : "", -1, SQLITE_TRANSIENT);
	ok = db_run(s, st, err);
	buf_release(&streams);
	return ok;
}

/* ---- readers ------------------------------------------------------------------- */

static bool
run_for(struct store *s, enum statement which, uint32_t stream, uint64_t *n, struct err *err)
{
	sqlite3_stmt *st = db_use(s, which);

	sqlite3_bind_int64(st, 1, stream);
	if (!db_run(s, st, err))
		return false;
	*n += (uint64_t)sqlite3_changes64(s->db);
	return true;
}

static bool
purge_readers(struct store *s, struct journal_task *t, struct err *err)
{
	uint64_t gaps = 0;

	for (size_t i = 0; i < t->which.nstreams; i++)
		if (!run_for(s, ST_PURGE_READERS, t->which.streams[i], &t->purged.readers, err) ||
		    !run_for(s, ST_PURGE_GAPS, t->which.streams[i], &gaps, err))
			return false;
	t->purged.gaps += gaps;
	s->counts.gaps -= gaps < s->counts.gaps ? gaps : s->counts.gaps;
	t->is_over = true;
	return write_down(s, t, true, err);
}

/* ---- entries --------------------------------------------------------------------- */

static bool
is_out(const struct store *s, uint64_t seq)
{
	for (size_t i = 0; i < s->nplaces; i++)
		if (s->places[i] != NULL && place_is_out(s->places[i], seq))
			return true;
	return false;
}

/* Of the next entries those that can go. *looked: how many there were. */
static bool
find_entries(struct store *s, struct journal_task *t, uint64_t *v, size_t *n, size_t *looked,
    struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_ENTRY_SOME);
	int rc;

	*n = *looked = 0;
	sqlite3_bind_int64(st, 1, t->at[0]);
	sqlite3_bind_int64(st, 2, STEP_ROWS);
	while ((rc = db_row(s, st, err)) == 1) {
		uint64_t seq = (uint64_t)sqlite3_column_int64(st, 0);

		*looked += 1;
		t->at[0] = (int64_t)seq;
		if (!journal_filter_has(&t->which, (uint32_t)sqlite3_column_int64(st, 1)))
			continue;
		if (t->is_forced || !is_out(s, seq))
			v[(*n)++] = seq;
		else
			t->waiting++;
	}
	return rc >= 0;
}

/* No sink waits for them any more. */
static bool
release(struct store *s, const uint64_t *v, size_t n, struct err *err)
{
	struct mark_job *marks = xcalloc(n + 1, sizeof(*marks));
	bool ok = true;

	for (size_t p = 0; p < s->nplaces && ok; p++) {
		if (s->places[p] == NULL || s->places[p]->entries == 0)
			continue;
		for (size_t i = 0; i < n; i++)
			marks[i] = (struct mark_job) { .sink = (uint32_t)p + 1, .seq = v[i],
				.what = MARK_OK };
		ok = settle_marks(s, marks, n, err);
	}
	free(marks);
	return ok;
}

static bool
drop_entries(struct store *s, const uint64_t *v, size_t n, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_ENTRY_DROP);

	for (size_t i = 0; i < n; i++) {
		sqlite3_bind_int64(st, 1, (int64_t)v[i]);
		sqlite3_bind_int64(st, 2, (int64_t)v[i]);
		sqlite3_bind_int64(st, 3, INT64_MAX);
		if (!db_run(s, st, err))
			return false;
		s->counts.entries -= s->counts.entries > 0;
		change_add(s, (struct change) { CHANGE_GONE, .seq = v[i], .n = v[i] });
	}
	return n == 0 || pack_drop(s, v[0], v[n - 1], err);
}

/* Letters that are retried go with their entries. */
static bool
purge_entries(struct store *s, struct journal_task *t, struct err *err)
{
	uint64_t *v = xcalloc(STEP_ROWS, sizeof(*v)), dead = s->counts.dead;
	size_t n = 0, looked = 0;
	bool ok = find_entries(s, t, v, &n, &looked, err) && release(s, v, n, err)
	    && drop_entries(s, v, n, err);

	free(v);
	t->purged.entries += n;
	t->purged.dead += dead - s->counts.dead;
	t->is_over = looked < STEP_ROWS;
	return ok;
}

/* ---- letters ---------------------------------------------------------------------- */

static bool
purge_dead(struct store *s, struct journal_task *t, struct err *err)
{
	struct letter_at v[LETTERS_STEP];
	bool is_kept;
	size_t n;

	t->last = UINT64_MAX;
	if (!letters_walk(s, t, v, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!letter_drop(s, &t->which, (uint64_t)v[i].at[3], true, &is_kept, err))
			return false;
		t->purged.dead += !is_kept;
	}
	return true;
}

static bool
quarantine_of(struct store *s, uint32_t stream, int64_t *v, uint64_t *bytes, size_t *n,
    struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_QUARANTINE_SOME);
	int rc;

	*n = 0;
	sqlite3_bind_int64(st, 1, stream);
	sqlite3_bind_int64(st, 2, STEP_ROWS);
	while ((rc = db_row(s, st, err)) == 1) {
		v[(*n)++] = sqlite3_column_int64(st, 0);
		*bytes += (uint64_t)sqlite3_column_int64(st, 1);
	}
	return rc >= 0;
}

/* What was damaged is of stream 0: nobody knows whose it was, so it may have been this one's. */
static bool
purge_quarantine(struct store *s, struct journal_task *t, struct err *err)
{
	struct counts *c = &s->counts;
	int64_t v[STEP_ROWS];
	uint64_t bytes = 0;
	size_t n = 0;

	for (size_t i = 0; i <= t->which.nstreams && n == 0; i++) {
		uint32_t stream = i < t->which.nstreams ? t->which.streams[i] : 0;

		if (!quarantine_of(s, stream, v, &bytes, &n, err))
			return false;
	}
	for (size_t i = 0; i < n; i++) {
		sqlite3_stmt *st = db_use(s, ST_QUARANTINE_DROP);

		sqlite3_bind_int64(st, 1, v[i]);
		if (!db_run(s, st, err))
			return false;
	}
	c->quarantine -= n < c->quarantine ? n : c->quarantine;
	c->quarantine_bytes -= bytes < c->quarantine_bytes ? bytes : c->quarantine_bytes;
	t->purged.quarantine += n;
	t->is_over = n == 0;
	return true;
}

/* ---- memory ------------------------------------------------------------------------- */

/* In each hour a stream's rows lie together. */
static bool
purge_hour(struct store *s, struct journal_task *t, int64_t hour, struct err *err)
{
	for (size_t i = 0; i < t->which.nstreams; i++) {
		int64_t first = memory_first(hour, t->which.streams[i]);
		sqlite3_stmt *st = db_use(s, ST_PURGE_MEMORY);
		uint64_t n;

		sqlite3_bind_int64(st, 1, first);
		sqlite3_bind_int64(st, 2, memory_last(first));
		sqlite3_bind_int64(st, 3, t->which.streams[i]);
		if (!db_run(s, st, err))
			return false;
		n = (uint64_t)sqlite3_changes64(s->db);
		t->purged.remembered += n;
		s->counts.memory -= n < s->counts.memory ? n : s->counts.memory;
	}
	return true;
}

static bool
purge_memory(struct store *s, struct journal_task *t, struct err *err)
{
	for (int i = 0; i < STEP_HOURS && !t->is_over; i++) {
		sqlite3_stmt *st = db_use(s, ST_PURGE_HOUR);
		int rc;

		sqlite3_bind_int64(st, 1, t->at[0]);
		rc = db_row(s, st, err);
		t->is_over = rc == 0;
		if (rc == 1) {
			int64_t hour = memory_hour(sqlite3_column_int64(st, 0));

			sqlite3_reset(st);
			if (!purge_hour(s, t, hour, err))
				return false;
			t->at[0] = memory_first(hour + 1, 0);
		}
		if (rc < 0)
			return false;
	}
	return true;
}

/* ---- names ----------------------------------------------------------------------------- */

static bool
purge_names(struct store *s, struct journal_task *t, struct err *err)
{
	uint64_t unused = 0;

	for (size_t i = 0; i < t->which.nstreams; i++) {
		uint32_t stream = t->which.streams[i];
		bool is_purged = registry_is_purged(s->reg, stream);

		if (!run_for(s, is_purged ? ST_PURGE_STREAM : ST_PURGE_BEGIN, stream, &unused, err))
			return false;
	}
	t->is_over = true;
	return write_down(s, t, false, err);
}

/* ---- what is left of it ------------------------------------------------------------------ */

/* *has_more: not all free pages are given back yet. */
static bool
give_back(struct store *s, bool *has_more, struct err *err)
{
	*has_more = true;
	for (int i = 0; i < SCRUB_PAGES / 64 && *has_more; i++) {
		uint64_t was = s->free_pages;

		s->vacuums++;
		if (!db_run(s, db_use(s, ST_VACUUM), err) || !disk_measure(s, err))
			return false;
		empty_log(s);
		if (s->remedy != REMEDY_NONE)
			return err_set(err, ERR_TEMP, "the journal's log cannot be emptied");
		*has_more = s->free_pages > 0 && s->free_pages < was;
	}
	return true;
}

/* Others wait for this thread: it does not wait for whoever reads the file. */
static bool
cut_log(struct store *s, struct err *err)
{
	bool ok;

	sqlite3_busy_timeout(s->db, 0);
	ok = db_checkpoint(s, true, err);
	sqlite3_busy_timeout(s->db, DB_PATIENCE_MS);
	return ok;
}

/* What was written meanwhile may have moved what is behind to a place before: once more then. */
static void
next_pages(struct store *s, struct journal_task *t)
{
	bool has_moved = t->last != s->vacuums, has_changed = t->at[1] != (int64_t)s->commits;

	t->at[0] += SCRUB_PAGES;
	if (t->at[0] <= (int64_t)s->pages)
		return;
	t->at[0] = 1;
	t->at[1] = (int64_t)s->commits;
	t->last = s->vacuums;
	t->is_scrubbed = !has_moved && (!has_changed || t->at[2] > 0) && t->at[3] == 0;
	t->at[2]++;
}

/* No transaction of ours: each of these has its own. */
static bool
scrub(struct store *s, struct journal_task *t, struct err *err)
{
	bool has_more = t->at[0] == 0, is_whole;

	if (has_more && !give_back(s, &has_more, err))
		return false;
	if (has_more)
		return true;
	if (t->at[0] == 0) {
		t->at[0] = 1;
		t->at[1] = (int64_t)s->commits;
		t->last = s->vacuums;
	}
	t->waiting = 0;
	if (disk_measure(s, err) && cut_log(s, err)) {
		if (!scrub_pages(s, (uint32_t)t->at[0], SCRUB_PAGES, &is_whole, err))
			return false;
		t->at[3] |= !is_whole;
		next_pages(s, t);
		t->tries = 0;
	} else if ((s->rc & 0xff) == SQLITE_BUSY) {
		t->waiting = 1;
		t->tries++;
		s->rc = SQLITE_OK;
		*err = (struct err) { 0 };
	}
	t->is_over = t->is_scrubbed || t->tries >= SCRUB_TRIES || t->at[2] == SCRUB_PASSES;
	return s->rc == SQLITE_OK &&
	       (!t->is_over || db_exec(s, "DELETE FROM meta WHERE name = 'purging'", err));
}

/* ---- a step ------------------------------------------------------------------------------- */

typedef bool part(struct store *s, struct journal_task *t, struct err *err);
static part *const parts[] = { purge_readers, purge_entries, purge_dead, purge_quarantine,
	purge_memory, purge_names };
#define SCRUBBING ARRAY_LEN(parts)

static bool
in_transaction(struct store *s, struct journal_task *t, struct err *err)
{
	bool ok = transaction_begin(s, err) && parts[t->phase](s, t, err) && transaction_commit(s, err);

	if (!ok)
		transaction_rollback(s);
	return ok;
}

/* What waits is looked at again, from the first entry on. */
static void
next_part(struct journal_task *t)
{
	bool is_again = parts[t->phase] == purge_entries && t->waiting > 0;

	t->phase += !is_again;
	for (size_t i = 0; i < ARRAY_LEN(t->at); i++)
		t->at[i] = 0;
}

static bool
take_part(struct store *s, struct journal_task *t, struct err *err)
{
	struct err unused = { 0 };
	bool ok;

	if (parts[t->phase] == purge_readers)
		for (size_t i = 0; i < t->which.nstreams; i++)
			t->purged.periods += periods_forget_stream(registry_periods(s->reg),
			    t->which.streams[i]);
	ok = db_exec(s, "PRAGMA secure_delete = ON", err) && in_transaction(s, t, err);
	(void)!(s->db == NULL || db_exec(s, "PRAGMA secure_delete = FAST", &unused));
	if (!ok)
		return false;
	if (parts[t->phase] == purge_names)
		for (size_t i = 0; i < t->which.nstreams; i++)
			registry_forget_cursors(s->reg, t->which.streams[i]);
	if (t->is_over)
		next_part(t);
	t->is_over = false;
	return true;
}

bool
purge_step(struct store *s, struct journal_task *t, struct err *err)
{
	if (t->which.nstreams == 0 && !t->is_rest)
		return err_set(err, ERR_PERM, "no stream was named");
	if (s->db == NULL)
		return err_set(err, ERR_TEMP, "the journal is closed after a failure");
	t->is_over = false;
	if (t->is_rest)
		t->phase = SCRUBBING;
	if (t->phase == SCRUBBING)
		return scrub(s, t, err);
	if (parts[t->phase] == purge_entries && t->at[0] == 0)
		t->waiting = 0;
	return take_part(s, t, err);
}
