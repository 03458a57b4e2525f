#include <check.h>
#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "tests/unit/journal_kit.h"

/* What the SQLite engine promises beyond the contract: all that concerns the file. */
#define V(n) (KIT_START + (n) * TICKS_SEC)
#define MIB  (UINT64_C(1) << 20)

static uint32_t
stream(struct kit *k)
{
	return journal_stream(k->j, "global/1111/alerts", "about 1111");
}

static struct kit_page *
page(struct kit *k, const char *prefix, size_t n, size_t len, uint32_t sink)
{
	struct kit_page *p = kit_page(k, stream(k), prefix, n, len, V(1));

	kit_route(p, sink);
	return p;
}

static void
reopen(struct kit *k)
{
	kit_close(k);
	kit_must_open(k);
}

static void
is_read(struct kit *k, uint32_t sink, const char *ids)
{
	struct journal_batch *b = kit_read(k, sink, 100, SIZE_MAX, NULL);

	ck_assert_msg(kit_is(b, ids), "%zu items, want \"%s\"", b->n, ids);
	journal_batch_free(b);
}

static char *
path(struct kit *k, const char *name)
{
	return xasprintf("%s/%s", k->dir, name);
}

/* The file as another program sees it; msspd is not running. */
static void
sql(struct kit *k, const char *text)
{
	char *name = path(k, "journal.db"), *why = NULL;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(name, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, &why) == SQLITE_OK, "%s", why);
	sqlite3_close(db);
	free(name);
}

static int64_t
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

static unsigned
files_like(struct kit *k, const char *part)
{
	DIR *dir = opendir(k->dir);
	unsigned n = 0;

	for (struct dirent *d = readdir(dir); d != NULL; d = readdir(dir))
		n += strstr(d->d_name, part) != NULL && strstr(d->d_name, "-wal") == NULL;
	closedir(dir);
	return n;
}

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
	is_read(k, siem, "a-2 a-3");
	/* Only the one with a memo waits on. */
	is_read(k, mail, "a-1 a-2 a-3");
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

/* ---- damage -------------------------------------------------------------- */

/* Flips a bit of the last of these bytes, where the file has them first. */
static void
damage(struct kit *k, const char *bytes)
{
	char *name = path(k, "journal.db"), *all, *hit;
	int fd = open(name, O_RDWR);
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	all = xmalloc((size_t)st.st_size);
	ck_assert_int_eq(pread(fd, all, (size_t)st.st_size, 0), st.st_size);
	hit = memmem(all, (size_t)st.st_size, bytes, strlen(bytes));
	ck_assert_ptr_nonnull(hit);
	hit[strlen(bytes) - 1] ^= 0x10;
	ck_assert_int_eq(pwrite(fd, all, (size_t)st.st_size, 0), st.st_size);
	close(fd);
	free(all);
	free(name);
}

static void
a_flipped_bit_goes_to_quarantine(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), mail = journal_sink(k->j, "mail");
	struct kit_page *p = page(k, "a", 5, 400, siem);
	struct journal_stats stats;

	kit_route(p, mail);
	kit_must_append(k, p);
	kit_close(k);
	damage(k, "a-3a-3a-3");
	kit_must_open(k);
	is_read(k, siem, "a-0 a-1 a-2 a-4");
	kit_run(k, 20);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_QUARANTINE], 1);
	ck_assert_uint_eq(kit_backlog(k, mail).entries, 4);
	is_read(k, mail, "a-0 a-1 a-2 a-4");
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.quarantine, 1);
	kit_close(k);
	ck_assert_int_eq(number(k, "SELECT count(*) FROM quarantine WHERE id = CAST('a-3' AS BLOB)"),
	    1);
	ck_assert_int_eq(number(k, "SELECT count(*) FROM todo WHERE seq = 4"), 0);
}

static void
the_check_finds_flipped_bits(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");

	kit_must_append(k, page(k, "a", 500, 400, siem));
	kit_close(k);
	damage(k, "a-333a-333a-333");
	sql(k, "UPDATE meta SET value = 0 WHERE name = 'clean'");
	kit_must_open(k);
	kit_run(k, 2000);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_QUARANTINE], 1);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_CHECK], 1);
	ck_assert_ptr_nonnull(strstr(k->text[JOURNAL_NOTE_CHECK], "1 damaged"));
	ck_assert_uint_eq(kit_backlog(k, siem).entries, 499);
}

