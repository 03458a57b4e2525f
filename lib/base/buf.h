/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUF_H
#define BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/str.h"

/*
 * buf: bytes that grow, up to a size said beforehand.
 *
 * Promises
 *  - never holds more than max bytes. What would go over is not added, the buf
 *    is marked failed and stays so until buf_clear(): a chain of appends needs
 *    one check, buf_ok(), at its end.
 *  - p[n] is always a NUL once anything was appended, so p prints as a string.
 */
struct buf {
	char *p;
	size_t n;
	size_t room; /* allocated */
	size_t max;
	bool failed;
};

/* clang-format off */
#define BUF_INIT(limit) { .max = (limit) }
/* clang-format on */

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
/* Empties it and keeps the memory. */
void buf_clear(struct buf *b);
static inline bool
buf_ok(const struct buf *b)
{
	return !b->failed;
}

/* Makes room for n more bytes; false (and failed) when that would pass max. */
bool buf_room(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *p, size_t n);
static inline void
buf_byte(struct buf *b, char c)
{
	if (b->failed || b->n >= b->max || b->n + 2 > b->room) {
		buf_add(b, &c, 1);
		return;
	}
	b->p[b->n++] = c;
	b->p[b->n] = '\0';
}
void buf_puts(struct buf *b, const char *s);
static inline void
buf_str(struct buf *b, struct str s)
{
	buf_add(b, s.s, s.n);
}
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Decimal digits, faster than printf. */
void buf_int(struct buf *b, int64_t v);
/* Gives back the memory that was taken for more. */
void buf_fit(struct buf *b);
/* Cuts to n bytes. */
void buf_cut(struct buf *b, size_t n);
/* Hands the memory (NUL-terminated, from malloc) to the caller and starts anew. */
char *buf_take(struct buf *b);
static inline struct str
buf_peek(const struct buf *b)
{
	return (struct str){ b->p != NULL ? b->p : "", b->n };
}
/* Overwrites what it holds or held, then releases: for secrets. */
void buf_wipe(struct buf *b);

#endif
