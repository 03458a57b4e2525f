/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/errands.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "daemon/timer.h"
#include "lib/base/alloc.h"

struct errand {
	TAILQ_ENTRY(errand) link;
	struct errands *all;
	uint64_t number;
	bool is_done;
	struct journal_batch *letters;
	struct journal_task task; /* as the last step left it */
	bool is_work;
	struct journal_task *waiting; /* the same, until the timer fires; else NULL */
	struct timer timer;
	int64_t waited; /* ms */
	struct err err;
	errand_done_cb *done;
	void *done_arg;
};

struct errands {
	const struct engine_env *env;
	struct journal *journal;
	TAILQ_HEAD(, errand) list; /* the oldest first */
	size_t n;
	uint64_t last; /* number given */
};

static void
errand_free(struct errands *e, struct errand *x)
{
	TAILQ_REMOVE(&e->list, x, link);
	e->n--;
	timer_unset(e->env->timers, &x->timer);
	free(x->waiting);
	journal_batch_free(x->letters);
	free(x);
}

static void on_waited(void *arg);

/* Makes room for one; NULL: all are under way. */
static struct errand *
errand_new(struct errands *e)
{
	struct errand *x;

	TAILQ_FOREACH(x, &e->list, link) {
		if (e->n < ERRANDS_MOST || x->is_done)
			break;
	}
	if (e->n >= ERRANDS_MOST && x == NULL)
		return NULL;
	if (e->n >= ERRANDS_MOST)
		errand_free(e, x);
	x = xcalloc(1, sizeof(*x));
	x->all = e;
	x->number = ++e->last;
	timer_init(&x->timer, on_waited, x);
	TAILQ_INSERT_TAIL(&e->list, x, link);
	e->n++;
	return x;
}

static void
finish(struct errand *x, const struct err *err)
{
	x->is_done = true;
	if (err != NULL)
		x->err = *err;
	if (x->done != NULL)
		x->done(x->done_arg, &x->task, err);
}

/* ---- what the journal answers ---------------------------------------------- */

static void
on_letters(void *arg, struct journal_batch *taken, const struct err *err)
{
	struct errand *x = arg;

	x->letters = taken;
	finish(x, err);
}

static void
on_step(void *arg, struct journal_task *taken, const struct err *err)
{
	struct errand *x = arg;

	x->task = *taken;
	if (err != NULL || taken->is_over) {
		free(taken);
		finish(x, err);
	} else if (taken->waiting > 0) {
		x->waiting = taken;
		timer_set(x->all->env->timers, &x->timer, ERRANDS_WAIT_MS);
	} else {
		journal_work(x->all->journal, taken, on_step, x);
	}
}

static void
on_waited(void *arg)
{
	struct errand *x = arg;
	struct journal_task *task = x->waiting;

	x->waiting = NULL;
	x->waited += ERRANDS_WAIT_MS;
	task->is_forced = x->waited >= ERRANDS_PATIENCE_MS;
	journal_work(x->all->journal, task, on_step, x);
}

/* ---- asking ------------------------------------------------------------------ */

uint64_t
errands_look(struct errands *e, const struct journal_letters_ask *ask)
{
	struct errand *x = errand_new(e);

	if (x == NULL)
		return 0;
	journal_letters(e->journal, ask, on_letters, x);
	return x->number;
}

uint64_t
errands_work(struct errands *e, const struct journal_task *task, errand_done_cb *done, void *arg)
{
	struct errand *x = errand_new(e);

	if (x == NULL)
		return 0;
	x->is_work = true;
	x->task = *task;
	x->done = done;
	x->done_arg = arg;
	journal_work(e->journal, xmemdup(task, sizeof(*task)), on_step, x);
	return x->number;
}

static struct errand *
errand_find(const struct errands *e, uint64_t number)
{
	struct errand *x;

	TAILQ_FOREACH(x, &e->list, link) {
		if (x->number == number)
			return x;
	}
	return NULL;
}

void
errands_forget(struct errands *e, uint64_t number)
{
	struct errand *x = errand_find(e, number);

	if (x != NULL && x->is_done)
		errand_free(e, x);
}

bool
errands_see(const struct errands *e, uint64_t number, struct errand_view *out)
{
	const struct errand *x = errand_find(e, number);

	if (x == NULL)
		return false;
	*out = (struct errand_view){ .is_done = x->is_done, .letters = x->letters,
		.task = x->is_work ? &x->task : NULL,
		.err = x->err.kind != ERR_NONE ? &x->err : NULL };
	return true;
}

/* ---- life ----------------------------------------------------------------------- */

struct errands *
errands_new(const struct engine_env *env, struct journal *j)
{
	struct errands *e = xcalloc(1, sizeof(*e));

	e->env = env;
	e->journal = j;
	TAILQ_INIT(&e->list);
	return e;
}

void
errands_free(struct errands *e)
{
	if (e == NULL)
		return;
	while (!TAILQ_EMPTY(&e->list))
		errand_free(e, TAILQ_FIRST(&e->list));
	free(e);
}
