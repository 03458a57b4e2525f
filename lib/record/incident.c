/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/record/fields.h"

/* By enum incident_status, in Graph's spelling. */
static const char *const status_words[] = {
	[INCIDENT_UNKNOWN] = "unknown",
	[INCIDENT_ACTIVE] = "active",
	[INCIDENT_IN_PROGRESS] = "inProgress",
	[INCIDENT_AWAITING_ACTION] = "awaitingAction",
	[INCIDENT_RESOLVED] = "resolved",
	[INCIDENT_REDIRECTED] = "redirected",
	[INCIDENT_OTHER] = "other",
	NULL,
};

/*
 * microsoft.graph.security.incident, in the order in which it comes. That it was
 * merged counts as a change of the incident, as at an alert that is moved to another
 * one. Who touched it last is no news by itself.
 */
#define S struct incident
#define TEXTS(nm, field, count, p) \
	FIELD_ROW(FIELD_TEXTS, nm, AT(field), .noff = offsetof(S, count), .part = p)
static const struct field rows[] = {
	FIELD_ROW(FIELD_TEXT, "id", AT(id), .part = PART_NONE, .once = ONCE_ID),
	FIELD_ROW(FIELD_TEXT, "tenantId", AT(tenant_id), .part = PART_NONE, .once = ONCE_TENANT),
	TEXT("status", status_text, PART_STATUS),
	TEXT("incidentWebUrl", web_url, PART_NONE),
	TEXT("redirectIncidentId", redirect_id, PART_INCIDENT),
	TEXT("displayName", name, PART_OTHER),
	TIME("createdDateTime", created, PART_NONE),
	FIELD_ROW(
	    FIELD_TIME, "lastUpdateDateTime", AT(updated), .part = PART_NONE, .once = ONCE_UPDATED),
	TEXT("assignedTo", assigned_to, PART_ASSIGNEE),
	TEXT("classification", classification, PART_VERDICT),
	TEXT("determination", determination, PART_VERDICT),
	TEXT("severity", severity_text, PART_SEVERITY),
	INT("priorityScore", priority, PART_OTHER),
	TEXTS("customTags", custom_tags, ncustom_tags, PART_OTHER),
	TEXTS("systemTags", system_tags, nsystem_tags, PART_OTHER),
	TEXT("description", description, PART_OTHER),
	TEXT("summary", summary, PART_OTHER),
	TEXT("lastModifiedBy", last_modified_by, PART_NONE),
	TEXT("resolvingComment", resolving_comment, PART_COMMENT),
	OBJECTS("comments", comments, ncomments, comment_fields),
	/* As Graph's reference pages write it. */
	TEXTS("tags", custom_tags, ncustom_tags, PART_NONE),
};
#undef TEXTS

const struct fields incident_fields = FIELDS(rows, S);
#undef S

bool
incident_read(struct reading *rd, struct incident *i, struct str *why)
{
	*i = (struct incident){ .severity = SEVERITY_UNKNOWN };
	fields_blank(&incident_fields, i);
	if (!whole_read(rd, &incident_fields, i, why))
		return false;
	i->severity = alert_severity(i->severity_text);
	i->status = (enum incident_status)word_number(i->status_text, status_words);
	return whole_has_name(rd, i->id, i->updated, why);
}
