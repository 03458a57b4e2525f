/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/dead_dns.h"
#include "tests/unit/fetch_stage.h"

/* Why there is no answer, in words; and what of it concerns nobody else. */

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

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, test_tls, 0, ARRAY_LEN(tls_cases));
	tcase_add_loop_test(tc, test_bad_url, 0, ARRAY_LEN(bad_urls));
	tcase_add_test(tc, test_no_ca_file);
	tcase_add_test(tc, test_out_of_files);
	tcase_add_test(tc, test_hanging_resolver);
}

int
main(void)
{
	return run_suite("fetch_trouble", add);
}
