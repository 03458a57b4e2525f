/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "tests/unit/journal_stage.h"

/* A file that is damaged: what is lost is as little as may be, and is known. */

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

/* Adds to the byte that lies so far behind these. */
static void
damage_behind(struct kit *k, const char *bytes, size_t far, char by)
{
	char *name = path(k, "journal.db"), *all, *hit;
	int fd = open(name, O_RDWR);
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	all = xmalloc((size_t)st.st_size);
	ck_assert_int_eq(pread(fd, all, (size_t)st.st_size, 0), st.st_size);
	hit = memmem(all, (size_t)st.st_size, bytes, strlen(bytes));
	ck_assert_ptr_nonnull(hit);
	hit[strlen(bytes) + far] += by;
	ck_assert_int_eq(pwrite(fd, all, (size_t)st.st_size, 0), st.st_size);
	close(fd);
	free(all);
	free(name);
}

/* ---- entries --------------------------------------------------------------- */

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
	kit_is_read(k, siem, "a-0 a-1 a-2 a-4");
	kit_run(k, 20);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_QUARANTINE], 1);
	ck_assert_uint_eq(kit_backlog(k, mail).entries, 4);
	kit_is_read(k, mail, "a-0 a-1 a-2 a-4");
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
	kit_is_read(k, journal_sink(k->j, "siem"), "a-0 a-1 a-2 a-3 a-4");
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

/* ---- dead letters ------------------------------------------------------------ */

static void
forget_task(void *arg, struct journal_task *taken, const struct err *err)
{
	(void)arg;
	(void)err;
	free(taken);
}

enum { OTHERS = 1, OURS = 2 }; /* streams */

/* Three of tenant 1111, all refused by that sink; 2222 has one that nobody gets. Closes the
 * journal. */
static uint32_t
three_letters(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	uint32_t others = journal_stream(k->j, "global/2222/alerts", "2222");
	struct journal_batch *b;

	ck_assert_uint_eq(others, OTHERS);
	kit_must_append(k, kit_page(k, others, "z", 1, 50, V(1)));
	kit_must_append(k, page(k, "a", 3, 100, siem));
	b = kit_read(k, siem, 9, SIZE_MAX, NULL);
	for (size_t i = 0; i < b->n; i++) {
		char why[] = "refusal 0";

		why[8] += (char)i;
		journal_settle(k->j, siem, &(struct journal_mark){ .pos = b->items[i].pos,
		    .what = MARK_DEAD, .why = why }, 1);
	}
	journal_batch_free(b);
	kit_close(k);
	return siem;
}

static void
letters_are(struct kit *k, const struct journal_letters_ask *ask, const char *ids)
{
	struct journal_batch *b = kit_letters(k, ask);

	ck_assert_msg(kit_is(b, ids), "%zu letters, want \"%s\"", b->n, ids);
	journal_batch_free(b);
}

/* That one is in quarantine, told, and said to be nobody's. */
static void
is_nobodys(struct kit *k, const char *id)
{
	struct journal_batch *b = kit_letters(k, &(struct journal_letters_ask){
	    .which = { .box = JOURNAL_QUARANTINE }, .max = 9 });
	struct journal_stats st;

	ck_assert(kit_is(b, id));
	ck_assert_uint_eq(b->items[0].stream, 0);
	ck_assert_ptr_nonnull(strstr(b->items[0].letter->why, "checksum"));
	journal_batch_free(b);
	kit_run(k, 20);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_QUARANTINE], 1);
	ck_assert_ptr_nonnull(strstr(k->text[JOURNAL_NOTE_QUARANTINE], "dead letter"));
	journal_stats(k->j, &st);
	ck_assert_uint_eq(st.quarantine, 1);
	ck_assert_uint_eq(st.dead, 2);
}

static void
a_letter_of_another_tenant_is_shown_to_nobody(struct kit *k)
{
	struct journal_letters_ask ask = { .which = { .streams = { OTHERS }, .nstreams = 1 }, .max = 9 };

	three_letters(k);
	sql(k, "UPDATE dead SET stream = 1 WHERE id = CAST('a-1' AS BLOB)");
	kit_must_open(k);
	letters_are(k, &ask, "");
	is_nobodys(k, "a-1");
	ask.which.nstreams = 0;
	letters_are(k, &ask, "a-0 a-2");
}

