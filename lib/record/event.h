/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVENT_H
#define EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/record/origin.h"
#include "lib/record/record.h"

/*
 * event: what a format writes and a filter judges: a record, what happened to
 * it, and whose it is. A view: it owns nothing and lives as long as the call.
 */
enum event_kind {
	KIND_NEW,
	KIND_ESCALATED,
	KIND_UPDATED,
	KIND_RESOLVED,
	KIND_REOPENED,
	KIND_HEALTH,
	KIND_CANARY,
	KIND_UNREADABLE,
	KIND_COUNT,
};

extern const char *const kind_names[KIND_COUNT + 1];

#define EVENT_BACKFILL 0x1 /* the journal's flags, same bits */
#define EVENT_REPLAY   0x2
#define EVENT_ORIGINS  0x3 /* the bits above: not simply what was read just now */
/* The severity of the version before, plus one, where one is remembered: three bits. */
#define EVENT_WAS_SHIFT 2
#define EVENT_WAS_MASK  0x1c

struct event {
	const struct record *record;
	const struct origin *origin;
	enum event_kind kind;
	unsigned changed; /* bits, 1 << enum part */
	unsigned flags;
	int64_t journalled; /* ticks: when msspd took it in */
};

/* The severity of the version before. False: this is the first, or it is not known. */
static inline bool
event_was(const struct event *ev, enum severity *severity)
{
	unsigned was = (ev->flags & EVENT_WAS_MASK) >> EVENT_WAS_SHIFT;

	*severity = was > 0 ? (enum severity)(was - 1) : SEVERITY_UNKNOWN;
	return was > 0;
}

/*
 * The stable event id: "GUID/alert:<id>/<lastUpdateDateTime with 7 digits>";
 * incident:, health:, canary: likewise; unreadable: with the alert's id or the
 * slice's SHA-256. The same in every format, so that receivers drop repeats.
 */
void event_id(struct buf *out, const struct event *ev);

#endif
