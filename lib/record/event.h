#ifndef EVENT_H
#define EVENT_H

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

struct event {
	const struct record *record;
	const struct origin *origin;
	enum event_kind kind;
	unsigned changed; /* bits, 1 << enum part */
	unsigned flags;
	int64_t journalled; /* ticks: when msspd took it in */
};

/*
 * The stable event id: "GUID/alert:<id>/<lastUpdateDateTime with 7 digits>";
 * incident:, health:, canary: likewise; unreadable: with the alert's id or the
 * slice's SHA-256. The same in every format, so that receivers drop repeats.
 */
void event_id(struct buf *out, const struct event *ev);

#endif
