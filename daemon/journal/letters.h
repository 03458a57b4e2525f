/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LETTERS_H
#define LETTERS_H

#include "daemon/journal/journal.h"

/*
 * letters: what lies in the journal and goes nowhere by itself: dead letters, which a sink will
 * never take, and quarantine, which could not be read; as a person looks at it and decides about
 * it. Also what is left to do for a customer that leaves.
 *
 * Promises
 *  - a number is given once: what is listed under it is never another letter.
 *  - a dead letter that is retried is delivered as the entry it was: the same event, journalled
 *    when it was journalled; it goes behind what waits for its sink, in the order of the
 *    entries. It stays a dead letter until the sink has accepted it; refused again it is one
 *    as before, with the new reason.
 *  - one that is damaged is nobody's: it is not shown, not tried again, and goes to quarantine
 *    as of stream 0.
 *  - each step is one transaction: after a crash it is done or not, and what was not done can
 *    be asked for again.
 *
 * Asynchronous like the journal, on the loop's thread. A look and a step are bounded in rows
 * and bytes, so that pages and marks go on between them.
 */
enum journal_box { JOURNAL_DEAD, JOURNAL_QUARANTINE };

struct journal_letter {
	uint64_t number;
	uint32_t sink;   /* of a dead letter */
	int64_t at;      /* ticks: here since */
	uint64_t size;   /* of its body */
	const char *why;
	bool is_retried; /* it waits for its sink again */
};

#define JOURNAL_STREAMS 16 /* that one question may name */

/* Which letters: those of which all is true that is said here. */
struct journal_filter {
	enum journal_box box;
	uint64_t number; /* that one; 0: any */
	uint32_t sink;   /* of that sink; 0: of any */
	uint32_t streams[JOURNAL_STREAMS];
	size_t nstreams; /* 0: of any stream */
};

struct journal_letters_ask {
	struct journal_filter which;
	uint64_t after;   /* numbers above it */
	size_t max;       /* letters */
	uint64_t from;    /* of each body max_bytes, at most, from that byte on */
	size_t max_bytes;
};

/* The next letters in the order of their numbers; items of the batch have their `letter`. What was
 * settled before is stored when it comes. */
void journal_letters(struct journal *j, const struct journal_letters_ask *ask, journal_read_cb *cb,
    void *arg);

/* RETRY and DROP: dead letters of `which` that there are at the first step. PURGE: all that is
 * kept of the streams of `which`, but their names while somebody says them (journal_stream()); and
 * of quarantine what is nobody's, which may have been theirs. */
enum journal_deed { JOURNAL_RETRY, JOURNAL_DROP, JOURNAL_PURGE,
	JOURNAL_ACCOUNT /* nothing is changed: what is known is added to `account` */ };

struct account;

struct journal_purged {
	uint64_t entries, dead, quarantine, remembered, readers, gaps, periods;
};

/*
 * Something that is done in steps. Made by the caller (zeroed but for what, which and is_forced),
 * the journal's from journal_work() until its callback gives it back; until is_over
 * it is given again for the next step. An error ends it: what was done before stays done.
 */
struct journal_task {
	enum journal_deed what;
	struct journal_filter which;
	bool is_forced;       /* PURGE: what is with a sink right now goes, too */
	bool is_rest;         /* PURGE: of no stream any more, only of what is left in the file's pages */
	bool is_over;
	uint64_t done;        /* RETRY, DROP: letters */
	uint64_t passed;      /* RETRY: of sinks that take none now; DROP: those that are retried */
	uint64_t waiting;     /* PURGE: entries that are with a sink right now, or who reads the file
	                       * that is to be cut: try again soon */
	struct journal_purged purged;
	bool is_scrubbed;     /* PURGE: nothing of it is left in the file's pages and the log either */
	struct account *account; /* ACCOUNT: the asker's, which leaves it alone during a step */
	/* The engine's: where the next step begins. */
	unsigned phase, tries;
	uint64_t last;
	int64_t at[4];
};
typedef void journal_task_cb(void *arg, struct journal_task *taken, const struct err *err);

void journal_work(struct journal *j, struct journal_task *taken, journal_task_cb *cb, void *arg);

/* A purge that was under way when msspd ended, as the file has it: of the streams of `which`; of
 * none: its rest (is_rest). False: there was none. */
bool journal_purge_left(const struct journal *j, struct journal_filter *which);

/* Is that stream one of the filter's? */
bool journal_filter_has(const struct journal_filter *f, uint32_t stream);

/* That sink, also one that was let go and has letters still; 0, NULL: unknown. */
uint32_t journal_sink_find(const struct journal *j, const char *name);
const char *journal_sink_name(const struct journal *j, uint32_t sink);
/* The highest number of a stream; not all below need be in use. */
uint32_t journal_streams(const struct journal *j);

#endif
