/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/trial.h"

#include <stdlib.h>
#include <strings.h>

#include "daemon/delivery/owner.h"
#include "lib/base/alloc.h"
#include "lib/format/mail.h"
#include "lib/record/record.h"

#define SHOWN_MAX 400 /* bytes of recipients that an error names */

struct trial {
	struct sink_owner *o;
	struct timer timer;
	struct origin *origin;
	char *to;
	uint64_t ticket; /* 0: not handed out */
	int64_t asked, handed, until; /* mono ms */
	struct buf event_id;
	trial_cb *cb;
	void *arg;
};

/* ---- the answer ------------------------------------------------------------------- */

static const char *const ends[TRIAL_ENDS] = {
	[TRIAL_ACCEPTED] = "",
	[TRIAL_REJECTED] = "refused without a reason",
	[TRIAL_NOT_NOW] = "put off without a reason",
	[TRIAL_CUT] = "the link ended before it was accepted",
	[TRIAL_NO_LINK] = "there is no link, and none came up in that time",
	[TRIAL_PAUSED] = "an operator paused the sink",
	[TRIAL_BUSY] = "the sink took nothing in that time: too much is on its way already",
	[TRIAL_UNANSWERED] = "no answer in that time; it may still arrive",
	[TRIAL_GONE] = "the sink is being taken out, or msspd stops",
};

static void
trial_log(const struct sink_owner *o, const struct trial_answer *a)
{
	if (a->end == TRIAL_ACCEPTED)
		log_info(&o->log, "a test record that an operator asked for is accepted took_ms=%lld",
		    (long long)a->took_ms);
	else
		log_warn(&o->log, "a test record that an operator asked for is not accepted: %s", a->why);
}

/* why: NULL: what stands for that end. */
static void
trial_finish(struct trial *t, enum trial_end end, const char *why)
{
	struct sink_owner *o = t->o;
	const struct sink_kind *kind = o->conf->kind;
	int64_t now = clock_mono(o->d->env->clock);
	bool was_sent = t->handed >= 0;
	struct trial_answer a = {
		.end = end,
		.sink = o->name,
		.kind = kind->name,
		.to = t->to,
		.event_id = was_sent ? buf_peek(&t->event_id).s : "",
		.why = why != NULL ? why : ends[end],
		.means = "",
		.link = owner_link_state(o),
		.is_parked = o->state == OWNER_PARKED,
		.waited_ms = (was_sent ? t->handed : now) - t->asked,
		.took_ms = was_sent ? now - t->handed : -1,
	};

	if (end == TRIAL_ACCEPTED && kind->means != NULL)
		a.means = kind->means(o->sink, &a.is_acknowledged);
	trial_log(o, &a);
	o->trial = NULL;
	timer_unset(o->d->env->timers, &t->timer);
	t->cb(t->arg, &a);
	origin_unref(t->origin);
	buf_release(&t->event_id);
	free(t->to);
	free(t);
}

/* No time is needed to know that it goes nowhere. */
static bool
is_hopeless(const struct trial *t)
{
	return t->ticket == 0 && (t->o->is_held || t->o->state == OWNER_CLOSED);
}

/* How it ends without an answer, as things are now. */
static enum trial_end
end_without_answer(const struct trial *t)
{
	if (t->ticket != 0)
		return TRIAL_UNANSWERED;
	if (t->o->state == OWNER_CLOSED)
		return TRIAL_GONE;
	if (t->o->is_held)
		return TRIAL_PAUSED;
	return t->o->state == OWNER_UP ? TRIAL_BUSY : TRIAL_NO_LINK;
}

static void
trial_on_time(void *arg)
{
	struct trial *t = arg;
	const char *trouble = t->o->trouble.text;
	int64_t left = t->until - clock_mono(t->o->d->env->clock);
	enum trial_end end = end_without_answer(t);

	if (left > 0 && !is_hopeless(t)) /* it was, when the timer was set */
		timer_set(t->o->d->env->timers, &t->timer, left);
	else
		trial_finish(t, end, end == TRIAL_NO_LINK && trouble[0] != '\0' ? trouble : NULL);
}