static void
what_is_no_database_is_set_aside(struct kit *k)
{
	char *name;
	int fd;

	kit_must_append(k, page(k, "a", 5, 400, journal_sink(k->j, "siem")));
	kit_close(k);
	name = path(k, "journal.db");
	fd = open(name, O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "this is not a database, or not any more", 39, 0), 39);
	close(fd);
	free(name);
	kit_must_open(k);
	kit_run(k, 20);
	ck_assert_uint_ge(k->notes[JOURNAL_NOTE_SALVAGE], 1);
	ck_assert_uint_eq(files_like(k, "-damaged-"), 1);
	kit_must_append(k, page(k, "a", 5, 400, journal_sink(k->j, "siem")));
	is_read(k, journal_sink(k->j, "siem"), "a-0 a-1 a-2 a-3 a-4");
}

/* Writes over the page of that number, counted from 1. */
static void
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

static void
names_and_cursors_are_salvaged(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), number_of = stream(k);
	struct journal_cursor c;
	struct journal_stats stats;

	kit_must_append(k, page(k, "a", 300, 400, siem));
	kit_close(k);
	smash_page(k, number(k, "SELECT rootpage FROM sqlite_schema WHERE name = 'memory'"));
	sql(k, "UPDATE meta SET value = 0 WHERE name = 'clean'");
	kit_must_open(k);
	kit_run(k, 2500);
	ck_assert_uint_ge(k->notes[JOURNAL_NOTE_SALVAGE], 1);
	ck_assert_uint_eq(files_like(k, "-damaged-"), 1);
	ck_assert_int_eq(journal_state(k->j), JOURNAL_OK);
	ck_assert_uint_eq(journal_sink(k->j, "siem"), siem);
	ck_assert_uint_eq(stream(k), number_of);
	ck_assert(journal_cursor(k->j, number_of, "live", &c));
	ck_assert_msg(c.at == V(1), "nothing undelivered was lost, so the cursor stays");
	ck_assert_uint_eq(kit_drain(k, siem, false), 300);
	journal_stats(k->j, &stats);
	ck_assert_uint_lt(stats.remembered, 300);
}

static void
lost_entries_are_read_again(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	const struct journal_period asked = { .stream = stream(k), .from = V(0), .to = V(90),
		.at = V(40), .made = V(0) };
	uint64_t period = journal_period_add(k->j, &asked);
	struct journal_period p;
	struct journal_cursor c;
	struct journal_appended r;
	size_t kept;

	kit_must_append(k, page(k, "a", 300, 400, siem));
	kit_close(k);
	sql(k, "INSERT INTO gap(n, why) VALUES(1, 'an old one'), (2, 'another')");
	/* A leaf of the entries: they are the largest table. */
	smash_page(k, number(k, "SELECT pageno FROM dbstat WHERE name = 'entry' "
	                        "AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 2"));
	kit_must_open(k);
	siem = journal_sink(k->j, "siem");
	for (int i = 0; i < 50 && k->notes[JOURNAL_NOTE_SALVAGE] == 0; i++) {
		struct err err = { 0 };

		journal_batch_free(kit_read(k, siem, 200, SIZE_MAX, &err));
		kit_run(k, 50);
	}
	kit_run(k, 300);
	ck_assert_int_eq(journal_state(k->j), JOURNAL_OK);
	ck_assert(journal_cursor(k->j, stream(k), "live", &c));
	ck_assert_msg(c.at < V(-80000), "the cursor went back a day");
	ck_assert(journal_period_find(k->j, period, &p));
	ck_assert_msg(p.at == TICKS_NONE && p.to == V(90), "a period is read from its beginning");
	kept = kit_backlog(k, siem).entries;
	ck_assert_uint_gt(kept, 100);
	ck_assert_uint_lt(kept, 300);
	r = kit_append(k, page(k, "a", 300, 400, siem));
	ck_assert(r.ok);
	ck_assert_msg(r.forwarded == 300, "what was lost must not count as known");
	journal_rewind(k->j, siem);
	ck_assert_uint_eq(kit_drain(k, siem, false), 300 + kept);
	kit_close(k);
	ck_assert_int_eq(number(k, "SELECT count(*) FROM gap"), 3);
	kit_must_open(k);
}

/* ---- schema -------------------------------------------------------------- */

