#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "lib/base/alloc.h"
#include "tests/fake_graph/control.h"
#include "tests/fake_graph/reply.h"
#include "tests/fake_graph/server.h"

#define BACKLOG     4096
#define MAX_HEADERS 65536
#define MAX_BODY    (4u << 20)
#define TICK_MS     20
#define REPORT_SEC  10

/* ---- one request ---- */

static void
ask_unlink(struct ask *a)
{
	if (a->at == NULL)
		return;
	*a->at = a->next;
	if (a->next != NULL)
		a->next->at = a->at;
	a->at = NULL;
}

void
ask_done(struct ask *a)
{
	ask_unlink(a);
	if (a->timer != NULL)
		event_free(a->timer);
	free(a->path);
	free(a);
}

static void
ask_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct ask *a = arg;

	(void)fd;
	(void)what;
	ask_unlink(a);
	a->go_on(a);
}

void
ask_plan(struct ask *a, enum fault_scope scope, void (*go_on)(struct ask *a))
{
	struct server *s = a->server;
	struct timeval delay;

	faults_plan(&s->faults, a->tenant->index, scope, mono_ms() - s->start_ms, &a->plan);
	if (a->plan.latency_ms == 0) {
		go_on(a);
		return;
	}
	a->tenant->counters.faults++;
	a->go_on = go_on;
	a->next = s->asks;
	a->at = &s->asks;
	if (a->next != NULL)
		a->next->at = &a->next;
	s->asks = a;
	delay = (struct timeval){ a->plan.latency_ms / 1000, a->plan.latency_ms % 1000 * 1000 };
	a->timer = event_new(s->base, -1, 0, ask_on_timer, a);
	event_add(a->timer, &delay);
}

void
server_note_stray(struct server *s, const struct ask *a)
{
	const char *host = evhttp_request_get_host(a->req);
	char **slot = &s->strays[s->nstrays++ % MAX_STRAYS];

	free(*slot);
	*slot = xasprintf("%s %s", host != NULL ? host : "-", a->path);
	if (a->tenant != NULL)
		a->tenant->counters.bearer_elsewhere++;
}

/* A token at another name of this server, or at a path that is not the API's. */
static void
look_for_strays(struct ask *a, bool is_api)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(a->req);
	const char *value = evhttp_find_header(headers, "Authorization");
	const char *host = evhttp_find_header(headers, "Host");
	struct token_claims c;

	if (value == NULL || strncmp(value, "Bearer ", 7) != 0)
		return;
	if (is_api && host != NULL && strcmp(host, a->server->authority) == 0)
		return;
	if (token_read(str_of(value + 7), a->server->key, &c))
		a->tenant = world_find(&a->server->world, str_of(c.tid));
	server_note_stray(a->server, a);
	a->tenant = NULL;
}

/* "/{tenant}/oauth2/v2.0/token" */
static bool
is_token_path(struct str path, struct str *tenant)
{
	static const char end[] = "/oauth2/v2.0/token";
	size_t n = sizeof(end) - 1;

	if (path.n < n + 2 || memcmp(path.s + path.n - n, end, n) != 0)
		return false;
	*tenant = (struct str){ path.s + 1, path.n - n - 1 };
	return memchr(tenant->s, '/', tenant->n) == NULL;
}

static bool
is_api_path(struct str path)
{
	static const char *const roots[] = { "/v1.0/security/alerts_v2", "/security/alerts_v2" };

	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		size_t n = strlen(roots[i]);

		if (str_starts(path, roots[i]) && (path.n == n || path.s[n] == '/'))
			return true;
	}
	return false;
}

static void
route(struct ask *a)
{
	struct str path = str_of(a->path), tenant;
	bool is_api = is_api_path(path);

	look_for_strays(a, is_api);
	if (is_api)
		graph_ask(a);
	else if (is_token_path(path, &tenant))
		entra_ask(a, tenant);
	else if (str_starts(path, "/_control/") && a->server->opt->with_control)
		control_ask(a);
	else
		reply_graph_error(
		    a, 404, "ResourceNotFound", "Resource not found for the segment.");
}

static void
make_request_id(struct ask *a)
{
	uint64_t x = rng_next(&a->server->rng), y = rng_next(&a->server->rng);

	snprintf(a->request_id, sizeof(a->request_id), "%08x-%04x-4%03x-8%03x-%012llx",
	    (unsigned)(x >> 32), (unsigned)(x >> 16) & 0xffff, (unsigned)x & 0xfff,
	    (unsigned)(y >> 48) & 0xfff, (unsigned long long)y & 0xffffffffffffULL);
}

