/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/onboard/requests.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "lib/format/wrap.h"

#define DAY (86400 * TICKS_SEC)
/* The first review is over before the first access ends. */
#define FIRST_REVIEW_DAYS 335

/* A group, the access package that leads to it, and what their ids are called here. */
static const struct tier {
	const char *group, *nickname, *package, *key;
} tiers[] = {
	{ "Tier 1 Analyst", "mssp-tier1-analyst", "MSSP Tier 1 Analyst", "tier1" },
	{ "Tier 2 Analyst", "mssp-tier2-analyst", "MSSP Tier 2 Analyst", "tier2" },
	{ "MSSP Analyst Approvers", "mssp-analyst-approvers", "MSSP Analyst Approvers", "approvers" },
};

struct making {
	const struct settings *s;
	const struct tenant *t;
	int64_t now;
	json_t *all;
};

/* ---- pieces -------------------------------------------------------------------- */

static json_t *text_of(const char *fmt, ...) PRINTF_LIKE(1, 2);

static json_t *
text_of(const char *fmt, ...)
{
	struct buf b = BUF_INIT(64 * 1024);
	json_t *v;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	v = json_stringn(b.p, b.n);
	buf_release(&b);
	BUG_IF(v == NULL); /* the configuration is UTF-8 */
	return v;
}

static const char *
our_name(const struct making *m)
{
	return m->s->mssp.name[0] != '\0' ? m->s->mssp.name : "MSSP";
}

/* body NULL: none; keep NULL: nothing of the answer is needed. All are taken. */
static void
add(struct making *m, json_t *what, const char *method, json_t *path, json_t *body, json_t *keep)
{
	json_t *o = json_object();

	json_object_set_new(o, "what", what);
	json_object_set_new(o, "method", json_string(method));
	json_object_set_new(o, "url",
	    text_of("%s/v1.0%s", m->t->app->graph_url, json_string_value(path)));
	if (keep != NULL)
		json_object_set_new(o, "keep", keep);
	if (body != NULL)
		json_object_set_new(o, "body", body);
	json_decref(path);
	json_array_append_new(m->all, o);
}

#define ENTITLEMENT "/identityGovernance/entitlementManagement"

static json_t *
path_of(const char *below)
{
	return text_of(ENTITLEMENT "%s", below);
}

/* {"<NAME>": "id"}, the name being of a tier where prefix is one. */
static json_t *
keep_id(const char *prefix, const char *name)
{
	json_t *o = json_object(), *id = json_string("id");
	struct buf key = BUF_INIT(200);

	buf_printf(&key, "<%s%s%s>", prefix, prefix[0] != '\0' ? "-" : "", name);
	json_object_set_new(o, key.p, id);
	buf_release(&key);
	return o;
}

/* ---- the requests, in their order -------------------------------------------------- */

static void
add_groups(struct making *m)
{
	for (size_t i = 0; i < ARRAY_LEN(tiers); i++) {
		json_t *body = json_pack("{s:s, s:o, s:b, s:s, s:b}", "displayName", tiers[i].group,
		    "description", text_of("Access of %s", our_name(m)), "mailEnabled", 0,
		    "mailNickname", tiers[i].nickname, "securityEnabled", 1);

		add(m, text_of("Make the group %s", tiers[i].group), "POST", text_of("/groups"), body,
		    keep_id(tiers[i].key, "group"));
	}
}

/* By its tenant where that is known, else by its domain. */
static json_t *
identity_source(const struct making *m)
{
	const struct mssp *us = &m->s->mssp;

	if (us->tenant_id == NULL && us->domain != NULL)
		return json_pack("{s:s, s:s, s:s}", "@odata.type",
		    "#microsoft.graph.domainIdentitySource", "domainName", us->domain, "displayName",
		    our_name(m));
	return json_pack("{s:s, s:s, s:s}", "@odata.type",
	    "#microsoft.graph.azureActiveDirectoryTenant", "tenantId",
	    us->tenant_id != NULL ? us->tenant_id : "<mssp-tenant-id>", "displayName", our_name(m));
}

static void
add_connected_organization(struct making *m)
{
	json_t *body = json_pack("{s:s, s:o, s:[o], s:s}", "displayName", our_name(m), "description",
	    text_of("Analysts of %s", our_name(m)), "identitySources", identity_source(m), "state",
	    "configured");

	add(m, text_of("Make %s a connected organization", our_name(m)), "POST",
	    path_of("/connectedOrganizations"), body, keep_id("", "organization"));
}

