/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "daemon/journal/readers.h"
#include "daemon/journal/recent.h"
#include "daemon/journal/worker.h"
#include "lib/base/alloc.h"

#define PAGE_WAIT_MS   10
#define MARK_WAIT_MS   250
#define RETRY_WAIT_MS  1000
#define GROUP_PAGES    16
#define GROUP_ENTRIES  400
#define MEMO_MAX       4096
#define WHY_MAX        1000
#define NEVER          INT64_MAX

enum job_what { JOB_APPEND, JOB_SETTLE, JOB_READ, JOB_LOOK, JOB_REWIND, JOB_SAVE, JOB_LETTERS,
	JOB_WORK };

struct job {
	STAILQ_ENTRY(job) link;
	enum job_what what;
	struct told *answer; /* of append and read, made beforehand */
	uint32_t sink;
	size_t max, max_bytes;
	struct mark_job *marks;
	size_t nmarks;
	struct journal_letters_ask ask;
};

STAILQ_HEAD(job_list, job);

struct worker {
	const struct journal_engine *engine;
	struct store *store;
	struct outbox *out;
	struct batch_pool *pool;
	struct recent *recent;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job_list jobs, appends; /* under lock */
	bool is_stopping;     /* under lock */
	/* The thread's own: what is stored together next. */
	struct told *pages[GROUP_PAGES];
	size_t npages, nentries;
	struct mark_job *marks;
	size_t nmarks, room;
	int64_t due; /* when, at the latest */
	struct readers readers;
	bool is_save_asked;
};

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- the group ----------------------------------------------------------- */

static void
due_within(struct worker *w, int64_t ms)
{
	int64_t at = now_ms() + ms;

	if (at < w->due)
		w->due = at;
}

static void
marks_free(struct mark_job *marks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(marks[i].why);
		free(marks[i].memo);
	}
}

static void
flush(struct worker *w)
{
	struct page_job *pages[GROUP_PAGES];
	size_t npages = w->npages, nentries = w->nentries;

	w->due = NEVER;
	if (npages == 0 && w->nmarks == 0 && !w->is_save_asked)
		return;
	for (size_t i = 0; i < npages; i++)
		pages[i] = &w->pages[i]->page;
	w->npages = w->nentries = 0;
	w->is_save_asked = false;
	if (w->engine->write(w->store, pages, npages, w->marks, w->nmarks)) {
		marks_free(w->marks, w->nmarks);
		w->nmarks = 0;
	} else {
		due_within(w, RETRY_WAIT_MS);
	}
	if (npages > 0)
		readers_stored(&w->readers, nentries, now_ms());
	for (size_t i = 0; i < npages; i++) {
		struct told *t = w->pages[i];

		if (t->page.result.ok)
			t->kept = recent_add(w->recent, t->page.page, now_ms());
		outbox_put(w->out, t);
	}
}

static void
add_page(struct worker *w, struct told *answer)
{
	const struct journal_page *page = answer->page.page;

	w->pages[w->npages++] = answer;
	w->nentries += page->n;
	if (page->is_full || w->npages == GROUP_PAGES || w->nentries >= GROUP_ENTRIES)
		flush(w);
	else
		due_within(w, PAGE_WAIT_MS);
}

static void
add_marks(struct worker *w, struct job *job)
{
	if (w->nmarks + job->nmarks > w->room) {
		w->room = 2 * (w->nmarks + job->nmarks);
		w->marks = xreallocarray(w->marks, w->room, sizeof(*w->marks));
	}
	for (size_t i = 0; i < job->nmarks; i++) {
		w->engine->settled(w->store, &job->marks[i]);
		w->marks[w->nmarks++] = job->marks[i];
	}
	free(job->marks);
	due_within(w, MARK_WAIT_MS);
}

/* ---- the thread ---------------------------------------------------------- */

static void
note_read(struct worker *w, uint32_t sink, const struct journal_batch *b)
{
	uint64_t last = recent_last(w->recent);

	if (b->has_more)
		last = b->n > 0 ? b->items[b->n - 1].pos.seq : 0;
	readers_note(&w->readers, sink, last, now_ms());
}

/* A failure always says its kind. */
static void
failed(struct err *err)
{
	if (err->kind == ERR_NONE)
		err->kind = ERR_TEMP;
}

static void
read_now(struct worker *w, struct job *job)
{
	struct told *t = job->answer;

	t->read.batch = batch_new(w->pool, w->recent, job->max);
	if (!w->engine->read(w->store, job->sink, job->max, job->max_bytes, t->read.batch,
	    &t->read.err))
		failed(&t->read.err);
	note_read(w, job->sink, t->read.batch);
	outbox_put(w->out, t);
}