static void
nor_is_it_tried_again(struct kit *k)
{
	uint32_t siem = three_letters(k);
	struct journal_task t = { .what = JOURNAL_RETRY, .which = { .sink = siem } };

	sql(k, "UPDATE dead SET stream = 1 WHERE id = CAST('a-1' AS BLOB)");
	kit_must_open(k);
	ck_assert_uint_eq(kit_work_all(k, t).done, 2);
	kit_is_read(k, siem, "a-0 a-2");
	is_nobodys(k, "a-1");
}

static void
nor_for_another_sink(struct kit *k)
{
	uint32_t mail = journal_sink(k->j, "mail");
	struct journal_task t = { .what = JOURNAL_RETRY, .which = { .sink = mail } };
	char text[100];

	three_letters(k);
	snprintf(text, sizeof(text), "UPDATE dead SET sink = %u WHERE id = CAST('a-1' AS BLOB)", mail);
	sql(k, text);
	kit_must_open(k);
	ck_assert_uint_eq(kit_work_all(k, t).done, 0);
	kit_is_read(k, mail, "");
	is_nobodys(k, "a-1");
}

static void
a_name_that_changes_takes_no_letters_along(struct kit *k)
{
	uint32_t siem = three_letters(k);
	struct journal_task t = { .what = JOURNAL_RETRY, .which = { .sink = siem } };

	sql(k, "UPDATE stream SET key = 'global/3333/alerts' WHERE id = 2");
	kit_must_open(k);
	ck_assert_uint_eq(kit_work_all(k, t).done, 0);
	kit_is_read(k, siem, "");
	kit_run(k, 20);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_QUARANTINE], 3);
}

/* A list does not read bodies; who looks at one, or has it tried again, does. */
static void
a_flipped_bit_of_a_letters_body_is_seen(struct kit *k)
{
	uint32_t siem = three_letters(k);
	struct journal_letters_ask ask = { .max = 9 };

	sql(k, "UPDATE dead SET body = CAST('other' AS BLOB) WHERE id = CAST('a-1' AS BLOB)");
	kit_must_open(k);
	letters_are(k, &ask, "a-0 a-1 a-2");
	ask.max_bytes = 1;
	letters_are(k, &ask, "a-0 a-2");
	is_nobodys(k, "a-1");
	ck_assert_uint_eq(kit_backlog(k, siem).dead, 2);
}

static void
reasons_are_believed_only_where_they_are_whole(struct kit *k)
{
	three_letters(k);
	damage(k, "refusal 0");
	kit_must_open(k);
	letters_are(k, &(struct journal_letters_ask){ .max = 9 }, "a-1 a-2");
	is_nobodys(k, "a-0");
}

/* Row and index do not agree then: the file is written anew. */
static void
a_bit_of_whose_it_is_flips_on_disk(struct kit *k)
{
	struct journal_task t = { .what = JOURNAL_RETRY };

	t.which.sink = three_letters(k);
	damage_behind(k, "refusal 1", 2, OTHERS - OURS); /* size, entry, stream */
	kit_must_open(k);
	ck_assert_msg(number(k, "SELECT count(*) FROM dead NOT INDEXED WHERE stream = 1") == 1, "not the stream");
	letters_are(k, &(struct journal_letters_ask){ .which = { .streams = { OTHERS }, .nstreams = 1 },
	    .max = 9 }, "");
	for (int i = 0; i < 200 && k->notes[JOURNAL_NOTE_SALVAGE] == 0; i++) {
		journal_work(k->j, xmemdup(&t, sizeof(t)), forget_task, NULL);
		kit_run(k, 50);
	}
	ck_assert_uint_ge(k->notes[JOURNAL_NOTE_SALVAGE], 1);
	is_nobodys(k, "a-1");
	letters_are(k, &(struct journal_letters_ask){ .max = 9, .max_bytes = 9 }, "a-0 a-2");
}

