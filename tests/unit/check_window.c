/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/intake/window.h"

static struct window_pool pool;
static struct window w;

static void
setup(void)
{
	window_pool_init(&pool, (size_t)16 << 20);
	window_init(&w, &pool);
}

static void
teardown(void)
{
	window_release(&w);
	ck_assert_uint_eq(pool.bytes, 0);
}

/* Alert number i. */
static struct str
id(unsigned i)
{
	static char text[8][32];
	static unsigned next;
	char *p = text[next++ % 8];
	int n = snprintf(p, sizeof(text[0]), "da%u_x", i);

	return (struct str){ p, (size_t)n };
}

static uint64_t
hash(struct str name, int64_t version)
{
	char slice[100];
	int n =
	    snprintf(slice, sizeof(slice), "{%.*s %lld}", (int)name.n, name.s, (long long)version);

	return window_hash(&pool, (struct str){ slice, (size_t)n });
}

static void
put(struct str name, int64_t version)
{
	window_put(&w, name, version, hash(name, version));
}

static unsigned
count_known(unsigned n)
{
	unsigned known = 0;

	for (unsigned i = 0; i < n; i++)
		known += window_knows(&w, id(i), 1000 + i);
	return known;
}

START_TEST(test_knows_versions_of_ids)
{
	ck_assert(!window_knows(&w, id(1), 5));
	put(id(1), 5);
	ck_assert(window_knows(&w, id(1), 5));
	ck_assert(!window_knows(&w, id(1), 6));
	ck_assert(!window_knows(&w, id(2), 5));
	put(id(1), 6);
	ck_assert(window_knows(&w, id(1), 5) && window_knows(&w, id(1), 6));
	put(id(1), 6);
	ck_assert_uint_eq(w.n, 4);
}
END_TEST

START_TEST(test_knows_bytes)
{
	int64_t version = 0;

	ck_assert(!window_knows_slice(&w, hash(id(1), 5), &version));
	put(id(1), 5);
	ck_assert(window_knows_slice(&w, hash(id(1), 5), &version));
	ck_assert_int_eq(version, 5);
	ck_assert(!window_knows_slice(&w, hash(id(1), 6), &version));
	window_put(&w, id(1), 5, 4711);
	ck_assert(window_knows_slice(&w, 4711, &version));
	ck_assert_uint_eq(w.n, 3);
}
END_TEST

/* Every bit and every length counts, and so does the secret. */
START_TEST(test_hash)
{
	struct window_pool other;
	char text[200] = "";
	uint64_t seen[200 * 9];
	size_t n = 0;

	for (size_t len = 0; len < sizeof(text); len++) {
		seen[n++] = window_hash(&pool, (struct str){ text, len });
		for (size_t bit = 0; bit < 8 && len > 0; bit++) {
			text[len - 1] ^= (char)(1 << bit);
			seen[n++] = window_hash(&pool, (struct str){ text, len });
			text[len - 1] ^= (char)(1 << bit);
		}
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++)
			ck_assert(seen[i] != seen[k]);
	}
	window_pool_init(&other, 0);
	ck_assert(window_hash(&other, STR("x")) != window_hash(&pool, STR("x")));
}
END_TEST

START_TEST(test_many_are_kept)
{
	for (unsigned i = 0; i < 70000; i++)
		put(id(i), 1000 + i);
	ck_assert_uint_eq(count_known(70000), 70000);
	ck_assert_uint_le(pool.bytes, (size_t)4 << 20);
}
END_TEST

START_TEST(test_what_left_the_window_goes)
{
	for (unsigned i = 0; i < 10000; i++) {
		put(id(i), 1000 + i);
		if (i >= 100)
			window_begins(&w, 1000 + i - 100);
	}
	ck_assert_uint_eq(count_known(10000) >= 100, 1);
	ck_assert_uint_le(w.room, 512);
	put(id(1), 999);
	ck_assert(!window_knows(&w, id(1), 999));
}
END_TEST

START_TEST(test_shrinks_after_a_flood)
{
	for (unsigned i = 0; i < 50000; i++)
		put(id(i), 1000 + i);
	window_begins(&w, 1000 + 50000);
	for (unsigned i = 50000; i < 100000; i++) {
		window_begins(&w, 1000 + i);
		put(id(i), 1000 + i);
	}
	ck_assert_uint_le(w.room, 1024);
}
END_TEST

START_TEST(test_bounded_by_the_pool)
{
	pool.max = 64 * 1024;
	for (unsigned i = 0; i < 100000; i++)
		put(id(i), 1000 + i);
	ck_assert_uint_le(pool.bytes, pool.max);
	/* the newest are what is asked for next */
	ck_assert(window_knows(&w, id(99999), 1000 + 99999));
}
END_TEST

START_TEST(test_bounded_by_itself)
{
	pool.max = SIZE_MAX / 2;
	for (unsigned i = 0; i < 400000; i++)
		put(id(i), 1000 + i);
	ck_assert_uint_le(pool.bytes, (size_t)4 << 20);
	ck_assert(window_knows(&w, id(399999), 1000 + 399999));
}
END_TEST

START_TEST(test_stamps_of_the_future_do_not_blind)
{
	pool.max = 64 * 1024;
	for (unsigned i = 0; i < 300; i++)
		put(id(i + 1000000), INT64_MAX / 2 + i);
	for (unsigned i = 0; i < 20000; i++)
		put(id(i), 1000 + i);
	ck_assert(window_knows(&w, id(19999), 1000 + 19999));
}
END_TEST

START_TEST(test_all_on_one_version)
{
	pool.max = 4096;
	for (unsigned i = 0; i < 5000; i++)
		put(id(i), 77);
	ck_assert_uint_le(pool.bytes, pool.max);
	ck_assert_uint_lt(w.n, w.room);
}
END_TEST

START_TEST(test_no_room_at_all)
{
	pool.max = 0;
	for (unsigned i = 0; i < 100; i++)
		put(id(i), 1000 + i);
	ck_assert_uint_le(pool.bytes, 256);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("window");
	TCase *tc = tcase_create("window");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_knows_versions_of_ids);
	tcase_add_test(tc, test_knows_bytes);
	tcase_add_test(tc, test_hash);
	tcase_add_test(tc, test_many_are_kept);
	tcase_add_test(tc, test_what_left_the_window_goes);
	tcase_add_test(tc, test_shrinks_after_a_flood);
	tcase_add_test(tc, test_bounded_by_the_pool);
	tcase_add_test(tc, test_bounded_by_itself);
	tcase_add_test(tc, test_stamps_of_the_future_do_not_blind);
	tcase_add_test(tc, test_all_on_one_version);
	tcase_add_test(tc, test_no_room_at_all);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
