/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/ecs_parts.h"
#include "lib/format/headline.h"
#include "lib/format/moment.h"
#include "lib/format/shape_table.h"

/*
 * ecs: an event as JSON of the Elastic Common Schema. What the schema has no field for
 * is below "msspd".
 */
#define TEXT_MAX (1 << 20) /* of any one text that is put together */

/* What is left out until the event is short enough, in this order. */
static const struct ecs_level levels[] = {
	{ .has_original = true, .has_rest = true, .has_evidence = true },
	{ .has_rest = true, .has_evidence = true, .is_short = true },
	{ .has_rest = true, .has_evidence = true, .text_max = 512, .is_short = true },
	{ .has_evidence = true, .text_max = 256, .is_short = true },
	{ .text_max = 256, .is_short = true },
	{ .text_max = 64, .is_short = true },
	{ .has_minimum = true, .text_max = 64, .is_short = true },
	{ .has_minimum = true, .text_max = 24, .is_short = true },
};

/* By type of record. */
static const struct kind {
	const char *dataset;
	const struct shape_row *event, *rows, *own;
} kinds[] = {
	[RECORD_ALERT] = { "msspd.alert", ecs_alert_event_rows, ecs_alert_rows,
	    ecs_alert_own_rows },
	[RECORD_INCIDENT] = { "msspd.incident", ecs_incident_event_rows, ecs_incident_rows,
	    ecs_incident_own_rows },
	[RECORD_HEALTH] = { "msspd.health", ecs_health_event_rows, ecs_health_rows,
	    ecs_health_own_rows },
	[RECORD_CANARY] = { "msspd.canary", NULL, NULL, NULL },
	[RECORD_UNREADABLE] = { "msspd.unreadable", ecs_unreadable_event_rows, ecs_unreadable_rows,
	    ecs_unreadable_own_rows },
};

static const void *
base_of(const struct record *r)
{
	switch (r->type) {
	case RECORD_ALERT:
		return &r->alert;
	case RECORD_INCIDENT:
		return &r->incident;
	case RECORD_HEALTH:
		return &r->health;
	case RECORD_UNREADABLE:
		return &r->unreadable;
	case RECORD_CANARY:
		break;
	}
	return r;
}

/* ---- parts of every event ---------------------------- */

static void
put_stamp(struct ecs *e, const char *name, int64_t ticks)
{
	buf_clear(&e->text);
	ticks_write(&e->text, ticks, 3);
	shape_whole(&e->shape, name, buf_peek(&e->text));
}

static void
put_event(struct ecs *e, const struct kind *k)
{
	const struct record *r = e->ev->record;
	struct shape *s = &e->shape;

	shape_open(s, "event");
	shape_text(s, "module", STR("msspd"), ECS_NONE);
	shape_text(s, "dataset", str_of(k->dataset), ECS_NONE);
	shape_text(s, "action", str_of(kind_names[e->ev->kind]), ECS_NONE);
	shape_open_array(s, "type");
	shape_text(s, NULL, STR("info"), ECS_NONE);
	shape_close(s);
	if (k->event != NULL)
		shape_rows(s, k->event, base_of(r));
	else
		shape_text(s, "kind", STR("event"), ECS_NONE);
	if (e->level->has_original && r->type != RECORD_HEALTH)
		shape_whole(s, "original", r->raw);
	shape_close(s);
}

static void
put_name_and_id(struct shape *s, const char *name, const struct origin *o)
{
	const char *customer = o->customer_name[0] != '\0' ? o->customer_name : o->customer;

	shape_open(s, name);
	shape_whole(s, "id", str_of(o->tenant_id));
	shape_text(s, "name", str_of(customer), ECS_NONE);
	shape_close(s);
}

