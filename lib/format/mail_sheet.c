/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "lib/format/mail_clean.h"
#include "lib/format/mail_parts.h"
#include "lib/format/moment.h"
#include "lib/format/portal.h"
#include "lib/format/product.h"

/* How much of a value is shown. */
#define LINE_MAX  500
#define TEXT_MAX  4000
#define STEPS_MAX 8000 /* what to do may be long */
#define LIST_MAX  24   /* of a list of words */

/* ---- the words of an alert, an incident, a health record -------------------------------- */

struct text_row {
	enum mail_value v;
	size_t off;
	size_t limit;
	unsigned flags;
};

#define S struct alert
#define LINE(v, field) \
	{ \
		v, offsetof(S, field), LINE_MAX, 0 \
	}
#define TEXT(v, field) \
	{ \
		v, offsetof(S, field), TEXT_MAX, MAIL_LINES \
	}
/* clang-format off */
/* Of two rows of one value the second is the spare. */
static const struct text_row alert_texts[] = {
	LINE(MV_TITLE, title),
	LINE(MV_STATUS, status_text),
	{ MV_ASSIGNED, offsetof(S, assigned_to), LINE_MAX, MAIL_PERSON },
	LINE(MV_CATEGORY, category),
	LINE(MV_THREAT, threat_display_name),
	LINE(MV_THREAT, threat_family_name),
	LINE(MV_ACTOR, actor_display_name),
	LINE(MV_SOURCE, detection_source),
	LINE(MV_INCIDENT, incident_id),
	TEXT(MV_DESCRIPTION, description),
	{ MV_ACTIONS, offsetof(S, recommended_actions), STEPS_MAX, MAIL_LINES },
};
#undef S
#define S struct incident
static const struct text_row incident_texts[] = {
	LINE(MV_TITLE, name),
	LINE(MV_STATUS, status_text),
	{ MV_ASSIGNED, offsetof(S, assigned_to), LINE_MAX, MAIL_PERSON },
	LINE(MV_INCIDENT, id),
	LINE(MV_MERGED, redirect_id),
	TEXT(MV_DESCRIPTION, description),
	TEXT(MV_DESCRIPTION, summary),
	TEXT(MV_COMMENT, resolving_comment),
};
#undef S
#define S struct health
static const struct text_row health_texts[] = {
	LINE(MV_TITLE, summary),
	LINE(MV_STATUS, state),
	LINE(MV_WAS, was),
	LINE(MV_CATEGORY, about),
	TEXT(MV_DESCRIPTION, what),
	TEXT(MV_ACTIONS, remedy),
};
#undef S
/* clang-format on */

static void
set_texts(struct mail_sheet *s, const struct text_row *rows, size_t n, const void *from)
{
	for (size_t i = 0; i < n; i++) {
		const struct text_row *r = &rows[i];

		mail_set(s, r->v, *(const struct str *)(const void *)((const char *)from + r->off),
		    mail_limit(s, r->limit), r->flags);
	}
}

static void
set_time(struct mail_sheet *s, enum mail_value v, int64_t ticks, const struct zone *zone)
{
	mail_time(&s->tmp, ticks, zone);
	mail_set_tmp(s, v);
}

static void
set_list(struct mail_sheet *s, enum mail_value v, const struct str *list, size_t n)
{
	for (size_t i = 0; i < n && i < LIST_MAX; i++) {
		size_t start = s->tmp.n, begin;

		buf_puts(&s->tmp, start > 0 ? ", " : "");
		begin = s->tmp.n;
		mail_clean(&s->tmp, list[i], 80, 0);
		if (s->tmp.n == begin)
			buf_cut(&s->tmp, start);
	}
	if (n > LIST_MAX)
		buf_printf(&s->tmp, " and %zu more", n - LIST_MAX);
	mail_set_tmp(s, v);
}

