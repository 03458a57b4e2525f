/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/inflate.h"
#include "lib/base/ticks.h"
#include "lib/base/alloc.h"
#include "tests/unit/fetch_stage.h"

/* What is asked, and what is understood of an answer. */

/* "a" as a member of gzip whose checksum is another. */
#define WRONG "\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe9\x01\0\0\0"

static const struct {
	const char *says;
	struct web_answer answer;
	int status;
	const char *err; /* part of the text; NULL: none */
	const char *streamed, *body;
} answers[] = {
	{ "a body is streamed", { .head = OK, .body = { "hello", 5 } }, 200, NULL, "hello", "" },
	{ "an empty body", { .head = OK, .body = { "", 0 } }, 200, NULL, "", "" },
	{ "an error's body comes at the end",
	    { .head = "HTTP/1.1 404 Not Found\r\n", .body = { "{}", 2 } }, 404, NULL, "", "{}" },
	{ "another 2xx is not streamed", { .head = "HTTP/1.1 206 Partial\r\n", .body = { "x", 1 } },
	    206, NULL, "", "x" },
	{ "a body without a length, closed in order",
	    { .head = OK "\r\nhello", .is_raw = true, .body = { "", 0 }, .end = WEB_CLOSE }, 200,
	    NULL, "hello", "" },
	{ "100 Continue before it",
	    { .head = "HTTP/1.1 100 Continue\r\nRetry-After: 9\r\n\r\n" OK,
		.body = { "hello", 5 } },
	    200, NULL, "hello", "" },
	{ "a redirect is not followed",
	    { .head = "HTTP/1.1 302 Found\r\nLocation: /again\r\n", .body = { "", 0 } }, 302, NULL,
	    "", "" },
	{ "cut short", { .head = OK, .body = { "hel", 3 }, .promise = 5, .end = WEB_CLOSE }, 0,
	    "answer cut short", "hel", "" },
	{ "reset in the body", { .head = OK, .body = { "hel", 3 }, .promise = 5, .end = WEB_RESET },
	    0, "127.0.0.1", "hel", "" },
	{ "reset before the head", { .head = NULL, .end = WEB_RESET }, 0, "127.0.0.1", "", "" },
	{ "closed before the head", { .head = NULL, .end = WEB_CLOSE }, 0, "without an answer", "",
	    "" },
	{ "no HTTP at all",
	    { .head = "SSH-2.0-x\r\n", .is_raw = true, .body = { "", 0 }, .end = WEB_CLOSE }, 0,
	    "not an HTTP answer", "", "" },
	{ "a broken gzip body", { .head = OK "Content-Encoding: gzip\r\n", .body = { "hello", 5 } },
	    0, "compressed body is damaged", "", "" },
	{ "an encoding that was not asked for",
	    { .head = OK "Content-Encoding: compress\r\n", .body = { "hello", 5 } }, 0,
	    "an encoding that was not asked for", "", "" },
	{ "gzip in gzip",
	    { .head = OK "Content-Encoding: gzip, gzip\r\n", .body = { "hello", 5 } }, 0,
	    "an encoding that was not asked for", "", "" },
	{ "gzip in gzip, said twice",
	    { .head = OK "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n",
		.body = { "hello", 5 } },
	    0, "an encoding that was not asked for", "", "" },
	{ "no encoding, and that is said",
	    { .head = OK "Content-Encoding: Identity\r\n", .body = { "hello", 5 } }, 200, NULL,
	    "hello", "" },
	{ "an empty body of an odd encoding is empty",
	    { .head = OK "Content-Encoding: br\r\n", .body = { "", 0 } }, 200, NULL, "", "" },
	{ "an empty body is gzip, too",
	    { .head = OK "Content-Encoding: gzip\r\n", .body = { "", 0 } }, 200, NULL, "", "" },
	{ "gzip", { .head = OK "Content-Encoding: X-Gzip\r\n", .body = STR(ONE) }, 200, NULL, "a",
	    "" },
	{ "gzip of several members",
	    { .head = OK "Content-Encoding: gzip\r\n", .body = STR(ONE ONE) }, 200, NULL, "aa",
	    "" },
	{ "zeros behind it",
	    { .head = OK "Content-Encoding: gzip\r\n", .body = STR(ONE "\0\0\0\0") }, 200, NULL,
	    "a", "" },
	{ "an error is encoded, too",
	    { .head = "HTTP/1.1 404 Not Found\r\nContent-Encoding: gzip\r\n",
		.body = STR(ONE) },
	    404, NULL, "", "a" },
	{ "gzip that is cut in order",
	    { .head = OK "Content-Encoding: gzip\r\n", .body = { ONE, sizeof(ONE) - 2 } }, 0,
	    "answer cut short", "a", "" },
	{ "gzip that is cut, and the connection with it",
	    { .head = OK "Content-Encoding: gzip\r\n", .body = { ONE, 15 }, .promise = 21,
		.end = WEB_CLOSE },
	    0, "answer cut short", "a", "" },
	{ "gzip with a wrong checksum",
	    { .head = OK "Content-Encoding: gzip\r\n", .body = STR(WRONG) }, 0,
	    "compressed body is damaged", "a", "" },
};

