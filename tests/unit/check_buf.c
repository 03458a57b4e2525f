/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"

START_TEST(test_append)
{
	struct buf b = BUF_INIT(1000);

	ck_assert_str_eq(buf_peek(&b).s, "");
	buf_puts(&b, "one ");
	buf_byte(&b, '2');
	buf_str(&b, STR(" three"));
	buf_add(&b, " \0 ", 3);
	buf_printf(&b, "%d%s", 4, "!");
	ck_assert(buf_ok(&b));
	ck_assert(str_same(buf_peek(&b), STR("one 2 three \0 4!")));
	ck_assert_int_eq(b.p[b.n], '\0');
	buf_cut(&b, 5);
	ck_assert_str_eq(b.p, "one 2");
	buf_cut(&b, 99);
	ck_assert_str_eq(b.p, "one 2");
	buf_clear(&b);
	ck_assert_str_eq(b.p, "");
	buf_release(&b);
	ck_assert_ptr_null(b.p);
	buf_puts(&b, "again");
	ck_assert_str_eq(b.p, "again");
	buf_release(&b);
}
END_TEST

/* Up to max and not a byte beyond; what does not fit leaves what is there alone. */
START_TEST(test_limit)
{
	struct buf b = BUF_INIT(5);

	buf_puts(&b, "12345");
	ck_assert(buf_ok(&b));
	buf_byte(&b, '6');
	ck_assert(!buf_ok(&b));
	ck_assert_str_eq(b.p, "12345");
	buf_cut(&b, 2);
	buf_puts(&b, "3");
	ck_assert(!buf_ok(&b));
	ck_assert_str_eq(b.p, "12");
	buf_clear(&b);
	buf_puts(&b, "123");
	buf_printf(&b, "%d", 456);
	ck_assert(!buf_ok(&b));
	ck_assert_str_eq(b.p, "123");
	buf_clear(&b);
	buf_printf(&b, "%d", 45678);
	ck_assert(buf_ok(&b) && strcmp(b.p, "45678") == 0);
	buf_release(&b);
}
END_TEST

START_TEST(test_no_limit)
{
	struct buf b = BUF_INIT(SIZE_MAX - 1), none = BUF_INIT(0);

	ck_assert(!buf_room(&b, SIZE_MAX));
	buf_clear(&b);
	buf_puts(&b, "x");
	ck_assert(buf_ok(&b) && !buf_room(&b, SIZE_MAX - 1));
	buf_add(&none, "", 0);
	ck_assert(buf_ok(&none));
	buf_byte(&none, 'x');
	ck_assert(!buf_ok(&none));
	buf_release(&b);
	buf_release(&none);
}
END_TEST

/* A piece at a time, through every growth. */
START_TEST(test_growth)
{
	struct buf b = BUF_INIT(100000);

	for (unsigned i = 0; i < 100000; i++) {
		buf_byte(&b, (char)('a' + i % 26));
		ck_assert(b.n == i + 1 && b.p[b.n] == '\0' && b.room > b.n);
	}
	for (unsigned i = 0; i < 100000; i++)
		ck_assert_int_eq(b.p[i], (int)('a' + i % 26));
	buf_byte(&b, 'x');
	ck_assert(!buf_ok(&b));
	ck_assert_uint_le(b.room, 100001);
	buf_release(&b);
}
END_TEST

static const struct {
	int64_t v;
	const char *want;
} numbers[] = {
	{ 0, "0" },
	{ 7, "7" },
	{ 10, "10" },
	{ -1, "-1" },
	{ 1795320630703, "1795320630703" },
	{ INT64_MAX, "9223372036854775807" },
	{ INT64_MIN, "-9223372036854775808" },
};

START_TEST(test_int)
{
	struct buf b = BUF_INIT(100);

	buf_int(&b, numbers[_i].v);
	ck_assert_str_eq(b.p, numbers[_i].want);
	buf_release(&b);
}
END_TEST

START_TEST(test_take)
{
	struct buf b = BUF_INIT(100);
	char *p = buf_take(&b);

	ck_assert_str_eq(p, "");
	free(p);
	buf_puts(&b, "mine");
	p = buf_take(&b);
	ck_assert_str_eq(p, "mine");
	ck_assert(b.n == 0 && b.p == NULL && b.max == 100);
	free(p);
}
END_TEST

START_TEST(test_fit)
{
	struct buf b = BUF_INIT(10000);

	buf_fit(&b);
	ck_assert_ptr_null(b.p);
	ck_assert(buf_room(&b, 5000));
	buf_puts(&b, "seven b");
	buf_fit(&b);
	ck_assert_uint_eq(b.room, 8);
	ck_assert_str_eq(b.p, "seven b");
	buf_puts(&b, "ytes");
	ck_assert_str_eq(b.p, "seven bytes");
	buf_release(&b);
}
END_TEST

START_TEST(test_wipe)
{
	struct buf b = BUF_INIT(100);

	buf_wipe(&b);
	buf_puts(&b, "secret");
	buf_wipe(&b);
	ck_assert(b.n == 0 && b.p == NULL);
}
END_TEST

/* ---- arena: what most text lives in -------------------------------------------------------- */

START_TEST(test_arena)
{
	struct arena a;
	struct str s;
	char *p;

	arena_init(&a);
	for (size_t n = 1; n < 20000; n += n / 3 + 1) {
		unsigned char *z = arena_alloc(&a, n);

		ck_assert_uint_eq((uintptr_t)z % 16, 0);
		for (size_t i = 0; i < n; i++)
			ck_assert_int_eq(z[i], 0);
		memset(z, 0xff, n);
		p = arena_bytes(&a, 3);
		memcpy(p, "abc", 3);
	}
	s = arena_copy(&a, STR("a\0b"));
	ck_assert(str_same(s, STR("a\0b")) && s.s[3] == '\0');
	ck_assert_str_eq(arena_strdup(&a, "text"), "text");
	ck_assert_uint_eq(arena_copy(&a, (struct str){ NULL, 0 }).n, 0);
	arena_release(&a);
	ck_assert_ptr_null(a.blocks);
	arena_release(&a);
}
END_TEST

START_TEST(test_arena_trim)
{
	struct arena a;
	char *p, *q;

	arena_init(&a);
	p = arena_bytes(&a, 100);
	arena_trim(&a, 90);
	q = arena_bytes(&a, 1);
	ck_assert_ptr_eq(q, p + 10);
	ck_assert_uint_eq(a.used, 11);
	arena_release(&a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("buf");
	TCase *tc = tcase_create("buf");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_test(tc, test_append);
	tcase_add_test(tc, test_limit);
	tcase_add_test(tc, test_no_limit);
	tcase_add_test(tc, test_growth);
	tcase_add_loop_test(tc, test_int, 0, (int)ARRAY_LEN(numbers));
	tcase_add_test(tc, test_take);
	tcase_add_test(tc, test_fit);
	tcase_add_test(tc, test_wipe);
	tcase_add_test(tc, test_arena);
	tcase_add_test(tc, test_arena_trim);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