/* Marks that are not stored yet are a part of what is to be seen. */
static void
look_now(struct worker *w, struct job *job)
{
	struct told *t = job->answer;

	flush(w);
	t->read.batch = batch_new(w->pool, w->recent, job->max);
	if (!w->engine->look(w->store, job->sink, job->max, t->read.batch, &t->read.err))
		failed(&t->read.err);
	outbox_put(w->out, t);
}

static void
letters_now(struct worker *w, struct job *job)
{
	struct told *t = job->answer;

	flush(w);
	t->read.batch = batch_new(w->pool, w->recent, job->ask.max);
	if (!w->engine->letters(w->store, &job->ask, t->read.batch, &t->read.err))
		failed(&t->read.err);
	outbox_put(w->out, t);
}

static void
work_now(struct worker *w, struct job *job)
{
	struct told *t = job->answer;

	flush(w);
	if (!w->engine->work(w->store, t->worked.task, &t->worked.err))
		failed(&t->worked.err);
	outbox_put(w->out, t);
}

static void
do_job(struct worker *w, struct job *job)
{
	switch (job->what) {
	case JOB_APPEND:
		add_page(w, job->answer);
		break;
	case JOB_SETTLE:
		add_marks(w, job);
		break;
	case JOB_READ:
		read_now(w, job);
		break;
	case JOB_LOOK:
		look_now(w, job);
		break;
	case JOB_REWIND:
		flush(w);
		w->engine->rewind(w->store, job->sink);
		break;
	case JOB_SAVE:
		w->is_save_asked = true;
		due_within(w, PAGE_WAIT_MS);
		break;
	case JOB_LETTERS:
		letters_now(w, job);
		break;
	case JOB_WORK:
		work_now(w, job);
		break;
	}
	free(job);
}

/*
 * Waits for a job or the time. Takes all but appends, of which it takes one: what sinks ask for
 * does not wait behind a backlog of pages, and then finds what was stored last still in memory.
 * True when the work is to end.
 */
static bool
wait_for_jobs(struct worker *w, int64_t until, struct job_list *taken)
{
	int64_t held_until = readers_wait(&w->readers, w->recent, now_ms());
	int64_t end = held_until > 0 && held_until < until ? held_until : until;
	bool is_held = held_until > 0, is_stopping;
	struct timespec ts = { .tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000 };
	struct job *append;
	int rc = 0;

	pthread_mutex_lock(&w->lock);
	while (STAILQ_EMPTY(&w->jobs) && (is_held || STAILQ_EMPTY(&w->appends)) && !w->is_stopping
	    && rc == 0)
		rc = pthread_cond_timedwait(&w->wake, &w->lock, &ts);
	STAILQ_CONCAT(taken, &w->jobs);
	append = is_held && !w->is_stopping ? NULL : STAILQ_FIRST(&w->appends);
	if (append != NULL) {
		STAILQ_REMOVE_HEAD(&w->appends, link);
		STAILQ_INSERT_TAIL(taken, append, link);
	}
	is_stopping = w->is_stopping && STAILQ_EMPTY(&w->appends);
	pthread_mutex_unlock(&w->lock);
	return is_stopping;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct job_list taken = STAILQ_HEAD_INITIALIZER(taken);
	int64_t next_tick = 0;
	bool is_stopping;

	do {
		is_stopping = wait_for_jobs(w, w->due < next_tick ? w->due : next_tick, &taken);
		while (!STAILQ_EMPTY(&taken)) {
			struct job *job = STAILQ_FIRST(&taken);

			STAILQ_REMOVE_HEAD(&taken, link);
			do_job(w, job);
		}
		if (is_stopping || now_ms() >= w->due)
			flush(w);
		if (!is_stopping && now_ms() >= next_tick)
			next_tick = now_ms() + w->engine->tick(w->store);
		recent_age(w->recent, now_ms());
	} while (!is_stopping);
	return NULL;
}

