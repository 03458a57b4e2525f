/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/record/seen.h"

/*
 * journal: what msspd must not forget across a crash.
 *
 * It keeps the entries that are not yet delivered (and, where there is room,
 * those that are, for keep_delivered), the memory of every alert it saw, the
 * cursors of all readers, each sink's place, dead letters, quarantine and gaps.
 * It knows nothing of HTTP, JSON, records or sinks' protocols: bodies are bytes.
 *
 * Promises
 *  - One append is one transaction: a page's entries, the memory of its alerts
 *    and the reader's cursor are stored together or not at all. The callback
 *    with ok = true comes after the bytes are synced to disk.
 *  - Sinks see committed entries only.
 *  - It remembers to which sinks the last version of each alert was given: not those that were
 *    not there yet, not those that were parked, none where it became a dead letter.
 *  - An entry is kept until every sink it is routed to has settled it OK or DEAD.
 *  - Marks are durable within a second (or at journal_close()).
 *  - A row whose checksum fails is moved to quarantine and reported, never delivered, never a stop.
 *
 * Asynchronous: every call returns at once, and each callback comes exactly
 * once, later, from the event loop, never from inside the call that asked for
 * it. One thread owns the file; all functions here are called on the loop's
 * thread. journal_open() and journal_close() are the exceptions: they block; do
 * not close from inside a callback of the journal. The judge and opts.clock are
 * called on the journal's thread, too.
 */
struct journal;
struct event_base;
struct journal_engine;

/* Order holds within a shard; sqlite and memory have shard 0 only. */
struct journal_pos {
	uint32_t shard;
	uint64_t seq;
};

/* Makes size bytes of what a page brought as `packed`; returns how many could be made. Pure, on
 * the journal's thread. */
typedef size_t journal_unpack(struct str packed, char *out, size_t size);

/* What the operator configured, and what tests replace. */
struct journal_opts {
	const char *dir;           /* an existing directory, ours alone */
	uint64_t max_size;         /* bytes of the database file; lowered where the file system is small */
	int64_t remember_ms;       /* an alert is forgotten this long after its last version was journalled */
	int64_t keep_delivered_ms; /* delivered entries stay this long where there is room */
	int64_t forget_sink_ms;    /* a sink that is no longer declared keeps its place this long */
	unsigned own_types;        /* bits, 1 << type: made here and in no period, so that a parked
	                            * sink keeps them */
	journal_unpack *unpack;    /* NULL: no page brings, or ever brought, anything packed */
	const struct clock *clock;
	const char *vfs;           /* SQLite VFS; NULL: the system's. Tests put their faults in here */
	struct event_base *base;
};

/* Paused: the high-water mark is reached; appends are refused, marks and reads work.
 * Failed: the file cannot be written; reads may work; it is tried again by itself. */
enum journal_state { JOURNAL_OK, JOURNAL_PAUSED, JOURNAL_FAILED };

/* What a person or the intake should know; text is complete. Always from the loop. */
enum journal_note { JOURNAL_NOTE_STATE, JOURNAL_NOTE_QUARANTINE, JOURNAL_NOTE_SALVAGE,
	JOURNAL_NOTE_GAP, JOURNAL_NOTE_DEAD_CAP, JOURNAL_NOTE_QUARANTINE_CAP, JOURNAL_NOTE_CHECK,
	JOURNAL_NOTE_REFILL /* there are periods to be read again */ };
typedef void journal_note_cb(void *arg, enum journal_note note, enum journal_state state,
    const char *text);

/*
 * Life cycle. Refuses network file systems, a schema newer than ours (names
 * both), and a file that cannot be locked. A damaged file is set aside beside
 * the new one (name said in a note) and its cursors salvaged. After an unclean
 * stop the background check runs by itself.
 */
struct journal *journal_open(const struct journal_engine *engine, const struct journal_opts *opts,
    journal_note_cb *note, void *arg, struct err *err) MUST_CHECK;
/* Finishes what was asked (callbacks of jobs not yet done do not come), syncs, closes.
 * At most about a second. */
void journal_close(struct journal *j);

extern const struct journal_engine journal_sqlite, journal_mem;

enum journal_state journal_state(const struct journal *j);

/* ---- streams and readers ------------------------------------------------- */

/*
 * A stream is one tenant's alerts of one API: "global/1111…5555/alerts". The key
 * never holds a name that an operator can change. `about` is the caller's text
 * for it (who that is), kept for entries that outlive the configuration.
 * Returns the stream's number, the same for the same key for ever. In memory at
 * once; on disk with the next append.
 */
