/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <event2/http.h>

#include "lib/base/alloc.h"
#include "tests/fake_graph/page.h"
#include "tests/fake_graph/reply.h"
#include "tests/fake_graph/server.h"

/* Graph: GET /v1.0/security/alerts_v2, …/incidents, and one of them by its id. */

#define MAX_PAGE  (512u << 20)
#define MAX_LINK  65536
#define MINUTE_MS 60000
#define INCIDENTS_MOST 50 /* $top */

static bool
is_for_incidents(const struct ask *a)
{
	return strstr(a->path, "/incidents") != NULL;
}

/* The list that is asked for. */
static struct tenant *
list_of(const struct ask *a)
{
	return is_for_incidents(a) ? a->tenant->incidents : a->tenant;
}

static const char *
header(const struct ask *a, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(a->req), name);
}

bool
ask_authenticate(struct ask *a, struct token_claims *c)
{
	const char *value = header(a, "Authorization");

	if (value == NULL || strncmp(value, "Bearer ", 7) != 0) {
		reply_unauthorized(a, "Access token is empty.", false);
		return false;
	}
	if (!token_read(str_of(value + 7), a->server->key, c)) {
		reply_unauthorized(a, "IDX14100: JWT is not well formed.", false);
		return false;
	}
	a->tenant = world_find(&a->server->world, str_of(c->tid));
	if (a->tenant == NULL || c->expires <= wall_ms() / 1000) {
		reply_unauthorized(a, "Lifetime validation failed, the token is expired.", false);
		return false;
	}
	return true;
}

static void
note_poll(struct counters *c)
{
	int64_t now = mono_ms();
	uint64_t n = c->npolls++;

	/* Doubles while it grows: powers of two from 16 on. */
	if (n < POLL_TIMES && (n == 0 || (n >= 16 && (n & (n - 1)) == 0)))
		c->poll_ms = xreallocarray(c->poll_ms, n < 16 ? 16 : n * 2, sizeof(int64_t));
	c->poll_ms[n % POLL_TIMES] = now;
	c->last_ms = now;
	if (n == 0)
		c->first_ms = now;
}

/* Seconds to wait, or 0. */
static int64_t
over_limit(struct server *s, struct tenant *t)
{
	int64_t now = mono_ms();

	if (s->opt->per_minute == 0)
		return 0;
	if (now - t->minute_ms >= MINUTE_MS) {
		t->minute_ms = now;
		t->in_minute = 0;
	}
	if (++t->in_minute <= s->opt->per_minute)
		return 0;
	t->counters.limited++;
	return (MINUTE_MS - (now - t->minute_ms)) / 1000 + 1;
}

/* A nextLink that no client should follow with its token. */
static void
put_foreign_link(struct buf *b, const struct ask *a, const char *way)
{
	const struct server *s = a->server;
	const char *scheme = s->tls != NULL ? "https" : "http";

	if (strcmp(way, "path") == 0)
		buf_printf(b, "%s/v1.0/users?$top=1", s->url);
	else if (strcmp(way, "scheme") == 0)
		buf_printf(b, "%s://%s%s?", s->tls != NULL ? "http" : "ftp", s->authority, a->path);
	else if (strcmp(way, "user") == 0)
		buf_printf(b, "%s://%s@localhost:%u%s?", scheme, s->authority, s->port, a->path);
	else if (strcmp(way, "relative") == 0)
		buf_puts(b, "//localhost/v1.0/security/alerts_v2?$skiptoken=x");
	else if (strstr(way, "://") != NULL)
		buf_puts(b, way);
	else
		buf_printf(b, "%s://localhost:%u%s?$skiptoken=v1_0_0", scheme, s->port, a->path);
}

