/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/settings_build.h"
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
