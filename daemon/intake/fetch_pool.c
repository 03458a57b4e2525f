/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/fetch_pool.h"

#include <event2/event.h>

#include "lib/base/alloc.h"

/*
 * As many as intake can be told to have in flight. curl counts busy ones too when
 * it decides whether one may stay open, so the number to keep is the same: with
 * less, every request of a busy time would pay for a TLS handshake. Idle ones end
 * by age.
 */
#define MAX_CONNECTIONS 1024

struct fetch_pool {
	struct event_base *base;
	fetch_pool_done *done;
	void *arg;
	CURLM *multi;
	struct event *timer;
	size_t n;
	bool is_in_curl, keeps_done;
};

struct watched {
	struct event *event;
};

/* A callback of a finished handle may take others out, so each turn asks curl anew. */
static void
report_done(struct fetch_pool *p)
{
	CURLMsg *msg;
	CURLcode result;
	CURL *easy;
	int left;

	for (msg = curl_multi_info_read(p->multi, &left); msg != NULL;
	     msg = curl_multi_info_read(p->multi, &left)) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		easy = msg->easy_handle;
		result = msg->data.result;
		if (!p->keeps_done)
			fetch_pool_remove(p, easy);
		p->done(p->arg, easy, result);
	}
}

static void
advance(struct fetch_pool *p, curl_socket_t fd, int what)
{
	int running;

	p->is_in_curl = true;
	(void)curl_multi_socket_action(p->multi, fd, what, &running);
	p->is_in_curl = false;
	report_done(p);
}

static void
pool_on_io(evutil_socket_t fd, short what, void *arg)
{
	advance(arg, fd,
	    (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void
pool_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	advance(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void
unwatch(struct fetch_pool *p, curl_socket_t fd, struct watched *w)
{
	if (w == NULL)
		return;
	event_free(w->event);
	free(w);
	(void)curl_multi_assign(p->multi, fd, NULL);
}

/* curl wants to know when fd is ready for what (CURL_POLL_*). */
static int
pool_on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *watched)
{
	struct fetch_pool *p = arg;
	struct watched *w = watched;
	short events = (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) |
			       (what & CURL_POLL_OUT ? EV_WRITE : 0));

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		unwatch(p, fd, w);
		return 0;
	}
	if (w == NULL) {
		w = xcalloc(1, sizeof(*w));
		(void)curl_multi_assign(p->multi, fd, w);
	} else {
		event_free(w->event);
	}
	w->event = event_new(p->base, fd, events, pool_on_io, p);
	if (w->event == NULL || event_add(w->event, NULL) != 0)
		BUG("no event for socket %d", fd);
	return 0;
}

/* curl wants to be called after ms; never from here, where it is in the middle of things. */
static int
pool_on_timeout(CURLM *multi, long ms, void *arg)
{
	struct fetch_pool *p = arg;
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)multi;
	if (ms < 0)
		(void)evtimer_del(p->timer);
	else if (evtimer_add(p->timer, &tv) != 0)
		BUG("no timer for curl");
	return 0;
}

static void
set_up(struct fetch_pool *p)
{
	CURLM *m = p->multi;

	(void)curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, pool_on_socket);
	(void)curl_multi_setopt(m, CURLMOPT_SOCKETDATA, p);
	(void)curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, pool_on_timeout);
	(void)curl_multi_setopt(m, CURLMOPT_TIMERDATA, p);
	(void)curl_multi_setopt(m, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)MAX_CONNECTIONS);
	(void)curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)MAX_CONNECTIONS);
	/*
	 * HTTP/2, but one request at a time on a connection: multiplexed, a connection
	 * that stalls or is reset would take dozens of tenants with it.
	 */
	(void)curl_multi_setopt(m, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
}

struct fetch_pool *
fetch_pool_new(struct event_base *base, fetch_pool_done *done, void *arg)
{
	struct fetch_pool *p = xcalloc(1, sizeof(*p));

	*p = (struct fetch_pool){ .base = base, .done = done, .arg = arg };
	p->timer = evtimer_new(base, pool_on_timer, p);
	p->multi = curl_multi_init();
	BUG_IF(p->timer == NULL || p->multi == NULL);
	set_up(p);
	return p;
}

void
fetch_pool_free(struct fetch_pool *p)
{
	if (p == NULL)
		return;
	BUG_IF(p->n != 0 || p->is_in_curl);
	(void)curl_multi_cleanup(p->multi);
	event_free(p->timer);
	free(p);
}

void
fetch_pool_keep_done(struct fetch_pool *p)
{
	p->keeps_done = true;
}

bool
fetch_pool_add(struct fetch_pool *p, CURL *easy)
{
	if (curl_multi_add_handle(p->multi, easy) != CURLM_OK)
		return false;
	p->n++;
	return true;
}

void
fetch_pool_remove(struct fetch_pool *p, CURL *easy)
{
	CURLMcode rc = curl_multi_remove_handle(p->multi, easy);

	if (rc != CURLM_OK)
		BUG("curl_multi_remove_handle: %s", curl_multi_strerror(rc));
	p->n--;
}

bool
fetch_pool_is_in_curl(const struct fetch_pool *p)
{
	return p->is_in_curl;
}

size_t
fetch_pool_count(const struct fetch_pool *p)
{
	return p->n;
}
