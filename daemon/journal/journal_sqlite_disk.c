/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"

#define HIGH_PERCENT     90
#define LOW_PERCENT      85
#define FULLEST_PERCENT  97 /* a page that would go over this waits: marks need room too */
#define LOOK_MS          5000
#define LOOK_PAUSED_MS   500
#define SHRINK_LEAST     64
#define SHRINK_MOST      512

/* ---- the file ------------------------------------------------------------ */

static bool
read_number(struct store *s, enum statement which, uint64_t *out, struct err *err)
{
	sqlite3_stmt *st = db_use(s, which);
	int rc = db_row(s, st, err);

	if (rc == 1)
		*out = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return rc == 1;
}

bool
disk_measure(struct store *s, struct err *err)
{
	uint64_t used;

	if (!read_number(s, ST_PAGES, &s->pages, err)
	    || !read_number(s, ST_FREE_PAGES, &s->free_pages, err))
		return false;
	used = used_pages(s) * 100;
	if (used >= s->max_pages * HIGH_PERCENT)
		s->is_at_high_water = true;
	if (used < s->max_pages * LOW_PERCENT)
		s->is_at_high_water = false;
	return true;
}

bool
disk_has_room(const struct store *s, const struct journal_page *page)
{
	/* A row that does not fit beside another has a page of its own. */
	uint64_t bytes = (pack_most(page) + page->n * 512) * 3 / 2;

	return (used_pages(s) + bytes / PAGE_SIZE) * 100 <= s->max_pages * FULLEST_PERCENT;
}

bool
disk_shrink(struct store *s)
{
	uint64_t least = s->max_pages / 16;
	struct err err = { 0 };

	if (least > SHRINK_MOST)
		least = SHRINK_MOST;
	if (least < SHRINK_LEAST)
		least = SHRINK_LEAST;
	if (s->free_pages < least + s->pages / 8)
		return false;
	s->vacuums++;
	if (db_run(s, db_use(s, ST_VACUUM), &err) && disk_measure(s, &err)) {
		empty_log(s);
		publish(s);
		return true;
	}
	trouble(s, &err);
	return false;
}

/* ---- the file system ----------------------------------------------------- */

static uint64_t
file_size(const char *path, const char *suffix)
{
	char *name = xasprintf("%s%s", path, suffix);
	struct stat st;
	int rc = stat(name, &st);

	free(name);
	return rc < 0 ? 0 : (uint64_t)st.st_size;
}

void
disk_plan(struct store *s)
{
	uint64_t free_bytes = UINT64_MAX / 4;
	uint64_t ours = file_size(s->path, "") + file_size(s->path, "-wal")
	    + file_size(s->ballast_path, "");

	local_fs_free(s->dir, &free_bytes);
	local_fs_plan(&s->room, s->max_size, free_bytes + ours);
}

void
disk_sync_dir(const struct store *s)
{
	int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* Blocks that are really there, so that letting go of them helps. */
static bool
make_ballast(struct store *s)
{
	int fd = open(s->ballast_path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok;

	if (fd < 0)
		return false;
	ok = posix_fallocate(fd, 0, (off_t)s->room.ballast) == 0;
	close(fd);
	if (!ok)
		unlink(s->ballast_path);
	return ok;
}

bool
disk_drop_ballast(struct store *s)
{
	if (!s->has_ballast)
		return false;
	s->is_disk_full = true;
	s->has_ballast = false;
	return unlink(s->ballast_path) == 0;
}

/* The log's blocks are room too, once all that is in it is in the database. */
static void
cut_log(struct store *s)
{
	struct err err = { 0 };

	if (!db_checkpoint(s, true, &err) && (s->rc & 0xff) != SQLITE_FULL)
		trouble(s, &err);
	s->rc = SQLITE_OK;
}

void
disk_look(struct store *s, bool is_first)
{
	int64_t mono = clock_mono(s->clock);
	uint64_t free_bytes, wanted = s->room.reserve;

	if (!is_first && mono < s->disk_at)
		return;
	s->disk_at = mono + (s->state == JOURNAL_OK ? LOOK_MS : LOOK_PAUSED_MS);
	if (s->is_disk_full && s->wal_pages > 0)
		cut_log(s);
	if (!local_fs_free(s->dir, &free_bytes))
		return;
	if (!s->has_ballast && free_bytes > s->room.ballast + s->room.reserve * 3 / 2) {
		s->has_ballast = make_ballast(s);
		free_bytes -= s->has_ballast ? s->room.ballast : 0;
	}
	s->disk_free = free_bytes;
	if (s->is_disk_full)
		wanted += wanted / 4;
	s->is_disk_full = free_bytes < wanted || !s->has_ballast;
	update_state(s, NULL);
}
