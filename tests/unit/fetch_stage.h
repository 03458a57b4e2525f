/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FETCH_STAGE_H
#define FETCH_STAGE_H

#include <check.h>
#include <signal.h>
#include <stdlib.h>

#include "daemon/clock.h"
#include "daemon/intake/fetch.h"
#include "daemon/loop.h"
#include "tests/unit/turn_loop.h"
#include "tests/unit/web.h"

/*
 * fetch_stage: a fetcher, and a server that answers what a test says. One a program,
 * and of the program; setup() and teardown() are its fixture.
 */
#define BODY_CAP 100000
#define OK       "HTTP/1.1 200 OK\r\n"
/* "a" as a member of gzip. */
#define ONE "\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x04\0\x43\xbe\xb7\xe8\x01\0\0\0"

static struct engine_env env;
static struct fetcher *f;
static struct web *w;
static struct web_answer answer;

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

static inline void
answer_it(void *arg, const char *request, struct web_answer *out)
{
	(void)arg;
	(void)request;
	*out = answer;
}

static inline void
setup(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	env.base = event_base_new();
	env.loop = loop_new(env.base);
	env.clock = &clock_system;
	f = fetcher_new(&env);
	w = web_new(env.base, NULL, answer_it, NULL);
}

static inline void
teardown(void)
{
	fetcher_free(f);
	web_free(w);
	loop_free(env.loop);
	event_base_free(env.base);
}

static inline struct buf *
on_body(void *arg)
{
	struct got *g = arg;

	ck_assert(!g->has_begun);
	g->has_begun = true;
	return &g->streamed;
}

static inline void
on_packed(void *arg, struct str piece)
{
	struct got *g = arg;

	ck_assert(g->has_begun);
	buf_str(&g->packed, piece);
}

static inline bool
on_more(void *arg)
{
	struct got *g = arg;

	ck_assert(g->has_begun && buf_ok(&g->streamed));
	g->chunks++;
	if (g->then != NULL && g->done == 0)
		g->then(g);
	return g->refuse_at == 0 || g->streamed.n < g->refuse_at;
}

static inline void
on_done(void *arg, const struct fetch_reply *reply, struct str body)
{
	struct got *g = arg;

	g->done++;
	g->reply = *reply;
	buf_str(&g->body, body);
}

/* Of url, into g, as pages are asked for. */
static inline struct fetch_req
request(struct got *g, const char *url)
{
	*g = (struct got){ .packed = BUF_INIT(1 << 20),
		.streamed = BUF_INIT(BODY_CAP),
		.body = BUF_INIT(1 << 20) };
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

static inline void
release(struct got *g)
{
	buf_release(&g->streamed);
	buf_release(&g->packed);
	buf_release(&g->body);
}

/* The loop, for so long. */
static inline void
turn(int64_t ms)
{
	turn_loop(env.base, ms);
}

/* Until it is done. */
static inline void
run(const struct got *g)
{
	int64_t end = clock_mono(&clock_system) + 8000;

	while (g->done == 0 && clock_mono(&clock_system) < end)
		turn(0);
	ck_assert_uint_eq(g->done, 1);
}

/* The whole way of one request. */
static inline void
get(struct got *g)
{
	struct fetch_req req = request(g, web_url(w, "127.0.0.1"));

	(void)fetch_start(f, &req);
	ck_assert_uint_eq(g->done, 0);
	run(g);
}

/* Adds the fixture, and what add() adds to it; returns what main() does. */
static inline int
run_suite(const char *name, void (*add)(TCase *tc))
{
	Suite *s = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 40);
	add(tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