/* ---- what happens to its sink ---------------------------------------------------------- */

void
trial_settle(struct sink_owner *o, uint64_t ticket, enum sink_verdict v, const struct err *err)
{
	static const enum trial_end of[] = { [SINK_OK] = TRIAL_ACCEPTED,
		[SINK_RETRY] = TRIAL_NOT_NOW, [SINK_REJECT] = TRIAL_REJECTED,
		[SINK_HOLD] = TRIAL_NOT_NOW };

	if (o->trial != NULL && o->trial->ticket == ticket)
		trial_finish(o->trial, of[v], err != NULL && v != SINK_OK ? err->text : NULL);
}

void
trial_link_down(struct sink_owner *o, const struct err *err)
{
	struct trial *t = o->trial;

	if (t == NULL)
		return;
	if (err == NULL)
		t->ticket = 0; /* ended on purpose: it goes again with the rest */
	else
		trial_finish(t, t->ticket != 0 ? TRIAL_CUT : TRIAL_NO_LINK, err->text);
}

void
trial_void(struct sink_owner *o)
{
	if (o->trial != NULL && o->trial->ticket != 0)
		trial_finish(o->trial, TRIAL_CUT, NULL);
}

void
trial_held(struct sink_owner *o)
{
	if (o->trial != NULL && is_hopeless(o->trial))
		timer_set(o->d->env->timers, &o->trial->timer, 0);
}

void
trial_gone(struct sink_owner *o)
{
	if (o->trial != NULL)
		trial_finish(o->trial, TRIAL_GONE, NULL);
}

/* ---- handing it out ----------------------------------------------------------------------- */

static void
write_body(struct buf *out, const char *sink)
{
	char *summary = xasprintf("msspd test record for sink %s, sent because a person asked for it",
	    sink);

	canary_write(out, &(struct canary){ .sink = str_of(sink), .purpose = CANARY_PURPOSE_TEST,
	    .summary = str_of(summary) });
	free(summary);
}

static bool
trial_send(struct trial *t, struct record *r, int64_t now)
{
	struct sink_owner *o = t->o;
	struct ticket ticket = { .pos = { 0, 0 }, .key = 0, .version = TICKS_NONE, .journalled = now };
	struct sink_item item = {
		.event = { .record = r, .origin = t->origin, .kind = KIND_CANARY, .journalled = now },
		.only_to = t->to,
	};
	struct ticket unused;

	buf_clear(&t->event_id);
	event_id(&t->event_id, &item.event);
	item.ticket = tickets_issue(&o->tickets, &ticket);
	t->ticket = item.ticket;
	t->handed = clock_mono(o->d->env->clock);
	if (o->conf->kind->send(o->sink, &item, 1) == 1)
		return true;
	(void)tickets_redeem(&o->tickets, item.ticket, &unused);
	t->ticket = 0;
	t->handed = -1;
	return false;
}

bool
trial_hand_out(struct sink_owner *o)
{
	struct trial *t = o->trial;
	int64_t now = clock_wall(o->d->env->clock);
	struct buf body = BUF_INIT(8192);
	struct record *r;
	char *id;
	bool is_taken;

	if (t == NULL || t->ticket != 0 || is_hopeless(t) || tickets_is_full(&o->tickets))
		return true;
	write_body(&body, o->name);
	id = xasprintf("%s:test", o->name);
	r = record_from_entry(RECORD_CANARY, str_of(id), now, buf_peek(&body));
	is_taken = trial_send(t, r, now);
	record_unref(r);
	free(id);
	buf_release(&body);
	return is_taken;
}

/* ---- asking for it -------------------------------------------------------------------------- */

/* Looks for a recipient among those that a sink's rules know. */
struct search {
	const char *to;
	struct str bare;
	char *found;      /* as configured; NULL */
	struct buf shown; /* some of those that there are */
};

