/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_MEM_TEST_H
#define JOURNAL_MEM_TEST_H

#include "daemon/journal/journal.h"

/*
 * journal_mem_test: what tests of other modules may do to the memory engine.
 *
 * From any thread; the state note follows within a second, answers to appends
 * and reads are so at once. JOURNAL_OK lets it go its own way again.
 */
void journal_mem_force(struct journal *j, enum journal_state state);

#endif
