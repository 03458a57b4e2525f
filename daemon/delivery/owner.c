/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/owner.h"

#include <stdlib.h>

#include "daemon/loop.h"
#include "lib/base/alloc.h"

#define DRAIN_MS     2000       /* patience with a sink that is replaced or gone */
#define QUICK_MS     100        /* before the first retry of a link that worked */
#define WORKED_MS    1000       /* a link that was up for this long worked */
#define REMIND_MS    (10 * 60 * 1000) /* the same trouble is not said more often */
#define TICKETS_MAX  (512 * 1024) /* 10 s of confirm_after at 50,000 entries a second */
#define ORDER_MAX    (256 * 1024)

static unsigned long long
entries_waiting(const struct sink_owner *o)
{
	struct journal_backlog log;

	return journal_backlog_of(o->d->journal, o->number, &log) ? log.entries : 0;
}

/* ---- states ---------------------------------------------------------------------- */

/* The only place that writes o->state. */
static void
owner_set_state(struct sink_owner *o, enum owner_state state)
{
	timer_unset(o->d->env->timers, &o->again);
	o->state = state;
}

static void
owner_start(struct sink_owner *o)
{
	owner_set_state(o, OWNER_STARTING);
	o->conf->kind->start(o->sink);
}

/* Says trouble once, and again when it is another or has lasted. */
static void
owner_report_trouble(struct sink_owner *o, const struct err *err, const char *what, int64_t wait_ms)
{
	int64_t now = clock_mono(o->d->env->clock);
	uint64_t hash = str_hash(err->text, strlen(err->text));
	bool is_alarm = o->is_refused || o->state == OWNER_PARKED;

	if (o->trouble.text[0] == '\0')
		o->trouble_since = clock_wall(o->d->env->clock);
	o->trouble = *err;
	o->is_hushed = o->said == hash && now - o->said_at < REMIND_MS;
	if (o->is_hushed) {
		log_debug(&o->log, "%s: %s; next try in %.1fs", what, err->text, (double)wait_ms / 1000);
		return;
	}
	o->said = hash;
	o->said_at = now;
	(is_alarm ? log_error : log_warn)(&o->log, "%s: %s; next try in %.1fs entries_waiting=%llu",
	    what, err->text, (double)wait_ms / 1000, entries_waiting(o));
}

void
owner_open(struct sink_owner *o)
{
	struct err err = { 0 };
	int64_t wait_ms;

	o->sink = o->conf->kind->open(o->d->env, o, o->name, o->conf->conf, &err);
	if (o->sink != NULL) {
		o->tries = 0;
		owner_start(o);
		return;
	}
	wait_ms = delivery_backoff(++o->tries);
	owner_set_state(o, OWNER_PARKED);
	owner_report_trouble(o, &err, "the sink cannot be opened", wait_ms);
	trial_link_down(o, &err);
	timer_set(o->d->env->timers, &o->again, wait_ms);
}

static void
owner_on_again(void *arg)
{
	struct sink_owner *o = arg;

	switch (o->state) {
	case OWNER_PARKED:
		owner_open(o);
		break;
	case OWNER_WAITING:
		owner_start(o);
		break;
	case OWNER_DRAINING:
		log_warn(&o->log, "did not finish in time; what is not accepted is sent again later"
		    " entries=%zu", o->tickets.n);
		owner_close_now(o);
		break;
	case OWNER_STARTING:
	case OWNER_UP:
	case OWNER_CLOSING:
	case OWNER_READING:
	case OWNER_CLOSED:
		break;
	}
}

static void
owner_on_close(void *arg)
{
	owner_close_now(arg);
}

static void
owner_close_later(struct sink_owner *o)
{
	owner_set_state(o, OWNER_CLOSING);
	loop_defer(o->d->env->loop, owner_on_close, o);
}

/* ---- the link ------------------------------------------------------------------------ */

static void
owner_link_up(struct sink_owner *o, const struct err *note)
{
	const char *what = note != NULL ? note->text : "the link is up";

	if (o->state != OWNER_STARTING)
		return;
	owner_set_state(o, OWNER_UP);
	o->up_since = clock_mono(o->d->env->clock);
	o->gets_on = false;
	(o->is_hushed ? log_debug : log_info)(&o->log, "%s tries=%u entries_waiting=%llu", what,
	    o->tries + 1, entries_waiting(o));
	o->is_refused = o->is_hushed = false;
	o->trouble.text[0] = '\0';
	o->trouble_since = TICKS_NONE;
	owner_wake(o);
}

/*
 * How long to wait before start(). A link that worked for a while starts anew at once;
 * one that soon ends, but not before something was accepted, never waits for long.
 */
static int64_t
owner_link_backoff(struct sink_owner *o, bool is_planned)
{
	if (is_planned)
		return 0;
	if (o->state == OWNER_UP && clock_mono(o->d->env->clock) - o->up_since >= WORKED_MS)
		o->tries = 0;
	else if (o->state == OWNER_UP && o->gets_on && o->tries > 1)
		o->tries = 1;
	if (o->tries++ == 0)
		return QUICK_MS;
	return delivery_backoff(o->tries - 1);
}

