/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

/* Where entries may be lost, Microsoft is asked again for this much before the oldest. */
#define LOOK_BACK   (INT64_C(86400) * TICKS_SEC)

/* From the damaged file into the new one. */
struct rescue {
	struct store *s;
	sqlite3 *old;
	int64_t oldest;     /* ticks: of the undelivered; INT64_MAX: none seen */
	uint64_t lost, kept;
	bool is_torn;       /* a table of undelivered entries could not be read to its end */
	bool has_sums;      /* its dead letters have checksums */
	bool is_rereading;  /* cursors go back */
	int64_t reread_from;
};

/*
 * A table: read forwards until damage stops it, then backwards from its end as
 * far as what was kept already. check: may this row come along?
 */
struct rescue_table {
	const char *name, *columns, *key;
	bool (*check)(struct rescue *r, sqlite3_stmt *row);
};

static bool
is_stream_known(struct rescue *r, sqlite3_stmt *row, int column)
{
	return registry_stream_key(r->s->reg, (uint32_t)sqlite3_column_int64(row, column)) != NULL;
}

static bool
check_reader(struct rescue *r, sqlite3_stmt *row)
{
	return is_stream_known(r, row, 0);
}

static bool
check_period(struct rescue *r, sqlite3_stmt *row)
{
	return is_stream_known(r, row, 1);
}

/* What is read again must not be known, or it would be taken for delivered. */
static bool
check_memory(struct rescue *r, sqlite3_stmt *row)
{
	return is_stream_known(r, row, 1)
	    && (!r->is_rereading || sqlite3_column_int64(row, 2) < r->oldest);
}

static bool
check_letter(struct rescue *r, sqlite3_stmt *row)
{
	(void)row;
	r->has_sums = true;
	return true;
}

static bool
check_older_letter(struct rescue *r, sqlite3_stmt *row)
{
	return !r->has_sums && is_stream_known(r, row, 6);
}

