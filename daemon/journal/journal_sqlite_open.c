/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/journal/journal_file.h"
#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

/* ---- the file ------------------------------------------------------------ */

/* Nobody but us may read it, whatever the umask. */
static bool
make_file(struct store *s, struct err *err)
{
	int fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_sys(err, ERR_CONF, errno, "%s", s->path);
	if (fchmod(fd, 0600) < 0 || fsync(fd) < 0) {
		err_sys(err, ERR_TEMP, errno, "%s", s->path);
		close(fd);
		return false;
	}
	close(fd);
	disk_sync_dir(s);
	return true;
}

/* A lock of its own: closing any other handle of SQLite's file would drop SQLite's locks. */
static bool
lock(struct store *s, struct err *err)
{
	s->lock_fd = open(s->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return err_sys(err, ERR_CONF, errno, "%s", s->lock_path);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return err_set(err, ERR_CONF, "%s is held by another process", s->path);
	return err_sys(err, ERR_CONF, errno, "%s", s->lock_path);
}

static bool
set_clean(struct store *s, bool is_clean, struct err *err)
{
	bool ok = transaction_begin(s, err) && (!is_clean || transaction_save_counts(s, true, err))
	    && transaction_put_count(s, "clean", is_clean, err) && transaction_commit(s, err);

	if (!ok)
		transaction_rollback(s);
	return ok;
}

/* Everything in the log must reach the database, or what was lost in it is not known. */
static bool
open_file(struct store *s, struct err *err)
{
	return db_open(s, s->path, err) && db_checkpoint(s, true, err) && load(s, err)
	    && disk_measure(s, err);
}

/* Damage found while opening is dealt with at once. */
static bool
open_or_salvage(struct store *s, struct err *err)
{
	char why[ERR_TEXT];

	if (open_file(s, err))
		return true;
	if ((s->rc & 0xff) != SQLITE_CORRUPT && (s->rc & 0xff) != SQLITE_NOTADB)
		return false;
	snprintf(why, sizeof(why), "%s", err->text);
	return salvage(s, why, err);
}

/* Opening takes some room too: that of the ballast, where the disk is full. */
static bool
open_on_any_disk(struct store *s, struct err *err)
{
	if (open_or_salvage(s, err))
		return true;
	db_close(s, false);
	return disk_drop_ballast(s) && open_or_salvage(s, err);
}

void
store_repair(struct store *s)
{
	struct err err = { 0 };
	enum remedy remedy = s->remedy;
	bool ok;

	if (clock_mono(s->clock) < s->retry_at)
		return;
	s->retry_at = clock_mono(s->clock) + RETRY_MS;
	db_close(s, false);
	if (remedy == REMEDY_SALVAGE)
		ok = salvage(s, "damage was found while it was used", &err);
	else
		ok = open_on_any_disk(s, &err);
	s->rc = SQLITE_OK;
	if (!ok) {
		db_close(s, false);
		return;
	}
	s->remedy = REMEDY_NONE;
	s->read_errors = remedy == REMEDY_SALVAGE ? 0 : s->read_errors;
	find_oldests(s);
	disk_look(s, true);
	update_state(s, NULL);
	publish(s);
	check_start(s);
}

/* ---- life ---------------------------------------------------------------- */

static void
store_free(struct store *s)
{
	for (size_t i = 0; i < s->nplaces; i++)
		place_free(s->places[i]);
	free(s->places);
	ledger_release(&s->ledger);
	free(s->changes);
	free(s->periods);
	transaction_names_done(s, false);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s->dir);
	free(s->path);
	free(s->lock_path);
	free(s->ballast_path);
	free(s->vfs);
	free(s);
}

static struct store *
store_new(const struct journal_opts *opts, struct registry *reg, struct outbox *out)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->dir = xstrdup(opts->dir);
	s->path = xasprintf("%s/" JOURNAL_FILE, opts->dir);
	s->lock_path = xasprintf("%s/journal.lock", opts->dir);
	s->ballast_path = xasprintf("%s/journal.ballast", opts->dir);
	s->vfs = opts->vfs == NULL ? NULL : xstrdup(opts->vfs);
	s->unpack = opts->unpack;
	s->clock = opts->clock;
	s->reg = reg;
	s->out = out;
	s->max_size = opts->max_size;
	s->remember = ticks_from_ms(opts->remember_ms);
	s->keep_delivered = ticks_from_ms(opts->keep_delivered_ms);
	s->forget_sink = ticks_from_ms(opts->forget_sink_ms);
	s->own_types = opts->own_types;
	s->forget_from = s->cap_from = NO_ROWID;
	s->lock_fd = -1;
	s->clock_ahead = clock_wall(s->clock) - ticks_from_ms(clock_mono(s->clock));
	ledger_init(&s->ledger);
	return s;
}

static bool
open_store(struct store *s, struct err *err)
{
	bool was_clean;

	if (!local_fs_check(s->dir, err) || !lock(s, err) || !salvage_finish(s, err)
	    || !make_file(s, err))
		return false;
	disk_plan(s);
	s->has_ballast = access(s->ballast_path, F_OK) == 0;
	if (!open_on_any_disk(s, err))
		return err_wrap(err, "%s", s->path);
	was_clean = s->was_clean;
	s->saved = s->counts;
	disk_look(s, true);
	if (!set_clean(s, false, err)) {
		/* A full disk is no reason not to deliver what is there. */
		trouble(s, err);
		if (s->remedy != REMEDY_NONE)
			return err_wrap(err, "%s", s->path);
	}
	find_oldests(s);
	publish(s);
	if (!was_clean && s->next_seq > 1)
		check_start(s);
	return true;
}

struct store *
store_open(const struct journal_opts *opts, struct registry *reg, struct outbox *out,
    struct err *err)
{
	struct store *s = store_new(opts, reg, out);

	if (open_store(s, err))
		return s;
	db_close(s, false);
	store_free(s);
	return NULL;
}

void
store_close(struct store *s)
{
	struct err err = { 0 };

	/* A check that did not come to its end begins anew next time. */
	if (s->db != NULL && s->remedy == REMEDY_NONE && !set_clean(s, !s->check.is_running, &err))
		trouble(s, &err);
	db_close(s, s->remedy == REMEDY_NONE);
	store_free(s);
}
