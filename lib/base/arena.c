/* SPDX-License-Identifier: Apache-2.0 */
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/arena.h"

#define BLOCK_MIN (4096 - sizeof(struct arena_block))

struct arena_block {
	struct arena_block *next;
	alignas(max_align_t) char bytes[];
};

void
arena_init(struct arena *a)
{
	*a = (struct arena){ 0 };
}

void
arena_release(struct arena *a)
{
	while (a->blocks != NULL) {
		struct arena_block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
	arena_init(a);
}

char *
arena_bytes(struct arena *a, size_t n)
{
	char *p = a->p;

	if (p == NULL || n > (size_t)(a->end - p)) {
		size_t size = n > BLOCK_MIN ? n : BLOCK_MIN;
		struct arena_block *b = xmalloc(sizeof(*b) + size);

		b->next = a->blocks;
		a->blocks = b;
		p = b->bytes;
		a->end = p + size;
	}
	a->p = p + n;
	a->used += n;
	return p;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	size_t align = alignof(max_align_t);
	size_t pad = a->p != NULL ? (size_t)(-(uintptr_t)a->p & (align - 1)) : 0;

	if (a->p != NULL && pad <= (size_t)(a->end - a->p))
		a->p += pad;
	else
		a->p = a->end = NULL;
	return memset(arena_bytes(a, n), 0, n);
}

void
arena_trim(struct arena *a, size_t n)
{
	a->p -= n;
	a->used -= n;
}

struct str
arena_copy(struct arena *a, struct str s)
{
	char *p = arena_bytes(a, s.n + 1);

	if (s.n != 0)
		memcpy(p, s.s, s.n);
	p[s.n] = '\0';
	return (struct str){ p, s.n };
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return (char *)arena_copy(a, str_of(s)).s;
}