static sqlite3_stmt *
prepare(sqlite3 *db, const char *fmt, ...)
{
	sqlite3_stmt *st = NULL;
	va_list ap;
	char *sql;

	va_start(ap, fmt);
	sql = sqlite3_vmprintf(fmt, ap);
	va_end(ap);
	if (sql != NULL && sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		st = NULL;
	sqlite3_free(sql);
	return st;
}

static int
count_columns(const char *columns)
{
	int n = 1;

	for (const char *p = columns; *p != '\0'; p++)
		n += *p == ',';
	return n;
}

static bool
put_row(struct rescue *r, sqlite3_stmt *put, sqlite3_stmt *row, struct err *err)
{
	int n = sqlite3_column_count(row);

	for (int i = 0; i < n; i++)
		sqlite3_bind_value(put, i + 1, sqlite3_column_value(row, i));
	return db_run(r->s, put, err);
}

/* One direction. *is_whole: it came to the end, or to what was there. */
static bool
copy_rows(struct rescue *r, const struct rescue_table *t, sqlite3_stmt *put, bool is_backwards,
    bool *is_whole, struct err *err)
{
	sqlite3_stmt *row = prepare(r->old, "SELECT %s FROM %s ORDER BY %s %s", t->columns, t->name,
	    t->key, is_backwards ? "DESC" : "");
	bool ok = true, is_new = true;
	int rc = SQLITE_ERROR;

	while (ok && is_new && row != NULL && (rc = sqlite3_step(row)) == SQLITE_ROW) {
		if (t->check != NULL && !t->check(r, row))
			continue;
		ok = put_row(r, put, row, err);
		is_new = sqlite3_changes(r->s->db) > 0;
	}
	*is_whole = rc == SQLITE_DONE || !is_new;
	sqlite3_finalize(row);
	return ok;
}

static bool
copy_table(struct rescue *r, const struct rescue_table *t, struct err *err)
{
	sqlite3_stmt *put = prepare(r->s->db, "INSERT OR IGNORE INTO %s(%s) VALUES(?%.*s)", t->name,
	    t->columns, 2 * (count_columns(t->columns) - 1), ",?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?");
	bool is_whole = false, ok;

	if (put == NULL)
		return db_fail(r->s, sqlite3_errcode(r->s->db), err);
	ok = copy_rows(r, t, put, false, &is_whole, err);
	if (ok && !is_whole)
		ok = copy_rows(r, t, put, true, &is_whole, err);
	sqlite3_finalize(put);
	return ok;
}

/* ---- undelivered entries ------------------------------------------------- */

static bool
keep_entry(struct rescue *r, sqlite3_stmt *row, uint64_t seq, struct err *err)
{
	sqlite3_stmt *st = db_use(r->s, ST_ENTRY_PUT);

	sqlite3_bind_int64(st, 1, (int64_t)seq);
	for (int i = 0; i < 10; i++)
		sqlite3_bind_value(st, i + 2, sqlite3_column_value(row, i));
	for (int i = 12; i <= 16; i++)
		sqlite3_bind_null(st, i); /* its pack stays behind, too */
	return db_run(r->s, st, err);
}

/* 1: it is in the new file; 0: it is lost; -1: failed. */
static int
rescue_entry(struct rescue *r, sqlite3_stmt *get, uint64_t seq, struct err *err)
{
	sqlite3_stmt *have = db_use(r->s, ST_ENTRY_GET);
	struct journal_item item;
	int rc;

	sqlite3_bind_int64(have, 1, (int64_t)seq);
	rc = db_row(r->s, have, err);
	sqlite3_reset(have);
	if (rc != 0)
		return rc;
	sqlite3_bind_int64(get, 1, (int64_t)seq);
	rc = 0;
	if (sqlite3_step(get) == SQLITE_ROW && entry_from_row(get, 0, seq, &item)
	    && is_stream_known(r, get, 0)) {
		rc = keep_entry(r, get, seq, err) ? 1 : -1;
		if (item.journalled < r->oldest)
			r->oldest = item.journalled;
	}
	sqlite3_reset(get);
	return rc;
}

static sqlite3_stmt *
prepare_get(sqlite3 *db)
{
	const char *entry = "stream, type, kind, flags, changed, version, journalled, crc, id";
	sqlite3_stmt *get = prepare(db, "SELECT %s, %s FROM entry WHERE seq = ?1", entry, ENTRY_BODY);

	/* Of an older msspd, which packed nothing. */
	return get != NULL ? get : prepare(db, "SELECT %s, body FROM entry WHERE seq = ?1", entry);
}

/* Rows of a sink whose name is lost stay behind: its number may soon be another's. */
static bool
rescue_todos(struct rescue *r, bool is_backwards, bool *is_whole, struct err *err)
{
	sqlite3_stmt *row = prepare(r->old, "SELECT sink, seq, size, tries, due, memo, why FROM todo"
	    " ORDER BY sink %s, seq %s", is_backwards ? "DESC" : "", is_backwards ? "DESC" : "");
	sqlite3_stmt *get = prepare_get(r->old);
	sqlite3_stmt *put = prepare(r->s->db, "INSERT OR IGNORE INTO todo(sink, seq, size, tries,"
	    " due, memo, why) VALUES(?, ?, ?, ?, ?, ?, ?)");
	bool ok = true, is_new = true;
	int rc = SQLITE_ERROR, has = 0;

	while (ok && is_new && row != NULL && get != NULL && put != NULL
	    && (rc = sqlite3_step(row)) == SQLITE_ROW) {
		if (registry_sink_name(r->s->reg, (uint32_t)sqlite3_column_int64(row, 0)) != NULL)
			has = rescue_entry(r, get, (uint64_t)sqlite3_column_int64(row, 1), err);
		else
			has = 0;
		ok = has >= 0 && (has == 0 || put_row(r, put, row, err));
		is_new = has == 0 || sqlite3_changes(r->s->db) > 0;
		r->lost += ok && has == 0;
		r->kept += ok && has == 1 && is_new;
	}
	*is_whole = rc == SQLITE_DONE || !is_new;
	sqlite3_finalize(row);
	sqlite3_finalize(get);
	sqlite3_finalize(put);
	return ok;
}

static bool
rescue_entries(struct rescue *r, struct err *err)
{
	bool is_whole, ok = rescue_todos(r, false, &is_whole, err);

	if (ok && !is_whole) {
		r->is_torn = true;
		ok = rescue_todos(r, true, &is_whole, err);
	}
	return ok;
}

/* ---- reading again what may be lost -------------------------------------- */

static bool
put_cursors(struct rescue *r, struct err *err)
{
	sqlite3_stmt *st = db_use(r->s, ST_READER_PUT);
	uint32_t stream;
	const char *name;
	int64_t at;

	for (size_t i = 0; registry_each_reader(r->s->reg, &i, &stream, &name, &at);) {
		if (r->is_rereading && at > r->reread_from)
			at = r->reread_from;
		sqlite3_bind_int64(st, 1, stream);
		bind_text(st, 2, name);
		sqlite3_bind_int64(st, 3, at);
		if (!db_run(r->s, st, err))
			return false;
	}
	return true;
}

/* After those of the old file, whose numbers it must not take. */
static bool
put_gap(struct rescue *r, struct err *err)
{
	sqlite3_stmt *st = db_use(r->s, ST_GAP_PUT);

	if (!r->is_rereading)
		return true;
	sqlite3_bind_int64(st, 1, r->s->now);
	sqlite3_bind_null(st, 2);
	sqlite3_bind_null(st, 3);
	sqlite3_bind_int64(st, 4, r->reread_from);
	sqlite3_bind_int64(st, 5, r->s->now);
	bind_text(st, 6, "the journal was damaged; this time is read again for all tenants");
	r->s->counts.gaps++;
	return db_run(r->s, st, err);
}

static void
decide_reread(struct rescue *r)
{
	r->is_rereading = r->old == NULL || r->is_torn || r->lost > 0;
	if (r->oldest == INT64_MAX)
		r->oldest = r->s->now - LOOK_BACK;
	r->reread_from = r->oldest - LOOK_BACK;
}

/* ---- the whole ----------------------------------------------------------- */

static const struct rescue_table names[] = {
	{ "stream", "id,key,about,begin", "id", NULL },
	{ "sink", "id,name,undeclared_since,forgotten,parked,since", "id", NULL },
	{ "sink", "id,name,undeclared_since,forgotten,parked", "id", NULL }, /* of an older msspd */
	{ "sink", "id,name,undeclared_since,forgotten", "id", NULL }, /* of a still older one */
};

#define LETTER "n,sink,at,why,size,seq,stream,type,kind,flags,changed,version,journalled,id,body"
static const struct rescue_table others[] = {
	{ "memory", "key,stream,journalled,id,seen,given", "key", check_memory },
	{ "memory", "key,stream,journalled,id,seen", "key", check_memory }, /* of an older msspd */
	{ "gap", "n,at,stream,reader,since,until,why", "n", NULL },
	{ "period", "n,stream,sink,since,until,at,made,flags,seen,told", "n", check_period },
	{ "dead", LETTER ",retry,remembered,body_crc,crc", "n", check_letter },
	{ "dead", LETTER ",retry", "n", check_older_letter }, /* of an older msspd */
	{ "dead", LETTER, "n", check_older_letter }, /* of a still older one */
	{ "quarantine", "n,at,stream,id,why,size,body", "n", NULL },
};

static const struct rescue_table readers = { "reader", "stream,name,cursor", "stream, name",
	check_reader };

static bool
copy_tables(struct rescue *r, const struct rescue_table *t, size_t n, struct err *err)
{
	for (size_t i = 0; i < n && r->old != NULL; i++)
		if (!copy_table(r, &t[i], err))
			return false;
	return true;
}

/* ---- dead letters ---------------------------------------------------------- */

/* Where the old file had none. */
static const char sum_all[] = "UPDATE dead SET body_crc = letter_sum(body), crc = "
    LETTER_SUM("at", "why", "retry", "letter_sum(body)");

/* Those whose entry, as which they were to be tried again, is not there any more. */
static const char lost_retries[] = "UPDATE dead SET retry = NULL, crc = "
    LETTER_SUM("at", "why", "NULL", "body_crc") " WHERE retry IS NOT NULL AND NOT"
    " EXISTS (SELECT 1 FROM todo WHERE todo.sink = dead.sink AND todo.seq = dead.retry)";

static const char figures[] = "SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM memory),"
    " (SELECT count(*) FROM dead), (SELECT ifnull(sum(size), 0) FROM dead),"
    " (SELECT count(*) FROM quarantine), (SELECT ifnull(sum(size), 0) FROM quarantine),"
    " (SELECT count(*) FROM gap), max(ifnull((SELECT max(n) FROM dead), 0),"
    " ifnull((SELECT max(n) FROM quarantine), 0))";

static bool
count_kept(struct store *s, struct err *err)
{
	sqlite3_stmt *st = prepare(s->db, "%s", figures);
	struct counts *c = &s->counts;
	uint64_t *const to[] = { &c->entries, &c->memory, &c->dead, &c->dead_bytes, &c->quarantine,
		&c->quarantine_bytes, &c->gaps };
	bool ok = st != NULL && sqlite3_step(st) == SQLITE_ROW;

	for (int i = 0; ok && i < (int)ARRAY_LEN(to); i++)
		*to[i] = (uint64_t)sqlite3_column_int64(st, i);
	if (ok && (uint64_t)sqlite3_column_int64(st, ARRAY_LEN(to)) > c->letters)
		c->letters = (uint64_t)sqlite3_column_int64(st, ARRAY_LEN(to));
	sqlite3_finalize(st);
	return ok || db_fail(s, sqlite3_errcode(s->db), err);
}

/* As they are in the new file, whose streams are known. */
static bool
set_broken_aside(struct store *s, struct err *err)
{
	sqlite3_stmt *st = prepare(s->db, "SELECT n FROM dead WHERE n > ?1 AND NOT (" LETTER_IS_SOUND
	    " AND " LETTER_BODY_IS_SOUND ") ORDER BY n LIMIT 1");
	int64_t n = NO_ROWID;
	bool ok = st != NULL, has_one = true;

	while (ok && has_one) {
		sqlite3_bind_int64(st, 1, n);
		has_one = sqlite3_step(st) == SQLITE_ROW;
		n = has_one ? sqlite3_column_int64(st, 0) : n;
		sqlite3_reset(st);
		ok = !has_one || letter_set_aside(s, (uint64_t)n, err);
	}
	sqlite3_finalize(st);
	return ok;
}

static bool
mend_letters(struct rescue *r, struct err *err)
{
	struct store *s = r->s;

	return (r->has_sums || db_exec(s, sum_all, err)) && count_kept(s, err)
	    && set_broken_aside(s, err) && db_exec(s, lost_retries, err)
	    && transaction_save_counts(s, true, err);
}

/* ---- all of it ---------------------------------------------------------------- */

static bool
rescue_all(struct rescue *r, struct err *err)
{
	struct store *s = r->s;

	registry_unsave_all(s->reg);
	if (!transaction_begin(s, err)) /* saves the names that memory knows */
		return false;
	if (!copy_tables(r, names, ARRAY_LEN(names), err) || !load_names(s, err)
	    || !copy_tables(r, &readers, 1, err) || !load_names(s, err)
	    || (r->old != NULL && !rescue_entries(r, err)))
		return false;
	decide_reread(r);
	return put_cursors(r, err) && copy_tables(r, others, ARRAY_LEN(others), err)
	    && mend_letters(r, err)
	    && (!r->is_rereading || periods_reread(s, err)) && put_gap(r, err)
	    && transaction_commit(s, err);
}

static char *
aside_name(const struct store *s)
{
	struct ticks_date d;

	ticks_date(clock_wall(s->clock), &d);
	return xasprintf("%s-damaged-%04d%02u%02uT%02u%02u%02u.%07u", s->path, d.year, d.month,
	    d.day, d.hour, d.minute, d.second, d.fraction);
}

static char *
beside(const struct store *s, const char *name)
{
	return xasprintf("%s/%s", s->dir, name);
}

/* A file that is not there is as good as gone. */
static bool
move(const char *from, const char *to, struct err *err)
{
	if (rename(from, to) == 0 || errno == ENOENT)
		return true;
	return err_sys(err, ERR_TEMP, errno, "cannot rename %s", from);
}

/*
 * The damaged file keeps its log, and the new one, complete and without a log,
 * takes its name last: after a crash in between this is done once more.
 */
static bool
change_places(struct store *s, const char *made, struct err *err)
{
	char *aside = aside_name(s), *wal = xasprintf("%s-wal", s->path);
	char *shm = xasprintf("%s-shm", s->path), *aside_wal = xasprintf("%s-wal", aside);
	bool ok = link(s->path, aside) == 0 || errno == ENOENT;

	if (!ok)
		err_sys(err, ERR_TEMP, errno, "cannot link %s", aside);
	ok = ok && move(wal, aside_wal, err);
	unlink(shm);
	ok = ok && move(made, s->path, err);
	disk_sync_dir(s);
	if (ok)
		outbox_note(s->out, JOURNAL_NOTE_SALVAGE, s->state,
		    "the damaged journal is kept as %s", aside);
	free(aside);
	free(wal);
	free(shm);
	free(aside_wal);
	return ok;
}

bool
salvage_finish(struct store *s, struct err *err)
{
	char *made = beside(s, "journal.new");
	bool ok = access(made, F_OK) < 0 || change_places(s, made, err);

	free(made);
	return ok;
}

static void
tell(struct rescue *r, const char *why)
{
	outbox_note(r->s->out, JOURNAL_NOTE_SALVAGE, r->s->state,
	    "the journal was damaged (%s); %" PRIu64 " places of undelivered entries were kept%s",
	    why, r->kept,
	    r->is_rereading ? "; others may be lost, so the time they are from is read again, "
	                      "and some alerts will be told twice" : ", none was lost");
}

static void
remove_leftovers(const char *path)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char *name = xasprintf("%s%s", path, suffixes[i]);

		unlink(name);
		free(name);
	}
}

