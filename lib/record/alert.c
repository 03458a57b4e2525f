/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/buf.h"
#include "lib/record/fields.h"

#define S struct alert_comment
static const struct field comment_rows[] = {
	TEXT("comment", text, PART_COMMENT),
	TEXT("createdByDisplayName", by, PART_COMMENT),
	TIME("createdDateTime", created, PART_COMMENT),
	/* Defender for Endpoint's names, which Graph's own samples of incidents have, too. */
	TEXT("createdBy", by, PART_COMMENT),
	TIME("createdTime", created, PART_COMMENT),
};
const struct fields comment_fields = FIELDS(comment_rows, S);
#undef S

/*
 * microsoft.graph.security.alert, in the order in which it comes. Links are no
 * news: they follow from ids and from where the portal is. Nor are the times in
 * which an alert was made and last touched; its last activity is, as "other",
 * because a threat that goes on is one.
 */
#define S struct alert
#define TEXTS(nm, field, count, p) \
	FIELD_ROW(FIELD_TEXTS, nm, AT(field), .noff = offsetof(S, count), .part = p)
static const struct field rows[] = {
	FIELD_ROW(FIELD_TEXT, "id", AT(id), .part = PART_NONE, .once = ONCE_ID),
	TEXT("providerAlertId", provider_alert_id, PART_OTHER),
	TEXT("incidentId", incident_id, PART_INCIDENT),
	TEXT("status", status_text, PART_STATUS),
	TEXT("severity", severity_text, PART_SEVERITY),
	TEXT("classification", classification, PART_VERDICT),
	TEXT("determination", determination, PART_VERDICT),
	TEXT("serviceSource", service_source, PART_OTHER),
	TEXT("detectionSource", detection_source, PART_OTHER),
	TEXT("productName", product_name, PART_OTHER),
	TEXT("detectorId", detector_id, PART_OTHER),
	FIELD_ROW(FIELD_TEXT, "tenantId", AT(tenant_id), .part = PART_NONE, .once = ONCE_TENANT),
	TEXT("title", title, PART_OTHER),
	TEXT("description", description, PART_OTHER),
	TEXT("recommendedActions", recommended_actions, PART_OTHER),
	TEXT("category", category, PART_OTHER),
	TEXTS("categories", categories, ncategories, PART_OTHER),
	TEXT("assignedTo", assigned_to, PART_ASSIGNEE),
	TEXT("alertPolicyId", alert_policy_id, PART_OTHER),
	TEXT("alertWebUrl", alert_web_url, PART_NONE),
	TEXT("incidentWebUrl", incident_web_url, PART_NONE),
	TEXT("actorDisplayName", actor_display_name, PART_OTHER),
	TEXT("threatDisplayName", threat_display_name, PART_OTHER),
	TEXT("threatFamilyName", threat_family_name, PART_OTHER),
	TEXTS("mitreTechniques", mitre_techniques, nmitre_techniques, PART_OTHER),
	TIME("createdDateTime", created, PART_NONE),
	FIELD_ROW(
	    FIELD_TIME, "lastUpdateDateTime", AT(updated), .part = PART_NONE, .once = ONCE_UPDATED),
	TIME("resolvedDateTime", resolved, PART_OTHER),
	TIME("firstActivityDateTime", first_activity, PART_OTHER),
	TIME("lastActivityDateTime", last_activity, PART_OTHER),
	TEXTS("systemTags", system_tags, nsystem_tags, PART_OTHER),
	TEXT("investigationState", investigation_state, PART_REMEDIATION),
	OBJECTS("comments", comments, ncomments, comment_fields),
	JSON("customDetails", custom_details, PART_OTHER),
	JSON("additionalData", additional_data, PART_OTHER),
	EVIDENCE("evidence", NULL),
};
#undef TEXTS

const struct fields alert_fields = FIELDS(rows, S);
#undef S

unsigned
word_number(struct str word, const char *const *names)
{
	unsigned i = 0;

	if (word.n == 0)
		return 0;
	while (names[i + 1] != NULL && !str_same_nocase(word, str_of(names[i])))
		i++;
	return i;
}

enum severity
alert_severity(struct str word)
{
	return (enum severity)word_number(word, severity_names);
}

enum status
alert_status(struct str word)
{
	return (enum status)word_number(word, status_names);
}

void
alert_blank(struct alert *a)
{
	*a = (struct alert){ .severity = SEVERITY_UNKNOWN };
	fields_blank(&alert_fields, a);
}

/* What is wrong with a thing that was read without a fault, or NULL. */
static const char *
judge(struct str id, int64_t updated, unsigned twice)
{
	if (twice & ONCE_ID)
		return "it has two ids";
	if (twice & ONCE_TENANT)
		return "it has two tenantIds";
	if (twice & ONCE_UPDATED)
		return "it has two lastUpdateDateTimes";
	if (id.n == 0)
		return "it has no id";
	if (id.n > ALERT_ID_MAX)
		return "its id is too long";
	if (updated == TICKS_NONE)
		return "it has no lastUpdateDateTime that can be read";
	return NULL;
}

static struct str
broken(const struct reading *rd)
{
	struct buf text = BUF_INIT(256);
	struct str why;

	buf_printf(&text, "it is broken at byte %zu%s: %s", jr_place(&rd->r),
	    rd->is_mended ? " of the repaired text" : "", rd->r.why);
	why = arena_copy(rd->arena, buf_peek(&text));
	buf_release(&text);
	return why;
}

bool
whole_read(struct reading *rd, const struct fields *t, void *base, struct str *why)
{
	bool is_object = jr_type(&rd->r) == JR_OBJECT;

	if (fields_read(rd, t, base, NULL) && jr_end(&rd->r))
		return true;
	*why = is_object || !jr_ok(&rd->r) ? broken(rd) : STR("it is no object");
	return false;
}

bool
whole_has_name(const struct reading *rd, struct str id, int64_t updated, struct str *why)
{
	*why = str_of(judge(id, updated, rd->twice));
	return why->n == 0;
}

bool
alert_read(struct reading *rd, struct alert *a, struct str *why)
{
	alert_blank(a);
	if (!whole_read(rd, &alert_fields, a, why))
		return false;
	a->evidence = evidence_take(rd, &a->nevidence);
	a->nevidence_all = rd->nall;
	a->severity = alert_severity(a->severity_text);
	a->status = alert_status(a->status_text);
	return whole_has_name(rd, a->id, a->updated, why);
}
