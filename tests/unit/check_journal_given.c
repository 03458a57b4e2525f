/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/journal/given.h"
#include "tests/unit/given_stage.h"

/* Which sinks were given what is remembered, and so what one of them lacks: of every engine. */
static const struct journal_engine *const engines[] = { &journal_sqlite, &journal_mem };

/* What is remembered, for a sink that lacks it: how many entries it was given. */
static size_t
missing(struct kit *k, const char *prefix, size_t n, int64_t version, uint32_t sink)
{
	struct kit_page *p = page(k, prefix, n, version);
	struct journal_appended result;

	p->is_missing = true;
	kit_route(p, sink);
	result = kit_append(k, p);
	ck_assert(result.ok);
	ck_assert_uint_eq(result.forwarded + result.skipped, n);
	ck_assert_uint_eq(kit_drain(k, sink, true), result.forwarded);
	return result.forwarded;
}

static void
a_sink_lacks_what_others_were_given(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), lake = journal_sink(k->j, "lake");

	give(k, "a", 3, V(1), siem);
	ck_assert_uint_eq(kit_drain(k, siem, true), 3);
	ck_assert_uint_eq(missing(k, "a", 3, V(1), siem), 0);
	ck_assert_uint_eq(missing(k, "a", 3, V(1), lake), 3);
	ck_assert_msg(missing(k, "a", 3, V(1), lake) == 0, "now it has it");
	ck_assert_uint_eq(missing(k, "a", 3, V(1), siem), 0);
}

static void
a_newer_version_is_another_thing_to_have(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), lake = journal_sink(k->j, "lake");

	give(k, "a", 2, V(1), siem);
	give(k, "a", 2, V(2), lake);
	ck_assert_uint_eq(kit_drain(k, lake, true), 2);
	ck_assert_uint_eq(missing(k, "a", 2, V(2), lake), 0);
	ck_assert_uint_eq(kit_drain(k, siem, true), 2);
	ck_assert_uint_eq(missing(k, "a", 2, V(2), siem), 2);
}

/* Its filter left the newer one out, not the operator. */
static void
what_a_filter_leaves_out_is_not_missing(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), lake = journal_sink(k->j, "lake");
	struct kit_page *p = page(k, "a", 2, V(2));

	give(k, "a", 2, V(1), siem);
	kit_drain(k, siem, true);
	kit_mean(p, siem);
	kit_mean(p, lake);
	kit_must_append(k, p);
	ck_assert_uint_eq(missing(k, "a", 2, V(2), siem), 0);
	ck_assert_msg(missing(k, "a", 2, V(2), lake) == 2, "it never had one");
}

/* An id that begins with r: the newer version looks like the one before. */
static void
what_looks_the_same_is_not_missing(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct kit_page *p = page(k, "r", 1, V(1));

	kit_route(p, siem);
	kit_must_append(k, p); /* remembered, given to nobody */
	ck_assert_uint_eq(missing(k, "r", 1, V(1), siem), 1);
	kit_must_append(k, page(k, "r", 1, V(2)));
	ck_assert_uint_eq(missing(k, "r", 1, V(2), siem), 0);
}

/* Refused, tried again, and then this; for the version that was refused, or a newer one. */
static void
tried_again(struct kit *k, enum journal_mark_what what, uint32_t sink)
{
	struct journal_batch *b = kit_read(k, sink, 10, SIZE_MAX, NULL);

	kit_settle(k, sink, &b->items[0], MARK_DEAD, 0, NULL);
	journal_batch_free(b);
	kit_wait_backlog(k, sink, 0);
	ck_assert_uint_eq(kit_work_all(k, (struct journal_task){ .what = JOURNAL_RETRY,
	    .which = { .sink = sink } }).done, 1);
	b = kit_read(k, sink, 10, SIZE_MAX, NULL);
	ck_assert(kit_is(b, "a-0"));
	kit_settle(k, sink, &b->items[0], what, 0, NULL);
	journal_batch_free(b);
	kit_wait_backlog(k, sink, 0);
}

static void
a_letter_that_is_accepted_is_not_missing(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");

	give(k, "a", 1, V(1), siem);
	tried_again(k, MARK_OK, siem);
	ck_assert_uint_eq(missing(k, "a", 1, V(1), siem), 0);
}

static void
one_that_is_refused_again_is(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");

	give(k, "a", 1, V(1), siem);
	tried_again(k, MARK_DEAD, siem);
	ck_assert_uint_eq(missing(k, "a", 1, V(1), siem), 1);
}

static void
a_dead_letter_is_missing(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	give(k, "a", 2, V(1), siem);
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	ck_assert_uint_eq(b->n, 2);
	kit_settle(k, siem, &b->items[0], MARK_DEAD, 0, NULL);
	kit_settle(k, siem, &b->items[1], MARK_OK, 0, NULL);
	journal_batch_free(b);
	kit_wait_backlog(k, siem, 0);
	ck_assert_uint_eq(kit_backlog(k, siem).dead, 1);
	ck_assert_uint_eq(missing(k, "a", 2, V(1), siem), 1);
	ck_assert_uint_eq(missing(k, "a", 2, V(1), siem), 0);
}

