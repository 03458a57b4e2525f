/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOCAL_FS_H
#define LOCAL_FS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

/*
 * local_fs: what the journal must know of the file system it lives on.
 *
 * A write-ahead log needs shared memory and honest locks and syncs, so network
 * file systems are refused. Where the file system is small, so is the journal.
 */

/* Is it one of those? magic as statfs(2) has it; fstype as /proc/self/mountinfo
 * has it (only looked at for FUSE, where the magic does not tell). */
bool local_fs_is_remote(unsigned long magic, const char *fstype);

/* False with the reason when dir is on one of those. */
bool local_fs_check(const char *dir, struct err *err) MUST_CHECK;

/* How much the journal may take. */
struct local_fs_room {
	uint64_t max_bytes;  /* of the database file */
	uint64_t wal_bytes;  /* the log is emptied into the database from here on */
	uint64_t ballast;    /* bytes kept to be let go when the disk is full */
	uint64_t reserve;    /* no new entries where less is free */
};

/* total: bytes free and bytes that are ours already. */
void local_fs_plan(struct local_fs_room *r, uint64_t max_size, uint64_t total);

/* Bytes free for us; false with errno when it cannot be told. */
bool local_fs_free(const char *dir, uint64_t *bytes);

#endif
