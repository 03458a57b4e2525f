/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <zlib.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/inflate.h"

#define LARGE 100000 /* more than any window that a decoder has */

static char large[LARGE];
static struct inflate *z;

static void
setup(void)
{
	uint32_t seed = 1;

	z = inflate_new();
	/* Half of it can be compressed, by what is near and by what is 30 KB back. */
	for (size_t i = 0; i < sizeof(large); i++) {
		seed = seed * 1103515245 + 12345;
		large[i] = (char)(seed >> 24);
		if (i % 7 < 3 && i >= 30000)
			large[i] = large[i - 30000];
		else if (i % 64 < 20)
			large[i] = 'a';
	}
}

static void
teardown(void)
{
	inflate_free(z);
}

/* Appends a member with what is in it. */
static void
pack(struct buf *b, struct str what, int level)
{
	char *out = xmalloc(what.n * 2 + 100);
	z_stream s = { .next_in = (Bytef *)(uintptr_t)what.s,
		.avail_in = (uInt)what.n,
		.next_out = (Bytef *)out,
		.avail_out = (uInt)(what.n * 2 + 100) };

	ck_assert_int_eq(deflateInit2(&s, level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
	    Z_OK);
	ck_assert_int_eq(deflate(&s, Z_FINISH), Z_STREAM_END);
	buf_add(b, out, s.total_out);
	(void)deflateEnd(&s);
	free(out);
}

/* Decodes in pieces of step, into as much room at a time; false where it is damaged. */
static bool
unpack(struct str packed, size_t step, size_t room, struct buf *out)
{
	char *piece = xmalloc(room);
	struct err err = { .kind = ERR_NONE };
	bool is_sound = true;

	inflate_restart(z);
	for (size_t at = 0; at < packed.n && is_sound; at += step) {
		struct str in = { packed.s + at, packed.n - at < step ? packed.n - at : step };
		/* In memory of its own, so that reading on behind it is found. */
		char *own = xmemdup(in.s, in.n);
		size_t n;

		in.s = own;
		do {
			is_sound = inflate_some(z, &in, piece, room, &n, &err);
			ck_assert_uint_le(n, room);
			buf_add(out, piece, n);
		} while (is_sound && (in.n != 0 || n == room));
		free(own);
	}
	if (!is_sound) {
		ck_assert_int_eq(err.kind, ERR_TEMP);
		ck_assert_str_eq(err.text, "the compressed body is damaged");
	}
	free(piece);
	return is_sound;
}

static const struct {
	const char *says;
	size_t step, room;
} ways[] = {
	{ "in one piece", 10 * LARGE, 10 * LARGE },
	{ "byte by byte", 1, 1000 },
	{ "into one byte at a time", 1000, 1 },
	{ "byte by byte, into one at a time", 1, 1 },
	{ "as it comes from the network", 16384, 131072 },
	{ "odd pieces, odd room", 7, 13 },
};

static void
check(struct str packed, struct str what, const char *says)
{
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct buf out = BUF_INIT(10 * LARGE);

		ck_assert_msg(unpack(packed, ways[i].step, ways[i].room, &out), "%s, %s", says,
		    ways[i].says);
		ck_assert_msg(
		    str_same(buf_peek(&out), what), "%s, %s", says, ways[i].says);
		ck_assert_msg(inflate_may_end(z), "%s, %s", says, ways[i].says);
		buf_release(&out);
	}
}

START_TEST(test_levels)
{
	static const int levels[] = { 0, 1, 6, 9 };
	struct buf packed = BUF_INIT(2 * LARGE);

	pack(&packed, (struct str){ large, sizeof(large) }, levels[_i]);
	check(buf_peek(&packed), (struct str){ large, sizeof(large) }, "a level");
	buf_release(&packed);
}
END_TEST

#define MEMBER "\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\x00\x43\xbe\xb7\xe8\x01\0\0\0" /* "a" */

