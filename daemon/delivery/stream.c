/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>

#include "daemon/loop.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"

#define SINGLE_WRITE (256 * 1024) /* libevent's own 16 KiB a turn starve a busy sink */
#define VERDICT_MS   500          /* for the server's opinion of our certificate */
#define FINISH_MS    800          /* for the peer to close after us */
#define FINISH_POLL  10

enum stream_state {
	STREAM_DIALING,
	STREAM_HANDSHAKE,
	STREAM_VERDICT,   /* of the server about our certificate */
	STREAM_UP,
	STREAM_FLUSHING,  /* finishing: bytes still wait in this process */
	STREAM_CLOSING,   /* finishing: our side is closed, the peer's is not */
	STREAM_ENDED,
};

struct stream {
	const struct engine_env *env;
	const struct stream_opts *opts;
	const struct stream_user *user;
	void *arg;
	enum stream_state state;
	struct dial *dial;
	SSL_CTX *tls;
	SSL *ssl; /* bev's */
	struct bufferevent *bev;
	int fd;   /* bev's */
	char peer[DIAL_PEER];
	struct timer timer; /* of the state; see stream_on_timer() */
	int64_t finish_by;  /* monotonic ms */
	bool has_eof;
	uint64_t written;
};

/* ---- states ------------------------------------------------------------------------ */

static void
stream_set_state(struct stream *s, enum stream_state state)
{
	timer_unset(s->env->timers, &s->timer);
	s->state = state;
}

static void
stream_down(struct stream *s, bool is_refused, const struct err *err)
{
	stream_set_state(s, STREAM_ENDED);
	s->user->down(s->arg, is_refused, err);
}

static void
stream_down_because(struct stream *s, const char *why)
{
	struct err err = { 0 };

	(void)err_set(&err, ERR_TEMP, "%s", why);
	stream_down(s, false, &err);
}

static void
stream_up(struct stream *s)
{
	char note[DIAL_PEER + 32];

	stream_set_state(s, STREAM_UP);
	snprintf(note, sizeof(note), "%s%s%s", s->peer, s->ssl != NULL ? ", " : "",
	    s->ssl != NULL ? SSL_get_version(s->ssl) : "");
	s->user->up(s->arg, note);
}

/* ---- the end in order ----------------------------------------------------------------- */

static int
stream_unacknowledged(const struct stream *s)
{
	int n = 0;

	return ioctl(s->fd, SIOCOUTQ, &n) == 0 ? n : -1;
}

static bool
socket_has_error(int fd)
{
	int error = 0;
	socklen_t n = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0 || error != 0;
}

/*
 * The peer's end alone does not tell that it read everything: it may have closed
 * before our last bytes came, and then its TCP answers them with a reset. So all
 * of ours, our own end included, must be acknowledged as well.
 */
static void
stream_check_end(struct stream *s)
{
	if (socket_has_error(s->fd)) {
		stream_down_because(s, "reset by the server while closing");
	} else if (s->has_eof && stream_unacknowledged(s) == 0) {
		stream_set_state(s, STREAM_ENDED);
		s->user->finished(s->arg);
	} else if (clock_mono(s->env->clock) >= s->finish_by) {
		stream_down_because(s, "the server did not close its side in time");
	} else {
		timer_set(s->env->timers, &s->timer, FINISH_POLL);
	}
}

static void
stream_close_our_side(struct stream *s)
{
	stream_set_state(s, STREAM_CLOSING);
	if (s->ssl != NULL) {
		(void)SSL_shutdown(s->ssl);
		ERR_clear_error();
	}
	(void)shutdown(s->fd, SHUT_WR);
	timer_set(s->env->timers, &s->timer, FINISH_POLL);
}

void
stream_finish(struct stream *s)
{
	if (s->state != STREAM_UP)
		return;
	stream_set_state(s, STREAM_FLUSHING);
	s->finish_by = clock_mono(s->env->clock) + FINISH_MS;
	bufferevent_setwatermark(s->bev, EV_WRITE, 0, 0);
	if (stream_pending(s) == 0)
		stream_close_our_side(s);
	else
		timer_set(s->env->timers, &s->timer, FINISH_MS);
}

/* ---- what the connection reports ---------------------------------------------------------- */