/* The alert has a newer version meanwhile, which the sink has: the old one is of no interest. */
static void
a_dead_letter_of_an_old_version_is_not(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_batch *b;

	give(k, "a", 1, V(1), siem);
	b = kit_read(k, siem, 10, SIZE_MAX, NULL);
	give(k, "a", 1, V(2), siem);
	kit_settle(k, siem, &b->items[0], MARK_DEAD, 0, NULL);
	journal_batch_free(b);
	kit_wait_backlog(k, siem, 1);
	ck_assert_uint_eq(kit_drain(k, siem, true), 1);
	ck_assert_uint_eq(missing(k, "a", 1, V(2), siem), 0);
}

/* Its gap may have been cancelled. */
static void
a_parked_sink_lacks_what_it_was_not_given(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	size_t most = JOURNAL_PARK_KEEP + 20;

	give(k, "a", most, V(1), siem);
	journal_sink_park(k->j, siem, true);
	kit_wait_backlog(k, siem, JOURNAL_PARK_KEEP);
	give(k, "b", 5, V(3), siem);
	journal_sink_park(k->j, siem, false);
	kit_run(k, 300);
	while (kit_backlog(k, siem).entries > 0) {
		kit_drain(k, siem, true);
		kit_run(k, 200);
	}
	ck_assert_uint_eq(missing(k, "a", most, V(1), siem), 20);
	ck_assert_uint_eq(missing(k, "b", 5, V(3), siem), 5);
	ck_assert_uint_eq(missing(k, "b", 5, V(3), siem), 0);
}

/* What is delivered once more for one sink says so, too. */
static void
a_repeat_counts_as_given(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem"), lake = journal_sink(k->j, "lake");
	struct kit_page *p;

	give(k, "a", 2, V(1), siem);
	p = page(k, "a", 2, V(1));
	p->is_repeat = true;
	kit_route(p, lake);
	kit_must_append(k, p);
	ck_assert_uint_eq(kit_drain(k, lake, true), 2);
	ck_assert_uint_eq(missing(k, "a", 2, V(1), lake), 0);
	ck_assert_uint_eq(kit_drain(k, siem, true), 2);
	ck_assert_uint_eq(missing(k, "a", 2, V(1), siem), 0);
}

static const struct {
	const char *says;
	void (*run)(struct kit *k);
} cases[] = {
	{ "a sink lacks what only others were given", a_sink_lacks_what_others_were_given },
	{ "a newer version is another thing to have", a_newer_version_is_another_thing_to_have },
	{ "what a filter leaves out is not missing", what_a_filter_leaves_out_is_not_missing },
	{ "what looks the same is not missing", what_looks_the_same_is_not_missing },
	{ "a dead letter is missing", a_dead_letter_is_missing },
	{ "one that is accepted at last is not", a_letter_that_is_accepted_is_not_missing },
	{ "one that is refused again is", one_that_is_refused_again_is },
	{ "a dead letter of an old version is not", a_dead_letter_of_an_old_version_is_not },
	{ "a parked sink lacks what it was not given", a_parked_sink_lacks_what_it_was_not_given },
	{ "a repeat counts as given", a_repeat_counts_as_given },
};

START_TEST(on_each_engine)
{
	struct kit k;

	kit_init(&k, engines[_i % (int)ARRAY_LEN(engines)]);
	kit_must_open(&k);
	cases[_i / (int)ARRAY_LEN(engines)].run(&k);
	kit_release(&k);
}
END_TEST

/* ---- the file ------------------------------------------------------------- */

START_TEST(it_outlives_a_restart)
{
	struct kit k;
	uint32_t siem, lake;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	siem = journal_sink(k.j, "siem");
	lake = journal_sink(k.j, "lake");
	give(&k, "a", 2, V(1), siem);
	kit_drain(&k, siem, true);
	kit_close(&k);
	kit_must_open(&k);
	ck_assert_uint_eq(missing(&k, "a", 2, V(1), siem), 0);
	ck_assert_uint_eq(missing(&k, "a", 2, V(1), lake), 2);
	kit_close(&k);
	kit_must_open(&k);
	ck_assert_uint_eq(missing(&k, "a", 2, V(1), lake), 0);
	kit_release(&k);
}
END_TEST

/* What an older msspd stored does not say who was given it: all that were there. */
START_TEST(what_an_older_one_stored)
{
	struct kit k;
	uint32_t siem, lake, late;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	siem = journal_sink(k.j, "siem");
	lake = journal_sink(k.j, "lake");
	give(&k, "a", 2, V(1), siem);
	kit_drain(&k, siem, true);
	ck_assert_msg(missing(&k, "a", 2, V(1), siem) == 0, "and nothing is left to be written");
	sql(&k, "UPDATE memory SET given = NULL; UPDATE sink SET since = 0");
	k.clock.wall += 3600 * TICKS_SEC;
	late = journal_sink(k.j, "late");
	ck_assert_uint_eq(missing(&k, "a", 2, V(1), siem), 0);
	ck_assert_uint_eq(missing(&k, "a", 2, V(1), late), 2);
	ck_assert_uint_eq(missing(&k, "a", 2, V(1), late), 0);
	ck_assert_msg(missing(&k, "a", 2, V(1), lake) == 0, "it was there, so it counts as given");
	kit_release(&k);
}
END_TEST

