#include "lib/policy/budget.h"

#define ONE INT64_C(60000) /* one request: per_min of them flow in in 60,000 ms */

static int64_t
burst(const struct budget *b)
{
	int64_t n = b->per_min / 10;

	return n > 0 ? n : 1;
}

static int64_t
rate(const struct budget *b)
{
	int64_t n = b->per_min - burst(b);

	return n > 0 ? n : 1;
}

static void
flow(struct budget *b, int64_t now)
{
	int64_t full = burst(b) * ONE, passed = now - b->at;

	b->at = now;
	if (passed > full)
		passed = full; /* rate is at least one a ms of ONE: it is full by then */
	if (passed > 0)
		b->level += passed * rate(b);
	if (b->level > full)
		b->level = full;
}

void
budget_init(struct budget *b, int64_t per_min, int64_t now)
{
	*b = (struct budget){ .per_min = per_min, .at = now };
	b->level = burst(b) * ONE;
}

void
budget_change(struct budget *b, int64_t per_min, int64_t now)
{
	flow(b, now);
	b->per_min = per_min;
	flow(b, now);
}

int64_t
budget_take(struct budget *b, unsigned reserve, int64_t now)
{
	int64_t keep = (burst(b) - 1) * ONE / 100 * reserve, missing;

	flow(b, now);
	missing = ONE + keep - b->level;
	if (missing > 0)
		return (missing + rate(b) - 1) / rate(b);
	b->level -= ONE;
	return 0;
}
