/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "daemon/certificates.h"
#include "daemon/delivery/sink.h"
#include "daemon/settings_build.h"
#include "lib/base/alloc.h"
#include "lib/config/nearest.h"
#include "lib/config/url.h"

#define SINK_TEXT_MAX (1024 * 1024)

/* ---- apps ------------------------------------------------------------------------ */

/* Fills one address: the cloud's, or with a custom cloud what is written. */
static void
resolve_url(
    struct build *b, const struct app_draft *a, const char *option, char **url, const char *builtin)
{
	const struct node *n = node_get(a->d.node, option);
	size_t len;

	if (n != NULL && a->app.cloud != CLOUD_CUSTOM)
		conf_error_key(&b->conf, n, NULL,
		    "is for cloud: custom; leave it out, each other "
		    "cloud has its own");
	else if (n == NULL && builtin == NULL)
		conf_error_key(&b->conf, a->d.node, option, "is missing; cloud: custom needs it");
	if (*url == NULL)
		*url = arena_strdup(&b->w->arena, builtin != NULL ? builtin : "");
	len = strlen(*url);
	while (len > 0 && (*url)[len - 1] == '/')
		(*url)[--len] = '\0';
}

/* Only the global cloud has regions; a custom one says where it is, or has none. */
static void
resolve_mde(struct build *b, struct app_draft *a, const char *builtin)
{
	const struct node *region = node_get(a->d.node, "mde_region");

	if (region != NULL && a->app.cloud != CLOUD_GLOBAL)
		conf_error_key(&b->conf, region, NULL,
		    "is for cloud: global; leave it out, no other cloud has regions");
	if (a->app.mde_region != 0 && a->app.cloud == CLOUD_GLOBAL)
		builtin = mde_regions[a->app.mde_region].url;
	resolve_url(b, a, "mde_url", &a->app.mde_url, builtin != NULL ? builtin : "");
}

/* Of a custom cloud's API the resource is its address. */
static void
set_resources(struct app *app, const struct cloud_hosts *h)
{
	char *const url[API_COUNT] = { [API_GRAPH] = app->graph_url, [API_MDE] = app->mde_url };

	for (size_t i = 0; i < API_COUNT; i++)
		app->resource[i] = h->resource[i] != NULL ? (char *)h->resource[i] : url[i];
}

static void
read_app(struct build *b, struct app_draft *a)
{
	const struct cloud_hosts *h;
	struct err err;

	a->app.name = (char *)a->d.name;
	if (!conf_fill_one(&b->conf, a->d.node, app_opts, a))
		return;
	h = &cloud_hosts[a->app.cloud];
	resolve_url(b, a, "login_url", &a->app.login_url, h->login);
	resolve_url(b, a, "graph_url", &a->app.graph_url, h->api[API_GRAPH]);
	resolve_url(b, a, "portal_url", &a->app.portal_url, h->portal);
	resolve_mde(b, a, h->api[API_MDE]);
	set_resources(&a->app, h);
	settings_finish_proxy(b, a->d.node, &a->app.proxy, &b->w->s.proxy);
	settings_read_credentials(b, a);
	if (b->check_secrets && a->app.ca_file != NULL && !certificates_check(a->app.ca_file, &err))
		conf_error(&b->conf, node_get(a->d.node, "ca_file"), "%s", err.text);
}

void
settings_read_apps(struct build *b)
{
	struct app_draft *v = b->apps.v;

	for (size_t i = 0; i < b->apps.n; i++)
		read_app(b, &v[i]);
}

/* ---- customers --------------------------------------------------------------------- */

static void
check_label_names(struct build *b, const struct node *labels)
{
	if (labels == NULL || labels->kind != NODE_MAP)
		return;
	for (const struct node *c = labels->first; c != NULL; c = c->next) {
		if (strpbrk(c->key, "{}") != NULL || strlen(c->key) > 64)
			conf_error_key(&b->conf, c, NULL,
			    "is no name for a label; use at most 64 "
			    "characters and no braces");
	}
}

static void
read_customer(struct build *b, struct customer_draft *c)
{
	struct origin_label *labels;

	c->customer.name = (char *)c->d.name;
	(void)conf_fill_one(&b->conf, c->d.node, customer_opts, c);
	if (c->customer.display_name == NULL)
		c->customer.display_name = c->customer.name;
	check_label_names(b, node_get(c->d.node, "labels"));
	labels = arena_alloc(&b->w->arena, (c->labels.n + 1) * sizeof(*labels));
	for (size_t i = 0; i < c->labels.n; i++)
		labels[i] = (struct origin_label){ c->labels.v[i].key, c->labels.v[i].value };
	c->customer.labels = labels;
	c->customer.nlabels = c->labels.n;
	settings_read_contacts(b, c);
}

