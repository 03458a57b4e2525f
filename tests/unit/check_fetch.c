#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include "daemon/clock.h"
#include "daemon/intake/fetch.h"
#include "daemon/loop.h"
#include "lib/base/alloc.h"
#include "lib/base/inflate.h"
#include "lib/base/ticks.h"
#include "tests/unit/dead_dns.h"
#include "tests/unit/web.h"

#define BODY_CAP 100000

static struct engine_env env;
static struct fetcher *f;
static struct web *w;
static struct web_answer answer;
static char gzipped[256 * 1024];

/* What came of one request. */
struct got {
	unsigned done;
	struct fetch_reply reply;
	struct buf streamed, packed, body;
	size_t refuse_at; /* on_more says no from here on; 0: never */
	bool has_begun;
	unsigned chunks;
	void (*then)(struct got *g);
	struct fetch *x;
};

static void
answer_it(void *arg, const char *request, struct web_answer *out)
{
	(void)arg;
	(void)request;
	*out = answer;
}

static void
setup(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	env.base = event_base_new();
	env.loop = loop_new(env.base);
	env.clock = &clock_system;
	f = fetcher_new(&env);
	w = web_new(env.base, NULL, answer_it, NULL);
}

static void
teardown(void)
{
	fetcher_free(f);
	web_free(w);
	loop_free(env.loop);
	event_base_free(env.base);
}

static struct buf *
on_body(void *arg)
{
	struct got *g = arg;

	ck_assert(!g->has_begun);
	g->has_begun = true;
	return &g->streamed;
}

static void
on_packed(void *arg, struct str piece)
{
	struct got *g = arg;

	ck_assert(g->has_begun);
	buf_str(&g->packed, piece);
}

static bool
on_more(void *arg)
{
	struct got *g = arg;

	ck_assert(g->has_begun && buf_ok(&g->streamed));
	g->chunks++;
	if (g->then != NULL && g->done == 0)
		g->then(g);
	return g->refuse_at == 0 || g->streamed.n < g->refuse_at;
}

static void
on_done(void *arg, const struct fetch_reply *reply, struct str body)
{
	struct got *g = arg;

	g->done++;
	g->reply = *reply;
	buf_str(&g->body, body);
}

static struct fetch_req
request(struct got *g, const char *url)
{
	*g = (struct got){ .packed = BUF_INIT(1 << 20), .streamed = BUF_INIT(BODY_CAP), .body = BUF_INIT(1 << 20) };
	return (struct fetch_req){
		.url = url,
		.timeout_ms = 5000,
		.max_body = BODY_CAP,
		.on_body = on_body,
		.on_packed = on_packed,
		.on_more = on_more,
		.on_done = on_done,
		.arg = g,
	};
}

static void
release(struct got *g)
{
	buf_release(&g->streamed);
	buf_release(&g->packed);
	buf_release(&g->body);
}

static void
turn(int64_t ms)
{
	int64_t end = clock_mono(&clock_system) + ms;
	struct timeval tick = { 0, 2000 };

	do {
		(void)event_base_loopexit(env.base, &tick);
		event_base_loop(env.base, EVLOOP_ONCE);
	} while (clock_mono(&clock_system) < end);
}

static void
run(const struct got *g)
{
	int64_t end = clock_mono(&clock_system) + 8000;

	while (g->done == 0 && clock_mono(&clock_system) < end)
		turn(0);
	ck_assert_uint_eq(g->done, 1);
}

static void
get(struct got *g)
{
	struct fetch_req req = request(g, web_url(w, "127.0.0.1"));

	(void)fetch_start(f, &req);
	ck_assert_uint_eq(g->done, 0);
	run(g);
}

#define OK "HTTP/1.1 200 OK\r\n"

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

/* "a" as a member of gzip, and with a wrong checksum. */
#define ONE   "\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe8\x01\0\0\0"
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

START_TEST(test_timeout)
{
	struct got g;
	struct fetch_req req = request(&g, web_url(w, "127.0.0.1"));

	answer = (struct web_answer){ .head = NULL, .end = WEB_HANG };
	req.timeout_ms = 200;
	(void)fetch_start(f, &req);
	run(&g);
	ck_assert_int_eq(g.reply.status, 0);
	ck_assert_ptr_nonnull(strstr(g.reply.err.text, "no complete answer in time"));
	ck_assert_int_ge(g.reply.took_ms, 190);
	ck_assert_int_lt(g.reply.took_ms, 2000);
	release(&g);
}
END_TEST

