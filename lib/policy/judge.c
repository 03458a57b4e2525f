/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lib/policy/judge.h"

/*
 * What is remembered of a record that could not be read has nothing but
 * PART_OTHER, a hash of the slice. An alert that has no severity, no status and
 * no evidence looks the same, so this is asked of things that differ only.
 */
static bool
was_unreadable(const struct seen *was, const struct seen *now)
{
	for (unsigned part = 0; part < PART_COUNT; part++) {
		if (part != PART_OTHER && was->part[part] != 0)
			return false;
	}
	return was->part[PART_OTHER] != now->part[PART_OTHER];
}

static unsigned
changed_parts(const struct seen *was, const struct seen *now)
{
	unsigned changed = was->rev != now->rev ? 1u << PART_OTHER : 0;

	/* Across revisions hashes say nothing, these two still do. */
	if (was->severity != now->severity)
		changed |= 1u << PART_SEVERITY;
	if (was->status != now->status)
		changed |= 1u << PART_STATUS;
	for (unsigned part = 0; part < PART_COUNT && was->rev == now->rev; part++) {
		if (was->part[part] != now->part[part])
			changed |= 1u << part;
	}
	return changed;
}

static enum event_kind
kind_of_change(const struct seen *was, const struct seen *now)
{
	bool is_open = now->status == STATUS_NEW || now->status == STATUS_IN_PROGRESS;

	if (was->status == STATUS_RESOLVED && is_open)
		return KIND_REOPENED;
	if (now->severity > was->severity)
		return KIND_ESCALATED;
	if (was->status != STATUS_RESOLVED && now->status == STATUS_RESOLVED)
		return KIND_RESOLVED;
	return KIND_UPDATED;
}

/* Both APIs have it: Graph's says more, and tells of the next version, too. */
static bool
is_graphs_own(const struct seen *was, const struct seen *now)
{
	return (now->rev & SEEN_MDE) != 0 && (was->rev & SEEN_MDE) == 0;
}

static void
judge_first(const struct seen *now, int64_t memory_begin, struct judgement *out)
{
	out->act = JUDGE_FORWARD;
	out->kind = KIND_NEW;
	if (now->created != TICKS_NONE && memory_begin != TICKS_NONE &&
	    now->created < memory_begin) {
		out->kind = KIND_UPDATED;
		out->flags = EVENT_BACKFILL;
	}
}

static void
judge_change(const struct seen *was, const struct seen *now, struct judgement *out)
{
	if (now->version <= was->version || is_graphs_own(was, now))
		return;
	out->changed = changed_parts(was, now);
	out->act = out->changed != 0 ? JUDGE_FORWARD : JUDGE_REMEMBER;
	out->kind = kind_of_change(was, now);
}

/* Its version may be no more than when it was read: the same bytes again are nothing. */
static void
judge_unreadable(
    const struct seen *was, const struct seen *now, int64_t memory_begin, struct judgement *out)
{
	bool is_same = was != NULL && memcmp(was->part, now->part, sizeof(was->part)) == 0;

	if (is_same ||
	    (was != NULL && (now->version <= was->version || is_graphs_own(was, now))))
		return;
	judge_first(now, memory_begin, out);
	out->kind = KIND_UNREADABLE;
}

void
judge(const struct seen *was, const struct record *now, int64_t memory_begin, struct judgement *out)
{
	*out = (struct judgement){ .act = JUDGE_SKIP, .kind = KIND_UPDATED };
	switch (now->type) {
	case RECORD_ALERT:
	case RECORD_INCIDENT:
		if (was == NULL || was_unreadable(was, &now->seen))
			judge_first(&now->seen, memory_begin, out);
		else
			judge_change(was, &now->seen, out);
		break;
	case RECORD_UNREADABLE:
		judge_unreadable(was, &now->seen, memory_begin, out);
		break;
	case RECORD_HEALTH:
		out->act = JUDGE_FORWARD;
		out->kind = KIND_HEALTH;
		break;
	case RECORD_CANARY:
		out->act = JUDGE_FORWARD;
		out->kind = KIND_CANARY;
		break;
	}
}