static const struct {
	const char *says;
	struct str packed, what;
} bodies[] = {
	{ "nothing at all", STR(""), STR("") },
	{ "an empty member", STR("\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0"), STR("") },
	{ "one member", STR(MEMBER), STR("a") },
	{ "two", STR(MEMBER MEMBER), STR("aa") },
	{ "three", STR(MEMBER MEMBER MEMBER), STR("aaa") },
	{ "zeros behind it", STR(MEMBER "\0\0\0\0\0\0\0\0\0\0\0\0"), STR("a") },
	{ "something else behind it", STR(MEMBER "garbage"), STR("a") },
	{ "half a beginning behind it", STR(MEMBER "\x1f"), STR("a") },
	{ "half a beginning and something else", STR(MEMBER "\x1f\x1f\x8b"), STR("a") },
	{ "a member behind something else is none", STR(MEMBER "\n" MEMBER), STR("a") },
	{ "with a name, a comment and an extra field",
	    STR("\x1f\x8b\x08\x1c\0\0\0\0\0\x03\x02\0XYname\0comment\0\x4b\x04\x00\x43\xbe\xb7\xe8"
		"\x01\0\0\0"),
	    STR("a") },
};

START_TEST(test_bodies)
{
	check(bodies[_i].packed, bodies[_i].what, bodies[_i].says);
}
END_TEST

static const struct {
	const char *says;
	struct str packed;
} damaged[] = {
	{ "no gzip", STR("{\"value\":[]}") },
	{ "another method", STR("\x1f\x8b\x07\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe8\x01\0\0\0") },
	{ "an unknown kind of block", STR("\x1f\x8b\x08\0\0\0\0\0\0\x03\x07\x04\0\0\0\0\0\0\0\0\0\0") },
	{ "a copy of what was never there",
	    STR("\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\x02\x00\x00\0\0\0\0\0\0\0\0\0\0\0") },
	{ "a wrong checksum", STR("\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe9\x01\0\0\0") },
	{ "a wrong length", STR("\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe8\x02\0\0\0") },
	{ "a second member with a wrong checksum",
	    STR(MEMBER "\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe9\x01\0\0\0") },
	{ "a second member of another method", STR(MEMBER "\x1f\x8b\x07\0\0\0\0\0\0\x03\x4b\x04\0") },
};

START_TEST(test_damaged)
{
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct buf out = BUF_INIT(LARGE);

		ck_assert_msg(!unpack(damaged[_i].packed, ways[i].step, ways[i].room, &out),
		    "%s, %s", damaged[_i].says, ways[i].says);
		buf_release(&out);
	}
	/* It is as good as new afterwards. */
	check(STR(MEMBER), STR("a"), "after it");
}
END_TEST

/* A body that ends anywhere else than behind a member is none. */
START_TEST(test_cut)
{
	static const struct str whole = STR(MEMBER MEMBER);
	const size_t one = sizeof(MEMBER) - 1;

	for (size_t n = 0; n < whole.n; n++) {
		struct buf out = BUF_INIT(LARGE);

		ck_assert(unpack((struct str){ whole.s, n }, 4, 4, &out));
		ck_assert_msg(inflate_may_end(z) == (n == 0 || n == one || n == one + 1), "%zu", n);
		buf_release(&out);
	}
}
END_TEST

/* A bit of each byte turned: it is found, or was of no consequence. */
START_TEST(test_turned)
{
	struct buf packed = BUF_INIT(LARGE);
	const struct str what = { large, 3000 };
	size_t found = 0;

	pack(&packed, what, 6);
	for (size_t i = 10; i < packed.n; i++) {
		struct buf out = BUF_INIT(LARGE);

		packed.p[i] = (char)(packed.p[i] ^ 0x10);
		if (!unpack(buf_peek(&packed), 500, 700, &out) || !inflate_may_end(z))
			found++;
		else
			ck_assert_msg(str_same(buf_peek(&out), what), "byte %zu", i);
		packed.p[i] = (char)(packed.p[i] ^ 0x10);
		buf_release(&out);
	}
	ck_assert_uint_gt(found, (packed.n - 10) * 9 / 10);
	buf_release(&packed);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("inflate");
	TCase *tc = tcase_create("inflate");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_levels, 0, 4);
	tcase_add_loop_test(tc, test_bodies, 0, ARRAY_LEN(bodies));
	tcase_add_loop_test(tc, test_damaged, 0, ARRAY_LEN(damaged));
	tcase_add_test(tc, test_cut);
	tcase_add_test(tc, test_turned);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
