/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <event2/event.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "tests/unit/fault_vfs.h"
#include "tests/unit/journal_kit.h"

/*
 * Every call of SQLite to the disk, and every allocation inside it, fails once.
 * Whatever happens: no crash, what was said to be accepted is there after the
 * next start, what was not is said so, and work goes on by itself afterwards.
 * The call numbers are sampled, with MSSPD_SOAK set all of them.
 */
#define V(n)  (KIT_START + (n) * TICKS_SEC)
#define PAGES 12

/* ---- allocations --------------------------------------------------------- */

static sqlite3_mem_methods real_memory;
static _Atomic int alloc_calls, alloc_nth;

static bool
is_alloc_hit(void)
{
	return atomic_fetch_add(&alloc_calls, 1) + 1 == atomic_load(&alloc_nth);
}

static void *
failing_malloc(int n)
{
	return is_alloc_hit() ? NULL : real_memory.xMalloc(n);
}

static void *
failing_realloc(void *p, int n)
{
	return is_alloc_hit() ? NULL : real_memory.xRealloc(p, n);
}

static void
alloc_arm(int nth)
{
	atomic_store(&alloc_nth, nth);
	atomic_store(&alloc_calls, 0);
}

static void
install_memory(void)
{
	sqlite3_mem_methods failing;

	sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
	failing = real_memory;
	failing.xMalloc = failing_malloc;
	failing.xRealloc = failing_realloc;
	sqlite3_config(SQLITE_CONFIG_MALLOC, &failing);
}

/* ---- a life with one fault ----------------------------------------------- */

struct life {
	struct kit k;
	uint32_t keep, take, gone; /* one never settles, one settles all */
	char accepted[4 * PAGES][KIT_ID];
	size_t naccepted;
	unsigned refused;
	unsigned pages;
};

static void
copy_dir(const char *from, const char *to)
{
	char command[256];

	snprintf(command, sizeof(command), "cp %s/journal.db* %s/", from, to);
	ck_assert_int_eq(system(command), 0);
}

static bool
append(struct life *l, size_t n, bool is_full)
{
	struct kit_page *p;
	struct journal_appended r;
	char prefix[16], first[KIT_ID];

	snprintf(prefix, sizeof(prefix), "p%u", l->pages++);
	p = kit_page(&l->k, journal_stream(l->k.j, "global/1/alerts", "one"), prefix, n, 3000, V(1));
	kit_route(p, l->keep);
	kit_route(p, l->take);
	kit_route(p, l->gone);
	p->page.is_full = is_full;
	if (l->pages % 2 == 0)
		kit_pack(p);
	snprintf(first, sizeof(first), "%s", p->page.entries[0].id.s);
	r = kit_append(&l->k, p);
	if (r.ok) {
		snprintf(l->accepted[l->naccepted++], KIT_ID, "%s", first);
		ck_assert_uint_eq(r.forwarded, n);
	} else {
		l->refused++;
		ck_assert_msg(r.err.text[0] != '\0', "a refusal says why");
	}
	return r.ok;
}

static void
take(struct life *l)
{
	struct err err = { 0 };
	struct journal_batch *b = kit_read(&l->k, l->take, 30, SIZE_MAX, &err);

	for (size_t i = 0; i < b->n; i++)
		kit_settle(&l->k, l->take, &b->items[i], i % 10 == 9 ? MARK_DEAD : MARK_OK, 0, NULL);
	journal_batch_free(b);
}

/* Some of all that a journal does. */
static void
live(struct life *l)
{
	for (int i = 0; i < 4; i++) {
		append(l, 10, i % 2 == 0);
		take(l);
		if (i == 1)
			journal_rewind(l->k.j, l->take);
		journal_sink_park(l->k.j, l->gone, i % 2 == 0);
	}
	journal_sinks_declare(l->k.j, (const char *const[]) { "keep", "take" }, 2);
}

/* By itself, without a restart. */
static void
must_recover(struct life *l)
{
	for (int i = 0; i < 20; i++) {
		if (append(l, 3, true))
			return;
		atomic_fetch_add(&l->k.clock.ahead, 6000);
		kit_run(&l->k, 300);
	}
	ck_abort_msg("the journal takes nothing any more: %s",
	    l->k.text[JOURNAL_NOTE_STATE]);
}

/* To the sink that is parked now and then: an entry, or a period that it lies in. */
static void
must_be_owed(struct life *l)
{
	struct journal_backlog log = kit_backlog(&l->k, l->gone);
	struct journal_period p = { .to = 0 };
	size_t n = journal_periods(l->k.j, &p, 1);

	ck_assert_msg(l->naccepted == 0 || log.entries >= 10 * l->naccepted
	    || (n == 1 && p.from <= V(1) && p.to > V(1)), "the parked sink lost entries");
}

