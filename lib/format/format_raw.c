/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/arena.h"
#include "lib/format/format.h"
#include "lib/format/json_line.h"
#include "lib/format/portal.h"
#include "lib/json/repair.h"
#include "lib/json/writer.h"

/*
 * raw: {"msspd":{…},"alert":{…}}, the alert as Microsoft sent it.
 *
 * "msspd" says what the alert does not: event_id, kind, changed, backfill, replay,
 * journalled, tenant, tenant_id, customer, customer_name, cloud, stream, instance
 * (where there is one). "alert" is the object byte for byte, except that
 *  - line ends and tabs between its tokens are spaces, so that a line is a line;
 *  - inside its strings, control characters and U+2028 and U+2029 are written as
 *    escapes, and bytes that are not UTF-8 as U+FFFD: the values stay the same.
 * An alert that could not be read is no JSON: "alert" is null then, and
 * "unreadable" holds the reason, the size and the text as a string.
 * An alert cannot be shortened: where the line would be longer than max_bytes,
 * "alert" is null, and "too_large" says how many bytes it has, with id, title, severity and link.
 * An unreadable text that is too long is cut.
 * A health record has "health" instead of "alert".
 */

static void
write_changed(struct jw *w, unsigned changed)
{
	jw_name(w, "changed");
	jw_array(w);
	for (unsigned i = 0; i < PART_COUNT; i++) {
		if (changed & 1u << i)
			jw_text(w, part_names[i]);
	}
	jw_array_end(w);
}

static void
write_time(struct jw *w, const char *name, int64_t ticks)
{
	struct buf text = BUF_INIT(64);

	if (ticks == TICKS_NONE)
		return;
	ticks_write(&text, ticks, 7);
	jw_name(w, name);
	jw_str(w, buf_peek(&text));
	buf_release(&text);
}

static void
write_member(struct jw *w, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	jw_name(w, name);
	jw_text(w, value);
}

static void
write_envelope(struct jw *w, const struct event *ev)
{
	const struct origin *o = ev->origin;
	struct buf id = BUF_INIT(8192);

	event_id(&id, ev);
	jw_name(w, "msspd");
	jw_object(w);
	jw_name(w, "event_id");
	jw_str(w, buf_peek(&id));
	buf_release(&id);
	write_member(w, "kind", kind_names[ev->kind]);
	write_changed(w, ev->changed);
	jw_name(w, "backfill");
	jw_bool(w, ev->flags & EVENT_BACKFILL);
	jw_name(w, "replay");
	jw_bool(w, ev->flags & EVENT_REPLAY);
	write_time(w, "journalled", ev->journalled);
	write_member(w, "tenant", o->tenant);
	write_member(w, "tenant_id", o->tenant_id);
	write_member(w, "customer", o->customer);
	write_member(w, "customer_name", o->customer_name);
	write_member(w, "cloud", o->cloud);
	write_member(w, "stream", o->stream);
	write_member(w, "instance", o->instance);
	jw_object_end(w);
}

static void
write_unreadable(struct jw *w, const struct record *r, size_t text_max)
{
	struct str text = { r->raw.s, utf8_cut(r->raw.s, r->raw.n, text_max) };

	jw_name(w, "alert");
	jw_null(w);
	jw_name(w, "unreadable");
	jw_object(w);
	jw_name(w, "id");
	jw_str(w, r->id);
	jw_name(w, "why");
	jw_str(w, r->unreadable.why);
	jw_name(w, "size");
	jw_int(w, (int64_t)r->unreadable.size);
	jw_name(w, "text");
	jw_str(w, text);
	jw_object_end(w);
}

static const char *
name_of(enum record_type type)
{
	switch (type) {
	case RECORD_INCIDENT:
		return "incident";
	case RECORD_HEALTH:
		return "health";
	case RECORD_CANARY:
		return "canary";
	case RECORD_ALERT:
	case RECORD_UNREADABLE:
		break;
	}
	return "alert";
}

