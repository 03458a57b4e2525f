/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/metrics_rows.h"

#include <stdlib.h>

#include "daemon/health/canaries.h"
#include "daemon/intake/fetch.h"
#include "daemon/ops/exposition.h"
#include "daemon/ops/metrics.h"
#include "daemon/ops/process.h"
#include "daemon/ops/ready.h"
#include "daemon/ops/chronicle.h"
#include "lib/base/alloc.h"

#define LABELS_MAX 4096
#define LEFT_MAX   1024 /* sinks that the journal knows */

/* Clocks may differ: nothing is younger than now. */
static int64_t
age_ms(int64_t now, int64_t then)
{
	if (then == TICKS_NONE)
		return TICKS_NONE;
	return now > then ? ticks_to_ms(now - then) : 0;
}

/* ---- tenants -------------------------------------------------------------------- */

/* One that was never read is as late as msspd is old. */
static void
fill_tenant(struct tenant_row *r, const struct intake_figures *f, const struct engine_view *v)
{
	int64_t read = f->last_success != TICKS_NONE ? f->last_success : v->started;
	int64_t complete = f->complete != TICKS_NONE ? f->complete : v->started;

	*r = (struct tenant_row) { .health = tenant_states[f->state].level, .parked = f->is_parked,
		.success_ms = age_ms(v->now, read), .lag_ms = age_ms(v->now, complete),
		.polls = (int64_t)f->polls, .pages = (int64_t)f->pages, .alerts = (int64_t)f->alerts,
		.repeats = (int64_t)f->repeats, .forwarded = (int64_t)f->forwarded,
		.throttled = (int64_t)f->throttled, .failures = (int64_t)f->failures,
		.quarantined = (int64_t)f->quarantined, .sweep_found = (int64_t)f->sweep_found,
		.gaps = (int64_t)f->gaps };
}

static void
fill_tenants(struct facts *f)
{
	size_t max = f->view.settings->ntenants;

	f->intake = xcalloc(max + 1, sizeof(*f->intake));
	f->nintake = intake_figures(f->view.intake, f->intake, max);
	f->ntenants = f->nintake < METRICS_TENANTS ? f->nintake : METRICS_TENANTS;
	f->tenants = xcalloc(f->ntenants + 1, sizeof(*f->tenants));
	f->tenant_labels = xcalloc(f->ntenants + 1, sizeof(*f->tenant_labels));
	for (size_t i = 0; i < f->ntenants; i++) {
		fill_tenant(&f->tenants[i], &f->intake[i], &f->view);
		buf_init(&f->tenant_labels[i], LABELS_MAX);
		exposition_label(&f->tenant_labels[i], "tenant", f->intake[i].tenant);
		exposition_label(&f->tenant_labels[i], "customer", f->intake[i].customer);
	}
}

/* ---- sinks ------------------------------------------------------------------------ */

static void
fill_backlog(struct sink_row *r, const struct journal_backlog *b, int64_t now)
{
	r->entries = (int64_t)b->entries;
	r->bytes = (int64_t)b->bytes;
	r->dead = (int64_t)b->dead;
	r->parked |= b->is_parked;
	r->oldest_ms = b->oldest == TICKS_NONE ? 0 : age_ms(now, b->oldest);
}

static void
fill_sink(struct sink_row *r, const struct delivery_figures *d, int64_t now)
{
	*r = (struct sink_row) { .up = !d->is_parked && d->link == SINK_UP, .parked = d->is_parked,
		.paused = d->is_held, .stops = d->pauses_polling, .oldest_ms = 0,
		.in_flight = (int64_t)d->in_flight,
		.accepted_ms = age_ms(now, d->last_accepted), .accepted = (int64_t)d->accepted,
		.retried = (int64_t)d->retried, .rejected = (int64_t)d->rejected };
}

static void
fill_canary(struct sink_row *r, const struct canary_figures *c, int64_t now)
{
	r->canary_overdue = !c->is_well;
	r->canary_made = (int64_t)c->made;
	r->canary_accepted = (int64_t)c->accepted;
	if (c->last_accepted != TICKS_NONE)
		r->canary_age_ms = age_ms(now, c->last_accepted);
	if (c->took_ms >= 0)
		r->canary_ms = c->took_ms;
}

static void
no_canary(struct sink_row *r)
{
	r->canary_overdue = r->canary_made = r->canary_accepted = TICKS_NONE;
	r->canary_age_ms = r->canary_ms = TICKS_NONE;
}

static void
label_sink(struct facts *f, const char *name, const char *kind)
{
	struct buf *b = &f->sink_labels[f->nsinks];

	buf_init(b, LABELS_MAX);
	exposition_label(b, "sink", name);
	exposition_label(b, "type", kind);
}

/* One that is no longer configured, and has not been forgotten. */
static void
add_leaver(struct facts *f, const struct journal_backlog *b)
{
	struct sink_row *r = &f->sinks[f->nsinks];

	*r = (struct sink_row) { .paused = TICKS_NONE, .stops = TICKS_NONE, .in_flight = TICKS_NONE,
		.accepted_ms = TICKS_NONE,
		.accepted = TICKS_NONE, .retried = TICKS_NONE, .rejected = TICKS_NONE };
	no_canary(r);
	fill_backlog(r, b, f->view.now);
	label_sink(f, b->sink, "not configured");
	f->nsinks++;
}