/* What came on the wire is the same, once it is unpacked. */
static void
is_unpacked(const struct got *g)
{
	char out[64];
	size_t n = inflate_whole(buf_peek(&g->packed), out, sizeof(out));

	ck_assert(str_same((struct str){ out, n }, buf_peek(&g->streamed)));
}

START_TEST(test_answer)
{
	struct got g;

	answer = answers[_i].answer;
	get(&g);
	ck_assert_msg(g.reply.status == answers[_i].status, "%s: %d %s", answers[_i].says,
	    g.reply.status, g.reply.err.text);
	if (answers[_i].err != NULL)
		ck_assert_msg(strstr(g.reply.err.text, answers[_i].err) != NULL, "%s: %s",
		    answers[_i].says, g.reply.err.text);
	ck_assert_int_eq(g.reply.err.kind, answers[_i].err != NULL ? ERR_TEMP : ERR_NONE);
	ck_assert(str_is(buf_peek(&g.streamed), answers[_i].streamed));
	ck_assert(str_is(buf_peek(&g.body), answers[_i].body));
	if (g.packed.n != 0 && answers[_i].err == NULL)
		is_unpacked(&g);
	ck_assert(!g.reply.is_too_large && !g.reply.is_refused_tls);
	release(&g);
}
END_TEST

START_TEST(test_head)
{
	struct got g;

	answer =
	    (struct web_answer){ .head =
				     "HTTP/1.1 429 Too Many\r\n"
				     "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT\r\n"
				     "date:Sun, 06 Nov 1994 08:49:37 GMT\r\nrequest-id: 1-2\x01\r\n"
				     "Content-Type: Application/JSON;charset=utf-8\r\n"
				     "Location: https://user:pw@evil.example:8443/path\r\n",
		    .body = STR("{}") };
	get(&g);
	ck_assert_int_eq(g.reply.status, 429);
	ck_assert_int_eq(g.reply.retry_after_ms, 30000);
	ck_assert_int_eq(ticks_to_sec(g.reply.server_date), 784111777);
	ck_assert_str_eq(g.reply.content_type, "application/json");
	ck_assert_str_eq(g.reply.request_id, "1-2");
	ck_assert_str_eq(g.reply.location, "evil.example:8443");
	ck_assert_uint_gt(g.reply.wire_bytes, 200);
	ck_assert_uint_eq(web_requests(w), 1);
	release(&g);
}
END_TEST

START_TEST(test_nothing_in_the_head)
{
	struct got g;

	answer = (struct web_answer){ .head = OK, .body = STR("") };
	get(&g);
	ck_assert_int_eq(g.reply.retry_after_ms, -1);
	ck_assert(g.reply.server_date == TICKS_NONE);
	ck_assert_str_eq(g.reply.content_type, "");
	ck_assert_str_eq(g.reply.location, "");
	release(&g);
}
END_TEST

START_TEST(test_head_too_large)
{
	struct got g;
	struct buf b = BUF_INIT(1 << 20);

	buf_puts(&b, OK);
	for (int i = 0; i < 300; i++)
		buf_printf(&b, "X-%d: y\r\n", i);
	answer = (struct web_answer){ .head = b.p, .body = STR("hello") };
	get(&g);
	ck_assert_int_eq(g.reply.status, 0);
	ck_assert_ptr_nonnull(strstr(g.reply.err.text, "header is too large"));
	buf_release(&b);
	release(&g);
}
END_TEST

