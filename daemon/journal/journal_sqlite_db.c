/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "daemon/journal/journal_sqlite.h"
#include "lib/base/ticks.h"

#define ENTRY "stream, type, kind, flags, changed, version, journalled, crc, id"

static const char *const texts[ST_COUNT] = {
	[ST_BEGIN] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",
	[ST_STREAM_PUT] = "INSERT INTO stream(id, key, about, begin) VALUES(?1, ?2, ?3, ?4)"
			  " ON CONFLICT(id) DO UPDATE SET about = excluded.about",
	[ST_STREAM_BEGIN] = "UPDATE stream SET begin = ?2 WHERE id = ?1 AND begin IS NULL",
	[ST_READER_PUT] = "REPLACE INTO reader(stream, name, cursor) VALUES(?1, ?2, ?3)",
	[ST_SINK_PUT] = "REPLACE INTO sink(id, name, undeclared_since, forgotten, parked,"
			" since) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[ST_SINK_DROP] = "DELETE FROM sink WHERE id = ?1"
			 " AND NOT EXISTS (SELECT 1 FROM dead WHERE sink = ?1)",
	[ST_META_PUT] = "REPLACE INTO meta(name, value) VALUES(?1, ?2)",
	[ST_MEMORY_FIND] = "SELECT key, stream, id, seen, journalled, given FROM memory"
			   " WHERE key BETWEEN ?1 AND ?2 ORDER BY key",
	[ST_MEMORY_PUT] = "REPLACE INTO memory(key, stream, journalled, id, seen, given)"
			  " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[ST_MEMORY_GIVEN] = "UPDATE memory SET given = ?2, journalled = ?3 WHERE key = ?1",
	[ST_MEMORY_OLD] = "SELECT key, stream, journalled, seen FROM memory"
			  " WHERE key > ?1 ORDER BY key LIMIT ?2",
	[ST_MEMORY_DROP] = "DELETE FROM memory WHERE key = ?1",
	[ST_MEMORY_OLDEST] = "DELETE FROM memory WHERE key IN"
			     " (SELECT key FROM memory ORDER BY key LIMIT ?1)",
	[ST_ENTRY_PUT] =
	    "INSERT INTO entry(seq, " ENTRY ", body, routes, pack, at, len,"
	    " remembered)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
	[ST_ENTRY_GET] = "SELECT " ENTRY ", " ENTRY_BODY " FROM entry WHERE seq = ?1",
	[ST_ENTRY_FIRST] = "SELECT seq, journalled FROM entry WHERE seq BETWEEN ?1 AND ?2"
			   " ORDER BY seq LIMIT 1",
	[ST_ENTRY_DROP] = "DELETE FROM entry WHERE seq BETWEEN ?1 AND ?2 AND journalled < ?3",
	[ST_ENTRY_SOME] = "SELECT seq, stream, journalled, ifnull(len, length(body)), routes"
			  " FROM entry"
			  " WHERE seq > ?1 ORDER BY seq LIMIT ?2",
	[ST_ENTRY_PLACE] = "SELECT remembered, stream, version, id FROM entry WHERE seq = ?1",
	[ST_PACK_PUT] = "INSERT INTO pack(first, last, size, body) VALUES(?1, ?2, ?3, ?4)",
	[ST_PACK_DROP] =
	    "DELETE FROM pack WHERE first BETWEEN"
	    " ifnull((SELECT max(first) FROM pack WHERE first <= ?1), ?1) AND ?2 AND NOT EXISTS"
	    " (SELECT 1 FROM entry WHERE seq BETWEEN first AND last)",
	[ST_TODO_PUT] = "INSERT OR IGNORE INTO todo(sink, seq, size) VALUES(?1, ?2, ?3)",
	[ST_TODO_SCAN] = "SELECT seq, size FROM todo WHERE sink = ?1 AND seq BETWEEN ?2 AND ?3"
			 " ORDER BY seq",
	[ST_TODO_DROP] = "DELETE FROM todo WHERE sink = ?1 AND seq BETWEEN ?2 AND ?3",
	[ST_TODO_SET_BACK] = "UPDATE todo SET due = due - ?1 WHERE due IS NOT NULL",
	[ST_TODO_LATER] = "UPDATE todo SET due = ?3, tries = ?4, memo = ?5, why = ?6"
			  " WHERE sink = ?1 AND seq = ?2",
	[ST_TODO_OLDEST] = "SELECT seq FROM todo WHERE sink = ?1 ORDER BY seq LIMIT 1",
	[ST_TODO_SOME] = "SELECT seq, size FROM todo WHERE sink = ?1 ORDER BY seq LIMIT ?2",
	[ST_TODO_MEMO] = "SELECT seq, due FROM todo WHERE sink = ?1 AND memo IS NOT NULL",
	[ST_READ_NEXT] = "SELECT seq, size, tries, memo FROM todo"
			 " WHERE sink = ?1 AND seq >= ?2 AND memo IS NULL ORDER BY seq",
	[ST_READ_ONE] = "SELECT seq, size, tries, memo, due FROM todo WHERE sink = ?1 AND seq = ?2",
	[ST_LOOK] = "SELECT t.seq, t.tries, t.memo, t.due, e.stream, e.type, e.kind, e.flags,"
		    " e.version, e.journalled, e.id FROM todo t JOIN entry e ON e.seq = t.seq"
		    " WHERE t.sink = ?1 AND t.memo IS NOT NULL ORDER BY t.seq LIMIT ?2",
	[ST_ACCOUNT] = "SELECT t.seq, e.stream, e.remembered, e.id FROM todo t"
		       " JOIN entry e ON e.seq = t.seq"
		       " WHERE t.sink = ?1 AND t.seq > ?2 ORDER BY t.seq LIMIT ?3",
	[ST_DEAD_PUT] =
	    "INSERT INTO dead(n, sink, at, why, size, seq, stream, type, kind, flags,"
	    " changed, version, journalled, id, body, remembered, body_crc, crc)"
	    " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, remembered,"
	    " letter_sum(?15), letter_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
	    " NULL, remembered, letter_sum(?15), (SELECT key FROM stream WHERE id = ?7))"
	    " FROM entry WHERE seq = ?6",
	[ST_DEAD_OLDEST] = "SELECT n, size, sink, retry FROM dead ORDER BY n LIMIT 1",
	[ST_DEAD_DROP] = "DELETE FROM dead WHERE n = ?1",
	[ST_DEAD_GET] = "SELECT " LETTER_IS_SOUND " AND (?3 = 0 OR " LETTER_BODY_IS_SOUND "), size,"
	    " sink, retry, at, why, seq, stream, type, kind, flags, changed, version, journalled, id,"
	    " substr(body, ?2, ?3), remembered FROM dead WHERE n = ?1",
	[ST_DEAD_BROKEN] = "SELECT sink, size, retry, id, body FROM dead WHERE n = ?1",
	/* A page of a list costs no more than what is on it. */
	[ST_DEAD_LIST] = "SELECT n FROM dead WHERE n > ?1 ORDER BY n LIMIT ?2",
	[ST_DEAD_OF_SINK] = "SELECT n FROM dead INDEXED BY dead_sink"
	    " WHERE sink = ?4 AND n > ?1 ORDER BY n LIMIT ?2",
	[ST_DEAD_OF_STREAM] = "SELECT n FROM dead INDEXED BY dead_stream"
	    " WHERE stream = ?3 AND n > ?1 ORDER BY n LIMIT ?2",
	[ST_DEAD_OF_BOTH] = "SELECT n FROM dead INDEXED BY dead_both"
	    " WHERE stream = ?3 AND sink = ?4 AND n > ?1 ORDER BY n LIMIT ?2",
	/* Reads no body on its way. */
	[ST_DEAD_WALK] = "SELECT sink, seq, stream, n FROM dead INDEXED BY dead_order"
	    " WHERE (sink, seq, stream, n) > (?1, ?2, ?3, ?4) ORDER BY sink, seq, stream, n"
	    " LIMIT ?5",
	[ST_DEAD_RETRY] = "UPDATE dead SET retry = ?2, crc = "
	    LETTER_SUM("at", "why", "?2", "body_crc") " WHERE n = ?1",
	[ST_DEAD_RETRIED] = "SELECT n, size, retry, " LETTER_IS_SOUND " FROM dead"
	    " WHERE retry BETWEEN ?2 AND ?3 AND sink = ?1 ORDER BY retry LIMIT 1",
	[ST_DEAD_AGAIN] = "UPDATE dead SET retry = NULL, at = ifnull(?3, at), why = ifnull(?2, why),"
	    " crc = " LETTER_SUM("ifnull(?3, at)", "ifnull(?2, why)", "NULL", "body_crc")
	    " WHERE n = ?1",
	/* What is damaged stays so. */
	[ST_DEAD_NO_RETRY] = "UPDATE dead SET retry = NULL, crc = CASE WHEN " LETTER_IS_SOUND " THEN "
	    LETTER_SUM("at", "why", "NULL", "body_crc") " END WHERE retry IS NOT NULL AND sink = ?1",
	[ST_QUARANTINE_PUT] = "INSERT INTO quarantine(n, at, stream, id, why, size, body)"
	    " VALUES(?7, ?1, ?2, ?3, ?4, ?5, ?6)",
	[ST_QUARANTINE_OLDEST] = "SELECT n, size FROM quarantine ORDER BY n LIMIT 1",
	[ST_QUARANTINE_DROP] = "DELETE FROM quarantine WHERE n = ?1",
	[ST_QUARANTINE_GET] = "SELECT size, at, why, stream, id, substr(body, ?2, ?3)"
	    " FROM quarantine WHERE n = ?1",
	[ST_QUARANTINE_LIST] = "SELECT n FROM quarantine WHERE n > ?1 ORDER BY n LIMIT ?2",
	[ST_QUARANTINE_OF_STREAM] = "SELECT n FROM quarantine INDEXED BY quarantine_stream"
	    " WHERE stream = ?3 AND n > ?1 ORDER BY n LIMIT ?2",
	[ST_QUARANTINE_SOME] = "SELECT n, size FROM quarantine WHERE stream = ?1 LIMIT ?2",
	[ST_PURGE_READERS] = "DELETE FROM reader WHERE stream = ?1",
	[ST_PURGE_GAPS] = "DELETE FROM gap WHERE stream = ?1",
	[ST_PURGE_BEGIN] = "UPDATE stream SET begin = NULL WHERE id = ?1",
	[ST_PURGE_STREAM] = "DELETE FROM stream WHERE id = ?1",
	[ST_PURGE_MEMORY] = "DELETE FROM memory WHERE key BETWEEN ?1 AND ?2 AND stream = ?3",
	[ST_PURGE_HOUR] = "SELECT key FROM memory WHERE key >= ?1 ORDER BY key LIMIT 1",
	[ST_GAP_PUT] = "INSERT INTO gap(at, stream, reader, since, until, why)"
		       " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[ST_PERIOD_PUT] =
	    "REPLACE INTO period(n, stream, sink, since, until, at, made, flags, seen,"
	    " told) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[ST_PERIOD_DROP] = "DELETE FROM period WHERE n = ?1",
	[ST_PARK_END] = "SELECT seq FROM todo WHERE sink = ?1 ORDER BY seq LIMIT 1 OFFSET ?2",
	[ST_PARK_SOME] =
	    "SELECT todo.seq, todo.size, entry.stream, entry.version, entry.type"
	    " FROM todo JOIN entry ON entry.seq = todo.seq WHERE todo.sink = ?1 AND todo.seq > ?2"
	    " ORDER BY todo.seq LIMIT ?3",
	[ST_PAGES] = "PRAGMA page_count",
	[ST_FREE_PAGES] = "PRAGMA freelist_count",
	[ST_VACUUM] = "PRAGMA incremental_vacuum(64)",
};

