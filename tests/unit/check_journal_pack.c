/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/journal_stage.h"

/* Pages that bring their bodies packed, too: what is stored of them, and that nobody notices. */
#define N   40
#define LEN 1000

static struct kit_page *
packed_page(struct kit *k, const char *prefix, uint32_t sink)
{
	struct kit_page *p = kit_page(k, stream(k), prefix, N, LEN, V(1));

	kit_route(p, sink);
	kit_pack(p);
	return p;
}

/* The journal is closed meanwhile. */
static int64_t
count(struct kit *k, const char *text)
{
	int64_t n;

	kit_close(k);
	n = number(k, text);
	kit_must_open(k);
	return n;
}

static void
change(struct kit *k, const char *text)
{
	kit_close(k);
	sql(k, text);
	kit_must_open(k);
}

/* Bodies are made of their ids, so that one that is another's shows. */
static void
is_whole(const struct journal_item *item)
{
	ck_assert_uint_eq(item->body.n, LEN);
	for (size_t i = 0; i < LEN; i++)
		ck_assert_int_eq((unsigned char)item->body.s[i],
		    (unsigned char)(item->id.s[i % item->id.n] + (int)(i / 64)));
}

/* Returns how many there are. */
static size_t
read_all(struct kit *k, uint32_t sink, size_t at_once)
{
	bool has_more = true;
	size_t n = 0;

	while (has_more) {
		struct journal_batch *b = kit_read(k, sink, at_once, SIZE_MAX, NULL);

		for (size_t i = 0; i < b->n; i++)
			is_whole(&b->items[i]);
		n += b->n;
		has_more = b->has_more;
		journal_batch_free(b);
	}
	return n;
}

static void
settle(struct kit *k, uint32_t sink, size_t n, enum journal_mark_what what)
{
	struct journal_batch *b = kit_read(k, sink, n, SIZE_MAX, NULL);

	ck_assert_uint_eq(b->n, n);
	for (size_t i = 0; i < n; i++)
		kit_settle(k, sink, &b->items[i], what, 0, NULL);
	journal_batch_free(b);
}

/* ---- cases --------------------------------------------------------------- */

static void
it_is_stored_packed(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");

	kit_must_append(k, packed_page(k, "a", siem));
	kit_must_append(k, packed_page(k, "b", siem));
	ck_assert_int_eq(count(k, "SELECT count(*) FROM pack"), 2);
	ck_assert_int_eq(count(k, "SELECT count(*) FROM entry WHERE body IS NOT NULL"), 0);
	ck_assert_int_lt(count(k, "SELECT sum(length(body)) FROM pack"), N * LEN / 2);
	ck_assert_uint_eq(read_all(k, siem, 7), 2 * N);
}

static void
readers_of_two_pages_take_turns(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), mail = journal_sink(k->j, "mail");
	struct kit_page *p = packed_page(k, "a", siem);

	kit_route(p, mail);
	kit_must_append(k, p);
	kit_must_append(k, packed_page(k, "b", siem));
	reopen(k);
	settle(k, siem, N, MARK_OK);
	for (int i = 0; i < N / 10; i++) {
		struct journal_batch *b = kit_read(k, siem, 10, SIZE_MAX, NULL);

		ck_assert_uint_eq(b->n, 10);
		is_whole(&b->items[9]);
		journal_batch_free(b);
		b = kit_read(k, mail, 10, SIZE_MAX, NULL);
		ck_assert_uint_eq(b->n, 10);
		is_whole(&b->items[0]);
		journal_batch_free(b);
	}
}

static void
little_news_is_stored_plainly(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct kit_page *p;

	kit_must_append(k, packed_page(k, "a", siem));
	p = packed_page(k, "a", siem);
	for (size_t i = 0; i < 3; i++)
		p->page.entries[i].now.version = V(2);
	kit_must_append(k, p);
	ck_assert_int_eq(count(k, "SELECT count(*) FROM pack"), 1);
	ck_assert_int_eq(count(k, "SELECT count(*) FROM entry WHERE body IS NOT NULL"), 3);
	ck_assert_uint_eq(read_all(k, siem, 100), N + 3);
}