uint32_t journal_stream(struct journal *j, const char *key, const char *about);
/* The one of that key; 0: there is none, or it was purged and nobody has said it since. */
uint32_t journal_stream_find(const struct journal *j, const char *key);
/* NULL when there is none. Valid until the next journal_stream() for that number. */
const char *journal_stream_key(const struct journal *j, uint32_t stream);
const char *journal_stream_about(const struct journal *j, uint32_t stream);

/*
 * A reader is one way through a stream ("live", "sweep-hour", "sweep-day", a
 * replay) with a cursor of its own. False when it has none yet. Both times are
 * ticks; `begin` is what the first page of that stream's first reader declared
 * (memory_begin below), TICKS_NONE before.
 */
struct journal_cursor {
	int64_t at;    /* everything before it is journalled */
	int64_t begin; /* the memory of the stream begins here */
};
bool journal_cursor(const struct journal *j, uint32_t stream, const char *reader,
    struct journal_cursor *c);

/*
 * What that stream is read again and again from: the memory of versions from here on
 * is kept, however old. Pages say so too (window_from); a stream that brings none says
 * it here. In memory only, so it is said anew after each opening; at once.
 */
void journal_window(struct journal *j, uint32_t stream, int64_t from);

/* ---- append -------------------------------------------------------------- */

#define JOURNAL_ROUTES 32 /* sinks one entry may be routed to */

#define JOURNAL_BACKFILL 0x1 /* flags: created before the stream's memory began */
#define JOURNAL_REPLAY   0x2
/* All other bits are the judge's own. */

struct journal_entry {
	struct str id;        /* of the alert; at most 512 bytes */
	struct seen now;      /* what the memory shall hold */
	uint8_t type;         /* enum record_type */
	bool quarantine;      /* also keep body and why in quarantine */
	const char *why;      /* with quarantine: what is wrong; with a gap too */
	const void *body;     /* the slice as it came */
	size_t len;
	void *user;           /* the judge's: the record */
	/* Set by the judge: */
	uint8_t kind;         /* enum event_kind */
	uint16_t changed;     /* bits, 1 << enum part */
	uint8_t flags;
	uint8_t nroutes;
	uint32_t route[JOURNAL_ROUTES]; /* journal_sink() numbers */
	/* Set by the journal when forwarded: */
	struct journal_pos pos;
	int64_t journalled;   /* ticks */
	bool is_forwarded;
	int64_t remembered; /* where; the engine's own */
};

enum journal_act {
	JOURNAL_FORWARD,  /* remember it and deliver it to its routes */
	JOURNAL_REMEMBER, /* remember it only */
	JOURNAL_REPEAT, /* deliver it only: the memory stays as it is, but for whom it was given to */
	JOURNAL_MISSING, /* likewise, but to those of its routes only that were not given what is
	                   * remembered; nothing where there are none */
	JOURNAL_SKIP,    /* nothing new */
};

/*
 * Decides about one entry inside the transaction, in page order, seeing earlier
 * entries of the same page. was == NULL: first sight. Pure, on the journal's
 * thread: touches only e and what page->ctx made immutable.
 */
typedef enum journal_act journal_judge(const struct seen *was, struct journal_entry *e,
    const void *ctx);

struct journal_gap {
	int64_t from, to; /* ticks: what may be missing */
	const char *why;
};

/* One page of one reader. Made by the caller, owned by the journal from
 * journal_append() on, given back through `release` on the loop's thread after
 * the callback (seconds later where it `keeps`: what the journal saw of it must not
 * change until then). All that it points to lives as long as it does. */
struct journal_page {
	uint32_t stream;
	const char *reader;
	int64_t cursor;        /* new cursor; TICKS_NONE leaves it */
	const char *beside;    /* another reader of the stream, whose cursor is stored with it; NULL: none */
	int64_t beside_cursor;
	int64_t memory_begin;  /* kept when the stream has none yet; TICKS_NONE: not said */
	int64_t window_from;   /* memory of versions from here on is kept; TICKS_NONE: not said */
	journal_judge *judge;
	const void *ctx;
	const uint32_t *meant; /* all sinks that its alerts are routed to, whatever their filters
	                        * leave out of them */
	size_t nmeant;
	struct journal_entry *entries;
	size_t n;
	const struct journal_gap *gap; /* NULL: none */
	uint64_t period;       /* that its reader reads again, by number; 0: none */
	int64_t period_at;     /* all of the period before it is journalled; TICKS_NONE: not said */
	size_t period_seen;    /* alerts of the period on this page */
	bool is_period_done;   /* this is the period's last page */
	bool is_part_done;     /* likewise, but it is to be read once more, by another reader */
	bool is_urgent;        /* small, and taken while paused as long as there is some room: that
	                        * nothing else is taken must itself be told */
	bool is_full;          /* commit it by itself; others are grouped for up to 10 ms */
	struct str plain;      /* bodies that lie in it need not be written, */
	struct str packed;     /* where this is less, of which opts.unpack makes it; of no
	                        * interest after the callback. Empty: there is none */
	size_t keeps;          /* bytes of memory it holds, where it may stay a while behind its
	                        * callback, so that sinks get its entries as they are; 0: it may not */
	void (*release)(struct journal_page *page);
};

