/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PERIODS_H
#define PERIODS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/journal/journal.h"

/*
 * periods: the list of what is to be read again, as memory knows it, shared by
 * the loop and the journal's thread.
 *
 * It knows nothing of disks. The loop adds and cancels; the engine loads them at
 * open, writes what is not saved with its next transaction, and reports progress
 * and growth after each commit.
 *
 * Any thread: each function takes the lock for a moment.
 */
struct periods;

struct periods *periods_new(void);
void periods_free(struct periods *p);

/* ---- the loop's side ----------------------------------------------------- */

/* Returns its number. The oldest of those that ended go where there are too many. */
uint64_t periods_add(struct periods *p, const struct journal_period *what);
/* All of them at once, for that sink, held. */
void periods_hold(struct periods *p, uint32_t sink, const struct journal_period *what, size_t n);
bool periods_cancel(struct periods *p, uint64_t number);
/* The first of that stream that is to be read, number above `after`. */
bool periods_next(struct periods *p, uint32_t stream, uint64_t after, struct journal_period *out);
/* How many of that sink have not ended. */
size_t periods_open(struct periods *p, uint32_t sink);
size_t periods_list(struct periods *p, struct journal_period *out, size_t max);

/* ---- the engine's side --------------------------------------------------- */

/* What was on disk; what memory knows already stays as it is. */
void periods_load(struct periods *p, const struct journal_period *what);

bool periods_find(struct periods *p, uint64_t number, struct journal_period *out);
/* The one that grows for that sink and stream, or a new one (empty, from > to), which
 * is in the list only when it is put there. */
void periods_growing(struct periods *p, uint32_t sink, uint32_t stream,
    struct journal_period *out);
/* Each that grows for that sink, number above `after`. */
bool periods_next_growing(struct periods *p, uint32_t sink, uint64_t after,
    struct journal_period *out);

/* The next sink, number above `after`, that has some that are held, and where the earliest begins. */
bool periods_holding(struct periods *p, uint32_t after, uint32_t *sink, int64_t *from);
/* Each that is held for that sink, number above `after`. stream: of that one only; 0: of any. */
bool periods_next_held(struct periods *p, uint32_t sink, uint32_t stream, uint64_t after,
    struct journal_period *out);

/* The next that is not saved, number above `after`. is_gone: its row is to go. */
struct periods_unsaved {
	struct journal_period period;
	uint64_t edit; /* to say that this one is saved now */
	bool is_gone;
};
bool periods_unsaved(struct periods *p, uint64_t after, struct periods_unsaved *out);
void periods_saved(struct periods *p, uint64_t number, uint64_t edit);
/* The file is another one now. */
void periods_unsave_all(struct periods *p);
/* That sink is let go: another may have its number one day, and must not be given its periods. */
void periods_forget_sink(struct periods *p, uint32_t sink);
/* So is that stream. Returns how many there were. */
uint64_t periods_forget_stream(struct periods *p, uint32_t stream);
/* Committed so. What came meanwhile holds: a cancel, and that it is gone. */
void periods_put(struct periods *p, const struct journal_period *what);

#endif
