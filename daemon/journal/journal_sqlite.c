#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/journal/journal_file.h"
#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

#define TRIM_LEAST     32
#define BUSY_TICK_MS   2
#define IDLE_TICK_MS   1000
#define QUIET_MS       200  /* background work waits for a pause in the writing, a second at most */
#define WAITING_TICK_MS 250 /* a test's clock may have been turned */

/* ---- writing ------------------------------------------------------------- */

static bool
write_parts(struct store *s, struct page_job **pages, size_t npages, struct mark_job *marks,
    size_t nmarks, struct err *err)
{
	if (!transaction_begin(s, err))
		return false;
	for (size_t i = 0; i < npages; i++)
		if (!append_page(s, pages[i], err))
			return false;
	return settle_marks(s, marks, nmarks, err)
	    && trim_delivered(s, s->inserted + nmarks + TRIM_LEAST, err) && trim_caps(s, err)
	    && transaction_commit(s, err);
}

static void
page_done(struct store *s, struct page_job *job)
{
	const struct journal_page *page = job->page;

	job->result.ok = true;
	job->result.state = s->state;
	s->appends++;
	registry_page_done(s->reg, page->stream, page->reader, page->cursor, page->memory_begin,
	    page->window_from);
	if (page->beside != NULL)
		registry_set_cursor(s->reg, page->stream, page->beside, page->beside_cursor);
	if (page->gap != NULL)
		outbox_note(s->out, JOURNAL_NOTE_GAP, s->state, "%s: %s",
		    registry_stream_key(s->reg, page->stream), page->gap->why);
}

static void
page_failed(struct store *s, struct page_job *job, const struct err *err)
{
	for (size_t i = 0; i < job->page->n; i++)
		job->page->entries[i].is_forwarded = false;
	job->result = (struct journal_appended) { .ok = false, .state = s->state, .err = *err };
}

static bool
write_group(struct store *s, struct page_job **pages, size_t npages, struct mark_job *marks,
    size_t nmarks, struct err *err)
{
	if (!write_parts(s, pages, npages, marks, nmarks, err)) {
		transaction_rollback(s);
		return false;
	}
	for (size_t i = 0; i < npages; i++)
		page_done(s, pages[i]);
	return true;
}

/* Marks alone, with the ballast's room where the disk has none: they make room themselves. */
static bool
write_marks(struct store *s, struct mark_job *marks, size_t n)
{
	struct err err = { 0 };

	if (write_group(s, NULL, 0, marks, n, &err))
		return true;
	if ((s->rc & 0xff) == SQLITE_FULL && disk_drop_ballast(s)) {
		if (write_group(s, NULL, 0, marks, n, &err))
			return true;
	}
	trouble(s, &err);
	return false;
}

/* What is urgent may use what is left of a full disk, but not what marks need to make room. */
static bool
takes(const struct store *s, const struct journal_page *page)
{
	bool has_room = s->has_ballast || s->disk_free > s->room.reserve / 2;

	return s->state == JOURNAL_OK ||
	       (page->is_urgent && s->state == JOURNAL_PAUSED && has_room);
}

/* Refuses what cannot be taken now; what is left is moved to the front. */
static size_t
admit(struct store *s, struct page_job **pages, size_t n)
{
	struct err err = { 0 };
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		struct journal_page *page = pages[i]->page;

		if (takes(s, page) && disk_has_room(s, page)) {
			pages[left++] = pages[i];
			continue;
		}
		if (s->state == JOURNAL_FAILED)
			err_set(&err, ERR_TEMP, "the journal cannot be written");
		else
			err_set(&err, ERR_TEMP, "the journal is full until sinks have taken more");
		page_failed(s, pages[i], &err);
		if (s->state == JOURNAL_OK)
			pages[i]->result.state = JOURNAL_PAUSED;
	}
	return left;
}

static void
wake_sinks(struct store *s)
{
	int64_t now = clock_wall(s->clock);

	for (size_t i = 0; i < s->nplaces && s->remedy == REMEDY_NONE; i++) {
		struct place *p = s->places[i];

		if (p == NULL || !p->wants_ready || !place_has_work(p, now))
			continue;
		p->wants_ready = false;
		outbox_ready(s->out, p->sink);
	}
}

static void
marks_stored(struct store *s, const struct mark_job *marks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct place *p = place_of(s, marks[i].sink);

		if (p != NULL && p->marked > 0)
			p->marked--;
	}
}

static bool
sqlite_write(struct store *s, struct page_job **pages, size_t npages, struct mark_job *marks,
    size_t nmarks)
{
	struct err err = { 0 };
	bool ok = false;

	s->wrote_at = clock_mono(s->clock);
	npages = admit(s, pages, npages);
	if (s->remedy != REMEDY_NONE)
		return nmarks == 0;
	if (npages > 0) {
		ok = write_group(s, pages, npages, marks, nmarks, &err);
		if (!ok)
			trouble(s, &err);
		for (size_t i = 0; i < npages && !ok; i++)
			page_failed(s, pages[i], &err);
	}
	if (!ok && s->remedy == REMEDY_NONE)
		ok = write_marks(s, marks, nmarks);
	if (ok)
		marks_stored(s, marks, nmarks);
	wake_sinks(s);
	return ok || nmarks == 0;
}

static void
sqlite_settled(struct store *s, const struct mark_job *m)
{
	struct place *p = place_of(s, m->sink);

	if (p == NULL)
		return;
	place_take_back(p, m->seq);
	p->marked++;
}

