/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_rules.h"

#include "lib/base/arena.h"
#include "lib/base/str.h"
#include "lib/config/conf.h"
#include "lib/format/mail.h"

#define SECOND INT64_C(1000)
#define DAY    (86400 * SECOND)

#define BIT(n) (1u << (n))
/* What people are told where a rule does not say. */
#define DEFAULT_KINDS \
	(BIT(KIND_NEW) | BIT(KIND_ESCALATED) | BIT(KIND_REOPENED) | BIT(KIND_HEALTH) | \
	    BIT(KIND_UNREADABLE))
/* What may be the first version of an alert that a rule is for. */
#define VERSION_KINDS \
	(BIT(KIND_NEW) | BIT(KIND_ESCALATED) | BIT(KIND_UPDATED) | BIT(KIND_RESOLVED) | \
	    BIT(KIND_REOPENED))

static const char contacts_prefix[] = "{contacts.";

/* "{contacts.oncall}": the group's name; else absent. */
static struct str
group_of(const char *to)
{
	struct str s = str_of(to);
	size_t prefix = sizeof(contacts_prefix) - 1;

	if (!str_starts(s, contacts_prefix) || s.n < prefix + 2 || s.s[s.n - 1] != '}')
		return (struct str){ NULL, 0 };
	return (struct str){ s.s + prefix, s.n - prefix - 1 };
}

static bool
check_to(const char *text, struct err *err)
{
	return group_of(text).s != NULL || mail_address_check(text, err) ||
	    err_wrap(err, "neither {contacts.GROUP} nor a mail address");
}

/* ---- the table ----------------------------------------------------------------- */

struct rule_draft {
	char *name;
	struct conf_list to;
	const struct node *match;
	int64_t digest_ms;
	char *limit;
	bool mix_customers, organization_name, portal_link, device_information;
};

#define F(field) offsetof(struct rule_draft, field)
const struct conf_opt smtp_rule_options[] = {
	{ .name = "name", .type = CONF_STR, .off = F(name), .shown = "`rule-1`, `rule-2` and so on",
	  .help = "For people, and for filters (header X-Msspd-Rule). A rule that has a name may move in"
	    " the list and change without being taken for another." },
	{ .name = "to", .type = CONF_LIST, .off = F(to), .flags = CONF_REQUIRED, .min = 1,
	  .max = RULE_TO_MAX, .check = check_to,
	  .help = "Mail addresses, and groups of the customer's `contacts` as `{contacts.oncall}`. Each"
	    " recipient gets a mail of its own, and no more than one about the same event." },
	{ .name = "match", .type = CONF_TREE, .off = F(match), .shown = "everything",
	  .help = "What the rule is for, as in `sinks.NAME.match`. Without `events` it sends what is new,"
	    " escalated and reopened, health and unreadable records. `new` is the first version of an"
	    " alert that the rule is for, also where others came before." },
	{ .name = "digest", .type = CONF_TIME, .off = F(digest_ms), .min = SECOND, .max = 7 * DAY,
	  .shown = "each by itself",
	  .help = "One mail so often, at full multiples on the clock, with all that came meanwhile; none"
	    " where nothing came." },
	{ .name = "limit", .type = CONF_STR, .off = F(limit), .check = quota_check,
	  .shown = "the sink's",
	  .help = "The sink's `limit`, for this rule." },
	{ .name = "mix_customers", .type = CONF_BOOL, .off = F(mix_customers), .def = "false",
	  .help = "Whether a digest may hold alerts of several customers. Never with {contacts.GROUP}." },
	{ .name = "organization_name", .type = CONF_BOOL, .off = F(organization_name), .def = "true",
	  .help = "Name the customer in the mail." },
	{ .name = "portal_link", .type = CONF_BOOL, .off = F(portal_link), .def = "true",
	  .help = "Link to the alert in the customer's Defender portal." },
	{ .name = "device_information", .type = CONF_BOOL, .off = F(device_information),
	  .def = "false",
	  .help = "Show the names and addresses of devices." },
	{ .name = NULL },
};
#undef F

/* ---- reading -------------------------------------------------------------------------- */

static const struct match *
copy_match(const struct conf *c, const struct match *m)
{
	struct match *copy = arena_alloc(c->arena, sizeof(*copy));

	*copy = *m;
	return copy;
}

/* What the rule asks for; and the same for versions that may be the first it is for. */
static void
set_matches(struct smtp_rule *rule, const struct conf *c, const struct match *asked)
{
	struct match m = asked != NULL ? *asked : (struct match){ .kinds = 0 };

	if (m.kinds == 0)
		m.kinds = DEFAULT_KINDS;
	rule->match = copy_match(c, &m);
	if ((m.kinds & BIT(KIND_NEW)) == 0)
		return;
	m.kinds = VERSION_KINDS;
	m.parts = 0;
	rule->first = copy_match(c, &m);
}

