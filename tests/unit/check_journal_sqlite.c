/* SPDX-License-Identifier: Apache-2.0 */
#include <event2/event.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/journal_stage.h"

/* What the SQLite engine promises beyond the contract: that its file lasts, and whose it is. */

/* ---- over a restart ------------------------------------------------------ */

static void
everything_outlives_a_restart(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), mail = journal_sink(k->j, "mail");
	struct kit_page *p = page(k, "a", 4, 100, siem);
	uint32_t number_of = stream(k);
	struct journal_cursor c;
	struct journal_batch *b;
	struct journal_stats stats;

	kit_route(p, mail);
	p->page.memory_begin = V(-9);
	kit_must_append(k, p);
	b = kit_read(k, siem, 2, SIZE_MAX, NULL);
	kit_settle(k, siem, &b->items[0], MARK_OK, 0, NULL);
	kit_settle(k, siem, &b->items[1], MARK_DEAD, 0, NULL);
	journal_batch_free(b);
	b = kit_read(k, mail, 2, SIZE_MAX, NULL);
	kit_settle(k, mail, &b->items[0], MARK_LATER, V(60), "a digest");
	kit_settle(k, mail, &b->items[1], MARK_LATER, V(60), NULL);
	journal_batch_free(b);
	reopen(k);
	ck_assert_str_eq(journal_stream_key(k->j, number_of), "global/1111/alerts");
	ck_assert_str_eq(journal_stream_about(k->j, number_of), "about 1111");
	ck_assert_uint_eq(stream(k), number_of);
	ck_assert_uint_eq(journal_sink(k->j, "siem"), siem);
	ck_assert(journal_cursor(k->j, number_of, "live", &c) && c.at == V(1) && c.begin == V(-9));
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.dead, 1);
	ck_assert_uint_eq(stats.remembered, 4);
	ck_assert_uint_eq(kit_backlog(k, siem).entries, 2);
	ck_assert_uint_eq(kit_backlog(k, siem).dead, 1);
	ck_assert_uint_eq(kit_backlog(k, mail).bytes, 400);
	kit_is_read(k, siem, "a-2 a-3");
	/* Only the one with a memo waits on. */
	kit_is_read(k, mail, "a-1 a-2 a-3");
	atomic_store(&k->clock.wall, V(61));
	b = kit_read(k, mail, 9, SIZE_MAX, NULL);
	ck_assert(kit_is(b, "a-0"));
	ck_assert_str_eq(b->items[0].memo, "a digest");
	ck_assert_uint_eq(b->items[0].tries, 1);
	journal_batch_free(b);
	ck_assert_uint_eq(kit_append(k, page(k, "a", 4, 100, siem)).skipped, 4);
}

static void
numbers_never_come_back(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	kit_must_append(k, page(k, "a", 9, 100, siem));
	ck_assert_uint_eq(kit_drain(k, siem, true), 9);
	kit_wait_backlog(k, siem, 0);
	kit_run(k, 1300);
	reopen(k);
	kit_must_append(k, page(k, "b", 1, 100, siem));
	b = kit_read(k, siem, 9, SIZE_MAX, NULL);
	ck_assert_uint_eq(b->items[0].pos.seq, 10);
	journal_batch_free(b);
}

static void
a_clean_stop_needs_no_check(struct kit *k)
{
	kit_must_append(k, page(k, "a", 3, 100, journal_sink(k->j, "siem")));
	reopen(k);
	kit_run(k, 1500);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_CHECK], 0);
	kit_close(k);
	sql(k, "UPDATE meta SET value = 0 WHERE name = 'clean'");
	kit_must_open(k);
	kit_run(k, 1500);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_CHECK], 1);
	ck_assert_ptr_nonnull(strstr(k->text[JOURNAL_NOTE_CHECK], "no damage"));
}

