/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/settings_build.h"

/* In the order of their enums (lib/record): severity, event_kind, part. What a
 * newer Microsoft sends passes every filter, so there is no word for it. */
static const char *const severities[] = { "unknown", "informational", "low", "medium", "high",
	NULL };
static const char *const kinds[] = { "new", "escalated", "updated", "resolved", "reopened",
	"health", "canary", "unreadable", NULL };
static const char *const parts[] = { "severity", "status", "verdict", "assignee", "incident",
	"evidence", "remediation", "comment", "other", "significant", NULL };

#define BIT(n)      (1u << (n))
#define SIGNIFICANT (BIT(PART_COUNT) - 1 - BIT(PART_COMMENT) - BIT(PART_OTHER))

struct match_draft {
	unsigned severities, kinds, parts;
	struct conf_list customers, tenants, device_groups, services, categories;
	struct conf_pairs labels;
	const struct node *negated;
};

#define F(field) offsetof(struct match_draft, field)
const struct conf_opt match_opts[] = {
	{ .name = "severity", .type = CONF_CHOICES, .off = F(severities), .choices = severities,
	  .shown = "any",
	  .help = "Severity of the alert." },
	{ .name = "customers", .type = CONF_LIST, .off = F(customers), .min = 1, .shown = "any",
	  .help = "Names of customers (of a tenant that has none: the tenant's)." },
	{ .name = "tenants", .type = CONF_LIST, .off = F(tenants), .min = 1, .shown = "any",
	  .help = "Names of tenants." },
	{ .name = "labels", .type = CONF_PAIRS, .off = F(labels), .shown = "any",
	  .help = "Labels of the customer; all must be there." },
	{ .name = "device_groups", .type = CONF_LIST, .off = F(device_groups), .min = 1,
	  .shown = "any",
	  .help = "Device group (RBAC group) of any device of the alert." },
	{ .name = "services", .type = CONF_LIST, .off = F(services), .min = 1, .shown = "any",
	  .help = "Microsoft's serviceSource, like microsoftDefenderForEndpoint." },
	{ .name = "categories", .type = CONF_LIST, .off = F(categories), .min = 1, .shown = "any",
	  .help = "Category of the alert, like Ransomware." },
	{ .name = "events", .type = CONF_CHOICES, .off = F(kinds), .choices = kinds,
	  .shown = "all but canary",
	  .help = "What happened. Health and unreadable records pass unless they are left out "
	      "here." },
	{ .name = "changes", .type = CONF_CHOICES, .off = F(parts), .choices = parts,
	  .shown = "any",
	  .help = "What of an alert changed, for events that are updated; significant is all but "
	      "comment and other." },
	{ .name = "not", .type = CONF_TREE, .off = F(negated), .sub = match_opts,
	  .help = "A match of the same keys whose alerts are not wanted." },
	{ .name = NULL }
};
#undef F

static struct match_words
words(const struct conf_list *list)
{
	return (struct match_words) { (const char *const *)list->v, list->n };
}

static bool
check_names(struct build *b, const struct node *n, const struct match_draft *d)
{
	const struct node *customers = node_get(n, "customers"), *tenants = node_get(n, "tenants");
	bool ok = true;

	for (size_t i = 0; i < d->customers.n; i++)
		ok &= settings_refer_customer(b, d->customers.v[i], node_at(customers, i));
	for (size_t i = 0; i < d->tenants.n; i++)
		ok &= settings_refer(b, &b->tenants, d->tenants.v[i], node_at(tenants, i)) != NULL;
	return ok;
}

static const struct match_label *
labels(struct build *b, const struct conf_pairs *pairs)
{
	struct match_label *v = arena_alloc(&b->w->arena, (pairs->n + 1) * sizeof(*v));

	for (size_t i = 0; i < pairs->n; i++)
		v[i] = (struct match_label) { pairs->v[i].key, pairs->v[i].value };
	return v;
}

static unsigned
part_bits(unsigned given)
{
	if ((given & BIT(PART_COUNT)) == 0)
		return given;
	return (given & (BIT(PART_COUNT) - 1)) | SIGNIFICANT;
}

const struct match *
settings_read_match(struct build *b, const struct node *n)
{
	struct match_draft d = { .severities = 0 };
	struct match *m;

	if (!conf_fill_one(&b->conf, n, match_opts, &d) || !check_names(b, n, &d))
		return NULL;
	m = arena_alloc(&b->w->arena, sizeof(*m));
	*m = (struct match) {
		.severities = d.severities, .kinds = d.kinds, .parts = part_bits(d.parts),
		.customers = words(&d.customers), .tenants = words(&d.tenants),
		.device_groups = words(&d.device_groups), .services = words(&d.services),
		.categories = words(&d.categories),
		.labels = labels(b, &d.labels), .nlabels = d.labels.n,
	};
	if (d.negated == NULL)
		return m;
	if (d.negated->kind == NODE_MAP && d.negated->n == 0) {
		conf_error(&b->conf, d.negated, "an empty not lets nothing pass; leave it out");
		return NULL;
	}
	m->negated = settings_read_match(b, d.negated);
	return m->negated != NULL ? m : NULL;
}
