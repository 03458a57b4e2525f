/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEALTH_H
#define HEALTH_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"
#include "lib/base/ticks.h"

/*
 * health: how something that alerts depend on is doing: a tenant, a sink, the
 * journal. What a health record holds, and the JSON that the journal keeps of it,
 * which is also what the raw format shows.
 *
 * It knows nothing of what watches, of tenants' states or of who is told.
 */

/* In rising order. */
enum health_level {
	HEALTH_WELL,    /* nothing to do, or nothing any more */
	HEALTH_NOTICE,  /* passes by itself, most of the time */
	HEALTH_PROBLEM, /* somebody has to do something */
	HEALTH_ALARM,   /* … now: alerts may be missing, or are not kept */
	HEALTH_LEVELS,
};

/* NULL-ended, by enum: "well", "notice", "problem", "alarm". */
extern const char *const health_level_names[];

#define HEALTH_NAMES_MAX 50

/* Absent texts are { NULL, 0 }, absent times TICKS_NONE, absent counts negative. */
struct health {
	struct str about;       /* "tenant", "tenants", "sink", "journal", … */
	struct str name;        /* of the tenant or sink, as configured */
	struct str state, was;  /* in words: "consent withdrawn"; was: absent where not known */
	struct str summary;     /* a line of its own for people */
	struct str what;        /* what happened */
	struct str remedy;      /* what to do */
	struct str level_text;  /* as it came */
	enum health_level level;
	int64_t since;          /* ticks: in this state since */
	int64_t lasted_sec;     /* how long it was what it was */
	int64_t count, of;      /* how many it is about, of how many */
	const struct str *names; /* of those, at most HEALTH_NAMES_MAX */
	size_t nnames;
};

/* Nothing is known. */
#define HEALTH_INIT { .since = TICKS_NONE, .lasted_sec = -1, .count = -1, .of = -1 }

/* Appends the JSON object of h; level_text is not looked at. */
void health_write(struct buf *out, const struct health *h);

#endif
