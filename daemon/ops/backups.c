/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/journal/journal_backup.h"
#include "daemon/ops/members.h"
#include "daemon/ops/backups.h"
#include "lib/base/alloc.h"

struct backups {
	char *state_dir;
	struct backup *last; /* NULL: there was none */
};

struct backups *
backups_new(const char *state_dir)
{
	struct backups *bs = xcalloc(1, sizeof(*bs));

	bs->state_dir = xstrdup(state_dir);
	return bs;
}

void
backups_free(struct backups *bs)
{
	if (bs == NULL)
		return;
	backup_free(bs->last);
	free(bs->state_dir);
	free(bs);
}

/* Among the journal's own files it might take the place of one of them. */
static bool
is_beside_journal(const struct backups *bs, const char *path)
{
	char *dir = xstrndup(path, (size_t)(strrchr(path, '/') - path) + 1);
	struct stat there, ours;
	bool is_same = stat(dir, &there) == 0 && stat(bs->state_dir, &ours) == 0 &&
	    there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;

	free(dir);
	return is_same;
}

/* A path as it is; a bare name below state_dir, which we may write to in any case. The caller's. */
static char *
target_of(const struct backups *bs, const char *file, struct err *err)
{
	char *dir, *path = NULL;

	if (file == NULL || file[0] == '\0' || (file[0] == '.' && strchr(file, '/') == NULL)) {
		err_set(err, ERR_PERM, "a backup wants the name of a file, which begins with no dot");
		return NULL;
	}
	if (file[0] == '/' && is_beside_journal(bs, file)) {
		err_set(err, ERR_PERM, "%s: that folder is the journal's own; give a name, which stands "
		    "for a file in %s/backup", file, bs->state_dir);
		return NULL;
	}
	if (file[0] == '/')
		return xstrdup(file);
	if (strchr(file, '/') != NULL) {
		err_set(err, ERR_PERM, "%s: give a whole path, or a name, which stands for a file in "
		    "%s/backup", file, bs->state_dir);
		return NULL;
	}
	dir = xasprintf("%s/backup", bs->state_dir);
	if (mkdir(dir, 0700) == 0 || errno == EEXIST)
		path = xasprintf("%s/%s", dir, file);
	else
		err_sys(err, ERR_TEMP, errno, "cannot make %s", dir);
	free(dir);
	return path;
}

json_t *
backups_start(struct backups *bs, const json_t *request, struct err *err)
{
	struct backup_view view = { .state = BACKUP_DONE };
	char *target;

	if (bs->last != NULL)
		backup_view(bs->last, &view);
	if (view.state == BACKUP_RUNNING) {
		err_set(err, ERR_TEMP, "a backup to %s is running", view.target);
		return NULL;
	}
	target = target_of(bs, members_text(request, "file"), err);
	if (target == NULL)
		return NULL;
	backup_free(bs->last);
	bs->last = backup_start(bs->state_dir, target);
	free(target);
	return backups_show(bs, err);
}

json_t *
backups_show(struct backups *bs, struct err *err)
{
	static const char *const states[] = { "running", "done", "failed" };
	struct backup_view view;

	if (bs->last == NULL) {
		err_set(err, ERR_PERM, "there was no backup since the start");
		return NULL;
	}
	backup_view(bs->last, &view);
	return json_pack("{s:s, s:s, s:I, s:s}", "file", view.target, "state", states[view.state],
	    "percent", (json_int_t)view.percent, "error", view.err.text);
}