static bool
has_groups(const struct conf_list *to)
{
	for (size_t i = 0; i < to->n; i++) {
		if (group_of(to->v[i]).s != NULL)
			return true;
	}
	return false;
}

/* By its name, else by what it is for. */
static uint64_t
key_of(const struct rule_draft *d, const struct node *n)
{
	struct buf text = BUF_INIT(64 * 1024);
	const struct node *to = node_get(n, "to");
	uint64_t key;

	buf_printf(&text, "%s\n", d->name != NULL ? d->name : "");
	if (d->name == NULL && d->match != NULL)
		node_write(&text, d->match);
	if (d->name == NULL && to != NULL)
		node_write(&text, to);
	key = str_hash(text.p, text.n);
	buf_release(&text);
	return key;
}

static void
read_rule(struct smtp_rules *rules, const struct sink_reading *r, const struct node *n,
    const char *limit)
{
	struct rule_draft d = { .name = NULL };
	struct smtp_rule *rule = &rules->v[rules->n];
	const struct match *match = NULL;
	struct conf_list *to;
	struct err err;
	char name[32];

	if (n->kind != NODE_MAP) {
		conf_error(r->conf, n, "%s; write a mapping: {to: [oncall@soc.example], match: {severity:"
		    " [high]}}", node_what(n));
		return;
	}
	if (!conf_fill_one(r->conf, n, smtp_rule_options, &d))
		return;
	if (d.match != NULL)
		match = r->read_match(r->arg, d.match);
	if (d.mix_customers && has_groups(&d.to))
		conf_error(r->conf, node_get(n, "mix_customers"), "a mail to a customer's contacts must not"
		    " show another customer's alerts; leave it out, or write addresses of your own");
	snprintf(name, sizeof(name), "rule-%zu", rules->n + 1);
	to = arena_alloc(r->conf->arena, sizeof(*to));
	*to = d.to;
	*rule = (struct smtp_rule){
		.name = d.name != NULL ? d.name : arena_strdup(r->conf->arena, name),
		.key = key_of(&d, n), .to = to, .digest_ms = d.digest_ms,
		.mix_customers = d.mix_customers, .organization_name = d.organization_name,
		.portal_link = d.portal_link, .device_information = d.device_information,
	};
	/* Each was checked where it stands. */
	(void)!quota_parse(d.limit != NULL ? d.limit : limit, &rule->limit, &err);
	set_matches(rule, r->conf, match);
	rules->n++;
}

static void
check_twice(const struct smtp_rules *rules, const struct sink_reading *r, const struct node *n)
{
	for (size_t i = 0; i < rules->n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (rules->v[i].key == rules->v[k].key)
				conf_error(r->conf, n, "%s and %s have the same name, or the same match and"
				    " recipients; name them apart, or make them one", rules->v[k].name,
				    rules->v[i].name);
		}
	}
}

void
smtp_rules_read(struct smtp_rules *rules, const struct sink_reading *r, const struct node *n,
    const char *limit)
{
	struct arena *a = r->conf->arena;

	*rules = (struct smtp_rules){ .n = 0 };
	if (n == NULL)
		return; /* reported as missing */
	if (n->kind != NODE_LIST || n->n == 0 || n->n > RULES_MAX) {
		conf_error(r->conf, n, "write a list of 1 to %d rules: [{to: [oncall@soc.example]}]",
		    RULES_MAX);
		return;
	}
	rules->v = arena_alloc(a, n->n * sizeof(*rules->v));
	for (size_t i = 0; i < n->n; i++)
		read_rule(rules, r, node_at(n, i), limit);
	check_twice(rules, r, n);
	rules->wants = arena_alloc(a, 2 * n->n * sizeof(const struct match *));
	for (size_t i = 0; i < rules->n; i++) {
		rules->wants[rules->nwants++] = rules->v[i].match;
		if (rules->v[i].first != NULL)
			rules->wants[rules->nwants++] = rules->v[i].first;
	}
}

/* ---- deciding ------------------------------------------------------------------------------ */

/* What of an alert m asks for, as bits of the parts in which that would change. */
static unsigned
parts_asked(const struct match *m)
{
	unsigned parts = 0;

	for (; m != NULL; m = m->negated) {
		parts |= m->severities != 0 ? BIT(PART_SEVERITY) : 0;
		parts |= m->device_groups.n != 0 ? BIT(PART_EVIDENCE) : 0;
		parts |= m->services.n != 0 || m->categories.n != 0 ? BIT(PART_OTHER) : 0;
	}
	return parts;
}

/* Severities that are not known pass every filter. */
static bool
asks_severity(const struct match *m, enum severity severity)
{
	return m->severities == 0 || severity == SEVERITY_UNKNOWN || severity == SEVERITY_OTHER ||
	    (m->severities & BIT(severity)) != 0;
}