START_TEST(test_slow_head_is_waited_for)
{
	struct got g;

	answer = (struct web_answer){ .head = OK, .body = STR("late"), .delay_ms = 300 };
	get(&g);
	ck_assert(str_is(buf_peek(&g.streamed), "late"));
	ck_assert_int_ge(g.reply.took_ms, 290);
	release(&g);
}
END_TEST

static void
cancel_itself(struct got *g)
{
	fetch_cancel(g->x);
	g->then = NULL;
}

START_TEST(test_cancel)
{
	struct got g[3];
	struct fetch_req req;

	answer = (struct web_answer){ .head = OK, .body = { large, BODY_CAP }, .end = WEB_HANG };
	for (int i = 0; i < 3; i++) {
		req = request(&g[i], web_url(w, "127.0.0.1"));
		g[i].x = fetch_start(f, &req);
	}
	fetch_cancel(g[0].x);      /* before it begins */
	g[2].then = cancel_itself; /* inside curl */
	turn(20);
	if (g[1].done == 0)
		fetch_cancel(g[1].x);
	turn(200);
	ck_assert_uint_eq(g[0].done + g[2].done, 0);
	ck_assert_uint_eq(g[2].chunks, 1);
	for (int i = 0; i < 3; i++)
		release(&g[i]);
}
END_TEST

static struct got second;

static void
start_second(struct got *g)
{
	struct fetch_req req = request(&second, web_url(w, "127.0.0.1"));

	g->then = NULL;
	(void)fetch_start(f, &req);
}

START_TEST(test_start_inside_on_more)
{
	struct got g;
	struct fetch_req req = request(&g, web_url(w, "127.0.0.1"));

	answer = (struct web_answer){ .head = OK, .body = STR("hello") };
	g.then = start_second;
	(void)fetch_start(f, &req);
	run(&g);
	run(&second);
	ck_assert_int_eq(second.reply.status, 200);
	release(&g);
	release(&second);
}
END_TEST

START_TEST(test_free_cancels_all)
{
	struct got g[2];
	struct fetch_req req;

	answer = (struct web_answer){ .head = NULL, .end = WEB_HANG };
	req = request(&g[0], web_url(w, "127.0.0.1"));
	(void)fetch_start(f, &req);
	turn(50);
	req = request(&g[1], web_url(w, "127.0.0.1"));
	(void)fetch_start(f, &req);
	fetcher_free(f);
	f = NULL;
	turn(50);
	ck_assert_uint_eq(g[0].done + g[1].done, 0);
}
END_TEST

START_TEST(test_connections)
{
	struct got g;
	struct fetch_req req;

	answer = (struct web_answer){ .head = OK, .body = STR("hello") };
	for (int i = 0; i < 5; i++) {
		get(&g);
		release(&g);
	}
	ck_assert_uint_eq(web_connections(w), 1);
	req = request(&g, web_url(w, "127.0.0.1"));
	req.is_fresh = true;
	(void)fetch_start(f, &req);
	run(&g);
	release(&g);
	ck_assert_uint_eq(web_connections(w), 2);
	fetcher_refresh(f);
	turn(50);
	ck_assert_uint_eq(web_open(w), 0);
	get(&g);
	release(&g);
	ck_assert_uint_eq(web_connections(w), 3);
}
END_TEST

static int64_t slept_ms;

static int64_t
mono_that_slept(const struct clock *c)
{
	(void)c;
	return clock_mono(&clock_system) + slept_ms;
}

static int64_t
wall_that_slept(const struct clock *c)
{
	(void)c;
	return clock_wall(&clock_system) + ticks_from_ms(slept_ms);
}

/* The machine sleeps between requests: what stood open before is not trusted after a long sleep. */
START_TEST(test_sleep)
{
	static const struct clock sleeper = { mono_that_slept, wall_that_slept };
	static const struct {
		int64_t ms;
		unsigned connections; /* after it */
	} sleeps[] = { { 0, 1 }, { 60000, 1 }, { 121000, 2 }, { 1000, 2 }, { 86400000, 3 } };
	struct got g;

	answer = (struct web_answer){ .head = OK, .body = STR("hello") };
	env.clock = &sleeper;
	for (size_t i = 0; i < ARRAY_LEN(sleeps); i++) {
		slept_ms += sleeps[i].ms;
		get(&g);
		ck_assert_int_eq(g.reply.status, 200);
		release(&g);
		turn(20);
		ck_assert_uint_eq(web_connections(w), sleeps[i].connections);
		ck_assert_uint_eq(web_open(w), 1);
	}
}
END_TEST

