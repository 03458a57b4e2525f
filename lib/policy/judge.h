/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JUDGE_H
#define JUDGE_H

#include "lib/record/event.h"
#include "lib/record/seen.h"

/*
 * judge: what a version of an alert means, given what is remembered of it.
 *
 * Pure. Runs inside the journal's transaction, on its thread.
 *  - first sight is new, also when it is resolved already; created before
 *    memory_begin it is updated, and backfill
 *  - a version not newer than the remembered one is nothing
 *  - a newer one with no part changed is remembered and not forwarded
 *  - where the remembered parts were made by another revision, a newer version
 *    counts as changed (PART_OTHER)
 *  - one newer version that is several things at once is the first of:
 *    reopened, escalated, resolved, updated
 *  - an alert of Defender for Endpoint's own API is nothing where Graph's is remembered
 *  - an unreadable version is unreadable, once for the same bytes; the first
 *    readable one after it is a first sight, whatever its time
 */
enum judge_act { JUDGE_FORWARD, JUDGE_REMEMBER, JUDGE_SKIP };

struct judgement {
	enum judge_act act;
	enum event_kind kind;
	unsigned changed; /* bits; 0 for new */
	unsigned flags;   /* EVENT_BACKFILL */
};

void judge(
    const struct seen *was, const struct record *now, int64_t memory_begin, struct judgement *out);

#endif
