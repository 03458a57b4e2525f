/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/owner.h"

#include "lib/base/alloc.h"

#define SETTLE_MS    100
#define BEHIND_MS    1000 /* how often one that waits behind another is looked at again */
#define WAITS_BEHIND "an earlier version of this alert is being tried again"

/* ---- marks ------------------------------------------------------------------------ */

static void
owner_on_settle(void *arg)
{
	owner_settle_now(arg);
}

void
owner_settle_init(struct sink_owner *o)
{
	timer_init(&o->settle, owner_on_settle, o);
}

void
owner_settle_now(struct sink_owner *o)
{
	timer_unset(o->d->env->timers, &o->settle);
	marks_flush(&o->marks, o->d->journal, o->number);
}

static void
owner_mark(struct sink_owner *o, const struct journal_mark *mark)
{
	marks_add(&o->marks, mark);
	if (o->marks.n == MARKS_MAX)
		owner_settle_now(o);
	else if (o->marks.n == 1)
		timer_set(o->d->env->timers, &o->settle, SETTLE_MS);
}

/* Remembered as tried again, so that later entries of its alert wait. */
static void
owner_put_off(struct sink_owner *o, const struct ticket *t, unsigned tries, int64_t due,
    const char *why, const char *memo)
{
	if (!order_add(&o->order, t->key, t->pos.seq, due, t->stream))
		log_debug(&o->log, "too many entries are being tried again at once;"
		    " the order of one alert's versions is not kept beyond %zu", o->order.max);
	owner_mark(o, &(struct journal_mark) { .pos = t->pos, .what = MARK_LATER, .due = due,
	    .tries = tries, .why = why, .memo = memo });
}

void
owner_let_go(struct sink_owner *o, struct journal_pos pos)
{
	owner_mark(o, &(struct journal_mark) { .pos = pos, .what = MARK_OK });
}

void
owner_put_behind(struct sink_owner *o, const struct ticket *t, int64_t due, const char *memo)
{
	int64_t soon = clock_wall(o->d->env->clock) + ticks_from_ms(BEHIND_MS);

	owner_put_off(o, t, t->tries, due > soon ? due : soon, WAITS_BEHIND, memo);
}

/* ---- one verdict each ----------------------------------------------------------------- */

static void
owner_measure(struct sink_owner *o, const struct ticket *t)
{
	int64_t now = o->last_accepted;

	histogram_add(&o->journal_delay, ticks_to_ms(now - t->journalled));
	if (t->version != TICKS_NONE)
		histogram_add(&o->delay, ticks_to_ms(now - t->version));
}

static void
tell_canary(struct sink_owner *o, const struct ticket *t, const struct err *err)
{
	if (o->d->on_canary != NULL)
		o->d->on_canary(o->d->on_canary_arg, o->name, t->version, err);
}

/*
 * An entry that was on its way when an earlier one of its alert came back goes
 * again behind that one, although it was accepted: the last thing a receiver
 * hears of an alert must be its latest version.
 */
static void
owner_settle_ok(struct sink_owner *o, const struct ticket *t, int64_t now)
{
	int64_t due;

	o->last_accepted = now;
	o->gets_on = true;
	if (!t->is_canary)
		o->accepted++;
	if (order_blocks(&o->order, t->key, t->pos.seq, &due)) {
		owner_put_behind(o, t, due, NULL);
		return;
	}
	order_remove(&o->order, t->key, t->pos.seq);
	owner_mark(o, &(struct journal_mark) { .pos = t->pos, .what = MARK_OK });
	if (t->is_canary)
		tell_canary(o, t, NULL);
	else
		owner_measure(o, t);
}

