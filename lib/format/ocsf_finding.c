/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/attack.h"
#include "lib/format/ocsf_parts.h"
#include "lib/format/portal.h"
#include "lib/format/product.h"
#include "lib/format/shape_table.h"

/* What a Detection Finding says itself, apart from its evidence. */

#define NO_TITLE "Microsoft Defender alert"

/* ---- words ---------------------------------------- */

static void
put_severity(struct shape *s, const struct shape_row *row, const void *base)
{
	(void)row;
	ocsf_severity(s, ((const struct alert *)base)->severity_text);
}

static const struct ocsf_name statuses[] = {
	OCSF_NAME("unknown", 0, "Unknown"),
	OCSF_NAME("new", 1, "New"),
	OCSF_NAME("inProgress", 2, "In Progress"),
	OCSF_NAME("resolved", 4, "Resolved"),
};

static void
put_status(struct shape *s, const struct shape_row *row, const void *base)
{
	ocsf_named(s, shape_row_name(row), STR("status"), statuses, ARRAY_LEN(statuses),
	    ((const struct alert *)base)->status_text);
}

static void
put_verdict(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct alert *a = base;

	(void)row;
	ocsf_verdict(s, a->classification, a->determination);
}

/* ---- values that are put together ---------------------------------------- */

static void
put_title(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct alert *a = base;

	shape_put_text(
	    s, shape_row_name(row), a->title.n != 0 ? a->title : STR(NO_TITLE), OBSERVABLE_NONE);
}

static void
put_types(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct alert *a = base;

	shape_put_open(s, shape_row_name(row), true);
	shape_text(s, NULL, a->category, OBSERVABLE_NONE);
	for (size_t i = 0; i < a->ncategories; i++) {
		if (!str_same(a->categories[i], a->category))
			shape_text(s, NULL, a->categories[i], OBSERVABLE_NONE);
	}
	shape_text(s, NULL, a->determination, OBSERVABLE_NONE);
	shape_close(s);
}

static void
put_tactic(struct shape *s, struct str category)
{
	const struct attack_tactic *tactic = attack_tactic(category);

	if (tactic == NULL)
		return;
	shape_open(s, NULL);
	shape_open(s, "tactic");
	shape_text(s, "name", tactic->name, OBSERVABLE_NONE);
	shape_text(s, "uid", tactic->uid, OBSERVABLE_NONE);
	shape_close(s);
	shape_close(s);
}

static void
put_technique(struct shape *s, struct str id)
{
	bool is_one = attack_is_technique(id);
	struct str parent = is_one ? attack_parent(id) : id;

	shape_open(s, NULL);
	shape_open(s, "technique");
	shape_text(s, "uid", parent, OBSERVABLE_NONE);
	shape_close(s);
	if (parent.n != id.n) {
		shape_open(s, "sub_technique");
		shape_text(s, "uid", id, OBSERVABLE_NONE);
		shape_close(s);
	}
	shape_close(s);
}

static void
put_attacks(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct alert *a = base;

	shape_put_open(s, shape_row_name(row), true);
	put_tactic(s, a->category);
	for (size_t i = 0; i < a->ncategories; i++) {
		if (!str_same(a->categories[i], a->category))
			put_tactic(s, a->categories[i]);
	}
	for (size_t i = 0; i < a->nmitre_techniques; i++)
		put_technique(s, a->mitre_techniques[i]);
	shape_close(s);
}

static void
put_sources(struct shape *s, const struct shape_row *row, const void *base)
{
	shape_put_open(s, shape_row_name(row), true);
	shape_text(s, NULL, ((const struct alert *)base)->detection_source, OBSERVABLE_NONE);
	shape_close(s);
}

/* Only a link into the customer's own portal is one that people should follow. */
static void
put_incident_link(struct shape *s, const struct shape_row *row, const void *base)
{
	struct ocsf *o = ocsf_of(s);

	buf_clear(&o->text);
	if (portal_given(&o->text, ((const struct alert *)base)->incident_web_url, o->ev->origin))
		shape_put_whole(s, shape_row_name(row), buf_peek(&o->text));
}

static void
put_assignee(struct shape *s, const struct shape_row *row, const void *base)
{
	ocsf_assignee(s, row->name, ((const struct alert *)base)->assigned_to);
}

static void
put_comment(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct alert *a = base;

	if (a->ncomments != 0)
		shape_put_text(
		    s, shape_row_name(row), a->comments[a->ncomments - 1].text, OBSERVABLE_NONE);
}

static void
put_end(struct shape *s, const struct shape_row *row, const void *base)
{
	if (ocsf_of(s)->ev->kind == KIND_RESOLVED)
		shape_put_time(s, shape_row_name(row), ((const struct alert *)base)->resolved);
}

/* What this is, in OCSF's number for nothing more precise. */
static void
put_no_class(struct shape *s, const struct shape_row *row, const void *base)
{
	(void)base;
	shape_put_open(s, shape_row_name(row), true);
	shape_int(s, NULL, 0);
	shape_close(s);
}

