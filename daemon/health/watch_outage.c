/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "daemon/health/watched.h"
#include "lib/base/alloc.h"

/*
 * An outage is told once to each sink that is told of one of its tenants, with
 * how many of those it is about; a sink that is told of one of them only gets
 * that tenant's own record. Sinks with `health: daemon` are told of all.
 */

static bool
is_among(uint32_t sink, const uint32_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i] == sink)
			return true;
	}
	return false;
}

/* ---- who is in it ------------------------------------------------------------------------ */

static size_t
count_fresh(const struct watch *w, int state)
{
	int64_t now = watch_now(w);
	size_t n = 0;

	for (size_t i = 0; i < w->ntenants; i++) {
		const struct steady *s = &w->tenants[i]->steady;

		n += s->state == state && now - s->since <= OUTAGE_SPAN_MS;
	}
	return n;
}

static size_t
count_members(const struct watch *w, int state)
{
	size_t n = 0;

	for (size_t i = 0; i < w->ntenants; i++)
		n += w->tenants[i]->outage == state;
	return n;
}

/* Those that have told it on their own already go on on their own. */
static void
join_all(struct watch *w, int state)
{
	for (size_t i = 0; i < w->ntenants; i++) {
		struct subject *s = w->tenants[i];

		if (s->steady.state != state || (s->steady.told == state && !s->is_due))
			continue;
		s->outage = state;
		s->nalone = 0;
		s->steady.told = state;
		s->steady.was_told_ill = true;
		s->told_since = s->since;
		if (w->troubles[state].since > s->since)
			w->troubles[state].since = s->since;
	}
}

/* ---- who is told ------------------------------------------------------------------------- */

static void
count_one(struct trouble *t, uint32_t sink)
{
	if (sink >= t->nsinks) {
		t->nmembers = xreallocarray(t->nmembers, sink + 1, sizeof(*t->nmembers));
		while (t->nsinks <= sink)
			t->nmembers[t->nsinks++] = 0;
	}
	t->nmembers[sink]++;
}

/* How many members each sink is told of that is not told of msspd itself. */
static void
count_by_sink(struct watch *w, int state)
{
	struct trouble *t = &w->troubles[state];
	uint32_t own[JOURNAL_ROUTES], sinks[JOURNAL_ROUTES];
	size_t nown = teller_daemon_routes(w->teller, own);

	for (size_t i = 0; i < w->ntenants; i++) {
		size_t n = w->tenants[i]->outage == state
		               ? teller_routes(w->teller, w->tenants[i]->tenant, sinks)
		               : 0;

		for (size_t k = 0; k < n; k++) {
			if (!is_among(sinks[k], own, nown))
				count_one(t, sinks[k]);
		}
	}
}

/* Sinks that are told of one member only get its own record. */
static void
tell_alone(struct watch *w, int state)
{
	const struct trouble *t = &w->troubles[state];
	uint32_t sinks[JOURNAL_ROUTES];

	for (size_t i = 0; i < w->ntenants; i++) {
		struct subject *s = w->tenants[i];
		size_t n = s->outage == state ? teller_routes(w->teller, s->tenant, sinks) : 0;

		for (size_t k = 0; k < n; k++) {
			if (sinks[k] < t->nsinks && t->nmembers[sinks[k]] == 1)
				s->alone[s->nalone++] = sinks[k];
		}
		if (s->nalone > 0)
			watch_tell_tenant(
			    w, s, s->was, &(struct telling_to){ s->alone, s->nalone, false });
	}
}

/* The names of members, of those that sink is told of (0: of all). */
static size_t
name_members(const struct watch *w, int state, uint32_t sink, struct str *names)
{
	uint32_t sinks[JOURNAL_ROUTES];
	size_t n = 0;

	for (size_t i = 0; i < w->ntenants && n < HEALTH_NAMES_MAX; i++) {
		const struct subject *s = w->tenants[i];

		if (s->outage != state)
			continue;
		if (sink == 0 ||
		    is_among(sink, sinks, teller_routes(w->teller, s->tenant, sinks)))
			names[n++] = str_of(s->tenant->name);
	}
	return n;
}

/* "tenants:not-onboarded", with the sink's number behind it. */
static char *
id_of(int state, uint32_t sink)
{
	char *id = sink == 0 ? xasprintf("tenants:%s", tenant_states[state].name)
	                     : xasprintf("tenants:%s:%" PRIu32, tenant_states[state].name, sink);

	for (char *p = id; *p != '\0'; p++)
		*p = *p == ' ' ? '-' : *p;
	return id;
}

/* How many, where that is known. */
static char *
summary_of(int state, bool is_over, size_t count, size_t of)
{
	const char *ill = tenant_states[state].name;
	char *who = count == 0 ? xstrdup("Tenants")
	            : of != 0  ? xasprintf("%zu of %zu tenants", count, of)
	                       : xasprintf("%zu tenants", count);
	char *summary = is_over ? xasprintf("%s: healthy again, were %s", who, ill)
	                        : xasprintf("%s: %s", who, ill);

	free(who);
	return summary;
}

