/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/spares.h"

#define KIB ((size_t)1 << 10)
#define MAX (1024 * KIB)

static struct spares *s;

static void
setup(void)
{
	s = spares_new(MAX);
}

static void
teardown(void)
{
	spares_unref(s);
}

/* Memory of so many bytes goes in; returns where it is. */
static const char *
put(size_t n)
{
	struct buf b = BUF_INIT(16 * MAX);
	const char *p;

	ck_assert(buf_room(&b, n - 1));
	p = b.p;
	spares_take(s, &b);
	ck_assert_ptr_null(b.p);
	ck_assert_uint_eq(b.room, 0);
	return p;
}

/* Is what is lent for n bytes that memory? */
static bool
lends(size_t n, const char *p)
{
	struct buf b = BUF_INIT(16 * MAX);
	bool is_it;

	spares_lend(s, &b, n);
	is_it = b.p == p;
	ck_assert_uint_eq(b.n, 0);
	ck_assert_uint_ge(b.room, n - n / 4);
	buf_puts(&b, "text");
	ck_assert_str_eq(b.p, "text");
	buf_release(&b);
	return is_it;
}

static const struct {
	const char *says;
	size_t kept, wanted; /* KiB */
	bool is_lent;
} fits[] = {
	{ "as much", 300, 300, true },
	{ "a little more", 300, 290, true },
	{ "nearly enough", 300, 390, true },
	{ "too little", 300, 410, false },
	{ "twice as much", 300, 151, true },
	{ "a waste", 300, 149, false },
	{ "for a page of nothing", 300, 1, false },
	{ "the smallest that is kept", 128, 128, true },
	{ "one that is too small to be kept", 127, 127, false },
	{ "all that may be kept", 1024, 1024, true },
	{ "more than may be kept", 1025, 1025, false },
};

START_TEST(test_fit)
{
	const char *p = put(fits[_i].kept * KIB);
	struct buf b = BUF_INIT(16 * MAX), other = BUF_INIT(16 * MAX);

	/* Where it went back, malloc() may give the same again: so it has something else first. */
	if (!fits[_i].is_lent && (fits[_i].kept < 128 || fits[_i].kept > 1024))
		(void)buf_room(&other, fits[_i].kept * KIB - 1);
	spares_lend(s, &b, fits[_i].wanted * KIB);
	ck_assert_msg((b.p == p) == fits[_i].is_lent, "%s", fits[_i].says);
	buf_release(&b);
	buf_release(&other);
}
END_TEST

/* The youngest goes out first, for it is still in the cache; the oldest goes when it is too much. */
START_TEST(test_order)
{
	const char *second, *third;

	(void)put(400 * KIB);
	second = put(400 * KIB);
	third = put(401 * KIB);
	ck_assert(lends(400 * KIB, third));
	ck_assert(lends(400 * KIB, second));
}
END_TEST

/* Never more than the buf may hold, and what is cut to that is not kept as more. */
START_TEST(test_max)
{
	struct buf b = BUF_INIT(200 * KIB);

	spares_lend(s, &b, SIZE_MAX / 2);
	ck_assert_uint_eq(b.room, 200 * KIB + 1);
	ck_assert(buf_ok(&b));
	spares_take(s, &b);
	ck_assert(buf_ok(&b));
}
END_TEST

/* Many small ones: there is a number that it ends at. */
START_TEST(test_many)
{
	spares_unref(s);
	s = spares_new(1024 * MAX);
	for (int i = 0; i < 100; i++)
		(void)put(128 * KIB);
}
END_TEST

START_TEST(test_outlives)
{
	struct spares *mine = spares_ref(s);
	struct buf b = BUF_INIT(MAX);

	spares_lend(s, &b, 300 * KIB);
	spares_unref(s);
	s = NULL;
	spares_take(mine, &b);
	spares_unref(mine);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("spares");
	TCase *tc = tcase_create("spares");
	SRunner *sr = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_fit, 0, ARRAY_LEN(fits));
	tcase_add_test(tc, test_order);
	tcase_add_test(tc, test_max);
	tcase_add_test(tc, test_many);
	tcase_add_test(tc, test_outlives);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