/* Measured choices. Before the first table: page size and auto_vacuum. Our hook
 * (db_open) takes the place of SQLite's own checkpoints, whose failures nobody sees. */
static const char *const settings[] = {
	"PRAGMA page_size = 16384",
	"PRAGMA auto_vacuum = INCREMENTAL",
	"PRAGMA journal_mode = WAL",
	"PRAGMA synchronous = FULL",
	"PRAGMA secure_delete = FAST",
	"PRAGMA cache_size = -2000",
	"PRAGMA temp_store = MEMORY",
	"PRAGMA trusted_schema = OFF",
};

bool
db_fail(struct store *s, int rc, struct err *err)
{
	s->rc = rc;
	return err_set(err, ERR_TEMP, "%s (SQLite %d)",
	    s->db != NULL ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc), rc);
}

bool
db_exec(struct store *s, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK || db_fail(s, rc, err);
}

sqlite3_stmt *
db_use(struct store *s, enum statement which)
{
	return s->st[which];
}

bool
db_run(struct store *s, sqlite3_stmt *st, struct err *err)
{
	int rc = sqlite3_step(st);

	/* PRAGMA incremental_vacuum answers with rows that say nothing. */
	while (rc == SQLITE_ROW)
		rc = sqlite3_step(st);
	if (rc != SQLITE_DONE)
		db_fail(s, rc, err);
	sqlite3_reset(st);
	return rc == SQLITE_DONE;
}