static void
server_on_request(struct evhttp_request *req, void *arg)
{
	struct ask *a = xcalloc(1, sizeof(*a));
	const char *uri = evhttp_request_get_uri(req), *question;
	const char *client_id =
	    evhttp_find_header(evhttp_request_get_input_headers(req), "client-request-id");

	a->server = arg;
	a->req = req;
	a->server->requests++;
	question = strchr(uri, '?');
	a->path = xstrndup(uri, question != NULL ? (size_t)(question - uri) : strlen(uri));
	a->query = str_of(question != NULL ? question + 1 : "");
	make_request_id(a);
	reply_header(a, "request-id", a->request_id);
	if (client_id != NULL)
		reply_header(a, "client-request-id", client_id);
	route(a);
}

/* ---- the listener ---- */

static struct bufferevent *
server_make_stream(struct event_base *base, void *arg)
{
	struct server *s = arg;
	struct bufferevent *stream = bufferevent_openssl_socket_new(
	    base, -1, SSL_new(s->tls), BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);

	if (stream != NULL)
		bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
	return stream;
}

static bool
load_tls(struct server *s, struct err *err)
{
	s->tls = SSL_CTX_new(TLS_server_method());
	if (s->tls == NULL)
		return err_set(err, ERR_CONF, "TLS: no context");
	SSL_CTX_set_min_proto_version(s->tls, TLS1_2_VERSION);
	SSL_CTX_set_mode(s->tls, SSL_MODE_RELEASE_BUFFERS);
	if (SSL_CTX_use_certificate_chain_file(s->tls, s->opt->tls_cert) != 1)
		return err_set(err, ERR_CONF, "--tls-cert %s: %s", s->opt->tls_cert,
		    ERR_reason_error_string(ERR_peek_last_error()));
	if (SSL_CTX_use_PrivateKey_file(s->tls, s->opt->tls_key, SSL_FILETYPE_PEM) != 1)
		return err_set(err, ERR_CONF, "--tls-key %s: %s", s->opt->tls_key,
		    ERR_reason_error_string(ERR_peek_last_error()));
	return true;
}

/* Out of file descriptors: the backlog holds the others for a moment. */
static void
server_on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	evconnlistener_enable(arg);
}

static void
server_on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct timeval moment = { 0, 100000 };
	struct server *s = arg;

	evconnlistener_disable(listener);
	event_base_once(s->base, -1, EV_TIMEOUT, server_on_accept_again, listener, &moment);
}

/* "127.0.0.1:8080", "[::1]:0", "localhost:0" */
static bool
resolve_listen(const char *text, struct sockaddr_storage *to, int *len, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE },
			*found = NULL;
	const char *colon = strrchr(text, ':');
	struct str host = { text, colon != NULL ? (size_t)(colon - text) : 0 };
	char *name;
	int wrong;

	if (colon == NULL)
		return err_set(err, ERR_CONF, "--listen %s: ADDR:PORT is wanted", text);
	if (host.n > 2 && host.s[0] == '[' && host.s[host.n - 1] == ']')
		host = (struct str){ host.s + 1, host.n - 2 };
	name = xstrndup(host.s, host.n);
	wrong = getaddrinfo(name[0] != '\0' ? name : NULL, colon + 1, &hints, &found);
	free(name);
	if (wrong != 0)
		return err_set(err, ERR_CONF, "--listen %s: %s", text, gai_strerror(wrong));
	memcpy(to, found->ai_addr, found->ai_addrlen);
	*len = (int)found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

/* What the address that was bound is called in URLs. */
static void
name_server(struct server *s, struct evconnlistener *listener)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	char text[INET6_ADDRSTRLEN] = "";
	const char *scheme_end;

	getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&at, &len);
	if (at.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)&at;

		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		s->port = ntohs(in6->sin6_port);
		s->authority = xasprintf("[%s]:%u", text, s->port);
	} else {
		const struct sockaddr_in *in = (const void *)&at;

		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		s->port = ntohs(in->sin_port);
		s->authority = xasprintf("%s:%u", text, s->port);
	}
	s->url = s->opt->public_url != NULL
	             ? xstrdup(s->opt->public_url)
	             : xasprintf("%s://%s", s->tls != NULL ? "https" : "http", s->authority);
	scheme_end = strstr(s->url, "://");
	if (s->opt->public_url == NULL || scheme_end == NULL)
		return;
	free(s->authority);
	s->authority = xstrdup(scheme_end + 3);
}

