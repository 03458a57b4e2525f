/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/belongings.h"
#include "daemon/clock.h"
#include "daemon/credential_watch.h"
#include "daemon/engine.h"
#include "daemon/env.h"
#include "daemon/expiries.h"
#include "daemon/health/canaries.h"
#include "daemon/health/ends.h"
#include "daemon/health/watch.h"
#include "daemon/loop.h"
#include "daemon/origins.h"
#include "daemon/purge.h"
#include "daemon/resolve.h"
#include "daemon/state_dir.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/base/inflate.h"

struct engine {
	struct engine_env env;
	char hostname[256];
	struct settings *settings;
	int lock; /* of state_dir; -1: not held */
	struct journal *journal;
	struct errands *errands;
	struct reports *reports;
	struct fetcher *fetcher;
	struct tokens *tokens;
	struct delivery *delivery;
	struct intake *intake;
	struct expiries *expiries;
	struct credential_watch *credentials;
	struct watch *watch;
	struct canaries *canaries;
	bool is_watched; /* not with --once */

	struct origins origins;
	struct purge purge;

	int64_t started, reloaded;
	uint64_t reloads, reload_failures;
	struct err reload_error;
	struct chronicle *chronicle;

	bool is_intake_stopped, is_delivery_stopped, is_stopping;
	int64_t patience_ms;
	void (*stopped)(void *arg);
	void *stopped_arg;

	struct timer once_timer;
	bool is_once_polled, is_once_over;
	size_t once_failed;
	void (*once_done)(void *arg, bool ok);
	void *once_arg;
};

/* For the delivery. */
static const struct origin *
origin_of(void *arg, uint32_t stream)
{
	struct engine *e = arg;

	return origins_find(&e->origins, stream);
}

/* ---- configuring -------------------------------------------------------------- */

static void
warn_of_leavers(struct engine *e, const struct settings *s)
{
	struct journal_backlog left[256];
	size_t n = journal_backlogs(e->journal, left, ARRAY_LEN(left));

	for (size_t i = 0; i < n; i++) {
		struct log_ctx ctx = { "sink", left[i].sink };

		if (settings_sink(s, left[i].sink) != NULL || left[i].entries == 0)
			continue;
		log_warn(&ctx, "is not configured any more; what waits for it is kept for forget_after and "
		    "then let go entries=%" PRIu64, left[i].entries);
	}
}

static void
apply_stream(struct engine *e, const struct tenant_stream *s)
{
	char *about = origin_about(s->origin);

	origins_set(&e->origins, journal_stream(e->journal, s->key, about), origin_ref(s->origin));
	free(about);
}

static void
watch_access(struct engine *e, const struct settings *s)
{
	expiries_begin(e->expiries, "customer");
	for (size_t i = 0; i < s->ncustomers; i++)
		expiries_set(e->expiries, &(struct expiry){ "customer", s->customers[i].name,
		    "our people's access to its portal",
		    "have its access packages extended and write the new access_expires",
		    s->customers[i].access_expires });
	expiries_end(e->expiries, "customer");
}

static void
apply_streams(struct engine *e, const struct settings *s)
{
	for (size_t i = 0; i < s->ntenants; i++) {
		const struct tenant *t = &s->tenants[i];

		for (size_t k = 0; k < t->nstreams; k++)
			apply_stream(e, &t->streams[k]);
	}
}

static void
on_purged(void *arg)
{
	struct engine *e = arg;

	apply_streams(e, e->settings);
}

static void
apply(struct engine *e, const struct settings *s)
{
	warn_of_leavers(e, s);
	replays_of_new_sinks(e->journal, s, clock_wall(e->env.clock));
	origins_forget(&e->origins);
	apply_streams(e, s);
	delivery_configure(e->delivery, s);
	intake_configure(e->intake, s);
	if (e->is_watched) {
		watch_configure(e->watch, s);
		canaries_configure(e->canaries, s);
	}
	watch_access(e, s);
	credential_watch_configure(e->credentials, s);
	ends_clear(e->watch, s, e->expiries, clock_wall(e->env.clock));
}

static const char *
full_sink(void *arg, const struct tenant *t)
{
	const struct engine *e = arg;

	return delivery_full_sink(e->delivery, t);
}

static size_t
see_tenants(void *arg, struct intake_figures *out, size_t max)
{
	const struct engine *e = arg;

	return intake_figures(e->intake, out, max);
}

static size_t
see_sinks(void *arg, struct delivery_figures *out, size_t max)
{
	const struct engine *e = arg;

	return delivery_figures(e->delivery, out, max);
}