START_TEST(test_refresh_ends_no_request)
{
	struct got g;
	struct fetch_req req = request(&g, web_url(w, "127.0.0.1"));

	answer = (struct web_answer){ .head = OK, .body = STR("hello"), .delay_ms = 100 };
	(void)fetch_start(f, &req);
	turn(20);
	fetcher_refresh(f);
	fetcher_refresh(f);
	run(&g);
	ck_assert_int_eq(g.reply.status, 200);
	turn(50);
	ck_assert_uint_eq(web_open(w), 0);
	release(&g);
}
END_TEST

/* One that hangs holds up nobody, and each has a connection of its own. */
START_TEST(test_many)
{
	static struct got g[300];
	struct got hangs;
	struct fetch_req req = request(&hangs, web_url(w, "127.0.0.1"));
	struct fetch *x;

	answer = (struct web_answer){ .head = NULL, .end = WEB_HANG };
	x = fetch_start(f, &req);
	turn(50);
	answer = (struct web_answer){ .head = OK, .body = STR("hello"), .delay_ms = 1000 };
	for (int i = 0; i < 300; i++) {
		req = request(&g[i], web_url(w, "127.0.0.1"));
		(void)fetch_start(f, &req);
	}
	turn(500);
	ck_assert_uint_eq(web_open(w), 301);
	for (int i = 0; i < 300; i++) {
		run(&g[i]);
		ck_assert_int_eq(g[i].reply.status, 200);
		release(&g[i]);
	}
	ck_assert_uint_eq(hangs.done, 0);
	ck_assert_uint_eq(web_open(w), 301); /* all stay for the next */
	fetch_cancel(x);
}
END_TEST

static const struct {
	const char *says, *host, *dns_name;
	int days;
	bool is_known;
	const char *err; /* NULL: it works */
} tls_cases[] = {
	{ "a certificate of ca_file, an address", "127.0.0.1", NULL, 30, true, NULL },
	{ "a certificate of ca_file, a name", "localhost", "localhost", 30, true, NULL },
	{ "a foreign name", "127.0.0.1", "graph.example", 30, true, "it is for another name" },
	{ "expired", "127.0.0.1", NULL, -1, true, "it has expired" },
	{ "unknown authority", "127.0.0.1", NULL, 30, false, "if your network inspects TLS" },
};

START_TEST(test_tls)
{
	struct web_tls *tls = web_tls_new(tls_cases[_i].dns_name, tls_cases[_i].days);
	struct web *secure = web_new(env.base, tls, answer_it, NULL);
	struct got g;
	struct fetch_req req = request(&g, web_url(secure, tls_cases[_i].host));

	answer = (struct web_answer){ .head = OK, .body = STR("hello") };
	req.ca_file = tls_cases[_i].is_known ? web_tls_file(tls) : NULL;
	(void)fetch_start(f, &req);
	run(&g);
	if (tls_cases[_i].err == NULL) {
		ck_assert_msg(
		    g.reply.status == 200, "%s: %s", tls_cases[_i].says, g.reply.err.text);
	} else {
		ck_assert_int_eq(g.reply.status, 0);
		ck_assert(g.reply.is_refused_tls);
		ck_assert_msg(strstr(g.reply.err.text, tls_cases[_i].err) != NULL, "%s: %s",
		    tls_cases[_i].says, g.reply.err.text);
	}
	release(&g);
	web_free(secure);
	web_tls_free(tls);
}
END_TEST

static const struct {
	const char *says, *url;
	enum err_kind kind;
	const char *err;
} bad_urls[] = {
	{ "no URL", "http://a b/", ERR_CONF, "not a URL" },
	{ "another scheme", "ftp://127.0.0.1/", ERR_CONF, "only http and https" },
	{ "a file", "file:///etc/passwd", ERR_CONF, "not a URL" },
	{ "nobody listens", "http://127.0.0.1:1/", ERR_TEMP, "127.0.0.1:1: no connection" },
	{ "no such name", "http://a..b/", ERR_TEMP, "cannot be resolved" },
};

START_TEST(test_bad_url)
{
	struct got g;
	struct fetch_req req = request(&g, bad_urls[_i].url);

	(void)fetch_start(f, &req);
	run(&g);
	ck_assert_int_eq(g.reply.status, 0);
	ck_assert_msg(g.reply.err.kind == bad_urls[_i].kind &&
			  strstr(g.reply.err.text, bad_urls[_i].err) != NULL,
	    "%s: %s", bad_urls[_i].says, g.reply.err.text);
	release(&g);
}
END_TEST

START_TEST(test_no_ca_file)
{
	struct got g;
	struct fetch_req req = request(&g, "https://127.0.0.1:1/");
	struct web_tls *tls = web_tls_new(NULL, 30);
	struct web *secure = web_new(env.base, tls, answer_it, NULL);

	req.url = web_url(secure, "127.0.0.1");
	req.ca_file = "/nonexistent/ca.pem";
	(void)fetch_start(f, &req);
	run(&g);
	ck_assert_int_eq(g.reply.err.kind, ERR_CONF);
	ck_assert_ptr_nonnull(strstr(g.reply.err.text, "/nonexistent/ca.pem"));
	web_free(secure);
	web_tls_free(tls);
	release(&g);
}
END_TEST