static void
server_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	world_catch_up(&s->world, wall_ms());
	story_go_on(&s->story, mono_ms());
	truth_flush(s->truth);
}

static void
server_on_report(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	fprintf(stderr,
	    "fake-graph: %zu tenants, %llu versions of alerts, %llu changes, %llu requests\n",
	    s->world.ntenants, (unsigned long long)s->world.versions,
	    (unsigned long long)s->story.nchanges, (unsigned long long)s->requests);
}

static void
server_on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	event_base_loopexit(s->base, NULL);
}

static void
make_timers(struct server *s)
{
	struct timeval tick = { 0, TICK_MS * 1000 }, report = { REPORT_SEC, 0 };

	s->tick = event_new(s->base, -1, EV_PERSIST, server_on_tick, s);
	event_add(s->tick, &tick);
	s->sigint = evsignal_new(s->base, SIGINT, server_on_signal, s);
	event_add(s->sigint, NULL);
	s->sigterm = evsignal_new(s->base, SIGTERM, server_on_signal, s);
	event_add(s->sigterm, NULL);
	if (s->opt->is_quiet)
		return;
	s->report = event_new(s->base, -1, EV_PERSIST, server_on_report, s);
	event_add(s->report, &report);
}

bool
server_listen(struct server *s, struct err *err)
{
	struct sockaddr_storage to;
	struct evconnlistener *listener;
	int len = 0;

	if (!resolve_listen(s->opt->listen, &to, &len, err))
		return false;
	listener = evconnlistener_new_bind(s->base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG,
	    (struct sockaddr *)&to, len);
	if (listener == NULL)
		return err_sys(err, ERR_CONF, errno, "--listen %s", s->opt->listen);
	if (evhttp_bind_listener(s->http, listener) == NULL) {
		evconnlistener_free(listener);
		return err_set(err, ERR_CONF, "--listen %s: no HTTP there", s->opt->listen);
	}
	evconnlistener_set_error_cb(listener, server_on_accept_error);
	name_server(s, listener);
	s->start_ms = mono_ms();
	make_timers(s);
	return true;
}

/* ---- start, run, end ---- */

static void
allow_many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* The name stands in mail addresses and JSON without escapes. */
static bool
name_is_sound(const char *name)
{
	return name[0] != '\0' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") ==
	           strlen(name);
}

static bool
add_tenants(struct server *s, struct err *err)
{
	const struct options *o = s->opt;
	char guid[48], name[32];

	for (size_t i = 0; i < o->nnamed; i++) {
		const char *colon = strchr(o->named[i], ':');

		if (colon == NULL || !name_is_sound(colon + 1) ||
		    !guid_parse((struct str){ o->named[i], (size_t)(colon - o->named[i]) }, guid))
			return err_set(
			    err, ERR_CONF, "--tenant %s: GUID:NAME is wanted", o->named[i]);
		world_add_tenant(&s->world, guid, colon + 1, rng_child((uint64_t)o->seed, i));
	}
	for (long long i = 1; o->nnamed == 0 && i <= o->ntenants; i++) {
		snprintf(guid, sizeof(guid), "00000000-0000-4000-8000-%012lld", i);
		snprintf(name, sizeof(name), "tenant%lld", i);
		world_add_tenant(&s->world, guid, name, rng_child((uint64_t)o->seed, (uint64_t)i));
	}
	return true;
}

bool
server_set_policy(struct server *s, const char *text, struct err *err)
{
	static const char *const pagings[] = { "skiptoken", "skip", "none" };
	static const char *const obeys[] = { "honour", "ignore", "refuse" };
	const char *colon = strchr(text, ':'), *equals = colon != NULL ? strchr(colon, '=') : NULL;
	struct str who, what;
	struct tenant *t;
	int value = -1;

	if (equals == NULL)
		return err_set(err, ERR_CONF, "--policy %s: TENANT:OPTION=VALUE is wanted", text);
	who = (struct str){ text, (size_t)(colon - text) };
	what = (struct str){ colon + 1, (size_t)(equals - colon) - 1 };
	for (int i = 0; i < 3; i++) {
		if (strcmp(equals + 1, str_is(what, "paging") ? pagings[i] : obeys[i]) == 0)
			value = i;
	}
	t = world_find(&s->world, who);
	if (value < 0 || (t == NULL && !str_is(who, "*")))
		return err_set(err, ERR_CONF, "--policy %s: no such tenant or value", text);
	for (size_t i = 0; i < s->world.ntenants; i++) {
		struct policy *p = &s->policies[i];

		if (t != NULL && t->index != i + 1)
			continue;
		if (str_is(what, "paging"))
			p->paging = (enum paging)value;
		else if (str_is(what, "orderby"))
			p->orderby = (enum obey)value;
		else if (str_is(what, "filter"))
			p->filter = (enum obey)value;
		else
			return err_set(err, ERR_CONF, "--policy %s: no such option", text);
	}
	return true;
}