/* A sink that was let go leaves its number to another one. */
START_TEST(a_number_is_not_a_sink)
{
	struct kit k;
	uint32_t siem, other;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	siem = journal_sink(k.j, "siem");
	give(&k, "a", 2, V(1), siem);
	kit_drain(&k, siem, true);
	k.clock.wall += 3600 * TICKS_SEC;
	sql(&k, "DELETE FROM sink");
	other = journal_sink(k.j, "other");
	ck_assert_uint_eq(other, siem);
	ck_assert_uint_eq(missing(&k, "a", 2, V(1), other), 2);
	ck_assert_uint_eq(missing(&k, "a", 2, V(1), other), 0);
	kit_release(&k);
}
END_TEST

/* ---- its bytes -------------------------------------------------------------- */

START_TEST(written_and_read)
{
	static const uint32_t some[] = { 1, 127, 128, 16383, 16384, UINT32_MAX };
	struct given g = { .n = 0 }, back;
	unsigned char bytes[GIVEN_BYTES];
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(some); i++)
		given_add(&g, some[i]);
	given_add(&g, 127);
	n = given_write(&g, bytes);
	ck_assert_uint_eq(n, 1 + 1 + 2 + 2 + 3 + 5);
	given_read(&back, (struct str){ (char *)bytes, n });
	ck_assert_uint_eq(back.n, ARRAY_LEN(some));
	for (size_t i = 0; i < ARRAY_LEN(some); i++)
		ck_assert(given_has(&back, some[i]));
	given_read(&back, (struct str){ (char *)bytes, n - 1 });
	ck_assert_msg(back.n == ARRAY_LEN(some) - 1, "what is cut off is left out");
	given_read(&back, (struct str){ "\xff\xff\xff\xff\xff\xff\x01\x05", 8 });
	ck_assert_uint_eq(back.n, 0);
}
END_TEST

/* Those that have not got it are written so that an older msspd reads them as not given. */
START_TEST(reasons_written_and_read)
{
	struct given g = { .n = 0 }, back;
	unsigned char bytes[GIVEN_BYTES];
	size_t n;

	given_add(&g, 7);
	given_set(&g, 8, GIVEN_REFUSED);
	given_set(&g, UINT32_MAX, GIVEN_MISSED);
	n = given_write(&g, bytes);
	ck_assert_uint_eq(n, 1 + 5 + 5);
	given_read(&back, (struct str){ (char *)bytes, n });
	ck_assert_uint_eq(back.n, 3);
	ck_assert(given_has(&back, 7) && !given_has(&back, 8) && !given_has(&back, UINT32_MAX));
	ck_assert_uint_eq(back.how[1], GIVEN_REFUSED);
	ck_assert_uint_eq(back.how[2], GIVEN_MISSED);
	given_add(&back, 8);
	ck_assert_msg(given_has(&back, 8) && back.n == 3, "at last it has it");
	given_set(&back, 7, GIVEN_REFUSED);
	ck_assert(!given_has(&back, 7));
	ck_assert_msg(bytes[5] != 0 && bytes[10] != 0, "more than 32 bits, which were left out");
}
END_TEST

START_TEST(too_many)
{
	struct given g = { .n = 0 }, back;
	unsigned char bytes[GIVEN_BYTES];

	for (uint32_t i = 0; i < 2 * GIVEN_MOST; i++)
		given_add(&g, UINT32_MAX - i);
	ck_assert_uint_eq(g.n, GIVEN_MOST);
	given_read(&back, (struct str){ (char *)bytes, given_write(&g, bytes) });
	ck_assert_uint_eq(back.n, GIVEN_MOST);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("journal: who was given what");
	TCase *each = tcase_create("each engine"), *file = tcase_create("file");
	TCase *bytes = tcase_create("bytes");
	SRunner *sr;
	int failed;

	tcase_set_timeout(each, 60);
	tcase_set_timeout(file, 60);
	tcase_add_loop_test(each, on_each_engine, 0,
	    (int)(ARRAY_LEN(cases) * ARRAY_LEN(engines)));
	tcase_add_test(file, it_outlives_a_restart);
	tcase_add_test(file, what_an_older_one_stored);
	tcase_add_test(file, a_number_is_not_a_sink);
	tcase_add_test(bytes, written_and_read);
	tcase_add_test(bytes, reasons_written_and_read);
	tcase_add_test(bytes, too_many);
	suite_add_tcase(s, each);
	suite_add_tcase(s, file);
	suite_add_tcase(s, bytes);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