static void
what_lies_elsewhere_is_stored_plainly(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct kit_page *p = packed_page(k, "a", siem);

	/* As if the page ended in the middle of its last body. */
	p->page.plain.n -= 1;
	kit_must_append(k, p);
	ck_assert_int_eq(count(k, "SELECT count(*) FROM pack"), 1);
	ck_assert_int_eq(count(k, "SELECT count(*) FROM entry WHERE body IS NOT NULL"), 1);
	ck_assert_uint_eq(read_all(k, siem, 100), N);
}

static void
it_goes_with_its_last_entry(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");

	kit_must_append(k, packed_page(k, "a", siem));
	kit_must_append(k, packed_page(k, "b", siem));
	settle(k, siem, N - 1, MARK_OK);
	kit_wait_backlog(k, siem, N + 1);
	kit_run(k, 1500);
	ck_assert_int_eq(count(k, "SELECT count(*) FROM entry"), N + 1);
	ck_assert_int_eq(count(k, "SELECT count(*) FROM pack"), 2);
	settle(k, siem, 1, MARK_OK);
	kit_wait_backlog(k, siem, N);
	kit_run(k, 1500);
	ck_assert_int_eq(count(k, "SELECT count(*) FROM pack"), 1);
	ck_assert_uint_eq(read_all(k, siem, 100), N);
	journal_rewind(k->j, siem);
	settle(k, siem, N, MARK_OK);
	kit_wait_backlog(k, siem, 0);
	kit_run(k, 1500);
	ck_assert_int_eq(count(k, "SELECT count(*) FROM pack"), 0);
}

static void
dead_letters_have_their_bodies(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");

	kit_must_append(k, packed_page(k, "a", siem));
	settle(k, siem, N, MARK_DEAD);
	kit_wait_backlog(k, siem, 0);
	ck_assert_int_eq(count(k, "SELECT count(*) FROM dead WHERE length(body) = 1000"
	                           " AND size = 1000"), N);
	ck_assert_int_eq(count(k, "SELECT count(*) FROM dead WHERE"
	                           " substr(body, 1, length(id)) <> id"), 0);
}

static void
damage_costs_what_lies_behind_it(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	size_t n;

	kit_must_append(k, packed_page(k, "a", siem));
	kit_must_append(k, packed_page(k, "b", siem));
	change(k, "UPDATE pack SET body = substr(body, 1, length(body) * 2 / 3) || zeroblob(64)"
	       " WHERE first = 1");
	n = read_all(k, siem, 200);
	ck_assert_msg(n > N && n < 2 * N, "%zu are whole", n);
	ck_assert_int_eq(count(k, "SELECT count(*) FROM quarantine"), (int64_t)(2 * N - n));
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_QUARANTINE], (unsigned)(2 * N - n));
}

static bool
is_to_be_read(struct kit *k)
{
	return k->notes[JOURNAL_NOTE_REFILL] > 0;
}

/* One period for what was found together, for the sink that had not got it. */
static void
what_is_damaged_is_read_again(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), other = journal_sink(k->j, "other");
	struct journal_period p, none;
	struct kit_page *page = packed_page(k, "a", siem);
	uint32_t stream = page->page.stream;
	int64_t version = page->page.entries[0].now.version;

	kit_route(page, other);
	kit_must_append(k, page);
	settle(k, other, N, MARK_OK);
	kit_wait_backlog(k, other, 0);
	change(k, "DELETE FROM pack WHERE first = 1");
	ck_assert_uint_eq(read_all(k, siem, 200), 0);
	ck_assert(kit_wait(k, is_to_be_read, 10000));
	ck_assert(journal_period_next(k->j, stream, 0, &p));
	ck_assert_uint_eq(p.sink, siem);
	ck_assert_int_eq(p.from, version);
	ck_assert_int_eq(p.to, version + 1);
	ck_assert_uint_eq(p.flags, JOURNAL_PERIOD_ALL | JOURNAL_PERIOD_GAP);
	ck_assert(!journal_period_next(k->j, stream, p.number, &none));
}