static void
set_verdict(struct mail_sheet *s, struct str classification, struct str determination)
{
	if ((classification.n == 0 || str_is(classification, "unknown")) &&
	    (determination.n == 0 || str_is(determination, "unknown")))
		return;
	mail_clean(&s->tmp, classification.n != 0 ? classification : STR("unknown"),
	    mail_limit(s, LINE_MAX), 0);
	if (determination.n != 0) {
		buf_byte(&s->tmp, '/');
		mail_clean(&s->tmp, determination, mail_limit(s, LINE_MAX), 0);
	}
	mail_set_tmp(s, MV_VERDICT);
}

static void
set_comment(struct mail_sheet *s, const struct alert_comment *c, size_t n)
{
	if (n == 0 || c[n - 1].text.n == 0)
		return;
	mail_clean(&s->tmp, c[n - 1].text, mail_limit(s, TEXT_MAX), MAIL_LINES);
	if (c[n - 1].by.n != 0) {
		buf_puts(&s->tmp, "\n(");
		mail_clean(&s->tmp, c[n - 1].by, mail_limit(s, LINE_MAX), MAIL_PERSON);
		buf_puts(&s->tmp, ")");
	}
	mail_set_tmp(s, MV_COMMENT);
}

static void
fill_alert(struct mail_sheet *s, const struct alert *a, const struct zone *zone)
{
	const char *product = product_name(a->service_source);

	set_texts(s, alert_texts, ARRAY_LEN(alert_texts), a);
	if (a->category.n == 0)
		set_list(s, MV_CATEGORY, a->categories, a->ncategories);
	set_list(s, MV_TECHNIQUES, a->mitre_techniques, a->nmitre_techniques);
	set_list(s, MV_TAGS, a->system_tags, a->nsystem_tags);
	set_verdict(s, a->classification, a->determination);
	mail_set(s, MV_PRODUCT, product != NULL ? str_of(product) : a->service_source,
	    mail_limit(s, LINE_MAX), 0);
	set_time(s, MV_CREATED, a->created, zone);
	set_time(s, MV_UPDATED, a->updated, zone);
	set_time(s, MV_RESOLVED, a->resolved, zone);
	set_time(s, MV_FIRST, a->first_activity, zone);
	set_time(s, MV_LAST, a->last_activity, zone);
	set_comment(s, a->comments, a->ncomments);
	mail_sheet_evidence(s, a);
}

static void
fill_incident(struct mail_sheet *s, const struct incident *i, const struct zone *zone)
{
	set_texts(s, incident_texts, ARRAY_LEN(incident_texts), i);
	set_verdict(s, i->classification, i->determination);
	if (i->priority != RECORD_NO_NUMBER) {
		buf_int(&s->tmp, i->priority);
		mail_set_tmp(s, MV_PRIORITY);
	}
	set_list(s, MV_TAGS, i->custom_tags, i->ncustom_tags);
	if (i->ncustom_tags == 0)
		set_list(s, MV_TAGS, i->system_tags, i->nsystem_tags);
	set_time(s, MV_CREATED, i->created, zone);
	set_time(s, MV_UPDATED, i->updated, zone);
	set_comment(s, i->comments, i->ncomments);
}

static void
fill_health(struct mail_sheet *s, const struct health *h, const struct zone *zone)
{
	set_texts(s, health_texts, ARRAY_LEN(health_texts), h);
	set_time(s, MV_SINCE, h->since, zone);
	for (size_t i = 0; i < h->nnames; i++) {
		buf_puts(&s->tmp, i > 0 ? "\n- " : "- ");
		mail_clean(&s->tmp, h->names[i], 80, MAIL_TRUSTED);
	}
	if (h->nnames > 0 && h->count > (int64_t)h->nnames)
		buf_printf(&s->tmp, "\nand %lld more", (long long)h->count - (long long)h->nnames);
	mail_set_tmp(s, MV_EVIDENCE);
}

