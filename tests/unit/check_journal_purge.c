/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "tests/unit/journal_kit.h"
#include "tests/unit/letters_stage.h"

/* The contract of letters.h when a tenant goes: every case runs against every engine. */
static const struct journal_engine *const engines[] = { &journal_sqlite, &journal_mem };

static struct journal_task
purge(struct kit *k, const char *tenant)
{
	return kit_work_all(k, (struct journal_task){ .what = JOURNAL_PURGE,
	    .which = { .streams = { stream(k, tenant) }, .nstreams = 1 } });
}

static struct journal_stats
stats(struct kit *k)
{
	struct journal_stats st;

	journal_stats(k->j, &st);
	return st;
}

static void
quarantine_one(struct kit *k, const char *tenant)
{
	struct kit_page *p = kit_page(k, stream(k, tenant), "q", 1, 50, V(1));

	p->page.entries[0].quarantine = true;
	kit_must_append(k, p);
}

/* Two customers with all there is, the same ids for both. */
static void
two_tenants(struct kit *k, uint32_t siem)
{
	put(k, "1111", "a", 2, siem);
	put(k, "11111", "a", 2, siem);
	refuse_all(k, siem, "no");
	put(k, "1111", "b", 2, siem);
	put(k, "11111", "b", 2, siem);
	put(k, "1111", "r", 2, 0);
	put(k, "11111", "r", 2, 0);
	quarantine_one(k, "1111");
	quarantine_one(k, "11111");
}

static void
a_tenant_goes_and_no_other(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_cursor c;
	struct journal_task t;

	two_tenants(k, siem);
	journal_period_add(k->j, &(struct journal_period){ .stream = stream(k, "1111"), .from = V(0),
	    .to = V(9), .at = TICKS_NONE });
	t = purge(k, "1111");
	ck_assert_uint_eq(t.purged.dead, 2);
	ck_assert_uint_eq(t.purged.quarantine, 1);
	ck_assert_uint_eq(t.purged.remembered, 7);
	ck_assert_uint_eq(t.purged.readers, 1);
	ck_assert_uint_eq(t.purged.periods, 1);
	ck_assert_msg(t.purged.entries >= 2, "those that wait, and those delivered that are kept");
	ck_assert(t.is_scrubbed);
	dead_are(k, siem, "a-0 a-1");
	kit_is_read(k, siem, "b-0 b-1");
	ck_assert_uint_eq(stats(k).quarantine, 1);
	ck_assert_uint_eq(stats(k).dead, 2);
	ck_assert_uint_eq(stats(k).remembered, 7);
	ck_assert(journal_cursor(k->j, stream(k, "11111"), "live", &c));
	ck_assert(!journal_cursor(k->j, stream(k, "1111"), "live", &c));
}

static void
it_is_unknown_then(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), number;
	struct journal_appended r;
	struct kit_page *p;

	put(k, "1111", "a", 1, siem);
	number = stream(k, "1111");
	purge(k, "1111");
	ck_assert_ptr_null(journal_stream_key(k->j, number));
	ck_assert_ptr_null(journal_stream_about(k->j, number));
	ck_assert_uint_eq(stream(k, "1111"), number);
	ck_assert_str_eq(journal_stream_about(k->j, number), "1111");
	p = kit_page(k, number, "a", 1, 100, V(1));
	kit_route(p, siem);
	r = kit_append(k, p);
	ck_assert_msg(r.ok && r.forwarded == 1, "what was forgotten is new again");
	kit_is_read(k, siem, "a-0");
}

static void
what_is_with_a_sink_is_finished_first(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_task *t = xcalloc(1, sizeof(*t));
	struct journal_batch *b;

	put(k, "1111", "a", 2, siem);
	b = kit_read(k, siem, 1, SIZE_MAX, NULL);
	*t = (struct journal_task){ .what = JOURNAL_PURGE,
		.which = { .streams = { stream(k, "1111") }, .nstreams = 1 } };
	for (int i = 0; i < 5; i++)
		t = kit_work(k, t);
	ck_assert(!t->is_over);
	ck_assert_uint_eq(t->waiting, 1);
	ck_assert_uint_eq(t->purged.entries, 1);
	refuse(k, siem, &b->items[0], "no"); /* it goes, too, as what it has become */
	while (!t->is_over)
		t = kit_work(k, t);
	ck_assert_uint_eq(t->purged.dead, 1);
	free(t);
	journal_batch_free(b);
	dead_are(k, 0, "");
	ck_assert_uint_eq(kit_backlog(k, siem).entries, 0);
}