enum smtp_first
smtp_rule_first(const struct smtp_rule *rule, const struct event *ev)
{
	enum severity was;
	unsigned changed;

	if (ev->kind == KIND_NEW || (ev->flags & EVENT_BACKFILL) != 0)
		return FIRST_SURELY;
	if ((ev->flags & EVENT_REPLAY) != 0 || !event_was(ev, &was))
		return FIRST_NEVER;
	if (!asks_severity(rule->match, was))
		return FIRST_SURELY;
	changed = ev->changed & parts_asked(rule->match);
	if (rule->match->negated == NULL)
		changed &= ~BIT(PART_SEVERITY);
	return changed != 0 ? FIRST_MAYBE : FIRST_NEVER;
}

bool
smtp_rule_fires(const struct smtp_rule *rule, const struct event *ev, bool is_first)
{
	return match_test(rule->match, ev) ||
	    (is_first && rule->first != NULL && match_test(rule->first, ev));
}

static bool
has_contact(const struct origin *o, struct str group)
{
	for (size_t i = 0; i < o->ncontacts; i++) {
		if (str_is(group, o->contacts[i].key))
			return true;
	}
	return false;
}

/* A health record is judged by whose it is alone. */
static bool
is_for(const struct smtp_rule *rule, const struct origin *o)
{
	const struct record health = { .type = RECORD_HEALTH };
	const struct event ev = { .record = &health, .origin = o, .kind = KIND_HEALTH };
	struct match whose = { .customers = rule->match->customers, .tenants = rule->match->tenants,
		.labels = rule->match->labels, .nlabels = rule->match->nlabels };

	return match_test(&whose, &ev);
}

bool
smtp_rule_reaches_nobody(const struct smtp_rule *rule, const struct origin *o)
{
	for (size_t i = 0; i < rule->to->n; i++) {
		struct str group = group_of(rule->to->v[i]);

		if (group.s == NULL || has_contact(o, group))
			return false;
	}
	return is_for(rule, o);
}

static uint64_t
address_hash(const char *to)
{
	struct str bare = mail_address_bare(to);
	char lower[256];
	size_t n = bare.n < sizeof(lower) ? bare.n : sizeof(lower);

	for (size_t i = 0; i < n; i++)
		lower[i] = bare.s[i] >= 'A' && bare.s[i] <= 'Z' ? (char)(bare.s[i] + 32) : bare.s[i];
	return str_hash(lower, n);
}

struct gathering {
	struct smtp_leg *out;
	size_t n, left_out;
};

static void
add_leg(struct gathering *g, const struct smtp_rule *rule, const char *to)
{
	struct smtp_leg leg = { rule, to, address_hash(to) };

	for (size_t i = 0; i < g->n; i++) {
		if (g->out[i].address != leg.address)
			continue;
		if (g->out[i].rule->digest_ms != 0 && rule->digest_ms == 0)
			g->out[i] = leg;
		return;
	}
	if (g->n == RECIPIENTS_MAX)
		g->left_out++;
	else
		g->out[g->n++] = leg;
}

static void
add_group(struct gathering *g, const struct smtp_rule *rule, struct str group,
    const struct origin *origin)
{
	for (size_t i = 0; i < origin->ncontacts; i++) {
		if (str_is(group, origin->contacts[i].key))
			add_leg(g, rule, origin->contacts[i].value);
	}
}

size_t
smtp_recipients(const struct smtp_rules *rules, uint32_t fires, const struct origin *origin,
    struct smtp_leg out[RECIPIENTS_MAX], size_t *left_out)
{
	struct gathering g = { .out = out };

	for (size_t i = 0; i < rules->n; i++) {
		const struct smtp_rule *rule = &rules->v[i];

		if ((fires & BIT(i)) == 0)
			continue;
		for (size_t k = 0; k < rule->to->n; k++) {
			struct str group = group_of(rule->to->v[k]);

			if (group.s != NULL)
				add_group(&g, rule, group, origin);
			else
				add_leg(&g, rule, rule->to->v[k]);
		}
	}
	*left_out = g.left_out;
	return g.n;
}

/* By all rules. */
static size_t
all_recipients(const struct smtp_rules *rules, const struct origin *origin,
    struct smtp_leg out[RECIPIENTS_MAX])
{
	size_t unused;

	return smtp_recipients(rules, (uint32_t)((UINT64_C(1) << rules->n) - 1), origin, out, &unused);
}

bool
smtp_find_recipient(const struct smtp_rules *rules, const char *to, const struct origin *origin,
    struct smtp_leg *out)
{
	struct smtp_leg legs[RECIPIENTS_MAX];
	size_t n = all_recipients(rules, origin, legs);
	uint64_t address = address_hash(to);

	for (size_t i = 0; i < n; i++) {
		if (legs[i].address != address)
			continue;
		*out = legs[i];
		return true;
	}
	return false;
}

void
smtp_rules_say_all(const struct smtp_rules *rules, const struct origin *origin,
    void (*say)(void *arg, const char *to), void *arg)
{
	struct smtp_leg legs[RECIPIENTS_MAX];
	size_t n = all_recipients(rules, origin, legs);

	for (size_t i = 0; i < n; i++)
		say(arg, legs[i].to);
}