static void
on_canary(void *arg, const char *sink, int64_t made, const struct err *err)
{
	struct engine *e = arg;

	canaries_settled(e->canaries, sink, made, err);
}

static void
say_canary(void *arg, const struct canary_word *w)
{
	struct engine *e = arg;

	watch_canary(e->watch, w);
}

static void
on_expiry(void *arg, const struct expiry *x, enum expiry_stage stage, int64_t days)
{
	struct engine *e = arg;

	ends_tell(e->watch, e->settings, x, stage, days);
}

/* Logs every problem; keeps the first for `msspctl status`. */
struct reload_problems {
	struct err *first;
	size_t n;
};

static void
on_problem(void *arg, bool is_error, const char *line)
{
	struct reload_problems *p = arg;

	if (!is_error) {
		log_warn(NULL, "%s", line);
		return;
	}
	log_error(NULL, "%s", line);
	if (p->n++ == 0)
		err_set(p->first, ERR_CONF, "%s", line);
}

static void
on_fixed_change(void *arg, const char *option)
{
	(void)arg;
	log_warn(NULL, "%s changes with a restart only; what it was stays in use", option);
}

bool
engine_reload(struct engine *e, struct err *err)
{
	struct err first = { 0 };
	struct reload_problems problems = { .first = &first };
	struct settings *s;

	BUG_IF(e->is_stopping);
	s = settings_load(e->settings->file, true, on_problem, &problems);
	e->reloaded = clock_wall(e->env.clock);
	e->reloads++;
	if (s == NULL) {
		e->reload_failures++;
		log_error(NULL, "the configuration cannot be used; the old one stays in use errors=%zu",
		    problems.n);
		e->reload_error = first;
		if (err != NULL)
			*err = first;
		return false;
	}
	settings_fixed_changes(e->settings, s, on_fixed_change, NULL);
	fetcher_refresh(e->fetcher);
	apply(e, s);
	delivery_refresh(e->delivery);
	settings_unref(e->settings);
	e->settings = s;
	e->reload_error = (struct err) { 0 };
	log_info(NULL, "configuration read anew tenants=%zu sinks=%zu", s->ntenants, s->nsinks);
	return true;
}

/* ---- opening --------------------------------------------------------------------- */

static void
on_journal_note(void *arg, enum journal_note note, enum journal_state state, const char *text)
{
	struct engine *e = arg;

	if (note == JOURNAL_NOTE_STATE && state == JOURNAL_OK)
		log_info(NULL, "journal: %s", text);
	else if (note == JOURNAL_NOTE_CHECK || note == JOURNAL_NOTE_REFILL)
		log_info(NULL, "journal: %s", text);
	else
		log_error(NULL, "journal: %s", text);
	if (e->intake == NULL)
		return; /* still opening */
	watch_journal(e->watch, note, state, text);
	if (note == JOURNAL_NOTE_STATE)
		intake_journal_state(e->intake, state);
	if (note == JOURNAL_NOTE_REFILL)
		intake_look_for_periods(e->intake);
	if (note == JOURNAL_NOTE_SALVAGE)
		intake_journal_salvaged(e->intake);
	if (note == JOURNAL_NOTE_SALVAGE || note == JOURNAL_NOTE_QUARANTINE)
		delivery_forget_order(e->delivery);
}

static bool
open_journal(struct engine *e, bool is_dry, struct err *err)
{
	const struct settings *s = e->settings;
	struct journal_opts opts = { .dir = s->state_dir, .max_size = (uint64_t)s->journal_max_size,
		.remember_ms = s->remember_ms, .keep_delivered_ms = s->keep_delivered_ms,
		.forget_sink_ms = s->forget_after_ms,
		.own_types = 1u << RECORD_HEALTH | 1u << RECORD_CANARY,
		.unpack = inflate_whole, .clock = e->env.clock, .base = e->env.base };

	e->journal = journal_open(is_dry ? &journal_mem : &journal_sqlite, &opts, on_journal_note, e,
	    err);
	return e->journal != NULL;
}