static void
only_we_may_read_it(struct kit *k)
{
	static const char *const names[] = { "journal.db", "journal.db-wal", "journal.db-shm",
		"journal.lock", "journal.ballast" };

	kit_must_append(k, page(k, "a", 3, 100, journal_sink(k->j, "siem")));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *name = path(k, names[i]);
		struct stat st;

		ck_assert_msg(stat(name, &st) == 0, "%s", name);
		ck_assert_msg((st.st_mode & 0777) == 0600, "%s is %o", name, st.st_mode & 0777);
		free(name);
	}
}

static void
only_one_may_have_it(struct kit *k)
{
	struct err err = { 0 };

	ck_assert_ptr_null(journal_open(&journal_sqlite, &k->opts, NULL, NULL, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "held by another process"));
	ck_assert_int_eq(err.kind, ERR_CONF);
}

static void
marks_are_durable_within_a_second(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");

	kit_must_append(k, page(k, "a", 10, 100, siem));
	ck_assert_uint_eq(kit_drain(k, siem, true), 10);
	usleep(900000);
	/* As another reader of the file sees it, with nothing else going on. */
	ck_assert_int_eq(number(k, "SELECT count(*) FROM todo"), 0);
}

static bool
has_ready(struct kit *k)
{
	return k->ready[journal_sink(k->j, "siem")] > 0;
}

/* The clock was two hours ahead, and is set right: who waits 30 seconds waits no longer. */
static void
a_clock_that_is_set_back_delays_nothing(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	kit_must_append(k, page(k, "a", 1, 100, siem));
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	kit_settle(k, siem, &b->items[0], MARK_LATER, V(30), NULL);
	journal_batch_free(b);
	kit_run(k, 1300);
	kit_is_read(k, siem, "");
	atomic_store(&k->clock.wall, V(-7200));
	kit_run(k, 1300);
	kit_is_read(k, siem, "");
	k->ready[siem] = 0;
	atomic_store(&k->clock.ahead, 31000);
	atomic_store(&k->clock.wall, V(-7200 + 31));
	ck_assert_msg(kit_wait(k, has_ready, 10000), "it waits on");
	kit_is_read(k, siem, "a-0");
}