/* err NULL: the sink ended the link itself, to start anew. */
static void
owner_link_down(struct sink_owner *o, bool is_refused, const struct err *err)
{
	int64_t wait_ms;

	if (o->state == OWNER_DRAINING) {
		owner_close_later(o);
		return;
	}
	if (o->state != OWNER_STARTING && o->state != OWNER_UP)
		return;
	wait_ms = owner_link_backoff(o, err == NULL);
	if (o->state == OWNER_UP)
		owner_rewind(o);
	owner_set_state(o, OWNER_WAITING);
	o->is_refused = is_refused;
	if (err != NULL)
		owner_report_trouble(o, err, is_refused ? "refused" : "the link is down", wait_ms);
	timer_set(o->d->env->timers, &o->again, wait_ms);
	trial_link_down(o, err);
}

void
sink_link(struct sink_owner *o, enum sink_link_state state, const struct err *err)
{
	switch (state) {
	case SINK_UP:
		owner_link_up(o, err);
		break;
	case SINK_DOWN:
		owner_link_down(o, false, err);
		break;
	case SINK_REFUSED:
		owner_link_down(o, true, err);
		break;
	}
}

/* ---- the end ---------------------------------------------------------------------------- */

void
sink_drained(struct sink_owner *o)
{
	if (o->state == OWNER_DRAINING)
		owner_close_later(o);
}

static void
owner_drain(struct sink_owner *o)
{
	owner_drop_window(o);
	owner_set_state(o, OWNER_DRAINING);
	timer_set(o->d->env->timers, &o->again, DRAIN_MS);
	o->conf->kind->drain(o->sink);
}

void
owner_replace(struct sink_owner *o, const struct settings *s, const struct sink_conf *next)
{
	settings_unref(o->next_settings);
	o->next_settings = next != NULL ? settings_ref(s) : NULL;
	o->next = next;
	switch (o->state) {
	case OWNER_UP:
		owner_drain(o);
		break;
	case OWNER_PARKED:
	case OWNER_STARTING:
	case OWNER_WAITING:
		owner_close_later(o);
		break;
	case OWNER_DRAINING:
	case OWNER_CLOSING:
	case OWNER_READING:
	case OWNER_CLOSED:
		break;
	}
}

static void
owner_close_sink(struct sink_owner *o)
{
	if (o->sink == NULL)
		return;
	if (o->conf->kind->cancel != NULL)
		o->conf->kind->cancel(o->sink);
	o->conf->kind->close(o->sink);
	o->sink = NULL;
}

void
owner_close_now(struct sink_owner *o)
{
	loop_forget(o->d->env->loop, owner_on_close, o);
	owner_set_state(o, OWNER_READING);
	owner_close_sink(o);
	owner_rewind(o);
	trial_void(o);
	if (o->reading == NULL)
		owner_on_closed(o);
}

static void
owner_forget_trouble(struct sink_owner *o)
{
	o->trouble = (struct err) { 0 };
	o->trouble_since = TICKS_NONE;
	o->said = 0;
	o->is_refused = o->is_hushed = false;
	o->tries = 0;
}

void
owner_on_closed(struct sink_owner *o)
{
	if (o->d->is_stopping || o->next == NULL) {
		owner_set_state(o, OWNER_CLOSED);
		delivery_on_owner_closed(o);
		return;
	}
	settings_unref(o->settings);
	o->settings = o->next_settings;
	o->conf = o->next;
	o->next_settings = NULL;
	o->next = NULL;
	owner_forget_trouble(o);
	owner_open(o);
}

/* ---- life --------------------------------------------------------------------------------- */

static void
owner_on_read_again(void *arg)
{
	owner_wake(arg);
}

struct sink_owner *
owner_new(struct delivery *d, const struct settings *s, const struct sink_conf *conf)
{
	struct sink_owner *o = xcalloc(1, sizeof(*o));

	o->d = d;
	o->name = xstrdup(conf->name);
	o->log = (struct log_ctx) { .kind = "sink", .name = o->name };
	o->number = journal_sink(d->journal, o->name);
	o->settings = settings_ref(s);
	o->conf = conf;
	o->has_more = true;
	o->trouble_since = o->last_accepted = TICKS_NONE;
	o->delay.bounds = o->journal_delay.bounds = &histogram_delays;
	timer_init(&o->again, owner_on_again, o);
	timer_init(&o->read_again, owner_on_read_again, o);
	owner_settle_init(o);
	tickets_init(&o->tickets, TICKETS_MAX);
	order_init(&o->order, ORDER_MAX);
	marks_init(&o->marks);
	TAILQ_INSERT_TAIL(&d->owners, o, link);
	return o;
}

void
owner_free(struct sink_owner *o)
{
	trial_gone(o);
	owner_close_sink(o);
	owner_drop_window(o);
	owner_orphan_reading(o);
	owner_settle_now(o);
	loop_forget(o->d->env->loop, owner_on_close, o);
	timer_unset(o->d->env->timers, &o->again);
	timer_unset(o->d->env->timers, &o->read_again);
	o->d->npauses -= o->pauses_polling;
	if (o->is_runnable)
		TAILQ_REMOVE(&o->d->runnable, o, run_link);
	tickets_release(&o->tickets);
	order_release(&o->order);
	marks_release(&o->marks);
	settings_unref(o->settings);
	settings_unref(o->next_settings);
	free(o->name);
	free(o);
}

const struct log_ctx *
sink_log(const struct sink_owner *o)
{
	return &o->log;
}
