/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FIFO_H
#define FIFO_H

#include <stddef.h>

/*
 * fifo: a queue of small things of one size, in one piece of memory that grows
 * by doubling and is given back when a large queue runs empty.
 *
 * It bounds nothing by itself: who pushes knows the bound. Pointers into it are
 * good until the next push or drop.
 */
struct fifo {
	char *p;
	size_t size; /* of one element */
	size_t first, n, room;
};

void fifo_init(struct fifo *f, size_t size);
void fifo_release(struct fifo *f);
/* Room for one more at the end. */
void *fifo_push(struct fifo *f) __attribute__((returns_nonnull));
/* The element at place i, 0 being the oldest; i < f->n. */
void *fifo_at(const struct fifo *f, size_t i);
/* Forgets the n oldest. */
void fifo_drop(struct fifo *f, size_t n);

#endif
