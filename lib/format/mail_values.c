/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "lib/format/mail_clean.h"
#include "lib/format/mail_parts.h"

#define BOTH      (MV_ONE | MV_MANY)
#define VALUE_MAX (256 * 1024) /* more than any value is cut to */

/* clang-format off */
const struct mail_value_row mail_values[MV_VALUES] = {
	[MV_SUBJECT] = { "subject", NULL, BOTH,
	    "the subject as it was written (not in subjects)" },
	[MV_SEVERITY] = { "severity", "Severity", BOTH,
	    "High, Medium, Low, Informational, or the word as it came; of health Well, Notice, "
	    "Problem, Alarm; Unreadable; Test; of a digest the worst" },
	[MV_CUSTOMER_NAME] = { "customer_name", "Customer", BOTH,
	    "the customer's name; nothing where a digest holds several, or the organization name "
	    "is off" },
	[MV_CUSTOMER] = { "customer", NULL, BOTH,
	    "the customer's name in the configuration; likewise" },
	[MV_RULE] = { "rule", NULL, BOTH,
	    "the rule that sends the mail" },
	[MV_INSTANCE] = { "instance", NULL, BOTH,
	    "this msspd's name" },
	[MV_KIND] = { "kind", NULL, MV_ONE,
	    "new, escalated, updated, resolved, reopened; health, canary, unreadable" },
	[MV_WHAT] = { "what", NULL, MV_ONE,
	    "the same for people: \"New alert\", \"Incident escalated\"" },
	[MV_TITLE] = { "title", NULL, MV_ONE,
	    "title; of an incident displayName; of health what is up, in a line" },
	[MV_TENANT] = { "tenant", NULL, MV_ONE,
	    "the tenant's name in the configuration; nothing where the organization name is off" },
	[MV_TENANT_ID] = { "tenant_id", "Tenant", MV_ONE,
	    "the tenant's ID" },
	[MV_CLOUD] = { "cloud", NULL, MV_ONE,
	    "global, gcc, gcc-high, dod, custom" },
	[MV_STREAM] = { "stream", NULL, MV_ONE,
	    "alerts, incidents, mde-alerts" },
	[MV_EVENT_ID] = { "event_id", NULL, MV_ONE,
	    "the event's id, the same in every format" },
	[MV_ID] = { "id", "ID", MV_ONE,
	    "id of the alert or incident" },
	[MV_STATUS] = { "status", "Status", MV_ONE,
	    "status; of health the state" },
	[MV_VERDICT] = { "verdict", "Verdict", MV_ONE,
	    "classification/determination" },
	[MV_ASSIGNED] = { "assigned_to", "Assigned to", MV_ONE,
	    "assignedTo" },
	[MV_CATEGORY] = { "category", "Category", MV_ONE,
	    "category, else categories" },
	[MV_TECHNIQUES] = { "techniques", "Techniques", MV_ONE,
	    "mitreTechniques" },
	[MV_THREAT] = { "threat", "Threat", MV_ONE,
	    "threatDisplayName, else threatFamilyName" },
	[MV_ACTOR] = { "actor", "Actor", MV_ONE,
	    "actorDisplayName" },
	[MV_PRODUCT] = { "product", "Product", MV_ONE,
	    "the name that serviceSource is sold under" },
	[MV_SOURCE] = { "detection_source", "Detected by", MV_ONE,
	    "detectionSource" },
	[MV_INCIDENT] = { "incident_id", "Incident", MV_ONE,
	    "incidentId" },
	[MV_MERGED] = { "merged_into", "Merged into", MV_ONE,
	    "an incident's redirectIncidentId" },
	[MV_PRIORITY] = { "priority", "Priority", MV_ONE,
	    "an incident's priorityScore" },
	[MV_TAGS] = { "tags", "Tags", MV_ONE,
	    "customTags and systemTags" },
	[MV_DEVICE] = { "device", "Device", MV_ONE,
	    "names of devices; nothing where device information is off" },
	[MV_USER] = { "user", "User", MV_ONE,
	    "userPrincipalName, else domainName\\accountName, of users, processes and "
	    "mailboxes" },
	[MV_TIME] = { "time", NULL, MV_ONE,
	    "when it happened: of a new alert createdDateTime, of a resolved one resolvedDateTime, "
	    "else lastUpdateDateTime; all times are the customer's local ones" },
	[MV_CREATED] = { "created", "Created", MV_ONE,
	    "createdDateTime" },
	[MV_UPDATED] = { "updated", "Updated", MV_ONE,
	    "lastUpdateDateTime" },
	[MV_RESOLVED] = { "resolved", "Resolved", MV_ONE,
	    "resolvedDateTime" },
	[MV_FIRST] = { "first_activity", "First activity", MV_ONE,
	    "firstActivityDateTime" },
	[MV_LAST] = { "last_activity", "Last activity", MV_ONE,
	    "lastActivityDateTime" },
	[MV_SINCE] = { "since", "Since", MV_ONE,
	    "of health: since when" },
	[MV_WAS] = { "was", "Before", MV_ONE,
	    "of health: the state before" },
	[MV_NOTE] = { "note", "Note", MV_ONE,
	    "that it is backfill or a replay" },
	[MV_CHANGED] = { "changed", NULL, MV_ONE,
	    "what changed, and to what: a line each" },
	[MV_DESCRIPTION] = { "description", NULL, MV_ONE,
	    "description; of an incident else summary; of health what happened; why an alert is "
	    "unreadable" },
	[MV_EVIDENCE] = { "evidence", NULL, MV_ONE,
	    "a line for each item of evidence but devices, which need device information on" },
	[MV_ACTIONS] = { "recommended_actions", NULL, MV_ONE,
	    "recommendedActions; of health what to do" },
	[MV_COMMENT] = { "comment", NULL, MV_ONE,
	    "the newest comment; an incident's resolvingComment" },
	[MV_LINK] = { "portal_link", NULL, MV_ONE,
	    "the link into the customer's portal, https, with ?tid=; nothing where it is off" },
	[MV_DETAILS] = { "details", NULL, MV_ONE,
	    "the facts, sections and link that the usual mail has (in text and HTML)" },
	[MV_EVENTS] = { "count", NULL, MV_MANY,
	    "how many events it holds" },
	[MV_COUNTS] = { "counts", NULL, MV_MANY,
	    "how many of each severity: \"3 high, 12 medium\"" },
	[MV_WHY] = { "why", NULL, MV_MANY,
	    "why it is a digest, with the rule's period or limit" },
	[MV_FROM] = { "from", NULL, MV_MANY,
	    "the first event's time" },
	[MV_TO] = { "to", NULL, MV_MANY,
	    "the last event's time" },
	[MV_MORE] = { "more", NULL, MV_MANY,
	    "how many events have no row in the table; nothing where all have" },
	[MV_TABLE] = { "table", NULL, MV_MANY,
	    "the table of events, and of titles (in text and HTML)" },
};

