/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "daemon/journal/journal_sqlite.h"

#define STEP_ROWS    64
#define SMALL_PAGES  4096 /* a file of this many is checked table by table at once */

/*
 * What is looked at, in this order. Large tables are walked by key, so that no
 * step takes long; what lies in their pages is read, and so checked, on the way.
 */
typedef bool is_sound(sqlite3_stmt *row);
typedef bool set_aside(struct store *s, uint64_t key, struct err *err);

static bool
is_entry_sound(sqlite3_stmt *row)
{
	struct journal_item item;

	return entry_from_row(row, 1, (uint64_t)sqlite3_column_int64(row, 0), &item);
}

static bool
is_letter_sound(sqlite3_stmt *row)
{
	return sqlite3_column_int(row, 1) != 0;
}

static const struct {
	const char *name;
	const char *walk; /* ?1: key to go on after, ?2: how many rows; NULL: looked at as a whole */
	is_sound *is_sound;   /* of its rows; NULL: they have no checksum */
	set_aside *set_aside; /* those that are not, each in a transaction of its own */
} tables[] = {
	{ .name = "meta" },
	{ .name = "stream" },
	{ .name = "reader" },
	{ .name = "sink" },
	{ .name = "gap" },
	{ .name = "period" },
	{ .name = "todo" },
	{ "entry", "SELECT seq, stream, type, kind, flags, changed, version, journalled, crc, id, "
	    ENTRY_BODY " FROM entry WHERE seq > ?1 ORDER BY seq LIMIT ?2", is_entry_sound,
	    quarantine_entry },
	{ "pack", "SELECT first, size FROM pack WHERE first > ?1 ORDER BY first LIMIT ?2", NULL, NULL },
	{ "memory", "SELECT key, stream, journalled, id, seen FROM memory"
	    " WHERE key > ?1 ORDER BY key LIMIT ?2", NULL, NULL },
	{ "dead", "SELECT n, " LETTER_IS_SOUND " AND " LETTER_BODY_IS_SOUND
	    " FROM dead WHERE n > ?1 ORDER BY n LIMIT ?2", is_letter_sound, quarantine_letter },
	{ "quarantine", "SELECT n, body FROM quarantine WHERE n > ?1 ORDER BY n LIMIT ?2", NULL, NULL },
};

void
check_start(struct store *s)
{
	s->check = (struct check) { .is_running = true, .from = NO_ROWID };
}

static void
next_table(struct check *c)
{
	c->table++;
	c->from = NO_ROWID;
}

static bool
quick_check(struct store *s, const char *table, struct err *err)
{
	char sql[64];
	sqlite3_stmt *st;
	const unsigned char *text;
	bool ok;
	int rc;

	snprintf(sql, sizeof(sql), "PRAGMA quick_check(%s)", table);
	rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);
	if (rc != SQLITE_OK)
		return db_fail(s, rc, err);
	rc = sqlite3_step(st);
	text = rc == SQLITE_ROW ? sqlite3_column_text(st, 0) : NULL;
	ok = text != NULL && strcmp((const char *)text, "ok") == 0;
	if (!ok) {
		db_fail(s, rc == SQLITE_ROW ? SQLITE_CORRUPT : rc, err);
		err_set(err, ERR_TEMP, "table %s: %s", table,
		    text != NULL ? (const char *)text : "cannot be read");
	}
	sqlite3_finalize(st);
	return ok;
}

/* *bad: the key of a row whose checksum is wrong. */
static bool
walk(struct store *s, uint64_t *bad, struct err *err)
{
	struct check *c = &s->check;
	is_sound *sound = tables[c->table].is_sound;
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(s->db, tables[c->table].walk, -1, &st, NULL), rows = 0;

	if (rc != SQLITE_OK)
		return db_fail(s, rc, err);
	sqlite3_bind_int64(st, 1, c->from);
	sqlite3_bind_int64(st, 2, STEP_ROWS);
	while (*bad == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		c->from = sqlite3_column_int64(st, 0);
		column_bytes(st, sqlite3_column_count(st) - 1);
		if (sound != NULL && !sound(st))
			*bad = (uint64_t)c->from;
		rows++;
	}
	if (*bad == 0 && rc != SQLITE_DONE)
		db_fail(s, rc, err);
	sqlite3_finalize(st);
	if (*bad == 0 && rc == SQLITE_DONE && rows < STEP_ROWS)
		next_table(c);
	return *bad != 0 || rc == SQLITE_DONE;
}

static bool
look(struct store *s, struct err *err)
{
	struct check *c = &s->check;
	bool is_whole = tables[c->table].walk == NULL || s->pages <= SMALL_PAGES;
	uint64_t bad = 0;

	if (is_whole && c->from == NO_ROWID && !quick_check(s, tables[c->table].name, err))
		return false;
	if (tables[c->table].walk == NULL) {
		next_table(c);
		return true;
	}
	if (!walk(s, &bad, err))
		return false;
	c->bad += bad != 0;
	return bad == 0 || tables[c->table].set_aside(s, bad, err);
}

static void
finish(struct store *s)
{
	s->check.is_running = false;
	if (s->check.bad == 0)
		outbox_note(s->out, JOURNAL_NOTE_CHECK, s->state,
		    "the journal was looked through after an unclean stop: no damage");
	else
		outbox_note(s->out, JOURNAL_NOTE_CHECK, s->state,
		    "the journal was looked through after an unclean stop: %" PRIu64
		    " damaged entries and dead letters were put in quarantine", s->check.bad);
}

bool
check_step(struct store *s)
{
	struct err err = { 0 };

	if (!s->check.is_running)
		return false;
	s->rc = SQLITE_OK;
	if (!look(s, &err)) {
		trouble(s, &err);
		return false;
	}
	if (s->check.table == ARRAY_LEN(tables))
		finish(s);
	return true;
}
