/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAKE_RECORD_H
#define MAKE_RECORD_H

#include "lib/record/event.h"

/*
 * make_record: events for tests, put together by hand, so that a test of a
 * format or a filter needs no JSON. Everything points into static text or the
 * caller's memory; nothing is counted or released.
 */
struct made {
	struct origin origin;
	struct record record;
	struct event event;
};

#define MADE_TENANT_ID "11111111-2222-3333-4444-555555555555"

/* A plain new alert of tenant contoso-eu with nothing but id, title, severity, status and times. */
void make_alert(struct made *m);
/* An unreadable record of the same tenant. */
void make_unreadable(struct made *m, const char *id, const char *why);
/* A health record of the same tenant, which is not onboarded any more. */
void make_health(struct made *m);
/* All numbers and times absent. */
struct evidence make_evidence(enum evidence_kind kind);
/* Ticks of an RFC 3339 time; fails the program when it is none. */
int64_t ticks_at(const char *text);
/* An alert from JSON: a record of its own (record_unref), m->event.record set to it. */
struct record *make_from_json(struct made *m, struct str json);
/* Likewise an incident. */
struct record *make_from_incident(struct made *m, struct str json);

#endif
