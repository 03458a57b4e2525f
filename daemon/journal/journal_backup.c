/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/journal/journal_backup.h"
#include "daemon/journal/journal_file.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"

/* Pages of 16 KiB at a time, between two looks at whether to go on. */
#define PAGES_A_STEP 256

struct backup {
	char *source, *target, *partial;
	pthread_t thread;
	atomic_uint percent;
	atomic_bool is_cancelled;
	atomic_int state;
	struct err err; /* written before state */
};

static bool
fail(sqlite3 *db, const char *what, const char *path, struct err *err)
{
	return err_set(err, ERR_TEMP, "%s %s: %s", what, path, sqlite3_errmsg(db));
}

/* The moment of the copy is held by a transaction that reads: later writes do not change it. */
static bool
open_source(struct backup *b, sqlite3 **db, struct err *err)
{
	if (sqlite3_open_v2(b->source, db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
		return fail(*db, "cannot open", b->source, err);
	sqlite3_busy_timeout(*db, 5000);
	if (sqlite3_exec(*db, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL) != SQLITE_OK)
		return fail(*db, "cannot read", b->source, err);
	return true;
}

/* With nobody's rights but ours, whatever the umask is. */
static bool
make_target(struct backup *b, sqlite3 **db, struct err *err)
{
	int fd;

	unlink(b->partial);
	fd = open(b->partial, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, ERR_TEMP, errno, "cannot make %s", b->partial);
	close(fd);
	if (sqlite3_open_v2(b->partial, db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		return fail(*db, "cannot open", b->partial, err);
	return true;
}

static bool
copy_pages(struct backup *b, sqlite3 *from, sqlite3 *to, struct err *err)
{
	sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");
	int rc = SQLITE_OK, total, left;

	if (copy == NULL)
		return fail(to, "cannot write", b->partial, err);
	while (rc == SQLITE_OK && !atomic_load(&b->is_cancelled)) {
		rc = sqlite3_backup_step(copy, PAGES_A_STEP);
		total = sqlite3_backup_pagecount(copy);
		left = sqlite3_backup_remaining(copy);
		if (total > 0) /* the last hundredth is for checking it */
			atomic_store(&b->percent, (unsigned)(99 - 99LL * left / total));
	}
	sqlite3_backup_finish(copy);
	if (rc == SQLITE_DONE)
		return true;
	return rc == SQLITE_OK ? err_set(err, ERR_TEMP, "it was ended before its end")
	                       : fail(to, "cannot write", b->partial, err);
}

static int
on_check_row(void *arg, int n, char **values, char **names)
{
	bool *is_whole = arg;

	(void)names;
	*is_whole = n == 1 && strcmp(values[0], "ok") == 0;
	return 0;
}

static bool
check_copy(struct backup *b, sqlite3 *db, struct err *err)
{
	bool is_whole = false;

	if (sqlite3_exec(db, "PRAGMA quick_check(1)", on_check_row, &is_whole, NULL) != SQLITE_OK)
		return fail(db, "cannot check", b->partial, err);
	return is_whole || err_set(err, ERR_TEMP, "the copy is damaged; the journal may be, too");
}

/* A copy without a log beside it: all of it is in the one file. */
static bool
make_copy(struct backup *b, sqlite3 *from, sqlite3 *to, struct err *err)
{
	if (!copy_pages(b, from, to, err))
		return false;
	/* The journal's log grows as long as somebody reads from that moment. */
	sqlite3_exec(from, "COMMIT", NULL, NULL, NULL);
	return check_copy(b, to, err) &&
	       (sqlite3_wal_checkpoint_v2(to, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK ||
	           fail(to, "cannot finish", b->partial, err));
}

/* The name is durable when the directory is. */
static bool
name_it(struct backup *b, struct err *err)
{
	const char *slash = strrchr(b->target, '/');
	char *dir = xstrndup(b->target, (size_t)(slash - b->target) + 1);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = rename(b->partial, b->target) == 0 && fd >= 0 && fsync(fd) == 0;

	if (!ok)
		err_sys(err, ERR_TEMP, errno, "cannot name %s", b->target);
	if (fd >= 0)
		close(fd);
	free(dir);
	return ok;
}

static void
remove_partial(const struct backup *b)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char *path = xasprintf("%s%s", b->partial, ends[i]);

		unlink(path);
		free(path);
	}
}

static void *
run(void *arg)
{
	struct backup *b = arg;
	sqlite3 *from = NULL, *to = NULL;
	struct err err = { 0 };
	bool ok = open_source(b, &from, &err) && make_target(b, &to, &err) && make_copy(b, from, to, &err);

	sqlite3_close(to);
	sqlite3_close(from);
	ok = ok && name_it(b, &err);
	remove_partial(b);
	b->err = err;
	if (ok)
		log_info(NULL, "the journal was copied to %s", b->target);
	else
		log_error(NULL, "the journal was not copied to %s: %s", b->target, err.text);
	atomic_store(&b->state, ok ? BACKUP_DONE : BACKUP_FAILED);
	return NULL;
}

struct backup *
backup_start(const char *dir, const char *target)
{
	struct backup *b = xcalloc(1, sizeof(*b));

	BUG_IF(target[0] != '/');
	b->source = xasprintf("%s/" JOURNAL_FILE, dir);
	b->target = xstrdup(target);
	b->partial = xasprintf("%s.partial", target);
	BUG_IF(pthread_create(&b->thread, NULL, run, b) != 0);
	return b;
}

void
backup_view(struct backup *b, struct backup_view *out)
{
	*out = (struct backup_view) { .state = (enum backup_state)atomic_load(&b->state),
		.target = b->target, .percent = atomic_load(&b->percent) };
	if (out->state == BACKUP_DONE)
		out->percent = 100;
	if (out->state == BACKUP_FAILED)
		out->err = b->err;
}

void
backup_free(struct backup *b)
{
	if (b == NULL)
		return;
	atomic_store(&b->is_cancelled, true);
	pthread_join(b->thread, NULL);
	free(b->source);
	free(b->target);
	free(b->partial);
	free(b);
}