/* ---- reading ------------------------------------------------------------- */

static bool
sqlite_read(struct store *s, uint32_t sink, size_t max, size_t max_bytes,
    struct journal_batch *batch, struct err *err)
{
	struct place *p;
	bool ok;

	if (!registry_is_sink(s->reg, sink))
		return true;
	p = load_place(s, sink);
	s->rc = SQLITE_OK;
	if (s->remedy != REMEDY_NONE)
		ok = err_set(err, ERR_TEMP, "the journal cannot be read until it is repaired");
	else if (p->is_resending)
		ok = true; /* until it begins anew */
	else
		ok = read_items(s, p, max, max_bytes, batch, err);
	if (s->rc != SQLITE_OK) {
		struct err why = { .kind = ERR_TEMP };

		if (ok)
			db_fail(s, s->rc, &why);
		trouble(s, ok ? &why : err);
	}
	p->wants_ready = !batch->has_more;
	return ok;
}

static bool
sqlite_look(struct store *s, uint32_t sink, size_t max, struct journal_batch *batch,
    struct err *err)
{
	bool ok;

	if (!registry_is_sink(s->reg, sink))
		return true;
	if (s->remedy != REMEDY_NONE)
		return err_set(err, ERR_TEMP, "the journal cannot be read until it is repaired");
	s->rc = SQLITE_OK;
	ok = look_at_items(s, sink, max, batch, err);
	if (!ok)
		trouble(s, err);
	return ok;
}

static void
sqlite_rewind(struct store *s, uint32_t sink)
{
	struct place *p = place_of(s, sink);

	if (p == NULL)
		return;
	place_rewind(p);
	wake_sinks(s);
}

static bool
sqlite_letters(struct store *s, const struct journal_letters_ask *ask, struct journal_batch *batch,
    struct err *err)
{
	bool ok;

	if (s->remedy != REMEDY_NONE)
		return err_set(err, ERR_TEMP, "the journal cannot be read until it is repaired");
	s->rc = SQLITE_OK;
	ok = look_at_letters(s, ask, batch, err);
	if (!ok)
		trouble(s, err);
	return ok;
}

static bool
sqlite_work(struct store *s, struct journal_task *t, struct err *err)
{
	bool ok = false;

	if (s->remedy != REMEDY_NONE)
		return err_set(err, ERR_TEMP, "the journal cannot be written until it is repaired");
	s->rc = SQLITE_OK;
	switch (t->what) {
	case JOURNAL_RETRY:
	case JOURNAL_DROP:
		ok = letters_step(s, t, err);
		break;
	case JOURNAL_PURGE:
		ok = purge_step(s, t, err);
		break;
	}
	if (!ok)
		trouble(s, err);
	wake_sinks(s);
	return ok;
}

/* ---- opening and repairing ----------------------------------------------- */

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

static void
repair(struct store *s)
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
	ledger_init(&s->ledger);
	return s;
}

static bool
store_open(struct store *s, struct err *err)
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

static void sqlite_close(struct store *s);

static struct store *
sqlite_open(const struct journal_opts *opts, struct registry *reg, struct outbox *out,
    struct err *err)
{
	struct store *s = store_new(opts, reg, out);

	if (store_open(s, err))
		return s;
	db_close(s, false);
	store_free(s);
	return NULL;
}

static void
sqlite_close(struct store *s)
{
	struct err err = { 0 };

	/* A check that did not come to its end begins anew next time. */
	if (s->db != NULL && s->remedy == REMEDY_NONE && !set_clean(s, !s->check.is_running, &err))
		trouble(s, &err);
	db_close(s, s->remedy == REMEDY_NONE);
	store_free(s);
}

/* ---- housekeeping -------------------------------------------------------- */

static int
idle_ms(const struct store *s)
{
	int64_t now = clock_wall(s->clock), ms = IDLE_TICK_MS;

	for (size_t i = 0; i < s->nplaces; i++) {
		const struct place *p = s->places[i];
		int64_t due;

		if (p == NULL || p->later.n == 0 || !p->wants_ready)
			continue;
		due = (p->later.v[0].at - now) / TICKS_MS + 1;
		if (ms > WAITING_TICK_MS)
			ms = WAITING_TICK_MS;
		if (due < ms)
			ms = due < BUSY_TICK_MS ? BUSY_TICK_MS : due;
	}
	if (s->state != JOURNAL_OK && ms > WAITING_TICK_MS)
		ms = WAITING_TICK_MS;
	return (int)ms;
}

static int
sqlite_tick(struct store *s)
{
	int64_t mono = clock_mono(s->clock);

	if (s->remedy != REMEDY_NONE)
		repair(s);
	if (s->remedy != REMEDY_NONE)
		return WAITING_TICK_MS;
	disk_look(s, false);
	trim_look_at_sinks(s);
	if (resend_step(s))
		return BUSY_TICK_MS;
	wake_sinks(s);
	if (mono - s->wrote_at < QUIET_MS && mono - s->worked_at < IDLE_TICK_MS)
		return QUIET_MS;
	s->worked_at = mono;
	if (trim_step(s, mono) || disk_shrink(s) || check_step(s))
		return BUSY_TICK_MS;
	return idle_ms(s);
}

const struct journal_engine journal_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.close = sqlite_close,
	.write = sqlite_write,
	.settled = sqlite_settled,
	.read = sqlite_read,
	.look = sqlite_look,
	.rewind = sqlite_rewind,
	.letters = sqlite_letters,
	.work = sqlite_work,
	.tick = sqlite_tick,
};
