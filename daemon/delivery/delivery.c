/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/delivery.h"

#include <stdlib.h>
#include <sys/random.h>

#include "daemon/delivery/held.h"
#include "daemon/delivery/owner.h"
#include "daemon/delivery/parking.h"
#include "daemon/loop.h"
#include "lib/base/alloc.h"
#include "lib/policy/backoff.h"

#define TURN_MS     4  /* the loop is held no longer than about this */
#define TURN_PIECES 16 /* of WINDOW_MAX records */
#define BACKOFF_MS  1000
#define BACKOFF_CAP 60000
#define IDLE_MS     50
#define SINKS_MAX   4096

static uint32_t
random_bits(void)
{
	uint32_t r = 0;

	(void)!getrandom(&r, sizeof(r), GRND_NONBLOCK);
	return r;
}

int64_t
delivery_backoff(unsigned tries)
{
	return backoff_jitter(backoff_delay(tries, BACKOFF_MS, BACKOFF_CAP, 0), random_bits());
}

/* ---- turns ---------------------------------------------------------------------- */

/* Each sink gets one piece after the other, so that none waits for another's backlog. */
static void
delivery_on_work(void *arg)
{
	struct delivery *d = arg;
	int64_t end = clock_mono(d->env->clock) + TURN_MS;
	struct sink_owner *o;

	for (unsigned i = 0; i < TURN_PIECES && !TAILQ_EMPTY(&d->runnable); i++) {
		o = TAILQ_FIRST(&d->runnable);
		TAILQ_REMOVE(&d->runnable, o, run_link);
		o->is_runnable = false;
		if (owner_hand_out(o))
			owner_wake(o);
		if (clock_mono(d->env->clock) >= end)
			break;
	}
	if (!TAILQ_EMPTY(&d->runnable))
		timer_set(d->env->timers, &d->work, 0);
}

static void
delivery_on_ready(void *arg, uint32_t sink)
{
	struct delivery *d = arg;
	struct sink_owner *o;

	TAILQ_FOREACH(o, &d->owners, link) {
		if (o->number != sink)
			continue;
		o->has_more = true;
		owner_wake(o);
	}
}

void
delivery_forget_order(struct delivery *d)
{
	struct sink_owner *o;

	TAILQ_FOREACH(o, &d->owners, link)
		order_release(&o->order);
}

static void
forget_left_out(struct sink_owner *o)
{
	const struct journal_filter *f = &o->d->left_out;

	for (size_t i = 0; i < f->nstreams; i++)
		order_forget(&o->order, f->streams[i]);
}

void
delivery_leave_out(struct delivery *d, const struct journal_filter *streams)
{
	struct sink_owner *o;

	if (streams != NULL)
		d->left_out = *streams;
	TAILQ_FOREACH(o, &d->owners, link) {
		if (streams != NULL)
			owner_leave_out(o);
		forget_left_out(o);
	}
	if (streams == NULL)
		d->left_out.nstreams = 0;
}

/* ---- idle ------------------------------------------------------------------------ */

bool
delivery_is_idle(const struct delivery *d)
{
	struct journal_backlog *all = xcalloc(SINKS_MAX, sizeof(*all));
	size_t n = journal_backlogs(d->journal, all, SINKS_MAX);
	bool is_idle = true;

	for (size_t i = 0; i < n; i++)
		is_idle &= !all[i].is_declared || all[i].entries == 0;
	free(all);
	return is_idle;
}

void
delivery_on_canary(struct delivery *d, delivery_canary_cb *cb, void *arg)
{
	d->on_canary = cb;
	d->on_canary_arg = arg;
}

uint64_t
delivery_dead(const struct delivery *d)
{
	const struct sink_owner *o;
	uint64_t dead = 0;

	TAILQ_FOREACH(o, &d->owners, link)
		dead += o->dead;
	return dead;
}

/* Looked at now and then: only the journal knows when the last mark has reached it. */
static void
delivery_on_idle_check(void *arg)
{
	struct delivery *d = arg;

	timer_set(d->env->timers, &d->idle, IDLE_MS);
	if (!d->was_busy || !delivery_is_idle(d))
		return;
	d->was_busy = false;
	d->on_idle(d->on_idle_arg);
}

