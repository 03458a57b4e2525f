/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <openssl/ssl.h>

#include "lib/base/alloc.h"
#include "tests/fake_graph/control.h"
#include "tests/fake_graph/reply.h"
#include "tests/fake_graph/server.h"

#define TICK_MS    20
#define REPORT_SEC 10

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
	plan_release(&a->plan);
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
	static const char *const roots[] = { "/v1.0/security/alerts_v2", "/security/alerts_v2",
		"/v1.0/security/incidents", "/mde/api/alerts" };

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
	if (is_api && str_starts(path, "/mde/"))
		mde_ask(a);
	else if (is_api)
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

void
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

/* ---- start, run, end ---- */

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

static void
allow_many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
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
	if (!server_set_up(s, err) || (opt->tls_cert != NULL && !server_load_tls(s, err)))
		return false;
	s->truth = truth_open(opt->truth, err);
	if (s->truth == NULL)
		return false;
	s->world.listener = truth_listen;
	s->world.listener_arg = s->truth;
	s->gzip = gzip_cache_new((size_t)opt->gzip_cache << 20, (int)opt->gzip_level);
	s->base = event_base_new();
	server_make_http(s);
	story_init(&s->story, &s->world, opt);
	return true;
}

bool
server_listen(struct server *s, struct err *err)
{
	if (!server_bind(s, err))
		return false;
	s->start_ms = mono_ms();
	make_timers(s);
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
	assertions_release(&s->assertions);
	world_release(&s->world);
	for (size_t i = 0; i < MAX_STRAYS; i++)
		free(s->strays[i]);
	free(s->policies);
	free(s->url);
	free(s->authority);
}
