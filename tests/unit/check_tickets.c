/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/delivery/order.h"
#include "daemon/delivery/tickets.h"
#include "lib/base/str.h"

/* ---- tickets ------------------------------------------------------------------- */

static struct ticket
ticket_of(uint64_t seq)
{
	return (struct ticket) { .pos = { .shard = 3, .seq = seq }, .key = seq * 7,
		.tries = (unsigned)seq % 5, .is_canary = true, .stream = 11, .version = 5, .journalled = 6 };
}

START_TEST(test_redeem)
{
	struct tickets ts;
	struct ticket t = ticket_of(9), got;
	uint64_t number;

	tickets_init(&ts, 10);
	number = tickets_issue(&ts, &t);
	ck_assert_uint_ne(number, 0);
	ck_assert(!tickets_redeem(&ts, number + 1, &got));
	ck_assert(!tickets_redeem(&ts, 0, &got));
	ck_assert(tickets_redeem(&ts, number, &got));
	ck_assert(got.pos.shard == 3 && got.pos.seq == 9 && got.key == 63 && got.tries == 4);
	ck_assert(got.is_canary && got.stream == 11 && got.version == 5 && got.journalled == 6);
	ck_assert(!tickets_redeem(&ts, number, &got)); /* once */
	tickets_release(&ts);
}
END_TEST

START_TEST(test_never_again)
{
	struct tickets ts;
	struct ticket t = ticket_of(1), got;
	uint64_t old, new;

	tickets_init(&ts, 10);
	old = tickets_issue(&ts, &t);
	tickets_void(&ts);
	ck_assert_uint_eq(ts.n, 0);
	new = tickets_issue(&ts, &t);
	ck_assert_uint_ne(old, new);
	ck_assert(!tickets_redeem(&ts, old, &got));
	ck_assert(tickets_redeem(&ts, new, &got));
	tickets_release(&ts);
}
END_TEST

/* Answers in any order, some never: the memory follows the number that is out, not its span. */
START_TEST(test_any_order)
{
	struct tickets ts;
	struct ticket t, got;
	uint64_t stuck, numbers[64];

	tickets_init(&ts, 65);
	t = ticket_of(1000);
	stuck = tickets_issue(&ts, &t);
	for (uint64_t round = 0; round < 10000; round++) {
		for (uint64_t i = 0; i < ARRAY_LEN(numbers); i++) {
			t = ticket_of(round * 64 + i);
			numbers[i] = tickets_issue(&ts, &t);
		}
		ck_assert(tickets_is_full(&ts));
		for (uint64_t i = 0; i < ARRAY_LEN(numbers); i++) {
			uint64_t k = (i * 13 + round) % 64;

			ck_assert(tickets_redeem(&ts, numbers[k], &got));
			ck_assert_uint_eq(got.pos.seq, round * 64 + k);
		}
	}
	ck_assert_uint_le(ts.room, 256);
	ck_assert(tickets_redeem(&ts, stuck, &got));
	ck_assert_uint_eq(got.pos.seq, 1000);
	tickets_release(&ts);
}
END_TEST

START_TEST(test_gives_back)
{
	struct tickets ts;
	struct ticket t = ticket_of(1), got;
	uint64_t *numbers = calloc(20000, sizeof(*numbers));

	tickets_init(&ts, 20000);
	for (size_t i = 0; i < 20000; i++)
		numbers[i] = tickets_issue(&ts, &t);
	for (size_t i = 0; i < 20000; i++)
		ck_assert(tickets_redeem(&ts, numbers[i], &got));
	ck_assert_uint_eq(ts.room, 0);
	free(numbers);
	tickets_release(&ts);
}
END_TEST

/* ---- order ------------------------------------------------------------------------ */

#define ALERT_A 11
#define ALERT_B 75 /* in A's chain of the table */

