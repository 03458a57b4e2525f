/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/msspctl/call.h"
#include "lib/base/buf.h"

#define TIMEOUT_S 30
#define REPLY_MAX (64 * 1024 * 1024)

static int
say_no_socket(const char *path, int errnum)
{
	if (errnum == EACCES || errnum == EPERM) {
		fprintf(stderr, "msspctl: you may not open %s: it is for the daemon's user and group\n",
		    path);
		return EX_NOPERM;
	}
	fprintf(stderr, "msspctl: msspd is not running: %s: %s\n"
	    "Start it, or name its control_socket with -s.\n", path, strerror(errnum));
	return EX_UNAVAILABLE;
}

static int
connect_to(const char *path, int *status)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct timeval tv = { .tv_sec = TIMEOUT_S };
	int fd;

	if (strlen(path) >= sizeof(un.sun_path)) {
		fprintf(stderr, "msspctl: %s is too long for a socket's path\n", path);
		*status = EX_USAGE;
		return -1;
	}
	memcpy(un.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
		if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
			return fd;
	}
	*status = say_no_socket(path, errno);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* With a time limit on the socket a signal ends a call even where it says to go on. */
static ssize_t
read_some(int fd, char *chunk, size_t room)
{
	ssize_t n;

	do
		n = read(fd, chunk, room);
	while (n < 0 && errno == EINTR);
	return n;
}

static ssize_t
send_all(int fd, struct str line)
{
	ssize_t n;

	do
		n = send(fd, line.s, line.n, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n;
}

static bool
send_line(int fd, const json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	struct buf line = BUF_INIT(REPLY_MAX);
	bool ok = text != NULL;

	if (ok) {
		buf_printf(&line, "%s\n", text);
		ok = send_all(fd, buf_peek(&line)) == (ssize_t)line.n;
	}
	buf_release(&line);
	free(text);
	return ok;
}

/* False, with *why: what went wrong instead. */
static bool
read_line(int fd, struct buf *line, const char **why)
{
	char chunk[16384];

	for (;;) {
		ssize_t n = read_some(fd, chunk, sizeof(chunk));

		*why = n == 0 ? "msspd hung up: it is stopping, or has too many clients" :
		    n < 0 && errno == EAGAIN ? "no answer in time: msspd is busy or stuck" :
		    n < 0 ? strerror(errno) : "the answer is too long";
		if (n <= 0)
			return false;
		buf_add(line, chunk, (size_t)n);
		if (!buf_ok(line))
			return false;
		if (line->p[line->n - 1] == '\n')
			return true;
	}
}

/* The result out of the answer, or NULL with the reason said. */
static json_t *
open_reply(json_t *reply, int *status)
{
	json_t *result = json_object_get(reply, "result");
	const char *error = json_string_value(json_object_get(reply, "error"));

	if (json_is_true(json_object_get(reply, "ok")) && result != NULL)
		return json_incref(result);
	if (error != NULL)
		fprintf(stderr, "msspctl: %s\n", error);
	else
		fprintf(stderr, "msspctl: the answer makes no sense; is that msspd's control_socket?\n");
	*status = error != NULL ? EXIT_FAILURE : EX_SOFTWARE;
	return NULL;
}

json_t *
call(const char *socket_path, json_t *taken_request, int *status)
{
	struct buf line = BUF_INIT(REPLY_MAX);
	json_t *reply = NULL, *result = NULL;
	const char *why = "the request cannot be sent";
	int fd = connect_to(socket_path, status);

	if (fd >= 0 && send_line(fd, taken_request) && read_line(fd, &line, &why)) {
		reply = json_loadb(line.p, line.n, 0, NULL);
		result = open_reply(reply, status);
	} else if (fd >= 0) {
		fprintf(stderr, "msspctl: %s\n", why);
		*status = EX_UNAVAILABLE;
	}
	if (fd >= 0)
		close(fd);
	buf_release(&line);
	json_decref(reply);
	json_decref(taken_request);
	return result;
}
