/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BACKUPS_H
#define BACKUPS_H

#include <jansson.h>

#include "lib/base/err.h"

/*
 * backups: the verbs about copies of the journal, for the control socket. The results are
 * in docs/CONTROL.md.
 *
 * Knows nothing of sockets, or of how a copy is made (journal/journal_backup.h). Promises: there is
 * one at a time; it goes on whether anybody asks for it or not; the journal itself is never
 * the target. NULL on failure, with the reason in err; else the caller's.
 *
 * Loop's thread only; nothing blocks but the end (backups_free), for the page that is being copied.
 */
struct backups;

/* state_dir is kept. */
struct backups *backups_new(const char *state_dir);
void backups_free(struct backups *bs); /* ends what is not done */

json_t *backups_start(struct backups *bs, const json_t *request, struct err *err);
json_t *backups_show(struct backups *bs, struct err *err);

#endif
