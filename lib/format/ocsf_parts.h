/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCSF_PARTS_H
#define OCSF_PARTS_H

#include "lib/format/format.h"
#include "lib/format/shape.h"

/*
 * ocsf_parts: what the files of the OCSF format share: one event being written.
 *
 * The schema is OCSF 1.8.0 (schema.ocsf.io). Private to lib/format/ocsf*.c.
 */
#define OCSF_VERSION "1.8.0"

/* Types of observables; the schema's numbers. */
enum ocsf_observable {
	OBSERVABLE_NONE,
	OBSERVABLE_HOSTNAME = 1,
	OBSERVABLE_IP = 2,
	OBSERVABLE_USER_NAME = 4,
	OBSERVABLE_EMAIL = 5,
	OBSERVABLE_URL = 6,
	OBSERVABLE_FILE_NAME = 7,
	OBSERVABLE_HASH = 8,
	OBSERVABLE_PROCESS_NAME = 9,
	OBSERVABLE_RESOURCE_UID = 10,
	OBSERVABLE_COMMAND_LINE = 13,
	OBSERVABLE_USER_UID = 31,
	OBSERVABLE_SUBJECT = 40,
	OBSERVABLE_EMAIL_UID = 41,
	OBSERVABLE_MESSAGE_UID = 42,
	OBSERVABLE_REGISTRY_VALUE_NAME = 43,
	OBSERVABLE_FILE_PATH = 45,
	OBSERVABLE_REGISTRY_KEY_PATH = 46,
	OBSERVABLE_DEVICE_UID = 47,
};

/* What is left out where a line would be too long. */
struct ocsf_level {
	bool has_raw, has_data, has_rest, has_observables, has_details;
	bool has_minimum; /* nothing but what the class requires */
	bool is_short;    /* and metadata says so */
	size_t text_max;  /* 0: no limit */
	size_t evidence_max;
};

/* One event being written: the caller's, for one call. */
struct ocsf {
	struct shape shape;
	const struct event *ev;
	const struct ocsf_level *level;
	struct buf text; /* what has to be put together, for one value at a time */
	struct buf observables;
	struct jw observables_w;
	size_t nobservables, nevidence;
	struct str device_ip; /* the best of the device in hand */
	bool has_device;      /* an address in the evidence is the far side then */
	bool has_windows;     /* something of the schema's Windows extension is in it */
	bool needs_whole;     /* of the evidence in hand something has no place but its data */
};

static inline struct ocsf *
ocsf_of(struct shape *s)
{
	return s->arg;
}

/* ocsf_words.c. A number of an enumeration and its caption, as "x_id" and "x". */
struct ocsf_word {
	int id;
	struct str caption;
};
void ocsf_word(struct shape *s, struct str id_name, struct str name, struct ocsf_word word);
/* The word of the first name that is the text; else 99 and the text itself, 0 without any. */
struct ocsf_name {
	struct str text;
	struct ocsf_word word;
};
/* clang-format off */
#define OCSF_NAME(text, id, caption) { STR_INIT(text), { id, STR_INIT(caption) } }
/* clang-format on */
void ocsf_named(struct shape *s, struct str id_name, struct str name, const struct ocsf_name *names,
    size_t n, struct str text);

/* What findings of both classes have; the names of the members are OCSF's own. */
void ocsf_severity(struct shape *s, struct str text);
void ocsf_verdict(struct shape *s, struct str classification, struct str determination);
#define OCSF_VERDICT_FROM \
	"determination, where it is securityTesting (6) or notEnoughDataToValidate (7), else " \
	"classification: unknown 0, falsePositive 1, truePositive 2, " \
	"informationalExpectedActivity 5"
void ocsf_link(struct shape *s, const struct shape_row *row, const void *base);
void ocsf_assignee(struct shape *s, const char *name, struct str who);
void ocsf_comments(
    struct shape *s, const char *name, const struct alert_comment *comments, size_t n);

/* ocsf_envelope.c: what every class has. */
void ocsf_class(struct ocsf *o);
void ocsf_metadata(struct ocsf *o);
void ocsf_rest(struct ocsf *o);                  /* unmapped, raw_data */
extern const struct shape_row ocsf_event_rows[]; /* for the manual */
extern const struct shape_row ocsf_cloud_rows[]; /* of a struct origin */

/* ocsf_finding.c: a Detection Finding's own. */
extern const struct shape_row ocsf_finding_rows[]; /* of a struct alert */
extern const struct shape_row ocsf_unmapped_rows[];

/* ocsf_incident.c: an Incident Finding's own. */
extern const struct shape_row ocsf_incident_rows[]; /* of a struct incident */
extern const struct shape_row ocsf_incident_least_rows[];
extern const struct shape_row ocsf_incident_unmapped_rows[];

/* ocsf_notice.c: what is no alert one could read. Bases: unreadable, health; none. */
extern const struct shape_row ocsf_unreadable_rows[];
extern const struct shape_row ocsf_unreadable_least_rows[];
extern const struct shape_row ocsf_health_rows[];
extern const struct shape_row ocsf_health_unmapped_rows[];
extern const struct shape_row ocsf_canary_rows[];

/* ocsf_evidence.c: evidences, and the devices as resources. */
void ocsf_evidence(struct ocsf *o);
void ocsf_resources(struct ocsf *o);
extern const struct ocsf_kind {
	const char *type; /* Graph's, for the manual */
	const struct shape_row *rows, *data;
	bool needs_data; /* resources alone are no evidence */
} ocsf_kinds[];          /* by enum evidence_kind */
extern const size_t ocsf_nkinds;
extern const struct shape_row ocsf_resource_rows[];
extern const struct shape_row ocsf_every_data[]; /* data of all kinds */
extern const struct shape_row ocsf_every_rows[]; /* what all begin with, for the manual */

/* ocsf_file.c, ocsf_device.c, ocsf_network.c: parts of evidence. */
extern const struct shape_row ocsf_file_rows[];
extern const struct shape_row ocsf_hash_rows[];
extern const struct shape_row ocsf_account_rows[];
extern const struct shape_row ocsf_device_rows[];
extern const struct shape_row ocsf_ip_rows[];
extern const struct shape_row ocsf_url_rows[];
extern const struct shape_row ocsf_message_rows[];
extern const struct shape_row ocsf_mailbox_rows[];

/* Anything is known of it. */
bool ocsf_has_file(const struct file_details *f);

/* An address where OCSF allows nothing else; false when it is none. */
bool ocsf_email(struct shape *s, const char *name, struct str address);

/* ocsf_observables.c */
void ocsf_note(struct shape *s, unsigned mark, struct str name, struct str value);
void ocsf_observables(struct ocsf *o);

#endif
