/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "lib/format/cef_facts.h"
#include "lib/format/moment.h"
#include "lib/format/portal.h"

/* Of texts that are put together, more than this of one part is never used. */
#define PART_MAX 1100
#define LIST_MAX 4100

void
cef_set(struct cef_facts *f, enum cef_key key, struct str value)
{
	if (f->value[key].n == 0)
		f->value[key] = value;
}

void
cef_set_text(struct cef_facts *f, enum cef_key key, size_t start)
{
	if (buf_ok(&f->text)) {
		cef_set(f, key, (struct str){ f->text.p + start, f->text.n - start });
	} else {
		buf_cut(&f->text, start);
		f->text.failed = false;
	}
}

void
cef_set_number(struct cef_facts *f, enum cef_key key, int64_t number)
{
	size_t start = f->text.n;

	if (number < 0)
		return;
	buf_int(&f->text, number);
	cef_set_text(f, key, start);
}

static struct str
clip(struct str s, size_t max)
{
	return (struct str){ s.s, utf8_cut(s.s, s.n, max) };
}

/* Texts that are a value as they are. Of two rows of one key the second is the spare. */
static const struct {
	enum cef_key key;
	size_t off;
} fields[] = {
	{ CEF_CAT, offsetof(struct alert, category) },
	{ CEF_STATUS, offsetof(struct alert, status_text) },
	{ CEF_SERVICE, offsetof(struct alert, service_source) },
	{ CEF_FACILITY, offsetof(struct alert, detection_source) },
	{ CEF_THREAT, offsetof(struct alert, threat_display_name) },
	{ CEF_THREAT, offsetof(struct alert, threat_family_name) },
	{ CEF_ACTOR, offsetof(struct alert, actor_display_name) },
	{ CEF_MSG, offsetof(struct alert, description) },
	{ CEF_REASON, offsetof(struct alert, recommended_actions) },
};

static const struct {
	enum cef_key key;
	size_t off;
} times[] = {
	{ CEF_START, offsetof(struct alert, first_activity) },
	{ CEF_END, offsetof(struct alert, last_activity) },
	{ CEF_CREATED, offsetof(struct alert, created) },
	{ CEF_RESOLVED, offsetof(struct alert, resolved) },
};

static void
gather_fields(struct cef_facts *f, const struct alert *a)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		cef_set(f, fields[i].key, *(const struct str *)((const char *)a + fields[i].off));
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		int64_t t = *(const int64_t *)((const char *)a + times[i].off);

		cef_set_number(f, times[i].key, moment_ms(t));
	}
	for (size_t i = 0; i < a->ncategories; i++)
		cef_set(f, CEF_CAT, a->categories[i]);
}

/* cn1 is a number in every receiver: an id that is none has a key of its own. */
static void
gather_incident(struct cef_facts *f, struct str id)
{
	bool is_number = id.n > 0 && id.n <= 18;

	for (size_t i = 0; i < id.n && is_number; i++)
		is_number = id.s[i] >= '0' && id.s[i] <= '9';
	cef_set(f, is_number ? CEF_INCIDENT : CEF_INCIDENT_TEXT, id);
}

/* What is cut says so, as escape_value() does. False then. */
static bool
add_part(struct cef_facts *f, struct str part, size_t max)
{
	buf_str(&f->text, clip(part, max));
	if (part.n <= max)
		return true;
	buf_puts(&f->text, "...");
	return false;
}

static void
gather_verdict(struct cef_facts *f, struct str classification, struct str determination)
{
	size_t start = f->text.n;

	if (determination.n == 0) {
		cef_set(f, CEF_VERDICT, classification);
		return;
	}
	(void)add_part(f, classification.n != 0 ? classification : STR("unknown"), PART_MAX);
	buf_byte(&f->text, '/');
	(void)add_part(f, determination, PART_MAX);
	cef_set_text(f, CEF_VERDICT, start);
}

static void
add_list(struct cef_facts *f, size_t start, const struct str *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t used = f->text.n - start;

		if (v[i].n == 0)
			continue;
		if (used > 0)
			buf_byte(&f->text, ',');
		if (!add_part(f, v[i], used < LIST_MAX ? LIST_MAX - used : 0))
			return;
	}
}

static void
gather_techniques(struct cef_facts *f, const struct alert *a)
{
	size_t start = f->text.n;

	add_list(f, start, a->mitre_techniques, a->nmitre_techniques);
	cef_set_text(f, CEF_TECHNIQUES, start);
}

static void
gather_alert(struct cef_facts *f, const struct alert *a)
{
	gather_fields(f, a);
	gather_incident(f, a->incident_id);
	gather_verdict(f, a->classification, a->determination);
	gather_techniques(f, a);
	cef_gather_evidence(f, a);
}