static void
must_be_there(struct life *l)
{
	struct journal_stats stats;
	struct journal_batch *b;
	size_t found = 0;
	bool has_more = true;

	while (has_more) {
		b = kit_read(&l->k, l->keep, 200, SIZE_MAX, NULL);
		for (size_t i = 0; i < b->n; i++)
			for (size_t a = 0; a < l->naccepted; a++)
				found += str_is(b->items[i].id, l->accepted[a]);
		has_more = b->has_more;
		journal_batch_free(b);
	}
	ck_assert_msg(found >= l->naccepted, "%zu pages accepted, %zu there", l->naccepted, found);
	must_be_owed(l);
	journal_stats(l->k.j, &stats);
	ck_assert_msg(stats.quarantine == 0, "what cannot be read now is not damaged");
}

static void
life_open(struct life *l)
{
	kit_must_open(&l->k);
	l->keep = journal_sink(l->k.j, "keep");
	l->take = journal_sink(l->k.j, "take");
	l->gone = journal_sink(l->k.j, "gone");
}

static void
life_init(struct life *l, const char *template)
{
	*l = (struct life) { .pages = 100 };
	kit_init(&l->k, &journal_sqlite);
	l->k.opts.vfs = "fault";
	if (template != NULL)
		copy_dir(template, l->k.dir);
}

/* armed: what to do before the faulty life begins. Returns false when no call was that late. */
static bool
live_with(const char *template, void (*arm)(unsigned nth, int code), unsigned nth, int code,
    unsigned (*failed)(void))
{
	struct life l;
	bool was_hit;

	life_init(&l, template);
	arm(nth, code);
	/* It may be refused to open, with a reason. */
	if (kit_open(&l.k)) {
		l.keep = journal_sink(l.k.j, "keep");
		l.take = journal_sink(l.k.j, "take");
		l.gone = journal_sink(l.k.j, "gone");
		live(&l);
		was_hit = failed() > 0;
		if (was_hit)
			must_recover(&l);
		kit_close(&l.k);
	} else {
		ck_assert_msg(l.k.err.text[0] != '\0', "a refusal says why");
	}
	was_hit = failed() > 0;
	arm(0, 0);
	life_open(&l);
	must_be_there(&l);
	must_recover(&l);
	ck_assert_uint_eq(l.k.notes[JOURNAL_NOTE_SALVAGE], 0);
	kit_release(&l.k);
	return was_hit;
}

/* A journal as a crash leaves it: with a log that was not emptied. */
static char *
make_template(void)
{
	struct life l;
	char *dir = xasprintf("%s/journal-template-XXXXXX",
	    getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");

	ck_assert_ptr_nonnull(mkdtemp(dir));
	life_init(&l, NULL);
	l.pages = 0;
	life_open(&l);
	live(&l);
	kit_run(&l.k, 400);
	copy_dir(l.k.dir, dir);
	kit_release(&l.k);
	return dir;
}

static void
remove_template(char *dir)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
	free(dir);
}

/* ---- the disk ------------------------------------------------------------ */

static enum fault_kind armed_kind;

static void
arm_disk(unsigned nth, int code)
{
	fault_vfs_arm(armed_kind, nth, code, false);
}

static const struct {
	const char *says;
	enum fault_kind kind;
	int code;
	unsigned step; /* of the sample */
} disk_cases[] = {
	{ "a write finds the disk full", FAULT_WRITE, SQLITE_FULL, 23 },
	{ "a write fails", FAULT_WRITE, SQLITE_IOERR_WRITE, 29 },
	{ "a sync fails", FAULT_SYNC, SQLITE_IOERR_FSYNC, 2 },
	{ "a truncate fails", FAULT_TRUNCATE, SQLITE_IOERR_TRUNCATE, 1 },
	{ "a truncate finds the disk full", FAULT_TRUNCATE, SQLITE_FULL, 1 },
	{ "a file cannot be opened", FAULT_OPEN, SQLITE_CANTOPEN, 1 },
	{ "a read fails", FAULT_READ, SQLITE_IOERR_READ, 19 },
	{ "a file cannot be removed", FAULT_DELETE, SQLITE_IOERR_DELETE, 1 },
};

START_TEST(test_disk)
{
	unsigned step = getenv("MSSPD_SOAK") != NULL ? 1 : disk_cases[_i].step, nth = 1;
	char *template = make_template();

	armed_kind = disk_cases[_i].kind;
	while (live_with(template, arm_disk, nth, disk_cases[_i].code, fault_vfs_failed))
		nth += step;
	ck_assert_msg(nth > 1, "%s: never tried", disk_cases[_i].says);
	remove_template(template);
}
END_TEST

/* ---- memory -------------------------------------------------------------- */

static void
arm_alloc(unsigned nth, int code)
{
	(void)code;
	alloc_arm((int)nth);
}

static unsigned
alloc_failed(void)
{
	int nth = atomic_load(&alloc_nth);

	return nth != 0 && atomic_load(&alloc_calls) >= nth;
}

