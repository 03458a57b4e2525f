/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/delivery/accept.h"
#include "lib/base/str.h"

/*
 * The contract as stories: each is a row of steps, one letter each with its
 * numbers, and what has come out at the end.
 *   w<tickets>:<offset>   that many tickets, their bytes end at offset
 *   a<offset>@<now>       the peer's TCP has everything before offset
 *   h@<now>               the connection is healthy
 *   e                     both sides closed in order
 *   r                     a new connection
 */
static const struct {
	const char *says;
	int64_t confirm_ms;
	const char *steps;
	size_t want; /* tickets that come out, the oldest first */
} stories[] = {
	{ "nothing is accepted by writing alone", 100, "w3:30 h@1000", 0 },
	{ "acknowledged is not accepted", 100, "w3:30 a30@0 h@99", 0 },
	{ "healthy confirm_ms after the acknowledgement is accepted", 100, "w3:30 a30@0 h@100", 3 },
	{ "the wait counts from the acknowledgement, not from the write", 100,
	    "w1:10 a10@50 h@149", 0 },
	{ "without a wait the acknowledgement is enough", 0, "w2:20 a20@7 h@7", 2 },
	{ "a write whose last byte is missing is not acknowledged", 0, "w2:20 a19@0 h@0", 0 },
	{ "a part of the writes is accepted in their order", 0, "w2:20 w3:50 w1:60 a50@0 h@0", 5 },
	{ "later acknowledgements wait for themselves", 100,
	    "w1:10 w2:30 a10@0 a30@60 h@100", 1 },
	{ "an offset that goes back changes nothing", 100, "w1:10 a10@0 a0@50 h@100", 1 },
	{ "a health seen late accepts all that are due", 100,
	    "w1:10 w2:30 a10@0 a30@60 h@500", 3 },
	{ "an end in order accepts everything, written or not acknowledged", 100,
	    "w1:10 w2:30 a10@0 e", 3 },
	{ "a new connection forgets what was not accepted", 0, "w4:40 a40@0 r h@0", 0 },
	{ "offsets begin anew on a new connection", 0, "w4:40 r w1:10 a10@0 h@0", 1 },
	{ "many tickets pass through a small memory", 0,
	    "w5000:1 a1@0 h@0 w5000:2 a2@0 h@0", 10000 },
};

static void
play(struct accept *a, const char *steps, uint64_t *next)
{
	long first, second;
	char *end;

	for (const char *p = steps; *p != '\0'; p = *end == ' ' ? end + 1 : end) {
		first = strtol(p + 1, &end, 10);
		second = *end == ':' || *end == '@' ? strtol(end + 1, &end, 10) : 0;
		switch (*p) {
		case 'w':
			for (long i = 0; i < first; i++)
				accept_add(a, ++*next);
			accept_written(a, (uint64_t)second);
			break;
		case 'a':
			accept_acknowledged(a, (uint64_t)first, second);
			break;
		case 'h':
			accept_healthy(a, second);
			break;
		case 'e':
			accept_everything(a);
			break;
		case 'r':
			accept_reset(a);
			break;
		default:
			ck_abort_msg("no such step: %c", *p);
		}
	}
}

START_TEST(test_story)
{
	struct accept a;
	uint64_t next = 0, out[300], last = 0;
	size_t n, total = 0;

	accept_init(&a, stories[_i].confirm_ms);
	play(&a, stories[_i].steps, &next);
	while ((n = accept_take(&a, out, ARRAY_LEN(out))) > 0) {
		for (size_t i = 0; i < n; i++) {
			ck_assert_msg(out[i] > last, "%s: order", stories[_i].says);
			last = out[i];
		}
		total += n;
	}
	ck_assert_msg(total == stories[_i].want, "%s: got %zu, want %zu", stories[_i].says, total,
	    stories[_i].want);
	accept_release(&a);
}
END_TEST

START_TEST(test_next)
{
	struct accept a;

	accept_init(&a, 100);
	ck_assert_int_eq(accept_next(&a), -1);
	accept_add(&a, 1);
	accept_written(&a, 10);
	ck_assert_int_eq(accept_next(&a), -1);
	accept_acknowledged(&a, 10, 5);
	ck_assert_int_eq(accept_next(&a), 105);
	accept_healthy(&a, 105);
	ck_assert_int_eq(accept_next(&a), -1);
	accept_release(&a);
}
END_TEST

/* A queue that is filled and emptied at all places of its ring. */
START_TEST(test_fifo)
{
	struct fifo f;
	uint32_t in = 0, out = 0;

	fifo_init(&f, sizeof(uint32_t));
	for (unsigned round = 0; round < 2000; round++) {
		for (unsigned i = 0; i < round % 37; i++)
			*(uint32_t *)fifo_push(&f) = in++;
		for (unsigned i = 0; i < round % 31 && f.n > 0; i++) {
			ck_assert_uint_eq(*(uint32_t *)fifo_at(&f, 0), out++);
			fifo_drop(&f, 1);
		}
	}
	ck_assert_uint_eq(f.n, in - out);
	for (size_t i = 0; i < f.n; i++)
		ck_assert_uint_eq(*(uint32_t *)fifo_at(&f, i), out + i);
	fifo_drop(&f, f.n);
	ck_assert_uint_eq(f.n, 0);
	fifo_release(&f);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("accept");
	TCase *tc = tcase_create("accept");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_story, 0, (int)ARRAY_LEN(stories));
	tcase_add_test(tc, test_next);
	tcase_add_test(tc, test_fifo);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
