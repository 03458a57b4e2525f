/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/ocsf_parts.h"
#include "lib/format/shape_table.h"

/* What an Incident Finding says itself. Its alerts are findings of their own, which name it. */

#define NO_NAME "Microsoft Defender incident"

static void
put_severity(struct shape *s, const struct shape_row *row, const void *base)
{
	(void)row;
	ocsf_severity(s, ((const struct incident *)base)->severity_text);
}

static const struct ocsf_name statuses[] = {
	OCSF_NAME("unknown", 0, "Unknown"),
	OCSF_NAME("active", 1, "New"),
	OCSF_NAME("inProgress", 2, "In Progress"),
	OCSF_NAME("awaitingAction", 3, "On Hold"),
	OCSF_NAME("resolved", 4, "Resolved"),
	OCSF_NAME("redirected", 5, "Closed"),
};

static void
put_status(struct shape *s, const struct shape_row *row, const void *base)
{
	ocsf_named(s, shape_row_name(row), STR("status"), statuses, ARRAY_LEN(statuses),
	    ((const struct incident *)base)->status_text);
}

static void
put_verdict(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct incident *i = base;

	(void)row;
	ocsf_verdict(s, i->classification, i->determination);
}

/* OCSF wants somebody: a person or a group. */
static void
put_assignee(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct incident *i = base;

	if (i->assigned_to.n != 0) {
		ocsf_assignee(s, row->name, i->assigned_to);
		return;
	}
	shape_open(s, "assignee_group");
	shape_text(s, "name", STR("unassigned"), OBSERVABLE_NONE);
	shape_close(s);
}

static void
put_comment(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct incident *i = base;

	if (i->resolving_comment.n != 0)
		shape_put_text(s, shape_row_name(row), i->resolving_comment, OBSERVABLE_NONE);
	else if (i->ncomments != 0)
		shape_put_text(
		    s, shape_row_name(row), i->comments[i->ncomments - 1].text, OBSERVABLE_NONE);
}

static void
put_comments(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct incident *i = base;

	ocsf_comments(s, row->name, i->comments, i->ncomments);
}

#define S struct incident

static const struct shape_row info_rows[] = {
	WHOLE("uid", id, "id"),
	TEXT("title", name, "displayName"),
	CONST("title", NO_NAME),
	TEXT("desc", description, "description"),
	TEXT("desc", summary, "else summary"),
	TIME("created_time", created, "createdDateTime"),
	TIME("modified_time", updated, "lastUpdateDateTime"),
	CALL("src_url", ocsf_link,
	    "incidentWebUrl, where it leads into the customer's portal, else made of tenant and "
	    "id"),
	ARRAY("related_events"),
	OPEN(NULL),
	WHOLE("uid", redirect_id, "redirectIncidentId: the incident it was merged into"),
	CONST("type_name", "Incident Finding: Create"),
	NUMBER("type_uid", 200501),
	CLOSE,
	CLOSE,
	ARRAY("tags"),
	OPEN(NULL),
	TEXTS("values", custom_tags, ncustom_tags, "customTags"),
	CONST("name", "customTags"),
	CLOSE,
	OPEN(NULL),
	TEXTS("values", system_tags, nsystem_tags, "systemTags"),
	CONST("name", "systemTags"),
	CLOSE,
	CLOSE,
	END,
};

const struct shape_row ocsf_incident_rows[] = {
	CALL("severity_id", put_severity,
	    "severity: unknown 0, informational 1, low 2, medium 3, high 4"),
	CALL("status_id", put_status,
	    "status: unknown 0, active 1, inProgress 2, awaitingAction 3, resolved 4, redirected "
	    "5"),
	CALL("verdict_id", put_verdict, OCSF_VERDICT_FROM),
	TEXT("message", name, "displayName"),
	CONST("message", NO_NAME),
	TEXT("desc", description, "description"),
	TEXT("desc", summary, "else summary"),
	CALL("src_url", ocsf_link,
	    "incidentWebUrl, where it leads into the customer's portal, else made of tenant and "
	    "id"),
	CALL("assignee", put_assignee, "assignedTo; without one assignee_group is \"unassigned\""),
	CALL("comment", put_comment, "resolvingComment, else the last of comments"),
	ARRAY("finding_info_list"),
	OPEN(NULL),
	ROWS_SAME(info_rows),
	CLOSE,
	CLOSE,
	END,
};

/* What the class requires, and what it is called. */
const struct shape_row ocsf_incident_least_rows[] = {
	CALL("severity_id", put_severity, NULL),
	CALL("status_id", put_status, NULL),
	CALL("assignee", put_assignee, NULL),
	ARRAY("finding_info_list"),
	OPEN(NULL),
	WHOLE("uid", id, NULL),
	TEXT("title", name, NULL),
	CONST("title", NO_NAME),
	CLOSE,
	CLOSE,
	END,
};

const struct shape_row ocsf_incident_unmapped_rows[] = {
	TEXT("classification", classification, "classification"),
	TEXT("determination", determination, "determination"),
	WHOLE("redirectIncidentId", redirect_id, "redirectIncidentId"),
	TEXT("lastModifiedBy", last_modified_by, "lastModifiedBy"),
	TEXT("summary", summary, "summary"),
	INT("priorityScore", priority, "priorityScore"),
	CALL(
	    "comments", put_comments, "comments: comment, createdByDisplayName, createdTime in ms"),
	END,
};
#undef S