static void
open_old(struct rescue *r)
{
	int rc = sqlite3_open_v2(r->s->path, &r->old, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
	    r->s->vfs);

	if (rc == SQLITE_OK)
		rc = pack_teach(r->old, r->s->unpack);
	if (rc == SQLITE_OK) {
		sqlite3_db_config(r->old, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		return;
	}
	sqlite3_close_v2(r->old);
	r->old = NULL;
}

/* The new file, complete, under a name that says so. */
static bool
make_new(struct store *s, struct rescue *r, struct err *err)
{
	char *path = beside(s, "journal.salvage"), *made = beside(s, "journal.new");
	int fd;
	bool ok;

	remove_leftovers(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ok = fd >= 0 ? true : err_sys(err, ERR_TEMP, errno, "%s", path);
	if (fd >= 0)
		close(fd);
	ok = ok && db_open(s, path, err);
	if (ok)
		open_old(r);
	ok = ok && rescue_all(r, err);
	if (s->db != NULL && !ok)
		transaction_rollback(s);
	sqlite3_close_v2(r->old);
	ok = ok && db_checkpoint(s, true, err);
	db_close(s, true);
	ok = ok && move(path, made, err);
	free(path);
	free(made);
	return ok;
}

bool
salvage(struct store *s, const char *why, struct err *err)
{
	struct rescue r = { .s = s, .oldest = INT64_MAX };

	db_close(s, false);
	if (!make_new(s, &r, err) || !salvage_finish(s, err))
		return false;
	if (!db_open(s, s->path, err) || !load(s, err) || !disk_measure(s, err))
		return false;
	/* Last: who is told so asks for the cursors of now. */
	tell(&r, why);
	return true;
}
