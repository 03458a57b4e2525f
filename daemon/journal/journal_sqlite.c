/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/journal_sqlite.h"
#include "lib/base/ticks.h"

#define TRIM_LEAST     32
#define CLOCK_STEP     (60 * TICKS_SEC) /* less is no setting of a clock that matters here */
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
	const char *key = registry_stream_key(s->reg, page->stream);

	job->result.ok = true;
	job->result.state = s->state;
	s->appends++;
	registry_page_done(s->reg, page->stream, page->reader, page->cursor, page->memory_begin,
	    page->window_from);
	if (page->beside != NULL)
		registry_set_cursor(s->reg, page->stream, page->beside, page->beside_cursor);
	if (page->gap != NULL)
		outbox_note(s->out, JOURNAL_NOTE_GAP, s->state, "%s: %s",
		    key != NULL ? key : "a tenant that was purged", page->gap->why);
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
	case JOURNAL_ACCOUNT:
		ok = account_step(s, t, err);
		break;
	}
	if (!ok)
		trouble(s, err);
	wake_sinks(s);
	return ok;
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

static bool
set_back(struct store *s, int64_t ticks, struct err *err)
{
	sqlite3_stmt *st;

	if (!transaction_begin(s, err))
		return false;
	st = db_use(s, ST_TODO_SET_BACK);
	sqlite3_bind_int64(st, 1, ticks);
	return db_run(s, st, err) && transaction_commit(s, err);
}

/* When the clock is set back, the times at which something falls due were reckoned with one that
 * was wrong: what waits would wait so much longer. */
static void
follow_clock(struct store *s)
{
	int64_t ahead = clock_wall(s->clock) - ticks_from_ms(clock_mono(s->clock));
	int64_t back = s->clock_ahead - ahead;
	struct err err = { 0 };

	if (back < CLOCK_STEP) {
		s->clock_ahead = ahead;
		return;
	}
	if (!set_back(s, back, &err)) {
		transaction_rollback(s);
		trouble(s, &err);
		return;
	}
	/* Not before: what failed is tried again. */
	s->clock_ahead = ahead;
	for (size_t i = 0; i < s->nplaces; i++)
		if (s->places[i] != NULL)
			place_clock_set_back(s->places[i], back);
}

static int
sqlite_tick(struct store *s)
{
	int64_t mono = clock_mono(s->clock);

	if (s->remedy != REMEDY_NONE)
		store_repair(s);
	if (s->remedy != REMEDY_NONE)
		return WAITING_TICK_MS;
	follow_clock(s);
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
	.open = store_open,
	.close = store_close,
	.write = sqlite_write,
	.settled = sqlite_settled,
	.read = sqlite_read,
	.look = sqlite_look,
	.rewind = sqlite_rewind,
	.letters = sqlite_letters,
	.work = sqlite_work,
	.tick = sqlite_tick,
};
