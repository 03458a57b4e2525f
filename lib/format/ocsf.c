/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/moment.h"
#include "lib/format/ocsf_parts.h"

/*
 * ocsf: an event as JSON of the Open Cybersecurity Schema Framework, 1.8.0.
 *
 * An alert is a Detection Finding (2004); so is one that could not be read, so that
 * who looks at findings sees it. An incident is an Incident Finding (2005). What msspd
 * tells of a tenant is an Application Error (6008), a canary a Base Event (0).
 */

/* Enough for any one text that is put together: an event id, a path, a link. */
#define TEXT_MAX (1 << 20)

/*
 * What is left out until the event is short enough, in this order: raw_data, the data
 * of evidence, the rest of unmapped, long text, observables, evidence, what is
 * convenient only. What tells whose, which, when and how bad is in all of them.
 */
static const struct ocsf_level levels[] = {
	{ .has_raw = true,
	    .has_data = true,
	    .has_rest = true,
	    .has_observables = true,
	    .has_details = true,
	    .evidence_max = EVIDENCE_MAX },
	{ .has_data = true,
	    .has_rest = true,
	    .has_observables = true,
	    .has_details = true,
	    .evidence_max = EVIDENCE_MAX,
	    .is_short = true },
	{ .has_rest = true,
	    .has_observables = true,
	    .has_details = true,
	    .evidence_max = EVIDENCE_MAX,
	    .is_short = true },
	{ .has_observables = true,
	    .has_details = true,
	    .evidence_max = EVIDENCE_MAX,
	    .text_max = 1024,
	    .is_short = true },
	{ .has_details = true, .evidence_max = EVIDENCE_MAX, .text_max = 512, .is_short = true },
	{ .has_details = true, .evidence_max = 16, .text_max = 256, .is_short = true },
	{ .has_details = true, .evidence_max = 4, .text_max = 256, .is_short = true },
	{ .has_details = true, .text_max = 256, .is_short = true },
	{ .has_minimum = true, .text_max = 64, .is_short = true },
	{ .has_minimum = true, .text_max = 16, .is_short = true },
};

/* ---- classes ---------------------------------------------------------------------------- */

static void
put_shortest(struct ocsf *o)
{
	const struct alert *a = &o->ev->record->alert;
	struct shape *s = &o->shape;
	struct str title = a->title.n != 0 ? a->title : STR("Microsoft Defender alert");

	ocsf_severity(s, a->severity_text);
	shape_open(s, "finding_info");
	shape_whole(s, "uid", a->id);
	shape_text(s, "title", title, OBSERVABLE_NONE);
	shape_close(s);
}

static void
put_alert(struct ocsf *o)
{
	shape_bool(&o->shape, "is_alert", o->ev->kind == KIND_NEW);
	if (o->level->has_minimum) {
		put_shortest(o);
		return;
	}
	shape_rows(&o->shape, ocsf_finding_rows, &o->ev->record->alert);
	ocsf_evidence(o);
	if (o->level->evidence_max > 0)
		ocsf_resources(o);
	ocsf_observables(o);
}

static void
put_record(struct ocsf *o)
{
	const struct record *r = o->ev->record;
	struct shape *s = &o->shape;
	bool is_least = o->level->has_minimum;

	switch (r->type) {
	case RECORD_ALERT:
		put_alert(o);
		break;
	case RECORD_UNREADABLE:
		shape_bool(s, "is_alert", true);
		shape_rows(s, is_least ? ocsf_unreadable_least_rows : ocsf_unreadable_rows,
		    &r->unreadable);
		break;
	case RECORD_HEALTH:
		shape_rows(s, ocsf_health_rows, &r->health);
		break;
	case RECORD_INCIDENT:
		shape_rows(
		    s, is_least ? ocsf_incident_least_rows : ocsf_incident_rows, &r->incident);
		break;
	case RECORD_CANARY:
		shape_rows(s, ocsf_canary_rows, &r->canary);
		break;
	}
}

/* ---- one event ---------------------------------------------------------------------------- */

static void
look(struct ocsf *o, const struct evidence *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum evidence_kind kind = list[i].kind;

		o->has_device |= kind == EVIDENCE_DEVICE;
		o->has_windows |= kind == EVIDENCE_REGISTRY_KEY || kind == EVIDENCE_REGISTRY_VALUE;
		look(o, list[i].children, list[i].nchildren);
	}
}

