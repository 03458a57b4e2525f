/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/fifo.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"

#define FIFO_FIRST 64   /* elements of the first piece of memory */
#define FIFO_KEEP  4096 /* a larger one is given back when it runs empty */

void
fifo_init(struct fifo *f, size_t size)
{
	*f = (struct fifo) { .size = size };
}

void
fifo_release(struct fifo *f)
{
	free(f->p);
	fifo_init(f, f->size);
}

static void
fifo_grow(struct fifo *f)
{
	size_t room = f->room == 0 ? FIFO_FIRST : f->room * 2;
	size_t tail = f->room - f->first; /* elements up to the end of the memory */
	char *p = xreallocarray(NULL, room, f->size);

	if (tail > f->n)
		tail = f->n;
	if (f->n > 0) {
		memcpy(p, f->p + f->first * f->size, tail * f->size);
		memcpy(p + tail * f->size, f->p, (f->n - tail) * f->size);
	}
	free(f->p);
	f->p = p;
	f->room = room;
	f->first = 0;
}

void *
fifo_push(struct fifo *f)
{
	if (f->n == f->room)
		fifo_grow(f);
	f->n++;
	return fifo_at(f, f->n - 1);
}

void *
fifo_at(const struct fifo *f, size_t i)
{
	return f->p + (f->first + i) % f->room * f->size;
}

void
fifo_drop(struct fifo *f, size_t n)
{
	BUG_IF(n > f->n);
	f->n -= n;
	if (f->n > 0)
		f->first = (f->first + n) % f->room;
	else if (f->room > FIFO_KEEP)
		fifo_release(f);
	else
		f->first = 0;
}