static void
stream_on_timer(void *arg)
{
	struct stream *s = arg;

	switch (s->state) {
	case STREAM_HANDSHAKE:
		stream_down_because(s, "no TLS handshake in time");
		break;
	case STREAM_VERDICT:
		stream_up(s);
		break;
	case STREAM_FLUSHING:
		stream_down_because(s, "the server did not take everything in time");
		break;
	case STREAM_CLOSING:
		stream_check_end(s);
		break;
	case STREAM_DIALING:
	case STREAM_UP:
	case STREAM_ENDED:
		break;
	}
}

/* OpenSSL calls this from inside its reading: the server has taken our certificate. */
static int
stream_on_ticket(SSL *ssl, SSL_SESSION *session)
{
	struct stream *s = SSL_get_app_data(ssl);

	(void)session;
	if (s->state == STREAM_VERDICT)
		timer_set(s->env->timers, &s->timer, 0);
	return 0;
}

static void
stream_on_handshake(struct stream *s)
{
	bool has_own = s->opts->tls_opts->certificate_file != NULL;

	if (!has_own || SSL_version(s->ssl) < TLS1_3_VERSION) {
		stream_up(s);
		return;
	}
	stream_set_state(s, STREAM_VERDICT);
	timer_set(s->env->timers, &s->timer, VERDICT_MS);
}

/* Syslog receivers say nothing; what one says all the same is thrown away. */
static void
stream_on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);

	(void)arg;
	(void)evbuffer_drain(in, evbuffer_get_length(in));
}

static void
stream_on_write(struct bufferevent *bev, void *arg)
{
	struct stream *s = arg;

	(void)bev;
	if (s->state == STREAM_UP)
		s->user->writable(s->arg);
	else if (s->state == STREAM_FLUSHING && stream_pending(s) == 0)
		stream_close_our_side(s);
}

static void
stream_down_by_peer(struct stream *s)
{
	if (s->state == STREAM_HANDSHAKE || s->state == STREAM_VERDICT)
		stream_down_because(s, "the server closed the connection during the TLS handshake");
	else
		stream_down_because(s, "the server closed the connection");
}

static void
stream_on_eof(struct stream *s)
{
	switch (s->state) {
	case STREAM_CLOSING:
		s->has_eof = true;
		stream_check_end(s);
		break;
	case STREAM_HANDSHAKE:
	case STREAM_VERDICT:
	case STREAM_UP:
	case STREAM_FLUSHING:
		stream_down_by_peer(s);
		break;
	case STREAM_DIALING:
	case STREAM_ENDED:
		break;
	}
}

static void
stream_on_error(struct stream *s, int error)
{
	unsigned long code = s->ssl != NULL ? bufferevent_get_openssl_error(s->bev) : 0;
	struct err err = { 0 };
	bool is_refused = false;

	/* Without an error of OpenSSL's, libevent puts SSL_get_error()'s number there. */
	if (ERR_GET_LIB(code) > ERR_LIB_NONE) {
		is_refused = tls_explain(s->ssl, s->opts->tls_opts, s->opts->dial.host, code, &err);
	} else if (error != 0 && error != EAGAIN) {
		(void)err_sys(&err, ERR_TEMP, error, "the connection broke");
	} else {
		stream_down_by_peer(s);
		return;
	}
	stream_down(s, is_refused, &err);
}

static void
stream_on_event(struct bufferevent *bev, short what, void *arg)
{
	struct stream *s = arg;
	int error = EVUTIL_SOCKET_ERROR();

	(void)bev;
	if (s->state == STREAM_ENDED)
		return;
	if (what & BEV_EVENT_CONNECTED)
		stream_on_handshake(s);
	else if (what & BEV_EVENT_EOF)
		stream_on_eof(s);
	else if (what & BEV_EVENT_ERROR)
		stream_on_error(s, error);
}

/* ---- opening ----------------------------------------------------------------------------- */

/* Callbacks are deferred, so that none comes from inside a call of ours. */
#define BEV_OPTIONS (BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)

