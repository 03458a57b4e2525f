/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "daemon/journal/local_fs.h"
#include "lib/base/str.h"

#define MIB          (UINT64_C(1) << 20)
#define FUSE_MAGIC   0x65735546ul
#define WAL_MOST     (64 * MIB)
#define BALLAST_MOST (4 * MIB)
#define RESERVE_MOST (64 * MIB)

/* linux/magic.h has some of them, the kernel's sources the others. */
static const unsigned long remote_magics[] = {
	0x6969,     /* NFS */
	0x517b,     /* SMB */
	0xfe534d42, /* SMB2 */
	0xff534d42, /* CIFS */
	0x01021997, /* 9P */
	0x5346414f, /* AFS */
	0x6b414653, /* kAFS */
	0x00c36400, /* Ceph */
	0x73757245, /* Coda */
	0x564c,     /* NCP */
	0x0bd00bd0, /* Lustre */
	0x47504653, /* GPFS */
	0x19830326, /* BeeGFS */
};

/* The ones we can tell; a local one over FUSE (ntfs-3g, an overlay) is let through. */
static const char *const remote_fuse[] = {
	"fuse.sshfs", "fuse.s3fs", "fuse.glusterfs", "fuse.rclone", "fuse.davfs", "fuse.ceph-fuse",
	"fuse.ceph", "fuse.gcsfuse", "fuse.goofys", "fuse.smbnetfs", "fuse.curlftpfs",
	"fuse.blobfuse", "fuse.blobfuse2", "fuse.mount-s3", "fuse.juicefs", "fuse.seaweedfs",
	"fuse.afp", "fuse.hdfs", "fuse.moosefs", "fuse.mfs", "fuse.lizardfs",
};

bool
local_fs_is_remote(unsigned long magic, const char *fstype)
{
	for (size_t i = 0; i < ARRAY_LEN(remote_magics); i++)
		if (magic == remote_magics[i])
			return true;
	if (magic != FUSE_MAGIC || fstype == NULL)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(remote_fuse); i++)
		if (strcmp(fstype, remote_fuse[i]) == 0)
			return true;
	return false;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" (proc(5)). */
static bool
mount_type(dev_t dev, char *type, size_t room)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	unsigned major_nr, minor_nr;
	char line[4096];
	bool found = false;

	if (f == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), f) != NULL) {
		const char *dash = strstr(line, " - ");

		if (dash == NULL || sscanf(line, "%*d %*d %u:%u", &major_nr, &minor_nr) != 2
		    || makedev(major_nr, minor_nr) != dev)
			continue;
		snprintf(type, room, "%.*s", (int)strcspn(dash + 3, " \n"), dash + 3);
		found = true;
	}
	fclose(f);
	return found;
}

bool
local_fs_check(const char *dir, struct err *err)
{
	char type[64] = "a network file system";
	struct statfs fs;
	struct stat st;
	unsigned long magic;

	if (statfs(dir, &fs) < 0 || stat(dir, &st) < 0)
		return err_sys(err, ERR_CONF, errno, "%s", dir);
	magic = (unsigned long)fs.f_type & 0xffffffff;
	if (!mount_type(st.st_dev, type, sizeof(type)) && magic == FUSE_MAGIC)
		return true;
	if (!local_fs_is_remote(magic, type))
		return true;
	return err_set(err, ERR_CONF,
	    "%s is on a network file system (%s), which cannot keep the journal safe; "
	    "use a local disk", dir, type);
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Of a small file system the database gets five eighths; log, ballast and reserve share the rest. */
void
local_fs_plan(struct local_fs_room *r, uint64_t max_size, uint64_t total)
{
	r->max_bytes = least(max_size, total / 8 * 5);
	r->wal_bytes = least(WAL_MOST, total / 10);
	r->ballast = least(BALLAST_MOST, total / 16);
	r->reserve = least(RESERVE_MOST, total / 16);
}

bool
local_fs_free(const char *dir, uint64_t *bytes)
{
	struct statvfs fs;

	if (statvfs(dir, &fs) < 0)
		return false;
	*bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return true;
}
