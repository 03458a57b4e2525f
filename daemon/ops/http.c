/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/ops/exposition.h"
#include "daemon/ops/guests.h"
#include "daemon/ops/host.h"
#include "daemon/ops/metrics.h"
#include "daemon/ops/page.h"
#include "daemon/ops/ready.h"
#include "daemon/ops/status.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"

#define HEADER_MOST  8192
#define FRESH_MS     1000
#define BODIES_MOST  12
#define BODY_MOST    STATUS_MOST
#define AGAIN_MS     5000 /* where the address cannot be listened on */
#define IDLE_SECONDS 60
#define WAITING_MOST 64

#define TEXT     "text/plain; charset=utf-8"
#define NOTHING "default-src 'none'; frame-ancestors 'none'"

/* One answer, shared by all to whom it is being sent. */
struct body {
	struct http *http;
	unsigned refs;
	int status;
	int64_t made; /* mono ms */
	struct buf text;
};

/* make: appends the body, returns the status. */
struct serving {
	const char *path, *type;
	bool is_page; /* with the policy of the page */
	int (*make)(struct http *h, struct buf *out);
};

static int make_page(struct http *h, struct buf *out);
static int make_metrics(struct http *h, struct buf *out);
static int make_alive(struct http *h, struct buf *out);
static int make_ready(struct http *h, struct buf *out);
static int make_status(struct http *h, struct buf *out);

static const struct serving served[] = {
	{ "/", "text/html; charset=utf-8", true, make_page },
	{ "/metrics", EXPOSITION_TYPE, false, make_metrics },
	{ "/healthz", TEXT, false, make_alive },
	{ "/readyz", TEXT, false, make_ready },
	{ "/status.json", "application/json", false, make_status },
};

struct http {
	struct engine *engine;
	const struct engine_env *env;
	struct settings *settings; /* NULL: not configured yet */
	struct evhttp *evhttp;     /* NULL: it listens nowhere */
	struct guests *guests;
	struct timer again;
	bool has_complained;
	struct buf policy; /* of the page */
	struct body *bodies[ARRAY_LEN(served)]; /* the last of each */
	unsigned nbodies;                       /* also those that are still being sent */
	bool is_freed; /* but for the bodies: libevent lets go of what it sends in a later turn */
};

/* ---- what is told ---------------------------------------------------------------- */

static int
make_page(struct http *h, struct buf *out)
{
	(void)h;
	buf_str(out, page_text());
	return HTTP_OK;
}

static int
make_metrics(struct http *h, struct buf *out)
{
	metrics_write(out, h->engine);
	return HTTP_OK;
}

/* That anything is answered says it: the loop runs. */
static int
make_alive(struct http *h, struct buf *out)
{
	(void)h;
	buf_puts(out, "alive\n");
	return HTTP_OK;
}

static int
make_ready(struct http *h, struct buf *out)
{
	if (!ready_is(h->engine, out))
		return HTTP_SERVUNAVAIL;
	buf_puts(out, "ready\n");
	return HTTP_OK;
}

static int
make_status(struct http *h, struct buf *out)
{
	status_write(out, h->engine);
	return HTTP_OK;
}

/* ---- answers that are kept a while ------------------------------------------------- */

static void
body_unref(struct body *b)
{
	struct http *h;

	if (b == NULL || --b->refs != 0)
		return;
	h = b->http;
	buf_release(&b->text);
	free(b);
	if (--h->nbodies == 0 && h->is_freed)
		free(h);
}

static void
on_sent(const void *data, size_t n, void *arg)
{
	(void)data;
	(void)n;
	body_unref(arg);
}

static struct body *
body_make(struct http *h, const struct serving *r)
{
	struct body *b = xcalloc(1, sizeof(*b));

	b->http = h;
	b->refs = 1;
	b->made = clock_mono(h->env->clock);
	buf_init(&b->text, BODY_MOST);
	b->status = r->make(h, &b->text);
	if (!buf_ok(&b->text))
		b->status = HTTP_INTERNAL;
	h->nbodies++;
	return b;
}

