/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>

struct event_base;
struct loop;

/*
 * loop: what belongs to one turn of the event loop: things to do and to free
 * after the callback that is running now has returned.
 *
 * Nothing that is reachable from a callback is freed during the callback.
 */
struct loop *loop_new(struct event_base *base);
/* Runs what is still deferred, then frees. */
void loop_free(struct loop *l);

/* fn(obj) later in this turn or the next, once, in order of asking. */
void loop_defer(struct loop *l, void (*fn)(void *obj), void *obj);
/* Forgets deferred calls of that fn with that obj. */
void loop_forget(struct loop *l, void (*fn)(void *obj), void *obj);
/* The same as loop_defer, but after all deferred calls of the turn: for free(). */
void loop_defer_free(struct loop *l, void (*fn)(void *obj), void *obj);

#endif
