/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "tests/unit/journal_kit.h"
#include "tests/unit/letters_stage.h"

/* The contract of letters.h: every case runs against every engine. */
static const struct journal_engine *const engines[] = { &journal_sqlite, &journal_mem };

/* ---- looking ------------------------------------------------------------------ */

static void
dead_letters_are_shown(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	const struct journal_letter *l;
	struct journal_batch *b;

	put(k, "1111", "a", 2, siem);
	refuse_all(k, siem, "too large");
	b = dead(k, 0);
	ck_assert(kit_is(b, "a-0 a-1"));
	l = b->items[0].letter;
	ck_assert_ptr_nonnull(l);
	ck_assert_uint_ne(l->number, b->items[1].letter->number);
	ck_assert_uint_eq(l->sink, siem);
	ck_assert_uint_eq(l->size, 100);
	ck_assert_int_eq(l->at, KIT_START);
	ck_assert_str_eq(l->why, "too large");
	ck_assert(!l->is_retried && !b->has_more);
	ck_assert_uint_eq(b->items[0].body.n, 100);
	ck_assert_int_eq(b->items[0].version, V(1));
	ck_assert_uint_eq(b->items[0].stream, stream(k, "1111"));
	journal_batch_free(b);
}

static void
they_come_in_pages(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_letters_ask ask = { .max = 3 };
	size_t n = 0;
	bool has_more = true;

	put(k, "1111", "a", 8, siem);
	refuse_all(k, siem, "no");
	for (int pages = 0; has_more; pages++) {
		struct journal_batch *b = kit_letters(k, &ask);

		ck_assert_int_lt(pages, 3);
		ck_assert_uint_eq(b->items[0].body.n, 0);
		n += b->n;
		has_more = b->has_more;
		ask.after = b->items[b->n - 1].letter->number;
		journal_batch_free(b);
	}
	ck_assert_uint_eq(n, 8);
}

static void
they_are_told_apart(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), lake = journal_sink(k->j, "lake");
	struct journal_letters_ask ask = { .max = 10 };
	struct journal_batch *b;

	put(k, "1111", "a", 1, siem);
	put(k, "2222", "b", 1, siem);
	put(k, "2222", "c", 1, lake);
	refuse_all(k, siem, "no");
	refuse_all(k, lake, "no");
	dead_are(k, lake, "c-0");
	ask.which.streams[ask.which.nstreams++] = stream(k, "2222");
	b = kit_letters(k, &ask);
	ck_assert(kit_is(b, "b-0 c-0"));
	journal_batch_free(b);
	ask.which.sink = siem;
	b = kit_letters(k, &ask);
	ck_assert(kit_is(b, "b-0"));
	ask.which = (struct journal_filter){ .number = b->items[0].letter->number };
	journal_batch_free(b);
	b = kit_letters(k, &ask);
	ck_assert(kit_is(b, "b-0") && !b->has_more);
	journal_batch_free(b);
}

/* Whatever was said of it: what is not all true of it is not meant. */
static void
a_number_is_not_all_that_counts(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), lake = journal_sink(k->j, "lake");
	struct journal_letters_ask ask = { .max = 10, .which = { .sink = lake } };
	struct journal_task t = { .what = JOURNAL_RETRY };
	struct journal_batch *b;

	put(k, "1111", "a", 1, siem);
	put(k, "2222", "b", 1, lake);
	refuse_all(k, siem, "no");
	refuse_all(k, lake, "no");
	b = dead(k, siem);
	ask.which.number = b->items[0].letter->number;
	journal_batch_free(b);
	b = kit_letters(k, &ask);
	ck_assert(kit_is(b, ""));
	journal_batch_free(b);
	ask.which.sink = 0;
	ask.which.streams[ask.which.nstreams++] = stream(k, "2222");
	b = kit_letters(k, &ask);
	ck_assert(kit_is(b, ""));
	journal_batch_free(b);
	t.which = ask.which;
	ck_assert_uint_eq(kit_work_all(k, t).done, 0);
	t.what = JOURNAL_DROP;
	ck_assert_uint_eq(kit_work_all(k, t).done, 0);
	t.which = (struct journal_filter){ .number = ask.which.number, .sink = lake };
	ck_assert_uint_eq(kit_work_all(k, t).done, 0);
	dead_are(k, 0, "a-0 b-0");
	t.which = (struct journal_filter){ .number = ask.which.number, .sink = siem,
		.streams = { stream(k, "1111") }, .nstreams = 1 };
	ck_assert_uint_eq(kit_work_all(k, t).done, 1);
	dead_are(k, 0, "b-0");
}

