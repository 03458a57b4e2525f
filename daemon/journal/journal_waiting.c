/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/journal_waiting.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/journal/journal_file.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"

#define PATIENCE_MS 2000

static void
look(sqlite3 *db, journal_waiting_cb *cb, void *arg)
{
	static const char query[] = "SELECT sink.name, count(*) FROM todo JOIN sink ON sink.id = todo.sink"
	    " WHERE NOT sink.forgotten GROUP BY sink.id ORDER BY sink.name";
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(db, query, -1, &st, NULL) != SQLITE_OK)
		return;
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *sink = (const char *)sqlite3_column_text(st, 0);

		if (sink != NULL)
			cb(arg, sink, (uint64_t)sqlite3_column_int64(st, 1));
	}
	sqlite3_finalize(st);
}

/*
 * Without a log beside it nobody uses the file, and all is in it: then SQLite is told that it stays
 * as it is, and makes no log and no shared memory of its own, which it could not take away again.
 */
static char *
uri_of(const char *path)
{
	struct buf uri = BUF_INIT(4 * PATH_MAX);
	char *log = xasprintf("%s-wal", path), *text;

	buf_puts(&uri, "file:");
	for (const char *p = path; *p != '\0'; p++) {
		if (strchr("%?#", *p) != NULL)
			buf_printf(&uri, "%%%02X", (unsigned)(unsigned char)*p);
		else
			buf_byte(&uri, *p);
	}
	if (access(log, F_OK) != 0)
		buf_puts(&uri, "?immutable=1");
	text = xstrndup(uri.p, uri.n);
	buf_release(&uri);
	free(log);
	return text;
}

void
journal_waiting(const char *dir, journal_waiting_cb *cb, void *arg)
{
	char *path = xasprintf("%s/" JOURNAL_FILE, dir), *uri = uri_of(path);
	sqlite3 *db;

	if (sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(db, PATIENCE_MS);
		look(db, cb, arg);
	}
	sqlite3_close(db);
	free(uri);
	free(path);
}
