/* SPDX-License-Identifier: Apache-2.0 */
#include <event2/event.h>
#include <string.h>

#include "daemon/journal/journal.h"
#include "daemon/journal/worker.h"
#include "lib/base/alloc.h"

/* Callbacks are given in turns of this many, so that the loop's others are not kept waiting. */
#define TOLD_PER_TURN 16

struct journal {
	const struct journal_engine *engine;
	const struct clock *clock;
	struct registry *registry;
	struct outbox *out;
	struct store *store;
	struct worker *worker;
	struct event *wake;
	journal_note_cb *note;
	void *note_arg;
	journal_ready_cb *ready;
	void *ready_arg;
};

static void
tell(struct journal *j, const struct told *t)
{
	switch (t->what) {
	case TOLD_APPENDED:
		if (t->page.cb != NULL)
			t->page.cb(t->page.arg, t->page.page, &t->page.result);
		break;
	case TOLD_READ:
		t->read.cb(t->read.arg, t->read.batch,
		    t->read.err.kind == ERR_NONE ? NULL : &t->read.err);
		break;
	case TOLD_NOTE:
		if (j->note != NULL)
			j->note(j->note_arg, t->note.note, t->note.state, t->note.text);
		break;
	case TOLD_READY:
		if (j->ready != NULL)
			j->ready(j->ready_arg, t->ready);
		break;
	case TOLD_WORKED:
		t->worked.cb(t->worked.arg, t->worked.task,
		    t->worked.err.kind == ERR_NONE ? NULL : &t->worked.err);
		break;
	case TOLD_LET_GO:
		break; /* told_free() does it */
	}
}

/* The eventfd stays readable while something is left, so the loop comes back by itself. */
static void
journal_on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct journal *j = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < TOLD_PER_TURN; i++) {
		struct told *t = outbox_take(j->out);

		if (t == NULL)
			return;
		tell(j, t);
		if (t->what == TOLD_READ)
			t->read.batch = NULL; /* the receiver owns it now */
		if (t->what == TOLD_WORKED)
			t->worked.task = NULL; /* likewise */
		told_free(t);
	}
}

/* ---- life cycle ---------------------------------------------------------- */

static bool
watch(struct journal *j, struct event_base *base, struct err *err)
{
	j->wake = event_new(base, outbox_fd(j->out), EV_READ | EV_PERSIST, journal_on_wake, j);
	if (j->wake == NULL || event_add(j->wake, NULL) < 0)
		return err_set(err, ERR_TEMP, "cannot watch an eventfd");
	return true;
}

static bool
start(struct journal *j, const struct journal_opts *opts, struct err *err)
{
	j->out = outbox_new(err);
	if (j->out == NULL)
		return false;
	j->store = j->engine->open(opts, j->registry, j->out, err);
	if (j->store == NULL)
		return false;
	j->worker = worker_start(j->engine, j->store, j->out, err);
	return j->worker != NULL && watch(j, opts->base, err);
}

struct journal *
journal_open(const struct journal_engine *engine, const struct journal_opts *opts,
    journal_note_cb *note, void *arg, struct err *err)
{
	struct journal *j = xcalloc(1, sizeof(*j));

	j->engine = engine;
	j->clock = opts->clock;
	j->note = note;
	j->note_arg = arg;
	j->registry = registry_new();
	if (start(j, opts, err))
		return j;
	journal_close(j);
	err_wrap(err, "journal");
	return NULL;
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	worker_stop(j->worker);
	if (j->store != NULL)
		j->engine->close(j->store);
	if (j->wake != NULL)
		event_free(j->wake);
	outbox_free(j->out);
	registry_free(j->registry);
	free(j);
}

enum journal_state
journal_state(const struct journal *j)
{
	return registry_state(j->registry);
}

struct store *
journal_store_peek(struct journal *j)
{
	return j->store;
}

/* ---- names --------------------------------------------------------------- */

uint32_t
journal_stream(struct journal *j, const char *key, const char *about)
{
	return registry_stream(j->registry, key, about != NULL ? about : "");
}

uint32_t
journal_stream_find(const struct journal *j, const char *key)
{
	return registry_stream_find(j->registry, key);
}

const char *
journal_stream_key(const struct journal *j, uint32_t stream)
{
	return registry_stream_key(j->registry, stream);
}

const char *
journal_stream_about(const struct journal *j, uint32_t stream)
{
	return registry_stream_about(j->registry, stream);
}

uint32_t
journal_streams(const struct journal *j)
{
	return registry_streams(j->registry);
}

bool
journal_cursor(const struct journal *j, uint32_t stream, const char *reader,
    struct journal_cursor *c)
{
	return registry_cursor(j->registry, stream, reader, c);
}

void
journal_window(struct journal *j, uint32_t stream, int64_t from)
{
	registry_say_window(j->registry, stream, from);
}

uint32_t
journal_sink(struct journal *j, const char *name)
{
	return registry_sink(j->registry, name);
}

