/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/delivery/delivery.h"
#include "daemon/delivery/held.h"
#include "daemon/errands.h"
#include "daemon/delivery/trial.h"
#include "daemon/intake/intake.h"
#include "daemon/journal/journal.h"
#include "daemon/purge.h"
#include "daemon/replays.h"
#include "daemon/report.h"
#include "daemon/settings.h"

struct engine_env;
struct event_base;

/*
 * engine: the whole daemon as one object: journal, intake, delivery, tied to an
 * event_base that somebody else runs. It holds no globals and touches neither
 * signals nor standard streams, so that it can be embedded.
 *
 * engine_open(), engine_reload() and engine_close() block (files, journal); nothing
 * else does.
 */
struct engine;

/*
 * Opens the journal; nothing is read or sent before engine_start() or engine_once().
 * A reference to s is kept. ERR_TEMP: another process holds state_dir. With is_dry
 * nothing is locked or stored: the journal is in memory. NULL on failure, and
 * nothing is left open.
 */
struct engine *engine_open(struct event_base *base, struct settings *s, bool is_dry,
    struct err *err) MUST_CHECK;

/* Sinks are opened and polling begins. This or engine_once(), once. */
void engine_start(struct engine *e);

/* Every tenant once, then until all is accepted or timeout_ms (0: none) is over; then done, once. */
void engine_once(struct engine *e, int64_t timeout_ms, void (*done)(void *arg, bool ok), void *arg);

/*
 * Reads the configuration's file anew. A bad one leaves everything as it is:
 * false, every problem logged, the first in err. Blocks for the file. Not after
 * engine_stop().
 */
bool engine_reload(struct engine *e, struct err *err) MUST_CHECK;

/* Stops polling, drains the sinks for at most patience_ms, saves; then done, once. */
void engine_stop(struct engine *e, int64_t patience_ms, void (*done)(void *arg), void *arg);
/* Everything not yet saved by engine_stop() is read or sent again after the next start. */
void engine_close(struct engine *e);

/* Has a time of a tenant read again; see replays_ask(). */
bool engine_replay(struct engine *e, const struct replay_ask *ask, uint64_t numbers[REPLAYS_MOST],
    size_t *n, struct err *err) MUST_CHECK;
/* Has a sink given again what it lost; see replays_resend(). */
bool engine_resend(struct engine *e, const char *sink, const char *from, size_t *n,
    struct err *err) MUST_CHECK;
/* False: there is none of that number that has not ended. */
bool engine_replay_cancel(struct engine *e, uint64_t number);

/* What sinks hold back; see delivery/held.h. */
bool engine_look_at_held(struct engine *e, const char *sink, held_cb *cb, void *arg,
    struct err *err) MUST_CHECK;
bool engine_cancel_held(struct engine *e, const struct held_which *which, held_cb *cb, void *arg,
    struct err *err) MUST_CHECK;

/* One test record through a sink; see delivery/trial.h. */
bool engine_try_sink(struct engine *e, const struct trial_ask *ask, trial_cb *cb, void *arg,
    struct err *err) MUST_CHECK;

/* That tenant, or all where name is NULL, is read as soon as its budget and its API allow; a tenant
 * that is parked, too. Returns how many streams are. */
size_t engine_poll(struct engine *e, const char *name);
/* A tenant is not read, or a sink given nothing, until it is resumed or msspd starts again. ERR_PERM:
 * there is none of that name. */
bool engine_hold_tenant(struct engine *e, const char *name, bool is_held, struct err *err) MUST_CHECK;
bool engine_hold_sink(struct engine *e, const char *name, bool is_held, struct err *err) MUST_CHECK;
/* Lets go what waits for a sink that is not configured any more, at once. */
bool engine_forget_sink(struct engine *e, const char *name, struct err *err) MUST_CHECK;

/* What is asked of the journal's letters; lives as long as the engine. */
struct errands *engine_errands(struct engine *e);
/* What Microsoft lists beside what was delivered; lives as long as the engine. */
struct reports *engine_reports(struct engine *e);
/* All that is kept of a tenant goes; see daemon/purge.h. The number of its errand; 0: err. */
uint64_t engine_purge(struct engine *e, const struct purge_ask *ask, struct err *err);
/* The streams of a tenant, configured or not; see daemon/belongings.h. */
bool engine_streams_of(struct engine *e, const char *tenant, struct journal_filter *out,
    struct err *err) MUST_CHECK;

/* Whose that stream of the journal is; never NULL. */
const struct origin *engine_origin(struct engine *e, uint32_t stream);

/* What the engine's parts were given at birth, for those who live as long as it does. */
const struct engine_env *engine_env(const struct engine *e);

/* What happened last, for those who look at the engine; the caller's. NULL: nothing is kept. */
struct chronicle;
void engine_remember(struct engine *e, struct chronicle *r);

/* For the control socket; all valid until the loop runs again. */
struct engine_view {
	const struct settings *settings;
	const struct journal *journal;
	const struct intake *intake;
	const struct delivery *delivery;
	const struct canaries *canaries;
	struct expiries *expiries;   /* what ends on a day known ahead */
	const struct fetcher *fetcher;
	struct chronicle *chronicle;       /* NULL: nobody keeps events */
	bool is_stopping;
	int64_t now, started;        /* ticks */
	uint64_t reloads, reload_failures; /* since start */
	int64_t reloaded;            /* ticks of the last reload that was asked for; TICKS_NONE */
	const char *reload_error;    /* "" when it went well */
};
void engine_view(const struct engine *e, struct engine_view *out);

#endif
