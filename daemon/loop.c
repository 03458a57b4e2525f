/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loop.h"

#include <sys/queue.h>

#include <event2/event.h>

#include "lib/base/alloc.h"

struct deferred {
	TAILQ_ENTRY(deferred) link;
	void (*fn)(void *obj);
	void *obj;
};
TAILQ_HEAD(deferred_list, deferred);

struct loop {
	struct event *turn;
	struct deferred_list calls, frees;         /* asked for */
	struct deferred_list calls_due, frees_due; /* of the turn that is running */
};

/* Reads the head anew each time: what runs may forget what comes after it. */
static void
run_list(struct deferred_list *list)
{
	struct deferred *d;

	while (!TAILQ_EMPTY(list)) {
		d = TAILQ_FIRST(list);
		TAILQ_REMOVE(list, d, link);
		d->fn(d->obj);
		free(d);
	}
}

/* What is asked for meanwhile waits for the next turn, so that sockets get theirs in between. */
static void
run_turn(struct loop *l)
{
	TAILQ_CONCAT(&l->calls_due, &l->calls, link);
	TAILQ_CONCAT(&l->frees_due, &l->frees, link);
	run_list(&l->calls_due);
	run_list(&l->frees_due);
}

static bool
is_idle(const struct loop *l)
{
	return TAILQ_EMPTY(&l->calls) && TAILQ_EMPTY(&l->frees);
}

static void
loop_on_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	run_turn(arg);
}

/*
 * A timer of zero and not event_active(): an event that activates itself runs
 * again before the sockets are asked, and starves them.
 */
static void
ask(struct loop *l, struct deferred_list *list, void (*fn)(void *obj), void *obj)
{
	static const struct timeval now = { 0, 0 };
	struct deferred *d = xmalloc(sizeof(*d));

	*d = (struct deferred){ .fn = fn, .obj = obj };
	TAILQ_INSERT_TAIL(list, d, link);
	if (!evtimer_pending(l->turn, NULL) && evtimer_add(l->turn, &now) != 0)
		BUG("no timer for deferred calls");
}

static void
forget(struct deferred_list *list, void (*fn)(void *obj), const void *obj)
{
	struct deferred *d, *next;

	for (d = TAILQ_FIRST(list); d != NULL; d = next) {
		next = TAILQ_NEXT(d, link);
		if (d->fn != fn || d->obj != obj)
			continue;
		TAILQ_REMOVE(list, d, link);
		free(d);
	}
}

struct loop *
loop_new(struct event_base *base)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	TAILQ_INIT(&l->calls);
	TAILQ_INIT(&l->frees);
	TAILQ_INIT(&l->calls_due);
	TAILQ_INIT(&l->frees_due);
	l->turn = evtimer_new(base, loop_on_turn, l);
	BUG_IF(l->turn == NULL);
	return l;
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	while (!is_idle(l))
		run_turn(l);
	event_free(l->turn);
	free(l);
}

void
loop_defer(struct loop *l, void (*fn)(void *obj), void *obj)
{
	ask(l, &l->calls, fn, obj);
}

void
loop_defer_free(struct loop *l, void (*fn)(void *obj), void *obj)
{
	ask(l, &l->frees, fn, obj);
}

void
loop_forget(struct loop *l, void (*fn)(void *obj), void *obj)
{
	forget(&l->calls, fn, obj);
	forget(&l->calls_due, fn, obj);
}
