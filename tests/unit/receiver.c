/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/receiver.h"

#include <arpa/inet.h>
#include <check.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>

#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

struct connection {
	LIST_ENTRY(connection) link;
	struct receiver *r;
	int fd;
	SSL *ssl;
	struct event *on_readable;
	struct buf in;
	int64_t left; /* bytes until it vanishes; -1: never does */
	bool is_shaking; /* TLS's handshake is not done */
};
LIST_HEAD(connection_list, connection);

/* ---- frames ---------------------------------------------------------------------------- */

static void
torn(struct receiver *r, const char *why, const char *p, size_t n)
{
	if (r->torn++ == 0)
		snprintf(r->why_torn, sizeof(r->why_torn), "%s: %.*s", why, (int)(n < 150 ? n : 150), p);
}

/* The rig's versions are in the event id: …/2023-11-14T22:13:20.0000042Z is number 42. */
static size_t
version_of(const char *frame)
{
	const char *id = strstr(frame, "MicrosoftDefenderEventId");
	const char *at = id != NULL ? strstr(id, "/2023-11-14T22:13:") : NULL;
	int64_t ticks;

	if (at == NULL || !ticks_parse((struct str) { at + 1, strcspn(at + 1, "Z") + 1 }, &ticks))
		return 0;
	return (size_t)(ticks - TICKS_SEC * 1700000000);
}

static void
take_frame(struct receiver *r, const char *p, size_t n)
{
	char *frame = xstrndup(p, n);
	const char *cef = strstr(frame, "CEF:0|Microsoft|");
	size_t version = version_of(frame);

	if (n < 10 || frame[0] != '<' || cef == NULL || strstr(cef + 1, "CEF:0|") != NULL
	    || strchr(frame, '\n') != NULL || version == 0 || version > r->max_seen) {
		torn(r, "not one whole message", p, n);
	} else {
		r->frames++;
		r->nseen += r->seen[version] == 0;
		r->seen[version] = 1;
		snprintf(r->last, sizeof(r->last), "%s", frame);
	}
	free(frame);
}

/* Length of the first frame of in, and where its message begins; 0: not whole yet. */
static size_t
whole_frame(struct receiver *r, struct str in, size_t *skip, size_t *tail)
{
	const char *end;
	size_t digits = 0, n = 0;

	*skip = *tail = 0;
	if (r->framing == RECEIVE_LF) {
		end = in.n > 0 ? memchr(in.s, '\n', in.n) : NULL;
		*tail = 1;
		return end != NULL ? (size_t)(end - in.s) + 1 : 0;
	}
	while (digits < in.n && digits < 6 && isdigit((unsigned char)in.s[digits]))
		n = n * 10 + (size_t)(in.s[digits++] - '0');
	if (digits == in.n)
		return 0;
	*skip = digits + 1;
	if (digits == 0 || in.s[digits] != ' ') {
		torn(r, "no octet count", in.s, in.n);
		return in.n;
	}
	return in.n >= *skip + n ? *skip + n : 0;
}

static void
take_bytes(struct connection *c)
{
	struct str rest = buf_peek(&c->in);
	size_t n, skip, tail;

	for (n = whole_frame(c->r, rest, &skip, &tail); n > 0;
	    n = whole_frame(c->r, rest, &skip, &tail)) {
		if (n >= skip + tail)
			take_frame(c->r, rest.s + skip, n - skip - tail);
		rest.s += n;
		rest.n -= n;
	}
	n = c->in.n - rest.n;
	memmove(c->in.p, c->in.p + n, rest.n);
	buf_cut(&c->in, rest.n);
}

/* ---- connections -------------------------------------------------------------------------- */

static void
connection_free(struct connection *c)
{
	LIST_REMOVE(c, link);
	c->r->now--;
	event_free(c->on_readable);
	SSL_free(c->ssl);
	close(c->fd);
	buf_release(&c->in);
	free(c);
}

/* Bytes, 0 at the end in order, -1: nothing now, -2: broken. */
static int
connection_read(struct connection *c, char *p, int room)
{
	int n, error;

	if (c->ssl == NULL) {
		n = (int)recv(c->fd, p, (size_t)room, 0);
		return n >= 0 ? n : errno == EAGAIN ? -1 : -2;
	}
	if (c->is_shaking) {
		n = SSL_accept(c->ssl);
		error = SSL_get_error(c->ssl, n);
		if (n != 1)
			return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? -1 : -2;
		c->is_shaking = false;
	}
	n = SSL_read(c->ssl, p, room);
	if (n > 0)
		return n;
	error = SSL_get_error(c->ssl, n);
	if (error == SSL_ERROR_ZERO_RETURN)
		return 0;
	return error == SSL_ERROR_WANT_READ ? -1 : -2;
}

