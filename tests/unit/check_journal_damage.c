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

static const struct stage_case cases[] = {
	{ "a flipped bit: quarantine, not delivery", a_flipped_bit_goes_to_quarantine },
	{ "the background check finds flipped bits", the_check_finds_flipped_bits },
	{ "a file that is no database is set aside", what_is_no_database_is_set_aside },
	{ "damage to one table leaves the others", names_and_cursors_are_salvaged },
	{ "what may be lost is read again", lost_entries_are_read_again },
};

int
main(void)
{
	return run_cases("journal_damage", cases, (int)ARRAY_LEN(cases));
}
