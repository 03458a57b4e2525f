/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/guests.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"

#define LOOK_MS 1000
#define FULL_MS 50 /* while others wait for a place */

/*
 * evhttp makes a connection's bufferevent by a function of ours, so that each begin of one is
 * seen. Its end is not told; but a bufferevent that evhttp has freed, and to which we have a
 * reference, has no callbacks any more.
 */
struct guest {
	struct bufferevent *bev;
	int64_t since; /* mono ms: connected, or was served last */
};

struct guests {
	const struct engine_env *env;
	struct evconnlistener *listener;
	struct timer look;
	struct guest all[GUESTS_MOST];
	size_t n;
};

static bool
is_gone(const struct guest *g)
{
	bufferevent_event_cb on_event;

	bufferevent_getcb(g->bev, NULL, NULL, &on_event, NULL);
	return on_event == NULL;
}

/* evhttp notices, and cleans up as after any end. */
static void
show_the_door(const struct guest *g)
{
	int fd = bufferevent_getfd(g->bev);

	if (fd >= 0)
		(void)shutdown(fd, SHUT_RDWR);
}

static void
look(struct guests *gs)
{
	int64_t now = clock_mono(gs->env->clock);
	size_t kept = 0;

	for (size_t i = 0; i < gs->n; i++) {
		struct guest g = gs->all[i];

		if (is_gone(&g)) {
			bufferevent_decref(g.bev);
			continue;
		}
		if (now - g.since >= GUESTS_PATIENCE_MS)
			show_the_door(&g);
		gs->all[kept++] = g;
	}
	gs->n = kept;
	if (gs->n < GUESTS_MOST)
		(void)evconnlistener_enable(gs->listener);
}

/*
 * Out of descriptors, most likely: whoever waits would wake us again at once, for ever. The next
 * look listens again. (libevent calls this with what evhttp gave it, so there is no guests here.)
 */
static void
guests_on_accept_error(struct evconnlistener *l, void *arg)
{
	int errnum = EVUTIL_SOCKET_ERROR();

	(void)arg;
	evconnlistener_disable(l);
	log_warn(NULL, "http.listen cannot take a client: %s; tried again every %d s", strerror(errnum),
	    LOOK_MS / 1000);
}

static void
guests_on_look(void *arg)
{
	struct guests *gs = arg;

	look(gs);
	timer_set(gs->env->timers, &gs->look, gs->n == GUESTS_MOST ? FULL_MS : LOOK_MS);
}

/*
 * When the last place is taken nobody more is accepted: only a libevent that goes on with those
 * who wait already (before 2.1.9) comes here then, and such a guest has evhttp's own patience.
 */
static struct bufferevent *
guests_on_accept(struct event_base *base, void *arg)
{
	struct guests *gs = arg;
	struct bufferevent *bev;

	if (gs->n == GUESTS_MOST)
		return NULL; /* evhttp makes one */
	bev = bufferevent_socket_new(base, -1, 0);
	BUG_IF(bev == NULL);
	bufferevent_incref(bev);
	if (gs->n == GUESTS_MOST - 1)
		look(gs); /* makes room; not after this one came, which has no callbacks yet */
	gs->all[gs->n++] = (struct guest) { bev, clock_mono(gs->env->clock) };
	if (gs->n == GUESTS_MOST) {
		(void)evconnlistener_disable(gs->listener);
		timer_set(gs->env->timers, &gs->look, FULL_MS);
	}
	return bev;
}

void
guests_serve(struct guests *gs, struct evhttp_request *req)
{
	const struct bufferevent *bev =
	    evhttp_connection_get_bufferevent(evhttp_request_get_connection(req));

	for (size_t i = 0; i < gs->n; i++) {
		if (gs->all[i].bev == bev)
			gs->all[i].since = clock_mono(gs->env->clock);
	}
}

struct guests *
guests_new(const struct engine_env *env, struct evhttp *http, struct evconnlistener *l)
{
	struct guests *gs = xcalloc(1, sizeof(*gs));

	gs->env = env;
	gs->listener = l;
	timer_init(&gs->look, guests_on_look, gs);
	timer_set(env->timers, &gs->look, LOOK_MS);
	evhttp_set_bevcb(http, guests_on_accept, gs);
	evconnlistener_set_error_cb(l, guests_on_accept_error);
	return gs;
}

void
guests_free(struct guests *gs)
{
	if (gs == NULL)
		return;
	timer_unset(gs->env->timers, &gs->look);
	for (size_t i = 0; i < gs->n; i++)
		bufferevent_decref(gs->all[i].bev);
	free(gs);
}
