/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/journal/ledger.h"

/* Who waits for which entry. A chunk is 4096 entries: cases lie at its borders. */
static bool
is_next(struct ledger *l, uint64_t from, uint64_t max, uint64_t first, uint64_t last)
{
	uint64_t a, b;

	return ledger_next_done(l, from, max, &a, &b) && a == first && b == last;
}

static bool
is_none(struct ledger *l, uint64_t from)
{
	uint64_t a, b;

	return !ledger_next_done(l, from, 10, &a, &b);
}

static void
empty(struct ledger *l)
{
	ck_assert(is_none(l, 0));
	ck_assert(!ledger_settle(l, 5));
	ledger_gone(l, 1, 9000);
	ck_assert_uint_eq(l->open, 0);
}

static void
the_last_sink_frees_it(struct ledger *l)
{
	ledger_add(l, 1, 2);
	ck_assert_uint_eq(l->open, 1);
	ck_assert(!ledger_settle(l, 1));
	ck_assert(is_none(l, 0));
	ck_assert(ledger_settle(l, 1));
	ck_assert(!ledger_settle(l, 1));
	ck_assert_uint_eq(l->open, 0);
	ck_assert(is_next(l, 0, 10, 1, 1));
}

static void
the_oldest_comes_first(struct ledger *l)
{
	for (uint64_t seq = 1; seq <= 100; seq++)
		ledger_add(l, seq, 1);
	ledger_settle(l, 50);
	ck_assert(is_next(l, 0, 10, 50, 50));
	ledger_settle(l, 51);
	ledger_settle(l, 7);
	ck_assert(is_next(l, 0, 10, 7, 7));
	ck_assert(is_next(l, 8, 10, 50, 51));
	ck_assert(is_next(l, 8, 1, 50, 50));
	ledger_gone(l, 7, 7);
	ck_assert(is_next(l, 0, 10, 50, 51));
}

static void
for_nobody_is_done_at_once(struct ledger *l)
{
	ledger_add(l, 3, 0);
	ck_assert(is_next(l, 0, 10, 3, 3));
	ck_assert_uint_eq(l->open, 0);
}

static void
what_is_to_come_is_not_done(struct ledger *l)
{
	ledger_assume_done(l, 10, 20);
	ck_assert(is_next(l, 0, 100, 10, 20));
	ck_assert(is_none(l, 21));
	ledger_add(l, 21, 1);
	ck_assert(is_none(l, 21));
	ledger_wait(l, 15);
	ledger_wait(l, 15);
	ck_assert(is_next(l, 0, 100, 10, 14));
	ck_assert(!ledger_settle(l, 15));
	ck_assert(ledger_settle(l, 15));
}

static void
whole_chunks_are_assumed(struct ledger *l)
{
	ledger_assume_done(l, 4000, 3 * 4096 + 5);
	ck_assert(is_next(l, 0, 10000, 4000, 4095));
	ck_assert(is_next(l, 4096, 10000, 4096, 8191));
	ck_assert(is_next(l, 3 * 4096, 10000, 3 * 4096, 3 * 4096 + 5));
	ck_assert(is_none(l, 3 * 4096 + 6));
	ledger_wait(l, 5000);
	ck_assert(is_next(l, 4096, 10000, 4096, 4999));
	ledger_gone(l, 4000, 4999);
	ledger_gone(l, 5001, 3 * 4096 + 5);
	ck_assert(is_none(l, 0));
	ck_assert_uint_eq(l->open, 1);
	ck_assert(ledger_settle(l, 5000));
	ck_assert(is_next(l, 0, 10, 5000, 5000));
}

static void
a_long_way_is_walked(struct ledger *l)
{
	/* One that nobody takes stays behind; memory for the way goes. */
	ledger_add(l, 1, 1);
	for (uint64_t seq = 2; seq <= 1000000; seq++) {
		ledger_add(l, seq, 1);
		ck_assert(ledger_settle(l, seq));
		ck_assert(is_next(l, 0, 10, seq, seq));
		ledger_gone(l, seq, seq);
	}
	ck_assert(is_none(l, 0));
	ck_assert_uint_eq(l->open, 1);
	ck_assert(ledger_settle(l, 1));
	ck_assert(is_next(l, 0, 10, 1, 1));
	ledger_gone(l, 1, 1);
	ledger_add(l, 1000001, 1);
	ck_assert(ledger_settle(l, 1000001));
	ck_assert(is_next(l, 0, 10, 1000001, 1000001));
	ck_assert_uint_le(l->n, 66);
}

static const struct {
	const char *says;
	void (*run)(struct ledger *l);
} cases[] = {
	{ "an empty one knows nothing", empty },
	{ "the last sink frees an entry", the_last_sink_frees_it },
	{ "the oldest that may go comes first", the_oldest_comes_first },
	{ "an entry for nobody may go at once", for_nobody_is_done_at_once },
	{ "entries that are still to come are not done", what_is_to_come_is_not_done },
	{ "whole chunks are assumed done", whole_chunks_are_assumed },
	{ "one that stays does not slow the others", a_long_way_is_walked },
};

START_TEST(test_ledger)
{
	struct ledger l;

	ledger_init(&l);
	cases[_i].run(&l);
	ledger_release(&l);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ledger");
	TCase *tc = tcase_create("ledger");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_ledger, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
