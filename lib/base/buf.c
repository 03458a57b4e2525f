/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_release(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
	if (b->p != NULL)
		b->p[0] = '\0';
}

bool
buf_room(struct buf *b, size_t n)
{
	size_t want, room;

	if (b->failed || n > b->max - b->n) {
		b->failed = true;
		return false;
	}
	want = b->n + n + 1;
	if (want <= b->room)
		return true;
	room = b->room < 128 ? 128 : b->room + b->room / 2;
	if (room > b->max + 1)
		room = b->max + 1;
	if (room < want)
		room = want;
	b->p = xrealloc(b->p, room);
	b->room = room;
	return true;
}

void
buf_fit(struct buf *b)
{
	if (b->room <= b->n + 1)
		return;
	b->room = b->n + 1;
	b->p = xrealloc(b->p, b->room);
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	bool is_there = !b->failed && b->n + n < b->room && n <= b->max - b->n;

	if (!is_there && !buf_room(b, n))
		return;
	str_copy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || !buf_room(b, (size_t)n)) {
		b->failed = true;
		return;
	}
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	b->n += (size_t)n;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void
buf_int(struct buf *b, int64_t v)
{
	size_t n = str_int_n(v);

	if (!buf_room(b, n))
		return;
	str_int_put(b->p + b->n, n, v);
	b->n += n;
	b->p[b->n] = '\0';
}

void
buf_cut(struct buf *b, size_t n)
{
	if (n >= b->n)
		return;
	b->n = n;
	b->p[n] = '\0';
}

char *
buf_take(struct buf *b)
{
	char *p = b->p != NULL ? b->p : xstrdup("");

	buf_init(b, b->max);
	return p;
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->room);
	buf_release(b);
}
