/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/onboard/checklist.h"

#include <stdlib.h>

#include "daemon/onboard/facts.h"
#include "lib/base/alloc.h"
#include "lib/format/wrap.h"

#define PAGE_MAX (256 * 1024)

/*
 * One thing to do. who NULL: not a thing but the head of a section. Points are lines of
 * their own, cut at newlines; a link has a line to itself, to be copied.
 */
static const struct item {
	const char *who, *text, *points, *link;
} items[] = {
	{ NULL, "Alerts: what msspd may read" },
	{ "{customer}",
	    "An administrator (Global or Privileged Role Administrator) opens this link, compares the "
	    "client ID {client_id}, and accepts for the whole organization. The app asks for {roles} "
	    "and can change nothing.",
	    NULL, "{consent}" },
	{ "{mssp}",
	    "See that alerts come. The role may take some minutes to arrive in a token.",
	    "sudo msspctl check-tenant {tenant}" },

	{ NULL, "Portal: groups and roles in the tenant of {customer}" },
	{ "{customer}", "In Entra ID, Groups, make three security groups:",
	    "Tier 1 Analyst\n"
	    "Tier 2 Analyst\n"
	    "MSSP Analyst Approvers",
	    "{entra}" },
	{ "{customer}",
	    "In the Defender portal, Permissions > Endpoints roles & groups > Roles, as Global or "
	    "Security Administrator, turn roles on, make these and link each to its group (Assigned "
	    "user groups). Where the tenant has unified RBAC, that is Permissions > Microsoft Defender "
	    "XDR > Roles, and the groups are assigned there:",
	    "Tier 1 Analyst: every permission but live response and manage security settings\n"
	    "Tier 2 Analyst: the same and live response\n"
	    "MSSP Analyst Approvers: no role; its members decide on requests and need not see alerts",
	    "{portal}" },
	{ "{customer}",
	    "Put the first person who decides into MSSP Analyst Approvers by hand: an empty group "
	    "approves nothing." },

	{ NULL, "Portal: access packages (Entra ID, Identity Governance)" },
	{ "{customer}",
	    "Connected organizations: add {mssp} by its {mssp_tenant}, state Configured. The "
	    "analysts' accounts are best in a tenant of their own." },
	{ "{customer}",
	    "Catalogs: make MSSP Accesses, published, enabled for external users; add the three "
	    "groups as its resources." },
	{ "{customer}", "Access packages: make three in this catalog, each with one group as Member:",
	    "MSSP Tier 1 Analyst: group Tier 1 Analyst\n"
	    "MSSP Tier 2 Analyst: group Tier 2 Analyst\n"
	    "MSSP Analyst Approvers: group MSSP Analyst Approvers" },
	{ "{customer}", "Give each of the three this policy:",
	    "requests: only by users of the connected organization {mssp}\n"
	    "approval: required, by a member of MSSP Analyst Approvers\n"
	    "lifecycle: the access expires after 365 days; people may ask to extend it\n"
	    "access review: every year, by MSSP Analyst Approvers" },

	{ NULL, "Portal: people" },
	{ "{customer}",
	    "Send {mssp} the My Access link from each package's overview. It stays the same for "
	    "analysts who come later. All packages are at:",
	    NULL, "{my_access}" },
	{ "{mssp}", "Each analyst opens the link and requests the package of his or her tier." },
	{ "{customer}", "Members of MSSP Analyst Approvers decide there, under Approvals:", NULL,
	    "{my_access}" },
	{ "{mssp}",
	    "Analysts work in the portal by this link; without its tid= the portal opens their own "
	    "tenant:",
	    "{portal}\n{multi_tenant}" },
	{ "{mssp}",
	    "Write the day on which the access ends (365 days after the approval) into the "
	    "configuration; the log warns 30, 7 and 1 days ahead:",
	    "customers: { {customer_key}: { access_expires: YYYY-MM-DD } }" },

	{ NULL, "E-mail from Defender itself (optional: msspd forwards every alert)" },
	{ "{customer} or {mssp}",
	    "In the portal, Settings > Endpoints > General > Email notifications, add a rule with "
	    "both of these on:",
	    "Include organization name\n"
	    "Include tenant-specific portal link" },
};

static void
put_points(struct buf *out, const char *points)
{
	char *all = xstrdup(points), *save = NULL;

	for (char *p = strtok_r(all, "\n", &save); p != NULL; p = strtok_r(NULL, "\n", &save))
		wrap_put(out, "       - ", "         ", p);
	free(all);
}

/* text with the facts in it; from malloc. */
static char *
fill(const struct facts *f, const char *text)
{
	struct buf b = BUF_INIT(PAGE_MAX);

	facts_write(&b, f, text);
	buf_byte(&b, '\0');
	return buf_take(&b);
}

static void
put_item(struct buf *out, const struct facts *f, const struct item *i, unsigned number)
{
	char *who = fill(f, i->who), *text = fill(f, i->text), *points, first[32];
	char *line = xasprintf("%s: %s", who, text);

	(void)snprintf(first, sizeof(first), "[ ] %2u ", number);
	wrap_put(out, first, "       ", line);
	if (i->points != NULL) {
		points = fill(f, i->points);
		put_points(out, points);
		free(points);
	}
	if (i->link != NULL) {
		points = fill(f, i->link);
		wrap_put(out, "       ", "       ", points);
		free(points);
	}
	free(line);
	free(text);
	free(who);
}

static void
put_missing(struct buf *out, const struct facts *f)
{
	if (f->missing[0] == '\0')
		return;
	wrap_put(out, "\n", "", "The configuration could say more, and this page would then be complete:");
	put_points(out, f->missing);
}

static void
put_head(struct buf *out, const struct facts *f)
{
	char *title = fill(f, "Onboarding of {customer} by {mssp}");
	char *about = fill(f, "tenant {tenant}, {tenant_id}");

	wrap_put(out, "", "", title);
	wrap_put(out, "", "", about);
	free(title);
	free(about);
	wrap_put(out, "\n", "",
	    "Each line begins with who does it. Access packages and their reviews need Entra ID "
	    "Governance or P2 licences in the customer's tenant. msspctl onboard --requests prints the "
	    "same steps as Microsoft Graph requests for the customer's administrator.");
}

void
checklist_put(struct buf *out, const struct settings *s, const struct tenant *t)
{
	struct facts f;
	unsigned number = 0;

	facts_init(&f, s, t);
	put_head(out, &f);
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		if (items[i].who == NULL) {
			char *head = fill(&f, items[i].text);

			wrap_put(out, "\n", "", head);
			free(head);
		} else {
			put_item(out, &f, &items[i], ++number);
		}
	}
	put_missing(out, &f);
	facts_release(&f);
}