/* NULL: too many are still being sent to those who read slowly. */
static struct body *
body_of(struct http *h, const struct serving *r)
{
	struct body **last = &h->bodies[r - served];

	if (*last != NULL && clock_mono(h->env->clock) - (*last)->made < FRESH_MS)
		return *last;
	body_unref(*last);
	*last = h->nbodies < BODIES_MOST ? body_make(h, r) : NULL;
	return *last;
}

/* ---- answering -------------------------------------------------------------------------- */

static void
add_headers(struct evhttp_request *req, const char *type, const char *policy)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(req);

	evhttp_add_header(out, "Content-Type", type);
	evhttp_add_header(out, "Cache-Control", "no-store");
	evhttp_add_header(out, "Content-Security-Policy", policy);
	evhttp_add_header(out, "X-Content-Type-Options", "nosniff");
	evhttp_add_header(out, "X-Frame-Options", "DENY");
	evhttp_add_header(out, "Cross-Origin-Resource-Policy", "same-origin");
	evhttp_add_header(out, "Referrer-Policy", "no-referrer");
}

static void
refuse(struct evhttp_request *req, int status, const char *reason, const char *text)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(req);
	struct evbuffer *body = evbuffer_new();

	BUG_IF(body == NULL);
	add_headers(req, TEXT, NOTHING);
	evhttp_add_header(out, "Connection", "close");
	if (status == HTTP_BADMETHOD)
		evhttp_add_header(out, "Allow", "GET, HEAD");
	if (evhttp_request_get_command(req) != EVHTTP_REQ_HEAD)
		evbuffer_add(body, text, strlen(text));
	evhttp_send_reply(req, status, reason, body);
	evbuffer_free(body);
}

static void
answer(struct http *h, struct evhttp_request *req, const struct serving *r)
{
	struct body *b = body_of(h, r);
	struct evbuffer *out;
	char length[32];

	if (b == NULL) {
		refuse(req, HTTP_SERVUNAVAIL, "Busy", "too many read slowly; ask again in a moment\n");
		return;
	}
	out = evbuffer_new();
	BUG_IF(out == NULL);
	add_headers(req, r->type, r->is_page ? buf_peek(&h->policy).s : NOTHING);
	snprintf(length, sizeof(length), "%zu", b->text.n);
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Length", length);
	if (evhttp_request_get_command(req) != EVHTTP_REQ_HEAD) {
		b->refs++;
		if (evbuffer_add_reference(out, b->text.p, b->text.n, on_sent, b) != 0)
			body_unref(b);
	}
	evhttp_send_reply(req, b->status, NULL, out);
	evbuffer_free(out);
}

/* evhttp reads no body of a GET: what follows would be taken for the next request. */
static bool
has_body(struct evhttp_request *req)
{
	const struct evkeyvalq *in = evhttp_request_get_input_headers(req);
	const char *length = evhttp_find_header(in, "Content-Length");

	return evhttp_find_header(in, "Transfer-Encoding") != NULL
	    || (length != NULL && strcmp(length, "0") != 0);
}

static const struct serving *
served_at(struct evhttp_request *req)
{
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req));

	for (size_t i = 0; i < ARRAY_LEN(served); i++) {
		if (path != NULL && strcmp(path, served[i].path) == 0)
			return &served[i];
	}
	return NULL;
}

static void
on_request(struct evhttp_request *req, void *arg)
{
	struct http *h = arg;
	enum evhttp_cmd_type command = evhttp_request_get_command(req);
	struct str host = str_of(evhttp_request_get_host(req));
	const struct serving *r;

	guests_serve(h->guests, req);
	if (command != EVHTTP_REQ_GET && command != EVHTTP_REQ_HEAD) {
		refuse(req, HTTP_BADMETHOD, "Method Not Allowed", "GET and HEAD only\n");
	} else if (has_body(req)) {
		refuse(req, HTTP_ENTITYTOOLARGE, "No Body Wanted", "no body is wanted\n");
	} else if (host.n == 0) {
		refuse(req, HTTP_BADREQUEST, "No Host", "the request names no host\n");
	} else if (!host_is_ours(host, &h->settings->http_names)) {
		refuse(req, 421, "Misdirected Request",
		    "that is no name of this msspd; ask by address, or add it to http.names\n");
	} else {
		r = served_at(req);
		if (r == NULL)
			refuse(req, HTTP_NOTFOUND, "Not Found",
			    "there are /, /metrics, /healthz, /readyz and /status.json\n");
		else
			answer(h, req, r);
	}
}

