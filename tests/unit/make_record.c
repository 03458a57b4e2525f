/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "lib/base/alloc.h"
#include "tests/unit/make_record.h"

/* An origin owns its text; this one is never released. */
#define T(literal) ((char *)(literal))

static struct origin_label labels[] = { { "tier", "gold" }, { "region", "eu" } };

int64_t
ticks_at(const char *text)
{
	int64_t ticks;

	if (!ticks_parse(str_of(text), &ticks))
		BUG("no time: %s", text);
	return ticks;
}

static void
make_event(struct made *m)
{
	*m = (struct made) {
		.origin = {
			.refs = 1, .tenant_id = T(MADE_TENANT_ID), .tenant = T("contoso-eu"),
			.customer = T("contoso"), .customer_name = T("Contoso Ltd"),
			.cloud = T("global"), .portal_host = T("security.microsoft.com"),
			.stream = T("alerts"), .instance = T(""),
			.labels = labels, .nlabels = ARRAY_LEN(labels),
		},
		.event = { .kind = KIND_NEW, .journalled = ticks_at("2026-11-22T04:11:00Z") },
	};
	m->event.origin = &m->origin;
	m->event.record = &m->record;
}

void
make_alert(struct made *m)
{
	int64_t updated = ticks_at("2026-11-22T04:10:46.09Z");

	make_event(m);
	m->record = (struct record) {
		.refs = 1, .type = RECORD_ALERT, .id = STR("da1_1"), .version = updated,
		.raw = STR("{\"id\":\"da1_1\"}"),
		.alert = {
			.id = STR("da1_1"), .title = STR("Suspicious thing"),
			.severity_text = STR("high"), .severity = SEVERITY_HIGH,
			.status_text = STR("new"), .status = STATUS_NEW,
			.service_source = STR("microsoftDefenderForEndpoint"),
			.created = ticks_at("2026-11-22T04:10:30.7033333Z"), .updated = updated,
			.resolved = TICKS_NONE, .first_activity = TICKS_NONE,
			.last_activity = TICKS_NONE,
		},
	};
	m->record.seen = (struct seen){ .created = m->record.alert.created,
		.version = updated,
		.rev = SEEN_REVISION,
		.severity = SEVERITY_HIGH,
		.status = STATUS_NEW };
}

void
make_unreadable(struct made *m, const char *id, const char *why)
{
	make_event(m);
	m->event.kind = KIND_UNREADABLE;
	m->record = (struct record){
		.refs = 1,
		.type = RECORD_UNREADABLE,
		.id = str_of(id),
		.raw = STR("{\"id\":"),
		.version = ticks_at("2026-11-22T04:10:46.09Z"),
		.unreadable = { .id = str_of(id),
		    .why = str_of(why),
		    .size = 6,
		    .created = TICKS_NONE,
		    .updated = TICKS_NONE },
	};
}

void
make_health(struct made *m)
{
	make_event(m);
	m->event.kind = KIND_HEALTH;
	m->record = (struct record){
		.refs = 1,
		.type = RECORD_HEALTH,
		.id = STR("tenant"),
		.version = ticks_at("2026-11-22T04:11:46Z"),
		.health = HEALTH_INIT,
	};
	m->record.health.about = STR("tenant");
	m->record.health.name = STR("contoso-eu");
	m->record.health.state = STR("consent withdrawn");
	m->record.health.was = STR("healthy");
	m->record.health.level = HEALTH_PROBLEM;
	m->record.health.since = ticks_at("2026-11-22T04:10:46Z");
	m->record.health.lasted_sec = 7200;
	m->record.health.summary = STR("Tenant contoso-eu: consent withdrawn");
	m->record.health.what = STR("HTTP 403");
	m->record.health.remedy = STR("Ask | the = customer");
}

struct evidence
make_evidence(enum evidence_kind kind)
{
	struct evidence e = { .kind = kind, .created = TICKS_NONE };

	switch (kind) {
	case EVIDENCE_DEVICE:
		e.device.os_build = e.device.rbac_group_id = RECORD_NO_NUMBER;
		e.device.first_seen = TICKS_NONE;
		break;
	case EVIDENCE_PROCESS:
		e.process.pid = e.process.parent_pid = RECORD_NO_NUMBER;
		e.process.created = e.process.parent_created = TICKS_NONE;
		e.process.image.size = e.process.parent_image.size = RECORD_NO_NUMBER;
		break;
	case EVIDENCE_FILE:
		e.file.details.size = RECORD_NO_NUMBER;
		break;
	case EVIDENCE_MESSAGE:
		e.message.received = TICKS_NONE;
		e.message.attachments = e.message.url_count = RECORD_NO_NUMBER;
		break;
	case EVIDENCE_CLOUD_APP:
		e.cloud_app.app_id = e.cloud_app.instance_id = RECORD_NO_NUMBER;
		e.cloud_app.saas_app_id = RECORD_NO_NUMBER;
		break;
	case EVIDENCE_GENERIC:
	case EVIDENCE_USER:
	case EVIDENCE_FILE_HASH:
	case EVIDENCE_IP:
	case EVIDENCE_URL:
	case EVIDENCE_MAILBOX:
	case EVIDENCE_OAUTH_APP:
	case EVIDENCE_REGISTRY_KEY:
	case EVIDENCE_REGISTRY_VALUE:
	case EVIDENCE_AZURE_RESOURCE:
	case EVIDENCE_HOLDER:
		break;
	}
	return e;
}

static struct record *
make_event_of(struct made *m, struct record *r)
{
	make_event(m);
	m->event.record = r;
	if (r->type == RECORD_UNREADABLE)
		m->event.kind = KIND_UNREADABLE;
	return r;
}

struct record *
make_from_json(struct made *m, struct str json)
{
	return make_event_of(m, record_from_alert(json, true, ticks_at("2026-11-22T04:12:00Z")));
}

struct record *
make_from_incident(struct made *m, struct str json)
{
	return make_event_of(m, record_from_incident(json, true, ticks_at("2026-11-22T04:12:00Z")));
}
