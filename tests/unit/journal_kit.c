/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "tests/unit/journal_kit.h"

/* ---- clock --------------------------------------------------------------- */

static int64_t
real_mono(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t
kit_mono(const struct clock *c)
{
	return real_mono() + atomic_load(&((const struct kit_clock *)c)->ahead);
}

static int64_t
kit_wall(const struct clock *c)
{
	return atomic_load(&((const struct kit_clock *)c)->wall);
}

/* ---- life cycle ---------------------------------------------------------- */

static void
kit_on_note(void *arg, enum journal_note note, enum journal_state state, const char *text)
{
	struct kit *k = arg;

	k->notes[note]++;
	snprintf(k->text[note], sizeof(k->text[note]), "%s", text);
	if (note == JOURNAL_NOTE_STATE)
		k->state = state;
}

static void
kit_on_ready(void *arg, uint32_t sink)
{
	struct kit *k = arg;

	k->ready[sink % ARRAY_LEN(k->ready)]++;
}

/* As much as can be had, also of what is damaged. */
static size_t
kit_unpack(struct str packed, char *out, size_t size)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)packed.s, .avail_in = (uInt)packed.n,
		.next_out = (Bytef *)out, .avail_out = (uInt)size };

	ck_assert_int_eq(inflateInit(&z), Z_OK);
	(void)inflate(&z, Z_SYNC_FLUSH);
	inflateEnd(&z);
	return z.total_out;
}

void
kit_init(struct kit *k, const struct journal_engine *engine)
{
	*k = (struct kit) { .engine = engine };
	snprintf(k->dir, sizeof(k->dir), "%s/journal-XXXXXX",
	    getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(k->dir));
	k->clock.clock = (struct clock) { .mono = kit_mono, .wall = kit_wall };
	atomic_store(&k->clock.wall, KIT_START);
	k->base = event_base_new();
	k->opts = (struct journal_opts) {
		.dir = k->dir,
		.max_size = UINT64_C(64) << 20,
		.remember_ms = INT64_C(190) * 86400 * 1000,
		.keep_delivered_ms = 0,
		.forget_sink_ms = INT64_C(7) * 86400 * 1000,
		.unpack = kit_unpack,
		.clock = &k->clock.clock,
		.base = k->base,
	};
}

void
kit_release(struct kit *k)
{
	char command[128];

	kit_close(k);
	event_base_free(k->base);
	snprintf(command, sizeof(command), "rm -rf '%s'", k->dir);
	ck_assert_int_eq(system(command), 0);
}

bool
kit_open(struct kit *k)
{
	k->err = (struct err) { 0 };
	k->j = journal_open(k->engine, &k->opts, kit_on_note, k, &k->err);
	if (k->j == NULL)
		return false;
	journal_on_ready(k->j, kit_on_ready, k);
	return true;
}

void
kit_close(struct kit *k)
{
	journal_close(k->j);
	k->j = NULL;
}

void
kit_must_open(struct kit *k)
{
	ck_assert_msg(kit_open(k), "%s", k->err.text);
}

bool
kit_wait(struct kit *k, bool (*until)(struct kit *k), int ms)
{
	int64_t end = real_mono() + ms;

	while (!until(k)) {
		if (real_mono() > end)
			return false;
		event_base_loop(k->base, EVLOOP_NONBLOCK);
		usleep(500);
	}
	return true;
}

static bool
never(struct kit *k)
{
	(void)k;
	return false;
}

void
kit_run(struct kit *k, int ms)
{
	kit_wait(k, never, ms);
}

/* ---- pages --------------------------------------------------------------- */

static enum journal_act
kit_judge(const struct seen *was, struct journal_entry *e, const void *ctx)
{
	const struct kit_page *p = ctx;

	if (was != NULL && was->version >= e->now.version && !p->is_repeat && !p->is_missing)
		return JOURNAL_SKIP;
	e->kind = was == NULL ? 0 : 2;
	e->changed = was == NULL ? 0 : (uint16_t)(was->severity != e->now.severity);
	e->nroutes = p->nroutes;
	memcpy(e->route, p->route, sizeof(e->route));
	if (p->is_repeat)
		return JOURNAL_REPEAT;
	if (p->is_missing)
		return JOURNAL_MISSING;
	return e->id.s[0] == 'r' ? JOURNAL_REMEMBER : JOURNAL_FORWARD;
}