static void
put_product(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct alert *a = base;
	const char *name = product_name(a->service_source);

	shape_put_text(s, shape_row_name(row),
	    a->product_name.n != 0 ? a->product_name
				   : str_of(name != NULL ? name : "Microsoft Defender"),
	    OBSERVABLE_NONE);
}

/* ---- the tables ---------------------------------------- */

#define S struct alert

static const struct shape_row info_rows[] = {
	WHOLE("uid", id, "id"),
	TEXT("uid_alt", provider_alert_id, "providerAlertId"),
	CALL("title", put_title, "title"),
	TEXT("desc", description, "description"),
	CALL("types", put_types, "category, the other categories, determination"),
	TIME("created_time", created, "createdDateTime"),
	TIME("modified_time", updated, "lastUpdateDateTime"),
	TIME("first_seen_time", first_activity, "firstActivityDateTime"),
	TIME("last_seen_time", last_activity, "lastActivityDateTime"),
	CALL("src_url", ocsf_link,
	    "alertWebUrl, where it leads into the customer's portal, else made of tenant and id"),
	CALL("data_sources", put_sources, "detectionSource"),
	OPEN("product"),
	CALL("name", put_product, "productName, else by serviceSource"),
	CONST("vendor_name", "Microsoft"),
	OPEN("feature"),
	TEXT("name", detection_source, "detectionSource"),
	CLOSE,
	CLOSE,
	OPEN("analytic"),
	TEXT("uid", detector_id, "detectorId"),
	IF_CALL("name", put_title, "title"),
	CONST("type", "Rule"),
	NUMBER("type_id", 1),
	CLOSE,
	ARRAY("related_analytics"),
	OPEN(NULL),
	TEXT("uid", alert_policy_id, "alertPolicyId"),
	CONST("name", "Alert policy"),
	CONST("type", "Rule"),
	NUMBER("type_id", 1),
	CLOSE,
	CLOSE,
	ARRAY("related_events"),
	OPEN(NULL),
	WHOLE("uid", incident_id, "incidentId"),
	CONST("type_name", "Incident Finding: Create"),
	NUMBER("type_uid", 200501),
	CLOSE,
	CLOSE,
	CALL("attacks", put_attacks,
	    "tactic of category and categories; technique and sub_technique of mitreTechniques"),
	ARRAY("tags"),
	OPEN(NULL),
	TEXTS("values", system_tags, nsystem_tags, "systemTags"),
	CONST("name", "systemTags"),
	CLOSE,
	CLOSE,
	END,
};

const struct shape_row ocsf_finding_rows[] = {
	CALL("severity_id", put_severity,
	    "severity: unknown 0, informational 1, low 2, medium 3, high 4"),
	CALL("status_id", put_status, "status: unknown 0, new 1, inProgress 2, resolved 4"),
	CALL("verdict_id", put_verdict, OCSF_VERDICT_FROM),
	CALL("message", put_title, "title"),
	CALL("end_time", put_end, "resolvedDateTime, when the event is that it was resolved"),
	OPEN("finding_info"),
	ROWS_SAME(info_rows),
	CLOSE,
	CALL("assignee", put_assignee, "assignedTo: name, and email_addr where it is one"),
	ARRAY("tickets"),
	OPEN(NULL),
	WHOLE("uid", incident_id, "incidentId"),
	IF_CALL("src_url", put_incident_link,
	    "incidentWebUrl, where it leads into the customer's portal"),
	CLOSE,
	CLOSE,
	OPEN("remediation"),
	TEXT("desc", recommended_actions, "recommendedActions"),
	CLOSE,
	ARRAY("malware"),
	OPEN(NULL),
	TEXT("name", threat_display_name, "threatDisplayName"),
	TEXT("name", threat_family_name, "else threatFamilyName"),
	IF_CALL("classification_ids", put_no_class, "always 0, Unknown"),
	CLOSE,
	CLOSE,
	CALL("comment", put_comment, "comments: the last one"),
	END,
};

/* ---- what OCSF has no place for ---------------------------------------- */

static void
put_comments(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct alert *a = base;

	ocsf_comments(s, row->name, a->comments, a->ncomments);
}

static void
put_count(struct shape *s, const struct shape_row *row, const void *base)
{
	shape_put_int(s, shape_row_name(row), (int64_t)((const struct alert *)base)->nevidence_all);
}

const struct shape_row ocsf_unmapped_rows[] = {
	TEXT("serviceSource", service_source, "serviceSource"),
	TEXT("classification", classification, "classification"),
	TEXT("determination", determination, "determination"),
	TEXT("actorDisplayName", actor_display_name, "actorDisplayName"),
	TEXT("threatFamilyName", threat_family_name, "threatFamilyName"),
	TEXT("investigationState", investigation_state, "investigationState"),
	STAMP("resolvedDateTime", resolved, "resolvedDateTime"),
	CALL("evidenceCount", put_count, "how many items evidence has"),
	CALL(
	    "comments", put_comments, "comments: comment, createdByDisplayName, createdTime in ms"),
	JSON("customDetails", custom_details, "customDetails"),
	JSON("additionalData", additional_data, "additionalData"),
	END,
};
#undef S
