/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CANARIES_H
#define CANARIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/env.h"
#include "daemon/journal/journal.h"
#include "daemon/settings.h"
#include "lib/base/err.h"

/*
 * canaries: a record that says nothing, now and then, for each sink that wants one
 * (`canary`), the whole way that an alert goes: journal, delivery, sink. One that is not
 * accepted in time (`canary_within`) is said once, and so is the next that is.
 *
 * It knows nothing of sinks' protocols, and decides nothing about who is told.
 *
 * Promises
 *  - at most one of a sink is open, also across restarts: the next is made when the one
 *    before was accepted (or refused), and it is time.
 *  - one that was settled is known to be in the next run, too, whatever waits for its sink.
 *  - the time in which the machine slept is not counted.
 *  - one that the journal does not take counts as not accepted, from when it was due.
 */
struct canaries;

/* What a person should know of a sink's canaries, when that is not what was said before. */
struct canary_word {
	const char *sink;
	bool is_well;
	const char *state; /* "accepted", "overdue", "refused", "off" */
	const char *what;  /* a sentence */
};
typedef void canaries_say(void *arg, const struct canary_word *w);

struct canaries *canaries_new(const struct engine_env *env, struct journal *j, canaries_say *say,
    void *arg);
void canaries_free(struct canaries *c);

/* The first ones are made soon after. Sinks that stay keep what is known of theirs. */
void canaries_configure(struct canaries *c, const struct settings *s);
/* No more are made. */
void canaries_stop(struct canaries *c);

/*
 * That sink accepted the one that was made then (err NULL), or refused it for good. Of one
 * that is not the newest, as a resend brings them, or that was accepted before, nothing follows.
 */
void canaries_settled(struct canaries *c, const char *sink, int64_t made, const struct err *err);

struct canary_figures {
	const char *sink;
	const char *state;       /* "accepted", "overdue", "refused", "waiting" for the first */
	bool is_well;
	const char *what;        /* "" when it is well */
	int64_t interval_ms, within_ms;
	int64_t open_since;      /* ticks: of the one that is not accepted yet; TICKS_NONE */
	bool is_stored;          /* that one is in the journal */
	int64_t last_accepted;   /* ticks; TICKS_NONE: none since the start */
	int64_t took_ms;         /* of that one; -1 */
	uint64_t made, accepted; /* since the start */
};
/* False: that sink has none. Valid until the loop runs again. */
bool canaries_figures(const struct canaries *c, const char *sink, struct canary_figures *out);

#endif