void
delivery_on_idle(struct delivery *d, void (*cb)(void *arg), void *arg)
{
	d->on_idle = cb;
	d->on_idle_arg = arg;
	timer_unset(d->env->timers, &d->idle);
	if (cb != NULL)
		timer_set(d->env->timers, &d->idle, IDLE_MS);
}

/* ---- configuration ------------------------------------------------------------------ */

struct sink_owner *
delivery_find(const struct delivery *d, const char *name)
{
	struct sink_owner *o;

	TAILQ_FOREACH(o, &d->owners, link) {
		if (strcmp(o->name, name) == 0)
			return o;
	}
	return NULL;
}

static bool
owner_is_leaving(const struct sink_owner *o)
{
	return o->state == OWNER_DRAINING || o->state == OWNER_CLOSING || o->state == OWNER_READING;
}

static void
delivery_apply_sink(struct delivery *d, const struct settings *s, const struct sink_conf *conf)
{
	struct sink_owner *o = delivery_find(d, conf->name);

	if (o == NULL)
		owner_open(owner_new(d, s, conf));
	else if (owner_is_leaving(o) || strcmp(o->conf->text, conf->text) != 0)
		owner_replace(o, s, conf);
}

static void
delivery_declare(struct delivery *d, const struct settings *s)
{
	const char **names = xcalloc(s->nsinks + 1, sizeof(*names));

	for (size_t i = 0; i < s->nsinks; i++)
		names[i] = s->sinks[i].name;
	journal_sinks_declare(d->journal, names, s->nsinks);
	free(names);
}

void
delivery_configure(struct delivery *d, const struct settings *s)
{
	struct sink_owner *o;

	if (d->is_stopping)
		return;
	TAILQ_FOREACH(o, &d->owners, link) {
		if (settings_sink(s, o->name) == NULL)
			owner_replace(o, NULL, NULL);
	}
	for (size_t i = 0; i < s->nsinks; i++)
		delivery_apply_sink(d, s, &s->sinks[i]);
	delivery_declare(d, s);
	if (d->settings == NULL)
		parking_start(d);
	settings_unref(d->settings);
	d->settings = settings_ref(s);
}

void
delivery_refresh(struct delivery *d)
{
	struct sink_owner *o;

	TAILQ_FOREACH(o, &d->owners, link) {
		if (o->sink != NULL && o->conf->kind->refresh != NULL)
			o->conf->kind->refresh(o->sink);
	}
}

bool
delivery_hold(struct delivery *d, const char *sink, bool is_held)
{
	struct sink_owner *o;

	TAILQ_FOREACH(o, &d->owners, link) {
		if (strcmp(o->name, sink) != 0)
			continue;
		o->is_held = is_held;
		trial_held(o);
		owner_wake(o);
		return true;
	}
	return false;
}

/* ---- stopping ------------------------------------------------------------------------ */

static void
delivery_on_stopped(void *arg)
{
	struct delivery *d = arg;

	d->stopped(d->stopped_arg);
}

static void
delivery_check_stopped(struct delivery *d)
{
	struct sink_owner *o;

	TAILQ_FOREACH(o, &d->owners, link) {
		if (o->state != OWNER_CLOSED)
			return;
	}
	if (d->is_stopped)
		return;
	d->is_stopped = true;
	timer_unset(d->env->timers, &d->patience);
	loop_defer(d->env->loop, delivery_on_stopped, d);
}

static void
delivery_on_impatient(void *arg)
{
	struct delivery *d = arg;
	struct sink_owner *o;

	TAILQ_FOREACH(o, &d->owners, link) {
		if (o->state == OWNER_CLOSED)
			continue;
		if (o->tickets.n > 0)
			log_warn(&o->log, "did not finish in time; what is not accepted is sent again at the"
			    " next start entries=%zu", o->tickets.n);
		owner_orphan_reading(o);
		owner_close_now(o);
	}
}

static void
delivery_free_gone(void *arg)
{
	struct delivery *d = arg;
	struct sink_owner *o;

	while (!TAILQ_EMPTY(&d->gone)) {
		o = TAILQ_FIRST(&d->gone);
		TAILQ_REMOVE(&d->gone, o, link);
		owner_free(o);
	}
}

void
delivery_on_owner_closed(struct sink_owner *o)
{
	struct delivery *d = o->d;

	if (d->is_stopping) {
		delivery_check_stopped(d);
		return;
	}
	TAILQ_REMOVE(&d->owners, o, link);
	TAILQ_INSERT_TAIL(&d->gone, o, link);
	loop_defer(d->env->loop, delivery_free_gone, d);
}

