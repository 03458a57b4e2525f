/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/attack.h"
#include "lib/format/ecs_parts.h"
#include "lib/format/portal.h"
#include "lib/format/shape_table.h"

/* What alerts, incidents, unreadable alerts and health say, apart from evidence. */

static void
put_link(struct shape *s, const struct shape_row *row, const void *base)
{
	struct ecs *e = ecs_of(s);

	(void)base;
	buf_clear(&e->text);
	portal_link(&e->text, e->ev);
	shape_put_whole(s, shape_row_name(row), buf_peek(&e->text));
}

/* The numbers that Elastic's own integrations give these words. */
static void
put_severity(struct shape *s, const struct shape_row *row, const void *base)
{
	static const unsigned char numbers[] = {
		[SEVERITY_INFORMATIONAL] = 21,
		[SEVERITY_LOW] = 21,
		[SEVERITY_MEDIUM] = 47,
		[SEVERITY_HIGH] = 73,
	};
	enum severity severity = record_severity(ecs_of(s)->ev->record);

	(void)base;
	if (severity > SEVERITY_UNKNOWN && severity < SEVERITY_OTHER)
		shape_put_int(s, shape_row_name(row), numbers[severity]);
}

static void
put_comments(struct shape *s, const char *name, const struct alert_comment *comments, size_t n)
{
	shape_open_array(s, name);
	for (size_t i = 0; i < n; i++)
		shape_text(s, NULL, comments[i].text, ECS_NONE);
	shape_close(s);
}

/* As text: members of Microsoft's choosing would be fields without end. */
static void
put_text_of_json(struct shape *s, const struct shape_row *row, const void *at)
{
	shape_put_text(s, shape_row_name(row), *(const struct str *)at, ECS_NONE);
}

/* ---- threat ---------------------------- */

static void
put_tactics(struct shape *s, const struct alert *a, const char *name, bool wants_id)
{
	const struct attack_tactic *t = attack_tactic(a->category);

	shape_open_array(s, name);
	if (t != NULL)
		shape_text(s, NULL, wants_id ? t->uid : t->name, ECS_NONE);
	for (size_t i = 0; i < a->ncategories; i++) {
		t = attack_tactic(a->categories[i]);
		if (t != NULL && !str_same(a->categories[i], a->category))
			shape_text(s, NULL, wants_id ? t->uid : t->name, ECS_NONE);
	}
	shape_close(s);
}

static void
put_tactic_names(struct shape *s, const struct shape_row *row, const void *base)
{
	put_tactics(s, base, row->name, false);
}

static void
put_tactic_ids(struct shape *s, const struct shape_row *row, const void *base)
{
	put_tactics(s, base, row->name, true);
}

static void
put_techniques(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct alert *a = base;

	shape_put_open(s, shape_row_name(row), true);
	for (size_t i = 0; i < a->nmitre_techniques; i++) {
		if (attack_is_technique(a->mitre_techniques[i]))
			shape_text(s, NULL, attack_parent(a->mitre_techniques[i]), ECS_NONE);
	}
	shape_close(s);
}

static void
put_subtechniques(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct alert *a = base;

	shape_put_open(s, shape_row_name(row), true);
	for (size_t i = 0; i < a->nmitre_techniques; i++) {
		struct str id = a->mitre_techniques[i];

		if (attack_is_technique(id) && attack_parent(id).n != id.n)
			shape_text(s, NULL, id, ECS_NONE);
	}
	shape_close(s);
}

/* ---- alerts ---------------------------- */

static void
put_alert_comments(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct alert *a = base;

	put_comments(s, row->name, a->comments, a->ncomments);
}

static void
put_evidence_count(struct shape *s, const struct shape_row *row, const void *base)
{
	shape_put_int(s, shape_row_name(row), (int64_t)((const struct alert *)base)->nevidence_all);
}

#define S struct alert

const struct shape_row ecs_alert_event_rows[] = {
	CONST("kind", "alert"),
	CALL("category", ecs_categories,
	    "intrusion_detection, and what kinds of evidence there are: host, iam, process, file, "
	    "network, web, email, registry"),
	WHOLE("id", id, "id"),
	CALL("severity", put_severity, "severity: informational and low 21, medium 47, high 73"),
	STAMP("created", created, "createdDateTime"),
	STAMP("start", first_activity, "firstActivityDateTime"),
	STAMP("end", last_activity, "lastActivityDateTime"),
	TEXT("provider", service_source, "serviceSource"),
	CALL("url", put_link, "the link into the customer's portal"),
	END,
};

const struct shape_row ecs_alert_rows[] = {
	TEXT("message", description, "description"),
	TEXT("message", title, "else title"),
	CONST("message", "Microsoft Defender alert"),
	OPEN("rule"),
	TEXT("name", title, "title"),
	TEXT("id", detector_id, "detectorId"),
	TEXT("uuid", alert_policy_id, "alertPolicyId"),
	TEXT("category", category, "category"),
	CLOSE,
	OPEN("threat"),
	OPEN("tactic"),
	CALL("name", put_tactic_names, "category and categories, where they are tactics"),
	CALL("id", put_tactic_ids, "their ATT&CK ids"),
	CLOSE,
	OPEN("technique"),
	CALL("id", put_techniques, "mitreTechniques"),
	OPEN("subtechnique"),
	CALL("id", put_subtechniques, "mitreTechniques that are sub-techniques"),
	CLOSE,
	CLOSE,
	OPEN("software"),
	TEXT("name", threat_display_name, "threatDisplayName"),
	TEXT("name", threat_family_name, "else threatFamilyName"),
	CLOSE,
	OPEN("group"),
	TEXT("name", actor_display_name, "actorDisplayName"),
	CLOSE,
	CONST("framework", "MITRE ATT&CK"),
	CLOSE,
	TEXTS("tags", system_tags, nsystem_tags, "systemTags"),
	END,
};

