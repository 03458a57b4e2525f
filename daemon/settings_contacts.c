/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/settings_build.h"
#include "lib/config/nearest.h"
#include "lib/format/mail.h"

#define CONTACTS_MAX 64 /* addresses of one customer */

static void
add_contact(struct build *b, struct customer *c, const char *group, const struct node *n)
{
	struct err err;

	if (n->kind != NODE_SCALAR || n->is_null) {
		conf_error(&b->conf, n, "%s; write a mail address", node_what(n));
		return;
	}
	if (!mail_address_check(n->text, &err)) {
		conf_error(&b->conf, n, "%s", err.text);
		return;
	}
	if (c->ncontacts == CONTACTS_MAX) {
		conf_error(&b->conf, n, "is one address too many; a customer has at most %d",
		    CONTACTS_MAX);
		return;
	}
	c->contacts[c->ncontacts++] = (struct origin_label){ group, arena_strdup(&b->w->arena, n->text) };
}

static void
read_group(struct build *b, struct customer *c, const struct node *n)
{
	const char *group = arena_strdup(&b->w->arena, n->key);

	if (strpbrk(n->key, "{}") != NULL || strlen(n->key) > 64) {
		conf_error_key(&b->conf, n, NULL,
		    "is no name for contacts; use at most 64 characters and no braces");
		return;
	}
	for (size_t i = 0; node_at(n, i) != NULL; i++)
		add_contact(b, c, group, node_at(n, i));
}

void
settings_read_contacts(struct build *b, struct customer_draft *c)
{
	const struct node *n = c->contacts;

	if (n == NULL)
		return;
	if (n->kind != NODE_MAP) {
		conf_error(&b->conf, n, "%s; write groups with their addresses: {oncall: "
		    "[soc@contoso.example]}", node_what(n));
		return;
	}
	c->customer.contacts =
	    arena_alloc(&b->w->arena, CONTACTS_MAX * sizeof(*c->customer.contacts));
	for (const struct node *group = n->first; group != NULL; group = group->next)
		read_group(b, &c->customer, group);
}

/* ---- the other way round: what rules of mail sinks name as {contacts.GROUP} --------------- */

/* Whether a customer has it; else what is close to it. */
static bool
find_group(const struct build *b, struct nearest *near)
{
	const struct customer_draft *all = b->customers.v;

	for (size_t i = 0; i < b->customers.n; i++) {
		const struct node *n = all[i].contacts;

		for (n = n != NULL ? n->first : NULL; n != NULL; n = n->next) {
			if (strcmp(n->key, near->wrong) == 0)
				return true;
			nearest_offer(near, n->key);
		}
	}
	return false;
}

static void
check_group(struct build *b, const struct node *to)
{
	struct nearest near;
	char group[65], end;

	if (sscanf(to->text, "{contacts.%64[^{}]%c", group, &end) != 2)
		return;
	nearest_init(&near, group);
	if (!find_group(b, &near))
		conf_warn(&b->conf, to,
		    "no customer has contacts \"%s\", so that nobody gets these mails; %s%s%s", group,
		    near.best != NULL ? "did you mean " : "write them below customers",
		    near.best != NULL ? near.best : "", near.best != NULL ? "?" : "");
}

void
settings_check_groups(struct build *b)
{
	for (size_t i = 0; i < b->sinks.n; i++) {
		const struct node *rules = node_get(draft_at(&b->sinks, i)->node, "rules");

		for (size_t k = 0; rules != NULL && node_at(rules, k) != NULL; k++) {
			const struct node *to = node_get(node_at(rules, k), "to");

			for (size_t m = 0; to != NULL && node_at(to, m) != NULL; m++)
				check_group(b, node_at(to, m));
		}
	}
}
