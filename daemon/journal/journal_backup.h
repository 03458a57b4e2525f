/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_BACKUP_H
#define JOURNAL_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

/*
 * journal_backup: a copy of the journal of one moment, made while it is written and read.
 *
 * A thread of its own reads the file through a handle of its own; the journal goes on and only
 * its log grows meanwhile. The copy is checked, synced, and takes its name when it is whole:
 * what had that name before stays until then. It is a journal: put in the place of
 * another's journal.db it is opened as that.
 *
 * Loop's thread only. backup_start() opens nothing and does not block; backup_free() waits for
 * the page that is being copied.
 */
struct backup;

enum backup_state { BACKUP_RUNNING, BACKUP_DONE, BACKUP_FAILED };

struct backup_view {
	enum backup_state state;
	const char *target;
	unsigned percent;
	struct err err; /* why it failed */
};

/* dir: the journal's. target: a path where a file can be made. */
struct backup *backup_start(const char *dir, const char *target);
void backup_view(struct backup *b, struct backup_view *out);
/* Ends it where it is not done: nothing is left of it. NULL is fine. */
void backup_free(struct backup *b);

#endif