void
settings_read_customers(struct build *b)
{
	struct customer_draft *v = b->customers.v;

	for (size_t i = 0; i < b->customers.n; i++)
		read_customer(b, &v[i]);
}

/* ---- sinks ---------------------------------------------------------------------------- */

static void
report_kind(struct build *b, const struct node *type)
{
	struct buf names = BUF_INIT(400);
	struct nearest near;

	nearest_init(&near, type->text);
	for (size_t i = 0; sink_kinds[i] != NULL; i++) {
		nearest_offer(&near, sink_kinds[i]->name);
		buf_printf(&names, "%s%s", i != 0 ? ", " : "", sink_kinds[i]->name);
	}
	conf_error(&b->conf, type, "there is no sink of type \"%.80s\"; %s%s%sthe types are: %s",
	    type->text, near.best != NULL ? "did you mean " : "",
	    near.best != NULL ? near.best : "", near.best != NULL ? "? " : "", names.p);
	buf_release(&names);
}

/* NULL when there is none: reported, here or in read_unknown_sink(). */
static const struct sink_kind *
find_kind(struct build *b, const struct node *type)
{
	if (type == NULL || type->kind != NODE_SCALAR || type->is_null)
		return NULL;
	for (size_t i = 0; sink_kinds[i] != NULL; i++) {
		if (strcmp(sink_kinds[i]->name, type->text) == 0)
			return sink_kinds[i];
	}
	report_kind(b, type);
	return NULL;
}

/* "tls: ca_file: cannot read ..." is about that option below n; *text becomes what is left to say. */
static const struct node *
place_of(const struct node *n, const char **text)
{
	for (const char *end = strstr(*text, ": "); end != NULL; end = strstr(*text, ": ")) {
		char key[33];
		const struct node *child;

		(void)snprintf(key, sizeof(key), "%.*s", (int)(end - *text), *text);
		child = node_get(n, key);
		if (child == NULL)
			break;
		n = child;
		*text = end + 2;
	}
	return n;
}

static void
check_sink(struct build *b, const struct sink_draft *s)
{
	struct settings_about about = { b, s->d.node };
	const struct node *at;
	const char *text;
	struct err err;

	if (s->sink.kind->check == NULL ||
	    s->sink.kind->check(s->sink.conf, settings_on_warning, &about, &err))
		return;
	text = err.text;
	at = place_of(s->d.node, &text);
	if (at == s->d.node)
		conf_error_key(&b->conf, at, NULL, "%s", text);
	else
		conf_error(&b->conf, at, "%s", text);
}

/* A canary is of msspd itself and of no customer: a rule that asks for one must take it so. */
static void
check_canary(struct build *b, const struct sink_draft *s)
{
	static const struct record blank = { .refs = 1, .type = RECORD_CANARY };
	struct origin *own;
	bool is_wanted = false;

	if (s->sink.canary_ms == 0 || s->sink.kind->wants == NULL)
		return;
	own = origin_own(NULL, "canary");
	for (size_t i = 0; i < s->sink.nany; i++)
		is_wanted |= match_test(s->sink.any[i], &(struct event){ &blank, own, KIND_CANARY });
	origin_unref(own);
	if (!is_wanted)
		conf_error_key(&b->conf, s->d.node, "canary", "no rule of this sink takes canaries; add "
		    "one with match: {events: [canary]} that names no customer, or take canary out");
}

static void
copy_required(struct build *b, struct sink_draft *s)
{
	struct match_label *v = arena_alloc(&b->w->arena, (s->require_labels.n + 1) * sizeof(*v));

	for (size_t i = 0; i < s->require_labels.n; i++)
		v[i] = (struct match_label){ s->require_labels.v[i].key,
			s->require_labels.v[i].value };
	s->sink.require_labels = v;
	s->sink.nrequire_labels = s->require_labels.n;
}

static void
describe_sink(struct build *b, struct sink_draft *s)
{
	struct buf text = BUF_INIT(SINK_TEXT_MAX);

	buf_printf(&text, "type: %s\n", s->sink.kind->name);
	conf_write(&text, s->sink.kind->opts, s->sink.conf);
	for (const struct conf_opt *o = s->sink.kind->opts; o->name != NULL; o++) {
		const struct node *tree = node_get(s->d.node, o->name);

		if (o->type == CONF_TREE && tree != NULL)
			node_write(&text, tree);
	}
	s->sink.text = arena_strdup(&b->w->arena, text.p);
	buf_release(&text);
}

static const struct match *
on_read_match(void *arg, const struct node *n)
{
	return settings_read_match(arg, n);
}