void
delivery_stop(struct delivery *d, int64_t patience_ms, void (*done)(void *arg), void *arg)
{
	struct sink_owner *o;

	BUG_IF(d->is_stopping);
	d->is_stopping = true;
	d->stopped = done;
	d->stopped_arg = arg;
	timer_set(d->env->timers, &d->patience, patience_ms);
	parking_stop(d);
	TAILQ_FOREACH(o, &d->owners, link)
		owner_replace(o, NULL, NULL);
	delivery_check_stopped(d);
}

/* ---- life ------------------------------------------------------------------------------ */

struct delivery *
delivery_new(const struct engine_env *env, struct journal *j, delivery_origin_cb *origin, void *arg)
{
	struct delivery *d = xcalloc(1, sizeof(*d));

	d->env = env;
	d->journal = j;
	d->origin = origin;
	d->origin_arg = arg;
	TAILQ_INIT(&d->owners);
	TAILQ_INIT(&d->runnable);
	TAILQ_INIT(&d->gone);
	LIST_INIT(&d->readings);
	LIST_INIT(&d->looks);
	timer_init(&d->work, delivery_on_work, d);
	timer_init(&d->idle, delivery_on_idle_check, d);
	timer_init(&d->patience, delivery_on_impatient, d);
	parking_init(d);
	journal_on_ready(j, delivery_on_ready, d);
	return d;
}

void
delivery_free(struct delivery *d)
{
	struct sink_owner *o;

	if (d == NULL)
		return;
	while (!TAILQ_EMPTY(&d->owners)) {
		o = TAILQ_FIRST(&d->owners);
		TAILQ_REMOVE(&d->owners, o, link);
		owner_free(o);
	}
	delivery_free_gone(d);
	delivery_free_readings(d);
	delivery_free_looks(d);
	journal_on_ready(d->journal, NULL, NULL);
	loop_forget(d->env->loop, delivery_on_stopped, d);
	loop_forget(d->env->loop, delivery_free_gone, d);
	timer_unset(d->env->timers, &d->work);
	timer_unset(d->env->timers, &d->idle);
	timer_unset(d->env->timers, &d->patience);
	parking_stop(d);
	settings_unref(d->settings);
	free(d);
}

const char *
delivery_full_sink(const struct delivery *d, const struct tenant *t)
{
	for (size_t i = 0; d->npauses > 0 && i < t->nsinks; i++) {
		const struct sink_owner *o = delivery_find(d, t->sinks[i]->name);

		if (o != NULL && o->pauses_polling)
			return o->name;
	}
	return NULL;
}

/* ---- figures ------------------------------------------------------------------------------ */

enum sink_link_state
owner_link_state(const struct sink_owner *o)
{
	if (o->state == OWNER_UP || o->state == OWNER_DRAINING)
		return SINK_UP;
	return o->is_refused ? SINK_REFUSED : SINK_DOWN;
}

static int64_t
owner_next_try(const struct sink_owner *o)
{
	int64_t in_ms = o->again.at - clock_mono(o->d->env->clock);

	if ((o->state != OWNER_WAITING && o->state != OWNER_PARKED) || !timer_is_set(&o->again))
		return -1;
	return in_ms > 0 ? in_ms : 0;
}

size_t
delivery_figures(const struct delivery *d, struct delivery_figures *out, size_t max)
{
	struct sink_owner *o;
	size_t n = 0;

	TAILQ_FOREACH(o, &d->owners, link) {
		if (n == max)
			break;
		out[n++] = (struct delivery_figures) {
			.sink = o->name,
			.kind = o->conf->kind->name,
			.link = owner_link_state(o),
			.is_parked = o->state == OWNER_PARKED,
			.is_held = o->is_held,
			.pauses_polling = o->pauses_polling,
			.trouble = o->trouble.text,
			.trouble_since = o->trouble_since,
			.next_try_ms = owner_next_try(o),
			.accepted = o->accepted,
			.retried = o->retried,
			.rejected = o->rejected,
			.dead = o->dead,
			.in_flight = o->tickets.n - o->window.n,
			.last_accepted = o->last_accepted,
			.delay = &o->delay,
			.journal_delay = &o->journal_delay,
		};
	}
	return n;
}