static void
what_is_stuck_can_be_taken_away(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_task t = { .what = JOURNAL_PURGE, .is_forced = true };
	struct journal_batch *b;

	put(k, "1111", "a", 2, siem);
	put(k, "2222", "b", 1, siem);
	b = kit_read(k, siem, 2, SIZE_MAX, NULL);
	t.which.streams[t.which.nstreams++] = stream(k, "1111");
	ck_assert_uint_eq(kit_work_all(k, t).purged.entries, 2);
	kit_settle(k, siem, &b->items[0], MARK_OK, 0, NULL); /* too late */
	refuse(k, siem, &b->items[1], "no");
	journal_batch_free(b);
	kit_is_read(k, siem, "b-0");
	dead_are(k, 0, "");
	ck_assert_uint_eq(kit_backlog(k, siem).entries, 1);
}

static void
what_is_retried_goes_with_its_tenant(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_task t;

	put(k, "1111", "a", 2, siem);
	put(k, "2222", "b", 1, siem);
	refuse_all(k, siem, "no");
	retry_all(k, siem);
	t = purge(k, "1111");
	ck_assert_uint_eq(t.purged.dead, 2);
	kit_is_read(k, siem, "b-0");
	dead_are(k, 0, "b-0");
}

static const struct {
	const char *says;
	void (*run)(struct kit *k);
} cases[] = {
	{ "a tenant is purged, and no other", a_tenant_goes_and_no_other },
	{ "what is purged is unknown", it_is_unknown_then },
	{ "what is with a sink is finished first", what_is_with_a_sink_is_finished_first },
	{ "what is stuck with a sink can be taken away", what_is_stuck_can_be_taken_away },
	{ "letters that are retried go with their tenant", what_is_retried_goes_with_its_tenant },
};
#define NENGINES (int)ARRAY_LEN(engines)
#define NCASES   (int)ARRAY_LEN(cases)

START_TEST(test_contract)
{
	struct kit k;

	kit_init(&k, engines[_i % NENGINES]);
	kit_must_open(&k);
	cases[_i / NENGINES].run(&k);
	kit_release(&k);
}
END_TEST

/* ---- on disk ------------------------------------------------------------------------ */

/* Somewhere in the files of the journal, its log too, stand these bytes. */
static bool
is_on_disk(const struct kit *k, const char *bytes)
{
	DIR *dir = opendir(k->dir);
	bool found = false;

	for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		char *path = xasprintf("%s/%s", k->dir, e->d_name), *text = xmalloc(64 << 20);
		FILE *f = fopen(path, "r");
		size_t n = f != NULL ? fread(text, 1, 64 << 20, f) : 0;

		found |= memmem(text, n, bytes, strlen(bytes)) != NULL;
		if (f != NULL)
			fclose(f);
		free(path);
		free(text);
	}
	closedir(dir);
	return found;
}

static void
put_large(struct kit *k, const char *stayer, const char *leaver, uint32_t sink)
{
	char prefix[2 * KIT_ID];
	struct kit_page *p;

	snprintf(prefix, sizeof(prefix), "%s-large", stayer);
	p = kit_page(k, stream(k, "stayer-guid"), prefix, 2, 40000, V(1));
	kit_route(p, sink);
	kit_must_append(k, p);
	snprintf(prefix, sizeof(prefix), "%s-large", leaver);
	p = kit_page(k, stream(k, "leaver-guid"), prefix, 2, 50001, V(1));
	kit_route(p, sink);
	kit_must_append(k, p);
}

/* Nothing was written over that means something: SQLite finds no fault, and checksums hold. */
static void
is_intact(struct kit *k)
{
	char *path = xasprintf("%s/journal.db", k->dir);
	sqlite3_stmt *st;
	sqlite3 *db;

	kit_close(k); /* nothing comes from memory */
	kit_must_open(k);
	ck_assert_uint_gt(kit_drain(k, journal_sink(k->j, "siem"), false), 50);
	journal_batch_free(kit_letters(k, &(struct journal_letters_ask){ .max = 5000, .max_bytes = 9 }));
	kit_run(k, 50);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_QUARANTINE], 0);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	ck_assert_str_eq((const char *)sqlite3_column_text(st, 0), "ok");
	sqlite3_finalize(st);
	sqlite3_close(db);
	free(path);
}

