/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_entry.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "lib/policy/backoff.h"

#define AGAIN_MS     INT64_C(1000)
#define AGAIN_CAP_MS INT64_C(300000)

struct entry *
entry_new(uint64_t ticket, const char *memo, size_t nlegs)
{
	struct entry *e = xcalloc(1, sizeof(*e) + nlegs * sizeof(e->legs[0]));

	e->ticket = ticket;
	e->memo = memo != NULL ? xstrdup(memo) : NULL;
	e->nlegs = nlegs;
	return e;
}

void
entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	free(e->memo);
	free(e->dead);
	free(e->later);
	free(e);
}

static void
keep_first(char **text, const char *why)
{
	if (*text == NULL && why != NULL)
		*text = xstrdup(why);
}

void
entry_leg(struct entry *e, size_t leg, enum leg_state state, const char *why)
{
	BUG_IF(e->legs[leg].state != LEG_OPEN || e->open == 0);
	e->legs[leg].state = state;
	e->open--;
	if (state == LEG_DEAD)
		keep_first(&e->dead, why);
	if (state == LEG_LATER)
		keep_first(&e->later, why);
}

bool
entry_has_progress(const struct entry *e)
{
	for (size_t i = 0; i < e->nlegs; i++) {
		if (e->legs[i].state == LEG_DONE || e->legs[i].state == LEG_DEAD)
			return true;
	}
	return false;
}

/* What is remembered of it now; *due: of what is left, TICKS_NONE where nothing is. */
static void
gather(const struct entry *e, struct memo *m, int64_t again, int64_t *due, bool *is_again)
{
	*due = TICKS_NONE;
	*is_again = false;
	for (size_t i = 0; i < e->nlegs; i++) {
		const struct leg *leg = &e->legs[i];
		int64_t at = leg->state == LEG_HELD ? leg->held.due : again;

		if (leg->state == LEG_DONE || leg->state == LEG_DEAD) {
			memo_add_done(m, leg->address);
			continue;
		}
		if (leg->state == LEG_HELD)
			memo_hold(m, &leg->held);
		else
			*is_again = true;
		if (*due == TICKS_NONE || at < *due)
			*due = at;
	}
	if (e->dead != NULL)
		memo_add_why(m, e->dead);
}

void
entry_judge(const struct entry *e, int64_t now, uint32_t random, bool cut, struct memo *m,
    struct buf *memo, struct entry_end *out)
{
	int64_t wait_ms, due;

	memo_read(m, e->memo);
	wait_ms = cut ? 0 : backoff_jitter(backoff_delay(m->tries + 1, AGAIN_MS, AGAIN_CAP_MS, 0), random);
	gather(e, m, now + ticks_from_ms(wait_ms), &due, &out->is_again);
	*out = (struct entry_end){ .due = due, .why = e->later, .is_again = out->is_again };
	if (due == TICKS_NONE) {
		out->verdict = m->why[0] != '\0' ? SINK_REJECT : SINK_OK;
		out->why = m->why[0] != '\0' ? m->why : NULL;
		return;
	}
	/* Nobody has it, and nothing but that is to be said: then it keeps its alert in order. */
	out->verdict = !cut && m->ndone == 0 && m->nheld == 0 ? SINK_RETRY : SINK_HOLD;
	if (out->verdict == SINK_RETRY && m->ncancelled == 0)
		return;
	/* Tries say that somebody waits for no digest: also to who cancels what is held besides. */
	if (out->verdict == SINK_HOLD && out->is_again && (!cut || (m->nheld > 0 && m->tries == 0)))
		m->tries++;
	buf_clear(memo);
	memo_write(memo, m);
	out->has_memo = true;
}