static void
a_newer_schema_is_refused(struct kit *k)
{
	kit_must_append(k, page(k, "a", 5, 400, journal_sink(k->j, "siem")));
	kit_close(k);
	sql(k, "PRAGMA user_version = 7");
	ck_assert(!kit_open(k));
	ck_assert_int_eq(k->err.kind, ERR_CONF);
	ck_assert_ptr_nonnull(strstr(k->err.text, "version 7"));
	ck_assert_ptr_nonnull(strstr(k->err.text, "version 6"));
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
	    "ALTER TABLE dead DROP COLUMN retry");
	sql(k, "PRAGMA user_version = 2");
	kit_must_open(k);
	kit_must_append(k, page(k, "b", 5, 400, siem));
	ck_assert_uint_eq(kit_drain(k, siem, true), 10);
	kit_close(k);
	ck_assert_int_eq(number(k, "PRAGMA user_version"), SCHEMA_VERSION);
	kit_must_open(k);
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

/* ---- room ---------------------------------------------------------------- */

static void
high_water_pauses_and_resumes(struct kit *k)
{
	struct journal_appended r = { .ok = true };
	struct kit_page *urgent;
	uint32_t siem;
	size_t accepted = 0, taken;

	kit_close(k);
	k->opts.max_size = 16 * MIB;
	kit_must_open(k);
	siem = journal_sink(k->j, "siem");
	for (int i = 0; i < 100 && r.ok; i++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "p%d", i);
		r = kit_append(k, page(k, prefix, 100, 5200, siem));
		accepted += r.forwarded;
	}
	ck_assert(!r.ok);
	ck_assert_int_eq(r.state, JOURNAL_PAUSED);
	ck_assert_uint_gt(accepted, 1500);
	kit_run(k, 20);
	ck_assert_int_eq(journal_state(k->j), JOURNAL_PAUSED);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_STATE], 1);
	urgent = page(k, "urgent", 1, 500, siem);
	urgent->page.is_urgent = true;
	ck_assert_msg(kit_append(k, urgent).ok, "what is urgent is taken");
	ck_assert(!kit_append(k, page(k, "not", 1, 500, siem)).ok);
	accepted++;
	taken = kit_drain(k, siem, true);
	ck_assert_uint_eq(taken, accepted);
	kit_wait_backlog(k, siem, 0);
	kit_run(k, 1500);
	ck_assert_int_eq(journal_state(k->j), JOURNAL_OK);
	ck_assert_int_eq(k->state, JOURNAL_OK);
	ck_assert(kit_append(k, page(k, "z", 100, 5200, siem)).ok);
}

static bool
is_small(struct kit *k)
{
	struct journal_stats stats;

	journal_stats(k->j, &stats);
	return stats.file_bytes < 6 * MIB;
}

static void
the_file_shrinks_after_an_outage(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_stats stats;

	for (int i = 0; i < 40; i++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "p%d", i);
		kit_must_append(k, page(k, prefix, 100, 5200, siem));
	}
	journal_stats(k->j, &stats);
	ck_assert_uint_gt(stats.file_bytes, 20 * MIB);
	ck_assert_uint_eq(kit_drain(k, siem, true), 4000);
	ck_assert_msg(kit_wait(k, is_small, 10000), "the file did not shrink");
	kit_close(k);
	ck_assert_int_lt(number(k, "PRAGMA page_count"), 6 * 64);
}

static void
the_log_is_emptied(struct kit *k)
{
	char *name = path(k, "journal.db-wal");
	uint32_t siem = journal_sink(k->j, "siem");
	struct stat st;

	for (int i = 0; i < 110; i++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "p%d", i);
		kit_must_append(k, page(k, prefix, 200, 5200, siem));
		kit_drain(k, siem, true);
	}
	ck_assert_int_eq(stat(name, &st), 0);
	ck_assert_int_lt(st.st_size, (int64_t)(80 * MIB));
	free(name);
}

static void
delivered_entries_stay_a_while(struct kit *k)
{
	uint32_t siem;
	struct journal_stats stats;

	kit_close(k);
	k->opts.keep_delivered_ms = 3600000;
	kit_must_open(k);
	siem = journal_sink(k->j, "siem");
	kit_must_append(k, page(k, "a", 50, 100, siem));
	kit_drain(k, siem, true);
	kit_run(k, 1500);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.entries, 50);
	atomic_store(&k->clock.wall, V(3599));
	kit_run(k, 1200);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.entries, 50);
	atomic_store(&k->clock.wall, V(3601));
	kit_run(k, 1500);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.entries, 0);
}

static void
delivered_entries_make_room(struct kit *k)
{
	uint32_t siem;

	kit_close(k);
	k->opts.keep_delivered_ms = 3600000;
	k->opts.max_size = 16 * MIB;
	kit_must_open(k);
	siem = journal_sink(k->j, "siem");
	for (int i = 0; i < 100; i++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "p%d", i);
		kit_must_append(k, page(k, prefix, 100, 5200, siem));
		ck_assert_uint_eq(kit_drain(k, siem, true), 100);
	}
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_STATE], 0);
}

