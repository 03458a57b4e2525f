/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "daemon/delivery/sink.h"
#include "daemon/intake/streams.h"
#include "daemon/settings_build.h"
#include "lib/base/alloc.h"
#include "lib/config/url.h"

/* ---- names to pointers -------------------------------------------------------------- */

static const struct app *
app_of(struct build *b, const struct tenant_draft *t)
{
	const struct node *own = node_get(t->d.node, "app");
	const char *name = t->app != NULL ? t->app : b->w->defaults.app;
	struct draft *d;

	if (name == NULL) {
		if (own == NULL)
			conf_error_key(&b->conf, t->d.node, "app",
			    "is missing; name an app here or in "
			    "defaults");
		return NULL;
	}
	/* One in defaults that does not exist is reported there, not at every tenant. */
	d = own != NULL ? settings_refer(b, &b->apps, name, own) : settings_find(&b->apps, name);
	if (d == NULL)
		return NULL;
	d->is_used = true;
	return &b->w->s.apps[(struct app_draft *)d - (struct app_draft *)b->apps.v];
}

/* A name for two different customers would mix them in every sink that tells
 * customers apart by name. */
static void
check_own_customer(struct build *b, const struct tenant_draft *t)
{
	if (settings_find(&b->customers, t->d.name) != NULL)
		conf_error_key(&b->conf, t->d.node, NULL,
		    "has no customer, yet there is a customer of "
		    "the same name; write customer: %s, or rename one of them",
		    t->d.name);
}

static const struct customer *
customer_of(struct build *b, const struct tenant_draft *t)
{
	struct draft *d;

	if (t->customer == NULL) {
		check_own_customer(b, t);
		return NULL;
	}
	d = settings_refer(b, &b->customers, t->customer, node_get(t->d.node, "customer"));
	if (d == NULL)
		return NULL;
	d->is_used = true;
	return &b->w->s.customers[(struct customer_draft *)d -
				  (struct customer_draft *)b->customers.v];
}

/* ---- what is made of a tenant ---------------------------------------------------------- */

/* "global/<guid>": never a name that an operator may change. The journal finds a
 * tenant's places by it for ever. */
static char *
tenant_key(struct build *b, const struct tenant *t)
{
	struct buf key = BUF_INIT(600);
	struct err err;
	struct url u;
	char *text;

	buf_puts(&key, cloud_names[t->app->cloud]);
	if (t->app->cloud == CLOUD_CUSTOM) {
		BUG_IF(!url_split(str_of(t->app->graph_url), &u, &err));
		buf_byte(&key, ':');
		for (size_t i = 0; i < u.host.n; i++)
			buf_byte(&key, u.host.s[i] >= 'A' && u.host.s[i] <= 'Z'
					   ? (char)(u.host.s[i] + 32)
					   : u.host.s[i]);
		buf_printf(&key, ":%u", u.port);
	}
	buf_printf(&key, "/%s", t->id);
	text = arena_strdup(&b->w->arena, key.p);
	buf_release(&key);
	return text;
}

static struct origin *
make_origin(struct build *b, const struct tenant *t, const struct stream_kind *kind)
{
	const struct customer *c = t->customer;
	struct origin *o;
	struct err err;
	struct url u;
	char *host;

	BUG_IF(!url_split(str_of(t->app->portal_url), &u, &err));
	host = xstrndup(u.host.s, u.host.n);
	o = origin_new(&(struct origin){
	    .tenant_id = t->id,
	    .tenant = t->name,
	    .customer = c != NULL ? c->name : t->name,
	    .customer_name = c != NULL ? c->display_name : t->name,
	    .cloud = (char *)cloud_names[t->app->cloud],
	    .portal_host = host,
	    .stream = (char *)(uintptr_t)kind->name,
	    .instance = b->w->s.instance != NULL ? b->w->s.instance : (char *)"",
	    .labels = c != NULL ? c->labels : NULL,
	    .nlabels = c != NULL ? c->nlabels : 0,
	    .time_zone = c != NULL ? c->time_zone : NULL,
	    .contacts = c != NULL ? c->contacts : NULL,
	    .ncontacts = c != NULL ? c->ncontacts : 0,
	});
	free(host);
	return o;
}