static void
the_check_finds_damaged_letters(struct kit *k)
{
	three_letters(k);
	sql(k, "UPDATE dead SET body = CAST('other' AS BLOB) WHERE id = CAST('a-1' AS BLOB);"
	       "UPDATE meta SET value = 0 WHERE name = 'clean'");
	kit_must_open(k);
	for (int i = 0; i < 600 && k->notes[JOURNAL_NOTE_CHECK] == 0; i++)
		kit_run(k, 50);
	ck_assert_ptr_nonnull(strstr(k->text[JOURNAL_NOTE_CHECK], "1 damaged"));
	is_nobodys(k, "a-1");
}

/* It was in memory when it went out; what came of it on disk is not what was refused. */
static void
a_damaged_entry_becomes_no_letter(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	kit_must_append(k, page(k, "a", 2, 100, siem));
	b = kit_read(k, siem, 9, SIZE_MAX, NULL);
	sql(k, "UPDATE entry SET stream = 7 WHERE seq = 1");
	kit_settle(k, siem, &b->items[0], MARK_DEAD, 0, NULL);
	kit_settle(k, siem, &b->items[1], MARK_DEAD, 0, NULL);
	letters_are(k, &(struct journal_letters_ask){ .max = 9 }, "a-1");
	letters_are(k, &(struct journal_letters_ask){ .which = { .box = JOURNAL_QUARANTINE },
	    .max = 9 }, "a-0");
	journal_batch_free(b);
	ck_assert_uint_eq(kit_backlog(k, siem).entries, 0);
}

static void
refused_again_damaged_it_is_another(struct kit *k)
{
	uint32_t siem = three_letters(k);
	struct journal_task t = { .what = JOURNAL_RETRY, .which = { .sink = siem } };
	struct journal_batch *b;

	kit_must_open(k);
	ck_assert_uint_eq(kit_work_all(k, t).done, 3);
	kit_close(k);
	sql(k, "UPDATE dead SET stream = 1 WHERE id = CAST('a-1' AS BLOB)");
	kit_must_open(k);
	b = kit_read(k, siem, 9, SIZE_MAX, NULL);
	ck_assert(kit_is(b, "a-0 a-1 a-2"));
	kit_settle(k, siem, &b->items[0], MARK_OK, 0, NULL);
	kit_settle(k, siem, &b->items[1], MARK_DEAD, 0, NULL);
	kit_settle(k, siem, &b->items[2], MARK_DEAD, 0, NULL);
	journal_batch_free(b);
	letters_are(k, &(struct journal_letters_ask){ .which = { .streams = { OTHERS }, .nstreams = 1 },
	    .max = 9 }, "");
	letters_are(k, &(struct journal_letters_ask){ .which = { .streams = { OURS }, .nstreams = 1 },
	    .max = 9, .max_bytes = 9 }, "a-2 a-1");
	is_nobodys(k, "a-1");
}

/* ---- indexes that say what is not there ------------------------------------------------ */

static void
list_in_time(struct kit *k, const struct journal_letters_ask *ask, const char *ids)
{
	struct journal_batch *b = kit_letters(k, ask);

	ck_assert_msg(kit_is(b, ids), "%zu letters, want \"%s\"", b->n, ids);
	ck_assert(!b->has_more);
	journal_batch_free(b);
}

/* Rows that are not there stand in an index: a page of a list that has none is followed by others. */
static void
a_list_ends_that_finds_none_of_its_rows(struct kit *k)
{
	const struct journal_letters_ask ask = { .which = { .streams = { OURS }, .nstreams = 1 }, .max = 1 };

	three_letters(k);
	sql(k, "PRAGMA writable_schema = ON;"
	    "CREATE TEMP TABLE kept AS SELECT * FROM sqlite_schema WHERE name = 'dead_stream';"
	    "DELETE FROM sqlite_schema WHERE name = 'dead_stream';"
	    "PRAGMA writable_schema = RESET; DELETE FROM dead WHERE id <> CAST('a-2' AS BLOB);"
	    "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM kept");
	kit_must_open(k);
	list_in_time(k, &ask, "a-2");
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_SALVAGE], 0);
}

