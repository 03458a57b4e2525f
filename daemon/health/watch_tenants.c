/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "daemon/health/watched.h"
#include "lib/base/alloc.h"

#define SILENT_INTERVALS 5

struct words
tenant_words(int state)
{
	const struct tenant_state_kind *k = &tenant_states[state];

	return (struct words){ k->name, k->level, k->remedy };
}

/* ---- what is seen ---------------------------------------------------------------------- */

/* Tenants are sorted by their names, without case. */
static struct subject *
subject_of(const struct watch *w, const char *name)
{
	size_t from = 0, to = w->ntenants;

	while (from < to) {
		size_t at = from + (to - from) / 2;
		int c = strcasecmp(name, w->tenants[at]->tenant->name);

		if (c == 0)
			return w->tenants[at];
		if (c < 0)
			to = at;
		else
			from = at + 1;
	}
	return NULL;
}

static void
take(struct subject *s, const struct intake_figures *f)
{
	s->state = (int)f->state;
	s->what = f->trouble;
	s->stream = f->stream;
	s->since = f->since;
	s->last_success = f->last_success;
	s->nquarantined = f->quarantined;
	s->ngaps = f->gaps;
}

static void
take_all(struct watch *w)
{
	struct intake_figures *f = xcalloc(w->ntenants + 1, sizeof(*f));
	size_t n = w->eyes.tenants(w->eyes.arg, f, w->ntenants);

	for (size_t i = 0; i < w->ntenants; i++)
		w->tenants[i]->state = STEADY_UNTOLD;
	for (size_t i = 0; i < n; i++) {
		struct subject *s = subject_of(w, f[i].tenant);

		if (s != NULL)
			take(s, &f[i]);
	}
	free(f);
}

/* ---- silence ----------------------------------------------------------------------------- */

static int64_t
silent_after_ms(const struct watch *w, const struct tenant *t)
{
	int64_t least = w->settings->silent_after_ms;
	int64_t intervals = SILENT_INTERVALS * t->poll_interval_ms;

	return least > intervals ? least : intervals;
}

/* Not read for long, and nothing that is said of it sounds like it. One that is behind is read,
 * and while msspd itself is paused nobody is. */
static void
look_for_silence(struct watch *w, struct subject *s)
{
	static const char silent[] = "it has not been read for long, for no reason that is known";
	int64_t last = s->last_success != TICKS_NONE ? s->last_success : w->awake;
	int64_t now = clock_wall(w->env->clock);

	if (s->state == STEADY_UNTOLD || s->state == TENANT_BEHIND || s->state == TENANT_PAUSED ||
	    tenant_states[s->state].level >= HEALTH_PROBLEM)
		return;
	if (last < w->awake)
		last = w->awake;
	if (ticks_to_ms(now - last) <= silent_after_ms(w, s->tenant))
		return;
	s->state = TENANT_NOT_READ;
	s->since = last;
	if (s->what == NULL || *s->what == '\0')
		s->what = silent;
}

/* ---- what is told ------------------------------------------------------------------------ */

/* Where it has several streams, whose trouble it is. */
static char *
reason_of(const struct subject *s)
{
	if (!state_is_ill((enum tenant_state)s->state))
		return xstrdup("it is read again, from where reading had stopped");
	if (s->stream == NULL || s->stream[0] == '\0')
		return xstrdup(s->what);
	return xasprintf("%s: %s", s->stream, s->what);
}

void
watch_tell_tenant(struct watch *w, struct subject *s, int was, const struct telling_to *only)
{
	char *title = xasprintf("Tenant %s", s->tenant->name), *what = reason_of(s);
	const struct subject_name name = { "tenant", title, s->tenant->name };
	uint32_t sinks[JOURNAL_ROUTES];
	struct words is = tenant_words(s->state), before;
	struct telling to = { .tenant = s->tenant, .id = "tenant", .sinks = sinks };

	if (was != STEADY_UNTOLD)
		before = tenant_words(was);
	if (only == NULL)
		to.nsinks = teller_routes(w->teller, s->tenant, sinks);
	else
		to = (struct telling){ s->tenant, "tenant", .is_event = only->is_anyway,
			.sinks = only->sinks, .nsinks = only->n };
	if (s->state == TENANT_NOT_READ)
		log_error(&s->tenant->log, "%s", what);
	s->what = what;
	subject_tell(w->teller, s, &name, &is, was != STEADY_UNTOLD ? &before : NULL,
	    clock_wall(w->env->clock), &to);
	s->what = NULL;
	free(what);
	free(title);
}

static void
tell_growth(struct watch *w, const struct subject *s, const char *id, enum health_level level,
    uint64_t by, const char *things, const char *what, const char *remedy)
{
	char *summary = xasprintf(
	    "Tenant %s: %" PRIu64 " %s", s->tenant->name, by, things);
	struct health h = HEALTH_INIT;
	uint32_t sinks[JOURNAL_ROUTES];
	struct telling to = { .tenant = s->tenant, .id = id, .is_event = true, .sinks = sinks };

	h.about = STR("tenant");
	h.name = str_of(s->tenant->name);
	h.state = str_of(id);
	h.level = level;
	h.since = clock_wall(w->env->clock);
	h.summary = str_of(summary);
	h.what = str_of(what);
	h.remedy = str_of(remedy);
	h.count = (int64_t)by;
	to.h = h;
	to.nsinks = teller_routes(w->teller, s->tenant, sinks);
	teller_tell(w->teller, &to);
	free(summary);
}

static void
look_for_growth(struct watch *w, struct subject *s)
{
	int64_t now = watch_now(w);
	uint64_t by;

	if (tally_grew(&s->quarantined, s->nquarantined, now, &by))
		tell_growth(w, s, "quarantine", HEALTH_PROBLEM, by, "more in quarantine",
		    "Alerts that could not be read, or that name another tenant, are kept in the "
		    "journal's quarantine. What could not be read was sent as unreadable; what "
		    "names another tenant was sent to nobody.",
		    "See the log of msspd, and look for the alerts in the Defender portal.");
	if (tally_grew(&s->gaps, s->ngaps, now, &by))
		tell_growth(w, s, "gap", HEALTH_ALARM, by, "more gaps",
		    "The API gave no way to read past some point in time; alerts updated then may "
		    "be missing.",
		    "Look at that time in the Defender portal; the log of msspd has it.");
}

static void
look_at(struct watch *w, struct subject *s, int64_t now)
{
	s->is_due = false;
	s->was = s->steady.told;
	if (s->state == STEADY_UNTOLD || s->state == TENANT_STARTING || s->state == TENANT_PAUSED)
		return;
	s->is_due = steady_see(&s->steady, s->state, state_is_ill((enum tenant_state)s->state), now,
	    w->settings->health_settle_ms);
}

static void
tell_what_is_due(struct watch *w, struct subject *s)
{
	if (s->is_due && !outage_swallows(w, s))
		watch_tell_tenant(w, s, s->was, NULL);
	s->is_due = false;
}

void
watch_tenants(struct watch *w)
{
	int64_t now = watch_now(w);

	take_all(w);
	for (size_t i = 0; i < w->ntenants; i++) {
		look_for_silence(w, w->tenants[i]);
		look_at(w, w->tenants[i], now);
	}
	/* All were looked at before one is told: it may be an outage. */
	for (size_t i = 0; i < w->ntenants; i++) {
		tell_what_is_due(w, w->tenants[i]);
		look_for_growth(w, w->tenants[i]);
	}
	outages_look(w);
}
