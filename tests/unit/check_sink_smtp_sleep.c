/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <netinet/in.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "daemon/delivery/sink_smtp_lane.h"
#include "daemon/timer.h"
#include "lib/base/str.h"
#include "tests/unit/sleeper.h"

/* The machine sleeps while a connection to a mail server is open, and who is on the way forgets it. */

#define HOUR_MS  INT64_C(3600000)
#define LIMIT_S  60 /* never a wait */
#define MAIL     STR("Subject: one\r\n\r\ntext\r\n")

/* ---- a server ------------------------------------------------------------------------ */

static struct {
	struct evconnlistener *listener;
	unsigned port, connections, mails;
	bool is_data;
	const char *forgets_at; /* it hears that, and nothing more on this connection: ever */
	const char *waits_at;   /* it answers that when the test says so */
	struct bufferevent *waiting;
	struct bufferevent *all[8];
} server;

static void
reply(struct bufferevent *bev, const char *text)
{
	(void)bufferevent_write(bev, text, strlen(text));
}

static const char *
answer_to(const char *line)
{
	if (server.is_data && strcmp(line, ".") != 0)
		return NULL;
	server.mails += server.is_data;
	server.is_data = strcmp(line, "DATA") == 0;
	return server.is_data ? "354 go on\r\n" : "250 well\r\n";
}

static bool
is_at(const char *at, const char *line)
{
	return at != NULL && strncasecmp(line, at, strlen(at)) == 0;
}

/* False: nothing more is heard on this connection. */
static bool
hear(struct bufferevent *bev, const char *line)
{
	const char *text;

	if (is_at(server.forgets_at, line)) {
		server.forgets_at = NULL;
		server.is_data = false;
		(void)bufferevent_disable(bev, EV_READ);
		return false;
	}
	text = answer_to(line);
	if (is_at(server.waits_at, line))
		server.waiting = bev;
	else if (text != NULL)
		reply(bev, text);
	return true;
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	bool goes_on = true;
	char *line;

	(void)arg;
	while (goes_on) {
		line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF);
		goes_on = line != NULL && hear(bev, line);
		free(line);
	}
}

static void
on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int n, void *arg)
{
	struct bufferevent *bev =
	    bufferevent_socket_new(evconnlistener_get_base(l), fd, BEV_OPT_CLOSE_ON_FREE);

	(void)sa;
	(void)n;
	(void)arg;
	ck_assert_uint_lt(server.connections, ARRAY_LEN(server.all));
	server.all[server.connections++] = bev;
	bufferevent_setcb(bev, on_read, NULL, NULL, NULL);
	(void)bufferevent_enable(bev, EV_READ | EV_WRITE);
	reply(bev, "220 here\r\n");
}

/* ---- the lane -------------------------------------------------------------------------- */

static const struct tls_opts tls = { .verify = true };
static struct lane_opts opts;
static struct engine_env env;
static struct lane *lane;
static struct {
	unsigned n;
	enum lane_end end;
} ended;

static void
on_ended(void *arg, struct lane *l, enum lane_end end, const char *note, const struct err *err)
{
	(void)arg;
	(void)l;
	(void)note;
	(void)err;
	ended.n++;
	ended.end = end;
}

static void
setup(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(sin);

	memset(&server, 0, sizeof(server));
	memset(&ended, 0, sizeof(ended));
	slept_ms = 0;
	env = (struct engine_env){ .base = event_base_new(), .clock = &sleeper };
	env.timers = timers_new(env.base, &sleeper);
	server.listener = evconnlistener_new_bind(env.base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, 8,
	    (struct sockaddr *)&sin, sizeof(sin));
	ck_assert_ptr_nonnull(server.listener);
	ck_assert_int_eq(getsockname(evconnlistener_get_fd(server.listener), (struct sockaddr *)&sin, &n), 0);
	opts = (struct lane_opts){ .host = "127.0.0.1", .port = ntohs(sin.sin_port), .mode = LANE_TLS_OFF,
		.tls = &tls, .connect_timeout_ms = 600000, .timeout_ms = 600000 };
	lane = lane_new(&env, &opts, on_ended, NULL);
}

