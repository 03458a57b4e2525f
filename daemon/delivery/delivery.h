/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DELIVERY_H
#define DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/delivery/sink.h"
#include "daemon/journal/letters.h"
#include "daemon/settings.h"
#include "lib/base/histogram.h"

/*
 * delivery: takes entries out of the journal to the sinks they are routed to,
 * and settles them by what each sink says.
 *
 * It alone decides about backoff with jitter, the order of one alert's entries,
 * dead letters and the figures. It knows nothing of protocols (sinks) and of
 * where entries come from.
 *
 * Promises
 *  - no sink waits for another; one bad entry holds back its own alert only.
 *  - an entry is settled OK only after its sink said SINK_OK for it.
 *  - a sink for which more waits than its backlog allows is parked, and goes on by itself.
 *  - memory per sink is bounded, whatever the backlog and however long the
 *    receiver takes to confirm.
 */
struct delivery;

/* Whose an entry is; an origin for any stream the journal knows. Never NULL; a reference is not passed. */
typedef const struct origin *delivery_origin_cb(void *arg, uint32_t stream);

struct delivery *delivery_new(const struct engine_env *env, struct journal *j,
    delivery_origin_cb *origin, void *arg);
/* After delivery_stop() has reported, or at once: sinks are cancelled. The journal is closed next,
 * before the loop runs again: a read under way must not come back. */
void delivery_free(struct delivery *d);

/*
 * Applies the sinks of s: new ones are opened, gone ones drained and closed
 * (their place stays in the journal), changed ones drained and opened anew,
 * equal ones left alone. A sink that cannot be opened is reported, parked and
 * tried again; the others run. Keeps a reference to s.
 */
void delivery_configure(struct delivery *d, const struct settings *s);

/* Drains every sink, at most patience_ms, settles, then calls done once. */
void delivery_stop(struct delivery *d, int64_t patience_ms, void (*done)(void *arg), void *arg);

/* SIGHUP: sinks re-open files and re-read certificates. */
void delivery_refresh(struct delivery *d);

/* The journal let entries go that later ones of their alerts may wait for (a damaged row): nothing
 * waits any more, until it is put off again. */
void delivery_forget_order(struct delivery *d);

/* Nothing of those streams is given to a sink any more: what comes of them is let go of, and what
 * delivery has of them in memory. NULL: again as always. */
void delivery_leave_out(struct delivery *d, const struct journal_filter *streams);

/* Given nothing any more, or again; until the next start at most. What is under way is finished.
 * False: there is no such sink. */
bool delivery_hold(struct delivery *d, const char *sink, bool is_held);

/* The name of a sink of t for which more waits than its backlog allows, and for which polling
 * shall pause (`when_full`); NULL: none. Valid until the loop runs again. */
const char *delivery_full_sink(const struct delivery *d, const struct tenant *t);

/* True when nothing that is routed to a configured sink is open (for --once). */
bool delivery_is_idle(const struct delivery *d);
/* Called (later, from the loop) each time it becomes idle. */
void delivery_on_idle(struct delivery *d, void (*cb)(void *arg), void *arg);
/* What becomes of canaries: that sink accepted the one that was made then (err NULL), or refused
 * it for good. They are in no figure, and never become dead letters. */
typedef void delivery_canary_cb(void *arg, const char *sink, int64_t made, const struct err *err);
void delivery_on_canary(struct delivery *d, delivery_canary_cb *cb, void *arg);
/* Dead letters since the start, of the sinks that are configured now. */
uint64_t delivery_dead(const struct delivery *d);

struct delivery_figures {
	const char *sink, *kind;
	enum sink_link_state link;
	bool is_parked;          /* could not be opened */
	bool is_held;            /* by an operator: it is given nothing */
	bool pauses_polling;     /* of its tenants: too much waits for it */
	const char *trouble;     /* last error's text, "" when the link is up */
	int64_t trouble_since;   /* ticks; TICKS_NONE */
	int64_t next_try_ms;     /* until the next start(); -1: not waiting */
	uint64_t accepted, retried, rejected, dead; /* since start */
	uint64_t in_flight;      /* handed to the sink, without a result */
	int64_t last_accepted;   /* ticks; TICKS_NONE */
	/* Of what was accepted: since Microsoft last changed it (without replays), since it was
	 * journalled. Not NULL. */
	const struct histogram *delay, *journal_delay;
};
size_t delivery_figures(const struct delivery *d, struct delivery_figures *out, size_t max);

#endif