void
journal_sinks_declare(struct journal *j, const char *const *names, size_t n)
{
	registry_declare(j->registry, names, n, clock_wall(j->clock));
	worker_save(j->worker);
}

bool
journal_sink_forget(struct journal *j, const char *name)
{
	if (!registry_forget(j->registry, name))
		return false;
	worker_save(j->worker);
	return true;
}

bool
journal_sink_is_known(const struct journal *j, const char *name)
{
	return registry_is_known(j->registry, name);
}

uint32_t
journal_sink_find(const struct journal *j, const char *name)
{
	return registry_sink_find(j->registry, name);
}

const char *
journal_sink_name(const struct journal *j, uint32_t sink)
{
	return registry_sink_name(j->registry, sink);
}

void
journal_sink_park(struct journal *j, uint32_t sink, bool is_parked)
{
	registry_park(j->registry, sink, is_parked);
	worker_save(j->worker);
}

/* ---- periods ------------------------------------------------------------- */

uint32_t
journal_sink_since(struct journal *j, const char *name, const struct journal_period *periods,
    size_t n)
{
	uint32_t sink = registry_sink_since(j->registry, name, periods, n);

	worker_save(j->worker);
	return sink;
}

uint64_t
journal_period_add(struct journal *j, const struct journal_period *what)
{
	uint64_t number = periods_add(registry_periods(j->registry), what);

	worker_save(j->worker);
	return number;
}

void
journal_sink_resend(struct journal *j, uint32_t sink, const struct journal_period *periods, size_t n)
{
	periods_hold(registry_periods(j->registry), sink, periods, n);
	worker_save(j->worker);
}

bool
journal_period_cancel(struct journal *j, uint64_t number)
{
	if (!periods_cancel(registry_periods(j->registry), number))
		return false;
	worker_save(j->worker);
	return true;
}

bool
journal_period_find(const struct journal *j, uint64_t number, struct journal_period *out)
{
	return periods_find(registry_periods(j->registry), number, out);
}

bool
journal_period_next(const struct journal *j, uint32_t stream, uint64_t after,
    struct journal_period *out)
{
	return periods_next(registry_periods(j->registry), stream, after, out);
}

size_t
journal_periods_open(const struct journal *j, uint32_t sink)
{
	return periods_open(registry_periods(j->registry), sink);
}

size_t
journal_periods(const struct journal *j, struct journal_period *out, size_t max)
{
	return periods_list(registry_periods(j->registry), out, max);
}

/* ---- work ---------------------------------------------------------------- */

void
journal_append(struct journal *j, struct journal_page *taken, journal_appended_cb *cb, void *arg)
{
	worker_append(j->worker, taken, cb, arg);
}

void
journal_read(struct journal *j, uint32_t sink, size_t max, size_t max_bytes, journal_read_cb *cb,
    void *arg)
{
	worker_read(j->worker, sink, max, max_bytes, cb, arg);
}

void
journal_look(struct journal *j, uint32_t sink, size_t max, journal_read_cb *cb, void *arg)
{
	worker_look(j->worker, sink, max, cb, arg);
}

void
journal_letters(struct journal *j, const struct journal_letters_ask *ask, journal_read_cb *cb,
    void *arg)
{
	worker_letters(j->worker, ask, cb, arg);
}

void
journal_work(struct journal *j, struct journal_task *taken, journal_task_cb *cb, void *arg)
{
	if (taken->what == JOURNAL_PURGE)
		for (size_t i = 0; i < taken->which.nstreams && taken->phase == 0; i++)
			registry_purge_stream(j->registry, taken->which.streams[i]);
	worker_work(j->worker, taken, cb, arg);
}

bool
journal_purge_left(const struct journal *j, struct journal_filter *which)
{
	return registry_purge_left(j->registry, which);
}

bool
journal_filter_has(const struct journal_filter *f, uint32_t stream)
{
	bool has = f->nstreams == 0;

	for (size_t i = 0; i < f->nstreams && !has; i++)
		has = f->streams[i] == stream;
	return has;
}

void
journal_rewind(struct journal *j, uint32_t sink)
{
	worker_rewind(j->worker, sink);
}

void
journal_settle(struct journal *j, uint32_t sink, const struct journal_mark *marks, size_t n)
{
	if (n > 0)
		worker_settle(j->worker, sink, marks, n);
}

void
journal_on_ready(struct journal *j, journal_ready_cb *cb, void *arg)
{
	j->ready = cb;
	j->ready_arg = arg;
}

/* ---- figures ------------------------------------------------------------- */

size_t
journal_backlogs(const struct journal *j, struct journal_backlog *out, size_t max)
{
	return registry_backlogs(j->registry, out, max);
}

bool
journal_backlog_of(const struct journal *j, uint32_t sink, struct journal_backlog *out)
{
	return registry_backlog_of(j->registry, sink, out);
}

void
journal_stats(const struct journal *j, struct journal_stats *out)
{
	registry_stats(j->registry, out);
}
