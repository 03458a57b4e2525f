#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

#define TRIM_LEAST     32
#define RETRY_MS       3000
#define READ_ERRORS    3    /* in a row: the disk does not give it any more */
#define BUSY_TICK_MS   2
#define IDLE_TICK_MS   1000
#define QUIET_MS       200  /* background work waits for a pause in the writing, a second at most */
#define WAITING_TICK_MS 250 /* a test's clock may have been turned */
#define SAVE_EVERY     4096 /* remembered alerts, between two times the counts are saved */

/* ---- state ---------------------------------------------------------------------------------- */

void
publish(struct store *s)
{
	struct journal_stats stats = {
		.state = s->state,
		.file_bytes = s->pages * PAGE_SIZE,
		.max_bytes = s->max_pages * PAGE_SIZE,
		.entries = s->counts.entries,
		.remembered = s->counts.memory,
		.quarantine = s->counts.quarantine,
		.dead = s->counts.dead,
		.gaps = s->counts.gaps,
		.appends = s->appends,
		.commits = s->commits,
		.oldest_open = TICKS_NONE,
	};

	for (size_t i = 0; i < s->nplaces; i++) {
		const struct place *p = s->places[i];

		if (p == NULL)
			continue;
		registry_sink_figures(s->reg, p->sink, p->entries, p->bytes, p->oldest, p->dead);
		if (!p->is_forgotten && p->oldest != TICKS_NONE
		    && (stats.oldest_open == TICKS_NONE || p->oldest < stats.oldest_open))
			stats.oldest_open = p->oldest;
	}
	registry_set_stats(s->reg, &stats);
}

static void
tell_state(struct store *s, const char *why)
{
	switch (s->state) {
	case JOURNAL_OK:
		outbox_note(s->out, JOURNAL_NOTE_STATE, s->state,
		    "the journal takes new alerts again");
		break;
	case JOURNAL_PAUSED:
		outbox_note(s->out, JOURNAL_NOTE_STATE, s->state,
		    "%s (%" PRIu64 " of %" PRIu64 " MiB used): no new alerts are taken until sinks "
		    "have taken more or there is room; none is lost meanwhile",
		    s->is_at_high_water ? "the journal is nearly full" : "the disk is nearly full",
		    used_pages(s) * PAGE_SIZE >> 20, s->max_pages * PAGE_SIZE >> 20);
		break;
	case JOURNAL_FAILED:
		outbox_note(s->out, JOURNAL_NOTE_STATE, s->state,
		    "the journal cannot be written: %s; trying again every %d s",
		    why != NULL ? why : "see above", RETRY_MS / 1000);
		break;
	}
}

void
update_state(struct store *s, const char *why)
{
	enum journal_state was = s->state;

	if (s->remedy != REMEDY_NONE)
		s->state = JOURNAL_FAILED;
	else if (s->is_disk_full || s->is_at_high_water)
		s->state = JOURNAL_PAUSED;
	else
		s->state = JOURNAL_OK;
	if (s->state == was)
		return;
	publish(s);
	tell_state(s, why);
}

static void
need(struct store *s, enum remedy remedy, const struct err *err)
{
	if (remedy > s->remedy)
		s->remedy = remedy;
	update_state(s, err->text);
}

/* No error of SQLite: nothing to be done. Out of memory: that job failed, no more. */
void
trouble(struct store *s, const struct err *err)
{
	int rc = s->rc;

	s->rc = SQLITE_OK;
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_NOMEM:
		return;
	case SQLITE_FULL:
		s->is_disk_full = true;
		s->disk_at = clock_mono(s->clock) + RETRY_MS;
		update_state(s, NULL);
		return;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		need(s, REMEDY_SALVAGE, err);
		return;
	case SQLITE_IOERR:
		if (rc == SQLITE_IOERR_NOMEM)
			return;
		if (rc == SQLITE_IOERR_READ && ++s->read_errors >= READ_ERRORS) {
			need(s, REMEDY_SALVAGE, err);
			return;
		}
		break;
	}
	need(s, REMEDY_REOPEN, err);
}

/* ---- transactions ------------------------------------------------------------------------------ */

struct place *
place_of(const struct store *s, uint32_t sink)
{
	return sink >= 1 && sink <= s->nplaces ? s->places[sink - 1] : NULL;
}

void
change_add(struct store *s, struct change c)
{
	if (s->nchanges == s->changes_room) {
		s->changes_room = s->changes_room == 0 ? 256 : 2 * s->changes_room;
		s->changes = xreallocarray(s->changes, s->changes_room, sizeof(*s->changes));
	}
	s->changes[s->nchanges++] = c;
}

static void
settled(struct store *s, struct place *p, const struct change *c)
{
	ledger_settle(&s->ledger, c->seq);
	p->entries -= p->entries > 0;
	p->bytes -= c->n < p->bytes ? c->n : p->bytes;
	if (c->seq == p->oldest_seq)
		p->oldest_seq = 0;
}