static void
connection_end(struct connection *c, bool in_order)
{
	if (in_order && c->in.n > 0)
		torn(c->r, "ended inside a frame", c->in.p, c->in.n);
	c->r->ends_in_order += in_order;
	if (in_order && c->ssl != NULL)
		(void)SSL_shutdown(c->ssl);
	connection_free(c);
}

static void
connection_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;
	char piece[16384];
	int n, room = sizeof(piece);

	(void)fd;
	(void)what;
	while (!c->r->is_stopped) {
		if (c->left >= 0 && c->left < room)
			room = (int)c->left;
		n = room > 0 ? connection_read(c, piece, room) : -2;
		if (n == -1)
			return;
		if (n <= 0) {
			connection_end(c, n == 0);
			return;
		}
		buf_add(&c->in, piece, (size_t)n);
		c->left -= c->left >= 0 ? n : 0;
		take_bytes(c);
	}
	(void)event_del(c->on_readable);
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct receiver *r = arg;
	struct connection_list *list = r->connections_list;
	struct connection *c;
	int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (conn < 0)
		return;
	r->connections++;
	if (r->closes_at_once) {
		close(conn);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->r = r;
	c->fd = conn;
	c->left = r->close_after;
	buf_init(&c->in, 1024 * 1024);
	if (r->tls != NULL) {
		c->ssl = SSL_new(r->tls);
		SSL_set_fd(c->ssl, conn);
		c->is_shaking = true;
	}
	c->on_readable = event_new(r->base, conn, EV_READ | EV_PERSIST, connection_on_readable, c);
	(void)event_add(c->on_readable, NULL);
	LIST_INSERT_HEAD(list, c, link);
	r->now++;
}

static void
on_datagram(evutil_socket_t fd, short what, void *arg)
{
	struct receiver *r = arg;
	char piece[65536];
	ssize_t n;

	(void)what;
	for (n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT); n >= 0;
	    n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT))
		take_frame(r, piece, (size_t)n);
}

/* ---- life ------------------------------------------------------------------------------------ */

void
receiver_init(struct receiver *r, struct event_base *base, enum receiver_framing framing,
    SSL_CTX *taken_tls, size_t max_seen)
{
	*r = (struct receiver) {
		.base = base,
		.framing = framing,
		.tls = taken_tls,
		.close_after = -1,
		.fd = -1,
		.max_seen = max_seen,
		.seen = xcalloc(max_seen + 1, 1),
		.connections_list = xcalloc(1, sizeof(struct connection_list)),
	};
}

void
receiver_deaf(struct receiver *r)
{
	if (r->on_accept != NULL)
		event_free(r->on_accept);
	r->on_accept = NULL;
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

void
receiver_vanish(struct receiver *r)
{
	struct connection_list *list = r->connections_list;
	const struct linger at_once = { .l_onoff = 1 };
	struct connection *c;

	while (!LIST_EMPTY(list)) {
		c = LIST_FIRST(list);
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		connection_free(c);
	}
}

void
receiver_go_on(struct receiver *r)
{
	struct connection_list *list = r->connections_list;
	struct connection *c;

	r->is_stopped = false;
	LIST_FOREACH(c, list, link)
		(void)event_add(c->on_readable, NULL);
}

void
receiver_release(struct receiver *r)
{
	receiver_deaf(r);
	receiver_vanish(r);
	if (r->unix_path != NULL)
		(void)unlink(r->unix_path);
	SSL_CTX_free(r->tls);
	free(r->connections_list);
	free(r->seen);
}

static void
watch(struct receiver *r, event_callback_fn fn)
{
	r->on_accept = event_new(r->base, r->fd, EV_READ | EV_PERSIST, fn, r);
	(void)event_add(r->on_accept, NULL);
}

static bool
bind_loopback(struct receiver *r, int type, unsigned port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(sin);
	const int on = 1;

	r->fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	(void)setsockopt(r->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (r->room > 0)
		(void)setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &r->room, sizeof(r->room));
	if (bind(r->fd, (const struct sockaddr *)&sin, sizeof(sin)) != 0) {
		close(r->fd);
		r->fd = -1;
		return false;
	}
	(void)getsockname(r->fd, (struct sockaddr *)&sin, &n);
	r->port = ntohs(sin.sin_port);
	return true;
}

bool
receiver_listen(struct receiver *r, unsigned port)
{
	if (!bind_loopback(r, SOCK_STREAM, port))
		return false;
	ck_assert_int_eq(listen(r->fd, 16), 0);
	watch(r, on_accept);
	return true;
}

void
receiver_listen_udp(struct receiver *r)
{
	ck_assert(bind_loopback(r, SOCK_DGRAM, r->port));
	watch(r, on_datagram);
}

void
receiver_listen_unix(struct receiver *r, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	r->unix_path = path;
	r->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(r->fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	watch(r, on_datagram);
}