static void
read_trees(struct build *b, struct sink_draft *s)
{
	const struct sink_kind *kind = s->sink.kind;
	const struct sink_reading reading = { &b->conf, on_read_match, b };

	if (kind->read != NULL)
		kind->read(s->sink.conf, &reading);
	if (kind->wants != NULL)
		s->sink.any = kind->wants(s->sink.conf, &s->sink.nany);
}

/* Of a kind that is not known only what all sinks have can be judged. */
static void
read_unknown_sink(struct build *b, struct sink_draft *s)
{
	const struct node *n = s->d.node;

	if (n->kind != NODE_MAP)
		conf_error(&b->conf, n, "%s; write a mapping of options", node_what(n));
	else if (node_get(n, "type") == NULL)
		conf_error_key(
		    &b->conf, n, "type", "is missing; it says what kind of sink this is");
	else if (node_get(n, "type")->kind != NODE_SCALAR || node_get(n, "type")->is_null)
		conf_error(&b->conf, node_get(n, "type"), "%s; write the kind of sink",
		    node_what(node_get(n, "type")));
}

static bool
has_option(const struct conf_opt *table, const char *name)
{
	for (; table->name != NULL; table++) {
		if (strcmp(table->name, name) == 0)
			return true;
	}
	return false;
}

/* What every sink has, but for names that mean something of its own with this kind (a mail's from). */
static const struct conf_opt *
common_options(struct build *b, const struct sink_kind *kind)
{
	size_t n = 0, all = 0;
	struct conf_opt *table;

	while (sink_opts[all].name != NULL)
		all++;
	table = arena_alloc(&b->scratch, (all + 1) * sizeof(*table));
	for (size_t i = 0; i < all; i++) {
		if (!has_option(kind->opts, sink_opts[i].name))
			table[n++] = sink_opts[i];
	}
	return table;
}

static void
read_sink(struct build *b, struct sink_draft *s)
{
	const struct node *n = s->d.node;
	const struct sink_kind *kind = find_kind(b, node_get(n, "type"));
	struct conf_part parts[2] = { { sink_opts, s } };

	s->sink.name = (char *)s->d.name;
	if (kind == NULL) {
		read_unknown_sink(b, s);
		return;
	}
	s->sink.kind = kind;
	s->sink.conf = arena_alloc(&b->w->arena, kind->conf_size + 1);
	parts[0].table = common_options(b, kind);
	parts[1] = (struct conf_part){ kind->opts, s->sink.conf };
	if (conf_fill(&b->conf, n, parts, ARRAY_LEN(parts))) {
		read_trees(b, s);
		check_sink(b, s);
		check_canary(b, s);
		describe_sink(b, s);
	}
	copy_required(b, s);
	if (s->sink.backlog.size == 0)
		s->sink.backlog.size = b->w->s.journal_max_size / 4;
	if (s->match != NULL)
		s->sink.match = settings_read_match(b, s->match);
	for (size_t i = 0; i < s->sink.only.n; i++)
		(void)settings_refer_customer(
		    b, s->sink.only.v[i], node_at(node_get(n, "only"), i));
}

void
settings_read_sinks(struct build *b)
{
	struct sink_draft *v = b->sinks.v;

	for (size_t i = 0; i < b->sinks.n; i++)
		read_sink(b, &v[i]);
}

/* ---- tenants ------------------------------------------------------------------------------ */

static void
inherit(const struct defaults *d, struct tenant_draft *t)
{
	t->tenant.poll_interval_ms = d->poll_interval_ms;
	t->tenant.overlap_ms = d->overlap_ms;
	t->tenant.first_lookback_ms = d->first_lookback_ms;
	t->tenant.page_size = d->page_size;
	t->tenant.budget_per_min = d->budget_per_min;
	t->tenant.mde_wait_ms = d->mde_wait_ms;
	t->streams = d->streams;
}

static void
read_tenant(struct build *b, struct tenant_draft *t)
{
	char guid[37];

	t->tenant.name = (char *)t->d.name;
	t->tenant.log = (struct log_ctx){ "tenant", t->d.name };
	inherit(&b->w->defaults, t);
	(void)conf_fill_one(&b->conf, t->d.node, tenant_opts, t);
	if (t->tenant.id != NULL && guid_parse(str_of(t->tenant.id), guid))
		t->tenant.id = arena_strdup(&b->w->arena, guid);
	if (t->tenant.first_lookback_ms > b->w->s.remember_ms)
		conf_warn(&b->conf, t->d.node,
		    "first_lookback is longer than journal.remember; older "
		    "alerts that change will be taken for new ones");
}

void
settings_read_tenants(struct build *b)
{
	struct tenant_draft *v = b->tenants.v;

	for (size_t i = 0; i < b->tenants.n; i++)
		read_tenant(b, &v[i]);
}
