/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OWNER_H
#define OWNER_H

#include <sys/queue.h>

#include "daemon/delivery/delivery.h"
#include "daemon/delivery/marks.h"
#include "daemon/delivery/order.h"
#include "daemon/delivery/tickets.h"
#include "daemon/env.h"
#include "daemon/hush.h"
#include "daemon/timer.h"

/*
 * owner: delivery's side of one sink; private to delivery*.c and owner*.c.
 *
 *   owner.c    its life: opened, started, backed off, drained, closed
 *   handout.c  journal to sink: reading, parsing, handing out
 *   verdict.c  sink to journal: results become marks
 *   held.c     what sinks put off, for people
 *   trial.c    a test record, when a person asks for one
 *   parking.c  sinks for which too much waits
 *   delivery.c all of them together
 */
struct reading;
struct look;
struct trial;

enum owner_state {
	OWNER_PARKED,   /* could not be opened; opened again when `again` fires */
	OWNER_STARTING, /* start() was called, the link has not answered yet */
	OWNER_UP,
	OWNER_WAITING,  /* the link is down; start() when `again` fires */
	OWNER_DRAINING, /* until drained; `again` ends its patience */
	OWNER_CLOSING,  /* closed at the end of this turn */
	OWNER_READING,  /* the sink is closed, the read under way is not back yet */
	OWNER_CLOSED,   /* delivery is stopping */
};

/* Parsed and ticketed, on the way into send(). The records lean on the batch. */
#define WINDOW_MAX 32
struct window {
	struct sink_item items[WINDOW_MAX];
	struct record *records[WINDOW_MAX];
	uint32_t streams[WINDOW_MAX];
	size_t n;
};

struct sink_owner {
	struct delivery *d;
	TAILQ_ENTRY(sink_owner) link, run_link;
	struct log_ctx log;
	char *name;
	uint32_t number; /* in the journal */

	/* What it runs with, and what it shall run with once drained (NULL: it goes). */
	struct settings *settings, *next_settings;
	const struct sink_conf *conf, *next;

	struct sink *sink; /* NULL while parked or closed */
	enum owner_state state;
	bool is_held;        /* an operator wants it to be given nothing */
	bool pauses_polling; /* of its tenants: parking.c */
	struct timer again;
	unsigned tries;  /* starts or opens since it last worked */
	int64_t up_since;
	bool gets_on; /* something was accepted since it is up */
	bool is_refused;

	bool is_runnable; /* on delivery's list */
	bool is_full;     /* the sink took less than offered */
	bool is_capped;   /* no tickets left */
	bool has_more;    /* a read may bring something */
	bool must_rewind; /* when the read under way is back */
	struct reading *reading;
	struct timer read_again;
	struct journal_batch *batch;
	size_t next_item;
	struct window window;

	struct trial *trial; /* under way; NULL */

	struct tickets tickets; /* of a test record: place 0, which no entry has */
	struct order order;
	struct marks marks;
	struct timer settle;

	struct err trouble; /* "" when all is well */
	int64_t trouble_since; /* ticks */
	uint64_t said;         /* hash of the trouble that was logged last */
	int64_t said_at;       /* monotonic ms */
	bool is_hushed;        /* the trouble of now was said before, and is not said again */
	struct hush retry_hush, reject_hush;
	uint64_t accepted, retried, rejected, dead;
	int64_t last_accepted;
	struct histogram delay, journal_delay; /* see struct delivery_figures */
};

TAILQ_HEAD(owner_list, sink_owner);

struct delivery {
	const struct engine_env *env;
	struct journal *journal;
	delivery_origin_cb *origin;
	void *origin_arg;
	LIST_HEAD(, reading) readings; /* under way */
	LIST_HEAD(, look) looks;       /* likewise, of held.c */
	struct owner_list owners, runnable, gone; /* gone: freed at the end of the turn */
	struct settings *settings; /* of now; NULL before delivery_configure() */
	struct journal_filter left_out; /* streams that are given to nobody; none: all are */
	struct timer parking;
	size_t npauses; /* of owners: those that pause the polling of their tenants */
	struct timer work;
	bool is_stopping, is_stopped;
	struct timer patience;
	void (*stopped)(void *arg);
	void *stopped_arg;
	struct timer idle;
	bool was_busy;
	delivery_canary_cb *on_canary; /* NULL: nobody wants to know */
	void *on_canary_arg;
	void (*on_idle)(void *arg);
	void *on_idle_arg;
};

/* ---- owner.c ---- */
struct sink_owner *owner_new(struct delivery *d, const struct settings *s,
    const struct sink_conf *conf);
void owner_free(struct sink_owner *o);
void owner_open(struct sink_owner *o);
/* Drains it; then it runs with `next` (of settings s), or goes when that is NULL. */
void owner_replace(struct sink_owner *o, const struct settings *s, const struct sink_conf *next);
/* No more patience: what is not accepted stays in the journal. */
void owner_close_now(struct sink_owner *o);
/* Is called when the sink is closed and nothing is under way any more. */
void owner_on_closed(struct sink_owner *o);

/* ---- handout.c ---- */
void owner_wake(struct sink_owner *o);
/* One piece of work; true when there is more that can be done now. */
bool owner_hand_out(struct sink_owner *o);
/* What was offered and not taken is as if it had never been read. */
void owner_drop_window(struct sink_owner *o);
/* All that was handed out and is not settled comes again, in order. */
void owner_rewind(struct sink_owner *o);
/* Lets go of what is of the streams that delivery leaves out, and that the sink does not have. */
void owner_leave_out(struct sink_owner *o);
/* The read under way, if any, comes back to nobody. */
void owner_orphan_reading(struct sink_owner *o);
/* Those that never came back: the journal is being closed. */
void delivery_free_readings(struct delivery *d);

/* ---- verdict.c ---- */
void owner_settle_now(struct sink_owner *o);
void owner_settle_init(struct sink_owner *o);
/* Puts an entry off until an earlier one of its alert is settled, which falls due at `due`. */
void owner_put_behind(struct sink_owner *o, const struct ticket *t, int64_t due, const char *memo);

/* As if it was delivered: nobody wants it any more. */
void owner_let_go(struct sink_owner *o, struct journal_pos pos);

/* ---- trial.c ---- */
/* The test record that waits for being sent, if any. False: the sink takes nothing now. */
bool trial_hand_out(struct sink_owner *o);
void trial_settle(struct sink_owner *o, uint64_t ticket, enum sink_verdict v,
    const struct err *err);
/* err NULL: it ended on purpose. */
void trial_link_down(struct sink_owner *o, const struct err *err);
/* The sink is closed, perhaps to be opened anew. */
void trial_void(struct sink_owner *o);
/* An operator paused the sink, or had it go on. */
void trial_held(struct sink_owner *o);
void trial_gone(struct sink_owner *o);

/* ---- delivery.c ---- */
/* NULL: there is none of that name. */
struct sink_owner *delivery_find(const struct delivery *d, const char *name);
enum sink_link_state owner_link_state(const struct sink_owner *o);
void delivery_on_owner_closed(struct sink_owner *o);
/* Backoff of links and entries alike, jitter included. */
int64_t delivery_backoff(unsigned tries);

#endif
