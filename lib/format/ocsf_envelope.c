/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/ocsf_parts.h"
#include "lib/format/product.h"
#include "lib/format/shape_table.h"

/* What an event of every class has: what it is, whose it is, and what has no place in OCSF. */

#define S struct origin
/* char * of an origin are never NULL; they are written as text by these. */
static void
put_customer(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct origin *o = base;

	shape_put_text(s, shape_row_name(row), str_of(o->customer_name), OBSERVABLE_NONE);
	if (!shape_is_last(s, shape_row_name(row)))
		shape_put_text(s, shape_row_name(row), str_of(o->customer), OBSERVABLE_NONE);
}

static void
put_tenant(struct shape *s, const struct shape_row *row, const void *base)
{
	shape_put_whole(s, shape_row_name(row), str_of(((const struct origin *)base)->tenant_id));
}

const struct shape_row ocsf_cloud_rows[] = {
	OPEN("account"),
	CALL("name", put_customer, "the customer, as the configuration names it for people"),
	CALL("uid", put_tenant, "the tenant's ID"),
	CONST("type", "M365 Tenant"),
	NUMBER("type_id", 17),
	CLOSE,
	CONST("provider", "Microsoft"),
	END,
};
#undef S

/* ---- class and metadata ------------------------------------------------------------------- */

struct class_words {
	int uid, category;
	const char *name, *category_name;
};

static const struct class_words classes[] = {
	[RECORD_ALERT] = { 2004, 2, "Detection Finding", "Findings" },
	[RECORD_INCIDENT] = { 2005, 2, "Incident Finding", "Findings" },
	[RECORD_HEALTH] = { 6008, 6, "Application Error", "Application Activity" },
	[RECORD_CANARY] = { 0, 0, "Base Event", "Uncategorized" },
	[RECORD_UNREADABLE] = { 2004, 2, "Detection Finding", "Findings" },
};

static const struct ocsf_word activities[] = {
	[KIND_NEW] = { 1, STR_INIT("Create") },
	[KIND_ESCALATED] = { 2, STR_INIT("Update") },
	[KIND_UPDATED] = { 2, STR_INIT("Update") },
	[KIND_RESOLVED] = { 3, STR_INIT("Close") },
	[KIND_REOPENED] = { 2, STR_INIT("Update") },
	[KIND_HEALTH] = { 1, STR_INIT("General Error") },
	[KIND_CANARY] = { 99, STR_INIT("Canary") },
	[KIND_UNREADABLE] = { 1, STR_INIT("Create") },
};

static struct ocsf_word
activity_of(const struct event *ev)
{
	switch (ev->record->type) {
	case RECORD_HEALTH:
		if (ev->record->health.level == HEALTH_WELL)
			return (struct ocsf_word){ 99, STR("Recovered") };
		return activities[KIND_HEALTH];
	case RECORD_CANARY:
		return activities[KIND_CANARY];
	case RECORD_UNREADABLE:
		return activities[KIND_UNREADABLE];
	case RECORD_ALERT:
	case RECORD_INCIDENT:
		break;
	}
	/* The kinds of health and canary are no activities of a finding. */
	return activities[ev->kind < KIND_HEALTH ? ev->kind : KIND_UPDATED];
}

void
ocsf_class(struct ocsf *o)
{
	struct shape *s = &o->shape;
	const struct class_words *c = &classes[o->ev->record->type];
	struct ocsf_word activity = activity_of(o->ev);

	shape_int(s, "class_uid", c->uid);
	shape_int(s, "category_uid", c->category);
	ocsf_word(s, STR("activity_id"), STR("activity_name"), activity);
	shape_int(s, "type_uid", c->uid * 100 + activity.id);
	if (!o->level->has_details)
		return;
	shape_text(s, "class_name", str_of(c->name), OBSERVABLE_NONE);
	shape_text(s, "category_name", str_of(c->category_name), OBSERVABLE_NONE);
	buf_clear(&o->text);
	buf_puts(&o->text, c->name);
	buf_puts(&o->text, ": ");
	buf_str(&o->text, activity.id == 99 ? STR("Other") : activity.caption);
	shape_text(s, "type_name", buf_peek(&o->text), OBSERVABLE_NONE);
	shape_int(s, "timezone_offset", 0);
}

static const char *
vendor_of(const struct record *r)
{
	return r->type == RECORD_HEALTH || r->type == RECORD_CANARY ? "msspd" : "Microsoft";
}

