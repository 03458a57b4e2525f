/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "daemon/delivery/sink_smtp_parts.h"
#include "daemon/loop.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

#define CROWDED_MS 5000

static uint32_t
chance(const struct entry *e, int64_t now)
{
	uint64_t seed[2] = { e->ticket, (uint64_t)now };

	return (uint32_t)str_hash(seed, sizeof(seed));
}

static void
say_held(struct sink *s, const struct entry_end *end, int64_t now)
{
	unsigned kept;

	if (!end->is_again || end->why == NULL ||
	    !hush_allows(&s->hush, clock_mono(s->env->clock), &kept))
		return;
	log_warn(sink_log(s->owner), "a recipient is not reached now, others are: %s; tried again in"
	    " %.1fs others_meanwhile=%u", end->why, (double)ticks_to_ms(end->due - now) / 1000, kept);
}

static void
free_entry(struct sink *s, struct entry *e)
{
	if (e->crowd != NULL)
		crowd_leave(&s->crowd, e->crowd, 1 + e->nlegs);
	entry_free(e);
}

/* The entry is gone then. cut: what of it is not done comes again at once. */
static void
settle(struct sink *s, struct entry *e, bool cut)
{
	struct buf memo = BUF_INIT(MEMO_BYTES);
	int64_t now = clock_wall(s->env->clock);
	struct entry_end end;
	struct err err;

	entry_judge(e, now, chance(e, now), cut, &s->memo, &memo, &end);
	(void)err_set(&err, end.verdict == SINK_REJECT ? ERR_PERM : ERR_TEMP, "%s",
	    end.why != NULL ? end.why : "put off");
	if (end.verdict == SINK_HOLD)
		say_held(s, &end, now);
	sink_result(s->owner, e->ticket, end.verdict, end.verdict == SINK_HOLD ? end.due : TICKS_NONE,
	    end.has_memo ? memo.p : NULL, end.verdict == SINK_OK ? NULL : &err);
	buf_release(&memo);
	free_entry(s, e);
}

static void
settle_complete(struct sink *s)
{
	struct entry *e;

	while (!TAILQ_EMPTY(&s->complete)) {
		e = TAILQ_FIRST(&s->complete);
		TAILQ_REMOVE(&s->complete, e, link);
		settle(s, e, false);
	}
}

/* may_report: else they are forgotten, as if they had not been taken. */
static void
settle_aside(struct sink *s, bool may_report)
{
	int64_t due = clock_wall(s->env->clock) + ticks_from_ms(CROWDED_MS);
	struct smtp_aside *a;

	while (s->aside.n > 0) {
		a = fifo_at(&s->aside, 0);
		if (may_report)
			sink_result(s->owner, a->ticket, SINK_HOLD, due, a->memo, NULL);
		free(a->memo);
		fifo_drop(&s->aside, 1);
	}
}

void
smtp_tell_ready(struct sink *s)
{
	if (!s->wants_ready || post_letters(s->post) > SMTP_LETTERS_MAX / 2 ||
	    post_bytes(s->post) > SMTP_BYTES_MAX / 2 || s->crowd.size > SMTP_CROWD_MAX / 2 ||
	    s->bundles.n > SMTP_BUNDLES_MAX / 2)
		return;
	s->wants_ready = false;
	sink_ready(s->owner);
}

static void
on_report(void *arg)
{
	struct sink *s = arg;

	settle_complete(s);
	settle_aside(s, true);
	if (s->is_up && !s->is_ending)
		smtp_tell_ready(s);
}

void
smtp_report_later(struct sink *s)
{
	loop_forget(s->env->loop, on_report, s);
	loop_defer(s->env->loop, on_report, s);
}

void
smtp_put_aside(struct sink *s, const struct sink_item *item)
{
	struct smtp_aside *a = fifo_push(&s->aside);

	a->ticket = item->ticket;
	a->memo = item->memo != NULL ? xstrdup(item->memo) : NULL;
	smtp_report_later(s);
}

void
smtp_end_leg(struct sink *s, const struct letter_leg *at, enum leg_state state, const char *why)
{
	struct entry *e = at->entry;

	entry_leg(e, at->leg, state, why);
	if (e->open > 0)
		return;
	TAILQ_REMOVE(&s->entries, e, link);
	TAILQ_INSERT_TAIL(&s->complete, e, link);
}

void
smtp_end_letter(struct sink *s, struct letter *l, enum leg_state state, const struct err *err)
{
	struct err why = { 0 };

	if (err != NULL) {
		why = *err;
		(void)err_wrap(&why, "%s", l->to);
	}
	for (size_t i = 0; i < l->n; i++)
		smtp_end_leg(s, &l->legs[i], state, err != NULL ? why.text : NULL);
	smtp_report_later(s);
}

static void
take_back(struct entry *e)
{
	for (size_t i = 0; i < e->nlegs; i++) {
		if (e->legs[i].admitted != NULL)
			desk_take_back(e->legs[i].admitted);
	}
}

/* What was begun and somebody has got is said, the rest is as if it had not been taken. */
static void
let_go(struct sink *s, bool may_report)
{
	struct entry *e;

	if (may_report)
		settle_complete(s);
	TAILQ_CONCAT(&s->entries, &s->complete, link);
	while (!TAILQ_EMPTY(&s->entries)) {
		e = TAILQ_FIRST(&s->entries);
		TAILQ_REMOVE(&s->entries, e, link);
		if (may_report && entry_has_progress(e)) {
			settle(s, e, true);
			continue;
		}
		take_back(e);
		free_entry(s, e);
	}
}

static void
free_letter(void *letter)
{
	letter_free(letter);
}

void
smtp_clear(struct sink *s, bool may_report)
{
	bundles_clear(&s->bundles);
	post_clear(s->post, free_letter);
	let_go(s, may_report);
	settle_aside(s, false);
	fifo_release(&s->aside);
	loop_forget(s->env->loop, on_report, s);
	s->is_up = s->is_ending = s->wants_ready = false;
}
