/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "daemon/intake/poller.h"
#include "daemon/loop.h"
#include "lib/base/alloc.h"

#define WINDOWS_MAX ((size_t)16 << 20)
#define SPARES_MAX  ((size_t)4 << 20)
#define FIRST_MS    25 /* between the first polls of two tenants */

struct intake *
intake_new(const struct engine_env *env, struct fetcher *f, struct tokens *ts, struct journal *j)
{
	struct intake *in = xcalloc(1, sizeof(*in));

	in->env = env;
	in->fetcher = f;
	in->tokens = ts;
	in->journal = j;
	in->bodies = spares_new(SPARES_MAX);
	window_pool_init(&in->windows, WINDOWS_MAX);
	TAILQ_INIT(&in->pollers);
	TAILQ_INIT(&in->tenancies);
	TAILQ_INIT(&in->pages);
	for (int i = 0; i < STREAM_COUNT; i++)
		in->poll_times[i].bounds = &histogram_durations;
	scheduler_init(&in->scheduler, env->loop, request_start);
	cap_init(&in->cap, env, &in->scheduler);
	scheduler_shut(&in->scheduler, journal_state(j) != JOURNAL_OK);
	return in;
}

static void
on_stopped(void *arg)
{
	struct intake *in = arg;

	in->stop_done(in->stop_arg);
}

/* What cannot be stored will not be read; waiting for better times is for those who stay. */
static void
on_no_journal(void *arg)
{
	struct intake *in = arg;
	struct poller *p;

	TAILQ_FOREACH (p, &in->pollers, link) {
		if (!p->is_once)
			continue;
		poller_halt(p);
		poller_trouble(p, TENANT_PAUSED, -1, "the journal cannot be written");
	}
}

static void
on_nothing_to_read(void *arg)
{
	struct intake *in = arg;

	if (journal_state(in->journal) == JOURNAL_FAILED)
		on_no_journal(in);
	if (in->once_left == 0 && TAILQ_EMPTY(&in->pollers))
		in->once_done(in->once_arg, 0);
}

static void
remove_poller(struct intake *in, struct poller *p)
{
	TAILQ_REMOVE(&in->pollers, p, link);
	poller_free(p);
}

void
intake_free(struct intake *in)
{
	if (in == NULL)
		return;
	while (!TAILQ_EMPTY(&in->pollers))
		remove_poller(in, TAILQ_FIRST(&in->pollers));
	loop_forget(in->env->loop, on_stopped, in);
	loop_forget(in->env->loop, on_nothing_to_read, in);
	loop_forget(in->env->loop, on_no_journal, in);
	cap_release(&in->cap);
	scheduler_release(&in->scheduler);
	settings_unref(in->settings);
	free(in->left_out);
	spares_unref(in->bodies);
	free(in);
}

/* ---- configuring -------------------------------------------------------------------- */

static void
read_once(struct intake *in, struct poller *p)
{
	in->once_left++;
	poller_read_once(p);
}

int64_t
intake_spread_ms(const struct settings *s, const struct tenant *t)
{
	int64_t ms = (int64_t)s->ntenants * FIRST_MS;

	return ms < t->poll_interval_ms ? ms : t->poll_interval_ms;
}

/* First polls come soon after the start, but not all in one moment. */
static void
add_stream(struct intake *in, struct settings *s, const struct tenant *t, size_t i)
{
	struct tenancy *tn = tenancy_of(in, t->key);
	struct poller *p = tn->streams[stream_number(t->streams[i].kind)];
	bool is_new = p == NULL;

	if (is_new) {
		p = poller_new(in, tn, &t->streams[i]);
		TAILQ_INSERT_TAIL(&in->pollers, p, link);
	}
	p->is_kept = true;
	poller_configure(p, s, t, &t->streams[i]);
	if (is_new && in->is_once)
		read_once(in, p);
	else if (is_new)
		poller_start(p, (int64_t)(p->hash % (uint64_t)intake_spread_ms(s, t)));
}

static void
add_tenant(struct intake *in, struct settings *s, const struct tenant *t)
{
	for (size_t i = 0; i < t->nstreams; i++)
		add_stream(in, s, t, i);
	tenancy_configure(tenancy_of(in, t->key), t, clock_mono(in->env->clock));
}

