/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/digest.h"
#include "lib/json/repair.h"
#include "lib/json/skim.h"
#include "lib/record/fields.h"

struct record *
record_ref(const struct record *r)
{
	/* The count is the one thing in a record that changes. */
	struct record *counted = (struct record *)(uintptr_t)r;

	counted->refs++;
	return counted;
}

void
record_unref(struct record *r)
{
	if (r == NULL || --r->refs != 0)
		return;
	arena_release(&r->arena);
	free(r);
}

static struct record *
new_record(enum record_type type, struct str raw, bool copy_raw)
{
	struct record *r = xcalloc(1, sizeof(*r));

	r->refs = 1;
	r->type = type;
	arena_init(&r->arena);
	r->raw = copy_raw ? arena_copy(&r->arena, raw) : raw;
	return r;
}

/* ---- what cannot be read ------------------------------------------------------------- */

static struct str
copy_of_text(struct arena *arena, const char *text)
{
	return (struct str){ arena_strdup(arena, text), strlen(text) };
}

/* What a glance shows of an alert. */
struct glimpse {
	struct str id, tenant_id, title, severity, status, created, updated;
	bool has_two_ids, has_two_tenants;
};

static void
take(struct str *field, struct str value, struct arena *arena)
{
	struct jr r;

	jr_init(&r, value, arena);
	if (field->s == NULL && !jr_string(&r, field))
		*field = (struct str){ NULL, 0 };
}

/* Is it given again, and is it another one? m: a member of that name. */
static bool
differs(const struct skim_member *m, struct str before, struct arena *arena)
{
	struct str again = { NULL, 0 };

	if (before.s == NULL)
		return false;
	take(&again, m->value, arena);
	return !str_same(before, again);
}

static void
glance(struct glimpse *g, struct str text, struct arena *arena)
{
	const struct {
		const char *name;
		struct str *field;
	} wanted[] = {
		{ "id", &g->id },
		{ "tenantId", &g->tenant_id },
		{ "aadTenantId", &g->tenant_id },
		{ "title", &g->title },
		{ "displayName", &g->title },
		{ "severity", &g->severity },
		{ "status", &g->status },
		{ "createdDateTime", &g->created },
		{ "alertCreationTime", &g->created },
		{ "lastUpdateDateTime", &g->updated },
		{ "lastUpdateTime", &g->updated },
	};
	struct skim_member m;
	struct skim s;

	skim_init(&s, text);
	while (skim_next(&s, &m)) {
		const struct glimpse before = *g;

		for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
			if (str_is(m.name, wanted[i].name))
				take(wanted[i].field, m.value, arena);
		}
		if (str_is(m.name, "id"))
			g->has_two_ids |= differs(&m, before.id, arena);
		if (str_is(m.name, "tenantId") || str_is(m.name, "aadTenantId"))
			g->has_two_tenants |= differs(&m, before.tenant_id, arena);
	}
}

static int64_t
time_of(struct str s)
{
	int64_t ticks;

	return s.s != NULL && ticks_parse(s, &ticks) && !ticks_is_sentinel(ticks) ? ticks
	                                                                          : TICKS_NONE;
}

/* text: the slice, repaired. Two ids that differ are none. */
static void
become_unreadable(struct record *r, struct str text, struct str why, int64_t now)
{
	struct glimpse g = { .has_two_ids = false };
	char sum[65];

	glance(&g, text, &r->arena);
	if (g.has_two_ids || g.id.n == 0 || g.id.n > ALERT_ID_MAX) {
		digest_sha256(r->raw, sum);
		g.id = copy_of_text(&r->arena, sum);
	}
	r->type = RECORD_UNREADABLE;
	r->is_repaired = false;
	r->unreadable = (struct unreadable){
		.id = g.id,
		.title = g.title,
		.tenant_id = g.has_two_tenants ? (struct str){ NULL, 0 } : g.tenant_id,
		.severity_text = g.severity,
		.updated = time_of(g.updated),
		.created = time_of(g.created),
		.why = why,
		.size = r->raw.n,
	};
	r->id = g.id;
	r->version = r->unreadable.updated != TICKS_NONE ? r->unreadable.updated : now;
	parts_of_unreadable(&r->seen, r->raw);
	r->seen.created = r->unreadable.created;
	r->seen.version = r->version;
	r->seen.severity = (uint8_t)alert_severity(g.severity);
	r->seen.status = (uint8_t)alert_status(g.status);
}

/* ---- what can be read ----------------------------------------------------------------- */

/* Fills the record's own fields, id and version; false and why. */
typedef bool slice_reader(struct reading *rd, struct record *r, struct str *why);

