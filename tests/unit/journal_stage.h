/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_STAGE_H
#define JOURNAL_STAGE_H

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "tests/unit/journal_kit.h"

/*
 * journal_stage: cases that have a journal in a file each, pages for it, and the file
 * as another program sees it. One a program.
 */
#define V(n) (KIT_START + (n) * TICKS_SEC)
#define MIB  (UINT64_C(1) << 20)

/* ---- pages ------------------------------------------------------------------------- */

static inline uint32_t
stream(struct kit *k)
{
	return journal_stream(k->j, "global/1111/alerts", "about 1111");
}

static inline struct kit_page *
page(struct kit *k, const char *prefix, size_t n, size_t len, uint32_t sink)
{
	struct kit_page *p = kit_page(k, stream(k), prefix, n, len, V(1));

	kit_route(p, sink);
	return p;
}

static inline void
reopen(struct kit *k)
{
	kit_close(k);
	kit_must_open(k);
}

/* What version 7 brought, taken away again. */
#define OLDER_LETTERS "DROP INDEX dead_sink; DROP INDEX dead_stream; DROP INDEX dead_both;" \
    "ALTER TABLE dead DROP COLUMN crc; ALTER TABLE dead DROP COLUMN body_crc;" \
    "ALTER TABLE dead DROP COLUMN remembered;"

/* ---- the file ---------------------------------------------------------------------- */

static inline char *
path(struct kit *k, const char *name)
{
	return xasprintf("%s/%s", k->dir, name);
}

/* The file as another program sees it; msspd is not running. */
static inline void
sql(struct kit *k, const char *text)
{
	char *name = path(k, "journal.db"), *why = NULL;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(name, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, &why) == SQLITE_OK, "%s", why);
	sqlite3_close(db);
	free(name);
}

static inline int64_t
number(struct kit *k, const char *text)
{
	char *name = path(k, "journal.db");
	sqlite3_stmt *st;
	sqlite3 *db;
	int64_t n;

	ck_assert_int_eq(sqlite3_open(name, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, text, -1, &st, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	free(name);
	return n;
}

static inline unsigned
files_like(struct kit *k, const char *part)
{
	DIR *dir = opendir(k->dir);
	unsigned n = 0;

	for (struct dirent *d = readdir(dir); d != NULL; d = readdir(dir))
		n += strstr(d->d_name, part) != NULL && strstr(d->d_name, "-wal") == NULL;
	closedir(dir);
	return n;
}

/* Writes over the page of that number, counted from 1. */
static inline void
smash_page(struct kit *k, int64_t page_number)
{
	char *name = path(k, "journal.db");
	int fd = open(name, O_WRONLY);
	char junk[PAGE_SIZE];

	memset(junk, 0xa5, sizeof(junk));
	ck_assert_int_eq(pwrite(fd, junk, sizeof(junk), (page_number - 1) * PAGE_SIZE), PAGE_SIZE);
	close(fd);
	free(name);
}

/* ---- cases ------------------------------------------------------------------------- */

struct stage_case {
	const char *says;
	void (*run)(struct kit *k);
};

/* Those of the program; run_cases() says so. */
static const struct stage_case *stage_cases;

START_TEST(test_case)
{
	struct kit k;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	stage_cases[_i].run(&k);
	kit_release(&k);
}
END_TEST

/* Returns what main() does. */
static inline int
run_cases(const char *name, const struct stage_case *cases, int n)
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *sr = srunner_create(s);
	int failed;

	stage_cases = cases;
	tcase_set_timeout(tc, 120);
	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_case, 0, n);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