static void
fill_many(struct health *h, int state, bool is_over, size_t count, const char *summary)
{
	struct words ill = tenant_words(state);

	*h = (struct health)HEALTH_INIT;
	h->about = STR("tenants");
	h->state = str_of(is_over ? tenant_states[TENANT_HEALTHY].name : ill.name);
	h->was = str_of(is_over ? ill.name : NULL);
	h->level = is_over                        ? HEALTH_WELL
	           : ill.level == HEALTH_NOTICE ? HEALTH_NOTICE
	                                          : HEALTH_ALARM;
	h->summary = str_of(summary);
	h->remedy = str_of(is_over ? NULL : ill.remedy);
	h->what = is_over ? STR("they are read again, or told of one by one")
	                  : STR("so many fell ill alike that this record stands for all of them");
	h->count = count != 0 ? (int64_t)count : -1;
}

/* sink 0: those who are told of msspd itself. count 0: not known any more. */
static void
tell_many(struct watch *w, int state, bool is_over, uint32_t sink, size_t count)
{
	uint32_t own[JOURNAL_ROUTES];
	struct telling to = { .sinks = sink != 0 ? &sink : own, .nsinks = 1 };
	struct str names[HEALTH_NAMES_MAX];
	char *id = id_of(state, sink);
	char *summary = summary_of(state, is_over, count, sink != 0 ? 0 : w->ntenants);

	if (sink == 0)
		to.nsinks = teller_daemon_routes(w->teller, own);
	fill_many(&to.h, state, is_over, count, summary);
	to.h.since = is_over ? clock_wall(w->env->clock) : w->troubles[state].since;
	to.h.of = sink != 0 || count == 0 ? -1 : (int64_t)w->ntenants;
	to.h.names = names;
	to.h.nnames = is_over ? 0 : name_members(w, state, sink, names);
	to.id = id;
	teller_tell(w->teller, &to);
	if (sink == 0 && count != 0)
		(is_over ? log_info : log_warn)(NULL, "%s", summary);
	free(summary);
	free(id);
}

static void
tell_all(struct watch *w, int state, bool is_over, size_t count)
{
	const struct trouble *t = &w->troubles[state];

	tell_many(w, state, is_over, 0, count);
	for (uint32_t sink = 1; sink < t->nsinks; sink++) {
		if (t->nmembers[sink] > 1)
			tell_many(w, state, is_over, sink, t->nmembers[sink]);
	}
}

/* ---- its course -------------------------------------------------------------------------- */

static void
begin(struct watch *w, int state)
{
	w->troubles[state].since = clock_wall(w->env->clock);
	join_all(w, state);
	count_by_sink(w, state);
	tell_all(w, state, false, count_members(w, state));
	tell_alone(w, state);
}

/* It was part of one, and is something else now. */
static bool
leave(struct watch *w, struct subject *s)
{
	bool is_well = s->state == TENANT_HEALTHY;

	s->outage = NO_OUTAGE;
	if (is_well && s->nalone > 0)
		watch_tell_tenant(
		    w, s, s->was, &(struct telling_to){ s->alone, s->nalone, false });
	s->nalone = 0;
	return is_well;
}

bool
outage_swallows(struct watch *w, struct subject *s)
{
	struct trouble *t = &w->troubles[s->state];

	if (s->outage == s->state)
		return true; /* it has joined since */
	if (s->outage != NO_OUTAGE && leave(w, s))
		return true;
	if (!state_is_ill((enum tenant_state)s->state))
		return false;
	if (t->outage.is_on) {
		s->outage = s->state;
		s->told_since = s->since;
		return true;
	}
	if (!outage_begins(&t->outage, count_fresh(w, s->state), w->ntenants))
		return false;
	begin(w, s->state);
	return true;
}

static void
end(struct watch *w, int state)
{
	struct trouble *t = &w->troubles[state];
	uint32_t sinks[JOURNAL_ROUTES];

	tell_all(w, state, true, t->outage.most);
	for (size_t i = 0; i < w->ntenants; i++) {
		struct subject *s = w->tenants[i];
		struct telling_to to = { sinks, 0, true };

		if (s->outage != state)
			continue;
		s->outage = NO_OUTAGE;
		s->nalone = 0;
		to.n = teller_routes(w->teller, s->tenant, sinks);
		if (s->state == state)
			watch_tell_tenant(w, s, STEADY_UNTOLD, &to);
	}
	free(t->nmembers);
	t->nmembers = NULL;
	t->nsinks = 0;
}

/* What a run before this one told of, and nobody told the end of: a state each time, since each
 * is many records where there are many sinks. */
static void
clear_old(struct watch *w)
{
	int state = w->cleared;

	if (state == TENANT_STATES ||
	    watch_now(w) - w->started_ms < OUTAGE_TAIL_MS)
		return;
	w->cleared++;
	if (!state_is_ill((enum tenant_state)state) || w->troubles[state].outage.is_on)
		return;
	tell_many(w, state, true, 0, 0);
	for (size_t i = 0; i < w->settings->nsinks; i++)
		tell_many(w, state, true, journal_sink(w->journal, w->settings->sinks[i].name), 0);
}

void
outages_look(struct watch *w)
{
	for (int state = 0; state < TENANT_STATES; state++) {
		if (outage_ends(&w->troubles[state].outage, count_members(w, state), w->ntenants,
			watch_now(w)))
			end(w, state);
	}
	clear_old(w);
}

void
outages_release(struct watch *w)
{
	for (int state = 0; state < TENANT_STATES; state++)
		free(w->troubles[state].nmembers);
}