static bool
set_policies(struct server *s, struct err *err)
{
	const struct options *o = s->opt;

	s->policies = xcalloc(s->world.ntenants, sizeof(*s->policies));
	for (size_t i = 0; i < s->world.ntenants; i++)
		s->policies[i] = (struct policy){ (enum paging)o->paging, (enum obey)o->orderby,
			(enum obey)o->filter, (unsigned)o->max_top };
	for (size_t i = 0; i < o->npolicies; i++) {
		if (!server_set_policy(s, o->policies[i], err))
			return false;
	}
	return true;
}

static bool
add_faults(struct server *s, struct err *err)
{
	faults_init(&s->faults, rng_child((uint64_t)s->opt->seed, 9));
	for (size_t i = 0; i < s->opt->nfaults; i++) {
		if (!faults_add(&s->faults, s->opt->faults[i], server_resolve_tenant, s, err))
			return false;
	}
	return true;
}

unsigned
server_resolve_tenant(struct str who, void *arg)
{
	struct server *s = arg;
	struct tenant *t = world_find(&s->world, who);

	return t != NULL ? t->index : 0;
}

static void
make_listener(struct server *s)
{
	s->http = evhttp_new(s->base);
	evhttp_set_gencb(s->http, server_on_request, s);
	evhttp_set_timeout(s->http, (int)s->opt->keepalive);
	evhttp_set_max_headers_size(s->http, MAX_HEADERS);
	evhttp_set_max_body_size(s->http, MAX_BODY);
	evhttp_set_default_content_type(s->http, NULL);
	if (s->tls != NULL)
		evhttp_set_bevcb(s->http, server_make_stream, s);
}

bool
server_init(struct server *s, const struct options *opt, struct err *err)
{
	*s = (struct server){ .opt = opt, .rng = { rng_child((uint64_t)opt->seed, 11) } };
	signal(SIGPIPE, SIG_IGN);
	allow_many_files();
	for (size_t i = 0; i < sizeof(s->key); i++)
		s->key[i] = (unsigned char)rng_below(&s->rng, 256);
	world_init(&s->world, opt->corpus == CORPUS_BENCH);
	if (!add_tenants(s, err) || !set_policies(s, err) || !add_faults(s, err))
		return false;
	if (opt->tls_cert != NULL && !load_tls(s, err))
		return false;
	s->truth = truth_open(opt->truth, err);
	if (s->truth == NULL)
		return false;
	s->world.listener = truth_listen;
	s->world.listener_arg = s->truth;
	s->gzip = gzip_cache_new((size_t)opt->gzip_cache << 20, (int)opt->gzip_level);
	s->base = event_base_new();
	make_listener(s);
	story_init(&s->story, &s->world, opt);
	return true;
}

void
server_run(struct server *s)
{
	event_base_dispatch(s->base);
	world_catch_up(&s->world, wall_ms());
}

static void
free_event(struct event *e)
{
	if (e != NULL)
		event_free(e);
}

void
server_release(struct server *s)
{
	while (s->asks != NULL)
		ask_done(s->asks);
	raw_set_release(&s->raws);
	free_event(s->tick);
	free_event(s->report);
	free_event(s->sigint);
	free_event(s->sigterm);
	if (s->http != NULL)
		evhttp_free(s->http);
	if (s->base != NULL)
		event_base_free(s->base);
	SSL_CTX_free(s->tls);
	truth_close(s->truth);
	gzip_cache_free(s->gzip);
	faults_release(&s->faults);
	world_release(&s->world);
	for (size_t i = 0; i < MAX_STRAYS; i++)
		free(s->strays[i]);
	free(s->policies);
	free(s->url);
	free(s->authority);
}
