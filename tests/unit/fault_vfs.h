/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULT_VFS_H
#define FAULT_VFS_H

#include <stdbool.h>

/*
 * fault_vfs: a SQLite VFS named "fault" over the system's, that fails when told:
 * a disk that tests control. One per process; any thread.
 */
enum fault_kind { FAULT_WRITE, FAULT_SYNC, FAULT_TRUNCATE, FAULT_OPEN, FAULT_READ, FAULT_DELETE,
	FAULT_KINDS };

extern const char *const fault_names[FAULT_KINDS];

/* Once, before the first use. */
void fault_vfs_register(void);

/* The nth call (from 1, from now on) of that kind fails with that code of
 * SQLite; with for_ever all later ones too. 0: none. */
void fault_vfs_arm(enum fault_kind kind, unsigned nth, int code, bool for_ever);
void fault_vfs_disarm(void);
/* Calls of that kind since it was armed or disarmed. */
unsigned fault_vfs_calls(enum fault_kind kind);
/* How many have failed since then. */
unsigned fault_vfs_failed(void);

#endif