static bool
is_chosen(const struct tenant_draft *d, const char *stream)
{
	for (size_t i = 0; i < d->streams.n; i++) {
		if (strcmp(d->streams.v[i], stream) == 0)
			return true;
	}
	return false;
}

static struct tenant_stream
make_stream(struct build *b, const struct tenant *t, const struct stream_kind *kind)
{
	struct arena *a = &b->w->arena;
	bool is_plain = kind == &stream_kinds[STREAM_ALERTS];
	char *name = xasprintf("%s/%s", t->name, kind->name);
	char *key = xasprintf("%s/%s", t->key, stream_kinds[kind->memory].name);
	struct tenant_stream s = { .log = { "tenant", is_plain ? t->name : arena_strdup(a, name) },
		.kind = kind,
		.key = arena_strdup(a, key),
		.origin = make_origin(b, t, &stream_kinds[kind->memory]) };

	free(name);
	free(key);
	return s;
}

static void
link_streams(struct build *b, const struct tenant_draft *d, struct tenant *t)
{
	t->key = tenant_key(b, t);
	t->streams = arena_alloc(&b->w->arena, STREAM_COUNT * sizeof(*t->streams));
	for (int i = 0; i < STREAM_COUNT; i++) {
		if (!is_chosen(d, stream_kinds[i].name))
			continue;
		if (*api_url(t->app, stream_kinds[i].api) == '\0')
			conf_error_key(&b->conf, d->d.node, NULL,
			    "reads mde-alerts, and its app %s does not say where; give the app an "
			    "mde_url",
			    t->app->name);
		t->streams[t->nstreams++] = make_stream(b, t, &stream_kinds[i]);
	}
	t->origin = t->streams[0].origin;
}

static void
link_tenant(struct build *b, const struct tenant_draft *d, struct tenant *t)
{
	struct sink_draft *sinks[SETTINGS_SINKS_MAX];

	*t = d->tenant;
	t->app = app_of(b, d);
	t->customer = customer_of(b, d);
	t->nsinks = settings_route(b, d, sinks);
	t->sinks = arena_alloc(&b->w->arena, (t->nsinks + 1) * sizeof(const struct sink_conf *));
	for (size_t i = 0; i < t->nsinks; i++)
		t->sinks[i] = &b->w->s.sinks[sinks[i] - (struct sink_draft *)b->sinks.v];
	if (b->conf.problems->errors != 0)
		return;
	link_streams(b, d, t);
}

/* ---- the final arrays -------------------------------------------------------------------- */

static void
move_drafts(struct build *b)
{
	struct settings *s = &b->w->s;
	const struct app_draft *a = b->apps.v;
	const struct customer_draft *c = b->customers.v;
	const struct sink_draft *k = b->sinks.v;

	s->napps = b->apps.n;
	s->apps = arena_alloc(&b->w->arena, (s->napps + 1) * sizeof(*s->apps));
	for (size_t i = 0; i < s->napps; i++)
		s->apps[i] = a[i].app;
	s->ncustomers = b->customers.n;
	s->customers = arena_alloc(&b->w->arena, (s->ncustomers + 1) * sizeof(*s->customers));
	for (size_t i = 0; i < s->ncustomers; i++)
		s->customers[i] = c[i].customer;
	s->nsinks = b->sinks.n;
	s->sinks = arena_alloc(&b->w->arena, (s->nsinks + 1) * sizeof(*s->sinks));
	for (size_t i = 0; i < s->nsinks; i++)
		s->sinks[i] = k[i].sink;
	s->ntenants = b->tenants.n;
	s->tenants = arena_alloc(&b->w->arena, (s->ntenants + 1) * sizeof(*s->tenants));
}

static int
by_key(const void *x, const void *y)
{
	const struct tenant *a = *(const struct tenant *const *)x;
	const struct tenant *b = *(const struct tenant *const *)y;
	int c = strcmp(a->key, b->key);

	return c != 0 ? c : a < b ? -1 : a > b;
}