static void
apply(struct store *s, const struct change *c)
{
	struct place *p = place_of(s, c->sink);

	switch (c->what) {
	case CHANGE_ADDED:
		ledger_add(&s->ledger, c->seq, (unsigned)c->n);
		break;
	case CHANGE_TODO:
		if (p->entries++ == 0) {
			p->oldest_seq = c->seq;
			p->oldest = s->now;
		}
		p->bytes += c->n;
		p->newest = c->seq;
		break;
	case CHANGE_SETTLED:
		settled(s, p, c);
		break;
	case CHANGE_LATER:
		place_later(p, c->seq, c->due);
		break;
	case CHANGE_DEAD:
		if (p != NULL)
			p->dead += c->n;
		break;
	case CHANGE_GONE:
		ledger_gone(&s->ledger, c->seq, c->n);
		break;
	case CHANGE_DROPPED:
		p->is_dropped = true;
		break;
	}
}

static bool
save_names(struct store *s, struct err *err)
{
	struct registry_name name;
	uint32_t after = 0;
	bool ok = true;

	while (ok && registry_unsaved_stream(s->reg, after, &name)) {
		sqlite3_stmt *st = db_use(s, ST_STREAM_PUT);

		after = name.number;
		s->names = xreallocarray(s->names, s->nnames + 1, sizeof(name));
		s->names[s->nnames++] = name;
		s->nstreams = s->nnames;
		sqlite3_bind_int64(st, 1, name.number);
		bind_text(st, 2, name.name);
		bind_text(st, 3, name.about);
		bind_ticks(st, 4, name.begin);
		ok = db_run(s, st, err);
	}
	for (after = 0; ok && registry_unsaved_sink(s->reg, after, &name); after = name.number) {
		sqlite3_stmt *st = db_use(s, ST_SINK_PUT);

		s->names = xreallocarray(s->names, s->nnames + 1, sizeof(name));
		s->names[s->nnames++] = name;
		load_place(s, name.number)->is_forgotten = name.is_forgotten;
		sqlite3_bind_int64(st, 1, name.number);
		bind_text(st, 2, name.name);
		bind_ticks(st, 3, name.undeclared_since);
		sqlite3_bind_int(st, 4, name.is_forgotten);
		ok = db_run(s, st, err);
	}
	return ok;
}

/* saved: they are on disk now. */
static void
names_done(struct store *s, bool saved)
{
	for (size_t i = 0; i < s->nnames; i++) {
		struct registry_name *name = &s->names[i];

		if (saved && i < s->nstreams)
			registry_saved_stream(s->reg, name->number, name->edit);
		else if (saved)
			registry_saved_sink(s->reg, name->number, name->edit);
		free(name->name);
		free(name->about);
	}
	free(s->names);
	s->names = NULL;
	s->nnames = s->nstreams = 0;
}

bool
transaction_begin(struct store *s, struct err *err)
{
	s->rc = SQLITE_OK;
	s->now = clock_wall(s->clock);
	s->before = s->counts;
	s->seq_before = s->next_seq;
	s->nchanges = 0;
	s->inserted = 0;
	if (s->db == NULL)
		return err_set(err, ERR_TEMP, "the journal is closed after a failure");
	return db_run(s, db_use(s, ST_BEGIN), err) && save_names(s, err);
}

static bool
put_count(struct store *s, const char *name, uint64_t value, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_META_PUT);

	bind_text(st, 1, name);
	sqlite3_bind_int64(st, 2, (int64_t)value);
	return db_run(s, st, err);
}