static void
fill_unreadable(struct mail_sheet *s, const struct unreadable *u, const struct zone *zone)
{
	mail_set(s, MV_TITLE, u->title, mail_limit(s, LINE_MAX), 0);
	buf_printf(&s->tmp, "msspd could not read this alert, of which Microsoft sent %zu bytes:\n",
	    u->size);
	mail_clean(&s->tmp, u->why, LINE_MAX, 0);
	if (u->severity_text.n != 0) {
		buf_puts(&s->tmp, "\nIts severity seems to be: ");
		mail_clean(&s->tmp, u->severity_text, 80, 0);
	}
	mail_set_tmp(s, MV_DESCRIPTION);
	mail_set(s, MV_ACTIONS,
	    STR("Look at the alert in the customer's portal: an unreadable alert may be one that "
		"somebody made so. The bytes are in msspd's quarantine."),
	    LINE_MAX, 0);
	set_time(s, MV_CREATED, u->created, zone);
	set_time(s, MV_UPDATED, u->updated, zone);
}

/* ---- what every event has --------------------------------------------------------------- */

static const char *const happened[] = {
	[KIND_NEW] = "New %s",
	[KIND_ESCALATED] = "%s escalated",
	[KIND_UPDATED] = "%s updated",
	[KIND_RESOLVED] = "%s resolved",
	[KIND_REOPENED] = "%s reopened",
	[KIND_HEALTH] = "Health of msspd",
	[KIND_CANARY] = "Test message",
	[KIND_UNREADABLE] = "Unreadable alert",
};

static const struct {
	const char *small, *large, *title;
} things[] = {
	[RECORD_ALERT] = { "alert", "Alert", "Microsoft Defender alert" },
	[RECORD_INCIDENT] = { "incident", "Incident", "Microsoft Defender incident" },
	[RECORD_HEALTH] = { "health record", "Health record", "msspd health" },
	[RECORD_CANARY] = { "test", "Test", "Test message of msspd" },
	[RECORD_UNREADABLE] = { "alert", "Alert", "An alert that msspd could not read" },
};

static void
set_what(struct mail_sheet *s, const struct event *ev)
{
	const char *format = happened[ev->kind], *gap = strstr(format, "%s");
	const struct record *r = ev->record;

	if (gap == NULL) {
		buf_puts(&s->tmp, format);
	} else {
		buf_add(&s->tmp, format, (size_t)(gap - format));
		buf_puts(&s->tmp, gap == format ? things[r->type].large : things[r->type].small);
		buf_puts(&s->tmp, gap + 2);
	}
	mail_set_tmp(s, MV_WHAT);
}

static struct str
severity_text(const struct record *r)
{
	if (r->type == RECORD_ALERT && r->alert.severity == SEVERITY_OTHER)
		return r->alert.severity_text;
	if (r->type == RECORD_INCIDENT && r->incident.severity == SEVERITY_OTHER)
		return r->incident.severity_text;
	return (struct str){ NULL, 0 };
}

/* Whose it is, as the operator wrote it. */
static void
set_origin(struct mail_sheet *s, const struct origin *o)
{
	const struct {
		enum mail_value v;
		const char *text;
		bool is_name; /* of the organization */
	} rows[] = {
		{ MV_CUSTOMER_NAME, o->customer_name, true },
		{ MV_CUSTOMER_NAME, o->customer, true },
		{ MV_CUSTOMER, o->customer, true },
		{ MV_TENANT, o->tenant, true },
		{ MV_TENANT_ID, o->tenant_id, false },
		{ MV_CLOUD, o->cloud, false },
		{ MV_STREAM, o->stream, false },
		{ MV_INSTANCE, o->instance, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!rows[i].is_name || !s->style->without_organization)
			mail_set(s, rows[i].v, str_of(rows[i].text), LINE_MAX, MAIL_TRUSTED);
	}
	s->origin = o;
}

static void
set_names(struct mail_sheet *s, const struct event *ev)
{
	const struct record *r = ev->record;
	struct buf id = BUF_INIT(8192);

	event_id(&id, ev);
	mail_set(s, MV_EVENT_ID, buf_peek(&id), 2000, 0);
	buf_release(&id);
	if (r->type == RECORD_HEALTH || r->type == RECORD_CANARY)
		return;
	mail_set(s, MV_ID, r->id, LINE_MAX, 0);
	if (s->style->without_portal_link)
		return;
	portal_link(&s->tmp, ev);
	mail_set_tmp(s, MV_LINK);
}