static void
see_recipient(void *arg, const char *to)
{
	struct search *s = arg;
	struct str bare = mail_address_bare(to);

	if (s->found == NULL && s->to != NULL && bare.n == s->bare.n &&
	    strncasecmp(bare.s, s->bare.s, bare.n) == 0)
		s->found = xstrdup(to);
	if (s->shown.n + bare.n + 2 > SHOWN_MAX ||
	    memmem(buf_peek(&s->shown).s, s->shown.n, bare.s, bare.n) != NULL)
		return;
	buf_puts(&s->shown, s->shown.n > 0 ? ", " : "");
	buf_str(&s->shown, bare);
}

/* Whose mail it becomes: of msspd itself where the rules name the recipient outright, else that of
 * the first customer whose contact it is. */
static struct origin *
find_recipient(const struct sink_owner *o, struct search *s)
{
	const struct settings *all = o->d->settings;
	struct origin *own = origin_own(o->d->env->instance, "test");

	o->conf->kind->recipients(o->conf->conf, own, see_recipient, s);
	for (size_t i = 0; s->found == NULL && i < all->ntenants; i++) {
		const struct tenant *t = &all->tenants[i];

		if (tenant_sink(t, o->name) == NULL)
			continue;
		o->conf->kind->recipients(o->conf->conf, t->origin, see_recipient, s);
		if (s->found == NULL)
			continue;
		origin_unref(own);
		own = origin_ref(t->origin);
	}
	return own;
}

/* NULL: err says which recipients there are. *to: the caller's. */
static struct origin *
choose_origin(const struct sink_owner *o, const struct trial_ask *ask, char **to, struct err *err)
{
	struct search s = { .to = ask->to, .shown = BUF_INIT(SHOWN_MAX + 400) };
	struct origin *origin;

	*to = NULL;
	if (o->conf->kind->recipients == NULL) {
		if (ask->to == NULL)
			return origin_own(o->d->env->instance, "test");
		(void)err_set(err, ERR_PERM, "sink '%s' sends to no recipients; leave out to whom", o->name);
		return NULL;
	}
	s.bare = ask->to != NULL ? mail_address_bare(ask->to) : STR("");
	origin = find_recipient(o, &s);
	*to = s.found;
	if (s.found == NULL) {
		origin_unref(origin);
		origin = NULL;
		(void)err_set(err, ERR_PERM, ask->to != NULL
		    ? "the rules of sink '%s' know no recipient %.200s; they know: %.*s"
		    : "say to whom sink '%s' shall send its test%.0s, with --to; its rules know: %.*s",
		    o->name, ask->to != NULL ? ask->to : "", STR_ARG(buf_peek(&s.shown)));
	}
	buf_release(&s.shown);
	return origin;
}

static void
trial_begin(struct sink_owner *o, struct trial *t, int64_t timeout_ms)
{
	struct timers *timers = o->d->env->timers;

	t->until = t->asked + timeout_ms;
	timer_set(timers, &t->timer, is_hopeless(t) ? 0 : timeout_ms);
	if (!is_hopeless(t) && (o->state == OWNER_PARKED || o->state == OWNER_WAITING))
		timer_set(timers, &o->again, 0);
	owner_wake(o);
}

bool
delivery_try(struct delivery *d, const struct trial_ask *ask, trial_cb *cb, void *arg,
    struct err *err)
{
	struct sink_owner *o = delivery_find(d, ask->sink);
	struct origin *origin;
	struct trial *t;
	char *to;

	if (o == NULL)
		return err_set(err, ERR_PERM, "there is no sink '%.80s'", ask->sink);
	if (o->trial != NULL)
		return err_set(err, ERR_TEMP, "a test of sink '%s' is under way already", o->name);
	origin = choose_origin(o, ask, &to, err);
	if (origin == NULL)
		return false;
	t = xcalloc(1, sizeof(*t));
	*t = (struct trial){ .o = o, .origin = origin, .to = to, .handed = -1,
		.asked = clock_mono(d->env->clock), .event_id = BUF_INIT(2048), .cb = cb, .arg = arg };
	timer_init(&t->timer, trial_on_time, t);
	o->trial = t;
	trial_begin(o, t, ask->timeout_ms < TRIAL_TIMEOUT_MAX_MS ? ask->timeout_ms
								 : TRIAL_TIMEOUT_MAX_MS);
	return true;
}