/* Somebody has the file locked just then: what could not be done is done later. */
static void
nor_where_that_cannot_be_written_at_once(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	char *name = path(k, "journal.db");
	struct journal_batch *b;
	sqlite3 *db;

	kit_must_append(k, page(k, "a", 1, 100, siem));
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	kit_settle(k, siem, &b->items[0], MARK_LATER, V(30), "a digest");
	journal_batch_free(b);
	kit_run(k, 1300);
	ck_assert_int_eq(sqlite3_open(name, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	atomic_store(&k->clock.wall, V(-7200));
	for (int i = 0; i < 600 && journal_state(k->j) == JOURNAL_OK; i++)
		kit_run(k, 50);
	ck_assert_int_ne(journal_state(k->j), JOURNAL_OK);
	sqlite3_close(db);
	for (int i = 0; i < 600 && journal_state(k->j) != JOURNAL_OK; i++)
		kit_run(k, 50);
	for (int i = 0; i < 600 && number(k, "SELECT max(due) FROM todo") == V(30); i++)
		kit_run(k, 50);
	ck_assert_int_le(number(k, "SELECT max(due) FROM todo"), V(-7200 + 30));
	free(name);
}

static void
idling_writes_nothing(struct kit *k)
{
	struct journal_stats before, after;

	kit_must_append(k, page(k, "a", 10, 100, journal_sink(k->j, "siem")));
	kit_run(k, 1500);
	journal_stats(k->j, &before);
	kit_run(k, 1500);
	journal_stats(k->j, &after);
	ck_assert_uint_eq(before.commits, after.commits);
}

/* However many letters there are: none is looked at but those of the page, and none is sorted. */
static void
a_page_of_letters_costs_a_page(struct kit *k)
{
	static const enum statement lists[] = { ST_DEAD_LIST, ST_DEAD_OF_SINK, ST_DEAD_OF_STREAM,
		ST_DEAD_OF_BOTH, ST_QUARANTINE_LIST, ST_QUARANTINE_OF_STREAM };
	struct store *s = journal_store_peek(k->j);

	for (unsigned i = 0; i < 8; i++) {
		struct journal_letters_ask ask = { .max = 10, .after = 100, .which = {
		    .box = i & 1 ? JOURNAL_QUARANTINE : JOURNAL_DEAD, .sink = i & 2 ? 1 : 0,
		    .streams = { 1, 2 }, .nstreams = i & 4 ? 2 : 0 } };

		journal_batch_free(kit_letters(k, &ask));
	}
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		ck_assert_int_gt(sqlite3_stmt_status(s->st[lists[i]], SQLITE_STMTSTATUS_RUN, 0), 0);
		ck_assert_int_eq(sqlite3_stmt_status(s->st[lists[i]], SQLITE_STMTSTATUS_SORT, 0), 0);
		ck_assert_int_eq(sqlite3_stmt_status(s->st[lists[i]], SQLITE_STMTSTATUS_FULLSCAN_STEP, 0), 0);
	}
}

/* ---- kill ---------------------------------------------------------------- */

struct killed {
	struct kit *kit;
	int pipe;
};

static void
tell_parent(void *arg, const struct journal_page *p, const struct journal_appended *r)
{
	const struct killed *killed = arg;
	const struct kit_page *kp = (const struct kit_page *)p;

	if (r->ok && write(killed->pipe, kp->ids, KIT_ID) < 0)
		_exit(2);
}

/* Appends, reads and settles without end, and says which pages were accepted. */
static void
child(struct kit *k, int fd, int round)
{
	struct killed killed = { .kit = k, .pipe = fd };
	uint32_t siem;

	kit_must_open(k);
	siem = journal_sink(k->j, "siem");
	for (unsigned i = 0;; i++) {
		char prefix[24];
		struct kit_page *p;

		snprintf(prefix, sizeof(prefix), "k%d-%u", round, i);
		p = page(k, prefix, 20, 3000, siem);
		p->page.is_full = i % 3 == 0;
		journal_append(k->j, &p->page, tell_parent, &killed);
		event_base_loop(k->base, EVLOOP_NONBLOCK);
		if (i % 5 == 4)
			kit_drain(k, siem, false);
	}
}

static void
kill_once(struct kit *k, int round, char (*accepted)[KIT_ID], size_t *n, size_t max)
{
	int fds[2];
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		event_reinit(k->base);
		child(k, fds[1], round);
	}
	close(fds[1]);
	usleep(20000 + (unsigned)round * 7919 % 60000);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	while (*n < max && read(fds[0], accepted[*n], KIT_ID) == KIT_ID)
		*n += 1;
	close(fds[0]);
}

static void
a_kill_loses_nothing(struct kit *k)
{
	enum { MOST = 4000 };
	static char accepted[MOST][KIT_ID];
	const char *soak = getenv("MSSPD_SOAK");
	int rounds = soak != NULL && strcmp(soak, "1") == 0 ? 200 : 8;
	struct journal_batch *b;
	size_t n = 0, found = 0;
	uint32_t siem;
	bool has_more = true;

	k->opts.max_size = 1024 * MIB;
	kit_close(k);
	/* A sanitizer's program gets less done before it is killed. */
	for (int i = 0; i < rounds || (n <= 8 && i < 20 * rounds); i++)
		kill_once(k, i, accepted, &n, MOST);
	ck_assert_uint_gt(n, 8);
	kit_must_open(k);
	siem = journal_sink(k->j, "siem");
	while (has_more) {
		b = kit_read(k, siem, 200, SIZE_MAX, NULL);
		/* A page is there wholly or not at all, and its first entry tells which. */
		for (size_t i = 0; i < b->n; i++)
			for (size_t a = 0; a < n; a++)
				found += str_is(b->items[i].id, accepted[a]);
		has_more = b->has_more;
		ck_assert_uint_eq(b->n % 20, 0);
		journal_batch_free(b);
	}
	ck_assert_msg(found == n, "%zu pages accepted, %zu found", n, found);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_SALVAGE], 0);
}

