/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/settings_build.h"
#include "lib/base/alloc.h"

#define FILES_MAX 20000

/* Names below conf.d, sorted. */
struct names {
	char **v;
	size_t n;
};

/* All of fd into b; a fifo or device would make the start wait for ever. */
static bool
read_all(int fd, struct buf *b, struct err *err)
{
	struct stat st;
	ssize_t n = 1;

	if (fstat(fd, &st) != 0)
		return err_sys(err, ERR_CONF, errno, "cannot be read");
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONF, "is not a file");
	while (n > 0) {
		if (!buf_room(b, 65536))
			return err_set(err, ERR_CONF,
			    "is larger than 4 MiB; split it into files "
			    "below conf.d");
		n = read(fd, b->p + b->n, 65536);
		if (n > 0)
			b->n += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	return n == 0 || err_sys(err, ERR_CONF, errno, "cannot be read");
}

static const char *
open_remedy(int errnum)
{
	switch (errnum) {
	case ENOENT:
		return "; write it, or name another with -c";
	case EACCES:
		return "; let this user read it, or be one who may";
	default:
		return "";
	}
}

static bool
read_file(const char *path, struct buf *b, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool ok;

	if (fd < 0)
		return err_set(err, ERR_CONF, "cannot be opened: %s%s", strerror(errno),
		    open_remedy(errno));
	ok = read_all(fd, b, err);
	close(fd);
	return ok;
}

static struct node *
read_tree(struct arena *a, const char *path, unsigned order, struct problems *p)
{
	struct place whole = { .file = path, .order = order };
	struct buf b = BUF_INIT(YAML_MAX_BYTES + 65536 + 1);
	struct node *root = NULL;
	struct err err;

	if (read_file(path, &b, &err))
		root = yaml_read(a, buf_peek(&b), path, order, p);
	else
		problems_error(p, &whole, "", "%s", err.text);
	buf_release(&b);
	return root;
}

/* ---- conf.d ------------------------------------------------------------------------ */

static bool
ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && strcmp(s + n - m, end) == 0;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
add_name(struct names *names, const char *dir, const char *name, struct problems *p)
{
	char *path;
	struct place whole = { .order = FILES_MAX };

	if (name[0] == '.' || (!ends_with(name, ".yaml") && !ends_with(name, ".yml")))
		return;
	path = xasprintf("%s/%s", dir, name);
	whole.file = path;
	if (ends_with(name, ".yml")) {
		problems_warn(p, &whole, "", "is not read; rename it to end in .yaml");
	} else if (names->n == FILES_MAX) {
		problems_error(p, &whole, "", "too many files below conf.d");
	} else {
		names->v = xreallocarray(names->v, names->n + 1, sizeof(*names->v));
		names->v[names->n++] = path;
		return;
	}
	free(path);
}

static void
list_dir(const char *dir, struct names *names, struct problems *p)
{
	struct place whole = { .file = dir, .order = FILES_MAX };
	const struct dirent *e;
	DIR *d = opendir(dir);

	if (d == NULL) {
		if (errno != ENOENT)
			problems_error(p, &whole, "", "cannot be read: %s", strerror(errno));
		return;
	}
	for (e = readdir(d); e != NULL; e = readdir(d))
		add_name(names, dir, e->d_name, p);
	closedir(d);
	if (names->n != 0)
		qsort(names->v, names->n, sizeof(*names->v), by_text);
}

/* "conf.d" beside file. */
static char *
conf_dir(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash == NULL ? xstrdup("conf.d")
	                     : xasprintf("%.*sconf.d", (int)(slash - file + 1), file);
}

struct node *
settings_read_files(struct arena *a, const char *file, struct problems *p)
{
	struct node *root = read_tree(a, file, 0, p), *more;
	char *dir = conf_dir(file);
	struct names names = { .n = 0 };
	bool is_sound = root != NULL;

	list_dir(dir, &names, p);
	for (size_t i = 0; i < names.n; i++) {
		more = read_tree(a, names.v[i], (unsigned)i + 1, p);
		is_sound &= more != NULL;
		if (is_sound)
			yaml_join(root, more, p);
		free(names.v[i]);
	}
	free(names.v);
	free(dir);
	if (!is_sound)
		return NULL;
	yaml_joined(root, p);
	return root;
}
