/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_MEM_H
#define JOURNAL_MEM_H

#include <stdatomic.h>

#include "daemon/journal/given.h"
#include "daemon/journal/journal_engine.h"
#include "daemon/journal/ledger.h"
#include "daemon/journal/place.h"

/*
 * journal_mem: the contract in memory, for tests of those who use it: nothing outlives
 * the close. Slow where that is simpler. Private to the files named so:
 *
 *   journal_mem.c         the engine: memory, entries, marks, reading, its life
 *   journal_mem_todo.c    what waits at each sink
 *   journal_mem_letters.c dead letters and quarantine; what is purged
 *   journal_mem_account.c what is known of the alerts of a time
 *   journal_mem_period.c  what parked sinks are not given, and what others lost
 */
struct mem_todo {
	uint64_t seq;
	unsigned tries;
	int64_t due;
	char *memo;
};

/* An entry and those that it was given to. */
struct mem_entry {
	struct journal_item item; /* first: what the store has of it */
	unsigned nroutes;
	uint32_t route[JOURNAL_ROUTES];
};

struct mem_place {
	struct place *place;
	struct mem_todo *todo; /* in order of seq */
	size_t n, room;
};

/* A dead letter, or one in quarantine. */
struct mem_letter {
	enum journal_box box;
	struct journal_letter letter; /* why is our copy */
	struct journal_item item;     /* likewise its id and body */
	uint64_t retry;               /* as which entry it waits again; 0: it does not */
};

struct mem_seen {
	uint32_t stream;
	struct str id;
	struct seen seen;
	struct given given;
	int64_t journalled;
};

struct store {
	const struct clock *clock;
	struct registry *reg;
	struct outbox *out;
	uint64_t max_bytes, bytes;
	int64_t keep_delivered, forget_sink;
	int64_t trimmed_to; /* all entries journalled since are still here */
	unsigned own_types;
	_Atomic int forced;
	struct mem_place *places;  /* by number - 1 */
	size_t nplaces;
	struct journal_item **entries; /* by seq - 1; NULL: gone; id and body are our copies */
	size_t nentries, room;
	struct ledger ledger;
	struct mem_seen *memory;
	size_t nmemory, nslots;    /* open table, linear probing */
	struct mem_letter *letters; /* in order of their numbers */
	size_t nletters, letters_room;
	uint64_t last_letter;
	struct journal_stats stats;
};

/* ---- journal_mem.c ---- */

/* What became of that entry at the sink, where the memory still has that version. */
void mem_say_how(struct store *s, const struct journal_item *item, uint32_t sink,
    enum given_how how);
/* Copies what it needs of item. */
struct mem_entry *mem_entry_add(struct store *s, const struct journal_item *item);
void mem_entry_free(struct store *s, uint64_t seq);

/* ---- journal_mem_letters.c ---- */

void mem_letter_add(struct store *s, enum journal_box box, uint32_t sink,
    const struct journal_item *item, const char *why);
/* The entry was accepted, or refused again: what that is for a letter that is retried. True: it
 * was one. */
bool mem_letter_settled(struct store *s, struct mem_place *p, const struct mark_job *m);
void mem_letters_release(struct store *s);
bool mem_letters(struct store *s, const struct journal_letters_ask *ask,
    struct journal_batch *batch, struct err *err);
bool mem_work(struct store *s, struct journal_task *t, struct err *err);

/* ---- journal_mem_account.c ---- */

void mem_account(struct store *s, struct journal_task *t);

/* ---- journal_mem_todo.c ---- */

/* Made where there is none yet; NULL: there is no such sink. */
struct mem_place *mem_place(struct store *s, uint32_t sink);
/* Where seq is, or would be. */
size_t mem_todo_find(const struct mem_place *p, uint64_t seq);
struct mem_todo *mem_todo_of(const struct mem_place *p, uint64_t seq); /* NULL: it waits not */
/* False: it waits already. */
bool mem_todo_add(struct mem_place *p, uint64_t seq, size_t size);
void mem_todo_drop(struct store *s, struct mem_place *p, uint64_t seq);

/* ---- journal_mem_period.c ---- */

/* A parked sink is not given a version of that stream. */
void mem_period_grow(struct store *s, uint32_t sink, uint32_t stream, int64_t version, int64_t now);
/* How far a period is after that page. */
void mem_period_page(struct store *s, const struct page_job *job);
void mem_look_at_parked(struct store *s);
void mem_look_at_resends(struct store *s);

#endif
