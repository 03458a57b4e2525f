/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_ENGINE_H
#define JOURNAL_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/journal/batch.h"
#include "daemon/journal/journal.h"
#include "daemon/journal/letters.h"
#include "daemon/journal/registry.h"

/*
 * journal_engine: what an engine of the journal is to the journal. Private to
 * this folder.
 *
 * An engine is plain and synchronous: its functions are called on the journal's
 * thread, one at a time, and may wait for the disk (open and close are called
 * where journal_open() and journal_close() are). Queue, grouping, callbacks and
 * names are the journal's affair (journal.c, worker.c, registry.c).
 */
struct store; /* each engine has its own */
struct outbox;

/* One page to store. The engine fills result: the same for all of a group that failed. */
struct page_job {
	struct journal_page *page;
	journal_appended_cb *cb;
	void *arg;
	struct journal_appended result;
};

/* One mark, ours: texts copied. */
struct mark_job {
	uint32_t sink;
	uint64_t seq;
	enum journal_mark_what what;
	unsigned tries;
	int64_t due;
	char *why, *memo;
};

struct journal_engine {
	const char *name;
	struct store *(*open)(const struct journal_opts *opts, struct registry *reg,
	    struct outbox *out, struct err *err);
	/* Everything saved, as far as it can be. */
	void (*close)(struct store *s);

	/*
	 * Stores the pages and marks, in one transaction where it can be; pages that
	 * cannot be stored are answered so, marks are then tried alone. True when all
	 * the marks are durable; else they are to be brought again.
	 */
	bool (*write)(struct store *s, struct page_job **pages, size_t npages,
	    struct mark_job *marks, size_t nmarks);

	/* A mark arrived: the entry is no longer out. Before write(), which may have to wait. */
	void (*settled)(struct store *s, const struct mark_job *m);

	/* Fills what journal_read() promises, from committed entries only. */
	bool (*read)(struct store *s, uint32_t sink, size_t max, size_t max_bytes,
	    struct journal_batch *batch, struct err *err);
	/* Likewise what journal_look() promises. */
	bool (*look)(struct store *s, uint32_t sink, size_t max, struct journal_batch *batch,
	    struct err *err);
	void (*rewind)(struct store *s, uint32_t sink);
	/* What journal_letters() promises. */
	bool (*letters)(struct store *s, const struct journal_letters_ask *ask,
	    struct journal_batch *batch, struct err *err);
	/* One step of journal_work(). */
	bool (*work)(struct store *s, struct journal_task *task, struct err *err);

	/*
	 * A little housekeeping: says who has work again, trims, repairs. Returns
	 * in how many ms it wants to be called again at the latest.
	 */
	int (*tick)(struct store *s);
};

/* For engines that have calls of their own. */
struct store *journal_store_peek(struct journal *j);

/* ---- what an engine tells the loop; from the journal's thread ------------ */

void outbox_note(struct outbox *out, enum journal_note note, enum journal_state state,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
void outbox_ready(struct outbox *out, uint32_t sink);

#endif