static void
memory_is_forgotten_in_time(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct kit_page *p = page(k, "a", 100, 10, siem);
	struct journal_stats stats;

	/* The newer half lies inside the window that is read again and again. */
	for (size_t i = 0; i < 100; i++)
		p->page.entries[i].now.version = V((int64_t)i);
	p->page.window_from = V(50);
	kit_must_append(k, p);
	atomic_store(&k->clock.wall, V(191 * 86400));
	atomic_store(&k->clock.ahead, 700000);
	kit_run(k, 1500);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.remembered, 50);
	ck_assert_uint_eq(kit_append(k, page(k, "a", 100, 10, siem)).skipped, 50);
}

/* Many that stay, the oldest, do not hide those behind them. */
static void
memory_is_forgotten_behind_what_stays(struct kit *k)
{
	struct kit_page *p = page(k, "a", 600, 10, journal_sink(k->j, "siem"));
	struct journal_stats stats;

	for (size_t i = 0; i < 600; i++) {
		p->page.entries[i].now.version = i < 300 ? V(50) : V(0);
		p->page.entries[i].now.created = V(i < 300 ? -2 * 3600 : 0);
	}
	p->page.window_from = V(50);
	kit_must_append(k, p);
	atomic_store(&k->clock.wall, V(191 * 86400));
	atomic_store(&k->clock.ahead, 700000);
	kit_run(k, 1500);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.remembered, 300);
}

/* A page that may stay, its entries with something of the judge's. */
static struct kit_page *
staying(struct kit *k, const char *prefix, size_t keeps, uint32_t sink)
{
	struct kit_page *p = page(k, prefix, 3, 100, sink);

	p->page.keeps = keeps;
	for (size_t i = 0; i < p->page.n; i++)
		p->page.entries[i].user = p;
	return p;
}

static void
what_is_new_is_handed_out_from_memory(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct kit_page *p = staying(k, "a", 1000, siem);
	struct journal_batch *b[2];

	kit_must_append(k, p);
	for (int i = 0; i < 2; i++) {
		b[i] = kit_read(k, siem, 10, SIZE_MAX, NULL);
		ck_assert(kit_is(b[i], "a-0 a-1 a-2"));
		ck_assert_ptr_eq(b[i]->items[2].user, p);
		ck_assert_ptr_eq(b[i]->items[2].body.s, p->page.entries[2].body);
		ck_assert_int_eq(b[i]->items[2].journalled, KIT_START);
		journal_rewind(k->j, siem);
	}
	kit_close(k);
	ck_assert_msg(k->released == 0, "batches lean on it");
	journal_batch_free(b[0]);
	ck_assert_uint_eq(k->released, 0);
	journal_batch_free(b[1]);
	ck_assert_uint_eq(k->released, 1);
}

static void
memory_for_what_is_new_is_bounded(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	kit_must_append(k, staying(k, "a", 4 << 20, siem));
	kit_must_append(k, staying(k, "b", 4 << 20, siem));
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	ck_assert_uint_eq(k->released, 1);
	ck_assert(kit_is(b, "a-0 a-1 a-2 b-0 b-1 b-2"));
	ck_assert_ptr_null(b->items[2].user);
	ck_assert_ptr_nonnull(b->items[3].user);
	journal_batch_free(b);
	kit_run(k, 4500);
	ck_assert_msg(k->released == 2, "nor does it stay when nothing follows");
}

static int64_t
mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
a_storm_waits_for_a_sink_that_reads(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	int64_t began = mono_ms();
	struct journal_batch *b;

	kit_must_append(k, staying(k, "a", 2 << 20, siem));
	journal_batch_free(kit_read(k, siem, 1, SIZE_MAX, NULL));
	kit_must_append(k, staying(k, "b", 2 << 20, siem));
	kit_must_append(k, staying(k, "c", 2 << 20, siem));
	ck_assert_int_ge(mono_ms() - began, 95);
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	ck_assert(kit_is(b, "a-1 a-2 b-0 b-1 b-2 c-0 c-1 c-2"));
	for (size_t i = 0; i < b->n; i++)
		ck_assert_ptr_nonnull(b->items[i].user);
	journal_batch_free(b);
}