struct journal_appended {
	bool ok;
	enum journal_state state; /* not ok: paused or failed; read the page again later */
	size_t forwarded, remembered, skipped, quarantined; /* forwarded: repeats, too */
	struct err err;
};
typedef void journal_appended_cb(void *arg, const struct journal_page *page,
    const struct journal_appended *result);

void journal_append(struct journal *j, struct journal_page *taken, journal_appended_cb *cb, void *arg);

/* ---- sinks --------------------------------------------------------------- */

/* The number of a sink, the same for the same name until it is forgotten. */
uint32_t journal_sink(struct journal *j, const char *name);
/* These, and no others, are configured now. Others keep their place for forget_sink_ms. */
void journal_sinks_declare(struct journal *j, const char *const *names, size_t n);
/* Lets a sink's entries go at once. False when it is declared or unknown. */
bool journal_sink_forget(struct journal *j, const char *name);

/* Known by that name, since whenever. */
bool journal_sink_is_known(const struct journal *j, const char *name);

/*
 * A sink that is parked keeps the oldest JOURNAL_PARK_KEEP entries that wait for
 * it, those that are handed out, those of opts.own_types and dead letters that are retried.
 * All others, and all that are committed for it from now on, are let go, and the period of each
 * stream that they are of is kept instead, growing; in the same transaction. Unparked, it gets
 * what comes from now on, and its periods can be read again (JOURNAL_NOTE_REFILL). Outlives a
 * restart.
 */
#define JOURNAL_PARK_KEEP 256
void journal_sink_park(struct journal *j, uint32_t sink, bool is_parked);

struct journal_backlog {
	const char *sink;
	uint32_t number;
	bool is_declared, is_parked;
	int64_t undeclared_since; /* ticks */
	uint64_t entries, bytes;
	int64_t oldest;           /* ticks when the oldest was journalled; TICKS_NONE when empty */
	uint64_t dead;
};
/* All sinks known, from memory, nothing waits. Returns how many were filled, at most max. */
size_t journal_backlogs(const struct journal *j, struct journal_backlog *out, size_t max);

/* One of them. False: unknown. */
bool journal_backlog_of(const struct journal *j, uint32_t sink, struct journal_backlog *out);

/* ---- periods ------------------------------------------------------------- */

/*
 * A time of a stream that is to be read again by a reader of its own: because
 * somebody asked for it, or because a sink was not given what came then. The journal
 * keeps them and how far each was read; it reads nothing itself.
 */
#define JOURNAL_PERIOD_ALL       0x1  /* what is known, too */
#define JOURNAL_PERIOD_GAP       0x2  /* what a sink was not given; nobody asked for it */
#define JOURNAL_PERIOD_GROWS     0x4  /* its sink is parked: not to be read yet */
#define JOURNAL_PERIOD_DONE      0x8  /* read to its end; kept a while for a look */
#define JOURNAL_PERIOD_CANCELLED 0x10 /* likewise */
#define JOURNAL_PERIOD_HELD      0x20 /* its sink is being given again what is kept: not yet */
#define JOURNAL_PERIOD_PART      0x100 /* times how often it was read to its end, to begin anew */

struct journal_period {
	uint64_t number;
	uint32_t stream;
	uint32_t sink;         /* for this one only; 0: for all that its alerts are routed to */
	int64_t from, to;      /* ticks: from <= lastUpdateDateTime < to */
	int64_t at;            /* all of it before is journalled; TICKS_NONE: nothing yet */
	int64_t made;          /* ticks */
	unsigned flags;
	uint64_t seen, told;   /* alerts that were read; entries that came of them */
};

/*
 * The number of a sink that is not known yet, with the periods that it is to get (their sink
 * and number are not looked at): both are on disk, or neither is. One that is known gets none.
 */
uint32_t journal_sink_since(struct journal *j, const char *name,
    const struct journal_period *periods, size_t n);
