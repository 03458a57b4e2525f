/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_KIT_H
#define JOURNAL_KIT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "daemon/journal/journal.h"
#include "daemon/journal/letters.h"

/*
 * journal_kit: a journal for tests, in a directory of its own, with a clock that
 * the test turns and calls that wait for their answer.
 */
#define KIT_START INT64_C(17637984000000000) /* 2025-11-22T08:00:00Z */

struct kit_clock {
	struct clock clock;
	_Atomic int64_t wall;  /* ticks */
	_Atomic int64_t ahead; /* ms added to the real monotonic clock */
};

struct kit {
	char dir[64];
	const struct journal_engine *engine;
	struct journal_opts opts;
	struct kit_clock clock;
	struct event_base *base;
	struct journal *j;
	struct err err;                 /* of the last open */
	unsigned notes[8];              /* how many of each kind */
	char text[8][600];              /* the last of each kind */
	enum journal_state state;       /* of the last state note */
	unsigned ready[64];             /* how often, by sink number */
	unsigned released;              /* pages given back */
};

void kit_init(struct kit *k, const struct journal_engine *engine);
/* Removes the directory. */
void kit_release(struct kit *k);
bool kit_open(struct kit *k);
void kit_close(struct kit *k);
void kit_must_open(struct kit *k);

/* What a test page's entries are routed to, and how they are judged: a first
 * sight or a newer version is forwarded, an id that begins with "r" only
 * remembered, all else skipped. */
struct kit_page {
	struct journal_page page; /* first */
	struct kit *kit;
	struct journal_gap gap;
	uint32_t route[JOURNAL_ROUTES];
	uint32_t meant[JOURNAL_ROUTES];
	uint8_t nroutes;
	bool is_repeat; /* everything is delivered and not remembered */
	bool is_missing; /* what is remembered is for those that were not given it */
	unsigned char *bodies, *packed;
	size_t nbodies;
	char *ids;
	void *thread; /* where the judge ran */
};

#define KIT_ID 40

/* n entries "prefix-0" … of version `version`, bodies of len bytes, made of their ids. */
struct kit_page *kit_page(struct kit *k, uint32_t stream, const char *prefix, size_t n,
    size_t len, int64_t version);
void kit_route(struct kit_page *p, uint32_t sink);
/* It is meant for that sink, whose filter leaves it out unless it is routed there, too. */
void kit_mean(struct kit_page *p, uint32_t sink);
/* It brings its bodies packed, too. */
void kit_pack(struct kit_page *p);

/* Appends and waits for the answer. */
struct journal_appended kit_append(struct kit *k, struct kit_page *taken);
/* The same, and it must be ok. */
void kit_must_append(struct kit *k, struct kit_page *taken);

/* Reads and waits; the caller frees. err may be NULL: then it must succeed. */
struct journal_batch *kit_read(struct kit *k, uint32_t sink, size_t max, size_t max_bytes,
    struct err *err);
struct journal_batch *kit_look(struct kit *k, uint32_t sink, size_t max);
struct journal_batch *kit_letters(struct kit *k, const struct journal_letters_ask *ask);
/* One step of the task; it must be no error. The caller frees what comes back. */
struct journal_task *kit_work(struct kit *k, struct journal_task *taken);
/* All steps, of a copy of it; returns how it ended. */
struct journal_task kit_work_all(struct kit *k, struct journal_task task);
/* True when the batch holds just these ids, separated by spaces. */
bool kit_is(const struct journal_batch *b, const char *ids);
/* Reads, and these must be they. */
void kit_is_read(struct kit *k, uint32_t sink, const char *ids);
/* Reads all there is and frees it; returns how many; settles them OK where asked. */
size_t kit_drain(struct kit *k, uint32_t sink, bool settle);

void kit_settle(struct kit *k, uint32_t sink, const struct journal_item *item,
    enum journal_mark_what what, int64_t due, const char *memo);
/* Marks are durable within a second; this waits until they are counted. */
void kit_wait_backlog(struct kit *k, uint32_t sink, uint64_t entries);
struct journal_backlog kit_backlog(struct kit *k, uint32_t sink);
bool kit_wait(struct kit *k, bool (*until)(struct kit *k), int ms);
/* Lets the loop run that long. */
void kit_run(struct kit *k, int ms);

#endif