static bool
stream_wrap(struct stream *s, int fd, struct err *err)
{
	if (s->tls == NULL) {
		s->bev = bufferevent_socket_new(s->env->base, fd, BEV_OPTIONS);
	} else {
		s->ssl = tls_session_new(s->tls, s->opts->tls_opts, s->opts->dial.host, err);
		if (s->ssl == NULL)
			return false;
		SSL_set_app_data(s->ssl, s);
		s->bev = bufferevent_openssl_socket_new(s->env->base, fd, s->ssl,
		    BUFFEREVENT_SSL_CONNECTING, BEV_OPTIONS);
	}
	if (s->bev == NULL)
		return err_set(err, ERR_TEMP, "the loop does not take the connection");
	s->fd = fd;
	bufferevent_setcb(s->bev, stream_on_read, stream_on_write, stream_on_event, s);
	(void)bufferevent_set_max_single_write(s->bev, SINGLE_WRITE);
	bufferevent_setwatermark(s->bev, EV_WRITE, s->opts->low, 0);
	(void)bufferevent_enable(s->bev, EV_READ | EV_WRITE);
	return true;
}

static void
stream_on_dialed(void *arg, int fd, const char *peer, const struct err *err)
{
	struct stream *s = arg;
	struct err wrap_err = { 0 };

	s->dial = NULL;
	if (fd < 0) {
		stream_down(s, false, err);
		return;
	}
	snprintf(s->peer, sizeof(s->peer), "%s", peer);
	if (!stream_wrap(s, fd, &wrap_err)) {
		SSL_free(s->ssl);
		s->ssl = NULL;
		(void)evutil_closesocket(fd);
		stream_down(s, false, &wrap_err);
		return;
	}
	if (s->ssl == NULL) {
		stream_up(s);
		return;
	}
	stream_set_state(s, STREAM_HANDSHAKE);
	timer_set(s->env->timers, &s->timer, s->opts->dial.timeout_ms);
}

struct stream *
stream_open(const struct engine_env *env, const struct stream_opts *opts,
    const struct stream_user *user, void *arg)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	s->env = env;
	s->opts = opts;
	s->user = user;
	s->arg = arg;
	s->fd = -1;
	s->tls = opts->tls;
	if (s->tls != NULL) {
		(void)SSL_CTX_up_ref(s->tls);
		SSL_CTX_sess_set_new_cb(s->tls, stream_on_ticket);
	}
	timer_init(&s->timer, stream_on_timer, s);
	stream_set_state(s, STREAM_DIALING);
	s->dial = dial_start(env, &opts->dial, stream_on_dialed, s);
	return s;
}

static void
stream_free(void *arg)
{
	struct stream *s = arg;

	SSL_CTX_free(s->tls);
	free(s);
}

void
stream_close(struct stream *s)
{
	if (s == NULL)
		return;
	dial_cancel(s->dial);
	stream_set_state(s, STREAM_ENDED);
	if (s->bev != NULL) {
		bufferevent_setcb(s->bev, NULL, NULL, NULL, NULL);
		bufferevent_free(s->bev);
	}
	loop_defer_free(s->env->loop, stream_free, s);
}

/* ---- while up ------------------------------------------------------------------------------ */

void
stream_write(struct stream *s, const void *p, size_t n)
{
	BUG_IF(s->state != STREAM_UP);
	if (bufferevent_write(s->bev, p, n) != 0)
		BUG("a write of %zu bytes was not taken", n);
	s->written += n;
}

size_t
stream_pending(const struct stream *s)
{
	return evbuffer_get_length(bufferevent_get_output(s->bev));
}

/*
 * What the kernel has and the peer has not acknowledged is counted behind TLS,
 * so it is never less than the plain bytes in it: the difference is a safe
 * bound, and exact as soon as all is acknowledged. Plain bytes leave the output
 * buffer only when the record that holds them is written whole.
 */
uint64_t
stream_acknowledged(const struct stream *s)
{
	uint64_t sent = s->written - stream_pending(s);
	int unacknowledged = stream_unacknowledged(s);

	if (unacknowledged < 0 || (uint64_t)unacknowledged > sent)
		return 0;
	return sent - (uint64_t)unacknowledged;
}

/* Asks the socket itself: what the loop has not read yet may be the end. */
bool
stream_is_healthy(const struct stream *s)
{
	char c;

	if (s->state != STREAM_UP)
		return false;
	return recv(s->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}
