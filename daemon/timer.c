/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/timer.h"

#include <event2/event.h>

#include "lib/base/alloc.h"

/*
 * The loop's own clock stands still while the machine sleeps and ours does not:
 * looking this often bounds how late timers are after waking up.
 */
#define LONGEST_SLEEP_MS 10000
/* That clock also goes by ticks of 4 ms: without these it wakes us too early, time after time. */
#define TICK_MS 4
/* What is longer is never due, and can still be added to the clock. */
#define LONGEST_MS (INT64_MAX / 2)

struct timers {
	const struct clock *clock;
	struct event *wake;  /* NULL: tests run us */
	struct timer **heap; /* heap[slot - 1] */
	size_t n, room;
	uint64_t order; /* of the timer set last */
	bool is_running;
};

/* Timers due at the same time run in the order in which they were set. */
static bool
is_before(const struct timer *a, const struct timer *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void
place(struct timers *ts, struct timer *t, size_t i)
{
	ts->heap[i] = t;
	t->slot = i + 1;
}

static void
sift_up(struct timers *ts, size_t i)
{
	struct timer *t = ts->heap[i];

	while (i > 0 && is_before(t, ts->heap[(i - 1) / 2])) {
		place(ts, ts->heap[(i - 1) / 2], i);
		i = (i - 1) / 2;
	}
	place(ts, t, i);
}

static void
sift_down(struct timers *ts, size_t i)
{
	struct timer *t = ts->heap[i];
	size_t child;

	for (; i * 2 + 1 < ts->n; i = child) {
		child = i * 2 + 1;
		if (child + 1 < ts->n && is_before(ts->heap[child + 1], ts->heap[child]))
			child++;
		if (!is_before(ts->heap[child], t))
			break;
		place(ts, ts->heap[child], i);
	}
	place(ts, t, i);
}

static void
heap_add(struct timers *ts, struct timer *t)
{
	if (ts->n == ts->room) {
		ts->room = ts->room == 0 ? 64 : ts->room * 2;
		ts->heap = xreallocarray(ts->heap, ts->room, sizeof(*ts->heap));
	}
	ts->heap[ts->n++] = t;
	sift_up(ts, ts->n - 1);
}

static void
heap_remove(struct timers *ts, struct timer *t)
{
	size_t i = t->slot - 1;
	struct timer *last;

	BUG_IF(i >= ts->n || ts->heap[i] != t);
	last = ts->heap[--ts->n];
	t->slot = 0;
	if (last == t)
		return;
	place(ts, last, i);
	sift_up(ts, i);
	sift_down(ts, last->slot - 1);
}

static int64_t
next_in_ms(const struct timers *ts)
{
	int64_t in_ms;

	if (ts->n == 0)
		return -1;
	in_ms = ts->heap[0]->at - clock_mono(ts->clock);
	return in_ms > 0 ? in_ms : 0;
}

/* Sets the loop's timer to when we are needed next. */
static void
arm(struct timers *ts)
{
	int64_t in_ms = next_in_ms(ts);
	struct timeval tv;

	if (ts->wake == NULL || ts->is_running)
		return;
	if (in_ms < 0) {
		(void)evtimer_del(ts->wake);
		return;
	}
	if (in_ms > 0)
		in_ms += TICK_MS;
	if (in_ms > LONGEST_SLEEP_MS)
		in_ms = LONGEST_SLEEP_MS;
	tv = (struct timeval){ .tv_sec = in_ms / 1000, .tv_usec = in_ms % 1000 * 1000 };
	if (evtimer_add(ts->wake, &tv) != 0)
		BUG("no timer of the loop");
}

static void
timers_on_wake(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)timers_run(arg);
}

struct timers *
timers_new(struct event_base *base, const struct clock *clock)
{
	struct timers *ts = xcalloc(1, sizeof(*ts));

	ts->clock = clock;
	if (base != NULL) {
		ts->wake = evtimer_new(base, timers_on_wake, ts);
		BUG_IF(ts->wake == NULL);
	}
	return ts;
}

void
timers_free(struct timers *ts)
{
	if (ts == NULL)
		return;
	if (ts->wake != NULL)
		event_free(ts->wake);
	free(ts->heap);
	free(ts);
}

void
timer_set(struct timers *ts, struct timer *t, int64_t after_ms)
{
	struct timer *first = ts->n > 0 ? ts->heap[0] : NULL;

	if (t->slot != 0)
		heap_remove(ts, t);
	if (after_ms < 0)
		after_ms = 0;
	t->at = clock_mono(ts->clock) + (after_ms < LONGEST_MS ? after_ms : LONGEST_MS);
	t->order = ++ts->order;
	heap_add(ts, t);
	if (ts->heap[0] == t || first == t)
		arm(ts);
}

void
timer_unset(struct timers *ts, struct timer *t)
{
	if (t->slot == 0)
		return;
	heap_remove(ts, t);
	if (ts->n == 0)
		arm(ts);
}

/*
 * Timers that callbacks set now sort behind all that were due before, and wait
 * for the next run: a timer that sets itself to 0 cannot hold the loop.
 */
int64_t
timers_run(struct timers *ts)
{
	int64_t now = clock_mono(ts->clock);
	uint64_t newest = ts->order;
	struct timer *t;

	ts->is_running = true;
	while (ts->n > 0 && ts->heap[0]->at <= now && ts->heap[0]->order <= newest) {
		t = ts->heap[0];
		heap_remove(ts, t);
		t->fn(t->arg);
	}
	ts->is_running = false;
	arm(ts);
	return next_in_ms(ts);
}