static void
fill_backlogs(struct facts *f)
{
	struct journal_backlog *logs = xcalloc(LEFT_MAX, sizeof(*logs));
	size_t n = journal_backlogs(f->view.journal, logs, LEFT_MAX);

	for (size_t k = 0; k < n; k++) {
		for (size_t i = 0; i < f->ndelivery && i < METRICS_SINKS; i++) {
			if (strcmp(logs[k].sink, f->delivery[i].sink) == 0)
				fill_backlog(&f->sinks[i], &logs[k], f->view.now);
		}
		if (!logs[k].is_declared && logs[k].entries != 0 && f->nsinks < METRICS_SINKS)
			add_leaver(f, &logs[k]);
	}
	free(logs);
}

static void
fill_sinks(struct facts *f)
{
	size_t max = f->view.settings->nsinks;
	struct canary_figures canary;

	f->delivery = xcalloc(max + 1, sizeof(*f->delivery));
	f->ndelivery = delivery_figures(f->view.delivery, f->delivery, max);
	f->sinks = xcalloc(METRICS_SINKS, sizeof(*f->sinks));
	f->sink_labels = xcalloc(METRICS_SINKS, sizeof(*f->sink_labels));
	for (size_t i = 0; i < f->ndelivery && i < METRICS_SINKS; i++) {
		fill_sink(&f->sinks[i], &f->delivery[i], f->view.now);
		no_canary(&f->sinks[i]);
		if (canaries_figures(f->view.canaries, f->delivery[i].sink, &canary))
			fill_canary(&f->sinks[i], &canary, f->view.now);
		label_sink(f, f->delivery[i].sink, f->delivery[i].kind);
		f->nsinks++;
	}
	fill_backlogs(f);
}

/* ---- the daemon -------------------------------------------------------------------- */

static void
fill_journal(struct daemon_row *d, const struct engine_view *v)
{
	struct journal_stats st;

	journal_stats(v->journal, &st);
	d->file_bytes = (int64_t)st.file_bytes;
	d->max_bytes = (int64_t)st.max_bytes;
	d->entries = (int64_t)st.entries;
	d->remembered = (int64_t)st.remembered;
	d->quarantine = (int64_t)st.quarantine;
	d->dead = (int64_t)st.dead;
	d->gaps = (int64_t)st.gaps;
	d->appends = (int64_t)st.appends;
	d->commits = (int64_t)st.commits;
	d->oldest_ms = st.oldest_open == TICKS_NONE ? 0 : age_ms(v->now, st.oldest_open);
}

static void
fill_process(struct daemon_row *d)
{
	struct process_figures p;

	process_figures(&p);
	d->cpu_ms = p.cpu_ms;
	d->resident_bytes = p.resident_bytes;
	d->fds = p.fds;
	d->max_fds = p.max_fds;
}

static void
fill_daemon(struct facts *f, const struct engine *e)
{
	const struct engine_view *v = &f->view;
	struct daemon_row *d = &f->daemon;
	struct buf why = BUF_INIT(4096);

	d->start_ms = ticks_to_ms(v->started);
	d->ready = ready_is(e, &why);
	buf_release(&why);
	d->left_tenants = (int64_t)(f->nintake - f->ntenants);
	d->left_sinks = f->ndelivery > METRICS_SINKS ? (int64_t)(f->ndelivery - METRICS_SINKS) : 0;
	d->reloads = (int64_t)v->reloads;
	d->reload_failures = (int64_t)v->reload_failures;
	d->reload_good = v->reload_error[0] == '\0';
	d->reload_ms = ticks_to_ms(v->reloaded != TICKS_NONE ? v->reloaded : v->started);
	d->wire_bytes = (int64_t)fetcher_figures(v->fetcher)->wire_bytes;
	d->errors = d->warnings = TICKS_NONE;
	if (v->chronicle != NULL) {
		d->errors = (int64_t)chronicle_count(v->chronicle, LOG_LEVEL_ERROR);
		d->warnings = (int64_t)chronicle_count(v->chronicle, LOG_LEVEL_WARN);
	}
	fill_journal(d, v);
	fill_process(d);
}

void
facts_init(struct facts *f, const struct engine *e)
{
	*f = (struct facts) { .nsinks = 0 };
	engine_view(e, &f->view);
	fill_tenants(f);
	fill_sinks(f);
	fill_daemon(f, e);
}

void
facts_release(struct facts *f)
{
	for (size_t i = 0; i < f->ntenants; i++)
		buf_release(&f->tenant_labels[i]);
	for (size_t i = 0; i < f->nsinks; i++)
		buf_release(&f->sink_labels[i]);
	free(f->tenant_labels);
	free(f->sink_labels);
	free(f->tenants);
	free(f->sinks);
	free(f->intake);
	free(f->delivery);
}