/* ---- schema -------------------------------------------------------------- */

static void
a_newer_schema_is_refused(struct kit *k)
{
	kit_must_append(k, page(k, "a", 5, 400, journal_sink(k->j, "siem")));
	kit_close(k);
	sql(k, "PRAGMA user_version = 8");
	ck_assert(!kit_open(k));
	ck_assert_int_eq(k->err.kind, ERR_CONF);
	ck_assert_ptr_nonnull(strstr(k->err.text, "version 8"));
	ck_assert_ptr_nonnull(strstr(k->err.text, "version 7"));
	ck_assert_uint_eq(files_like(k, "-damaged-"), 0);
}

/* As an msspd before this one left it: what it stored goes on. */
static void
version_2_is_brought_up(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");

	kit_must_append(k, page(k, "a", 5, 400, siem));
	kit_close(k);
	sql(k,
	    "ALTER TABLE entry DROP COLUMN routes; ALTER TABLE entry DROP COLUMN pack;"
	    "ALTER TABLE entry DROP COLUMN at; ALTER TABLE entry DROP COLUMN len; DROP TABLE pack;"
	    "ALTER TABLE entry DROP COLUMN remembered; ALTER TABLE memory DROP COLUMN given;"
	    "ALTER TABLE sink DROP COLUMN since;"
	    "DROP INDEX dead_order; DROP INDEX dead_retry; DROP INDEX quarantine_stream;"
	    OLDER_LETTERS "ALTER TABLE dead DROP COLUMN retry");
	sql(k, "PRAGMA user_version = 2");
	kit_must_open(k);
	kit_must_append(k, page(k, "b", 5, 400, siem));
	ck_assert_uint_eq(kit_drain(k, siem, true), 10);
	kit_close(k);
	ck_assert_int_eq(number(k, "PRAGMA user_version"), SCHEMA_VERSION);
	kit_must_open(k);
}

/* Its dead letters get their checksums. */
static void
version_6_is_brought_up(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	kit_must_append(k, page(k, "a", 2, 400, siem));
	b = kit_read(k, siem, 2, SIZE_MAX, NULL);
	kit_settle(k, siem, &b->items[0], MARK_DEAD, 0, NULL);
	kit_settle(k, siem, &b->items[1], MARK_DEAD, 0, NULL);
	journal_batch_free(b);
	kit_close(k);
	sql(k, OLDER_LETTERS "PRAGMA user_version = 6");
	kit_must_open(k);
	b = kit_letters(k, &(struct journal_letters_ask){ .max = 9, .max_bytes = 900 });
	ck_assert(kit_is(b, "a-0 a-1"));
	ck_assert_uint_eq(b->items[1].body.n, 400);
	journal_batch_free(b);
	ck_assert_uint_eq(kit_work_all(k, (struct journal_task){ .what = JOURNAL_RETRY,
	    .which = { .sink = siem } }).done, 2);
	kit_is_read(k, siem, "a-0 a-1");
	kit_close(k);
	ck_assert_int_eq(number(k, "PRAGMA user_version"), SCHEMA_VERSION);
	kit_must_open(k);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_QUARANTINE], 0);
}