void
intake_configure(struct intake *in, const struct settings *s)
{
	struct settings *was = in->settings;
	struct poller *p, *next;

	in->settings = settings_ref(s);
	scheduler_resize(&in->scheduler, (size_t)s->max_requests);
	cap_configure(&in->cap, s->requests_per_minute);
	TAILQ_FOREACH (p, &in->pollers, link)
		p->is_kept = false;
	for (size_t i = 0; i < s->ntenants; i++)
		if (in->left_out == NULL || strcmp(s->tenants[i].key, in->left_out) != 0)
			add_tenant(in, in->settings, &s->tenants[i]);
	for (p = TAILQ_FIRST(&in->pollers); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->is_kept)
			continue;
		log_info(&p->s->log, in->left_out != NULL ? "is not read" :
		    "is not configured any more and not read; its place is kept");
		remove_poller(in, p);
	}
	settings_unref(was);
}

/* Is it paused by an operator? It is to be so again. */
static bool
is_held(const struct intake *in, const char *key)
{
	const struct poller *p;

	TAILQ_FOREACH (p, &in->pollers, link) {
		if (strcmp(p->t->key, key) == 0)
			return p->tn->is_held;
	}
	return false;
}

static void
hold(struct intake *in, struct tenancy *tn, bool is_held)
{
	if (is_held && !tn->is_held)
		tn->held_since = clock_wall(in->env->clock);
	tn->is_held = is_held;
}

void
intake_leave_out(struct intake *in, const char *key)
{
	char *was = in->left_out;
	struct poller *p;

	if (key != NULL)
		in->is_left_held = is_held(in, key);
	in->left_out = key != NULL ? xstrdup(key) : NULL;
	if (in->settings != NULL && !in->is_stopped)
		intake_configure(in, in->settings);
	/* What is let in again now may be nothing at all, whoever was left out before. */
	TAILQ_FOREACH (p, &in->pollers, link) {
		if (key == NULL && was != NULL && in->is_left_held && strcmp(p->t->key, was) == 0)
			hold(in, p->tn, true);
	}
	free(was);
}

void
intake_stop(struct intake *in, void (*done)(void *arg), void *arg)
{
	struct poller *p;

	in->is_stopped = true;
	scheduler_shut(&in->scheduler, true);
	TAILQ_FOREACH (p, &in->pollers, link)
		poller_halt(p);
	in->stop_done = done;
	in->stop_arg = arg;
	loop_defer(in->env->loop, on_stopped, in);
}

void
intake_journal_state(struct intake *in, enum journal_state state)
{
	struct poller *p;

	if (in->is_stopped)
		return;
	if (state != JOURNAL_OK && !in->scheduler.is_shut)
		in->shut_since = clock_wall(in->env->clock);
	scheduler_shut(&in->scheduler, state != JOURNAL_OK);
	TAILQ_FOREACH (p, &in->pollers, link)
		listing_look(p);
	if (in->is_once && state == JOURNAL_FAILED)
		loop_defer(in->env->loop, on_no_journal, in);
}

void
intake_on_full(struct intake *in, intake_full_cb *cb, void *arg)
{
	in->full = cb;
	in->full_arg = arg;
}

const char *
intake_full_sink(const struct intake *in, const struct tenant *t)
{
	return in->full != NULL ? in->full(in->full_arg, t) : NULL;
}

void
intake_look_for_periods(struct intake *in)
{
	struct poller *p;

	TAILQ_FOREACH (p, &in->pollers, link) {
		if (!in->is_stopped)
			poller_look_for_periods(p);
	}
}

void
intake_journal_salvaged(struct intake *in)
{
	struct poller *p;

	TAILQ_FOREACH (p, &in->pollers, link) {
		if (!in->is_stopped)
			poller_relearn(p);
	}
}

bool
intake_hold(struct intake *in, const char *name, bool is_held)
{
	struct poller *p;
	bool found = false;

	TAILQ_FOREACH (p, &in->pollers, link) {
		if (strcmp(p->t->name, name) != 0)
			continue;
		found = true;
		hold(in, p->tn, is_held);
		if (!is_held)
			poller_hurry(p);
	}
	return found;
}

size_t
intake_poll(struct intake *in, const char *name)
{
	struct poller *p;
	size_t n = 0;

	TAILQ_FOREACH (p, &in->pollers, link) {
		if (name != NULL && strcmp(p->t->name, name) != 0)
			continue;
		poller_hurry(p);
		n++;
	}
	return n;
}

void
intake_once(struct intake *in, void (*done)(void *arg, size_t failed), void *arg)
{
	struct poller *p;

	in->is_once = true;
	in->once_done = done;
	in->once_arg = arg;
	TAILQ_FOREACH (p, &in->pollers, link)
		read_once(in, p);
	/* Tenants may be configured in the same turn of the loop. */
	loop_defer(in->env->loop, on_nothing_to_read, in);
}