static void
add_catalog(struct making *m)
{
	json_t *body = json_pack("{s:s, s:o, s:s, s:b}", "displayName", "MSSP Accesses",
	    "description", text_of("Access packages for %s", our_name(m)), "state", "published",
	    "isExternallyVisible", 1);

	add(m, text_of("Make the catalog MSSP Accesses"), "POST", path_of("/catalogs"), body,
	    keep_id("", "catalog"));
	for (size_t i = 0; i < ARRAY_LEN(tiers); i++) {
		body = json_pack("{s:s, s:{s:o, s:s}, s:{s:s}}", "requestType", "adminAdd", "resource",
		    "originId", text_of("<%s-group>", tiers[i].key), "originSystem", "AadGroup",
		    "catalog", "id", "<catalog>");
		add(m, text_of("Put the group %s into the catalog", tiers[i].group), "POST",
		    path_of("/resourceRequests"), body, NULL);
	}
}

/* keep[<tier-what>] = where, in which the tier's own names may be. */
static void
keep_of_tier(json_t *keep, const struct tier *t, const char *what, json_t *where)
{
	struct buf key = BUF_INIT(100);

	buf_printf(&key, "<%s-%s>", t->key, what);
	json_object_set_new(keep, key.p, where);
	buf_release(&key);
}

/* The ids that the packages' roles need are those of the catalog's resources. */
static void
add_reading_back(struct making *m)
{
	json_t *keep = json_object();

	for (size_t i = 0; i < ARRAY_LEN(tiers); i++) {
		const struct tier *t = &tiers[i];

		keep_of_tier(keep, t, "resource",
		    text_of("id of the resource whose originId is <%s-group>", t->key));
		keep_of_tier(keep, t, "role", text_of("id of its role with displayName Member"));
		keep_of_tier(keep, t, "scope", text_of("id of its scope"));
	}
	add(m, text_of("Read back what the groups are called in the catalog"), "GET",
	    path_of("/catalogs/<catalog>/resources?$expand=roles,scopes"), NULL, keep);
}

static json_t *
resource_role(const struct tier *t)
{
	json_t *resource = json_pack("{s:o, s:o, s:s}", "id", text_of("<%s-resource>", t->key),
	    "originId", text_of("<%s-group>", t->key), "originSystem", "AadGroup");
	json_t *role = json_pack("{s:o, s:s, s:s, s:o, s:o}", "id", text_of("<%s-role>", t->key),
	    "displayName", "Member", "originSystem", "AadGroup", "originId",
	    text_of("Member_<%s-group>", t->key), "resource", resource);
	json_t *scope = json_pack("{s:o, s:o, s:s, s:b}", "id", text_of("<%s-scope>", t->key),
	    "originId", text_of("<%s-group>", t->key), "originSystem", "AadGroup", "isRootScope", 1);

	return json_pack("{s:o, s:o}", "role", role, "scope", scope);
}

static void
add_packages(struct making *m)
{
	for (size_t i = 0; i < ARRAY_LEN(tiers); i++) {
		const struct tier *t = &tiers[i];
		json_t *body = json_pack("{s:s, s:o, s:b, s:{s:s}}", "displayName", t->package,
		    "description", text_of("Membership of %s for %s", t->group, our_name(m)),
		    "isHidden", 0, "catalog", "id", "<catalog>");

		add(m, text_of("Make the access package %s", t->package), "POST",
		    path_of("/accessPackages"), body, keep_id(t->key, "package"));
		add(m, text_of("Give it the group %s", t->group), "POST",
		    text_of(ENTITLEMENT "/accessPackages/<%s-package>/resourceRoleScopes", t->key),
		    resource_role(t), NULL);
	}
}

/* ---- the policy of a package ---------------------------------------------------------- */

static json_t *
approvers(void)
{
	return json_pack("[{s:s, s:s}]", "@odata.type", "#microsoft.graph.groupMembers", "groupId",
	    "<approvers-group>");
}

static json_t *
approval(void)
{
	json_t *stage = json_pack("{s:s, s:b, s:b, s:s, s:o, s:[], s:[], s:[]}",
	    "durationBeforeAutomaticDenial", "P14D", "isApproverJustificationRequired", 1,
	    "isEscalationEnabled", 0, "durationBeforeEscalation", "PT0S", "primaryApprovers",
	    approvers(), "fallbackPrimaryApprovers", "escalationApprovers",
	    "fallbackEscalationApprovers");

	return json_pack("{s:b, s:b, s:[o]}", "isApprovalRequiredForAdd", 1,
	    "isApprovalRequiredForUpdate", 1, "stages", stage);
}

