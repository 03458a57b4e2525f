/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ECS_PARTS_H
#define ECS_PARTS_H

#include "lib/format/format.h"
#include "lib/format/shape.h"

/*
 * ecs_parts: what the files of the ECS format share: one event being written. Private
 * to lib/format/ecs*.c.
 */
#define ECS_VERSION     "8.17.0"
#define ECS_RELATED_MAX 64 /* of each list */

/* What a marked value is related to: the lists below `related`. */
enum ecs_list { ECS_NONE, ECS_IP, ECS_HOSTS, ECS_USER, ECS_HASH, ECS_LISTS };

struct ecs_level {
	bool has_original, has_rest;
	bool has_evidence; /* the evidence, and what is related */
	bool has_minimum;  /* nothing but whose, which, when, what and how bad */
	bool is_short;
	size_t text_max; /* 0: no limit */
};

struct ecs {
	struct shape shape;
	const struct event *ev;
	const struct ecs_level *level;
	struct buf text; /* what has to be put together, for one value at a time */
	struct str related[ECS_LISTS][ECS_RELATED_MAX];
	size_t nrelated[ECS_LISTS];
};

static inline struct ecs *
ecs_of(struct shape *s)
{
	return s->arg;
}

/* ecs_alert.c. Bases: an alert; an incident; a health; none of an unreadable one. */
extern const struct shape_row ecs_alert_event_rows[]; /* below "event" */
extern const struct shape_row ecs_alert_rows[];
extern const struct shape_row ecs_alert_own_rows[]; /* below "msspd" */
extern const struct shape_row ecs_incident_event_rows[];
extern const struct shape_row ecs_incident_rows[];
extern const struct shape_row ecs_incident_own_rows[];
extern const struct shape_row ecs_unreadable_event_rows[];
extern const struct shape_row ecs_unreadable_rows[];
extern const struct shape_row ecs_unreadable_own_rows[];
extern const struct shape_row ecs_health_event_rows[];
extern const struct shape_row ecs_health_rows[];
extern const struct shape_row ecs_health_own_rows[];

/* ecs_evidence.c: the first of each kind; what is related, of all. */
void ecs_evidence(struct ecs *e);
void ecs_categories(struct shape *s, const struct shape_row *row, const void *base);
extern const struct ecs_kind {
	const char *type;
	const struct shape_row *rows; /* of a struct evidence */
} ecs_kinds[];
extern const size_t ecs_nkinds;

#endif
