/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLLER_H
#define POLLER_H

#include "daemon/hush.h"
#include "daemon/intake/cap.h"
#include "daemon/intake/intake.h"
#include "daemon/intake/listing.h"
#include "daemon/intake/replay.h"
#include "daemon/intake/routing.h"
#include "daemon/intake/scheduler.h"
#include "daemon/intake/tenancy.h"
#include "daemon/intake/window.h"
#include "daemon/timer.h"
#include "lib/base/spares.h"
#include "lib/json/split.h"
#include "lib/policy/paging.h"

/*
 * poller: one tenant's stream as the intake sees it: what is read next and when,
 * the request in flight, the page in hand, and how it goes. Inside the intake only.
 *
 * At any time a poller is at exactly one of the places of enum poller_at; only
 * the functions that say so move it.
 */
enum poller_at {
	POLLER_WAITING, /* for its timer */
	POLLER_QUEUED,  /* for a place of the scheduler */
	POLLER_ASKING,  /* for a token, then for a page */
	POLLER_STORING, /* reads the page slice by slice, then waits for the journal */
	POLLER_RESTING, /* for nothing: stopped, or read once */
};

/* One way through the stream. */
struct reader {
	const char *name;   /* in the journal */
	int64_t span_ms;    /* of a sweep: how far back; 0: the live reader, and no other */
	int64_t every_ms;   /* of a sweep */
	bool is_open;       /* a read is under way */
	int64_t opened;     /* mono ms: it began */
	unsigned new_pages; /* of this read: with something that was not known */
	bool is_held;       /* a page of this read was all somebody else's: the cursor stays */
	struct paging paging;
	struct paging_habits habits;
	char *link;             /* of the page before, where it may be followed */
	int64_t cursor;         /* ticks, as stored; TICKS_NONE */
	int64_t due;            /* of a sweep and of a replay's next page: mono ms */
	int64_t swept;          /* ticks: when the last one that went through began; TICKS_NONE */
	unsigned failures;      /* of a sweep, in a row */
	int64_t begun;          /* ticks, the server's clock */
	struct journal_gap gap; /* to be stored with the next page; why NULL: none */
};

/* Oddities of a server that are told once, not at every page. */
enum poller_told {
	TOLD_LINK = 1,
	TOLD_FILTER = 2,
	TOLD_ORDER = 4,
	TOLD_REFUSED = 8,
	TOLD_LARGE = 16
};

enum { READER_LIVE, READER_HOUR, READER_DAY, READER_REPLAY, READER_COUNT };

#define ODD_MAX 32

struct poller {
	TAILQ_ENTRY(poller) link;
	struct place place;
	struct intake *in;
	struct settings *settings;
	struct tenancy *tn;
	const struct tenant *t; /* of settings */
	const struct tenant_stream *s; /* of t */
	enum stream which;
	uint64_t hash; /* of the stream's key */
	uint32_t stream;
	struct routing *routing; /* NULL until begin is known */
	int64_t begin;           /* ticks: the memory's; TICKS_NONE */
	bool is_kept;            /* while configuring */

	enum poller_at at;
	enum tenant_state state;
	char *trouble;
	int64_t since, last_success; /* ticks */
	int64_t complete; /* ticks, the server's: a live read that began then came to its end */
	int64_t said_at;             /* mono ms: when its trouble was logged last */
	bool is_hushed;              /* too many others have it: nor is its end told */

	struct timer timer;
	int64_t slot;       /* mono ms: the next live read */
	int64_t not_before; /* mono ms: nothing is sent earlier */
	unsigned failures;  /* in a row */
	bool is_once;       /* one live read is to be reported */

	struct reader readers[READER_COUNT], *r; /* r: the one that is at it */
	struct replay replay;
	struct listing *listing; /* NULL: nobody asks; its reader is of its own */
	unsigned told;                           /* bits of enum poller_told */
	struct window window;
	int64_t doubt_from;  /* ticks: live reads go back to here for a while; TICKS_NONE */
	int64_t doubt_until; /* mono ms */
	uint64_t odd[ODD_MAX]; /* hashes of slices without readable id that are stored */
	unsigned nodd;

	struct token_wait *wait;
	struct fetch *fetch;
	char *bearer;
	char request_id[37];
	int64_t asked; /* mono ms: the request in flight began */
	struct buf answer; /* while it is judged: its status and ids, for the log */
	bool has_role, is_renewed, is_fresh, is_postponed;
	bool is_outdated; /* configured anew since the request in flight began */
	struct split split;
	struct buf packed; /* the body that is split, as it came, where that was gzip */
	bool is_splitting;
	struct page *page;
	int64_t skew; /* ticks the server is ahead of us */
	bool has_skew;
	int64_t clock_off_sec; /* the server is ahead by so much; 0: as good as not at all */

	struct intake_figures figures; /* the counts of it */
};
TAILQ_HEAD(poller_list, poller);