/* Of several streams, in the order of their numbers. */
static void
pages_of_many_streams_leave_none_out(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), lake = journal_sink(k->j, "lake");
	struct journal_letters_ask ask = { .max = 2, .which = { .streams = { stream(k, "3333"),
		stream(k, "1111") }, .nstreams = 2, .sink = siem } };
	struct journal_batch *b;

	for (int i = 0; i < 3; i++) {
		put(k, "1111", (const char *[]){ "a", "d", "g" }[i], 1, siem);
		put(k, "2222", (const char *[]){ "b", "e", "h" }[i], 1, siem);
		put(k, "3333", (const char *[]){ "c", "f", "i" }[i], 1, i == 1 ? lake : siem);
		refuse_all(k, siem, "no");
		refuse_all(k, lake, "no");
	}
	b = kit_letters(k, &ask);
	ck_assert(kit_is(b, "a-0 c-0") && b->has_more);
	ask.after = b->items[1].letter->number;
	journal_batch_free(b);
	b = kit_letters(k, &ask);
	ck_assert(kit_is(b, "d-0 g-0") && b->has_more);
	ask.after = b->items[1].letter->number;
	journal_batch_free(b);
	b = kit_letters(k, &ask);
	ck_assert(kit_is(b, "i-0") && !b->has_more);
	journal_batch_free(b);
}

static void
a_body_comes_in_parts(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_letters_ask ask = { .max = 1, .max_bytes = 64 };
	struct journal_batch *b;

	put(k, "1111", "a", 1, siem);
	refuse_all(k, siem, "no");
	b = kit_letters(k, &ask);
	ck_assert_uint_eq(b->items[0].body.n, 64);
	ck_assert_mem_eq(b->items[0].body.s, "a-0a-0", 6);
	journal_batch_free(b);
	ask.from = 64;
	b = kit_letters(k, &ask);
	ck_assert_uint_eq(b->items[0].body.n, 36);
	ck_assert_int_eq(b->items[0].body.s[0], '-' + 1); /* of a-0a-0…, each byte one more here */
	journal_batch_free(b);
	ask.from = 5000;
	b = kit_letters(k, &ask);
	ck_assert_uint_eq(b->items[0].body.n, 0);
	journal_batch_free(b);
}

static void
quarantine_is_shown(struct kit *k)
{
	struct kit_page *p = kit_page(k, stream(k, "1111"), "q", 2, 50, V(1));
	struct journal_batch *b;

	p->page.entries[1].quarantine = true;
	p->page.entries[1].why = "no JSON";
	kit_must_append(k, p);
	b = kit_letters(k, &(struct journal_letters_ask){ .which = { .box = JOURNAL_QUARANTINE },
	    .max = 10, .max_bytes = 1000 });
	ck_assert(kit_is(b, "q-1"));
	ck_assert_str_eq(b->items[0].letter->why, "no JSON");
	ck_assert_uint_eq(b->items[0].body.n, 50);
	ck_assert_uint_eq(b->items[0].stream, stream(k, "1111"));
	journal_batch_free(b);
	dead_are(k, 0, "");
}

/* ---- retrying ------------------------------------------------------------------- */

static void
a_retry_is_the_same_event(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct kit_page *p = kit_page(k, stream(k, "1111"), "a", 1, 100, V(1));
	struct journal_batch *b;

	p->page.entries[0].type = 2;
	p->page.entries[0].flags = JOURNAL_BACKFILL;
	kit_route(p, siem);
	kit_must_append(k, p);
	refuse_all(k, siem, "no");
	kit_wait_backlog(k, siem, 0);
	k->clock.wall += 100 * TICKS_SEC;
	ck_assert_uint_eq(retry_all(k, siem).done, 1);
	ck_assert_uint_eq(kit_backlog(k, siem).entries, 1);
	ck_assert_msg(kit_backlog(k, siem).oldest == V(100), "it waits since now, not since long ago");
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	ck_assert(kit_is(b, "a-0"));
	ck_assert_int_eq(b->items[0].journalled, KIT_START);
	ck_assert_int_eq(b->items[0].flags, JOURNAL_BACKFILL);
	ck_assert_int_eq(b->items[0].type, 2);
	ck_assert_int_eq(b->items[0].version, V(1));
	ck_assert_mem_eq(b->items[0].body.s, "a-0a-0", 6);
	journal_batch_free(b);
}