static const struct {
	const char *says;
	struct { uint64_t key, seq; int64_t due; } in[3];
	bool remove_first;
	uint64_t key, seq;
	bool want;
	int64_t due;
} blocks[] = {
	{ "nothing waits in an empty set", { { 0 } }, false, ALERT_A, 5, false, 0 },
	{ "a later entry of the same alert waits", { { ALERT_A, 4, 90 } }, false, ALERT_A, 5, true, 90 },
	{ "the entry itself does not", { { ALERT_A, 5, 90 } }, false, ALERT_A, 5, false, 0 },
	{ "an earlier one does not", { { ALERT_A, 6, 90 } }, false, ALERT_A, 5, false, 0 },
	{ "another alert does not", { { ALERT_A, 4, 90 } }, false, ALERT_B, 5, false, 0 },
	{ "it waits for the latest of several", { { ALERT_A, 3, 70 }, { ALERT_A, 4, 95 } }, false,
	    ALERT_A, 5, true, 95 },
	{ "a due time said anew counts", { { ALERT_A, 3, 70 }, { ALERT_A, 3, 60 } }, false,
	    ALERT_A, 5, true, 60 },
	{ "once the first is settled the second still holds it",
	    { { ALERT_A, 3, 70 }, { ALERT_A, 4, 80 } }, true, ALERT_A, 5, true, 80 },
	{ "once the only one is settled nothing holds it", { { ALERT_A, 3, 70 } }, true,
	    ALERT_A, 5, false, 0 },
	{ "settling one alert leaves its neighbour", { { ALERT_A, 3, 70 }, { ALERT_B, 3, 71 } }, true,
	    ALERT_B, 5, true, 71 },
};

START_TEST(test_blocks)
{
	struct order o;
	int64_t due = 0;
	bool got;

	order_init(&o, 100);
	for (size_t i = 0; i < ARRAY_LEN(blocks[0].in) && blocks[_i].in[i].key != 0; i++)
		ck_assert(order_add(&o, blocks[_i].in[i].key, blocks[_i].in[i].seq, blocks[_i].in[i].due,
		    0));
	if (blocks[_i].remove_first)
		order_remove(&o, blocks[_i].in[0].key, blocks[_i].in[0].seq);
	got = order_blocks(&o, blocks[_i].key, blocks[_i].seq, &due);
	ck_assert_msg(got == blocks[_i].want, "%s", blocks[_i].says);
	ck_assert_msg(!got || due == blocks[_i].due, "%s: due %lld", blocks[_i].says, (long long)due);
	order_release(&o);
}
END_TEST

START_TEST(test_bound)
{
	struct order o;
	int64_t due;

	order_init(&o, 1000);
	for (uint64_t i = 0; i < 1000; i++)
		ck_assert(order_add(&o, i * 64, 1, (int64_t)i, (uint32_t)i % 2));
	ck_assert(!order_add(&o, 999999, 1, 0, 0));
	ck_assert(order_add(&o, 64, 1, 5, 1)); /* one that is there already */
	for (uint64_t i = 0; i < 1000; i += 2)
		order_remove(&o, i * 64, 1);
	order_remove(&o, 123456, 1);
	ck_assert_uint_eq(o.n, 500);
	for (uint64_t i = 0; i < 1000; i++)
		ck_assert_int_eq(order_blocks(&o, i * 64, 2, &due), i % 2 == 1);
	for (uint64_t i = 1; i < 1000; i += 2)
		order_remove(&o, i * 64, 1);
	ck_assert_ptr_null(o.nodes);
	order_release(&o);
}
END_TEST

START_TEST(test_groups)
{
	struct order o;
	int64_t due;

	order_init(&o, 1000);
	for (uint64_t i = 0; i < 300; i++)
		ck_assert(order_add(&o, i / 3, i, 0, (uint32_t)i % 3));
	order_forget(&o, 1);
	ck_assert_uint_eq(o.n, 200);
	for (uint64_t i = 0; i < 300; i++) /* the first of each key is of group 0 */
		ck_assert(order_blocks(&o, i / 3, i, &due) == (i % 3 != 0));
	order_forget(&o, 0);
	for (uint64_t i = 0; i < 300; i++)
		ck_assert(!order_blocks(&o, i / 3, i, &due));
	order_forget(&o, 2);
	ck_assert_ptr_null(o.nodes);
	order_forget(&o, 2);
	order_release(&o);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tickets");
	TCase *tc = tcase_create("tickets and order");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, test_redeem);
	tcase_add_test(tc, test_never_again);
	tcase_add_test(tc, test_any_order);
	tcase_add_test(tc, test_gives_back);
	tcase_add_test(tc, test_groups);
	tcase_add_loop_test(tc, test_blocks, 0, (int)ARRAY_LEN(blocks));
	tcase_add_test(tc, test_bound);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