/* Bodies of kit_page() are made of their ids: "leaver-0leaver-0…". */
START_TEST(test_nothing_is_left_on_disk)
{
	struct journal_task t;
	struct kit_page *p;
	uint32_t siem;
	struct kit k;

	kit_init(&k, &journal_sqlite);
	k.opts.keep_delivered_ms = 0;
	kit_must_open(&k);
	siem = journal_sink(k.j, "siem");
	for (int i = 0; i < 20; i++) {
		char leaver[KIT_ID], stayer[KIT_ID];

		snprintf(leaver, sizeof(leaver), "leaver%d", i);
		snprintf(stayer, sizeof(stayer), "stayer%d", i);
		p = kit_page(&k, stream(&k, "leaver-guid"), leaver, 100, 1700, V(1));
		kit_route(p, siem);
		if (i % 3 == 0)
			kit_pack(p);
		p->page.entries[7].quarantine = true;
		kit_must_append(&k, p);
		put(&k, "stayer-guid", stayer, 50, siem);
		if (i % 4 == 3) /* larger than a page of the file */
			put_large(&k, stayer, leaver, siem);
		if (i % 5 == 1)
			refuse_all(&k, siem, "the leaver's mail server says no");
		else if (i % 5 == 2)
			kit_drain(&k, siem, true);
	}
	kit_run(&k, 600);
	ck_assert(is_on_disk(&k, "leaver1-"));
	t = kit_work_all(&k, (struct journal_task){ .what = JOURNAL_PURGE, .is_forced = true,
	    .which = { .streams = { stream(&k, "leaver-guid") }, .nstreams = 1 } });
	ck_assert(t.is_scrubbed);
	ck_assert_uint_eq(t.purged.remembered, 2010);
	ck_assert_uint_gt(t.purged.dead, 100);
	ck_assert_uint_eq(t.purged.quarantine, 20);
	ck_assert_msg(!is_on_disk(&k, "leaver"), "something of it is left in the journal's files");
	ck_assert(is_on_disk(&k, "stayer1-"));
	is_intact(&k);
	kit_release(&k);
}
END_TEST

/* A backup, say. What others ask of the journal meanwhile is not held up by it. */
START_TEST(test_who_reads_the_file_is_not_waited_for)
{
	struct journal_task t;
	struct kit k;
	sqlite3 *db;
	char *path;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	put(&k, "1111", "a", 50, journal_sink(k.j, "siem"));
	path = xasprintf("%s/journal.db", k.dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM entry", NULL, NULL, NULL), SQLITE_OK);
	t = purge(&k, "1111");
	ck_assert(!t.is_scrubbed);
	ck_assert_msg(t.waiting > 0, "it is worth to try again a little later");
	sqlite3_close(db);
	free(path);
	kit_release(&k);
}
END_TEST

/* ---- a restart ------------------------------------------------------------------------------- */

static struct journal_task
after_steps(struct kit *k, const struct journal_task *task, unsigned n)
{
	struct journal_task *t = xmemdup(task, sizeof(*task)), out;

	for (unsigned i = 0; i < n && !t->is_over; i++)
		t = kit_work(k, t);
	out = *t;
	free(t);
	return out;
}

/* After however many steps: what is left is known, is done when it is gone on with, and is the
 * tenant's that went, also where another one has its numbers now. */
START_TEST(test_it_goes_on_after_a_restart)
{
	struct journal_task t = { .what = JOURNAL_PURGE }, left = { .what = JOURNAL_PURGE };
	uint32_t siem, number;
	struct kit k;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	ck_assert(!journal_purge_left(k.j, &left.which));
	siem = journal_sink(k.j, "siem");
	put(&k, "11111", "b", 2, siem);
	two_tenants(&k, 0);
	number = stream(&k, "1111");
	t.which = (struct journal_filter){ .streams = { number }, .nstreams = 1 };
	t = after_steps(&k, &t, (unsigned)_i + 1);
	kit_close(&k);
	kit_must_open(&k);
	ck_assert(journal_purge_left(k.j, &left.which) == !t.is_over);
	if (!t.is_over) {
		left.is_rest = left.which.nstreams == 0;
		ck_assert_msg(left.is_rest ? journal_stream_key(k.j, number) == NULL :
		    left.which.nstreams == 1 && left.which.streams[0] == number, "%zu", left.which.nstreams);
		put(&k, "2222", "new", 1, siem);
		ck_assert(kit_work_all(&k, left).is_scrubbed);
		kit_is_read(&k, siem, "b-0 b-1 new-0");
		ck_assert(journal_stream_key(k.j, stream(&k, "2222")) != NULL);
	}
	ck_assert_uint_eq(stats(&k).remembered, t.is_over ? 7 : 8);
	kit_close(&k);
	kit_must_open(&k);
	ck_assert(!journal_purge_left(k.j, &left.which));
	kit_release(&k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("journal_purge");
	TCase *tc = tcase_create("contract");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_contract, 0, NCASES * NENGINES);
	tcase_add_test(tc, test_nothing_is_left_on_disk);
	tcase_add_test(tc, test_who_reads_the_file_is_not_waited_for);
	tcase_add_loop_test(tc, test_it_goes_on_after_a_restart, 0, 9);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