struct engine *
engine_open(struct event_base *base, struct settings *s, bool is_dry, struct err *err)
{
	struct engine *e = xcalloc(1, sizeof(*e));

	e->settings = settings_ref(s);
	e->lock = -1;
	e->reloaded = TICKS_NONE;
	e->env = (struct engine_env) { .base = base, .clock = &clock_system, .instance = s->instance };
	if (gethostname(e->hostname, sizeof(e->hostname) - 1) != 0)
		e->hostname[0] = '\0';
	e->env.hostname = e->hostname;
	e->started = clock_wall(e->env.clock);
	if (!is_dry && !state_dir_take(s->state_dir, &e->lock, err))
		goto fail;
	/* Order matters: whoever is started later may call on those before it. */
	e->env.loop = loop_new(base);
	e->env.timers = timers_new(base, e->env.clock);
	e->env.resolver = resolver_new(base);
	if (!open_journal(e, is_dry, err))
		goto fail;
	e->errands = errands_new(&e->env, e->journal);
	origins_init(&e->origins, e->journal);
	e->fetcher = fetcher_new(&e->env);
	e->tokens = tokens_new(&e->env, e->fetcher);
	e->delivery = delivery_new(&e->env, e->journal, origin_of, e);
	e->intake = intake_new(&e->env, e->fetcher, e->tokens, e->journal);
	e->expiries = expiries_new(&e->env);
	e->credentials = credential_watch_new(&e->env, e->expiries);
	intake_on_full(e->intake, full_sink, e);
	e->reports = reports_new(&e->env, e->journal, e->intake);
	expiries_listen(e->expiries, on_expiry, e);
	e->purge = (struct purge){ .origins = &e->origins, .errands = e->errands,
		.journal = e->journal, .intake = e->intake, .delivery = e->delivery, .over = on_purged,
		.arg = e };
	e->watch = watch_new(
	    &e->env, e->journal, &(struct watch_eyes){ see_tenants, see_sinks, e });
	e->canaries = canaries_new(&e->env, e->journal, say_canary, e);
	delivery_on_canary(e->delivery, on_canary, e);
	return e;
fail:
	engine_close(e);
	return NULL;
}

void
engine_start(struct engine *e)
{
	e->is_watched = true;
	apply(e, e->settings);
	purge_resume(&e->purge);
}

void
engine_close(struct engine *e)
{
	if (e == NULL)
		return;
	credential_watch_free(e->credentials);
	watch_free(e->watch);
	expiries_free(e->expiries);
	reports_stop(e->reports);
	intake_free(e->intake);
	delivery_free(e->delivery);
	canaries_free(e->canaries);
	tokens_free(e->tokens);
	fetcher_free(e->fetcher);
	journal_close(e->journal);
	errands_free(e->errands);
	reports_free(e->reports);
	purge_release(&e->purge);
	resolver_free(e->env.resolver);
	loop_free(e->env.loop);
	timers_free(e->env.timers);
	origins_release(&e->origins);
	state_dir_leave(e->lock);
	settings_unref(e->settings);
	free(e);
}

/* ---- stopping ----------------------------------------------------------------------- */

static void
finish_stop(struct engine *e)
{
	if (e->is_intake_stopped && e->is_delivery_stopped)
		e->stopped(e->stopped_arg);
}

static void
on_intake_stopped(void *arg)
{
	struct engine *e = arg;

	e->is_intake_stopped = true;
	finish_stop(e);
}

static void
on_delivery_stopped(void *arg)
{
	struct engine *e = arg;

	e->is_delivery_stopped = true;
	finish_stop(e);
}

void
engine_stop(struct engine *e, int64_t patience_ms, void (*done)(void *arg), void *arg)
{
	if (e->is_stopping)
		return;
	e->is_stopping = true;
	e->stopped = done;
	e->stopped_arg = arg;
	watch_stop(e->watch);
	canaries_stop(e->canaries);
	reports_stop(e->reports);
	intake_stop(e->intake, on_intake_stopped, e);
	delivery_stop(e->delivery, patience_ms, on_delivery_stopped, e);
}

/* ---- once ------------------------------------------------------------------------------ */

static void
finish_once(struct engine *e, bool ok)
{
	if (e->is_once_over)
		return;
	e->is_once_over = true;
	timer_unset(e->env.timers, &e->once_timer);
	e->once_done(e->once_arg, ok);
}

static void
on_once_idle(void *arg)
{
	struct engine *e = arg;

	if (e->is_once_polled && delivery_is_idle(e->delivery))
		finish_once(e, e->once_failed == 0 && delivery_dead(e->delivery) == 0);
}

static void
on_once_polled(void *arg, size_t failed)
{
	struct engine *e = arg;

	e->is_once_polled = true;
	e->once_failed = failed;
	on_once_idle(e);
}

static void
on_once_timeout(void *arg)
{
	finish_once(arg, false);
}

void
engine_once(struct engine *e, int64_t timeout_ms, void (*done)(void *arg, bool ok), void *arg)
{
	e->once_done = done;
	e->once_arg = arg;
	timer_init(&e->once_timer, on_once_timeout, e);
	if (timeout_ms > 0)
		timer_set(e->env.timers, &e->once_timer, timeout_ms);
	delivery_on_idle(e->delivery, on_once_idle, e);
	intake_once(e->intake, on_once_polled, e);
	apply(e, e->settings);
}