struct intake {
	const struct engine_env *env;
	struct fetcher *fetcher;
	struct tokens *tokens;
	struct journal *journal;
	struct scheduler scheduler;
	int64_t shut_since; /* ticks: the journal takes nothing, or took nothing lately */
	struct cap cap;
	struct window_pool windows;
	struct spares *bodies; /* memory that pages are read into */
	struct hush outage; /* what many tenants have at once */
	struct tenancy_list tenancies;
	struct tenancy_bucket by_key[TENANCY_BUCKETS]; /* the same, by the hash of their keys */
	struct poller_list pollers;
	TAILQ_HEAD(, page) pages; /* came, and not yet looked at; page.c */
	struct settings *settings;
	struct histogram poll_times[STREAM_COUNT];
	char *left_out;    /* the key of a tenant that is not read although it is configured; NULL */
	bool is_left_held; /* an operator wanted that before */
	bool is_stopped, is_once;
	intake_full_cb *full; /* NULL: no sink is ever full */
	void *full_arg;
	size_t once_left, once_failed;
	void (*once_done)(void *arg, size_t failed);
	void *once_arg;
	void (*stop_done)(void *arg);
	void *stop_arg;
};

/* ---- poller.c: life, and what it knows --------------------------------------------------- */

struct poller *poller_new(struct intake *in, struct tenancy *tn, const struct tenant_stream *s);
void poller_free(struct poller *p);
/* The tenant and its stream as they are configured now; keeps all state. */
void poller_configure(struct poller *p, struct settings *settings, const struct tenant *t,
    const struct tenant_stream *s);
/* Begins waiting for the first slot, first_ms from now. */
void poller_start(struct poller *p, int64_t first_ms);
/* Where it waits for its time, that is now. */
void poller_hurry(struct poller *p);
/* Ends what is under way; nothing follows. A page in the journal goes its way alone. */
void poller_halt(struct poller *p);
void poller_read_once(struct poller *p);
/* Goes on from what the journal knows, which may be less than before. */
void poller_relearn(struct poller *p);
/* The reader that replays has something to do now, or nothing any more. */
void poller_look_for_periods(struct poller *p);

/* True once for each. */
bool poller_tells(struct poller *p, enum poller_told what);
/* Something of it was stored once, now or before a restart. */
bool poller_was_read(const struct poller *p);
/* Did the API ask the tenant's streams to wait, while this one was on its way? */
bool poller_is_told_to_wait(const struct poller *p);
/* Its next read begins anew. */
void reader_end(struct reader *r);

/* By the clock that intervals are measured with. */
static inline int64_t
poller_mono(const struct poller *p)
{
	return clock_mono(p->in->env->clock);
}

/* The server's clock, ticks. */
int64_t poller_server_now(const struct poller *p);
void poller_learn_date(struct poller *p, int64_t server_date);
/* Is the clock of this machine right, by an answer that took so long? */
void poller_compare_clocks(struct poller *p, int64_t server_date, int64_t took_ms);

/* ---- poller_next.c: what is read next, and when -------------------------------------------- */

/* Its timer. */
void poller_next_init(struct poller *p);
void poller_wait(struct poller *p, int64_t ms);
/* Until something of it falls due. */
void poller_wait_for_next(struct poller *p);
/* The interval may be shorter now than when the next live read was planned. */
void poller_advance(struct poller *p);
/* Records made after it are not taken yet, and the cursor stays behind it; ticks of the
 * server's clock. */
int64_t poller_limit(const struct poller *p);

/* ---- poller_outcome.c: how it went; nobody else writes the state --------------------------- */

/* All went well: what is next follows from step. */
void poller_go_on(struct poller *p, const struct paging_step *step);
/* Asks again for the same, after_ms from now, without it being anybody's fault. */
void poller_again(struct poller *p, int64_t after_ms);
/* Something is wrong: tries again later, by the state's own backoff or hint_ms (-1: none). The
 * text says what; what happens next is added. */
void poller_trouble(struct poller *p, enum tenant_state state, int64_t hint_ms, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));
/* As after poller_trouble(), and the read begins anew. */
void poller_abandon(struct poller *p);

/* ---- intake.c: a sink that is full, of t; NULL: none ------------------------------------- */

const char *intake_full_sink(const struct intake *in, const struct tenant *t);

/* ---- intake.c: over how long those are spread who would all begin at once ------------- */

int64_t intake_spread_ms(const struct settings *s, const struct tenant *t);

/* ---- sweep.c: when and how far back late arrivals are looked for -------------------- */

void sweep_init(struct poller *p);
/* Once the stream is known: the last sweep may have been before a restart. */
void sweep_resume(struct poller *p);
/* What live reading will go on asking for, of all streams that share the memory of p's; ticks,
 * TICKS_NONE before any was read. */
int64_t reader_window(const struct poller *p);
/* Tells the journal that, so that its memory stays. */
void reader_say_window(const struct poller *p);
/* Something of that version looks as if it were not ours, and may look otherwise soon. */
void reader_doubt(struct poller *p, int64_t version);
/* The bounds of a new read of r. False: there is nothing to sweep. */
bool reader_bounds(struct poller *p, struct reader *r, struct paging_bounds *out);
void sweep_done(struct poller *p, struct reader *r);

/* ---- request.c: one request ------------------------------------------------------------ */

/* The scheduler's start(). */
void request_start(struct place *place);
void request_cancel(struct poller *p);
/* The answer has not come for a while. */
void request_is_late(struct poller *p);
/* Where the page that is stored now links to; until then the link that led to it is kept, to read
 * it again. NULL: nowhere. */
void request_keep_link(struct poller *p, const char *link);

#endif