static void
gather_incident_record(struct cef_facts *f, const struct incident *i)
{
	size_t start;

	gather_incident(f, i->id);
	cef_set(f, CEF_MERGED, i->redirect_id);
	cef_set(f, CEF_STATUS, i->status_text);
	gather_verdict(f, i->classification, i->determination);
	cef_set_number(f, CEF_CREATED, moment_ms(i->created));
	cef_set_number(f, CEF_PRIORITY, i->priority);
	cef_set(f, CEF_MSG, i->description);
	cef_set(f, CEF_MSG, i->summary);
	cef_set(f, CEF_REASON, i->resolving_comment);
	start = f->text.n;
	add_list(f, start, i->custom_tags, i->ncustom_tags);
	add_list(f, start, i->system_tags, i->nsystem_tags);
	cef_set_text(f, CEF_TAGS, start);
}

static void
gather_unreadable(struct cef_facts *f, const struct unreadable *u)
{
	size_t start;

	cef_set(f, CEF_REASON, u->why);
	cef_set_number(f, CEF_CREATED, moment_ms(u->created));
	start = f->text.n;
	buf_puts(&f->text, "msspd could not read this alert and kept its ");
	buf_int(&f->text, (int64_t)u->size);
	buf_puts(&f->text, " bytes in quarantine.");
	if (u->severity_text.n != 0) {
		buf_puts(&f->text, " Its severity seems to be ");
		buf_str(&f->text, clip(u->severity_text, PART_MAX));
		buf_byte(&f->text, '.');
	}
	cef_set_text(f, CEF_MSG, start);
}

static void
gather_health(struct cef_facts *f, const struct health *h)
{
	cef_set(f, CEF_CAT, h->about);
	cef_set(f, CEF_STATUS, h->state);
	cef_set(f, CEF_WAS, h->was);
	cef_set_number(f, CEF_START, moment_ms(h->since));
	cef_set(f, CEF_MSG, h->what);
	cef_set(f, CEF_REASON, h->remedy);
}

static void
gather_changed(struct cef_facts *f)
{
	size_t start = f->text.n;

	for (unsigned i = 0; i < PART_COUNT; i++) {
		if ((f->ev->changed & 1u << i) == 0)
			continue;
		if (f->text.n > start)
			buf_byte(&f->text, ',');
		buf_puts(&f->text, part_names[i]);
	}
	cef_set_text(f, CEF_CHANGED, start);
}

/* Where a person finds the alert. */
static void
gather_alert_names(struct cef_facts *f, const struct event *ev)
{
	size_t start = f->text.n;

	if (ev->record->type == RECORD_HEALTH)
		return;
	cef_set(f, CEF_ALERT_ID, ev->record->id);
	portal_link(&f->text, ev);
	cef_set_text(f, CEF_ALERT_URL, start);
}

/* What every kind of event has: whose it is, which it is, what happened. */
static void
gather_event(struct cef_facts *f, const struct event *ev)
{
	const struct origin *o = ev->origin;
	size_t start = f->text.n;

	event_id(&f->text, ev);
	cef_set_text(f, CEF_EVENT_ID, start);
	gather_alert_names(f, ev);
	cef_set_number(f, CEF_RT, moment_ms(moment_of(ev)));
	cef_set(f, CEF_ACT, str_of(kind_names[ev->kind]));
	cef_set(f, CEF_EXTERNAL_ID, ev->record->id);
	cef_set(f, CEF_TENANT_ID, str_of(o->tenant_id));
	cef_set(f, CEF_CUSTOMER, str_of(o->customer_name));
	cef_set(f, CEF_CUSTOMER, str_of(o->customer));
	cef_set(f, CEF_INSTANCE, str_of(o->instance));
	if (ev->flags & EVENT_ORIGINS)
		cef_set(f, CEF_ORIGIN, ev->flags & EVENT_REPLAY ? STR("replay") : STR("backfill"));
	gather_changed(f);
}

void
cef_gather(struct cef_facts *f, const struct event *ev)
{
	f->ev = ev;
	f->text = (struct buf){ .p = f->room, .room = sizeof(f->room), .max = sizeof(f->room) - 1 };
	memset(f->value, 0, sizeof(f->value));
	gather_event(f, ev);
	switch (ev->record->type) {
	case RECORD_ALERT:
		gather_alert(f, &ev->record->alert);
		break;
	case RECORD_UNREADABLE:
		gather_unreadable(f, &ev->record->unreadable);
		break;
	case RECORD_HEALTH:
		gather_health(f, &ev->record->health);
		break;
	case RECORD_INCIDENT:
		gather_incident_record(f, &ev->record->incident);
		break;
	case RECORD_CANARY:
		break;
	}
}