/* Receivers choose by it what an event is: text from the network must not make one up. */
static const char *
product_of(const struct record *r)
{
	const char *name = r->type == RECORD_ALERT ? product_name(r->alert.service_source) : NULL;

	if (r->type == RECORD_HEALTH || r->type == RECORD_CANARY)
		return "msspd";
	if (r->type == RECORD_INCIDENT)
		return "Microsoft Defender XDR";
	return name != NULL ? name : "Microsoft Defender";
}

static void
put_label(struct ocsf *o, const char *key, const char *value)
{
	buf_clear(&o->text);
	buf_puts(&o->text, key);
	buf_byte(&o->text, ':');
	buf_puts(&o->text, value);
	shape_text(&o->shape, NULL, buf_peek(&o->text), OBSERVABLE_NONE);
}

/* "customer:contoso", "tenant:contoso-eu", and the customer's own: "tier:gold". */
static void
put_labels(struct ocsf *o)
{
	const struct origin *from = o->ev->origin;

	shape_open_array(&o->shape, "labels");
	put_label(o, "customer", from->customer);
	put_label(o, "tenant", from->tenant);
	for (size_t i = 0; i < from->nlabels; i++)
		put_label(o, from->labels[i].key, from->labels[i].value);
	shape_close(&o->shape);
}

static void
put_profiles(struct ocsf *o)
{
	enum record_type type = o->ev->record->type;

	shape_open_array(&o->shape, "profiles");
	shape_text(&o->shape, NULL, STR("cloud"), OBSERVABLE_NONE);
	if (type == RECORD_ALERT || type == RECORD_UNREADABLE)
		shape_text(&o->shape, NULL, STR("incident"), OBSERVABLE_NONE);
	shape_close(&o->shape);
}

static void
put_extensions(struct ocsf *o)
{
	struct shape *s = &o->shape;

	shape_open_array(s, "extensions");
	shape_open(s, NULL);
	shape_text(s, "name", STR("win"), OBSERVABLE_NONE);
	shape_text(s, "uid", STR("2"), OBSERVABLE_NONE);
	shape_text(s, "version", STR(OCSF_VERSION), OBSERVABLE_NONE);
	shape_close(s);
	shape_close(s);
}

static void
put_details(struct ocsf *o)
{
	const struct origin *from = o->ev->origin;
	struct shape *s = &o->shape;

	put_labels(o);
	shape_text(s, "log_name", str_of(from->stream), OBSERVABLE_NONE);
	shape_text(s, "log_provider", STR("msspd"), OBSERVABLE_NONE);
	shape_time(s, "logged_time", o->ev->journalled);
	buf_clear(&o->text);
	ticks_write(&o->text, o->ev->record->version, 7);
	shape_text(s, "original_time", buf_peek(&o->text), OBSERVABLE_NONE);
	if (o->has_windows)
		put_extensions(o);
}

void
ocsf_metadata(struct ocsf *o)
{
	const struct record *r = o->ev->record;
	struct shape *s = &o->shape;

	shape_open(s, "metadata");
	shape_text(s, "version", STR(OCSF_VERSION), OBSERVABLE_NONE);
	buf_clear(&o->text);
	event_id(&o->text, o->ev);
	shape_whole(s, "uid", buf_peek(&o->text));
	shape_whole(s, "original_event_uid", r->id);
	shape_whole(s, "tenant_uid", str_of(o->ev->origin->tenant_id));
	shape_open(s, "product");
	shape_whole(s, "name", str_of(product_of(r)));
	shape_text(s, "vendor_name", str_of(vendor_of(r)), OBSERVABLE_NONE);
	shape_close(s);
	put_profiles(o);
	if (o->level->is_short)
		shape_bool(s, "is_truncated", true);
	if (o->level->has_details)
		put_details(o);
	shape_close(s);
}

/* ---- unmapped ------------------------------------------------------------------------------- */

static void
put_changed(struct shape *s, unsigned changed)
{
	shape_open_array(s, "changed");
	for (unsigned i = 0; i < PART_COUNT; i++) {
		if (changed & 1u << i)
			shape_text(s, NULL, str_of(part_names[i]), OBSERVABLE_NONE);
	}
	shape_close(s);
}

