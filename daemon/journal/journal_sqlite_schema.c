/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/journal_sqlite.h"
#include "lib/base/str.h"

/*
 * The tables. Times are ticks. memory.key is made of the hour an alert was created
 * in, of its stream and of its id (memory_key()): in time order, because random
 * keys would dirty a page for every alert; `id` beside it tells those apart that
 * share one. todo is what a sink still has to take; memo: only those wait for
 * `due` over a restart. period: what is to be read again. entry.routes: to which sinks
 * it was given, for as long as it is kept; NULL where an older msspd stored it. pack:
 * pages as they came packed, each for the entries first to last; those have no body,
 * but say which of its bytes they are. memory.given: the sinks that were given that version
 * (given.h), NULL where an older msspd stored it; sink.since: when its name was first known;
 * entry.remembered: the key of the memory of it. dead.retry: the entry as which a dead letter
 * waits for its sink again; dead.remembered: the key of the memory of it; dead.crc: letter_sum().
 */
static const char *const steps[SCHEMA_VERSION] = {
	"CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE stream(id INTEGER PRIMARY KEY, key TEXT NOT NULL, about TEXT NOT NULL,"
	" begin INTEGER);"
	"CREATE TABLE reader(stream INTEGER, name TEXT, cursor INTEGER,"
	" PRIMARY KEY(stream, name)) WITHOUT ROWID;"
	"CREATE TABLE sink(id INTEGER PRIMARY KEY, name TEXT NOT NULL, undeclared_since INTEGER,"
	" forgotten INTEGER NOT NULL);"
	"CREATE TABLE memory(key INTEGER PRIMARY KEY, stream INTEGER, journalled INTEGER,"
	" id BLOB, seen BLOB);"
	"CREATE TABLE entry(seq INTEGER PRIMARY KEY, stream INTEGER, type INTEGER, kind INTEGER,"
	" flags INTEGER, changed INTEGER, version INTEGER, journalled INTEGER, crc INTEGER,"
	" id BLOB, body BLOB);"
	"CREATE TABLE todo(sink INTEGER, seq INTEGER, size INTEGER, tries INTEGER, due INTEGER,"
	" memo TEXT, why TEXT, PRIMARY KEY(sink, seq)) WITHOUT ROWID;"
	"CREATE TABLE dead(n INTEGER PRIMARY KEY, sink INTEGER, at INTEGER, why TEXT,"
	" size INTEGER, seq INTEGER, stream INTEGER, type INTEGER, kind INTEGER, flags INTEGER,"
	" changed INTEGER, version INTEGER, journalled INTEGER, id BLOB, body BLOB);"
	"CREATE TABLE quarantine(n INTEGER PRIMARY KEY, at INTEGER, stream INTEGER, id BLOB,"
	" why TEXT, size INTEGER, body BLOB);"
	"CREATE TABLE gap(n INTEGER PRIMARY KEY, at INTEGER, stream INTEGER, reader TEXT,"
	" since INTEGER, until INTEGER, why TEXT);"
	"PRAGMA application_id = 1836282736;",
	"CREATE TABLE period(n INTEGER PRIMARY KEY, stream INTEGER, sink INTEGER, since INTEGER,"
	" until INTEGER, at INTEGER, made INTEGER, flags INTEGER, seen INTEGER, told INTEGER);"
	"ALTER TABLE sink ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;",
	"ALTER TABLE entry ADD COLUMN routes BLOB;",
	"CREATE TABLE pack(first INTEGER PRIMARY KEY, last INTEGER, size INTEGER, body BLOB);"
	"ALTER TABLE entry ADD COLUMN pack INTEGER;"
	"ALTER TABLE entry ADD COLUMN at INTEGER;"
	"ALTER TABLE entry ADD COLUMN len INTEGER;",
	"ALTER TABLE memory ADD COLUMN given BLOB;"
	"ALTER TABLE sink ADD COLUMN since INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE entry ADD COLUMN remembered INTEGER;",
	"ALTER TABLE dead ADD COLUMN retry INTEGER;"
	"CREATE INDEX dead_order ON dead(sink, seq, stream);"
	"CREATE INDEX dead_retry ON dead(retry) WHERE retry IS NOT NULL;"
	"CREATE INDEX quarantine_stream ON quarantine(stream);",
	"ALTER TABLE dead ADD COLUMN remembered INTEGER;"
	"ALTER TABLE dead ADD COLUMN body_crc INTEGER;"
	"ALTER TABLE dead ADD COLUMN crc INTEGER;"
	"UPDATE dead SET body_crc = letter_sum(body),"
	" crc = " LETTER_SUM("at", "why", "retry", "letter_sum(body)") ";"
	"CREATE INDEX dead_sink ON dead(sink);"
	"CREATE INDEX dead_stream ON dead(stream);"
	"CREATE INDEX dead_both ON dead(stream, sink);",
};

static bool
failed(sqlite3 *db, const char *what, struct err *err)
{
	return err_set(err, ERR_TEMP, "%s: %s", what, sqlite3_errmsg(db));
}

static bool
read_int(sqlite3 *db, const char *pragma, int *value, struct err *err)
{
	sqlite3_stmt *st;
	bool ok;

	if (sqlite3_prepare_v2(db, pragma, -1, &st, NULL) != SQLITE_OK)
		return failed(db, pragma, err);
	ok = sqlite3_step(st) == SQLITE_ROW;
	if (ok)
		*value = sqlite3_column_int(st, 0);
	else
		failed(db, pragma, err);
	sqlite3_finalize(st);
	return ok;
}

static bool
take_step(sqlite3 *db, const char *step, int version, struct err *err)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version);
	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK
	    && sqlite3_exec(db, step, NULL, NULL, NULL) == SQLITE_OK
	    && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK
	    && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		return true;
	err_set(err, ERR_TEMP, "cannot bring its tables to version %d: %s", version,
	    sqlite3_errmsg(db));
	return false;
}

static bool
is_known(sqlite3 *db, int newest, struct err *err)
{
	int version;

	if (!read_int(db, "PRAGMA user_version", &version, err))
		return false;
	return version <= newest || err_set(err, ERR_CONF,
	    "its tables are of version %d, made by a newer msspd; this one knows version %d",
	    version, newest);
}

bool
schema_migrate(sqlite3 *db, const char *const *all, int nsteps, struct err *err)
{
	int version;

	/* What a step that failed left is undone here, or with the handle: to do it at once would make
	 * the handle forget why, and damage would not be known as such. */
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	if (!is_known(db, nsteps, err) || !read_int(db, "PRAGMA user_version", &version, err))
		return false;
	for (; version < nsteps; version++)
		if (!take_step(db, all[version], version + 1, err))
			return false;
	return true;
}

/* A file of something else must not be taken for an old one of ours. */
static bool
is_ours(sqlite3 *db, struct err *err)
{
	int id, objects;

	if (!read_int(db, "PRAGMA application_id", &id, err)
	    || !read_int(db, "SELECT count(*) FROM sqlite_schema", &objects, err))
		return false;
	if (id == APPLICATION_ID || objects == 0)
		return true;
	return err_set(err, ERR_CONF, "it is a database, but not msspd's");
}

bool
schema_check(sqlite3 *db, struct err *err)
{
	return is_ours(db, err) && is_known(db, SCHEMA_VERSION, err);
}

bool
schema_update(sqlite3 *db, struct err *err)
{
	return schema_migrate(db, steps, SCHEMA_VERSION, err);
}
