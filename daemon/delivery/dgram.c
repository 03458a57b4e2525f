/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/dgram.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/loop.h"
#include "daemon/resolve.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"

#define NO_ROOM_MS 10 /* the kernel is out of buffers: nothing tells when it has some again */

struct dgram {
	const struct engine_env *env;
	const char *host, *port;
	const struct dgram_user *user;
	void *arg;
	struct resolve_job *job;
	int fd;
	struct event *on_writable;
	struct timer room;
};

static void
dgram_on_room(void *arg)
{
	struct dgram *g = arg;

	g->user->writable(g->arg);
}

static void
dgram_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	dgram_on_room(arg);
}

static bool
dgram_connect(struct dgram *g, const struct sockaddr *sa, socklen_t n, struct err *err)
{
	g->fd = socket(sa->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (g->fd < 0)
		return err_sys(err, ERR_TEMP, errno, "cannot make a socket");
	if (connect(g->fd, sa, n) != 0) {
		(void)err_sys(err, ERR_TEMP, errno, "cannot connect");
		close(g->fd);
		g->fd = -1;
		return false;
	}
	g->on_writable = event_new(g->env->base, g->fd, EV_WRITE, dgram_on_writable, g);
	BUG_IF(g->on_writable == NULL);
	return true;
}

static void
dgram_on_resolved(void *arg, const struct addrinfo *ai, const struct err *resolve_err)
{
	struct dgram *g = arg;
	struct err err = { 0 };
	char note[NI_MAXHOST] = "?";

	g->job = NULL;
	if (ai == NULL) {
		g->user->down(g->arg, resolve_err);
		return;
	}
	for (; ai != NULL; ai = ai->ai_next) {
		if (!dgram_connect(g, ai->ai_addr, ai->ai_addrlen, &err))
			continue;
		(void)getnameinfo(ai->ai_addr, ai->ai_addrlen, note, sizeof(note), NULL, 0,
		    NI_NUMERICHOST);
		g->user->up(g->arg, note);
		return;
	}
	g->user->down(g->arg, &err);
}

static void
dgram_open_unix(void *arg)
{
	struct dgram *g = arg;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct err err = { 0 };

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", g->host);
	if (dgram_connect(g, (const struct sockaddr *)&sun, sizeof(sun), &err))
		g->user->up(g->arg, g->host);
	else
		g->user->down(g->arg, &err);
}

struct dgram *
dgram_open(const struct engine_env *env, const char *host, const char *port,
    const struct dgram_user *user, void *arg)
{
	struct dgram *g = xcalloc(1, sizeof(*g));

	g->env = env;
	g->host = host;
	g->port = port;
	g->user = user;
	g->arg = arg;
	g->fd = -1;
	timer_init(&g->room, dgram_on_room, g);
	if (port == NULL)
		loop_defer(env->loop, dgram_open_unix, g);
	else
		g->job = resolve_start(env->resolver, host, port, SOCK_DGRAM, dgram_on_resolved, g);
	return g;
}

void
dgram_close(struct dgram *g)
{
	if (g == NULL)
		return;
	if (g->job != NULL)
		resolve_cancel(g->job);
	g->job = NULL;
	loop_forget(g->env->loop, dgram_open_unix, g);
	timer_unset(g->env->timers, &g->room);
	if (g->on_writable != NULL)
		event_free(g->on_writable);
	if (g->fd >= 0)
		close(g->fd);
	loop_defer_free(g->env->loop, free, g);
}

enum dgram_sent
dgram_send(struct dgram *g, struct str bytes, struct err *err)
{
	ssize_t n;

	do
		n = send(g->fd, bytes.s, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return DGRAM_SENT;
	switch (errno) {
	case EAGAIN:
		(void)event_add(g->on_writable, NULL);
		return DGRAM_FULL;
	case ENOBUFS:
	case ENOMEM:
		timer_set(g->env->timers, &g->room, NO_ROOM_MS);
		return DGRAM_FULL;
	case EMSGSIZE:
		(void)err_sys(err, ERR_PERM, errno, "a datagram of %zu bytes", bytes.n);
		return DGRAM_TOO_BIG;
	}
	(void)err_sys(err, ERR_TEMP, errno, "the receiver does not take datagrams");
	return DGRAM_FAILED;
}