static void
kit_page_release(struct journal_page *page)
{
	struct kit_page *p = (struct kit_page *)page;

	p->kit->released++;
	free(page->entries);
	free(p->ids);
	free(p->bodies);
	free(p->packed);
	free(p);
}

static void
fill(struct kit_page *p, size_t i, const char *prefix, size_t len, int64_t version)
{
	struct journal_entry *e = &p->page.entries[i];
	unsigned char *body = p->bodies + i * len;
	char *id = p->ids + i * KIT_ID;
	int n = snprintf(id, KIT_ID, "%s-%zu", prefix, i);

	for (size_t k = 0; k < len; k++)
		body[k] = (unsigned char)(id[k % (size_t)n] + (int)(k / 64));
	*e = (struct journal_entry) {
		.id = str_of(id),
		.now = { .created = KIT_START + (int64_t)i * TICKS_SEC, .version = version },
		.body = body,
		.len = len,
	};
}

struct kit_page *
kit_page(struct kit *k, uint32_t stream, const char *prefix, size_t n, size_t len, int64_t version)
{
	struct kit_page *p = xcalloc(1, sizeof(*p));

	p->kit = k;
	p->ids = xcalloc(n + 1, KIT_ID);
	p->nbodies = n * len;
	p->bodies = xcalloc(n + 1, len + 1);
	p->page = (struct journal_page) {
		.stream = stream,
		.reader = "live",
		.cursor = version,
		.memory_begin = TICKS_NONE,
		.window_from = TICKS_NONE,
		.judge = kit_judge,
		.ctx = p,
		.entries = xcalloc(n + 1, sizeof(struct journal_entry)),
		.n = n,
		.release = kit_page_release,
	};
	for (size_t i = 0; i < n; i++)
		fill(p, i, prefix, len, version);
	return p;
}

void
kit_route(struct kit_page *p, uint32_t sink)
{
	p->route[p->nroutes++] = sink;
}

void
kit_mean(struct kit_page *p, uint32_t sink)
{
	p->meant[p->page.nmeant++] = sink;
	p->page.meant = p->meant;
}

void
kit_pack(struct kit_page *p)
{
	uLongf n = compressBound(p->nbodies);

	p->packed = xmalloc(n);
	ck_assert_int_eq(compress(p->packed, &n, p->bodies, p->nbodies), Z_OK);
	p->page.plain = (struct str) { (char *)p->bodies, p->nbodies };
	p->page.packed = (struct str) { (char *)p->packed, n };
}

/* ---- calls that wait ----------------------------------------------------- */

struct waiting {
	bool is_done;
	struct journal_appended result;
	struct journal_batch *batch;
	struct journal_task *task;
	bool has_err;
	struct err err;
};

static void
wait_done(struct kit *k, const struct waiting *w)
{
	int64_t end = real_mono() + 20000;

	/* Never from inside the call that asked. */
	ck_assert(!w->is_done);
	while (!w->is_done) {
		ck_assert_msg(real_mono() < end, "no answer within 20 s");
		event_base_loop(k->base, EVLOOP_ONCE);
	}
}

static void
on_appended(void *arg, const struct journal_page *page, const struct journal_appended *result)
{
	struct waiting *w = arg;

	ck_assert(!w->is_done);
	ck_assert_ptr_nonnull(page);
	w->is_done = true;
	w->result = *result;
}

struct journal_appended
kit_append(struct kit *k, struct kit_page *taken)
{
	struct waiting w = { 0 };
	unsigned released = k->released;
	bool may_stay = taken->page.keeps != 0;

	journal_append(k->j, &taken->page, on_appended, &w);
	wait_done(k, &w);
	if (!may_stay)
		ck_assert_uint_eq(k->released, released + 1);
	return w.result;
}

void
kit_must_append(struct kit *k, struct kit_page *taken)
{
	struct journal_appended result = kit_append(k, taken);

	ck_assert_msg(result.ok, "%s", result.err.text);
}

static void
on_read(void *arg, struct journal_batch *taken, const struct err *err)
{
	struct waiting *w = arg;

	ck_assert(!w->is_done);
	w->is_done = true;
	w->batch = taken;
	w->has_err = err != NULL;
	if (err != NULL)
		w->err = *err;
}