/* Returns its number (what->number is not looked at). In memory at once, on disk within a second. */
uint64_t journal_period_add(struct journal *j, const struct journal_period *what);
/*
 * That sink lost what it was given of these periods, by the time when it was journalled from the
 * earliest `from` on. It is given nothing more until it has settled what it has; then all that is
 * still kept waits for it again, in the old order and before anything new. Each period is held
 * until then, and shortened to what was not kept any more: that is to be read again
 * (JOURNAL_NOTE_REFILL), or it is done. Outlives a restart.
 */
void journal_sink_resend(struct journal *j, uint32_t sink, const struct journal_period *periods,
    size_t n);
/* False when there is none of that number that has not ended. A page that is under way is stored. */
bool journal_period_cancel(struct journal *j, uint64_t number);
/* False: there is none of that number (any more). */
bool journal_period_find(const struct journal *j, uint64_t number, struct journal_period *out);
/* The first of that stream that is to be read, number above `after`. */
bool journal_period_next(const struct journal *j, uint32_t stream, uint64_t after,
    struct journal_period *out);
/* How many of that sink have not ended. */
size_t journal_periods_open(const struct journal *j, uint32_t sink);
/* In the order of their numbers, from memory. Returns how many were filled, at most max. */
size_t journal_periods(const struct journal *j, struct journal_period *out, size_t max);

/* ---- read and settle ----------------------------------------------------- */

struct journal_item {
	struct journal_pos pos;
	uint32_t stream;
	uint8_t type, kind, flags;
	uint16_t changed;
	unsigned tries;      /* as the last MARK_LATER left it */
	const char *memo;    /* likewise; NULL when none */
	int64_t due;         /* likewise; only journal_look() says it */
	int64_t version;     /* lastUpdateDateTime */
	int64_t journalled;  /* ticks */
	struct str id, body;
	void *user;          /* the judge's, where the page is still in memory; else NULL */
	const struct journal_letter *letter; /* only journal_letters() says it: letters.h */
};

/* Items of one read; the receiver owns it, and may keep it past journal_close(). All
 * that they point to lives as long as it does. */
struct journal_batch {
	struct journal_item *items;
	size_t n;
	bool has_more; /* more could be read at once */
};
void journal_batch_free(struct journal_batch *b);

/* taken is never NULL; with an err it is empty. */
typedef void journal_read_cb(void *arg, struct journal_batch *taken, const struct err *err);

/*
 * The next entries of that sink, in order, at most max and (but for the first)
 * at most max_bytes of bodies that are read from disk for it: first those whose
 * MARK_LATER is due, then those never handed out. An entry handed out does not
 * come again before it is settled LATER and due, or journal_rewind(). One read
 * per sink at a time.
 * After a restart all that is not settled OK or DEAD comes again, in order;
 * only entries with a memo keep their due time.
 */
void journal_read(struct journal *j, uint32_t sink, size_t max, size_t max_bytes,
    journal_read_cb *cb, void *arg);

/*
 * A look at what that sink has put off with a memo, at most max, in the order of their places,
 * without bodies. Nothing is handed out; what is handed out just now may be among them. Marks
 * that were given before are stored when it comes.
 */
void journal_look(struct journal *j, uint32_t sink, size_t max, journal_read_cb *cb, void *arg);

/* Everything of that sink that was handed out and is not settled comes again, in order. */
void journal_rewind(struct journal *j, uint32_t sink);

/* Called (once, from the loop) when entries were committed for, or fell due at, a
 * sink whose last read came back with has_more == false. */
typedef void journal_ready_cb(void *arg, uint32_t sink);
void journal_on_ready(struct journal *j, journal_ready_cb *cb, void *arg);

enum journal_mark_what { MARK_OK, MARK_LATER, MARK_DEAD };

struct journal_mark {
	struct journal_pos pos;
	enum journal_mark_what what;
	int64_t due;      /* LATER: ticks */
	unsigned tries;   /* LATER */
	const char *why;  /* LATER, DEAD: the reason, copied */
	const char *memo; /* LATER: the sink's own note, at most 4 KiB; NULL: none; copied */
};
/* In any order; several calls are gathered into one transaction. */
void journal_settle(struct journal *j, uint32_t sink, const struct journal_mark *marks, size_t n);

/* ---- figures ------------------------------------------------------------- */

struct journal_stats {
	enum journal_state state;
	uint64_t file_bytes, max_bytes; /* of the database, without the WAL */
	uint64_t entries;               /* not yet trimmed */
	uint64_t remembered, quarantine, dead, gaps;
	uint64_t appends, commits;      /* since start */
	int64_t oldest_open;            /* ticks of the oldest entry some sink has not settled; TICKS_NONE */
};
void journal_stats(const struct journal *j, struct journal_stats *out);

#endif