bool
engine_replay(struct engine *e, const struct replay_ask *ask, uint64_t numbers[REPLAYS_MOST],
    size_t *n, struct err *err)
{
	if (!replays_ask(e->journal, e->settings, ask, clock_wall(e->env.clock), numbers, n, err))
		return false;
	intake_look_for_periods(e->intake);
	return true;
}

bool
engine_resend(struct engine *e, const char *sink, const char *from, size_t *n, struct err *err)
{
	return replays_resend(e->journal, e->settings, sink, from, clock_wall(e->env.clock), n, err);
}

bool
engine_replay_cancel(struct engine *e, uint64_t number)
{
	if (!journal_period_cancel(e->journal, number))
		return false;
	intake_look_for_periods(e->intake);
	return true;
}

const struct origin *
engine_origin(struct engine *e, uint32_t stream)
{
	return origins_find(&e->origins, stream);
}

struct errands *
engine_errands(struct engine *e)
{
	return e->errands;
}

struct reports *
engine_reports(struct engine *e)
{
	return e->reports;
}

uint64_t
engine_purge(struct engine *e, const struct purge_ask *ask, struct err *err)
{
	return purge_begin(&e->purge, e->settings, ask, err);
}

bool
engine_streams_of(struct engine *e, const char *tenant, struct journal_filter *out,
    struct err *err)
{
	return belongings_find(&e->origins, tenant, out, NULL, err);
}

const struct engine_env *
engine_env(const struct engine *e)
{
	return &e->env;
}

void
engine_remember(struct engine *e, struct chronicle *r)
{
	e->chronicle = r;
}

size_t
engine_poll(struct engine *e, const char *name)
{
	return e->is_stopping ? 0 : intake_poll(e->intake, name);
}

static void
say_held(const char *kind, const char *name, bool is_held)
{
	struct log_ctx ctx = { kind, name };

	log_info(&ctx, is_held ? "is paused by an operator, until it is resumed or msspd starts again"
			       : "is resumed by an operator");
}

bool
engine_hold_tenant(struct engine *e, const char *name, bool is_held, struct err *err)
{
	if (!intake_hold(e->intake, name, is_held))
		return err_set(err, ERR_PERM, "there is no tenant '%s'", name);
	say_held("tenant", name, is_held);
	return true;
}

bool
engine_hold_sink(struct engine *e, const char *name, bool is_held, struct err *err)
{
	if (!delivery_hold(e->delivery, name, is_held))
		return err_set(err, ERR_PERM, "there is no sink '%s'", name);
	say_held("sink", name, is_held);
	return true;
}

bool
engine_look_at_held(struct engine *e, const char *sink, held_cb *cb, void *arg, struct err *err)
{
	return delivery_look_at_held(e->delivery, sink, cb, arg, err);
}

bool
engine_cancel_held(struct engine *e, const struct held_which *which, held_cb *cb, void *arg,
    struct err *err)
{
	return delivery_cancel_held(e->delivery, which, cb, arg, err);
}

bool
engine_try_sink(struct engine *e, const struct trial_ask *ask, trial_cb *cb, void *arg,
    struct err *err)
{
	if (e->is_stopping)
		return err_set(err, ERR_TEMP, "msspd is stopping");
	return delivery_try(e->delivery, ask, cb, arg, err);
}

bool
engine_forget_sink(struct engine *e, const char *name, struct err *err)
{
	struct log_ctx ctx = { "sink", name };

	if (settings_sink(e->settings, name) != NULL)
		return err_set(err, ERR_PERM, "sink '%s' is configured; take it out of the configuration and "
		    "reload, then it can be forgotten", name);
	if (!journal_sink_forget(e->journal, name))
		return err_set(err, ERR_PERM, "nothing is known of a sink '%s'", name);
	log_info(&ctx, "is forgotten, and what waited for it let go, because an operator wanted so");
	return true;
}

void
engine_view(const struct engine *e, struct engine_view *out)
{
	*out = (struct engine_view) { .settings = e->settings, .journal = e->journal,
		.intake = e->intake, .delivery = e->delivery, .canaries = e->canaries,
		.expiries = e->expiries, .fetcher = e->fetcher,
		.chronicle = e->chronicle, .is_stopping = e->is_stopping,
		.reloads = e->reloads, .reload_failures = e->reload_failures,
		.now = clock_wall(e->env.clock),
		.started = e->started, .reloaded = e->reloaded, .reload_error = e->reload_error.text };
}