/* Bringing it up reads what nobody read for long. */
static void
a_damaged_version_6_is_salvaged(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	char *name = path(k, "journal.db");
	struct journal_batch *b;
	int64_t root;
	FILE *f;

	kit_must_append(k, page(k, "a", 2, 400, siem));
	b = kit_read(k, siem, 1, SIZE_MAX, NULL);
	kit_settle(k, siem, &b->items[0], MARK_DEAD, 0, NULL);
	journal_batch_free(b);
	kit_close(k);
	sql(k, OLDER_LETTERS "PRAGMA user_version = 6");
	root = number(k, "SELECT rootpage FROM sqlite_schema WHERE name = 'dead'");
	f = fopen(name, "r+");
	fseek(f, (root - 1) * PAGE_SIZE, SEEK_SET);
	for (int i = 0; i < 8; i++)
		fputc(0xff, f);
	fclose(f);
	free(name);
	kit_must_open(k);
	kit_run(k, 50);
	ck_assert_uint_ge(k->notes[JOURNAL_NOTE_SALVAGE], 1);
	kit_is_read(k, siem, "a-1");
}

static void
a_foreign_database_is_refused(struct kit *k)
{
	kit_close(k);
	sql(k, "PRAGMA application_id = 5");
	ck_assert(!kit_open(k));
	ck_assert_ptr_nonnull(strstr(k->err.text, "not msspd's"));
}

static void
an_older_schema_is_brought_up(struct kit *k)
{
	static const char *const steps[] = { "CREATE TABLE t(a)", "ALTER TABLE t ADD COLUMN b",
		"UPDATE t SET b = a + 1" };
	static const char *const broken[] = { "CREATE TABLE t(a)", "ALTER TABLE t ADD COLUMN b",
		"UPDATE t SET b = a + 1", "CREATE TABLE u(a); UPDATE nothing SET a = 1" };
	char *name = path(k, "other.db");
	struct err err = { 0 };
	sqlite3_stmt *st;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(name, &db), SQLITE_OK);
	ck_assert(schema_migrate(db, steps, 1, &err));
	ck_assert_int_eq(sqlite3_exec(db, "INSERT INTO t VALUES(41)", NULL, NULL, NULL), SQLITE_OK);
	ck_assert(schema_migrate(db, steps, 3, &err));
	ck_assert_msg(!schema_migrate(db, broken, 4, &err), "a step that fails is no step");
	ck_assert_ptr_nonnull(strstr(err.text, "version 4"));
	ck_assert_msg(schema_migrate(db, steps, 3, &err), "and leaves the version before");
	ck_assert(!schema_migrate(db, steps, 2, &err));
	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT b FROM t", -1, &st, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	ck_assert_int_eq(sqlite3_column_int(st, 0), 42);
	sqlite3_finalize(st);
	ck_assert_int_ne(sqlite3_exec(db, "SELECT * FROM u", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	free(name);
}

static const struct stage_case cases[] = {
	{ "everything outlives a restart", everything_outlives_a_restart },
	{ "numbers of entries never come back", numbers_never_come_back },
	{ "an unclean stop is followed by a check, a clean one not", a_clean_stop_needs_no_check },
	{ "files are 0600", only_we_may_read_it },
	{ "a second process is refused", only_one_may_have_it },
	{ "a kill loses nothing that was accepted", a_kill_loses_nothing },
	{ "version 2 is brought up", version_2_is_brought_up },
	{ "version 6 is brought up, with its dead letters", version_6_is_brought_up },
	{ "version 6 with a page that is damaged is salvaged", a_damaged_version_6_is_salvaged },
	{ "a newer schema is refused", a_newer_schema_is_refused },
	{ "a foreign database is refused", a_foreign_database_is_refused },
	{ "an older schema is brought up to date", an_older_schema_is_brought_up },
	{ "marks are durable within a second", marks_are_durable_within_a_second },
	{ "a clock that is set back delays nothing", a_clock_that_is_set_back_delays_nothing },
	{ "nor where that cannot be written at once", nor_where_that_cannot_be_written_at_once },
	{ "idling writes nothing", idling_writes_nothing },
	{ "a page of letters costs a page", a_page_of_letters_costs_a_page },
};

int
main(void)
{
	return run_cases("journal_sqlite", cases, (int)ARRAY_LEN(cases));
}
