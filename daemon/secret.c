/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/secret.h"
#include "lib/base/alloc.h"

/* Where systemd keeps the credentials of a running msspd.service. */
#define UNIT_CREDENTIALS "/run/credentials/msspd.service"

char *
secret_path(const char *name, struct err *err)
{
	const char *dir;

	if (name[0] == '/')
		return xstrdup(name);
	if (name[0] == '\0' || strchr(name, '/') != NULL || strcmp(name, "..") == 0 ||
	    strcmp(name, ".") == 0) {
		err_set(err, ERR_CONF,
		    "secret file \"%.200s\" is neither a bare name nor an absolute "
		    "path; begin it with /",
		    name);
		return NULL;
	}
	dir = getenv("CREDENTIALS_DIRECTORY");
	if (dir == NULL || dir[0] != '/') {
		err_set(err, ERR_CONF,
		    "secret file \"%.200s\" is a bare name, but there is no "
		    "$CREDENTIALS_DIRECTORY; start msspd by systemd with "
		    "LoadCredential=%.200s:FILE, "
		    "or write an absolute path",
		    name, name);
		return NULL;
	}
	return xasprintf("%s/%s", dir, name);
}

/* Our own groups may share a secret; a group that we are not in has no business there. */
static bool
is_own_group(gid_t gid)
{
	gid_t groups[1024];
	int n = getgroups((int)(sizeof(groups) / sizeof(groups[0])), groups);

	if (gid == getegid())
		return true;
	for (int i = 0; i < n; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

/* Of a credential the service manager made the file: root's, with an access list
 * that lets our user in and shows as permissions of the group root. */
static bool
is_group_fine(const char *name, const struct stat *st)
{
	bool is_credential = strchr(name, '/') == NULL;

	return (st->st_mode & S_IRWXG) == 0 || is_own_group(st->st_gid) ||
	       (is_credential && st->st_uid == 0 && st->st_gid == 0);
}

static bool
check_closed(const struct stat *st, const char *name, const char *path, struct err *err)
{
	if ((st->st_mode & S_IRWXO) != 0)
		return err_set(err, ERR_CONF,
		    "secret file %.200s is open to everybody (mode %04o); "
		    "chmod o= it",
		    path, (unsigned)(st->st_mode & 07777));
	if (!is_group_fine(name, st))
		return err_set(err, ERR_CONF,
		    "secret file %.200s is open to a group that msspd is not "
		    "in (gid %u, mode %04o); chmod g= it",
		    path, (unsigned)st->st_gid, (unsigned)(st->st_mode & 07777));
	return true;
}

static bool
check_file(int fd, const char *name, bool may_be_open, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_sys(err, ERR_CONF, errno, "secret file %.200s cannot be read", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONF, "secret file %.200s is not a file", path);
	return may_be_open || check_closed(&st, name, path, err);
}

/* This machine lacks something for now: no fault of the file. */
static bool
is_passing(int errnum)
{
	return errnum == EMFILE || errnum == ENFILE || errnum == ENOMEM;
}

/* Opened and judged by what was opened, so that nobody swaps it in between. */
static int
open_checked(const char *name, bool may_be_open, struct err *err)
{
	char *path = secret_path(name, err);
	int fd = -1;

	if (path == NULL)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		err_sys(err, is_passing(errno) ? ERR_TEMP : ERR_CONF, errno,
		    "secret file %.200s cannot be opened", path);
	} else if (!check_file(fd, name, may_be_open, path, err)) {
		close(fd);
		fd = -1;
	}
	free(path);
	return fd;
}

/* One byte more than allowed shows that there is more. */
static bool
read_whole(int fd, char *p, size_t *used)
{
	ssize_t n = 1;

	*used = 0;
	while (n > 0 && *used <= SECRET_MAX) {
		n = read(fd, p + *used, SECRET_MAX + 1 - *used);
		if (n > 0)
			*used += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	return n >= 0;
}

static size_t
without_line_end(const char *p, size_t n)
{
	if (n > 0 && p[n - 1] == '\n')
		n--;
	if (n > 0 && p[n - 1] == '\r')
		n--;
	return n;
}

static bool
read_secret(int fd, const char *name, struct buf *b, struct err *err)
{
	char text[SECRET_MAX + 1];
	size_t n;
	bool ok;

	ok = read_whole(fd, text, &n) ||
	     err_sys(err, ERR_CONF, errno, "secret %.200s cannot be read", name);
	if (ok && n > SECRET_MAX)
		ok = err_set(
		    err, ERR_CONF, "secret %.200s is larger than %d bytes", name, SECRET_MAX);
	if (ok)
		n = without_line_end(text, n);
	if (ok && n == 0)
		ok = err_set(err, ERR_CONF, "secret %.200s is empty", name);
	if (ok)
		buf_add(b, text, n); /* once: a buf that grew would leave copies behind */
	explicit_bzero(text, sizeof(text));
	return ok && (buf_ok(b) || err_set(err, ERR_CONF, "secret %.200s is too long", name));
}

static bool
read_file(const char *name, bool may_be_open, struct buf *b, struct err *err)
{
	int fd = open_checked(name, may_be_open, err);
	bool ok;

	buf_clear(b);
	if (fd < 0)
		return false;
	ok = read_secret(fd, name, b, err);
	close(fd);
	return ok;
}

bool
secret_read(const char *name, struct buf *b, struct err *err)
{
	return read_file(name, false, b, err);
}

bool
secret_check(const char *name, struct err *err)
{
	struct buf b = BUF_INIT(SECRET_MAX);
	bool ok = secret_read(name, &b, err);

	buf_wipe(&b);
	return ok;
}

bool
secret_read_open(const char *name, struct buf *b, struct err *err)
{
	return read_file(name, true, b, err);
}

void
secret_find_credentials(const char *config)
{
	char *path, *slash;

	if (getenv("CREDENTIALS_DIRECTORY") != NULL)
		return;
	if (access(UNIT_CREDENTIALS, R_OK | X_OK) == 0) {
		(void)setenv("CREDENTIALS_DIRECTORY", UNIT_CREDENTIALS, 0);
		return;
	}
	path = realpath(config, NULL);
	slash = path != NULL ? strrchr(path, '/') : NULL;
	if (slash != NULL && slash != path) {
		*slash = '\0';
		(void)setenv("CREDENTIALS_DIRECTORY", path, 0);
	}
	free(path);
}

void
secret_forbid_cores(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
