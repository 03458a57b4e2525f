/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "daemon/clock.h"
#include "daemon/resolve.h"
#include "tests/unit/dead_dns.h"

static struct event_base *base;
static struct resolver *r;

struct got {
	unsigned calls;
	bool has_address;
	char address[INET6_ADDRSTRLEN];
	unsigned port;
	struct err err;
};

static void
setup(void)
{
	base = event_base_new();
	r = resolver_new(base);
}

static void
teardown(void)
{
	resolver_free(r);
	event_base_free(base);
}

static void
on_resolved(void *arg, const struct addrinfo *ai, const struct err *err)
{
	struct got *g = arg;
	const struct sockaddr_in *sin;

	g->calls++;
	g->has_address = ai != NULL;
	ck_assert_int_eq(ai == NULL, err != NULL);
	if (err != NULL)
		g->err = *err;
	if (ai == NULL || ai->ai_family != AF_INET)
		return;
	sin = (const struct sockaddr_in *)(const void *)ai->ai_addr;
	(void)inet_ntop(AF_INET, &sin->sin_addr, g->address, sizeof(g->address));
	g->port = ntohs(sin->sin_port);
}

static void
run_until(const struct got *g, unsigned calls, int64_t at_most_ms)
{
	int64_t end = clock_mono(&clock_system) + at_most_ms;
	struct timeval tick = { 0, 5000 };

	while (g->calls < calls && clock_mono(&clock_system) < end) {
		(void)event_base_loopexit(base, &tick);
		event_base_loop(base, EVLOOP_ONCE);
	}
}

START_TEST(test_address)
{
	struct got g = { 0 };

	(void)resolve_start(r, "127.0.0.1", "6514", SOCK_STREAM, on_resolved, &g);
	ck_assert_uint_eq(g.calls, 0);
	run_until(&g, 1, 5000);
	ck_assert_uint_eq(g.calls, 1);
	ck_assert_str_eq(g.address, "127.0.0.1");
	ck_assert_uint_eq(g.port, 6514);
}
END_TEST

START_TEST(test_name)
{
	struct got g = { 0 };

	(void)resolve_start(r, "localhost", "514", SOCK_DGRAM, on_resolved, &g);
	ck_assert_uint_eq(g.calls, 0);
	run_until(&g, 1, 5000);
	ck_assert(g.has_address);
}
END_TEST

START_TEST(test_no_such_name)
{
	struct got g = { 0 };

	(void)resolve_start(r, "a..b", "514", SOCK_DGRAM, on_resolved, &g);
	run_until(&g, 1, 20000);
	ck_assert_uint_eq(g.calls, 1);
	ck_assert(!g.has_address);
	ck_assert_int_eq(g.err.kind, ERR_TEMP);
	ck_assert_ptr_nonnull(strstr(g.err.text, "cannot resolve a..b: "));
}
END_TEST

START_TEST(test_cancel)
{
	struct got g = { 0 }, kept = { 0 };
	struct resolve_job *waiting, *done;

	done = resolve_start(r, "127.0.0.1", "514", SOCK_DGRAM, on_resolved, &g);
	waiting = resolve_start(r, "localhost", "514", SOCK_DGRAM, on_resolved, &g);
	(void)resolve_start(r, "localhost", "514", SOCK_DGRAM, on_resolved, &kept);
	resolve_cancel(waiting);
	resolve_cancel(done);
	run_until(&kept, 1, 5000);
	ck_assert_uint_eq(kept.calls, 1);
	ck_assert_uint_eq(g.calls, 0);
}
END_TEST

static void
free_resolver(void *arg, const struct addrinfo *ai, const struct err *err)
{
	on_resolved(arg, ai, err);
	resolver_free(r);
	r = NULL;
}

START_TEST(test_free_in_a_callback)
{
	struct got g = { 0 };

	(void)resolve_start(r, "127.0.0.1", "514", SOCK_DGRAM, free_resolver, &g);
	(void)resolve_start(r, "127.0.0.1", "514", SOCK_DGRAM, on_resolved, &g);
	run_until(&g, 2, 200);
	ck_assert_uint_eq(g.calls, 1);
}
END_TEST

/* Against a name server that never answers: the loop turns, addresses come, the end waits for nothing. */
START_TEST(test_hanging_name)
{
	struct got hanging = { 0 }, cancelled = { 0 }, address = { 0 }, name = { 0 };
	struct resolve_job *job;
	int64_t began;

	if (!dead_dns_enter())
		return;
	began = clock_mono(&clock_system);
	job = resolve_start(r, "hangs.example", "514", SOCK_STREAM, on_resolved, &cancelled);
	(void)resolve_start(r, "hangs-too.example", "514", SOCK_STREAM, on_resolved, &hanging);
	(void)resolve_start(r, "127.0.0.1", "514", SOCK_STREAM, on_resolved, &address);
	(void)resolve_start(r, "localhost", "514", SOCK_STREAM, on_resolved, &name);
	run_until(&hanging, 1, 300);
	ck_assert_uint_eq(hanging.calls, 0);
	ck_assert_uint_eq(address.calls, 1);
	ck_assert_uint_eq(name.calls, 1);
	resolve_cancel(job);
	resolver_free(r);
	r = NULL;
	ck_assert_int_lt(clock_mono(&clock_system) - began, 3000);
	ck_assert_uint_eq(cancelled.calls + hanging.calls, 0);
}
END_TEST

static size_t
count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	size_t n = 0;

	ck_assert_ptr_nonnull(tasks);
	for (struct dirent *e = readdir(tasks); e != NULL; e = readdir(tasks))
		n += e->d_name[0] != '.';
	(void)closedir(tasks);
	return n;
}

/* Who asks, gives up and asks again does not gather threads. */
START_TEST(test_hanging_name_again_and_again)
{
	struct got g = { 0 };
	struct resolve_job *job;
	size_t before, once;

	if (!dead_dns_enter())
		return;
	before = count_threads();
	job = resolve_start(r, "hangs.example", "514", SOCK_STREAM, on_resolved, &g);
	run_until(&g, 1, 100);
	once = count_threads();
	ck_assert_uint_gt(once, before);
	for (int i = 0; i < 100; i++) {
		resolve_cancel(job);
		job = resolve_start(r, "hangs.example", "514", SOCK_STREAM, on_resolved, &g);
	}
	run_until(&g, 1, 100);
	ck_assert_uint_eq(count_threads(), once);
	ck_assert_uint_eq(g.calls, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("resolve");
	TCase *tc = tcase_create("resolve");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, test_address);
	tcase_add_test(tc, test_name);
	tcase_add_test(tc, test_no_such_name);
	tcase_add_test(tc, test_cancel);
	tcase_add_test(tc, test_free_in_a_callback);
	tcase_add_test(tc, test_hanging_name);
	tcase_add_test(tc, test_hanging_name_again_and_again);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