static void
put_owner(struct ecs *e)
{
	const struct record *r = e->ev->record;
	struct shape *s = &e->shape;

	put_name_and_id(s, "organization", e->ev->origin);
	if (e->level->has_minimum)
		return;
	shape_open(s, "cloud");
	shape_text(s, "provider", STR("azure"), ECS_NONE);
	put_name_and_id(s, "account", e->ev->origin);
	shape_close(s);
	shape_open(s, "observer");
	shape_text(s, "vendor", str_of(headline_vendor(r)), ECS_NONE);
	shape_text(s, "product", str_of(headline_product(r)), ECS_NONE);
	shape_close(s);
}

static void
put_labels(struct ecs *e)
{
	const struct origin *o = e->ev->origin;

	shape_open_array(&e->shape, "labels");
	for (size_t i = 0; i < o->nlabels; i++) {
		buf_clear(&e->text);
		buf_puts(&e->text, o->labels[i].key);
		buf_byte(&e->text, ':');
		buf_puts(&e->text, o->labels[i].value);
		shape_text(&e->shape, NULL, buf_peek(&e->text), ECS_NONE);
	}
	shape_close(&e->shape);
}

static void
put_what_happened(struct ecs *e)
{
	struct shape *s = &e->shape;

	shape_text(s, "kind", str_of(kind_names[e->ev->kind]), ECS_NONE);
	shape_open_array(s, "changed");
	for (unsigned i = 0; i < PART_COUNT; i++) {
		if (e->ev->changed & 1u << i)
			shape_text(s, NULL, str_of(part_names[i]), ECS_NONE);
	}
	shape_close(s);
	shape_bool(s, "backfill", e->ev->flags & EVENT_BACKFILL);
	shape_bool(s, "replay", e->ev->flags & EVENT_REPLAY);
	if (e->level->is_short)
		shape_bool(s, "truncated", true);
}

/* What the schema has no field for. */
static void
put_own(struct ecs *e, const struct kind *k)
{
	const struct origin *o = e->ev->origin;
	struct shape *s = &e->shape;

	shape_open(s, "msspd");
	buf_clear(&e->text);
	event_id(&e->text, e->ev);
	shape_whole(s, "event_id", buf_peek(&e->text));
	put_what_happened(e);
	if (e->level->has_rest) {
		put_stamp(e, "journalled", e->ev->journalled);
		shape_text(s, "tenant", str_of(o->tenant), ECS_NONE);
		shape_text(s, "customer", str_of(o->customer), ECS_NONE);
		shape_text(s, "cloud", str_of(o->cloud), ECS_NONE);
		shape_text(s, "stream", str_of(o->stream), ECS_NONE);
		shape_text(s, "instance", str_of(o->instance), ECS_NONE);
		put_labels(e);
		if (k->own != NULL)
			shape_rows(s, k->own, base_of(e->ev->record));
	}
	shape_close(s);
}

static void
put_headline(struct shape *s, const struct record *r)
{
	struct str title = headline_title(r);

	shape_text(s, "message", title.n != 0 ? title : str_of(headline_name(r)), ECS_NONE);
}

static void
put_record(struct ecs *e)
{
	const struct record *r = e->ev->record;
	const struct kind *k = &kinds[r->type];
	struct shape *s = &e->shape;

	shape_open(s, NULL);
	put_stamp(e, "@timestamp", moment_of(e->ev));
	shape_open(s, "ecs");
	shape_text(s, "version", STR(ECS_VERSION), ECS_NONE);
	shape_close(s);
	put_event(e, k);
	put_owner(e);
	if (k->rows != NULL && !e->level->has_minimum)
		shape_rows(s, k->rows, base_of(r));
	else
		put_headline(s, r);
	if (r->type == RECORD_ALERT && e->level->has_evidence)
		ecs_evidence(e);
	put_own(e, k);
	shape_close(s);
}

/* ---- one event ---------------------------- */

static bool
try_level(struct buf *out, const struct event *ev, const struct ecs_level *level, size_t max_bytes)
{
	struct buf line = BUF_INIT(max_bytes);
	struct ecs e;
	bool ok;

	e.ev = ev;
	e.level = level;
	memset(e.nrelated, 0, sizeof(e.nrelated));
	shape_init(&e.shape, &line, &e);
	e.shape.text_max = level->text_max;
	buf_init(&e.text, TEXT_MAX);
	put_record(&e);
	ok = buf_ok(&line) && buf_ok(&e.text) && line.n <= out->max - out->n;
	if (ok)
		buf_str(out, buf_peek(&line));
	buf_release(&e.text);
	buf_release(&line);
	return ok;
}

