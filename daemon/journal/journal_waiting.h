/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_WAITING_H
#define JOURNAL_WAITING_H

#include <stdint.h>

/*
 * journal_waiting: what waits in a journal, looked at from outside of who uses it, if anybody does.
 *
 * It knows nothing of configurations. Promises: nothing in the journal is changed and nobody
 * who uses it is held up; a journal that is not there, may not be read, or is of another
 * version has nothing that waits.
 *
 * Blocks: a second where millions of entries wait.
 */
typedef void journal_waiting_cb(void *arg, const char *sink, uint64_t entries);

/* dir: the journal's. Calls cb for each sink for which something waits, by name. */
void journal_waiting(const char *dir, journal_waiting_cb *cb, void *arg);

#endif