static void
owner_settle_retry(struct sink_owner *o, const struct ticket *t, int64_t hint, const char *memo,
    const struct err *err)
{
	int64_t wait_ms = delivery_backoff(t->tries + 1);
	int64_t due = clock_wall(o->d->env->clock) + ticks_from_ms(wait_ms);
	const char *why = err != NULL ? err->text : "";
	unsigned kept;

	o->retried += !t->is_canary;
	if (hint != TICKS_NONE && hint > due)
		due = hint;
	if (hush_allows(&o->retry_hush, clock_mono(o->d->env->clock), &kept))
		log_warn(&o->log, "an entry is not taken now: %s; tried again in %.1fs"
		    " tries=%u others_meanwhile=%u", why, (double)wait_ms / 1000, t->tries + 1, kept);
	owner_put_off(o, t, t->tries + 1, due, why, memo);
}

/* It was made here and says nothing: no dead letter. */
static void
owner_drop_canary(struct sink_owner *o, const struct ticket *t, const char *why)
{
	struct err err;

	(void)err_set(&err, ERR_PERM, "%s", why);
	order_remove(&o->order, t->key, t->pos.seq);
	owner_mark(o, &(struct journal_mark) { .pos = t->pos, .what = MARK_OK });
	tell_canary(o, t, &err);
}

static void
owner_settle_reject(struct sink_owner *o, const struct ticket *t, const struct err *err)
{
	const char *why = err != NULL ? err->text : "refused without a reason";
	unsigned kept;

	if (t->is_canary) {
		owner_drop_canary(o, t, why);
		return;
	}
	o->rejected++;
	o->dead++;
	order_remove(&o->order, t->key, t->pos.seq);
	if (hush_allows(&o->reject_hush, clock_mono(o->d->env->clock), &kept))
		log_error(&o->log, "an entry can never be delivered: %s; kept as a dead letter"
		    " seq=%llu others_meanwhile=%u", why, (unsigned long long)t->pos.seq, kept);
	owner_mark(o, &(struct journal_mark) { .pos = t->pos, .what = MARK_DEAD, .why = why });
}

static void
owner_settle_hold(struct sink_owner *o, const struct ticket *t, int64_t due, const char *memo)
{
	order_remove(&o->order, t->key, t->pos.seq);
	owner_mark(o, &(struct journal_mark) { .pos = t->pos, .what = MARK_LATER, .due = due,
	    .tries = t->tries, .memo = memo });
}

/* ---- what sinks call ----------------------------------------------------------------------- */

static bool
is_trial(const struct ticket *t)
{
	return t->pos.seq == 0;
}

/* False for a ticket of a link that has ended meanwhile. */
static bool
owner_redeem(struct sink_owner *o, uint64_t ticket, struct ticket *t)
{
	if (!tickets_redeem(&o->tickets, ticket, t))
		return false;
	if (o->is_capped && o->tickets.n < o->tickets.max / 4 * 3) {
		o->is_capped = false;
		owner_wake(o);
	}
	return true;
}

void
sink_result(struct sink_owner *o, uint64_t ticket, enum sink_verdict v, int64_t due,
    const char *memo, const struct err *err)
{
	struct ticket t;

	if (!owner_redeem(o, ticket, &t))
		return;
	if (is_trial(&t)) {
		trial_settle(o, ticket, v, err);
		return;
	}
	switch (v) {
	case SINK_OK:
		owner_settle_ok(o, &t, clock_wall(o->d->env->clock));
		break;
	case SINK_RETRY:
		owner_settle_retry(o, &t, due, memo, err);
		break;
	case SINK_REJECT:
		owner_settle_reject(o, &t, err);
		break;
	case SINK_HOLD:
		owner_settle_hold(o, &t, due, memo);
		break;
	}
	o->d->was_busy = true;
}

void
sink_accepted(struct sink_owner *o, const uint64_t *tickets, size_t n)
{
	int64_t now = clock_wall(o->d->env->clock);
	struct ticket t;

	for (size_t i = 0; i < n; i++) {
		if (!owner_redeem(o, tickets[i], &t))
			continue;
		if (is_trial(&t))
			trial_settle(o, tickets[i], SINK_OK, NULL);
		else
			owner_settle_ok(o, &t, now);
	}
	o->d->was_busy = true;
}