void
ask_bend(struct bend *bend, struct buf *link, struct buf *tenant_id, const struct ask *a)
{
	const struct fault_plan *plan = &a->plan;
	const struct world *w = &a->server->world;
	const struct fault *foreign = plan_bend(plan, FX_FOREIGN_NEXT);
	const struct fault *fat = plan_bend(plan, FX_FAT);

	*bend = (struct bend){ 0 };
	if (foreign != NULL)
		put_foreign_link(link, a, foreign->arg != NULL ? foreign->arg : "host");
	else if (plan_bend(plan, FX_SAME_NEXT) != NULL)
		buf_printf(link, "%s%s?%.*s", a->server->url, a->path, STR_ARG(a->query));
	bend->next = link->n > 0 ? link->p : NULL;
	bend->is_empty = plan_bend(plan, FX_EMPTY_NEXT) != NULL;
	bend->only_first = plan_bend(plan, FX_FOREIGN_ALERT) != NULL;
	if (plan_bend(plan, FX_NULL_TENANT) != NULL)
		buf_puts(tenant_id, "null");
	else if (bend->only_first || plan_bend(plan, FX_WRONG_TENANT) != NULL)
		buf_printf(tenant_id, "\"%s\"",
		    w->ntenants > 1 ? w->tenants[a->tenant->index % w->ntenants].guid
				    : "99999999-9999-4999-8999-999999999999");
	bend->tenant_id = tenant_id->n > 0 ? tenant_id->p : NULL;
	bend->fat = fat != NULL ? (size_t)fault_number(fat, 100) * 1024 : 0;
}

static uint64_t
mix_in(uint64_t h, uint64_t v)
{
	return rng_mix(h ^ v) + UINT64_C(0x9e3779b97f4a7c15);
}

/* What a page says follows from these; 0 for one that a fault has changed. */
static uint64_t
page_key(const struct page *p, const struct page_view *view, const struct ask *a)
{
	uint64_t h = str_hash(view->query.s, view->query.n);

	if (a->plan.nbends != 0)
		return 0;
	h = mix_in(h, a->tenant->index);
	h = mix_in(h, str_hash(view->path, strlen(view->path)));
	h = mix_in(h, (uint64_t)p->total << 2 | (uint64_t)p->has_more << 1 | view->has_newer_enums);
	for (size_t i = 0; i < p->n; i++)
		h = mix_in(h, p->v[i]->serial);
	return h | 1;
}

static bool
accepts_gzip(const struct ask *a)
{
	const char *accepts = header(a, "Accept-Encoding");

	return a->server->opt->page_gzip && accepts != NULL && strstr(accepts, "gzip") != NULL;
}

static void
send_page(struct ask *a, const struct page *p, const struct query *q, const struct page_view *view)
{
	struct gzip_cache *cache = a->server->gzip;
	struct buf body = BUF_INIT(MAX_PAGE), packed = BUF_INIT(MAX_PAGE);
	bool wants_gzip = accepts_gzip(a);
	uint64_t key = wants_gzip ? page_key(p, view, a) : 0;
	struct str out = gzip_cached(cache, key);

	a->tenant->counters.pages++;
	if (out.n == 0) {
		page_render(&body, p, q, view);
		out = buf_peek(&body);
		if (wants_gzip && gzip_page(cache, key, out, &packed))
			out = buf_peek(&packed);
	}
	if (out.s != body.p)
		reply_header(a, "Content-Encoding", "gzip");
	reply_header(a, "Vary", "Accept-Encoding");
	reply_json(a, 200, out);
	buf_release(&body);
	buf_release(&packed);
}

/* The first change that applies to it. */
static void
change_it(struct story *s, struct alert *alert)
{
	static const enum change some[] = { CHANGE_EVIDENCE, CHANGE_COMMENT, CHANGE_ASSIGNED,
		CHANGE_RESOLVED, CHANGE_REOPENED, CHANGE_TOUCHED };
	size_t first = alert->nversions % ARRAY_LEN(some);

	for (size_t i = 0; i < ARRAY_LEN(some) && !alert->is_fixed; i++) {
		if (story_do(s, alert, some[(first + i) % ARRAY_LEN(some)]))
			return;
	}
}

