/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/str.h"

/* fuzz_input: what a fuzzer was given, taken in pieces; what is over is 0 and "". */
struct input {
	const uint8_t *p, *end;
	struct arena *longer; /* texts that repeat are made there; NULL: none do */
};

static inline unsigned
take_byte(struct input *in)
{
	return in->p < in->end ? *in->p++ : 0;
}

static inline struct str
take_bytes(struct input *in, size_t n)
{
	size_t left = (size_t)(in->end - in->p);
	struct str s = { (const char *)in->p, n < left ? n : left };

	in->p += s.n;
	return s;
}

/* 16 bytes, two to 17 times, or so often that no limit is kept. */
static inline struct str
take_repeated(struct input *in, unsigned how)
{
	unsigned times = how == 255 ? 300 : how - 238;
	struct str s = take_bytes(in, 16);
	char *text = arena_bytes(in->longer, s.n * times + 1);

	for (unsigned i = 0; i < times; i++)
		memcpy(text + i * s.n, s.s, s.n);
	return (struct str){ text, s.n * times };
}

/* A byte that says how long, then the text; above 239 it repeats, where such are made. */
static inline struct str
take_text(struct input *in)
{
	unsigned n = take_byte(in);

	return n > 239 && in->longer != NULL ? take_repeated(in, n) : take_bytes(in, n);
}

static inline struct str
take_rest(struct input *in)
{
	return take_bytes(in, (size_t)(in->end - in->p));
}

static inline void
any_texts(struct input *in, struct str *const *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*fields[i] = take_text(in);
}

#endif