/* Those that only steer caps are saved now and then; all of them at the close. */
static bool
save_counts(struct store *s, bool all, struct err *err)
{
	const struct counts *c = &s->counts, *was = &s->saved;
	bool is_far = c->memory - was->memory + SAVE_EVERY > 2 * SAVE_EVERY;
	const struct {
		const char *name;
		bool is_due;
		uint64_t value;
	} rows[] = {
		{ "entries", is_far, c->entries },
		{ "memory", is_far, c->memory },
		{ "dead", c->dead != was->dead, c->dead },
		{ "dead_bytes", c->dead_bytes != was->dead_bytes, c->dead_bytes },
		{ "quarantine", c->quarantine != was->quarantine, c->quarantine },
		{ "quarantine_bytes", c->quarantine_bytes != was->quarantine_bytes,
		    c->quarantine_bytes },
		{ "gaps", c->gaps != was->gaps, c->gaps },
		{ "next_seq", is_far, s->next_seq },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if ((all || rows[i].is_due) && !put_count(s, rows[i].name, rows[i].value, err))
			return false;
	if (all || is_far) {
		s->saved = *c;
		return true;
	}
	s->saved.dead = c->dead;
	s->saved.dead_bytes = c->dead_bytes;
	s->saved.quarantine = c->quarantine;
	s->saved.quarantine_bytes = c->quarantine_bytes;
	s->saved.gaps = c->gaps;
	return true;
}

/* The oldest that waits at a sink, where it was settled. A figure only: a failure leaves it. */
static void
find_oldest(struct store *s, struct place *p)
{
	sqlite3_stmt *st = db_use(s, ST_TODO_OLDEST);
	struct err err = { 0 };

	p->oldest = TICKS_NONE;
	if (p->entries == 0)
		return;
	sqlite3_bind_int64(st, 1, p->sink);
	if (db_row(s, st, &err) == 1)
		p->oldest_seq = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	st = db_use(s, ST_ENTRY_FIRST);
	sqlite3_bind_int64(st, 1, (int64_t)p->oldest_seq);
	sqlite3_bind_int64(st, 2, (int64_t)p->oldest_seq);
	if (p->oldest_seq != 0 && db_row(s, st, &err) == 1)
		p->oldest = sqlite3_column_int64(st, 1);
	sqlite3_reset(st);
}

static void
find_oldests(struct store *s)
{
	for (size_t i = 0; i < s->nplaces; i++)
		if (s->places[i] != NULL && s->places[i]->oldest_seq == 0)
			find_oldest(s, s->places[i]);
	s->rc = SQLITE_OK;
}

/* A log that cannot be emptied is trouble, but what is in it is safe. */
void
empty_log(struct store *s)
{
	struct err err = { 0 };

	if (s->wal_pages * PAGE_SIZE < s->room.wal_bytes || db_checkpoint(s, false, &err))
		return;
	if ((s->rc & 0xff) == SQLITE_FULL && disk_drop_ballast(s)
	    && db_checkpoint(s, false, &err))
		return;
	trouble(s, &err);
}

bool
transaction_commit(struct store *s, struct err *err)
{
	struct err measure = { 0 };

	if (!save_counts(s, false, err) || !db_run(s, db_use(s, ST_COMMIT), err))
		return false;
	for (size_t i = 0; i < s->nchanges; i++)
		apply(s, &s->changes[i]);
	s->nchanges = 0;
	names_done(s, true);
	s->commits++;
	s->read_errors = 0;
	find_oldests(s);
	empty_log(s);
	if (!disk_measure(s, &measure))
		trouble(s, &measure);
	update_state(s, NULL);
	publish(s);
	return true;
}

void
transaction_rollback(struct store *s)
{
	int rc = s->rc;
	struct err err = { 0 };

	s->counts = s->before;
	s->saved.memory = s->saved.memory < s->counts.memory ? s->saved.memory : s->counts.memory;
	s->next_seq = s->seq_before;
	s->nchanges = 0;
	names_done(s, false);
	if (s->db != NULL && !sqlite3_get_autocommit(s->db)
	    && !db_run(s, db_use(s, ST_ROLLBACK), &err))
		rc = SQLITE_IOERR; /* then only opening it anew helps */
	s->rc = rc;
}

/* ---- writing ---------------------------------------------------------------------------------- */

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

/* Refuses what cannot be taken now; what is left is moved to the front. */
static size_t
admit(struct store *s, struct page_job **pages, size_t n)
{
	struct err err = { 0 };
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		struct journal_page *page = pages[i]->page;

		if (s->state == JOURNAL_OK && disk_has_room(s, page)) {
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
	wake_sinks(s);
	return ok || nmarks == 0;
}

static void
sqlite_settled(struct store *s, const struct mark_job *m)
{
	struct place *p = place_of(s, m->sink);

	if (p != NULL)
		place_take_back(p, m->seq);
}

/* ---- reading ------------------------------------------------------------------------------------ */

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

static void
sqlite_rewind(struct store *s, uint32_t sink)
{
	struct place *p = place_of(s, sink);

	if (p == NULL)
		return;
	place_rewind(p);
	wake_sinks(s);
}

/* ---- opening and repairing ------------------------------------------------------------------------ */

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
	bool ok = transaction_begin(s, err) && (!is_clean || save_counts(s, true, err))
	    && put_count(s, "clean", is_clean, err) && transaction_commit(s, err);

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
	names_done(s, false);
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
	s->path = xasprintf("%s/journal.db", opts->dir);
	s->lock_path = xasprintf("%s/journal.lock", opts->dir);
	s->ballast_path = xasprintf("%s/journal.ballast", opts->dir);
	s->vfs = opts->vfs == NULL ? NULL : xstrdup(opts->vfs);
	s->clock = opts->clock;
	s->reg = reg;
	s->out = out;
	s->max_size = opts->max_size;
	s->remember = ticks_from_ms(opts->remember_ms);
	s->keep_delivered = ticks_from_ms(opts->keep_delivered_ms);
	s->forget_sink = ticks_from_ms(opts->forget_sink_ms);
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

/* ---- housekeeping ----------------------------------------------------------------------------------- */

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
	.rewind = sqlite_rewind,
	.tick = sqlite_tick,
};