/* Two tenants with one GUID in one cloud would share a place in the journal. */
static void
check_same_tenant(struct build *b)
{
	const struct tenant_draft *d = b->tenants.v;
	const struct tenant **v = xcalloc(b->w->s.ntenants + 1, sizeof(const struct tenant *));
	size_t n = b->w->s.ntenants;

	for (size_t i = 0; i < n; i++)
		v[i] = &b->w->s.tenants[i];
	qsort(v, n, sizeof(const struct tenant *), by_key);
	for (size_t i = 1; i < n; i++) {
		const struct node *was = d[v[i - 1] - b->w->s.tenants].d.node;
		const struct node *now = d[v[i] - b->w->s.tenants].d.node;

		if (strcmp(v[i]->key, v[i - 1]->key) == 0)
			conf_error(&b->conf, node_get(now, "id"),
			    "is the same tenant as %s "
			    "(%.300s:%u); remove one of them",
			    was->key, was->key_at.file, was->key_at.line);
	}
	free(v);
}

static void
warn_unused(struct build *b, const struct drafts *d, const char *remedy)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct draft *at = draft_at(d, i);

		if (!at->is_used)
			conf_warn(
			    &b->conf, at->node, "no tenant uses this %s; %s", d->what, remedy);
	}
}

/* Of a customer's tenants one is enough. */
static bool
was_checked(const struct settings *s, const struct tenant *t, const struct sink_conf *sink)
{
	for (const struct tenant *before = s->tenants; before < t; before++) {
		for (size_t i = 0; i < before->nsinks; i++) {
			if (before->sinks[i] == sink &&
			    strcmp(before->origin->customer, t->origin->customer) == 0)
				return true;
		}
	}
	return false;
}

static void
check_origins(struct build *b)
{
	const struct settings *s = &b->w->s;
	const struct tenant_draft *d = b->tenants.v;

	for (size_t i = 0; i < s->ntenants; i++) {
		struct settings_about about = { b, d[i].d.node };

		for (size_t k = 0; k < s->tenants[i].nsinks; k++) {
			const struct sink_conf *sink = s->tenants[i].sinks[k];

			if (sink->kind->check_origin != NULL && !was_checked(s, &s->tenants[i], sink))
				sink->kind->check_origin(
				    sink->conf, s->tenants[i].origin, settings_on_warning, &about);
		}
	}
}

static void
warn_unwatched(struct build *b)
{
	const struct settings *s = &b->w->s;

	for (size_t i = 0; i < s->nsinks; i++) {
		if (s->sinks[i].health == SINK_HEALTH_DAEMON)
			return;
	}
	if (s->nsinks != 0)
		conf_warn(&b->conf, b->root,
		    "no sink has health: daemon, so none is told when a sink is down or the "
		    "journal is full; write it at the sink of those who run msspd");
}

/* What is to be read each minute when nothing is new, and what that leaves of the cap. */
static void
warn_of_cap(struct build *b)
{
	const struct settings *s = &b->w->s;
	double polls = 0;

	for (size_t i = 0; i < s->ntenants; i++)
		polls += 60000.0 * (double)s->tenants[i].nstreams /
		         (double)s->tenants[i].poll_interval_ms;
	if (s->requests_per_minute != 0 && polls > (double)s->requests_per_minute)
		conf_warn(&b->conf, node_get(node_get(b->root, "intake"), "requests_per_minute"),
		    "the tenants alone are to be polled %.0f times a minute, so that all will be "
		    "late; raise it, or poll_interval",
		    polls);
}

static void
check_defaults_app(struct build *b)
{
	const struct node *n = node_get(node_get(b->root, "defaults"), "app");

	if (n != NULL && b->w->defaults.app != NULL)
		(void)settings_refer(b, &b->apps, b->w->defaults.app, n);
}

void
settings_link(struct build *b)
{
	struct settings *s = &b->w->s;
	const struct tenant_draft *t = b->tenants.v;

	move_drafts(b);
	check_defaults_app(b);
	settings_check_routes(b);
	for (size_t i = 0; i < b->tenants.n; i++)
		link_tenant(b, &t[i], &s->tenants[i]);
	if (b->conf.problems->errors != 0)
		return; /* a name that is misspelt would make its thing look unused */
	check_same_tenant(b);
	warn_unused(b, &b->apps, "remove it, or name it at a tenant or in defaults");
	warn_unused(b, &b->customers, "remove it, or name it at its tenants");
	warn_unused(b, &b->sinks, "nothing is sent there; remove it, or route a tenant to it");
	warn_unwatched(b);
	warn_of_cap(b);
	check_origins(b);
	settings_check_groups(b);
}
