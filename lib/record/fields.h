/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIELDS_H
#define FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/json/reader.h"
#include "lib/record/record.h"

/*
 * fields: how members of a JSON object become fields of a struct: by tables.
 *
 * One table says for each member what its name is, what it becomes, where it is
 * put, and in which part a change of it counts; alert.c and evidence.c hold the
 * tables, parts.c walks them once more for the hashes. Private to lib/record.
 *
 * Promises
 *  - a member of a type that nobody expected fails no alert: a number or a
 *    boolean is taken for its text, text for its number, one value for a list of
 *    one; what cannot be taken is absent, and is_repaired says so.
 *  - a name given twice: the last one counts.
 */
enum field_type {
	FIELD_IGNORED, /* known, and of no use */
	FIELD_TEXT,
	FIELD_INT,
	FIELD_TIME,
	FIELD_TEXTS,    /* a list of text: pointer and count */
	FIELD_OBJECT,   /* a struct within the struct */
	FIELD_OBJECTS,  /* a list of structs: pointer and count */
	FIELD_JSON,     /* whatever it is, as JSON text; absent when empty */
	FIELD_EVIDENCE, /* one or several; become the owner's evidence or children */
};

#define PART_NONE PART_COUNT /* a change of it is no news */

struct field {
	const char *name;
	uint8_t len;
	uint8_t type;
	uint8_t part;
	uint8_t once; /* a bit: given twice it makes the alert unreadable */
	uint16_t off, noff;
	const struct fields *of; /* OBJECT, OBJECTS */
	const char *evidence;    /* EVIDENCE: its type where it says none itself */
};

#define FIELDS_OBJECT_MAX 128 /* size of the structs that OBJECTS lists */

struct fields {
	const struct field *v;
	size_t n;
	size_t size; /* of the struct, for OBJECTS */
};

#define FIELDS(table, type) \
	{ \
		table, ARRAY_LEN(table), sizeof(type) \
	}

/* Rows: F(text, "name", place in the struct, part). S is defined to the struct around the table. */
#define FIELD_ROW(t, nm, ...) \
	{ \
		.name = nm, .len = sizeof(nm) - 1, .type = t, __VA_ARGS__ \
	}
#define AT(field)          .off = offsetof(S, field)
#define TEXT(nm, field, p) FIELD_ROW(FIELD_TEXT, nm, AT(field), .part = p)
#define INT(nm, field, p)  FIELD_ROW(FIELD_INT, nm, AT(field), .part = p)
#define TIME(nm, field, p) FIELD_ROW(FIELD_TIME, nm, AT(field), .part = p)
#define JSON(nm, field, p) FIELD_ROW(FIELD_JSON, nm, AT(field), .part = p)
#define LIST(nm, field, p) \
	FIELD_ROW(FIELD_TEXTS, nm, AT(field.v), .noff = offsetof(S, field.n), .part = p)
#define OBJECT(nm, field, table) FIELD_ROW(FIELD_OBJECT, nm, AT(field), .of = &(table))
#define OBJECTS(nm, field, count, table) \
	FIELD_ROW(FIELD_OBJECTS, nm, AT(field), .noff = offsetof(S, count), .of = &(table))
#define EVIDENCE(nm, type) FIELD_ROW(FIELD_EVIDENCE, nm, .evidence = type)
#define IGNORED(nm)        FIELD_ROW(FIELD_IGNORED, nm)

/* Evidence that was read and does not yet lie in its owner's array. */
struct kept {
	const struct field *from;
	size_t all; /* itself and its children, at any depth */
	struct evidence evidence;
};

/* One alert being read. */
struct reading {
	struct jr r;
	struct arena *arena;
	bool is_mended; /* the text is not the slice, but a repaired copy */
	bool is_repaired;
	bool is_partial; /* of what was read last some value is in no field, though one is for it */
	unsigned once, twice; /* bits of field.once that were seen, and seen again */
	struct kept *kept;
	size_t n, room;
	size_t owner;   /* where in kept the evidence of the object being read begins */
	size_t nkept;   /* evidence at any depth so far, at most EVIDENCE_MAX */
	size_t nall;    /* items of the alert's own list, kept or not */
	unsigned depth; /* of evidence in evidence */
};

void reading_init(struct reading *rd, struct str text, struct arena *arena);
void reading_release(struct reading *rd);

/* All fields absent. base is zeroed memory. */
void fields_blank(const struct fields *t, void *base);

/*
 * Reads the object that comes next into the struct at base. Members without a
 * row are skipped; with rest, their hash is added to it. False when it is no
 * object (is_repaired unless null) and at a fault.
 */
bool fields_read(struct reading *rd, const struct fields *t, void *base, uint64_t *rest);

/* evidence_types.c: how a type of evidence is read; unknown ones are generic. */
struct evidence_type {
	const char *name;
	enum evidence_kind kind;
	struct fields fields;
};
const struct evidence_type *evidence_type(struct str name);

/* evidence.c: reads the evidence that comes next and keeps it, one or a list. */
void evidence_read(struct reading *rd, const struct field *from);
/* Moves what was kept for the owner into an array of the arena. */
const struct evidence *evidence_take(struct reading *rd, size_t *n);
/* The rows that a kind was read with. */
const struct fields *evidence_fields(const struct evidence *e);

/* ---- what things with an id and versions share; alert.c ---- */

/* Bits of field.once. */
#define ONCE_ID      0x1
#define ONCE_TENANT  0x2
#define ONCE_UPDATED 0x4

extern const struct fields comment_fields; /* struct alert_comment */
/* The number of a word; what stands last for one that is not there. */
unsigned word_number(struct str word, const char *const *names);
/* The whole text is one object, read into base; false and why. */
bool whole_read(struct reading *rd, const struct fields *t, void *base, struct str *why);
/* It can be told from others, and its versions from each other; false and why. */
bool whole_has_name(const struct reading *rd, struct str id, int64_t updated, struct str *why);

/* mde.c: likewise for an alert of Defender for Endpoint's own API. */
bool mde_read(struct reading *rd, struct alert *a, struct str *why);

/* incident.c: likewise for an incident. */
bool incident_read(struct reading *rd, struct incident *i, struct str *why);
extern const struct fields incident_fields;

/* alert.c: false (and why) when the text is no alert, or one that nobody could name. */
bool alert_read(struct reading *rd, struct alert *a, struct str *why);
extern const struct fields alert_fields;
void alert_blank(struct alert *a);
#define ALERT_ID_MAX 512 /* bytes */
enum severity alert_severity(struct str word);
enum status alert_status(struct str word);

/* health.c: what cannot be read is a health record without any field. */
void health_read(struct reading *rd, struct health *h);
/* Likewise a canary's. */
void canary_read(struct reading *rd, struct canary *c);

/* parts.c: a hash of h and s, of which the low bits are as good as the high ones. */
uint64_t parts_hash(uint64_t h, struct str s);
/* What is remembered of an alert, and of a slice that could not be read. */
void parts_of_alert(struct seen *seen, const struct alert *a);
void parts_of_incident(struct seen *seen, const struct incident *i);
void parts_of_unreadable(struct seen *seen, struct str slice);

#endif