static void
put_msspd(struct ocsf *o)
{
	const struct origin *from = o->ev->origin;
	struct shape *s = &o->shape;

	shape_open(s, "msspd");
	shape_text(s, "kind", str_of(kind_names[o->ev->kind]), OBSERVABLE_NONE);
	put_changed(s, o->ev->changed);
	shape_bool(s, "backfill", o->ev->flags & EVENT_BACKFILL);
	shape_bool(s, "replay", o->ev->flags & EVENT_REPLAY);
	if (o->level->has_details) {
		shape_text(s, "tenant", str_of(from->tenant), OBSERVABLE_NONE);
		shape_text(s, "customer", str_of(from->customer), OBSERVABLE_NONE);
		shape_text(s, "cloud", str_of(from->cloud), OBSERVABLE_NONE);
		shape_text(s, "stream", str_of(from->stream), OBSERVABLE_NONE);
		shape_text(s, "instance", str_of(from->instance), OBSERVABLE_NONE);
	}
	if (o->ev->record->type == RECORD_UNREADABLE) {
		shape_text(s, "unreadable", o->ev->record->unreadable.why, OBSERVABLE_NONE);
		shape_int(s, "size", (int64_t)o->ev->record->unreadable.size);
	}
	shape_close(s);
}

static void
put_raw(struct ocsf *o)
{
	const struct record *r = o->ev->record;

	if (r->raw.n == 0 || r->type == RECORD_HEALTH)
		return;
	jw_plain_member(&o->shape.w, STR("raw_data"), r->raw);
}

void
ocsf_rest(struct ocsf *o)
{
	const struct record *r = o->ev->record;

	shape_open(&o->shape, "unmapped");
	put_msspd(o);
	if (o->level->has_rest && r->type == RECORD_ALERT)
		shape_rows(&o->shape, ocsf_unmapped_rows, &r->alert);
	if (o->level->has_rest && r->type == RECORD_INCIDENT)
		shape_rows(&o->shape, ocsf_incident_unmapped_rows, &r->incident);
	if (o->level->has_rest && r->type == RECORD_HEALTH)
		shape_rows(&o->shape, ocsf_health_unmapped_rows, &r->health);
	shape_close(&o->shape);
	if (o->level->has_raw)
		put_raw(o);
}

/* What the functions above write, for the manual. */
const struct shape_row ocsf_event_rows[] = {
	ROW(TEXT, "class_uid",
	    "by what it is; category_uid, type_uid, class_name, category_name and type_name go "
	    "with it"),
	ROW(TEXT, "activity_id",
	    "and activity_name, of findings: new is Create (1), escalated, updated and reopened "
	    "Update (2), resolved "
	    "Close (3); of health General Error (1), or Other (99) \"Recovered\""),
	ROW(TEXT, "is_alert", "of an alert's finding: true when it is new"),
	ROW(TEXT, "time",
	    "the event's time, in ms since 1970: of a new alert createdDateTime, of a "
	    "resolved one resolvedDateTime, else lastUpdateDateTime"),
	ROW(TEXT, "timezone_offset", "always 0: all times are UTC"),
	OPEN("metadata"),
	ROW(TEXT, "version", "always \"" OCSF_VERSION "\""),
	ROW(TEXT, "uid", "the event's id, to drop repeats by"),
	ROW(TEXT, "original_event_uid", "id"),
	ROW(TEXT, "tenant_uid", "the tenant's ID"),
	ROW(TEXT, "product.name", "by serviceSource: the name that the service is sold under"),
	ROW(TEXT, "profiles", "cloud; incident with it for class 2004"),
	ROW(TEXT, "is_truncated", "true where something was left out to keep to a size"),
	ROW(TEXT, "labels",
	    "customer:NAME, tenant:NAME, and the customer's own, as the configuration "
	    "has them"),
	ROW(TEXT, "log_name", "the stream: alerts, incidents, …"),
	ROW(TEXT, "log_provider", "always \"msspd\""),
	ROW(TEXT, "logged_time", "when msspd stored it, in ms"),
	ROW(TEXT, "original_time", "lastUpdateDateTime, as text"),
	ROW(TEXT, "extensions", "win, where there is evidence of the registry"),
	CLOSE,
	ROW(TEXT, "observables",
	    "name (the path), type_id, type and value of every address, host, "
	    "user, hash, URL, file, command line, … in the evidence"),
	OPEN("unmapped.msspd"),
	ROW(TEXT, "kind", "what happened: new, escalated, updated, resolved, reopened, …"),
	ROW(TEXT, "changed",
	    "what changed: severity, status, verdict, assignee, incident, evidence, "
	    "remediation, comment, other"),
	ROW(TEXT, "backfill", "true: from before msspd knew the tenant"),
	ROW(TEXT, "replay", "true: sent again because somebody asked for it"),
	ROW(TEXT, "tenant",
	    "the tenant's name in the configuration; likewise customer, cloud, stream "
	    "and instance"),
	ROW(TEXT, "unreadable", "of an alert that could not be read: why; size has its bytes"),
	CLOSE,
	ROW(TEXT, "raw_data",
	    "the alert or incident as Microsoft sent it, as a string; not with "
	    "raw_data: false"),
	END,
};
