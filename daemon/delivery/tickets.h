/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TICKETS_H
#define TICKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/journal/journal.h"

/*
 * tickets: what delivery remembers of each entry that a sink has and has not
 * answered for: where it is in the journal and which alert it belongs to.
 *
 * It knows nothing of sinks or verdicts.
 *
 * Promises
 *  - 56 bytes a ticket and at most `max` of them, whatever order the answers
 *    come in; the memory goes back when none is out.
 *  - a number is never used twice, so an answer that comes too late is
 *    recognized as stale.
 */
struct ticket {
	struct journal_pos pos;
	uint64_t key;   /* of the alert: entries with equal keys keep their order */
	unsigned tries : 31; /* before this one */
	unsigned is_canary : 1;
	uint32_t stream; /* whose it is */
	/* ticks: when the alert was last changed, a canary made; TICKS_NONE: not to be measured */
	int64_t version;
	int64_t journalled; /* ticks */
};

struct ticket_slot;

struct tickets {
	struct ticket_slot *slots;
	size_t used; /* slots that were ever used, since the memory is there */
	size_t room, n, max;
	uint32_t free_head; /* chain of free slots below used, plus one */
	uint64_t serial;
};

#define TICKETS_LIMIT (1u << 20) /* max is at most this */

void tickets_init(struct tickets *ts, size_t max);
void tickets_release(struct tickets *ts);
static inline bool
tickets_is_full(const struct tickets *ts)
{
	return ts->n >= ts->max;
}
/* The new ticket's number, never 0. Not when full. */
uint64_t tickets_issue(struct tickets *ts, const struct ticket *t);
/* Gives the ticket back. False: no such ticket (any more). */
bool tickets_redeem(struct tickets *ts, uint64_t number, struct ticket *out);
/* All that are out are void. */
void tickets_void(struct tickets *ts);

#endif