static void
teardown(void)
{
	lane_free(lane);
	evconnlistener_free(server.listener);
	for (unsigned i = 0; i < server.connections; i++)
		bufferevent_free(server.all[i]);
	timers_free(env.timers);
	event_base_free(env.base);
}

static void
turn(int ms)
{
	(void)event_base_loopexit(env.base, &(struct timeval){ .tv_usec = ms * 1000 });
	(void)event_base_dispatch(env.base);
}

static void
until_ended(enum lane_end end)
{
	for (int i = 0; i < LIMIT_S * 50 && ended.n == 0; i++)
		turn(20);
	ck_assert_uint_eq(ended.n, 1);
	ck_assert_int_eq(ended.end, end);
	ended.n = 0;
}

static void
until_forgotten(void)
{
	for (int i = 0; i < LIMIT_S * 50 && server.forgets_at != NULL; i++)
		turn(20);
	ck_assert_ptr_null(server.forgets_at);
}

static void
send_one(void)
{
	lane_send(lane, "from@soc.example", "to@soc.example", MAIL);
}

static const struct {
	const char *says, *at;
	enum lane_end end;
	unsigned mails;
} stops[] = {
	{ "before anything was said: over another, and nobody is blamed", "EHLO", LANE_ACCEPTED, 1 },
	{ "nothing of the mail is in doubt: over another", "MAIL", LANE_ACCEPTED, 1 },
	{ "likewise", "RCPT", LANE_ACCEPTED, 1 },
	{ "the server may have it: it ends, and is tried again as ever", ".", LANE_CUT, 0 },
};

START_TEST(test_amid_a_mail)
{
	server.forgets_at = stops[_i].at;
	send_one();
	until_forgotten();
	slept_ms += HOUR_MS;
	until_ended(stops[_i].end);
	ck_assert_msg(server.mails == stops[_i].mails, "%s", stops[_i].says);
	ck_assert_uint_eq(server.connections, 1 + stops[_i].mails);
}
END_TEST

/* What the server said while nobody listened is heard. */
START_TEST(test_an_answer_that_is_there)
{
	server.waits_at = _i == 0 ? "RCPT" : ".";
	send_one();
	for (int i = 0; i < LIMIT_S * 50 && server.waiting == NULL; i++)
		turn(20);
	slept_ms += HOUR_MS;
	turn(1500);
	reply(server.waiting, "250 well\r\n");
	until_ended(LANE_ACCEPTED);
	ck_assert_uint_eq(server.connections, 1);
	ck_assert_uint_eq(server.mails, 1);
}
END_TEST

/* Between mails: the next one does not wait for who will never answer. 0: before anybody looked. */
START_TEST(test_idle)
{
	send_one();
	until_ended(LANE_ACCEPTED);
	slept_ms += HOUR_MS;
	if (_i == 1)
		turn(1500);
	send_one();
	until_ended(LANE_ACCEPTED);
	ck_assert_uint_eq(server.connections, 2);
	ck_assert_uint_eq(server.mails, 2);
}
END_TEST

START_TEST(test_short)
{
	send_one();
	until_ended(LANE_ACCEPTED);
	slept_ms += 2000;
	send_one();
	until_ended(LANE_ACCEPTED);
	ck_assert_uint_eq(server.connections, 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sink_smtp_sleep");
	TCase *tc = tcase_create("sink_smtp_sleep");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 3 * LIMIT_S);
	tcase_add_loop_test(tc, test_amid_a_mail, 0, (int)ARRAY_LEN(stops));
	tcase_add_loop_test(tc, test_an_answer_that_is_there, 0, 2);
	tcase_add_loop_test(tc, test_idle, 0, 2);
	tcase_add_test(tc, test_short);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