START_TEST(test_what_is_sent)
{
	struct got g;
	struct fetch_req req = request(&g, web_url(w, "127.0.0.1"));

	answer = (struct web_answer){ .head = OK, .body = STR("") };
	req.bearer = "abc.def";
	req.prefer = "include-unknown-enum-members";
	req.client_request_id = "11111111-2222-3333-4444-555555555555";
	(void)fetch_start(f, &req);
	run(&g);
	ck_assert_ptr_nonnull(strstr(web_last(w), "GET / HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(web_last(w), "Authorization: Bearer abc.def\r\n"));
	ck_assert_ptr_nonnull(strstr(web_last(w), "Prefer: include-unknown-enum-members\r\n"));
	ck_assert_ptr_nonnull(strstr(web_last(w), "client-request-id: 11111111-2222-"));
	ck_assert_ptr_nonnull(strstr(web_last(w), "Accept-Encoding: gzip\r\n"));
	ck_assert_ptr_nonnull(strstr(web_last(w), "User-Agent: msspd/"));
	release(&g);

	/* Nothing of it is left in the handle that is used again. */
	get(&g);
	ck_assert_ptr_null(strstr(web_last(w), "Authorization"));
	ck_assert_ptr_null(strstr(web_last(w), "Prefer"));
	ck_assert_ptr_null(strstr(web_last(w), "client-request-id"));
	ck_assert_uint_eq(web_connections(w), 1);
	release(&g);
}
END_TEST

/* Of any length, as tokens are. */
START_TEST(test_long_bearer)
{
	struct got g;
	struct fetch_req req = request(&g, web_url(w, "127.0.0.1"));
	char *bearer = xasprintf("%030000d", 7), *want = xasprintf("Bearer %s\r\n", bearer);

	answer = (struct web_answer){ .head = OK, .body = STR("") };
	req.bearer = bearer;
	(void)fetch_start(f, &req);
	run(&g);
	ck_assert_int_eq(g.reply.status, 200);
	ck_assert_ptr_nonnull(strstr(web_last(w), want));
	release(&g);
	free(want);
	free(bearer);
}
END_TEST

START_TEST(test_post)
{
	struct got g;
	struct fetch_req req = request(&g, web_url(w, "127.0.0.1"));

	answer = (struct web_answer){ .head = "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\n",
		.body = STR("{\"a\":1}") };
	req.on_body = NULL;
	req.post = "a=b&c=d";
	(void)fetch_start(f, &req);
	run(&g);
	ck_assert_ptr_nonnull(strstr(web_last(w), "POST / HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(web_last(w), "Accept-Encoding: identity\r\n"));
	ck_assert_ptr_nonnull(strstr(web_last(w), "application/x-www-form-urlencoded\r\n"));
	ck_assert_ptr_nonnull(strstr(web_last(w), "\r\n\r\na=b&c=d"));
	ck_assert(str_is(buf_peek(&g.body), "{\"a\":1}"));
	release(&g);

	get(&g);
	ck_assert_ptr_nonnull(strstr(web_last(w), "GET / HTTP/1.1\r\n"));
	ck_assert_ptr_null(strstr(web_last(w), "Cookie"));
	release(&g);
}
END_TEST

/* A header that would end early, or begin another. */
START_TEST(test_header_injection)
{
	struct got g;
	struct fetch_req req = request(&g, web_url(w, "127.0.0.1"));

	req.bearer = "abc\r\nX-Evil: 1";
	(void)fetch_start(f, &req);
	ck_assert_uint_eq(g.done, 0);
	run(&g);
	ck_assert_int_eq(g.reply.status, 0);
	ck_assert_int_eq(g.reply.err.kind, ERR_TEMP);
	ck_assert_ptr_null(strstr(g.reply.err.text, "abc"));
	ck_assert_uint_eq(web_requests(w), 0);
	release(&g);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, test_answer, 0, ARRAY_LEN(answers));
	tcase_add_test(tc, test_head);
	tcase_add_test(tc, test_nothing_in_the_head);
	tcase_add_test(tc, test_head_too_large);
	tcase_add_test(tc, test_what_is_sent);
	tcase_add_test(tc, test_long_bearer);
	tcase_add_test(tc, test_post);
	tcase_add_test(tc, test_header_injection);
}

int
main(void)
{
	return run_suite("fetch", add);
}