/* One that is far behind is given up: not 40 times 50 ms and more. */
static void
a_storm_does_not_wait_for_the_slow(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	char prefix[16];
	int64_t began;

	for (int i = 0; i < 30; i++) {
		snprintf(prefix, sizeof(prefix), "p%d", i);
		kit_must_append(k, page(k, prefix, 400, 10, siem));
	}
	began = mono_ms();
	for (int i = 0; i < 40; i++) {
		snprintf(prefix, sizeof(prefix), "q%d", i);
		journal_batch_free(kit_read(k, siem, 1, SIZE_MAX, NULL));
		kit_must_append(k, staying(k, prefix, 2 << 20, siem));
	}
	ck_assert_int_lt(mono_ms() - began, 1800);
}

static void
dead_letters_have_a_cap(struct kit *k)
{
	uint32_t siem;
	struct journal_stats stats;

	kit_close(k);
	k->opts.max_size = 16 * MIB;
	kit_must_open(k);
	siem = journal_sink(k->j, "siem");
	for (int i = 0; i < 6; i++) {
		char prefix[16];
		struct journal_batch *b;

		snprintf(prefix, sizeof(prefix), "p%d", i);
		kit_must_append(k, page(k, prefix, 60, 5200, siem));
		b = kit_read(k, siem, 100, SIZE_MAX, NULL);
		for (size_t n = 0; n < b->n; n++)
			kit_settle(k, siem, &b->items[n], MARK_DEAD, 0, NULL);
		journal_batch_free(b);
		kit_wait_backlog(k, siem, 0);
	}
	for (int i = 0; i < 20; i++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "q%d", i);
		kit_must_append(k, page(k, prefix, 1, 10, 0));
	}
	journal_stats(k->j, &stats);
	/* A sixteenth of 16 MiB. */
	ck_assert_uint_le(stats.dead, (1 << 20) / 5200 + 1);
	ck_assert_uint_gt(stats.dead, 150);
	ck_assert_uint_eq(kit_backlog(k, siem).dead, stats.dead);
	ck_assert_uint_gt(k->notes[JOURNAL_NOTE_DEAD_CAP], 0);
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

static const struct {
	const char *says;
	void (*run)(struct kit *k);
} cases[] = {
	{ "everything outlives a restart", everything_outlives_a_restart },
	{ "numbers of entries never come back", numbers_never_come_back },
	{ "an unclean stop is followed by a check, a clean one not", a_clean_stop_needs_no_check },
	{ "files are 0600", only_we_may_read_it },
	{ "a second process is refused", only_one_may_have_it },
	{ "a kill loses nothing that was accepted", a_kill_loses_nothing },
	{ "a flipped bit: quarantine, not delivery", a_flipped_bit_goes_to_quarantine },
	{ "the background check finds flipped bits", the_check_finds_flipped_bits },
	{ "a file that is no database is set aside", what_is_no_database_is_set_aside },
	{ "damage to one table leaves the others", names_and_cursors_are_salvaged },
	{ "what may be lost is read again", lost_entries_are_read_again },
	{ "version 2 is brought up", version_2_is_brought_up },
	{ "a newer schema is refused", a_newer_schema_is_refused },
	{ "a foreign database is refused", a_foreign_database_is_refused },
	{ "an older schema is brought up to date", an_older_schema_is_brought_up },
	{ "high water pauses, draining resumes", high_water_pauses_and_resumes },
	{ "the file shrinks after an outage", the_file_shrinks_after_an_outage },
	{ "the log is emptied into the database", the_log_is_emptied },
	{ "delivered entries stay for keep_delivered", delivered_entries_stay_a_while },
	{ "but not when the room is needed", delivered_entries_make_room },
	{ "memory is forgotten in time, never in the window", memory_is_forgotten_in_time },
	{ "nor only as far as the first that stay", memory_is_forgotten_behind_what_stays },
	{ "what is new is handed out from memory", what_is_new_is_handed_out_from_memory },
	{ "what is kept in memory has a bound", memory_for_what_is_new_is_bounded },
	{ "a storm waits for a sink that reads", a_storm_waits_for_a_sink_that_reads },
	{ "a storm does not wait for the slow", a_storm_does_not_wait_for_the_slow },
	{ "dead letters have a cap", dead_letters_have_a_cap },
	{ "marks are durable within a second", marks_are_durable_within_a_second },
	{ "idling writes nothing", idling_writes_nothing },
};

START_TEST(test_file)
{
	struct kit k;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	cases[_i].run(&k);
	kit_release(&k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("journal_sqlite");
	TCase *tc = tcase_create("file");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_file, 0, (int)ARRAY_LEN(cases));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
