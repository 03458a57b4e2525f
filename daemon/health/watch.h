/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>

#include "daemon/delivery/delivery.h"
#include "daemon/env.h"
#include "daemon/intake/intake.h"
#include "daemon/journal/journal.h"
#include "daemon/settings.h"
#include "lib/record/health.h"

/*
 * watch: looks at tenants, sinks and the journal every few seconds, and has told
 * what somebody should know of them as health records.
 *
 * It decides what is worth telling: a state that lasts (health.settle), a tenant
 * that is not read although nothing is said to be wrong (health.silent_after), one
 * record for an outage that hits many tenants alike. How a record reaches its
 * sinks is the teller's affair; what a tenant's state is, the intake's.
 *
 * Cost: one pass over the figures of all tenants, some µs each, at most every
 * quarter second.
 */
struct watch;

/* Where it looks; as intake_figures() and delivery_figures(). */
struct watch_eyes {
	size_t (*tenants)(void *arg, struct intake_figures *out, size_t max);
	size_t (*sinks)(void *arg, struct delivery_figures *out, size_t max);
	void *arg;
};

struct watch *watch_new(
    const struct engine_env *env, struct journal *j, const struct watch_eyes *eyes);
void watch_free(struct watch *w);

/* Watching begins with the first one; subjects that stay keep what is known of them. */
void watch_configure(struct watch *w, const struct settings *s);
/* No more looking; what was told goes its way. */
void watch_stop(struct watch *w);

/* From the journal's notes, as they come. */
void watch_journal(
    struct watch *w, enum journal_note note, enum journal_state state, const char *text);

/*
 * Something that others watch: a credential that ends, say. Told when `state` is
 * not the one that was told last for that id, also across restarts; so it may be
 * said as often as one likes. That it is HEALTH_WELL is told when something else
 * was told before.
 */
struct watch_notice {
	const struct tenant *tenant; /* of the settings in use; NULL: msspd's own */
	const char *id;              /* "credential:soc:graph-secret"; at most 200 bytes */
	const char *about, *name;    /* "credential", "graph-secret" */
	enum health_level level;
	const char *state;   /* "ends in 7 days" */
	const char *summary; /* a line of its own; what and remedy: sentences, or "" */
	const char *what, *remedy;
};
void watch_notice(struct watch *w, const struct watch_notice *n);

/* A sink's canaries, likewise; to those who are told of msspd itself. */
struct canary_word;
void watch_canary(struct watch *w, const struct canary_word *word);

#endif