/* ---- listening ------------------------------------------------------------------------------ */

static int
bind_socket(const char *listen, struct err *err)
{
	struct sockaddr_storage address;
	int n = sizeof(address), fd, on = 1;

	if (evutil_parse_sockaddr_port(listen, (struct sockaddr *)&address, &n) != 0) {
		err_set(err, ERR_CONF, "%s is no address", listen);
		return -1;
	}
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0
	    && bind(fd, (struct sockaddr *)&address, (socklen_t)n) == 0)
		return fd;
	err_sys(err, ERR_TEMP, errno, "http.listen %s", listen);
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool
start_listening(struct http *h, struct err *err)
{
	int fd = bind_socket(h->settings->http_listen, err);
	struct evconnlistener *l;

	if (fd < 0)
		return false;
	l = evconnlistener_new(h->env->base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, WAITING_MOST, fd);
	if (l == NULL) {
		err_sys(err, ERR_TEMP, errno, "http.listen %s", h->settings->http_listen);
		close(fd);
		return false;
	}
	h->evhttp = evhttp_new(h->env->base);
	BUG_IF(h->evhttp == NULL);
	evhttp_set_allowed_methods(h->evhttp, UINT16_MAX);
	evhttp_set_max_headers_size(h->evhttp, HEADER_MOST);
	evhttp_set_max_body_size(h->evhttp, 0);
	evhttp_set_timeout(h->evhttp, IDLE_SECONDS);
	evhttp_set_gencb(h->evhttp, on_request, h);
	h->guests = guests_new(h->env, h->evhttp, l);
	if (evhttp_bind_listener(h->evhttp, l) == NULL)
		BUG("out of memory");
	return true;
}

static void
stop_listening(struct http *h)
{
	timer_unset(h->env->timers, &h->again);
	if (h->evhttp != NULL)
		evhttp_free(h->evhttp);
	guests_free(h->guests);
	h->evhttp = NULL;
	h->guests = NULL;
}

static void
try_listening(struct http *h)
{
	struct err err;

	if (start_listening(h, &err)) {
		log_info(NULL, "metrics and status are served at http://%s/", h->settings->http_listen);
		h->has_complained = false;
		return;
	}
	if (!h->has_complained)
		log_error(NULL, "%s; alerts are not touched by that; tried again every %d s", err.text,
		    AGAIN_MS / 1000);
	h->has_complained = true;
	timer_set(h->env->timers, &h->again, AGAIN_MS);
}

static void
http_on_again(void *arg)
{
	try_listening(arg);
}

/* ---- life --------------------------------------------------------------------------------------- */

struct http *
http_new(struct engine *e)
{
	struct http *h = xcalloc(1, sizeof(*h));

	h->engine = e;
	h->env = engine_env(e);
	buf_init(&h->policy, 4096);
	page_policy(&h->policy);
	timer_init(&h->again, http_on_again, h);
	return h;
}

void
http_configure(struct http *h, const struct settings *s)
{
	const char *was = h->settings != NULL ? h->settings->http_listen : NULL;
	const char *now = s->http_listen;
	struct settings *old = h->settings;

	h->settings = settings_ref(s);
	if ((was == NULL) != (now == NULL) || (was != NULL && strcmp(was, now) != 0)) {
		stop_listening(h);
		h->has_complained = false;
		if (now != NULL)
			try_listening(h);
	}
	settings_unref(old);
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	stop_listening(h);
	for (size_t i = 0; i < ARRAY_LEN(served); i++)
		body_unref(h->bodies[i]);
	buf_release(&h->policy);
	settings_unref(h->settings);
	h->is_freed = true;
	if (h->nbodies == 0)
		free(h);
}
