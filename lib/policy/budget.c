/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/policy/budget.h"

/* A request is span_ms: `most` of them flow in in so many milliseconds. */

static int64_t
burst(const struct budget *b)
{
	int64_t n = b->most / 10;

	return n > 0 ? n : 1;
}

static int64_t
rate(const struct budget *b)
{
	int64_t n = b->most - burst(b);

	return n > 0 ? n : 1;
}

static void
flow(struct budget *b, int64_t now)
{
	int64_t full = burst(b) * b->span_ms, passed = now - b->at;

	b->at = now;
	if (passed > full)
		passed = full; /* rate is at least one a ms: it is full by then */
	if (passed > 0)
		b->level += passed * rate(b);
	if (b->level > full)
		b->level = full;
}

void
budget_init(struct budget *b, int64_t most, int64_t span_ms, int64_t now)
{
	*b = (struct budget){ .most = most, .span_ms = span_ms, .at = now };
	b->level = burst(b) * span_ms;
}

int64_t
budget_full_in(struct budget *b, int64_t now)
{
	flow(b, now);
	return (burst(b) * b->span_ms - b->level + rate(b) - 1) / rate(b);
}

void
budget_resume(struct budget *b, int64_t full_in_ms)
{
	int64_t full = burst(b) * b->span_ms, longest = full / rate(b);

	if (full_in_ms > 0)
		b->level = full - rate(b) * (full_in_ms < longest ? full_in_ms : longest);
}

void
budget_change(struct budget *b, int64_t most, int64_t now)
{
	flow(b, now);
	b->most = most;
	flow(b, now);
}

int64_t
budget_wait(struct budget *b, unsigned reserve, int64_t now)
{
	int64_t keep = (burst(b) - 1) * b->span_ms / 100 * reserve, missing;

	flow(b, now);
	missing = b->span_ms + keep - b->level;
	return missing > 0 ? (missing + rate(b) - 1) / rate(b) : 0;
}

int64_t
budget_take(struct budget *b, unsigned reserve, int64_t now)
{
	int64_t ms = budget_wait(b, reserve, now);

	if (ms == 0)
		b->level -= b->span_ms;
	return ms;
}
