/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fetch_stage.h"
#include "tests/unit/sleeper.h"

/* Requests and connections: when they begin, are kept, and end. */

static char large[BODY_CAP];

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

/* The machine sleeps between requests: what stood open before is not trusted after a long sleep. */
START_TEST(test_sleep)
{
	static const struct {
		int64_t ms;
		unsigned connections; /* after it */
	} sleeps[] = { { 0, 1 }, { 1000, 1 }, { 6000, 2 }, { 60000, 3 }, { 121000, 4 }, { 1000, 4 }, { 86400000, 5 } };
	struct got g;

	slept_ms = 0;
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

/* While a request is on its way: without an answer yet it is asked again, at once. */
START_TEST(test_sleep_while_it_waits)
{
	struct got g;
	struct fetch_req req = request(&g, web_url(w, "127.0.0.1"));

	slept_ms = 0;
	env.clock = &sleeper;
	answer = (struct web_answer){ .head = NULL, .end = WEB_HANG };
	req.timeout_ms = 60000;
	(void)fetch_start(f, &req);
	turn(100);
	ck_assert_uint_eq(web_requests(w), 1);
	answer = (struct web_answer){ .head = OK, .body = STR("hello") };
	slept_ms = 20000;
	run(&g);
	ck_assert_int_eq(g.reply.status, 200);
	ck_assert(str_is(buf_peek(&g.streamed), "hello"));
	ck_assert_msg(g.reply.took_ms < 2000, "the sleep is not the server's time");
	ck_assert_uint_eq(web_requests(w), 2);
	ck_assert_uint_eq(web_connections(w), 2);
	release(&g);
}
END_TEST

/* The rest will never come, and what came cannot be taken back. */
START_TEST(test_sleep_amid_an_answer)
{
	struct got g;
	struct fetch_req req = request(&g, web_url(w, "127.0.0.1"));

	slept_ms = 0;
	env.clock = &sleeper;
	answer = (struct web_answer){
		.head = OK, .body = STR("hell"), .promise = 5, .end = WEB_HANG
	};
	req.timeout_ms = 60000;
	(void)fetch_start(f, &req);
	turn(100);
	ck_assert(g.has_begun);
	slept_ms = 20000;
	run(&g);
	ck_assert_int_eq(g.reply.status, 0);
	ck_assert_ptr_nonnull(strstr(g.reply.err.text, "the machine slept"));
	release(&g);
}
END_TEST

/* Its time ran out in the sleep, which is not the server's doing. */
START_TEST(test_sleep_past_the_timeout)
{
	struct got g;
	struct fetch_req req = request(&g, web_url(w, "127.0.0.1"));

	slept_ms = 0;
	env.clock = &sleeper;
	answer = (struct web_answer){ .head = NULL, .end = WEB_HANG };
	req.timeout_ms = 300;
	(void)fetch_start(f, &req);
	turn(100);
	answer = (struct web_answer){ .head = OK, .body = STR("hello") };
	slept_ms = 20000;
	(void)usleep(400000);
	run(&g);
	ck_assert_int_eq(g.reply.status, 200);
	release(&g);
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

static void
add(TCase *tc)
{
	tcase_add_test(tc, test_timeout);
	tcase_add_test(tc, test_slow_head_is_waited_for);
	tcase_add_test(tc, test_cancel);
	tcase_add_test(tc, test_start_inside_on_more);
	tcase_add_test(tc, test_free_cancels_all);
	tcase_add_test(tc, test_connections);
	tcase_add_test(tc, test_sleep);
	tcase_add_test(tc, test_sleep_while_it_waits);
	tcase_add_test(tc, test_sleep_amid_an_answer);
	tcase_add_test(tc, test_sleep_past_the_timeout);
	tcase_add_test(tc, test_refresh_ends_no_request);
	tcase_add_test(tc, test_many);
}

int
main(void)
{
	return run_suite("fetch_life", add);
}