/* What a changed part is now: its name, and the value that shows it. */
static const struct {
	const char *label;
	enum mail_value now;
	const char *instead; /* where there is no such value */
} parts[PART_COUNT] = {
	[PART_SEVERITY] = { "Severity", MV_SEVERITY, "changed" },
	[PART_STATUS] = { "Status", MV_STATUS, "changed" },
	[PART_VERDICT] = { "Verdict", MV_VERDICT, "taken back" },
	[PART_ASSIGNEE] = { "Assigned to", MV_ASSIGNED, "nobody" },
	[PART_INCIDENT] = { "Incident", MV_INCIDENT, "none" },
	[PART_EVIDENCE] = { "Evidence", MV_VALUES, "more or other evidence" },
	[PART_REMEDIATION] = { "Remediation", MV_VALUES, "its state changed" },
	[PART_COMMENT] = { "Comment", MV_VALUES, "a comment was added or changed" },
	[PART_OTHER] = { "Other", MV_VALUES, "text or times" },
};

static void
put_change(struct mail_sheet *s, unsigned p, bool is_incident)
{
	/* Of an incident it is the one that it was merged into. */
	bool is_merged = is_incident && p == PART_INCIDENT;
	enum mail_value v = is_merged ? MV_MERGED : parts[p].now;
	struct str now = v != MV_VALUES ? s->v[v] : (struct str){ NULL, 0 };

	buf_printf(&s->tmp, "%s%s\t", s->tmp.n > 0 ? "\n" : "",
	    is_merged ? "Merged into" : parts[p].label);
	if (now.n != 0)
		buf_printf(&s->tmp, "now %.*s", STR_ARG(now));
	else
		buf_puts(&s->tmp, parts[p].instead);
}

static void
set_changed(struct mail_sheet *s, const struct event *ev)
{
	if (ev->kind == KIND_NEW)
		return;
	for (unsigned p = 0; p < PART_COUNT; p++) {
		if ((ev->changed & 1u << p) != 0)
			put_change(s, p, ev->record->type == RECORD_INCIDENT);
	}
	mail_set_tmp(s, MV_CHANGED);
}

static void
fill_record(struct mail_sheet *s, const struct record *r, const struct zone *zone)
{
	switch (r->type) {
	case RECORD_ALERT:
		fill_alert(s, &r->alert, zone);
		break;
	case RECORD_INCIDENT:
		fill_incident(s, &r->incident, zone);
		break;
	case RECORD_HEALTH:
		fill_health(s, &r->health, zone);
		break;
	case RECORD_UNREADABLE:
		fill_unreadable(s, &r->unreadable, zone);
		break;
	case RECORD_CANARY:
		mail_set(s, MV_DESCRIPTION,
		    STR("This message tests the way to you. Nothing happened, and there is nothing "
			"to do."),
		    LINE_MAX, 0);
		break;
	}
	mail_set(s, MV_TITLE, str_of(things[r->type].title), LINE_MAX, 0);
}

void
mail_sheet_fill(struct mail_sheet *s, const struct mail_item *item)
{
	const struct event *ev = item->event;

	s->look = mail_look_of(ev->record);
	mail_set(s, MV_SEVERITY, severity_text(ev->record), 40, 0);
	mail_set(s, MV_SEVERITY, str_of(mail_looks[s->look].word), 40, 0);
	mail_set(s, MV_KIND, str_of(kind_names[ev->kind]), 40, 0);
	set_what(s, ev);
	set_origin(s, ev->origin);
	set_names(s, ev);
	mail_time(&s->tmp, moment_of(ev), item->zone);
	if (s->tmp.n > 0)
		buf_printf(&s->tmp, " (%s)", item->zone_name != NULL ? item->zone_name : "UTC");
	mail_set_tmp(s, MV_TIME);
	if (ev->flags & EVENT_REPLAY)
		mail_set(s, MV_NOTE, STR("a replay: it may have been sent before"), LINE_MAX, 0);
	else if (ev->flags & EVENT_BACKFILL)
		mail_set(s, MV_NOTE, STR("from before msspd watched this tenant"), LINE_MAX, 0);
	fill_record(s, ev->record, item->zone);
	set_changed(s, ev);
}