static void
it_stays_until_it_is_accepted(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b, *letters;

	put(k, "1111", "a", 1, siem);
	refuse_all(k, siem, "no");
	retry_all(k, siem);
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	letters = dead(k, siem);
	ck_assert(kit_is(letters, "a-0") && letters->items[0].letter->is_retried);
	journal_batch_free(letters);
	kit_settle(k, siem, &b->items[0], MARK_LATER, V(5), NULL);
	dead_are(k, siem, "a-0");
	ck_assert_msg(retry_all(k, siem).done == 0, "it waits already");
	k->clock.wall += 10 * TICKS_SEC;
	journal_batch_free(b);
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	ck_assert(kit_is(b, "a-0"));
	kit_settle(k, siem, &b->items[0], MARK_OK, 0, NULL);
	journal_batch_free(b);
	dead_are(k, siem, "");
	ck_assert_uint_eq(kit_backlog(k, siem).dead, 0);
	kit_is_read(k, siem, "");
}

static void
refused_again_it_is_as_before(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;
	uint64_t number;

	put(k, "1111", "a", 1, siem);
	refuse_all(k, siem, "no");
	b = dead(k, siem);
	number = b->items[0].letter->number;
	journal_batch_free(b);
	retry_all(k, siem);
	k->clock.wall += TICKS_SEC;
	refuse_all(k, siem, "still no");
	b = dead(k, siem);
	ck_assert(kit_is(b, "a-0"));
	ck_assert_uint_eq(b->items[0].letter->number, number);
	ck_assert_str_eq(b->items[0].letter->why, "still no");
	ck_assert_int_eq(b->items[0].letter->at, V(1));
	ck_assert(!b->items[0].letter->is_retried);
	journal_batch_free(b);
	ck_assert_uint_eq(kit_backlog(k, siem).dead, 1);
	ck_assert_msg(retry_all(k, siem).done == 1, "and can be tried again");
	kit_is_read(k, siem, "a-0");
}

static void
retries_keep_their_order(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), lake = journal_sink(k->j, "lake");

	struct journal_batch *b;

	put(k, "1111", "a", 5, siem);
	put(k, "1111", "b", 1, lake);
	b = kit_read(k, siem, 100, SIZE_MAX, NULL);
	for (size_t i = b->n; i-- > 0;) { /* results may come in any order */
		refuse(k, siem, &b->items[i], "no");
		journal_batch_free(dead(k, siem));
	}
	journal_batch_free(b);
	dead_are(k, siem, "a-4 a-3 a-2 a-1 a-0");
	refuse_all(k, lake, "no");
	put(k, "1111", "c", 1, siem);
	ck_assert_uint_eq(retry_all(k, siem).done, 5);
	kit_is_read(k, siem, "c-0 a-0 a-1 a-2 a-3 a-4");
	kit_is_read(k, lake, "");
}

static void
one_can_be_retried(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_task t = { .what = JOURNAL_RETRY };
	struct journal_batch *b;

	put(k, "1111", "a", 3, siem);
	refuse_all(k, siem, "no");
	b = dead(k, siem);
	t.which.number = b->items[1].letter->number;
	ck_assert_uint_eq(kit_work_all(k, t).done, 1);
	kit_is_read(k, siem, "a-1");
	journal_batch_free(b);
	t.which.number = 4711;
	ck_assert_uint_eq(kit_work_all(k, t).done, 0);
}

static void
a_parked_sink_takes_none(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_task t;

	put(k, "1111", "a", 1, siem);
	refuse_all(k, siem, "no");
	kit_wait_backlog(k, siem, 0);
	journal_sink_park(k->j, siem, true);
	put(k, "1111", "b", 1, siem); /* the park is stored with it */
	t = retry_all(k, siem);
	ck_assert_uint_eq(t.done, 0);
	ck_assert_uint_eq(t.passed, 1);
	dead_are(k, siem, "a-0");
}

static void
a_forgotten_sink_takes_none(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");

	put(k, "1111", "a", 2, siem);
	refuse_all(k, siem, "no");
	kit_wait_backlog(k, siem, 0);
	retry_all(k, siem);
	ck_assert(journal_sink_forget(k->j, "siem"));
	kit_run(k, 300);
	ck_assert_uint_ne(journal_sink(k->j, "siem"), siem);
	kit_is_read(k, journal_sink(k->j, "siem"), "");
	dead_are(k, siem, "a-0 a-1");
	ck_assert_uint_eq(retry_all(k, siem).passed, 2);
}

/* ---- dropping ------------------------------------------------------------------- */

