/* SPDX-License-Identifier: Apache-2.0 */
#include <zlib.h>

#include "tests/unit/fetch_stage.h"

/* How much of an answer is taken, as it comes and as it is decoded. */

static char gzipped[256 * 1024];

/* gzip(1) as a writer of bits: one literal, then copies of 258 bytes of it, fixed codes. */
struct bits {
	size_t n;
	unsigned used;
};

static void
put_bit(struct bits *b, unsigned bit)
{
	if (b->used == 0)
		gzipped[b->n++] = 0;
	gzipped[b->n - 1] = (char)(gzipped[b->n - 1] | (bit << b->used));
	b->used = (b->used + 1) % 8;
}

static void
put_code(struct bits *b, unsigned code, unsigned n)
{
	while (n-- > 0)
		put_bit(b, code >> n & 1);
}

static struct str
zeros(size_t copies, bool has_end)
{
	static const char head[10] = "\x1f\x8b\x08";
	struct bits b = { .n = sizeof(head) };

	memcpy(gzipped, head, sizeof(head));
	put_bit(&b, 1);
	put_bit(&b, 1);
	put_bit(&b, 0);
	put_code(&b, 0x30, 8); /* a zero */
	while (copies-- > 0) {
		put_code(&b, 0xc5, 8); /* 258 bytes */
		put_code(&b, 0, 5);    /* from one byte back */
	}
	put_code(&b, 0, 7);
	if (has_end) {
		memcpy(gzipped + b.n, "\x8d\xef\x02\xd2\x01\x00\x00\x00", 8); /* of one zero */
		b.n += 8;
	}
	return (struct str){ gzipped, b.n };
}

/* Its checksum and length, of n zeros. */
static struct str
with_end(struct str packed, size_t n)
{
	static const char none[4096];
	uLong sum = crc32(0, NULL, 0);

	for (size_t left = n; left > 0; left -= left < sizeof(none) ? left : sizeof(none))
		sum = crc32(sum, (const Bytef *)none,
		    (uInt)(left < sizeof(none) ? left : sizeof(none)));
	for (unsigned i = 0; i < 4; i++) {
		gzipped[packed.n + i] = (char)(sum >> 8 * i);
		gzipped[packed.n + 4 + i] = (char)(n >> 8 * i);
	}
	return (struct str){ packed.s, packed.n + 8 };
}

static char large[4 * BODY_CAP];

START_TEST(test_gzip)
{
	struct got g;

	answer =
	    (struct web_answer){ .head = OK "Content-Encoding: gzip\r\n", .body = zeros(0, true) };
	get(&g);
	ck_assert_msg(g.reply.status == 200, "%s", g.reply.err.text);
	ck_assert_uint_eq(g.streamed.n, 1);
	release(&g);
}
END_TEST

/* It is taken to the last byte that is allowed, and what follows that is only a checksum. */
START_TEST(test_gzip_limit)
{
	const size_t copies = (BODY_CAP - 1) / 258;
	struct got g;
	struct fetch_req req;

	for (int less = 0; less < 2; less++) {
		answer = (struct web_answer){ .head = OK "Content-Encoding: gzip\r\n",
			.body = zeros(copies, false) };
		answer.body = with_end(answer.body, 1 + copies * 258);
		req = request(&g, web_url(w, "127.0.0.1"));
		g.streamed.max = 1 + copies * 258 - (size_t)less;
		(void)fetch_start(f, &req);
		run(&g);
		ck_assert_int_eq(g.reply.is_too_large, less);
		ck_assert_int_eq(g.reply.status, 200);
		ck_assert_uint_eq(g.streamed.n, g.streamed.max);
		release(&g);
	}
}
END_TEST

/* Behind the end of it comes what decodes to nothing, and does not stop. */
START_TEST(test_gzip_rest)
{
	static char endless[4 * BODY_CAP];
	struct got g;

	memcpy(endless, ONE, sizeof(ONE) - 1);
	answer = (struct web_answer){ .head = OK "Content-Encoding: gzip\r\n",
		.body = { endless, sizeof(endless) } };
	get(&g);
	ck_assert(g.reply.is_too_large);
	ck_assert(str_is(buf_peek(&g.streamed), "a"));
	release(&g);
}
END_TEST

/* A large error's beginning is kept, and its head counts. */
START_TEST(test_gzip_error)
{
	struct got g;

	answer = (struct web_answer){ .head = "HTTP/1.1 503 Oops\r\nContent-Encoding: gzip\r\n",
		.body = zeros(50000, false) };
	get(&g);
	ck_assert_int_eq(g.reply.status, 503);
	ck_assert(!g.reply.is_too_large);
	ck_assert_uint_eq(g.body.n, 64 * 1024);
	release(&g);
}
END_TEST

/* 80 KB that would be 12 MB. */
START_TEST(test_gzip_bomb)
{
	struct got g;

	answer = (struct web_answer){ .head = OK "Content-Encoding: gzip\r\n",
		.body = zeros(50000, false) };
	get(&g);
	ck_assert(g.reply.is_too_large);
	ck_assert_int_eq(g.reply.status, 200);
	ck_assert_int_eq(g.reply.err.kind, ERR_TEMP);
	ck_assert_uint_le(g.streamed.n, BODY_CAP);
	release(&g);
}
END_TEST

START_TEST(test_too_large)
{
	struct got g;
	struct fetch_req req;

	answer = (struct web_answer){ .head = OK, .body = { large, sizeof(large) } };
	get(&g);
	ck_assert(g.reply.is_too_large);
	ck_assert_uint_le(g.streamed.n, BODY_CAP);
	release(&g);

	req = request(&g, web_url(w, "127.0.0.1"));
	req.on_body = NULL;
	(void)fetch_start(f, &req);
	run(&g);
	ck_assert(g.reply.is_too_large);
	release(&g);

	answer.body.n = BODY_CAP;
	get(&g);
	ck_assert(!g.reply.is_too_large);
	ck_assert_uint_eq(g.streamed.n, BODY_CAP);
	release(&g);
}
END_TEST

START_TEST(test_large_error)
{
	struct got g;

	answer = (struct web_answer){ .head = "HTTP/1.1 500 Oops\r\n",
		.body = { large, sizeof(large) } };
	get(&g);
	ck_assert_int_eq(g.reply.status, 500);
	ck_assert(!g.reply.is_too_large);
	ck_assert_uint_eq(g.body.n, 64 * 1024);
	release(&g);
}
END_TEST

START_TEST(test_on_more_refuses)
{
	struct got g;
	struct fetch_req req = request(&g, web_url(w, "127.0.0.1"));

	answer = (struct web_answer){ .head = OK, .body = { large, BODY_CAP } };
	g.refuse_at = 1;
	(void)fetch_start(f, &req);
	run(&g);
	ck_assert(g.reply.is_too_large);
	ck_assert_uint_eq(g.chunks, 1);
	release(&g);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, test_gzip);
	tcase_add_test(tc, test_gzip_limit);
	tcase_add_test(tc, test_gzip_rest);
	tcase_add_test(tc, test_gzip_error);
	tcase_add_test(tc, test_gzip_bomb);
	tcase_add_test(tc, test_too_large);
	tcase_add_test(tc, test_large_error);
	tcase_add_test(tc, test_on_more_refuses);
}

int
main(void)
{
	return run_suite("fetch_size", add);
}