static void
a_pack_that_is_gone_is_damage(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");

	kit_must_append(k, packed_page(k, "a", siem));
	kit_must_append(k, packed_page(k, "b", siem));
	change(k, "DELETE FROM pack WHERE first = 1");
	ck_assert_uint_eq(read_all(k, siem, 200), N);
	ck_assert_int_eq(count(k, "SELECT count(*) FROM quarantine"), N);
}

static void
the_check_looks_into_packs(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");

	kit_must_append(k, packed_page(k, "a", siem));
	change(k, "UPDATE pack SET size = 100; UPDATE meta SET value = 0 WHERE name = 'clean'");
	for (int i = 0; i < 600 && k->notes[JOURNAL_NOTE_CHECK] == 0; i++)
		kit_run(k, 50);
	ck_assert_uint_ge(k->notes[JOURNAL_NOTE_CHECK], 1);
	ck_assert_int_eq(count(k, "SELECT count(*) FROM quarantine"), N);
}

static void
salvaged_entries_are_whole(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");

	kit_must_append(k, packed_page(k, "a", siem));
	kit_close(k);
	smash_page(k, number(k, "SELECT rootpage FROM sqlite_schema WHERE name = 'gap'"));
	kit_must_open(k);
	change(k, "UPDATE meta SET value = 0 WHERE name = 'clean'");
	kit_run(k, 2500);
	ck_assert_uint_ge(k->notes[JOURNAL_NOTE_SALVAGE], 1);
	ck_assert_uint_eq(read_all(k, siem, 100), N);
	ck_assert_int_eq(count(k, "SELECT count(*) FROM pack"), 0);
}

static void
files_from_before_are_read(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct kit_page *p = packed_page(k, "a", siem);

	p->page.packed.n = 0;
	kit_must_append(k, p);
	change(k, "ALTER TABLE entry DROP COLUMN pack; ALTER TABLE entry DROP COLUMN at;"
	       "ALTER TABLE entry DROP COLUMN len; DROP TABLE pack;"
	       "ALTER TABLE entry DROP COLUMN remembered; ALTER TABLE memory DROP COLUMN given;"
	       "ALTER TABLE sink DROP COLUMN since;"
	       "DROP INDEX dead_order; DROP INDEX dead_retry; DROP INDEX quarantine_stream;"
	       OLDER_LETTERS "ALTER TABLE dead DROP COLUMN retry; PRAGMA user_version = 3");
	ck_assert_int_eq(count(k, "PRAGMA user_version"), SCHEMA_VERSION);
	kit_must_append(k, packed_page(k, "b", siem));
	ck_assert_uint_eq(read_all(k, siem, 100), 2 * N);
}

static const struct stage_case cases[] = {
	{ "a page is stored as it came packed", it_is_stored_packed },
	{ "two sinks read two of them at once", readers_of_two_pages_take_turns },
	{ "but not where little of it is new", little_news_is_stored_plainly },
	{ "nor a body that is not part of it", what_lies_elsewhere_is_stored_plainly },
	{ "it goes with its last entry, not before", it_goes_with_its_last_entry },
	{ "dead letters are kept whole", dead_letters_have_their_bodies },
	{ "damage: quarantine for what lies behind it", damage_costs_what_lies_behind_it },
	{ "what is damaged is read again for who had not got it", what_is_damaged_is_read_again },
	{ "one that is gone: quarantine for all of it", a_pack_that_is_gone_is_damage },
	{ "the background check looks into it", the_check_looks_into_packs },
	{ "a salvage keeps its entries", salvaged_entries_are_whole },
	{ "a file without any is brought up to date", files_from_before_are_read },
};

int
main(void)
{
	return run_cases("journal_pack", cases, (int)ARRAY_LEN(cases));
}