static bool
write_ecs(struct buf *out, const struct event *ev, const struct format_opts *opts)
{
	if (!buf_ok(out))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		struct ecs_level level = levels[i];

		/* What nobody asked for is not cut. */
		level.has_original &= !opts->without_raw;
		if (level.has_original && ev->record->raw.n >= opts->max_bytes)
			continue;
		if (try_level(out, ev, &level, opts->max_bytes))
			return true;
	}
	return false;
}

/* ---- the manual ---------------------------- */

/* What the functions above write. */
static const struct shape_row event_rows[] = {
	ROW(TEXT, "@timestamp",
	    "the event's time: of a new alert createdDateTime, of a resolved one "
	    "resolvedDateTime, else lastUpdateDateTime"),
	ROW(TEXT, "ecs.version", "always \"" ECS_VERSION "\""),
	ROW(TEXT, "event.module", "always \"msspd\""),
	ROW(TEXT, "event.dataset",
	    "msspd.alert, msspd.incident, msspd.health, msspd.canary or msspd.unreadable"),
	ROW(TEXT, "event.action", "what happened: new, escalated, updated, resolved, reopened, …"),
	ROW(TEXT, "event.type", "always \"info\""),
	ROW(TEXT, "event.original",
	    "the alert or incident as Microsoft sent it, as a string; not with raw_data: false"),
	ROW(TEXT, "organization.id", "the tenant's ID; likewise cloud.account.id"),
	ROW(TEXT, "organization.name", "the customer's name; likewise cloud.account.name"),
	ROW(TEXT, "observer.product", "by serviceSource: the name that the service is sold under"),
	ROW(TEXT, "observer.vendor", "Microsoft; msspd, of health and canaries"),
	ROW(TEXT, "msspd.event_id", "the event's id: use it as the document's _id"),
	ROW(TEXT, "msspd.kind", "what happened; likewise changed, backfill, replay"),
	ROW(TEXT, "msspd.truncated", "true where something was left out to keep to a size"),
	ROW(TEXT, "msspd.journalled", "when msspd stored it"),
	ROW(TEXT, "msspd.tenant",
	    "the tenant's name in the configuration; likewise customer, cloud, stream, instance"),
	ROW(TEXT, "msspd.labels", "the customer's labels, as key:value"),
	ROW(TEXT, "related.ip",
	    "every address in the evidence; likewise hosts, user and hash; at most 64 each"),
	END,
};

static const struct {
	const char *title;
	enum record_type type;
} sections[] = {
	{ "Alerts", RECORD_ALERT },
	{ "Incidents", RECORD_INCIDENT },
	{ "Alerts that could not be read", RECORD_UNREADABLE },
	{ "Health", RECORD_HEALTH },
};

static void
head(struct buf *out, const char *title)
{
	buf_printf(out, "\n### %s in ECS\n\n| field | what is there |\n|---|---|\n", title);
}

static void
describe(struct buf *out)
{
	head(out, "Every event");
	shape_describe(out, event_rows, "");
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		const struct kind *k = &kinds[sections[i].type];

		head(out, sections[i].title);
		shape_describe(out, k->event, "event");
		shape_describe(out, k->rows, "");
		shape_describe(out, k->own, "msspd");
	}
	for (size_t i = 0; i < ecs_nkinds; i++) {
		if (ecs_kinds[i].rows == NULL)
			continue;
		head(out, ecs_kinds[i].type);
		shape_describe(out, ecs_kinds[i].rows, "");
	}
}

const struct format format_ecs = {
	.name = "ecs",
	.help = "JSON of the Elastic Common Schema",
	.version = ECS_VERSION,
	.content_type = "application/json",
	.write = write_ecs,
	.describe = describe,
};