/* No file descriptor left: our own trouble is not blamed on the server. */
START_TEST(test_out_of_files)
{
	struct got g;
	struct rlimit few;

	answer = (struct web_answer){ .head = OK, .body = STR("hello") };
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &few), 0);
	few.rlim_cur = (rlim_t)dup(0);
	close((int)few.rlim_cur);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	get(&g);
	ck_assert_int_eq(g.reply.status, 0);
	ck_assert_int_eq(g.reply.err.kind, ERR_TEMP);
	ck_assert_ptr_nonnull(strstr(g.reply.err.text, "Too many open files"));
	release(&g);
	few.rlim_cur += 20;
	(void)setrlimit(RLIMIT_NOFILE, &few);
}
END_TEST

static int64_t longest_turn;

static void
turn_timed(int64_t ms)
{
	int64_t end = clock_mono(&clock_system) + ms, began;

	while (clock_mono(&clock_system) < end) {
		began = clock_mono(&clock_system);
		turn(0);
		if (clock_mono(&clock_system) - began > longest_turn)
			longest_turn = clock_mono(&clock_system) - began;
	}
}

/* Names hang; other requests go on, a cancel and a timeout return at once, and so does the end. */
START_TEST(test_hanging_resolver)
{
	struct got hangs[2], g;
	struct fetch_req req;
	int64_t began;

	if (!dead_dns_enter())
		return;
	teardown();
	setup();
	req = request(&hangs[0], "http://hangs.example/");
	hangs[0].x = fetch_start(f, &req);
	req = request(&hangs[1], "http://hangs-too.example/");
	req.timeout_ms = 300;
	(void)fetch_start(f, &req);
	turn_timed(100);
	answer = (struct web_answer){ .head = OK, .body = STR("hello") };
	get(&g);
	ck_assert_int_eq(g.reply.status, 200);
	ck_assert_uint_eq(hangs[0].done + hangs[1].done, 0);
	turn_timed(400);
	ck_assert_uint_eq(hangs[1].done, 1);
	ck_assert_int_eq(hangs[1].reply.status, 0);
	began = clock_mono(&clock_system);
	fetch_cancel(hangs[0].x);
	req = request(&hangs[0], "http://hangs.example/");
	(void)fetch_start(f, &req);
	turn_timed(50);
	fetcher_free(f);
	f = NULL;
	ck_assert_int_lt(clock_mono(&clock_system) - began, 1000);
	ck_assert_int_lt(longest_turn, 500);
	release(&g);
	for (int i = 0; i < 2; i++)
		release(&hangs[i]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("fetch");
	TCase *tc = tcase_create("fetch");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 40);
	tcase_add_loop_test(tc, test_answer, 0, ARRAY_LEN(answers));
	tcase_add_test(tc, test_head);
	tcase_add_test(tc, test_nothing_in_the_head);
	tcase_add_test(tc, test_head_too_large);
	tcase_add_test(tc, test_what_is_sent);
	tcase_add_test(tc, test_post);
	tcase_add_test(tc, test_header_injection);
	tcase_add_test(tc, test_gzip);
	tcase_add_test(tc, test_gzip_limit);
	tcase_add_test(tc, test_gzip_rest);
	tcase_add_test(tc, test_gzip_error);
	tcase_add_test(tc, test_gzip_bomb);
	tcase_add_test(tc, test_too_large);
	tcase_add_test(tc, test_large_error);
	tcase_add_test(tc, test_on_more_refuses);
	tcase_add_test(tc, test_timeout);
	tcase_add_test(tc, test_slow_head_is_waited_for);
	tcase_add_test(tc, test_cancel);
	tcase_add_test(tc, test_start_inside_on_more);
	tcase_add_test(tc, test_free_cancels_all);
	tcase_add_test(tc, test_connections);
	tcase_add_test(tc, test_sleep);
	tcase_add_test(tc, test_refresh_ends_no_request);
	tcase_add_test(tc, test_many);
	tcase_add_loop_test(tc, test_tls, 0, ARRAY_LEN(tls_cases));
	tcase_add_loop_test(tc, test_bad_url, 0, ARRAY_LEN(bad_urls));
	tcase_add_test(tc, test_no_ca_file);
	tcase_add_test(tc, test_out_of_files);
	tcase_add_test(tc, test_hanging_resolver);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