int
db_row(struct store *s, sqlite3_stmt *st, struct err *err)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		db_fail(s, rc, err);
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

/* ---- opening ------------------------------------------------------------- */

static int
on_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store *s = arg;

	(void)db;
	(void)name;
	s->wal_pages = (uint64_t)pages;
	return SQLITE_OK;
}

static bool
prepare_all(struct store *s, struct err *err)
{
	for (size_t i = 0; i < ST_COUNT; i++) {
		int rc = sqlite3_prepare_v3(s->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
		    &s->st[i], NULL);

		if (rc != SQLITE_OK)
			return db_fail(s, rc, err);
	}
	return true;
}

static bool
is_wal(struct store *s, struct err *err)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(s->db, "PRAGMA journal_mode", -1, &st, NULL);
	const unsigned char *mode;
	bool ok;

	if (rc != SQLITE_OK)
		return db_fail(s, rc, err);
	ok = sqlite3_step(st) == SQLITE_ROW;
	mode = ok ? sqlite3_column_text(st, 0) : NULL;
	ok = mode != NULL && strcmp((const char *)mode, "wal") == 0;
	sqlite3_finalize(st);
	if (ok)
		return true;
	s->rc = SQLITE_CANTOPEN;
	return err_set(err, ERR_TEMP, "cannot keep a write-ahead log");
}