static void
put_event(struct ocsf *o)
{
	struct shape *s = &o->shape;

	shape_open(s, NULL);
	ocsf_class(o);
	shape_time(s, "time", moment_of(o->ev));
	ocsf_metadata(o);
	shape_open(s, "cloud");
	shape_rows(s, ocsf_cloud_rows, o->ev->origin);
	shape_close(s);
	put_record(o);
	ocsf_rest(o);
	shape_close(s);
}

/* The level is worth a try: not where the raw text alone is too long. */
static bool
may_fit(const struct event *ev, const struct ocsf_level *level, size_t max_bytes)
{
	return !level->has_raw || ev->record->raw.n < max_bytes;
}

/* About as much as it will be: growing copies. */
static void
make_room(struct buf *b, size_t n)
{
	size_t most = b->max - b->n;

	buf_room(b, n < most ? n : most);
}

static bool
try_level(struct buf *out, const struct event *ev, const struct ocsf_level *level, size_t max_bytes)
{
	size_t raw_bytes = ev->record->raw.n, max = out->max;
	struct ocsf o = { .ev = ev, .level = level };

	if (max_bytes < max - out->n)
		out->max = out->n + max_bytes;
	shape_init(&o.shape, out, &o);
	o.shape.on_mark = ocsf_note;
	o.shape.text_max = level->text_max;
	buf_init(&o.text, TEXT_MAX);
	buf_init(&o.observables, max_bytes + SHAPE_PATH_SPARE);
	make_room(out, 3 * raw_bytes + 2048);
	make_room(&o.observables, raw_bytes);
	jw_init(&o.observables_w, &o.observables);
	if (ev->record->type == RECORD_ALERT)
		look(&o, ev->record->alert.evidence, ev->record->alert.nevidence);
	put_event(&o);
	buf_release(&o.text);
	buf_release(&o.observables);
	out->max = max;
	return buf_ok(out);
}

static bool
write_ocsf(struct buf *out, const struct event *ev, const struct format_opts *opts)
{
	size_t start = out->n;

	if (!buf_ok(out))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		struct ocsf_level level = levels[i];

		/* What nobody asked for is not cut. */
		level.has_raw &= !opts->without_raw;
		if (!may_fit(ev, &level, opts->max_bytes))
			continue;
		if (try_level(out, ev, &level, opts->max_bytes))
			return true;
		buf_cut(out, start);
		out->failed = false;
	}
	return false;
}

/* ---- the manual ------------------------------------------------------------------------ */

static const struct {
	const char *title;
	const struct shape_row *rows;
	const char *prefix;
} sections[] = {
	{ "Every event", ocsf_event_rows, "" },
	{ "Whose it is", ocsf_cloud_rows, "cloud" },
	{ "Alerts: Detection Finding, 2004", ocsf_finding_rows, "" },
	{ "What OCSF has no place for", ocsf_unmapped_rows, "unmapped" },
	{ "Devices, as what is affected", ocsf_resource_rows, "resources" },
	{ "Incidents: Incident Finding, 2005", ocsf_incident_rows, "" },
	{ "What OCSF has no place for in incidents", ocsf_incident_unmapped_rows, "unmapped" },
	{ "Alerts that could not be read: Detection Finding, 2004", ocsf_unreadable_rows, "" },
	{ "Health: Application Error, 6008", ocsf_health_rows, "" },
	{ "What OCSF has no place for in health", ocsf_health_unmapped_rows, "unmapped" },
	{ "Canaries: Base Event, 0", ocsf_canary_rows, "" },
};

static void
describe_table(struct buf *out, const char *title, const struct shape_row *rows, const char *prefix)
{
	buf_printf(out, "\n### %s\n\n| attribute | what is there |\n|---|---|\n", title);
	shape_describe(out, rows, prefix);
}

static void
describe(struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		describe_table(out, sections[i].title, sections[i].rows, sections[i].prefix);
	for (size_t i = 0; i < ocsf_nkinds; i++) {
		const struct ocsf_kind *k = &ocsf_kinds[i];

		if (k->rows == NULL)
			continue;
		describe_table(out, k->type, k->rows, "evidences[]");
		if (k->needs_data)
			buf_puts(out, "| `evidences[].data` | the whole item |\n");
		else
			shape_describe(out, k->data, "evidences[].data");
	}
	describe_table(out, "Every kind of evidence", ocsf_every_rows, "evidences[]");
	shape_describe(out, ocsf_every_data, "evidences[].data");
}

const struct format format_ocsf = {
	.name = "ocsf",
	.help = "JSON of the Open Cybersecurity Schema Framework 1.8",
	.version = OCSF_VERSION,
	.content_type = "application/json",
	.write = write_ocsf,
	.describe = describe,
};