/* In place of an alert or incident that is longer than a line may be. */
static void
write_too_large(struct jw *w, const struct event *ev)
{
	const struct record *r = ev->record;
	struct buf link = BUF_INIT(PORTAL_LINK_MAX);
	struct str title;

	portal_link(&link, ev);
	jw_name(w, name_of(r->type));
	jw_null(w);
	jw_name(w, "too_large");
	jw_object(w);
	jw_name(w, "size");
	jw_int(w, (int64_t)r->raw.n);
	jw_name(w, "id");
	jw_str(w, r->id);
	if (r->type == RECORD_ALERT || r->type == RECORD_INCIDENT) {
		title = r->type == RECORD_ALERT ? r->alert.title : r->incident.name;
		jw_name(w, "title");
		jw_str(w, (struct str){ title.s, utf8_cut(title.s, title.n, 256) });
		jw_name(w, "severity");
		jw_text(w, severity_names[record_severity(r)]);
	}
	jw_name(w, "url");
	jw_str(w, buf_peek(&link));
	jw_object_end(w);
	buf_release(&link);
}

/* The slice, with its strings made whole where the record had to be repaired, too. */
static void
write_alert(struct jw *w, const struct record *r)
{
	struct arena arena;

	arena_init(&arena);
	jw_name(w, name_of(r->type));
	jw_raw(w, r->is_repaired ? jr_repair(r->raw, &arena) : r->raw);
	arena_release(&arena);
}

/* text_max: how much of an unreadable text; with_raw: of an alert, the object itself. */
static bool
try_write(struct buf *out, const struct event *ev, size_t max_bytes, bool with_raw, size_t text_max)
{
	struct buf line = BUF_INIT(max_bytes);
	struct jw w;
	size_t start = out->n;

	jw_init(&w, &line);
	jw_object(&w);
	write_envelope(&w, ev);
	if (ev->record->type == RECORD_UNREADABLE)
		write_unreadable(&w, ev->record, text_max);
	else if (with_raw)
		write_alert(&w, ev->record);
	else
		write_too_large(&w, ev);
	jw_object_end(&w);
	if (buf_ok(&line))
		json_line(out, buf_peek(&line));
	else
		out->failed = true;
	buf_release(&line);
	if (buf_ok(out) && out->n - start <= max_bytes)
		return true;
	buf_cut(out, start);
	out->failed = false;
	return false;
}

static bool
write_raw(struct buf *out, const struct event *ev, const struct format_opts *opts)
{
	size_t max = opts->max_bytes;

	if (!buf_ok(out))
		return false;
	/* An escape makes six bytes of one at most: the second try of a text seldom fails. */
	return (ev->record->raw.n <= max && try_write(out, ev, max, true, max)) ||
	       (max > 1200 && try_write(out, ev, max, false, (max - 1200) / 2)) ||
	       try_write(out, ev, max, false, 0);
}

static void
describe(struct buf *out)
{
	buf_puts(out,
	    "\n| member | what is there |\n|---|---|\n"
	    "| `msspd.event_id` | the event's id, to drop repeats by |\n"
	    "| `msspd.kind` | what happened: new, escalated, updated, resolved, reopened, … |\n"
	    "| `msspd.changed` | what changed, a list |\n"
	    "| `msspd.backfill` | true: from before msspd knew the tenant |\n"
	    "| `msspd.replay` | true: sent again because somebody asked for it |\n"
	    "| `msspd.journalled` | when msspd stored it |\n"
	    "| `msspd.tenant`, `tenant_id`, `customer`, `customer_name`, `cloud`, `stream`, "
	    "`instance` | whose it is |\n"
	    "| `alert` | the object as Microsoft sent it; null where it cannot be shown |\n"
	    "| `incident` | the same of an incident |\n"
	    "| `health` | what happened, of health |\n"
	    "| `canary` | `sink`, `purpose` (canary: by itself; test: a person asked for it) and "
	    "`summary` of a record that only shows that the way is open |\n"
	    "| `unreadable` | id, why, size and text of what is no JSON |\n"
	    "| `too_large` | size, id, title, severity and url of what is longer than a message "
	    "may be |\n");
}

const struct format format_raw = {
	.name = "raw",
	.help = "JSON: the alert as Microsoft sent it, in a small envelope",
	.version = "1",
	.content_type = "application/json",
	.write = write_raw,
	.describe = describe,
};
