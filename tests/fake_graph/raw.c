/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "lib/base/alloc.h"
#include "tests/fake_graph/raw.h"

#define CHUNK 65536

struct raw {
	struct raw_script script;
	struct evhttp_connection *connection;
	struct bufferevent *stream;
	struct event *timer;
	size_t sent;
	bool has_sent_tail, is_done;
	struct raw *next, **at;
};

static void
raw_free(struct raw *r)
{
	*r->at = r->next;
	if (r->next != NULL)
		r->next->at = r->at;
	event_free(r->timer);
	buf_release(&r->script.bytes);
	buf_release(&r->script.tail);
	free(r);
}

/* The connection is freed from the loop, never from within its own callbacks. */
static void
finish(struct raw *r)
{
	r->is_done = true;
	event_active(r->timer, EV_TIMEOUT, 0);
}

static void
close_connection(struct raw *r)
{
	struct evhttp_connection *connection = r->connection;
	struct linger linger = { 1, 0 };

	if (r->script.resets)
		setsockopt(
		    bufferevent_getfd(r->stream), SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	bufferevent_setcb(r->stream, NULL, NULL, NULL, NULL);
	raw_free(r);
	evhttp_connection_free(connection);
}

static void
send_fill(struct raw *r)
{
	static char spaces[CHUNK];
	size_t n = r->script.fill < CHUNK ? (size_t)r->script.fill : CHUNK;

	if (spaces[0] == '\0')
		memset(spaces, ' ', sizeof(spaces));
	r->script.fill -= n;
	bufferevent_write(r->stream, spaces, n);
}

/* The next piece, when the one before has left. */
static void
step(struct raw *r)
{
	struct buf *bytes = &r->script.bytes;
	size_t n = bytes->n - r->sent;
	struct timeval drip = { r->script.drip_ms / 1000, r->script.drip_ms % 1000 * 1000 };

	if (n > 0) {
		if (r->script.drip_ms > 0) {
			n = 1;
			event_add(r->timer, &drip);
		}
		bufferevent_write(r->stream, bytes->p + r->sent, n);
		r->sent += n;
	} else if (r->script.fill > 0) {
		send_fill(r);
	} else if (!r->has_sent_tail && r->script.tail.n > 0) {
		r->has_sent_tail = true;
		bufferevent_write(r->stream, r->script.tail.p, r->script.tail.n);
	} else if (!r->script.never_closes) {
		finish(r);
	}
}

static void
raw_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct raw *r = arg;

	(void)fd;
	(void)what;
	if (r->is_done)
		close_connection(r);
	else
		step(r);
}

static void
raw_on_drained(struct bufferevent *stream, void *arg)
{
	struct raw *r = arg;

	(void)stream;
	if (!r->is_done && !event_pending(r->timer, EV_TIMEOUT, NULL))
		step(r);
}

static void
raw_on_input(struct bufferevent *stream, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(stream);

	(void)arg;
	evbuffer_drain(in, evbuffer_get_length(in));
}

static void
raw_on_end(struct bufferevent *stream, short what, void *arg)
{
	(void)stream;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		finish(arg);
}

void
raw_start(struct raw_set *set, struct event_base *base, struct evhttp_request *req,
    struct raw_script *script)
{
	struct raw *r = xcalloc(1, sizeof(*r));

	r->script = *script;
	r->connection = evhttp_request_get_connection(req);
	r->stream = evhttp_connection_get_bufferevent(r->connection);
	r->timer = event_new(base, -1, 0, raw_on_timer, r);
	r->next = set->first;
	r->at = &set->first;
	if (r->next != NULL)
		r->next->at = &r->next;
	set->first = r;
	bufferevent_setcb(r->stream, raw_on_input, raw_on_drained, raw_on_end, r);
	bufferevent_set_timeouts(r->stream, NULL, NULL);
	bufferevent_enable(r->stream, EV_READ | EV_WRITE);
	step(r);
}

void
raw_set_release(struct raw_set *set)
{
	while (set->first != NULL)
		raw_free(set->first);
}