static int
start_thread(struct worker *w)
{
	sigset_t all, old;
	int rc;

	/* Signals are the loop's affair. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

struct worker *
worker_start(const struct journal_engine *engine, struct store *store, struct outbox *out,
    struct err *err)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	pthread_condattr_t attr;
	int rc;

	w->engine = engine;
	w->store = store;
	w->out = out;
	w->pool = batch_pool_new();
	w->recent = recent_new(out);
	w->due = NEVER;
	STAILQ_INIT(&w->jobs);
	STAILQ_INIT(&w->appends);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	rc = start_thread(w);
	if (rc == 0)
		return w;
	batch_pool_unref(w->pool);
	recent_free(w->recent);
	free(w);
	err_sys(err, ERR_TEMP, rc, "cannot start the journal's thread");
	return NULL;
}

void
worker_stop(struct worker *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->is_stopping = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	marks_free(w->marks, w->nmarks);
	free(w->marks);
	batch_pool_unref(w->pool);
	recent_free(w->recent);
	readers_release(&w->readers);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* ---- the loop's side ----------------------------------------------------- */

static void
put(struct worker *w, struct job *taken)
{
	bool is_page = taken->what == JOB_APPEND || taken->what == JOB_WORK;
	struct job_list *list = is_page ? &w->appends : &w->jobs;

	pthread_mutex_lock(&w->lock);
	if (STAILQ_EMPTY(list))
		pthread_cond_signal(&w->wake);
	STAILQ_INSERT_TAIL(list, taken, link);
	pthread_mutex_unlock(&w->lock);
}

static struct job *
job_new(enum job_what what, uint32_t sink)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->what = what;
	job->sink = sink;
	return job;
}

void
worker_append(struct worker *w, struct journal_page *taken, journal_appended_cb *cb, void *arg)
{
	struct job *job = job_new(JOB_APPEND, 0);

	job->answer = xcalloc(1, sizeof(*job->answer));
	job->answer->what = TOLD_APPENDED;
	job->answer->page.page = taken;
	job->answer->page.cb = cb;
	job->answer->page.arg = arg;
	put(w, job);
}

static char *
copy_text(const char *text, size_t max)
{
	size_t n = text == NULL ? 0 : strlen(text);

	return text == NULL ? NULL : xstrndup(text, n < max ? n : utf8_cut(text, n, max));
}

void
worker_settle(struct worker *w, uint32_t sink, const struct journal_mark *marks, size_t n)
{
	struct job *job = job_new(JOB_SETTLE, sink);

	job->marks = xcalloc(n, sizeof(*job->marks));
	job->nmarks = n;
	for (size_t i = 0; i < n; i++)
		job->marks[i] = (struct mark_job) {
			.sink = sink,
			.seq = marks[i].pos.seq,
			.what = marks[i].what,
			.tries = marks[i].tries,
			.due = marks[i].due,
			.why = marks[i].what == MARK_OK ? NULL : copy_text(marks[i].why, WHY_MAX),
			.memo = marks[i].what == MARK_LATER ? copy_text(marks[i].memo, MEMO_MAX)
			                                    : NULL,
		};
	put(w, job);
}

static struct job *
reading_new(enum job_what what, uint32_t sink, size_t max, journal_read_cb *cb, void *arg)
{
	struct job *job = job_new(what, sink);

	job->max = max;
	job->answer = xcalloc(1, sizeof(*job->answer));
	job->answer->what = TOLD_READ;
	job->answer->read.cb = cb;
	job->answer->read.arg = arg;
	return job;
}

void
worker_read(struct worker *w, uint32_t sink, size_t max, size_t max_bytes, journal_read_cb *cb,
    void *arg)
{
	struct job *job = reading_new(JOB_READ, sink, max, cb, arg);

	job->max_bytes = max_bytes;
	put(w, job);
}

void
worker_look(struct worker *w, uint32_t sink, size_t max, journal_read_cb *cb, void *arg)
{
	put(w, reading_new(JOB_LOOK, sink, max, cb, arg));
}

void
worker_letters(struct worker *w, const struct journal_letters_ask *ask, journal_read_cb *cb,
    void *arg)
{
	struct job *job = reading_new(JOB_LETTERS, 0, ask->max, cb, arg);

	job->ask = *ask;
	put(w, job);
}

void
worker_work(struct worker *w, struct journal_task *taken, journal_task_cb *cb, void *arg)
{
	struct job *job = job_new(JOB_WORK, 0);

	job->answer = xcalloc(1, sizeof(*job->answer));
	job->answer->what = TOLD_WORKED;
	job->answer->worked.cb = cb;
	job->answer->worked.arg = arg;
	job->answer->worked.task = taken;
	put(w, job);
}

void
worker_rewind(struct worker *w, uint32_t sink)
{
	put(w, job_new(JOB_REWIND, sink));
}

void
worker_save(struct worker *w)
{
	put(w, job_new(JOB_SAVE, 0));
}
