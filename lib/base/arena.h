/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

#include "lib/base/str.h"

/*
 * arena: memory that is given back all at once.
 *
 * For the parts of one object that live and die with it: the strings and the
 * evidence of a record, the nodes of a configuration. Not bounded by itself:
 * whoever fills it bounds its input.
 */
struct arena_block;

struct arena {
	struct arena_block *blocks;
	char *p, *end; /* free room in the newest block */
	size_t used;   /* bytes handed out, for budgets */
};

void arena_init(struct arena *a);
void arena_release(struct arena *a);
/* Aligned for any object, zeroed. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((returns_nonnull));
/* n unaligned bytes, not zeroed: for text. */
char *arena_bytes(struct arena *a, size_t n) __attribute__((returns_nonnull));
/* Gives back the tail of the piece handed out last: n of its bytes were not needed. */
void arena_trim(struct arena *a, size_t n);
/* NUL-terminated copies. */
char *arena_strdup(struct arena *a, const char *s) __attribute__((returns_nonnull));
struct str arena_copy(struct arena *a, struct str s);

#endif