/* The index that `name` is read from now is in the order of `columns`. */
static void
reorder(struct kit *k, const char *name, const char *columns)
{
	char text[400];

	snprintf(text, sizeof(text), "CREATE INDEX other ON dead(%s); PRAGMA writable_schema = ON;"
	    "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'other')"
	    " WHERE name = '%s'; DELETE FROM sqlite_schema WHERE name = 'other'", columns, name);
	sql(k, text);
	kit_must_open(k);
}

static uint32_t
many_letters(struct kit *k, size_t n)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	kit_must_append(k, page(k, "a", n, 10, siem));
	b = kit_read(k, siem, n, SIZE_MAX, NULL);
	for (size_t i = 0; i < b->n; i++)
		kit_settle(k, siem, &b->items[i], MARK_DEAD, 0, NULL);
	journal_batch_free(b);
	kit_wait_backlog(k, siem, 0);
	kit_close(k);
	return siem;
}

struct step {
	struct journal_task *task;
	bool has_err, is_told;
};

static void
on_step(void *arg, struct journal_task *taken, const struct err *err)
{
	struct step *st = arg;

	st->task = taken;
	st->has_err = err != NULL;
	st->is_told = true;
}

/* It would lead in a circle. The journal is salvaged, and its indexes are made anew. */
static void
an_index_that_goes_backwards_is_damage(struct kit *k)
{
	uint32_t siem = many_letters(k, 500);
	const struct journal_task t = { .what = JOURNAL_DROP,
		.which = { .sink = siem, .streams = { 77 }, .nstreams = 1 } };
	struct step st = { .task = xmemdup(&t, sizeof(t)) };

	reorder(k, "dead_order", "sink, seq DESC, stream");
	for (int i = 0; i < 1000 && !st.has_err && !st.task->is_over; i++) {
		st.is_told = false;
		journal_work(k->j, st.task, on_step, &st);
		while (!st.is_told)
			kit_run(k, 1);
	}
	ck_assert_msg(st.has_err, "no step says that it is damaged");
	free(st.task);
	for (int i = 0; i < 200 && k->notes[JOURNAL_NOTE_SALVAGE] == 0; i++)
		kit_run(k, 50);
	ck_assert_uint_ge(k->notes[JOURNAL_NOTE_SALVAGE], 1);
	ck_assert_uint_eq(kit_work_all(k, (struct journal_task){ .what = JOURNAL_DROP,
	    .which = { .sink = siem } }).done, 500);
}

static const struct stage_case cases[] = {
	{ "a flipped bit: quarantine, not delivery", a_flipped_bit_goes_to_quarantine },
	{ "the background check finds flipped bits", the_check_finds_flipped_bits },
	{ "a file that is no database is set aside", what_is_no_database_is_set_aside },
	{ "damage to one table leaves the others", names_and_cursors_are_salvaged },
	{ "what may be lost is read again", lost_entries_are_read_again },
	{ "a damaged dead letter is not another tenant's", a_letter_of_another_tenant_is_shown_to_nobody },
	{ "a damaged dead letter is not tried again", nor_is_it_tried_again },
	{ "a damaged dead letter is not another sink's", nor_for_another_sink },
	{ "nor does it go with a damaged name", a_name_that_changes_takes_no_letters_along },
	{ "a dead letter's body has its checksum, too", a_flipped_bit_of_a_letters_body_is_seen },
	{ "and its reason", reasons_are_believed_only_where_they_are_whole },
	{ "a flipped bit of whose it is", a_bit_of_whose_it_is_flips_on_disk },
	{ "the background check finds damaged dead letters", the_check_finds_damaged_letters },
	{ "a damaged entry becomes no dead letter", a_damaged_entry_becomes_no_letter },
	{ "refused again, a damaged letter is another", refused_again_damaged_it_is_another },
	{ "a list of letters that are not there ends", a_list_ends_that_finds_none_of_its_rows },
	{ "an index that goes backwards is damage", an_index_that_goes_backwards_is_damage },
};

int
main(void)
{
	return run_cases("journal_damage", cases, (int)ARRAY_LEN(cases));
}
