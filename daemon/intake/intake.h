/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INTAKE_H
#define INTAKE_H

#include "daemon/env.h"
#include "daemon/intake/fetch.h"
#include "daemon/intake/state.h"
#include "daemon/intake/streams.h"
#include "daemon/intake/token.h"
#include "daemon/journal/journal.h"
#include "daemon/settings.h"
#include "lib/base/histogram.h"

/*
 * intake: polls every tenant's streams when they fall due and puts what it reads into
 * the journal. It owns scheduling, budgets, paging, the state of each tenant; it
 * knows nothing of sinks beyond their numbers for routing.
 *
 * Promises
 *  - a cursor moves only with the page that is journalled.
 *  - one tenant's trouble (throttled, parked, slow, garbled) delays no other.
 *  - nothing is sent to a tenant while a Retry-After of it lasts.
 */
struct intake;

struct intake *
intake_new(const struct engine_env *env, struct fetcher *f, struct tokens *ts, struct journal *j);
void intake_free(struct intake *in);

/* Applies the tenants of s: new ones start, gone ones end at once (a page that the journal
 * has goes its way), the state of those that stay is kept. Keeps a reference to s. */
void intake_configure(struct intake *in, const struct settings *s);
/* The tenant of that key is not read, as if it were not configured; NULL: all are, and the one that
 * was left out begins as a new one. */
void intake_leave_out(struct intake *in, const char *key);
/* Ends requests in flight; pages handed to the journal are its own. done once, later. */
void intake_stop(struct intake *in, void (*done)(void *arg), void *arg);
/* Periods were added to the journal, or can be read now. */
void intake_look_for_periods(struct intake *in);
/* That tenant, or all where name is NULL, is read as soon as its budget and its API allow; returns
 * how many streams are. */
size_t intake_poll(struct intake *in, const char *name);
/* Not read any more, or again; until the next start at most. False: there is no such tenant. */
bool intake_hold(struct intake *in, const char *name, bool is_held);
/* From the journal's notes. */
void intake_journal_state(struct intake *in, enum journal_state state);
/* Likewise: a damaged journal was replaced, its cursors may have gone back and what was stored may
 * not be any more. All tenants go on from what the journal knows now. */
void intake_journal_salvaged(struct intake *in);
/*
 * Asked before each request: the name of a sink that takes no more of that tenant for now, so that
 * it is not polled; NULL: none. It is asked again every second or so.
 */
typedef const char *intake_full_cb(void *arg, const struct tenant *t);
void intake_on_full(struct intake *in, intake_full_cb *cb, void *arg);
/* Before or after intake_configure(), in the same turn of the loop. Polls every tenant once
 * (live reader until the read is complete), then calls done;
 * no other polling happens. failed: tenants that could not be read. */
void intake_once(struct intake *in, void (*done)(void *arg, size_t failed), void *arg);

/*
 * Lists what Microsoft has of one stream of a tenant that was created from `from` on and before `to`,
 * ticks: read as everything else is, after what is due and with what the budget leaves, and stored
 * nowhere. `listed` comes for each item, and true says that it is a new one; then `done`, once,
 * err NULL where all was listed. Neither comes from inside intake_list(). One at a time for each
 * stream. ERR_TEMP: it cannot be read now.
 */
struct intake_listed {
	struct str id;
	int64_t created, version; /* ticks; created TICKS_NONE where it shows none */
	bool is_unreadable, is_foreign;
};
struct intake_list {
	const char *key; /* of the tenant's stream: whoever has its name now is not asked */
	const struct stream_kind *kind;
	int64_t from, to;
	bool (*listed)(void *arg, const struct intake_listed *item);
	void (*done)(void *arg, const struct err *err);
	void *arg;
};
bool intake_list(struct intake *in, const struct intake_list *ask, struct err *err) MUST_CHECK;
/* The one with that arg; its `done` does not come. */
void intake_list_cancel(struct intake *in, const void *arg);

struct intake_figures {
	const char *tenant, *customer, *customer_name, *id;
	const char *stream; /* which one; of a tenant: whose state it is, "" where it has but one */
	enum tenant_state state;
	const char *trouble;  /* plain words and what to do; "" */
	const char *remedy;   /* what a person can do about it; "" */
	int64_t since;        /* ticks: in this state since */
	int64_t last_success; /* ticks; TICKS_NONE */
	int64_t cursor;       /* ticks; TICKS_NONE */
	int64_t next_poll_ms; /* -1: in flight */
	int64_t complete; /* ticks: all that was listed by then was read; TICKS_NONE */
	uint64_t polls, pages, alerts, forwarded, throttled, failures, quarantined, sweep_found,
	    gaps;
	uint64_t repeats;    /* on its pages, and known already */
	bool is_parked;      /* nothing gets better before a person does something */
	bool is_held;        /* an operator paused it: not read before it is resumed */
	int64_t max_late_ms; /* worst start of a due poll after its time, since start */
};
/* One a tenant: counts of all its streams, the state of the worst. Returns how many were filled,
 * at most max. */
size_t intake_figures(const struct intake *in, struct intake_figures *out, size_t max);
/* One a stream, likewise, in the order of the tenants. */
size_t intake_stream_figures(const struct intake *in, struct intake_figures *out, size_t max);
/* How long polls took that came to their end, from the first request to the last page stored. */
const struct histogram *intake_poll_times(const struct intake *in, enum stream which);

#endif
