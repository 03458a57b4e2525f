/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/journal/journal.h"
#include "daemon/journal/letters.h"
#include "daemon/journal/periods.h"

/*
 * registry: the names behind the journal's numbers, the readers' cursors, and
 * the figures, shared by the loop and the journal's thread.
 *
 * It knows nothing of disks. The loop adds names; the engine loads them at open,
 * writes the unsaved ones with its next transaction, and reports cursors and
 * figures after each commit.
 *
 * Any thread: each function takes the lock for a moment. Names never go away
 * before registry_free(), except that `about` is replaced by registry_stream().
 */
struct registry;

struct registry *registry_new(void);
void registry_free(struct registry *r);

/* ---- the loop's side ----------------------------------------------------- */

uint32_t registry_stream(struct registry *r, const char *key, const char *about);
uint32_t registry_stream_find(struct registry *r, const char *key);
/* See journal_purge_left(). */
bool registry_purge_left(struct registry *r, struct journal_filter *which);
const char *registry_stream_key(struct registry *r, uint32_t stream);
const char *registry_stream_about(struct registry *r, uint32_t stream);
/* The highest number. */
uint32_t registry_streams(struct registry *r);
/* It is to be forgotten: unknown until somebody says it again. */
void registry_purge_stream(struct registry *r, uint32_t stream);
bool registry_cursor(struct registry *r, uint32_t stream, const char *reader,
    struct journal_cursor *c);
uint32_t registry_sink(struct registry *r, const char *name);
/* One that is not known comes with its periods: who sees it unsaved finds them, too. */
uint32_t registry_sink_since(struct registry *r, const char *name,
    const struct journal_period *periods, size_t n);
void registry_declare(struct registry *r, const char *const *names, size_t n, int64_t now);
/* False when it is declared or unknown. From now on the name is free. */
bool registry_forget(struct registry *r, const char *name);
/* One that is forgotten, too, where there is no other of that name; 0: unknown. */
uint32_t registry_sink_find(struct registry *r, const char *name);
bool registry_is_known(struct registry *r, const char *name);
void registry_park(struct registry *r, uint32_t sink, bool is_parked);
/* The registry's own; see periods.h. */
struct periods *registry_periods(struct registry *r);
bool registry_backlog_of(struct registry *r, uint32_t sink, struct journal_backlog *out);
size_t registry_backlogs(struct registry *r, struct journal_backlog *out, size_t max);
void registry_stats(struct registry *r, struct journal_stats *out);
enum journal_state registry_state(struct registry *r);

/* ---- the engine's side --------------------------------------------------- */

/* What was on disk. */
void registry_load_stream(struct registry *r, uint32_t stream, const char *key,
    const char *about, int64_t begin);
void registry_load_reader(struct registry *r, uint32_t stream, const char *name, int64_t at);
void registry_load_sink(struct registry *r, uint32_t sink, const char *name,
    int64_t undeclared_since, bool is_forgotten, bool is_parked);

/* A copy of what the disk should hold of one name; its texts are the caller's to free. */
struct registry_name {
	uint32_t number;
	uint64_t edit;            /* to say that this one is saved now */
	char *name, *about;
	int64_t begin;            /* stream */
	int64_t undeclared_since; /* sink */
	bool is_forgotten, is_parked; /* sink */
};
/* The next that is not saved, number above `after`. False: no more. */
bool registry_unsaved_stream(struct registry *r, uint32_t after, struct registry_name *out);
bool registry_unsaved_sink(struct registry *r, uint32_t after, struct registry_name *out);
void registry_saved_stream(struct registry *r, uint32_t stream, uint64_t edit);
void registry_saved_sink(struct registry *r, uint32_t sink, uint64_t edit);
/* The file is another one now: everything is to be written again, cursors too. */
void registry_unsave_all(struct registry *r);

/* Committed. TICKS_NONE leaves what it was; begin and cursor as in journal_page. */
void registry_page_done(struct registry *r, uint32_t stream, const char *reader, int64_t at,
    int64_t begin, int64_t window);
/* The same for the window alone. */
void registry_say_window(struct registry *r, uint32_t stream, int64_t window);
/* Where a stream's read window begins; TICKS_NONE when it was not said. */
int64_t registry_window(struct registry *r, uint32_t stream);
/* Each reader in turn; *i begins at 0. The name is valid for ever. */
bool registry_each_reader(struct registry *r, size_t *i, uint32_t *stream, const char **name,
    int64_t *at);
/* The streams of a purge as the file has them: numbers, a blank between two. NULL: there is none. */
void registry_load_purge(struct registry *r, const char *streams);
/* Nobody has said it since registry_purge_stream(). */
bool registry_is_purged(struct registry *r, uint32_t stream);
/* Nothing of it is kept any more. */
void registry_forget_cursors(struct registry *r, uint32_t stream);
/* After a salvage a cursor may have to go back. */
void registry_set_cursor(struct registry *r, uint32_t stream, const char *reader, int64_t at);

/* Each sink in turn, forgotten ones too; *i begins at 0. */
bool registry_each_sink(struct registry *r, size_t *i, uint32_t *sink, bool *is_forgotten,
    int64_t *undeclared_since);
/* NULL when there is none. */
const char *registry_sink_name(struct registry *r, uint32_t sink);
/* Known and not forgotten. */
bool registry_is_sink(struct registry *r, uint32_t sink);
bool registry_is_parked(struct registry *r, uint32_t sink);
void registry_forget_number(struct registry *r, uint32_t sink);
void registry_sink_figures(struct registry *r, uint32_t sink, uint64_t entries, uint64_t bytes,
    int64_t oldest, uint64_t dead);
void registry_set_stats(struct registry *r, const struct journal_stats *stats);

#endif
