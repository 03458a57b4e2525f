/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"

static bool
make_dir(const char *dir, struct err *err)
{
	struct stat st;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return err_sys(err, ERR_CONF, errno, "state_dir %s cannot be made", dir);
	if (stat(dir, &st) != 0)
		return err_sys(err, ERR_CONF, errno, "state_dir %s", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_CONF, "state_dir %s is not a directory", dir);
	return true;
}

bool
state_dir_take(const char *dir, int *lock, struct err *err)
{
	char *path;
	bool ok = true;

	*lock = -1;
	if (!make_dir(dir, err))
		return false;
	path = xasprintf("%s/lock", dir);
	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*lock < 0)
		ok = err_sys(err, ERR_CONF, errno, "%s", path);
	else if (flock(*lock, LOCK_EX | LOCK_NB) != 0)
		ok = err_set(err, ERR_TEMP,
		    "state_dir %s is in use by another msspd: stop that one, or give this one a "
		    "state_dir of its own", dir);
	free(path);
	if (!ok) {
		state_dir_leave(*lock);
		*lock = -1;
	}
	return ok;
}

void
state_dir_leave(int lock)
{
	if (lock >= 0)
		close(lock);
}
