/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/ops/guests.h"
#include "daemon/timer.h"

/* ---- a server on a clock that tests turn ------------------------------------------- */

static int64_t now_ms = 1000;

static int64_t
mono(const struct clock *c)
{
	(void)c;
	return now_ms;
}

static const struct clock clock_of_test = { .mono = mono };
static struct engine_env env;
static struct evhttp *server;
static struct guests *guests;
static struct sockaddr_in address;
static unsigned served;

static void
on_request(struct evhttp_request *req, void *arg)
{
	(void)arg;
	served++;
	guests_serve(guests, req);
	evhttp_send_reply(req, 200, "OK", NULL);
}

static void
setup(void)
{
	socklen_t n = sizeof(address);
	struct evconnlistener *l;

	address = (struct sockaddr_in) { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	env.base = event_base_new();
	env.clock = &clock_of_test;
	env.timers = timers_new(NULL, env.clock);
	server = evhttp_new(env.base);
	evhttp_set_gencb(server, on_request, NULL);
	l = evconnlistener_new_bind(env.base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE, 100,
	    (struct sockaddr *)&address, sizeof(address));
	ck_assert_ptr_nonnull(l);
	ck_assert_int_eq(getsockname(evconnlistener_get_fd(l), (struct sockaddr *)&address, &n), 0);
	guests = guests_new(&env, server, l);
	ck_assert_ptr_nonnull(evhttp_bind_listener(server, l));
	served = 0;
}

static void
teardown(void)
{
	evhttp_free(server);
	guests_free(guests);
	timers_free(env.timers);
	event_base_free(env.base);
}

/* Turns the loop until nothing happens any more, then the clock. */
static void
turn(int64_t ms)
{
	for (int i = 0; i < 10; i++) {
		event_base_loop(env.base, EVLOOP_NONBLOCK);
		usleep(300);
	}
	now_ms += ms;
	timers_run(env.timers);
	for (int i = 0; i < 10; i++) {
		event_base_loop(env.base, EVLOOP_NONBLOCK);
		usleep(300);
	}
}

static int
visit(const char *text)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static bool
is_ended(int fd)
{
	char c[4096];
	ssize_t n;

	do {
		n = recv(fd, c, sizeof(c), MSG_DONTWAIT);
	} while (n > 0);
	return n == 0;
}

#define WHOLE "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

/* ---- the tests ------------------------------------------------------------------------ */

START_TEST(test_never_more_than_so_many)
{
	int fds[GUESTS_MOST + 5], late;

	for (size_t i = 0; i < GUESTS_MOST + 5; i++)
		fds[i] = visit("GET / HT");
	late = visit(WHOLE);
	turn(0);
	ck_assert_uint_eq(served, 0); /* it waits in the kernel */
	for (size_t i = 0; i < GUESTS_MOST + 5; i++)
		close(fds[i]);
	turn(2000);
	turn(2000);
	ck_assert_uint_eq(served, 1);
	close(late);
}
END_TEST

START_TEST(test_who_left_makes_room_at_once)
{
	for (unsigned i = 0; i < GUESTS_MOST + 10; i++) {
		int fd = visit(WHOLE);

		turn(0);
		close(fd);
		turn(0);
		ck_assert_uint_eq(served, i + 1); /* although the clock stands still */
	}
}
END_TEST

START_TEST(test_who_says_nothing_whole_is_shown_the_door)
{
	int slow = visit("GET / HTTP/1.1\r\n"), good = visit(WHOLE);

	for (int64_t t = 0; t + 1000 < GUESTS_PATIENCE_MS; t += 1000) {
		ck_assert_int_eq(write(slow, "X", 1), 1); /* a byte of its header each second */
		turn(1000);
		ck_assert(!is_ended(slow));
		if (t % 20000 == 0)
			ck_assert_int_eq(write(good, WHOLE, strlen(WHOLE)), (ssize_t)strlen(WHOLE));
	}
	turn(1000);
	turn(1000);
	ck_assert(is_ended(slow));
	ck_assert(!is_ended(good)); /* that one asked meanwhile */
	close(slow);
	close(good);
	turn(1000);
}
END_TEST

START_TEST(test_end_with_guests)
{
	int slow = visit("GET / HTTP/1.1\r\n");

	visit(WHOLE);
	turn(0);
	ck_assert_uint_eq(served, 1);
	(void)slow; /* teardown: nothing is left, says the leak checker */
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("guests");
	TCase *tc = tcase_create("guests");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_never_more_than_so_many);
	tcase_add_test(tc, test_who_left_makes_room_at_once);
	tcase_add_test(tc, test_who_says_nothing_whole_is_shown_the_door);
	tcase_add_test(tc, test_end_with_guests);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
