/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GIVEN_STAGE_H
#define GIVEN_STAGE_H

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>

#include "lib/base/ticks.h"
#include "tests/unit/journal_kit.h"

/* given_stage: pages of a tenant that sinks are given, for the tests of what the journal knows of that. */
#define V(n) (KIT_START + (n) * TICKS_SEC)

static inline uint32_t
stream(struct kit *k)
{
	return journal_stream(k->j, "global/1111/alerts", "about 1111");
}

static inline struct kit_page *
page(struct kit *k, const char *prefix, size_t n, int64_t version)
{
	return kit_page(k, stream(k), prefix, n, 100, version);
}

static inline void
give(struct kit *k, const char *prefix, size_t n, int64_t version, uint32_t sink)
{
	struct kit_page *p = page(k, prefix, n, version);

	kit_route(p, sink);
	kit_mean(p, sink);
	kit_must_append(k, p);
}

/* Closes the journal, changes its file, and opens it again. */
static inline void
sql(struct kit *k, const char *text)
{
	char path[100];
	sqlite3 *db;

	kit_close(k);
	snprintf(path, sizeof(path), "%s/journal.db", k->dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK, "%s",
	    sqlite3_errmsg(db));
	sqlite3_close(db);
	kit_must_open(k);
}

#endif
