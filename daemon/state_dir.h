/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STATE_DIR_H
#define STATE_DIR_H

#include <stdbool.h>

#include "lib/base/err.h"

/*
 * state_dir: the directory in which the daemon keeps what must outlive it; one
 * process at a time has it. Knows nothing of what lies in it. Blocks (files).
 */

/* Makes dir where it is missing, 0700, and takes its lock. ERR_TEMP: another process has it. *lock
 * is its descriptor, or -1: the lock lives as long, with the process at the latest. */
bool state_dir_take(const char *dir, int *lock, struct err *err) MUST_CHECK;
/* -1 is allowed. */
void state_dir_leave(int lock);

#endif
