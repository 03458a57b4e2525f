/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/str.h"
#include "lib/base/ticks.h"
#include "lib/record/canary.h"
#include "lib/record/evidence.h"
#include "lib/record/health.h"
#include "lib/record/incident.h"
#include "lib/record/seen.h"

/*
 * record: one alert (or other thing worth telling), read once, never changed.
 *
 * It knows nothing of HTTP, of the journal, of sinks and of JSON's syntax:
 * formats read this and nothing else.
 *
 * Promises
 *  - immutable after it was made; counted; all its text lives in its own arena (or
 *    in the slice, where that was not copied), is well-formed UTF-8 but for raw, and
 *    may hold any code point, NUL included.
 *  - absent, null and unreadable members are alike: { NULL, 0 }, TICKS_NONE, RECORD_NO_NUMBER.
 *
 * One thread: references are taken and dropped on the loop's thread only; other
 * threads may read a record while somebody there holds it.
 */
enum record_type {
	RECORD_ALERT,
	RECORD_INCIDENT,
	RECORD_HEALTH,
	RECORD_CANARY,
	RECORD_UNREADABLE,
};

/* Graph's spelling, by enum, NULL-ended; OTHER is "other". */
extern const char *const severity_names[];
extern const char *const status_names[];

struct alert_comment {
	struct str text, by;
	int64_t created;
};

/* microsoft.graph.security.alert; names are Graph's. */
struct alert {
	struct str id, provider_alert_id, incident_id, title, description, recommended_actions;
	struct str category, service_source, detection_source, product_name, detector_id;
	struct str alert_policy_id, investigation_state, tenant_id, assigned_to;
	struct str actor_display_name, threat_display_name, threat_family_name;
	struct str alert_web_url, incident_web_url;
	struct str severity_text, status_text, classification, determination; /* as they came */
	enum severity severity;
	enum status status;
	int64_t created, updated, resolved, first_activity, last_activity; /* ticks */
	const struct str *categories, *mitre_techniques, *system_tags;
	size_t ncategories, nmitre_techniques, nsystem_tags;
	const struct alert_comment *comments;
	size_t ncomments;
	struct str custom_details, additional_data; /* JSON as it came; absent when empty */
	const struct evidence *evidence;            /* at most EVIDENCE_MAX, in their order */
	size_t nevidence;
	size_t nevidence_all; /* how many there were */
};

/* A slice that could not be read: what is known of it. */
struct unreadable {
	struct str id; /* the alert's where it was found, else SHA-256 of the slice in hex */
	struct str title, severity_text; /* where they were found */
	struct str tenant_id;            /* likewise; two that differ are none */
	int64_t updated, created;        /* likewise; TICKS_NONE */
	struct str why;                  /* what is wrong with it, and where */
	size_t size;                     /* bytes of the slice */
};

struct record {
	unsigned refs;
	enum record_type type;
	struct str id;    /* of the alert or incident within its tenant, or as unreadable.id */
	int64_t version;  /* ticks of lastUpdateDateTime, or when it was read, where it has none */
	struct str raw;   /* the slice as it came; repaired parts are not repaired here */
	bool is_repaired; /* something in it was odd and is repaired in the fields */
	struct seen seen;
	union {
		struct alert alert;
		struct incident incident;
		struct unreadable unreadable;
		struct health health;
		struct canary canary;
	};
	struct arena arena;
};

struct record *record_ref(const struct record *r);
void record_unref(struct record *r);

/*
 * Reads one slice of alerts_v2. Never fails: what cannot be read becomes a
 * RECORD_UNREADABLE (its `why` says what is wrong). With copy_raw false, raw and
 * text of the fields point into the slice, which must outlive the record. now: the
 * version of an unreadable record that shows none. One reference is the caller's.
 */
struct record *record_from_alert(struct str slice, bool copy_raw, int64_t now);

/* Likewise one slice of Defender for Endpoint's own API; it becomes an alert, too. */
struct record *record_from_mde(struct str slice, bool copy_raw, int64_t now);
/* Likewise one slice of Graph's incidents. */
struct record *record_from_incident(struct str slice, bool copy_raw, int64_t now);

/* Of an alert or incident; SEVERITY_UNKNOWN of all else. */
enum severity record_severity(const struct record *r);
/* Whose it says it is; absent where it does not say. */
struct str record_tenant_id(const struct record *r);

/*
 * The record of a journal entry: the same as it was when it was journalled, but
 * for `seen`, of which only the version is there: the rest was judged then. type
 * is what the entry says: an unreadable one is not tried as an alert again. raw
 * points into the body, which must outlive the record.
 */
struct record *record_from_entry(
    enum record_type type, struct str id, int64_t version, struct str body);

#endif
