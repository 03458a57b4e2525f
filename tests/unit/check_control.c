/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/ops/control.h"
#include "lib/base/alloc.h"

static char dir[] = "/tmp/check_control.XXXXXX";
static char path[128];
static struct event_base *base;
static struct control *control;
static unsigned reloads;

static bool
on_reload(void *arg, struct err *err)
{
	(void)arg;
	return ++reloads % 2 == 1 || err_set(err, ERR_CONF, "m.yaml:1:1: no \"good\"");
}

static void
setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/c.sock", dir);
	base = event_base_new();
	signal(SIGPIPE, SIG_IGN); /* as service does */
}

static void
teardown(void)
{
	control_close(control);
	event_base_free(base);
	unlink(path);
	rmdir(dir);
}

static void
open_control(void)
{
	struct err err = { 0 };

	control = control_open(base, NULL, path, on_reload, NULL, &err);
	ck_assert_msg(control != NULL, "%s", err.text);
}

static int
dial(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(un.sun_path, path, strlen(path));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

/* Both sides take turns until the other hangs up or all is as quiet as a mouse; what came. */
static size_t
talk(int fd, char *out, size_t room)
{
	size_t n = 0;

	for (int quiet = 0; quiet < 20 && n < room - 1;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		ssize_t got;

		event_base_loop(base, EVLOOP_NONBLOCK);
		quiet += poll(&pfd, 1, 5) == 0;
		got = read(fd, out + n, room - 1 - n);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	out[n] = '\0';
	return n;
}

static void
say(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static const struct {
	const char *says, *ask, *want;
} dialogues[] = {
	{ "an unknown verb is named", "{\"verb\":\"sing\"}\n",
	    "{\"ok\":false,\"error\":\"no such verb: sing\"}\n" },
	{ "a line without a verb is answered", "{}\n",
	    "{\"ok\":false,\"error\":\"no such verb: (none)\"}\n" },
	{ "what is no JSON is answered", "sing\n", "{\"ok\":false,\"error\":\"not a JSON object" },
	{ "a tenant that is no text is not all of them", "{\"verb\":\"poll\",\"tenant\":5}\n",
	    "{\"ok\":false,\"error\":\"\\\"tenant\\\" is no text\"}\n" },
	{ "nor a sink that is a list, beside a tenant",
	    "{\"verb\":\"replay\",\"tenant\":\"t\",\"from\":\"1h\",\"sink\":[\"s\"]}\n",
	    "{\"ok\":false,\"error\":\"\\\"sink\\\" is no text\"}\n" },
	{ "nor is a yes that is no truth", "{\"verb\":\"dead-drop\",\"all\":\"yes\"}\n",
	    "{\"ok\":false,\"error\":\"\\\"all\\\" is no true or false\"}\n" },
	{ "nor is a tenant that is misspelt", "{\"verb\":\"poll\",\"tennant\":\"a\"}\n",
	    "{\"ok\":false,\"error\":\"poll knows no \\\"tennant\\\"; did you mean \\\"tenant\\\"?\"}\n" },
	{ "what was meant by a verb is told", "{\"verb\":\"replay-cancl\"}\n",
	    "{\"ok\":false,\"error\":\"no such verb: replay-cancl; did you mean replay-cancel?\"}\n" },
	{ "an error is quoted as JSON", "{\"verb\":\"reload\"}\n{\"verb\":\"reload\"}\n",
	    "{\"ok\":true,\"result\":{}}\n{\"ok\":false,\"error\":\"m.yaml:1:1: no \\\"good\\\"\"}\n" },
	{ "half a line waits for the rest", "{\"verb\"", "" },
};

START_TEST(test_dialogue)
{
	char got[4096];
	int fd;

	open_control();
	fd = dial();
	say(fd, dialogues[_i].ask);
	talk(fd, got, sizeof(got));
	ck_assert_msg(strncmp(got, dialogues[_i].want, strlen(dialogues[_i].want)) == 0 &&
	    (got[0] != '\0') == (dialogues[_i].want[0] != '\0'), "%s: got %s", dialogues[_i].says, got);
	close(fd);
}
END_TEST

/* Every verb, and what it says that it takes. */
static const struct {
	const char *verb, *takes;
} verbs[] = {
	{ "status", "nothing" },
	{ "reload", "nothing" },
	{ "replay", "tenant, from, to, sink, all" },
	{ "resend", "sink, from" },
	{ "replays", "nothing" },
	{ "replay-cancel", "number" },
	{ "poll", "tenant" },
	{ "pause", "tenant, sink" },
	{ "resume", "tenant, sink" },
	{ "log-level", "level" },
	{ "sink-forget", "sink" },
	{ "backup", "file" },
	{ "backup-state", "nothing" },
	{ "held", "sink" },
	{ "held-cancel", "id" },
	{ "held-result", "look" },
	{ "dead", "sink, tenant, after, max, number, from" },
	{ "dead-retry", "sink, tenant, number, all" },
	{ "dead-drop", "sink, tenant, number, all" },
	{ "quarantine", "tenant, after, max, number, from" },
	{ "tenant-purge", "tenant, sure" },
	{ "errand", "errand" },
	{ "report", "day, tenant, customer" },
	{ "report-result", "report, after" },
	{ "report-cancel", "report" },
	{ "test-sink", "sink, to, timeout_ms" },
	{ "test-sink-result", "test" },
};

/* None of them goes on as if it had not been there. */
START_TEST(test_unknown_member)
{
	char ask[200], want[300], got[4096];
	int fd;

	open_control();
	fd = dial();
	snprintf(ask, sizeof(ask), "{\"verb\":\"%s\",\"xyzzy\":null}\n", verbs[_i].verb);
	snprintf(want, sizeof(want), "{\"ok\":false,\"error\":\"%s knows no \\\"xyzzy\\\"; it takes %s\"}\n",
	    verbs[_i].verb, verbs[_i].takes);
	say(fd, ask);
	talk(fd, got, sizeof(got));
	ck_assert_str_eq(got, want);
	close(fd);
}
END_TEST

/* nc -N and socat do that. */
START_TEST(test_closed_side_is_answered)
{
	char got[4096];
	int fd;

	open_control();
	fd = dial();
	say(fd, "{\"verb\":\"sing\"}\n{\"verb\":\"dance\"}\n");
	shutdown(fd, SHUT_WR);
	talk(fd, got, sizeof(got));
	ck_assert_msg(strstr(got, "sing") != NULL && strstr(got, "dance") != NULL, "got %s", got);
	ck_assert_int_eq(read(fd, got, 1), 0);
	close(fd);
}
END_TEST

START_TEST(test_long_line_is_refused)
{
	static char much[128 * 1024];
	char got[4096];
	int fd;

	open_control();
	fd = dial();
	memset(much, 'x', sizeof(much));
	for (size_t at = 0; at < 70000;) {
		ssize_t n = write(fd, much + at, sizeof(much) - at);

		at += n > 0 ? (size_t)n : 0;
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	talk(fd, got, sizeof(got));
	ck_assert_msg(strstr(got, "too long") != NULL, "got %s", got);
	close(fd);
}
END_TEST

/* Who asks and asks and reads nothing must not fill the memory; who then reads gets it all. */
START_TEST(test_unread_answers_are_bounded)
{
	static const char ask[] = "{\"verb\":\"a-verb-with-a-rather-long-name-that-comes-back-to-us\"}\n";
	static char got[1024 * 1024];
	size_t asked = 0, answers = 0, stuck = 0, n;
	int fd;

	open_control();
	fd = dial();
	while (stuck < 50 && asked < 200000) {
		ssize_t sent = write(fd, ask, strlen(ask));
		int errnum = errno;

		event_base_loop(base, EVLOOP_NONBLOCK);
		ck_assert(sent == (ssize_t)strlen(ask) || (sent < 0 && errnum == EAGAIN));
		asked += sent > 0;
		stuck = sent > 0 ? 0 : stuck + 1;
	}
	ck_assert_msg(asked < 200000, "everything was taken");
	for (n = talk(fd, got, sizeof(got)); n > 0; n = talk(fd, got, sizeof(got))) {
		for (size_t i = 0; i < n; i++)
			answers += got[i] == '\n';
	}
	ck_assert_uint_eq(answers, asked);
	close(fd);
}
END_TEST

START_TEST(test_gone_client_is_forgotten)
{
	char got[64];
	int fd;

	open_control();
	for (int i = 0; i < 100; i++) {
		fd = dial();
		say(fd, "{\"verb\":\"sing\"}\n");
		close(fd);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	for (int i = 0; i < 10; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	fd = dial();
	say(fd, "{\"verb\":\"sing\"}\n");
	ck_assert_uint_ne(talk(fd, got, sizeof(got)), 0);
	close(fd);
}
END_TEST

/* ---- the socket's place ---------------------------------------------------------- */

START_TEST(test_mode)
{
	struct stat st;

	open_control();
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0660);
	control_close(control);
	control = NULL;
	ck_assert_int_ne(stat(path, &st), 0);
}
END_TEST

START_TEST(test_stale_socket_is_replaced)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(un.sun_path, path, strlen(path));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	open_control();
}
END_TEST

START_TEST(test_living_socket_is_refused)
{
	struct err err = { 0 };

	open_control();
	ck_assert_ptr_null(control_open(base, NULL, path, on_reload, NULL, &err));
	ck_assert_msg(err.kind == ERR_TEMP && strstr(err.text, "in use") != NULL, "%s", err.text);
	close(dial()); /* the first one is still there */
}
END_TEST

START_TEST(test_file_is_left_alone)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct err err = { 0 };

	close(fd);
	ck_assert_ptr_null(control_open(base, NULL, path, on_reload, NULL, &err));
	ck_assert_msg(err.kind == ERR_CONF && strstr(err.text, "no socket") != NULL, "%s", err.text);
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(test_long_path_is_refused)
{
	char longer[200];
	struct err err = { 0 };

	memset(longer, 'x', sizeof(longer));
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_ptr_null(control_open(base, NULL, longer, on_reload, NULL, &err));
	ck_assert_msg(err.kind == ERR_CONF && strstr(err.text, "longer than 107") != NULL, "%s",
	    err.text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("control");
	TCase *tc = tcase_create("clients");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_unknown_member, 0, (int)(sizeof(verbs) / sizeof(verbs[0])));
	tcase_add_loop_test(tc, test_dialogue, 0, (int)ARRAY_LEN(dialogues));
	tcase_add_test(tc, test_closed_side_is_answered);
	tcase_add_test(tc, test_long_line_is_refused);
	tcase_add_test(tc, test_unread_answers_are_bounded);
	tcase_add_test(tc, test_gone_client_is_forgotten);
	suite_add_tcase(s, tc);
	tc = tcase_create("place");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_mode);
	tcase_add_test(tc, test_stale_socket_is_replaced);
	tcase_add_test(tc, test_living_socket_is_refused);
	tcase_add_test(tc, test_file_is_left_alone);
	tcase_add_test(tc, test_long_path_is_refused);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
