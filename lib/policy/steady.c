/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/policy/steady.h"

#define RELAPSES_MAX 16

void
steady_init(struct steady *s)
{
	*s = (struct steady){ .state = STEADY_UNTOLD, .told = STEADY_UNTOLD };
}

static int64_t
longer(int64_t settle_ms, unsigned relapses)
{
	while (relapses-- > 0 && settle_ms < STEADY_LONGEST_MS)
		settle_ms *= 2;
	return settle_ms < STEADY_LONGEST_MS ? settle_ms : STEADY_LONGEST_MS;
}

static bool
has_lasted(const struct steady *s, int64_t now, int64_t settle_ms)
{
	if (!s->is_ill)
		return now - s->since >= longer(settle_ms, s->relapses);
	/* Ill is ill: that it changes from one trouble to another must not hide it. */
	return now - (s->was_told_ill ? s->since : s->ill_since) >= settle_ms;
}

/* Ill again within the hour: it flaps. The first time that it is well counts for nothing. */
static void
count_relapse(struct steady *s, int64_t now)
{
	bool was_well = s->told != STEADY_UNTOLD && !s->was_told_ill;

	if (was_well && s->is_ill && now - s->well_told_at < STEADY_LONGEST_MS)
		s->relapses += s->relapses < RELAPSES_MAX;
	else if (was_well && s->is_ill)
		s->relapses = 0;
}

bool
steady_see(struct steady *s, int state, bool is_ill, int64_t now, int64_t settle_ms)
{
	if (is_ill && (!s->is_ill || s->state == STEADY_UNTOLD))
		s->ill_since = now;
	if (state != s->state)
		s->since = now;
	s->state = state;
	s->is_ill = is_ill;
	if (state == s->told || !has_lasted(s, now, settle_ms))
		return false;
	count_relapse(s, now);
	if (!is_ill)
		s->well_told_at = s->was_told_ill ? now : now - STEADY_LONGEST_MS;
	s->told = state;
	s->was_told_ill = is_ill;
	return true;
}