static bool
set_up(struct store *s, struct err *err)
{
	char sql[64];

	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (!db_exec(s, settings[i], err))
			return false;
	if (!is_wal(s, err))
		return false;
	s->max_pages = s->room.max_bytes / PAGE_SIZE;
	snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %" PRIu64, s->max_pages);
	if (!db_exec(s, sql, err))
		return false;
	snprintf(sql, sizeof(sql), "PRAGMA journal_size_limit = %" PRIu64, 2 * s->room.wal_bytes);
	return db_exec(s, sql, err);
}

bool
db_open(struct store *s, const char *path, struct err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	int rc = sqlite3_open_v2(path, &s->db, flags, s->vfs);
	bool ok;

	if (rc == SQLITE_OK)
		rc = pack_teach(s->db, s->unpack);
	if (rc == SQLITE_OK)
		rc = sum_teach(s->db);
	s->rc = SQLITE_OK;
	s->wal_pages = 0;
	if (rc != SQLITE_OK) {
		db_fail(s, rc, err);
		db_close(s, false);
		return false;
	}
	sqlite3_busy_timeout(s->db, DB_PATIENCE_MS);
	sqlite3_wal_hook(s->db, on_wal, s);
	ok = schema_check(s->db, err) && set_up(s, err) && schema_update(s->db, err)
	    && prepare_all(s, err);
	if (ok)
		return true;
	/* What the schema refuses is no error of SQLite, and no damage. */
	if (s->rc == SQLITE_OK && err->kind != ERR_CONF)
		s->rc = sqlite3_extended_errcode(s->db);
	db_close(s, false);
	return false;
}

void
db_close(struct store *s, bool with_checkpoint)
{
	for (size_t i = 0; i < ST_COUNT; i++) {
		sqlite3_finalize(s->st[i]);
		s->st[i] = NULL;
	}
	if (s->db == NULL)
		return;
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !with_checkpoint, NULL);
	sqlite3_close_v2(s->db);
	s->db = NULL;
}

bool
db_checkpoint(struct store *s, bool truncate, struct err *err)
{
	int rc = sqlite3_wal_checkpoint_v2(s->db, NULL,
	    truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

	if (rc != SQLITE_OK)
		return db_fail(s, rc, err);
	s->wal_pages = 0;
	return true;
}

/* ---- values -------------------------------------------------------------- */

void
bind_blob(sqlite3_stmt *st, int i, const void *p, size_t n)
{
	sqlite3_bind_blob64(st, i, n > 0 ? p : "", n, SQLITE_STATIC);
}

void
bind_text(sqlite3_stmt *st, int i, const char *text)
{
	sqlite3_bind_text(st, i, text, -1, SQLITE_STATIC);
}

void
bind_ticks(sqlite3_stmt *st, int i, int64_t ticks)
{
	if (ticks == TICKS_NONE)
		sqlite3_bind_null(st, i);
	else
		sqlite3_bind_int64(st, i, ticks);
}

int64_t
column_ticks(sqlite3_stmt *st, int i)
{
	return sqlite3_column_type(st, i) == SQLITE_NULL ? TICKS_NONE : sqlite3_column_int64(st, i);
}

struct str
column_bytes(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_blob(st, i);

	return (struct str) { p, (size_t)sqlite3_column_bytes(st, i) };
}