static void
answer_query(struct ask *a, const struct query *q)
{
	const struct server *s = a->server;
	const char *prefer = header(a, "Prefer");
	struct buf link = BUF_INIT(MAX_LINK), tenant_id = BUF_INIT(64);
	struct story *story = &a->server->story;
	struct alert *border = NULL;
	struct bend bend;
	struct page page;
	struct page_view view = {
		.url = s->url,
		.path = a->path,
		.query = a->query,
		.list = is_for_incidents(a) ? "incidents" : "alerts_v2",
		.paging = s->policies[a->tenant->index - 1].paging,
		.has_newer_enums =
		    prefer != NULL && strstr(prefer, "include-unknown-enum-members") != NULL,
		.is_bench = s->world.is_bench,
		.link_first = a->tenant->index % 2 == 1,
		.bend = &bend,
	};

	ask_bend(&bend, &link, &tenant_id, a);
	if (view.has_newer_enums)
		reply_header(a, "Preference-Applied", "include-unknown-enum-members");
	page_select(&page, list_of(a), q);
	if (page.n > 0 && plan_bend(&a->plan, FX_BORDER) != NULL)
		border = page.v[page.n - 1]->alert;
	send_page(a, &page, q, &view); /* then a is gone */
	if (border != NULL)
		change_it(story, border);
	page_release(&page);
	buf_release(&link);
	buf_release(&tenant_id);
}

static void
answer_one(struct ask *a, const char *id)
{
	struct alert *alert = world_alert(list_of(a), str_of(id));

	if (alert == NULL || alert->shown == NULL)
		reply_graph_error(a, 404, "ResourceNotFound", "The alert was not found.");
	else
		reply_json(a, 200, (struct str){ alert->shown->body, alert->shown->len });
}

/* What stands behind the list's name; NULL: nothing. */
static const char *
id_of(const struct ask *a)
{
	static const char *const lists[] = { "/alerts_v2/", "/incidents/" };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const char *at = strstr(a->path, lists[i]);

		if (at != NULL)
			return at + strlen(lists[i]);
	}
	return NULL;
}

/* Incidents come in smaller pages, and a larger one is an error, not cut. */
static bool
top_is_allowed(const struct ask *a, struct query *q, struct err *err)
{
	if (!is_for_incidents(a))
		return true;
	if (!q->has_top)
		q->top = INCIDENTS_MOST;
	return q->top <= INCIDENTS_MOST ||
	       err_set(err, ERR_PERM,
		   "The limit of '%d' for Top query has been exceeded. The value from the "
		   "incoming request is '%u'.",
		   INCIDENTS_MOST, q->top);
}

static bool
may_read(const struct ask *a, const struct token_claims *c)
{
	return is_for_incidents(a) ? c->may_read_incidents : c->has_role;
}

static void
graph_go_on(struct ask *a)
{
	struct err err = { 0 };
	struct query q;
	const char *id = id_of(a);
	int64_t wait;

	world_catch_up(&a->server->world, wall_ms());
	if (a->plan.answer != NULL) {
		reply_fault(a, FAULT_GRAPH);
		return;
	}
	wait = over_limit(a->server, a->tenant);
	if (wait > 0) {
		char text[24];

		snprintf(text, sizeof(text), "%lld", (long long)wait);
		reply_header(a, "Retry-After", text);
		reply_graph_error(a, 429, "TooManyRequests", "Too many requests.");
		return;
	}
	if (id != NULL) {
		answer_one(a, id);
		return;
	}
	/* The $skip limit comes with an empty code, as seen on a sibling. */
	if (query_parse(&q, a->query, &a->server->policies[a->tenant->index - 1], &err) &&
	    top_is_allowed(a, &q, &err))
		answer_query(a, &q);
	else
		reply_graph_error(a, 400, err.kind == ERR_TEMP ? "" : "BadRequest", err.text);
	query_release(&q);
}

void
graph_ask(struct ask *a)
{
	struct token_claims c;

	if (!ask_authenticate(a, &c))
		return;
	a->tenant->counters.requests++;
	note_poll(&a->tenant->counters);
	if (evhttp_request_get_command(a->req) != EVHTTP_REQ_GET)
		reply_graph_error(a, 405, "MethodNotAllowed", "The method is not allowed.");
	else if (c.is_mde)
		reply_unauthorized(a, "Invalid audience.", false);
	else if (!may_read(a, &c))
		reply_graph_error(a, 403, "Forbidden",
		    is_for_incidents(a)
			? "Missing application roles. API required roles: "
			  "SecurityIncident.Read.All,SecurityIncident.ReadWrite.All, "
			  "application roles: ."
			: "Missing application roles. API required roles: "
			  "SecurityAlert.Read.All,SecurityAlert.ReadWrite.All, "
			  "application roles: .");
	else
		ask_plan(a, FAULT_GRAPH, graph_go_on);
}