static void
dropped_ones_are_gone(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), lake = journal_sink(k->j, "lake");
	struct journal_task t = { .what = JOURNAL_DROP };
	struct journal_batch *b;

	put(k, "1111", "a", 3, siem);
	put(k, "1111", "b", 1, lake);
	refuse_all(k, siem, "no");
	refuse_all(k, lake, "no");
	b = dead(k, siem);
	t.which.number = b->items[0].letter->number;
	ck_assert_uint_eq(kit_work_all(k, t).done, 1);
	dead_are(k, siem, "a-1 a-2");
	journal_batch_free(b);
	t.which = (struct journal_filter){ .sink = siem };
	ck_assert_uint_eq(kit_work_all(k, t).done, 2);
	dead_are(k, 0, "b-0");
	ck_assert_uint_eq(kit_backlog(k, siem).dead, 0);
	ck_assert_uint_eq(kit_backlog(k, lake).dead, 1);
	put(k, "1111", "c", 1, siem);
	refuse_all(k, siem, "no");
	b = dead(k, siem);
	ck_assert_msg(b->items[0].letter->number > 4, "no number is given twice");
	journal_batch_free(b);
}

static void
what_is_retried_is_not_dropped(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_task t = { .what = JOURNAL_DROP, .which = { .sink = siem } };

	put(k, "1111", "a", 1, siem);
	refuse_all(k, siem, "no");
	retry_all(k, siem);
	t = kit_work_all(k, t);
	ck_assert(t.done == 0 && t.passed == 1);
	dead_are(k, siem, "a-0");
}

static const struct {
	const char *says;
	void (*run)(struct kit *k);
} cases[] = {
	{ "dead letters are shown, with their reason", dead_letters_are_shown },
	{ "a list comes in pages", they_come_in_pages },
	{ "by sink, by tenant, by number", they_are_told_apart },
	{ "by number and what else is said of it", a_number_is_not_all_that_counts },
	{ "pages of many streams leave none out", pages_of_many_streams_leave_none_out },
	{ "a large body comes in parts", a_body_comes_in_parts },
	{ "quarantine is shown", quarantine_is_shown },
	{ "what is retried is the same event", a_retry_is_the_same_event },
	{ "it is a dead letter until it is accepted", it_stays_until_it_is_accepted },
	{ "refused again it is as before", refused_again_it_is_as_before },
	{ "retries keep their order, behind what waits", retries_keep_their_order },
	{ "one can be retried", one_can_be_retried },
	{ "a parked sink takes none", a_parked_sink_takes_none },
	{ "a forgotten sink takes none, its name may come back", a_forgotten_sink_takes_none },
	{ "what is dropped is gone, its number too", dropped_ones_are_gone },
	{ "what is retried is not dropped", what_is_retried_is_not_dropped },
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

static void
reopen(struct kit *k)
{
	kit_close(k);
	kit_must_open(k);
}

START_TEST(test_retries_outlive_a_restart)
{
	struct journal_batch *b;
	uint32_t siem;
	struct kit k;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	siem = journal_sink(k.j, "siem");
	put(&k, "1111", "a", 3, siem);
	refuse_all(&k, siem, "no");
	retry_all(&k, siem);
	reopen(&k);
	siem = journal_sink(k.j, "siem");
	ck_assert_uint_eq(kit_backlog(&k, siem).dead, 3);
	b = kit_read(&k, siem, 10, SIZE_MAX, NULL);
	ck_assert(kit_is(b, "a-0 a-1 a-2"));
	kit_settle(&k, siem, &b->items[1], MARK_OK, 0, NULL);
	refuse(&k, siem, &b->items[2], "again");
	journal_batch_free(b);
	reopen(&k);
	siem = journal_sink(k.j, "siem");
	dead_are(&k, siem, "a-0 a-2");
	kit_is_read(&k, siem, "a-0");
	kit_release(&k);
}
END_TEST

/* Dead letters keep the name of a sink that is gone, and nobody else gets its number. */
START_TEST(test_letters_keep_their_sink)
{
	uint32_t siem, other;
	struct kit k;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	siem = journal_sink(k.j, "siem");
	put(&k, "1111", "a", 1, siem);
	refuse_all(&k, siem, "no");
	kit_wait_backlog(&k, siem, 0);
	ck_assert(journal_sink_forget(k.j, "siem"));
	kit_run(&k, 300);
	reopen(&k);
	other = journal_sink(k.j, "other");
	ck_assert_uint_ne(other, siem);
	dead_are(&k, other, "");
	dead_are(&k, siem, "a-0");
	ck_assert_uint_eq(retry_all(&k, siem).passed, 1);
	kit_release(&k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("journal_letters");
	TCase *tc = tcase_create("contract");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_contract, 0, NCASES * NENGINES);
	tcase_add_test(tc, test_retries_outlive_a_restart);
	tcase_add_test(tc, test_letters_keep_their_sink);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
