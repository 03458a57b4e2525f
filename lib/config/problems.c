/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/config/problems.h"

#define LINE_MAX_BYTES 2000

struct problem {
	struct place at;
	size_t number; /* keeps the order of those at one place */
	bool is_error;
	const char *line;
};

void
problems_init(struct problems *p)
{
	*p = (struct problems){ .n = 0 };
	arena_init(&p->arena);
}

void
problems_release(struct problems *p)
{
	free(p->v);
	arena_release(&p->arena);
	problems_init(p);
}

/* What a terminal or a log would act on, or who reads it not see, becomes a question mark. */
static void
clean(char *s, size_t n)
{
	uint32_t cp = 0, before;
	size_t kept = 0;

	for (size_t i = 0, len; i < n; i += len) {
		before = cp;
		len = utf8_next(s + i, n - i, &cp);
		if (len == 0 || utf8_is_control(cp) || utf8_is_deceiving(cp, before)) {
			s[kept++] = '?';
			len = len != 0 ? len : 1;
		} else {
			memmove(s + kept, s + i, len);
			kept += len;
		}
	}
	s[kept] = '\0';
}

PRINTF_LIKE(4, 0)
static char *
write_line(struct arena *a, const struct place *at, const char *path, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES];
	struct buf b = BUF_INIT(LINE_MAX_BYTES * 2);
	char *line;

	if (at->line != 0)
		buf_printf(&b, "%.400s:%u:%u: ", at->file, at->line, at->column);
	else
		buf_printf(&b, "%.400s: ", at->file);
	if (path[0] != '\0')
		buf_printf(&b, "%.400s: ", path);
	vsnprintf(text, sizeof(text), fmt, ap);
	buf_puts(&b, text);
	clean(b.p, b.n);
	line = arena_strdup(a, b.p);
	buf_release(&b);
	return line;
}

PRINTF_LIKE(5, 0)
static void
add(struct problems *p, bool is_error, const struct place *at, const char *path, const char *fmt,
    va_list ap)
{
	p->errors += is_error;
	if (p->n == PROBLEMS_MAX) {
		p->lost++;
		return;
	}
	if (p->n == p->room) {
		p->room = p->room == 0 ? 16 : p->room * 2;
		p->v = xreallocarray(p->v, p->room, sizeof(*p->v));
	}
	p->v[p->n] = (struct problem){ .at = *at,
		.number = p->n,
		.is_error = is_error,
		.line = write_line(&p->arena, at, path, fmt, ap) };
	p->n++;
}

void
problems_error(struct problems *p, const struct place *at, const char *path, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(p, true, at, path, fmt, ap);
	va_end(ap);
}

void
problems_warn(struct problems *p, const struct place *at, const char *path, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(p, false, at, path, fmt, ap);
	va_end(ap);
}

static int
by_number(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

static int
by_place(const void *x, const void *y)
{
	const struct problem *a = x, *b = y;
	int c = by_number(a->at.order, b->at.order);

	if (c == 0)
		c = by_number(a->at.line, b->at.line);
	if (c == 0)
		c = by_number(a->at.column, b->at.column);
	return c != 0 ? c : by_number(a->number, b->number);
}

void
problems_report(struct problems *p, problems_cb *cb, void *arg)
{
	char more[80];

	if (p->n != 0)
		qsort(p->v, p->n, sizeof(*p->v), by_place);
	for (size_t i = 0; i < p->n; i++)
		cb(arg, p->v[i].is_error, p->v[i].line);
	if (p->lost == 0)
		return;
	snprintf(
	    more, sizeof(more), "and %zu more; only the first %d are shown", p->lost, PROBLEMS_MAX);
	cb(arg, p->errors != 0, more);
}