const struct shape_row ecs_alert_own_rows[] = {
	TEXT("severity", severity_text, "severity"),
	TEXT("status", status_text, "status"),
	TEXT("classification", classification, "classification"),
	TEXT("determination", determination, "determination"),
	WHOLE("incident_id", incident_id, "incidentId"),
	TEXT("provider_alert_id", provider_alert_id, "providerAlertId"),
	TEXT("detection_source", detection_source, "detectionSource"),
	TEXT("product_name", product_name, "productName"),
	TEXT("assigned_to", assigned_to, "assignedTo"),
	TEXT("investigation_state", investigation_state, "investigationState"),
	STAMP("resolved", resolved, "resolvedDateTime"),
	TEXT("recommended_actions", recommended_actions, "recommendedActions"),
	CALL("comments", put_alert_comments, "comments: comment of each"),
	CALL("evidence_count", put_evidence_count, "how many items evidence has"),
	ROW(CALL, "custom_details", "customDetails, as text", OFF(custom_details),
	    .fn = put_text_of_json),
	ROW(CALL, "additional_data", "additionalData, as text", OFF(additional_data),
	    .fn = put_text_of_json),
	END,
};
#undef S

/* ---- incidents ---------------------------- */

static void
put_incident_comments(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct incident *i = base;

	put_comments(s, row->name, i->comments, i->ncomments);
}

#define S struct incident

const struct shape_row ecs_incident_event_rows[] = {
	CONST("kind", "alert"),
	ARRAY("category"),
	ALWAYS(NULL, "intrusion_detection"),
	CLOSE,
	WHOLE("id", id, "id"),
	CALL("severity", put_severity, "severity: informational and low 21, medium 47, high 73"),
	STAMP("created", created, "createdDateTime"),
	CALL("url", put_link, "the link into the customer's portal"),
	END,
};

const struct shape_row ecs_incident_rows[] = {
	TEXT("message", description, "description"),
	TEXT("message", summary, "else summary"),
	TEXT("message", name, "else displayName"),
	CONST("message", "Microsoft Defender incident"),
	TEXTS("tags", custom_tags, ncustom_tags, "customTags"),
	END,
};

const struct shape_row ecs_incident_own_rows[] = {
	TEXT("title", name, "displayName"),
	TEXT("severity", severity_text, "severity"),
	TEXT("status", status_text, "status"),
	TEXT("classification", classification, "classification"),
	TEXT("determination", determination, "determination"),
	WHOLE("incident_id", id, "id"),
	WHOLE("merged_into", redirect_id, "redirectIncidentId"),
	TEXT("assigned_to", assigned_to, "assignedTo"),
	TEXT("last_modified_by", last_modified_by, "lastModifiedBy"),
	INT("priority_score", priority, "priorityScore"),
	TEXTS("system_tags", system_tags, nsystem_tags, "systemTags"),
	TEXT("resolving_comment", resolving_comment, "resolvingComment"),
	CALL("comments", put_incident_comments, "comments: comment of each"),
	END,
};
#undef S

/* ---- alerts that could not be read ---------------------------- */

#define S struct unreadable

const struct shape_row ecs_unreadable_event_rows[] = {
	CONST("kind", "alert"),
	ARRAY("category"),
	ALWAYS(NULL, "intrusion_detection"),
	CLOSE,
	WHOLE("id", id, "the alert's id where it was found, else the text's SHA-256"),
	NUMBER("severity", 73),
	STAMP("created", created, "createdDateTime, where it was found"),
	TEXT("reason", why, "what is wrong with it"),
	CALL("url", put_link, "made of tenant and id"),
	END,
};

const struct shape_row ecs_unreadable_rows[] = {
	CONST("message", "An alert that msspd could not read, and keeps in quarantine"),
	OPEN("rule"),
	TEXT("name", title, "title, where it was found"),
	CLOSE,
	END,
};

const struct shape_row ecs_unreadable_own_rows[] = {
	TEXT("severity", severity_text, "severity, where it was found"),
	END,
};
#undef S

/* ---- health ---------------------------- */

static void
put_health_severity(struct shape *s, const struct shape_row *row, const void *base)
{
	static const unsigned char numbers[] = {
		[HEALTH_WELL] = 0,
		[HEALTH_NOTICE] = 21,
		[HEALTH_PROBLEM] = 47,
		[HEALTH_ALARM] = 73,
	};

	shape_put_int(s, shape_row_name(row), numbers[((const struct health *)base)->level]);
}

#define S struct health

const struct shape_row ecs_health_event_rows[] = {
	CONST("kind", "state"),
	CALL("severity", put_health_severity, "the level: well 0, notice 21, problem 47, alarm 73"),
	STAMP("start", since, "since when"),
	TEXT("reason", what, "what happened, and why"),
	END,
};

const struct shape_row ecs_health_rows[] = {
	TEXT("message", summary, "what happened, in a line"),
	CONST("message", "msspd health"),
	END,
};

const struct shape_row ecs_health_own_rows[] = {
	TEXT("about", about, "what it is about: tenant, sink, journal, …"),
	TEXT("name", name, "its name"),
	TEXT("state", state, "the state"),
	TEXT("was", was, "the state before"),
	TEXT("remedy", remedy, "what to do"),
	TEXTS("names", names, nnames, "of several, their names"),
	INT("count", count, "how many"),
	INT("of", of, "of how many"),
	END,
};
#undef S