static bool
as_alert(struct reading *rd, struct record *r, struct str *why)
{
	bool ok = alert_read(rd, &r->alert, why);

	r->id = r->alert.id;
	r->version = r->alert.updated;
	return ok;
}

static bool
as_mde(struct reading *rd, struct record *r, struct str *why)
{
	bool ok = mde_read(rd, &r->alert, why);

	r->id = r->alert.id;
	r->version = r->alert.updated;
	return ok;
}

static bool
as_incident(struct reading *rd, struct record *r, struct str *why)
{
	bool ok = incident_read(rd, &r->incident, why);

	r->id = r->incident.id;
	r->version = r->incident.updated;
	return ok;
}

static bool
try_slice(struct record *r, slice_reader *read, struct str text, struct str *why)
{
	struct reading rd;
	bool ok;

	reading_init(&rd, text, &r->arena);
	rd.is_mended = text.s != r->raw.s;
	ok = read(&rd, r, why);
	r->is_repaired |= ok && rd.is_repaired;
	reading_release(&rd);
	return ok;
}

/* Repairs, where that is needed, a copy: raw stays as it came. */
static bool
read_slice(struct record *r, slice_reader *read, struct str *text, struct str *why)
{
	*text = r->raw;
	if (try_slice(r, read, *text, why))
		return true;
	*text = jr_repair(r->raw, &r->arena);
	r->is_repaired = text->s != r->raw.s;
	return r->is_repaired && try_slice(r, read, *text, why);
}

struct record *
record_from_alert(struct str slice, bool copy_raw, int64_t now)
{
	struct record *r = new_record(RECORD_ALERT, slice, copy_raw);
	struct str text, why;

	if (read_slice(r, as_alert, &text, &why))
		parts_of_alert(&r->seen, &r->alert);
	else
		become_unreadable(r, text, why, now);
	return r;
}

struct record *
record_from_mde(struct str slice, bool copy_raw, int64_t now)
{
	struct record *r = new_record(RECORD_ALERT, slice, copy_raw);
	struct str text, why;

	if (read_slice(r, as_mde, &text, &why))
		parts_of_alert(&r->seen, &r->alert);
	else
		become_unreadable(r, text, why, now);
	r->seen.rev |= SEEN_MDE;
	return r;
}

struct record *
record_from_incident(struct str slice, bool copy_raw, int64_t now)
{
	struct record *r = new_record(RECORD_INCIDENT, slice, copy_raw);
	struct str text, why;

	if (read_slice(r, as_incident, &text, &why))
		parts_of_incident(&r->seen, &r->incident);
	else
		become_unreadable(r, text, why, now);
	return r;
}

enum severity
record_severity(const struct record *r)
{
	if (r->type == RECORD_ALERT)
		return r->alert.severity;
	return r->type == RECORD_INCIDENT ? r->incident.severity : SEVERITY_UNKNOWN;
}

struct str
record_tenant_id(const struct record *r)
{
	switch (r->type) {
	case RECORD_ALERT:
		return r->alert.tenant_id;
	case RECORD_INCIDENT:
		return r->incident.tenant_id;
	case RECORD_UNREADABLE:
		return r->unreadable.tenant_id;
	case RECORD_HEALTH:
	case RECORD_CANARY:
		break;
	}
	return (struct str){ NULL, 0 };
}

static void
read_own(struct record *r)
{
	struct reading rd;

	reading_init(&rd, r->raw, &r->arena);
	if (r->type == RECORD_HEALTH)
		health_read(&rd, &r->health);
	else
		canary_read(&rd, &r->canary);
	reading_release(&rd);
}

struct record *
record_from_entry(enum record_type type, struct str id, int64_t version, struct str body)
{
	struct record *r = new_record(type, body, false);
	struct str text, why, unused;

	switch (type) {
	case RECORD_ALERT:
		if (!read_slice(r, as_alert, &text, &why) &&
		    !read_slice(r, as_mde, &text, &unused))
			become_unreadable(r, text, why, version);
		break;
	case RECORD_UNREADABLE:
		if (read_slice(r, as_alert, &text, &why))
			why = STR("it could not be read when it came");
		become_unreadable(r, text, why, version);
		break;
	case RECORD_HEALTH:
	case RECORD_CANARY:
		read_own(r);
		break;
	case RECORD_INCIDENT:
		if (!read_slice(r, as_incident, &text, &why))
			become_unreadable(r, text, why, version);
		break;
	}
	r->id = arena_copy(&r->arena, id);
	r->version = version;
	r->seen = (struct seen){ .version = version };
	if (r->type == RECORD_UNREADABLE)
		r->unreadable.id = r->id;
	return r;
}