/* White text on each is readable: contrast 4.5 and more. */
const struct mail_look_row mail_looks[LOOK_COUNT] = {
	[LOOK_HIGH] = { "High", "#c62828" },
	[LOOK_MEDIUM] = { "Medium", "#b45309" },
	[LOOK_LOW] = { "Low", "#1d5fbf" },
	[LOOK_INFO] = { "Informational", "#4b5b6b" },
	[LOOK_UNKNOWN] = { "Unknown", "#4b5b6b" },
	[LOOK_WELL] = { "Well", "#1b7a3d" },
	[LOOK_NOTICE] = { "Notice", "#1d5fbf" },
	[LOOK_PROBLEM] = { "Problem", "#b45309" },
	[LOOK_ALARM] = { "Alarm", "#c62828" },
	[LOOK_UNREADABLE] = { "Unreadable", "#7a3db8" },
	[LOOK_TEST] = { "Test", "#0b6b75" },
};
/* clang-format on */

enum mail_look
mail_look_of(const struct record *r)
{
	static const enum mail_look severities[] = {
		[SEVERITY_UNKNOWN] = LOOK_UNKNOWN,
		[SEVERITY_INFORMATIONAL] = LOOK_INFO,
		[SEVERITY_LOW] = LOOK_LOW,
		[SEVERITY_MEDIUM] = LOOK_MEDIUM,
		[SEVERITY_HIGH] = LOOK_HIGH,
		[SEVERITY_OTHER] = LOOK_UNKNOWN,
	};
	static const enum mail_look levels[] = {
		[HEALTH_WELL] = LOOK_WELL,
		[HEALTH_NOTICE] = LOOK_NOTICE,
		[HEALTH_PROBLEM] = LOOK_PROBLEM,
		[HEALTH_ALARM] = LOOK_ALARM,
	};

	switch (r->type) {
	case RECORD_ALERT:
	case RECORD_INCIDENT:
		return severities[record_severity(r)];
	case RECORD_HEALTH:
		return levels[r->health.level];
	case RECORD_CANARY:
		return LOOK_TEST;
	case RECORD_UNREADABLE:
		return LOOK_UNREADABLE;
	}
	return LOOK_UNKNOWN;
}

void
mail_sheet_init(struct mail_sheet *s, const struct mail_style *style)
{
	*s = (struct mail_sheet){ .style = style, .look = LOOK_UNKNOWN };
	arena_init(&s->arena);
	buf_init(&s->tmp, VALUE_MAX);
}

void
mail_sheet_release(struct mail_sheet *s)
{
	arena_release(&s->arena);
	buf_release(&s->tmp);
}

size_t
mail_limit(const struct mail_sheet *s, size_t limit)
{
	size_t shorter = limit >> 2 * s->level;

	if (s->level == 0 || limit <= MAIL_LEVEL_LEAST)
		return limit;
	return shorter > MAIL_LEVEL_LEAST ? shorter : MAIL_LEVEL_LEAST;
}

void
mail_set_tmp(struct mail_sheet *s, enum mail_value v)
{
	if (s->v[v].n == 0 && s->tmp.n > 0 && buf_ok(&s->tmp))
		s->v[v] = arena_copy(&s->arena, buf_peek(&s->tmp));
	buf_clear(&s->tmp);
}

void
mail_set(struct mail_sheet *s, enum mail_value v, struct str text, size_t limit, unsigned flags)
{
	if (s->v[v].n != 0 || text.n == 0)
		return;
	buf_clear(&s->tmp);
	mail_clean(&s->tmp, text, limit, flags);
	mail_set_tmp(s, v);
}

void
mail_time(struct buf *out, int64_t ticks, const struct zone *zone)
{
	int64_t offset;
	struct ticks_date d;

	if (ticks == TICKS_NONE || ticks_is_sentinel(ticks))
		return;
	offset = zone != NULL ? zone_offset(zone, ticks_to_sec(ticks)) : 0;
	ticks_date(ticks + offset * TICKS_SEC, &d);
	buf_printf(out, "%04d-%02u-%02u %02u:%02u:%02u %c%02d:%02d", d.year, d.month, d.day, d.hour,
	    d.minute, d.second, offset < 0 ? '-' : '+', (int)(llabs(offset) / 3600),
	    (int)(llabs(offset) / 60 % 60));
}
