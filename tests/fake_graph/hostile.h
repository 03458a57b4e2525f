/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_HOSTILE_H
#define FAKE_GRAPH_HOSTILE_H

#include <stddef.h>

#include "lib/base/buf.h"

/*
 * hostile: alerts that an attacker, a bug or a bad day could make.
 *
 * Each row says what is put in place of an alert's usual parts. All text is raw
 * JSON (or what pretends to be); in members "@" stands for the value it
 * replaces, "~" for the alert's id without quotes, "#" for its number in the tenant.
 */
enum reads {
	READS_PLAIN,      /* sound JSON that strict readers accept, with odd contents */
	READS_REPAIR,     /* strict readers refuse it; the odd part can be repaired */
	READS_UNREADABLE, /* it has no identity that can be trusted */
};

struct hostile {
	const char *name;
	enum reads reads;
	const char *title;       /* the value */
	const char *truth_title; /* valid JSON: what should arrive; NULL: title */
	const char *id;          /* the whole member; @ is the quoted id */
	const char *truth_id;    /* valid JSON, ~ and # as above; "null": none can be trusted */
	const char *stamp;       /* the whole member; @ is the quoted lastUpdateDateTime */
	const char *severity;    /* the value */
	const char *evidence;    /* the value */
	const char *comments;    /* the value */
	const char *extra;       /* members added at the end */
	void (*more)(struct buf *b);
	const char *whole; /* instead of the alert */
};

extern const struct hostile hostiles[];
extern const size_t nhostiles;

const char *hostile_reads_name(enum reads reads);
const struct hostile *hostile_find(const char *name);

#endif