/* Each year, with no end. */
static json_t *
review(int64_t now)
{
	struct buf start = BUF_INIT(64);
	json_t *schedule;

	ticks_write(&start, (now / DAY + FIRST_REVIEW_DAYS) * DAY, 0);
	schedule = json_pack("{s:s#, s:{s:s, s:s}, s:{s:{s:s, s:i}, s:{s:s}}}", "startDateTime",
	    start.p, (int)start.n, "expiration", "type", "afterDuration", "duration", "P14D",
	    "recurrence", "pattern", "type", "absoluteMonthly", "interval", 12, "range", "type",
	    "noEnd");
	buf_release(&start);
	return json_pack("{s:b, s:s, s:b, s:b, s:b, s:o, s:o, s:[]}", "isEnabled", 1,
	    "expirationBehavior", "removeAccess", "isRecommendationEnabled", 1,
	    "isReviewerJustificationRequired", 1, "isSelfReview", 0, "schedule", schedule,
	    "primaryReviewers", approvers(), "fallbackReviewers");
}

static json_t *
requestors(void)
{
	return json_pack("{s:b, s:b, s:b, s:b, s:[]}", "enableTargetsToSelfAddAccess", 1,
	    "enableTargetsToSelfUpdateAccess", 1, "enableTargetsToSelfRemoveAccess", 1,
	    "allowCustomAssignmentSchedule", 0, "onBehalfRequestors");
}

static void
add_policies(struct making *m)
{
	for (size_t i = 0; i < ARRAY_LEN(tiers); i++) {
		const struct tier *t = &tiers[i];
		json_t *targets = json_pack("[{s:s, s:s}]", "@odata.type",
		    "#microsoft.graph.connectedOrganizationMembers", "connectedOrganizationId",
		    "<organization>");
		json_t *body = json_pack("{s:o, s:o, s:s, s:o, s:{s:s, s:s}, s:o, s:o, s:o, s:{s:o}}",
		    "displayName", text_of("%s: %s", our_name(m), t->package), "description",
		    text_of("Only for %s, approved, for 365 days, reviewed every year", our_name(m)),
		    "allowedTargetScope", "specificConnectedOrganizationUsers",
		    "specificAllowedTargets", targets, "expiration", "type", "afterDuration",
		    "duration", "P365D", "requestorSettings", requestors(), "requestApprovalSettings",
		    approval(), "reviewSettings", review(m->now), "accessPackage", "id",
		    text_of("<%s-package>", t->key));

		add(m, text_of("Say who gets %s, and for how long", t->package), "POST",
		    path_of("/assignmentPolicies"), body, NULL);
	}
}

json_t *
requests_make(const struct settings *s, const struct tenant *t, int64_t now)
{
	struct making m = { s, t, now, json_array() };

	add_groups(&m);
	add_connected_organization(&m);
	add_catalog(&m);
	add_reading_back(&m);
	add_packages(&m);
	add_policies(&m);
	return m.all;
}

/* ---- for a person ------------------------------------------------------------------------ */

static void
put_keep(struct buf *out, const json_t *keep)
{
	const char *name;
	json_t *where;

	json_object_foreach((json_t *)keep, name, where) {
		char *line = xasprintf("%s: %s", name, json_string_value(where));

		wrap_put(out, "#   keep ", "#     ", line);
		free(line);
	}
}

void
requests_put(struct buf *out, const json_t *requests)
{
	size_t i;
	json_t *r;

	wrap_put(out, "# ", "# ",
	    "Microsoft Graph requests for an administrator of the customer, signed in with a tool of "
	    "their own (delegated EntitlementManagement.ReadWrite.All and Group.ReadWrite.All). Never "
	    "give these permissions to msspd's app. What an answer gives a name in <angle brackets> "
	    "goes into later requests. The roles of the Defender portal have no request: see the "
	    "checklist.");
	json_array_foreach((json_t *)requests, i, r) {
		const json_t *body = json_object_get(r, "body");
		char *text = xasprintf("%zu. %s", i + 1, json_string_value(json_object_get(r, "what")));

		wrap_put(out, "\n# ", "# ", text);
		free(text);
		put_keep(out, json_object_get(r, "keep"));
		buf_printf(out, "%s %s\n", json_string_value(json_object_get(r, "method")),
		    json_string_value(json_object_get(r, "url")));
		if (body == NULL)
			continue;
		text = json_dumps(body, JSON_INDENT(2));
		buf_printf(out, "%s\n", text);
		free(text);
	}
}