struct journal_batch *
kit_read(struct kit *k, uint32_t sink, size_t max, size_t max_bytes, struct err *err)
{
	struct waiting w = { 0 };

	journal_read(k->j, sink, max, max_bytes, on_read, &w);
	wait_done(k, &w);
	ck_assert_ptr_nonnull(w.batch);
	if (err == NULL)
		ck_assert_msg(!w.has_err, "%s", w.err.text);
	else
		*err = w.err;
	return w.batch;
}

struct journal_batch *
kit_look(struct kit *k, uint32_t sink, size_t max)
{
	struct waiting w = { 0 };

	journal_look(k->j, sink, max, on_read, &w);
	wait_done(k, &w);
	ck_assert_msg(!w.has_err, "%s", w.err.text);
	return w.batch;
}

struct journal_batch *
kit_letters(struct kit *k, const struct journal_letters_ask *ask)
{
	struct waiting w = { 0 };

	journal_letters(k->j, ask, on_read, &w);
	wait_done(k, &w);
	ck_assert_msg(!w.has_err, "%s", w.err.text);
	return w.batch;
}

static void
on_worked(void *arg, struct journal_task *taken, const struct err *err)
{
	struct waiting *w = arg;

	ck_assert(!w->is_done);
	w->is_done = true;
	w->task = taken;
	ck_assert_msg(err == NULL, "%s", err != NULL ? err->text : "");
}

struct journal_task *
kit_work(struct kit *k, struct journal_task *taken)
{
	struct waiting w = { 0 };

	journal_work(k->j, taken, on_worked, &w);
	wait_done(k, &w);
	return w.task;
}

struct journal_task
kit_work_all(struct kit *k, struct journal_task task)
{
	struct journal_task *t = xmemdup(&task, sizeof(task));

	for (int i = 0; i < 10000 && !t->is_over; i++)
		t = kit_work(k, t);
	task = *t;
	free(t);
	return task;
}

bool
kit_is(const struct journal_batch *b, const char *ids)
{
	for (size_t i = 0; i < b->n; i++) {
		size_t n = strcspn(ids, " ");

		if (!str_same(b->items[i].id, (struct str) { ids, n }))
			return false;
		ids += n;
		ids += *ids == ' ';
	}
	return *ids == '\0';
}

void
kit_is_read(struct kit *k, uint32_t sink, const char *ids)
{
	struct journal_batch *b = kit_read(k, sink, 100, SIZE_MAX, NULL);

	ck_assert_msg(kit_is(b, ids), "%zu items, want \"%s\"", b->n, ids);
	journal_batch_free(b);
}

size_t
kit_drain(struct kit *k, uint32_t sink, bool settle)
{
	size_t n = 0;
	bool has_more = true;

	while (has_more) {
		struct journal_batch *b = kit_read(k, sink, 200, SIZE_MAX, NULL);

		for (size_t i = 0; settle && i < b->n; i++)
			kit_settle(k, sink, &b->items[i], MARK_OK, 0, NULL);
		n += b->n;
		has_more = b->has_more;
		journal_batch_free(b);
	}
	return n;
}

void
kit_settle(struct kit *k, uint32_t sink, const struct journal_item *item,
    enum journal_mark_what what, int64_t due, const char *memo)
{
	struct journal_mark mark = { .pos = item->pos, .what = what, .due = due,
		.tries = item->tries + 1, .why = "the test says so", .memo = memo };

	journal_settle(k->j, sink, &mark, 1);
}

struct journal_backlog
kit_backlog(struct kit *k, uint32_t sink)
{
	struct journal_backlog all[64];
	size_t n = journal_backlogs(k->j, all, ARRAY_LEN(all));

	for (size_t i = 0; i < n; i++)
		if (all[i].number == sink)
			return all[i];
	return (struct journal_backlog) { 0 };
}

void
kit_wait_backlog(struct kit *k, uint32_t sink, uint64_t entries)
{
	int64_t end = real_mono() + 5000;

	while (kit_backlog(k, sink).entries != entries) {
		ck_assert_msg(real_mono() < end, "backlog is %llu, not %llu",
		    (unsigned long long)kit_backlog(k, sink).entries,
		    (unsigned long long)entries);
		event_base_loop(k->base, EVLOOP_NONBLOCK);
		usleep(500);
	}
}
