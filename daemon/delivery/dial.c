/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/loop.h"
#include "daemon/resolve.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"

#define DIAL_ADDRESSES 16 /* of one name */
#define KEEP_PROBES    3

struct address {
	struct sockaddr_storage sa;
	socklen_t n;
};

struct dial {
	const struct engine_env *env;
	const struct dial_opts *opts;
	dial_cb *cb;
	void *arg;
	struct resolve_job *job;
	struct address addresses[DIAL_ADDRESSES];
	size_t n, at;
	int fd;
	struct event *on_writable;
	struct timer timeout;
	struct err err; /* of the address tried last */
};

static void
dial_close_socket(struct dial *d)
{
	timer_unset(d->env->timers, &d->timeout);
	if (d->on_writable != NULL)
		event_free(d->on_writable);
	d->on_writable = NULL;
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

static void
dial_release(struct dial *d)
{
	if (d->job != NULL)
		resolve_cancel(d->job);
	dial_close_socket(d);
	free(d);
}

static void
dial_fail(struct dial *d)
{
	d->cb(d->arg, -1, "", &d->err);
	dial_release(d);
}

static void
address_print(const struct address *a, char *out, size_t room)
{
	char host[64], port[8];

	if (getnameinfo((const struct sockaddr *)&a->sa, a->n, host, sizeof(host), port, sizeof(port),
	    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		snprintf(out, room, "?");
	else if (a->sa.ss_family == AF_INET6)
		snprintf(out, room, "[%s]:%s", host, port);
	else
		snprintf(out, room, "%s:%s", host, port);
}

/* A peer that is gone, or that stops reading for good, ends the connection. */
static void
socket_set_up(int fd, int64_t keepalive_ms)
{
	const int on = 1, probes = KEEP_PROBES;
	int idle = (int)(keepalive_ms / 1000 / 2), between;
	unsigned user_timeout = (unsigned)keepalive_ms;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (keepalive_ms == 0)
		return;
	idle = idle > 0 ? idle : 1;
	between = idle / probes > 0 ? idle / probes : 1;
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &between, sizeof(between));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof(user_timeout));
}

static void dial_on_writable(evutil_socket_t fd, short what, void *arg);

static bool
dial_connect(struct dial *d, const struct address *a)
{
	d->fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->fd < 0)
		return err_sys(&d->err, ERR_TEMP, errno, "cannot make a socket");
	socket_set_up(d->fd, d->opts->keepalive_ms);
	if (connect(d->fd, (const struct sockaddr *)&a->sa, a->n) != 0 && errno != EINPROGRESS)
		return err_sys(&d->err, ERR_TEMP, errno, "cannot connect");
	d->on_writable = event_new(d->env->base, d->fd, EV_WRITE, dial_on_writable, d);
	if (d->on_writable == NULL || event_add(d->on_writable, NULL) != 0)
		return err_set(&d->err, ERR_TEMP, "the loop does not take the socket");
	timer_set(d->env->timers, &d->timeout, d->opts->timeout_ms);
	return true;
}

/* The address d->at did not work: names it in the error, and goes on to the next. */
static void
dial_next(struct dial *d)
{
	char peer[DIAL_PEER];

	while (d->at < d->n) {
		if (dial_connect(d, &d->addresses[d->at]))
			return;
		dial_close_socket(d);
		address_print(&d->addresses[d->at++], peer, sizeof(peer));
		(void)err_wrap(&d->err, "%s", peer);
	}
	dial_fail(d);
}

static void
dial_give_up_address(struct dial *d)
{
	char peer[DIAL_PEER];

	address_print(&d->addresses[d->at++], peer, sizeof(peer));
	(void)err_wrap(&d->err, "%s", peer);
	dial_close_socket(d);
	dial_next(d);
}

static void
dial_on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct dial *d = arg;
	char peer[DIAL_PEER];
	int error = 0;
	socklen_t n = sizeof(error);

	(void)what;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
		error = errno;
	if (error != 0) {
		(void)err_sys(&d->err, ERR_TEMP, error, "cannot connect");
		dial_give_up_address(d);
		return;
	}
	address_print(&d->addresses[d->at], peer, sizeof(peer));
	d->fd = -1;
	d->cb(d->arg, fd, peer, NULL);
	dial_release(d);
}

static void
dial_on_timeout(void *arg)
{
	struct dial *d = arg;

	if (d->job != NULL) {
		(void)err_set(&d->err, ERR_TEMP, "the name is not answered within %.1fs",
		    (double)d->opts->timeout_ms / 1000);
		dial_fail(d);
		return;
	}
	(void)err_set(&d->err, ERR_TEMP, "no connection within %.1fs",
	    (double)d->opts->timeout_ms / 1000);
	dial_give_up_address(d);
}

static void
dial_on_resolved(void *arg, const struct addrinfo *ai, const struct err *err)
{
	struct dial *d = arg;

	d->job = NULL;
	timer_unset(d->env->timers, &d->timeout);
	if (ai == NULL) {
		d->err = *err;
		dial_fail(d);
		return;
	}
	(void)err_set(&d->err, ERR_TEMP, "the name has no address");
	for (; ai != NULL && d->n < DIAL_ADDRESSES; ai = ai->ai_next) {
		if (ai->ai_addrlen > sizeof(struct sockaddr_storage))
			continue;
		memcpy(&d->addresses[d->n].sa, ai->ai_addr, ai->ai_addrlen);
		d->addresses[d->n++].n = ai->ai_addrlen;
	}
	dial_next(d);
}

struct dial *
dial_start(const struct engine_env *env, const struct dial_opts *opts, dial_cb *cb, void *arg)
{
	struct dial *d = xcalloc(1, sizeof(*d));

	d->env = env;
	d->opts = opts;
	d->cb = cb;
	d->arg = arg;
	d->fd = -1;
	timer_init(&d->timeout, dial_on_timeout, d);
	timer_set(env->timers, &d->timeout, opts->timeout_ms);
	d->job = resolve_start(env->resolver, opts->host, opts->port, SOCK_STREAM, dial_on_resolved, d);
	return d;
}

void
dial_cancel(struct dial *d)
{
	if (d != NULL)
		dial_release(d);
}