START_TEST(test_alloc)
{
	unsigned step = getenv("MSSPD_SOAK") != NULL ? 1 : 61, nth = 1;
	char *template = make_template();

	while (live_with(template, arm_alloc, nth, 0, alloc_failed))
		nth += step;
	ck_assert_uint_gt(nth, 1);
	remove_template(template);
}
END_TEST

/* ---- what was stored packed ---------------------------------------------- */

/* Read from the file, not from SQLite's memory of it; one call fails. */
static bool
read_packed(const char *template, void (*arm)(unsigned nth, int code), unsigned nth, int code,
    unsigned (*failed)(void))
{
	struct err err = { 0 };
	struct life l;
	bool was_hit;

	life_init(&l, template);
	life_open(&l);
	arm(nth, code);
	journal_batch_free(kit_read(&l.k, l.keep, 200, SIZE_MAX, &err));
	was_hit = failed() > 0;
	arm(0, 0);
	atomic_fetch_add(&l.k.clock.ahead, 6000);
	kit_run(&l.k, 50);
	journal_rewind(l.k.j, l.keep);
	l.naccepted = 1;
	snprintf(l.accepted[0], KIT_ID, "p1-0");
	must_be_there(&l);
	kit_release(&l.k);
	return was_hit;
}

static void
read_packed_each(void (*arm)(unsigned nth, int code), int code, unsigned (*failed)(void))
{
	char *template = make_template();
	unsigned nth = 1;

	while (read_packed(template, arm, nth, code, failed))
		nth++;
	ck_assert_uint_gt(nth, 1);
	remove_template(template);
}

START_TEST(test_packed)
{
	armed_kind = FAULT_READ;
	read_packed_each(arm_disk, SQLITE_IOERR_READ, fault_vfs_failed);
	read_packed_each(arm_alloc, 0, alloc_failed);
}
END_TEST

/* ---- a disk that stays full, or broken ----------------------------------- */

START_TEST(test_full_for_long)
{
	struct life l;
	char *ballast;

	fault_vfs_disarm();
	life_init(&l, NULL);
	life_open(&l);
	live(&l);
	fault_vfs_arm(FAULT_WRITE, 1, SQLITE_FULL, true);
	ck_assert(!append(&l, 10, true));
	kit_run(&l.k, 50);
	ck_assert_int_eq(journal_state(l.k.j), JOURNAL_PAUSED);
	ck_assert_int_eq(l.k.state, JOURNAL_PAUSED);
	take(&l);
	kit_run(&l.k, 600);
	ballast = xasprintf("%s/journal.ballast", l.k.dir);
	ck_assert_msg(access(ballast, F_OK) < 0, "the ballast is let go for marks");
	fault_vfs_disarm();
	must_recover(&l);
	kit_wait_backlog(&l.k, l.take, kit_backlog(&l.k, l.take).entries);
	ck_assert_int_eq(journal_state(l.k.j), JOURNAL_OK);
	ck_assert_msg(access(ballast, F_OK) == 0, "and made again");
	free(ballast);
	kit_close(&l.k);
	life_open(&l);
	must_be_there(&l);
	kit_release(&l.k);
}
END_TEST

START_TEST(test_broken_for_long)
{
	struct err err = { 0 };
	struct life l;

	fault_vfs_disarm();
	life_init(&l, NULL);
	life_open(&l);
	live(&l);
	fault_vfs_arm(FAULT_SYNC, 1, SQLITE_IOERR_FSYNC, true);
	ck_assert(!append(&l, 10, true));
	kit_run(&l.k, 400);
	ck_assert_int_eq(journal_state(l.k.j), JOURNAL_FAILED);
	ck_assert_int_eq(l.k.state, JOURNAL_FAILED);
	ck_assert(!append(&l, 10, true));
	journal_batch_free(kit_read(&l.k, l.keep, 10, SIZE_MAX, &err));
	ck_assert_msg(err.text[0] != '\0', "a read says so too");
	fault_vfs_disarm();
	must_recover(&l);
	kit_run(&l.k, 20);
	ck_assert_int_eq(l.k.state, JOURNAL_OK);
	kit_run(&l.k, 300);
	ck_assert_uint_ge(l.k.ready[l.keep], 1);
	kit_close(&l.k);
	life_open(&l);
	must_be_there(&l);
	kit_release(&l.k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("journal_faults");
	TCase *tc = tcase_create("faults");
	SRunner *sr;
	int failed;

	install_memory();
	fault_vfs_register();
	sr = srunner_create(s);
	tcase_set_timeout(tc, getenv("MSSPD_SOAK") != NULL ? 3600 : 120);
	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_disk, 0, (int)ARRAY_LEN(disk_cases));
	tcase_add_test(tc, test_alloc);
	tcase_add_test(tc, test_packed);
	tcase_add_test(tc, test_full_for_long);
	tcase_add_test(tc, test_broken_for_long);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
