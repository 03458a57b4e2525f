/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCHED_H
#define WATCHED_H

#include "daemon/health/subject.h"
#include "daemon/health/watch.h"
#include "daemon/timer.h"
#include "lib/policy/outage.h"

/*
 * watched: what the files of the watch share. Inside of daemon/health only.
 *
 *   watch.c         its life, the journal, what others say
 *   watch_tenants.c tenants: the worst of their streams, silence, what grows
 *   watch_outage.c  one record for the trouble of many
 *   watch_sinks.c   sinks: down and up, dead letters, what waits for them
 */
struct watch {
	const struct engine_env *env;
	struct journal *journal;
	struct watch_eyes eyes;
	struct teller *teller;
	struct settings *settings;
	struct timer timer;
	int64_t awake;      /* ticks: since the start, or since the machine slept last */
	int64_t looked_ms;  /* mono: the last look */
	int64_t slept_ms;   /* since the start: in which nobody looked */
	int64_t started_ms; /* watch_now() */
	bool is_running;

	struct subject **tenants; /* as settings->tenants */
	size_t ntenants;
	struct subject **sinks; /* as settings->sinks */
	struct subject **backlogs; /* likewise: what waits for them */
	size_t nsinks;
	struct subject *own; /* the journal */
	char *journal_text;
	uint64_t nnotes[JOURNAL_NOTE_CHECK + 1];
	struct tally journal_notes[JOURNAL_NOTE_CHECK + 1];

	struct trouble {
		struct outage outage;
		int64_t since;    /* ticks */
		size_t *nmembers; /* by the journal's number of a sink that is told; NULL: off */
		size_t nsinks;
	} troubles[TENANT_STATES];
	int cleared; /* states: the outages of a run before this one that were told to be over */
};

/* ms that msspd was awake for: what lasts is counted in these. */
static inline int64_t
watch_now(const struct watch *w)
{
	return clock_mono(w->env->clock) - w->slept_ms;
}

/* Told to those who are told of msspd itself. */
void watch_tell_own(struct watch *w, const char *id, struct health *h, bool is_event);

/* ---- watch_tenants.c ---- */
void watch_tenants(struct watch *w);
struct words tenant_words(int state);
/* On its own, to its sinks, or to others. */
struct telling_to {
	const uint32_t *sinks;
	size_t n;
	bool is_anyway; /* also when it was told already */
};
void watch_tell_tenant(
    struct watch *w, struct subject *s, int was, const struct telling_to *only);

/* ---- watch_outage.c ---- */
/* s is due. True when it is part of an outage and needs no record of its own. */
bool outage_swallows(struct watch *w, struct subject *s);
/* Ends what has ended. */
void outages_look(struct watch *w);
void outages_release(struct watch *w);

/* ---- watch_sinks.c ---- */
void watch_sinks(struct watch *w);

#endif
