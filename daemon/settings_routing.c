/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/settings_build.h"

/* ---- the lists, where they are written ----------------------------------------------- */

static void
check_list(struct build *b, const struct conf_list *list, const struct node *owner)
{
	const struct node *n = node_get(owner, "sinks");

	if (n == NULL)
		return;
	if (list->n > SETTINGS_SINKS_MAX)
		conf_error(
		    &b->conf, n, "%zu sinks; at most %d are possible", list->n, SETTINGS_SINKS_MAX);
	for (size_t i = 0; i < list->n; i++) {
		(void)settings_refer(b, &b->sinks, list->v[i], node_at(n, i));
		for (size_t k = 0; k < i; k++) {
			if (strcmp(list->v[i], list->v[k]) != 0)
				continue;
			conf_error(&b->conf, node_at(n, i),
			    "\"%.80s\" is there twice; leave one "
			    "out",
			    list->v[i]);
			break;
		}
	}
}

void
settings_check_routes(struct build *b)
{
	const struct customer_draft *c = b->customers.v;
	const struct tenant_draft *t = b->tenants.v;

	check_list(b, &b->w->defaults.sinks, node_get(b->root, "defaults"));
	for (size_t i = 0; i < b->customers.n; i++)
		check_list(b, &c[i].sinks, c[i].d.node);
	for (size_t i = 0; i < b->tenants.n; i++)
		check_list(b, &t[i].sinks, t[i].d.node);
}

/* ---- who may go where -------------------------------------------------------------------- */

static const struct customer_draft *
customer_of(const struct build *b, const struct tenant_draft *t)
{
	return t->customer == NULL
	           ? NULL
	           : (const struct customer_draft *)settings_find(&b->customers, t->customer);
}

static bool
has_label(const struct customer_draft *c, const struct conf_pair *want)
{
	for (size_t i = 0; c != NULL && i < c->labels.n; i++) {
		if (strcmp(c->labels.v[i].key, want->key) == 0)
			return strcmp(c->labels.v[i].value, want->value) == 0;
	}
	return false;
}

/* Where a routing is complained about: the tenant's own list, else the tenant. */
static void
complain(struct build *b, const struct tenant_draft *t, const char *text)
{
	const struct node *own = node_get(t->d.node, "sinks");

	if (own != NULL)
		conf_error(&b->conf, own, "%s", text);
	else
		conf_error_key(&b->conf, t->d.node, NULL, "%s", text);
}

static void
check_only(struct build *b, const struct tenant_draft *t, const struct sink_draft *s)
{
	const char *customer = t->customer != NULL ? t->customer : t->d.name;
	char text[500];

	if (s->sink.only.n == 0)
		return;
	for (size_t i = 0; i < s->sink.only.n; i++) {
		if (strcmp(s->sink.only.v[i], customer) == 0)
			return;
	}
	snprintf(text, sizeof(text),
	    "sink %s is not for customer %s (its only leaves it out); send "
	    "this tenant elsewhere, or add %s to sinks.%s.only",
	    s->d.name, customer, customer, s->d.name);
	complain(b, t, text);
}

static void
check_labels(struct build *b, const struct tenant_draft *t, const struct sink_draft *s)
{
	const struct customer_draft *c = customer_of(b, t);
	char text[700];

	for (size_t i = 0; i < s->require_labels.n; i++) {
		const struct conf_pair *want = &s->require_labels.v[i];

		if (has_label(c, want))
			continue;
		snprintf(text, sizeof(text),
		    "sink %s requires the label %.64s: %.64s, which %s%s does "
		    "not have; send this tenant elsewhere, or give %s that label",
		    s->d.name, want->key, want->value,
		    c != NULL ? "customer "
			      : "this tenant, without a "
				"customer,",
		    c != NULL ? c->d.name : "", c != NULL ? "the customer" : "it a customer with");
		complain(b, t, text);
		return;
	}
}

/* Its own list, else its customer's, else that of defaults. */
static const struct conf_list *
list_of(const struct build *b, const struct tenant_draft *t)
{
	const struct customer_draft *c = customer_of(b, t);

	if (t->sinks.v != NULL)
		return &t->sinks;
	if (c != NULL && c->sinks.v != NULL)
		return &c->sinks;
	return &b->w->defaults.sinks;
}

static bool
is_among(struct sink_draft *const *v, size_t n, const struct sink_draft *s)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i] == s)
			return true;
	}
	return false;
}

size_t
settings_route(
    struct build *b, const struct tenant_draft *t, struct sink_draft *out[SETTINGS_SINKS_MAX])
{
	const struct conf_list *list = list_of(b, t);
	size_t n = 0;

	if (list->n == 0 && t->sinks.v == NULL)
		conf_error_key(&b->conf, t->d.node, NULL,
		    "reaches no sink; give it sinks here, at its "
		    "customer or in defaults, or write sinks: [] where that is meant");
	for (size_t i = 0; i < list->n && n < SETTINGS_SINKS_MAX; i++) {
		struct sink_draft *s = (struct sink_draft *)settings_find(&b->sinks, list->v[i]);

		if (s == NULL || is_among(out, n, s))
			continue; /* reported where it is written */
		s->d.is_used = true;
		check_only(b, t, s);
		check_labels(b, t, s);
		out[n++] = s;
	}
	return n;
}
