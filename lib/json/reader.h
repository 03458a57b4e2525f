/* SPDX-License-Identifier: Apache-2.0 */
#ifndef READER_H
#define READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/str.h"

/*
 * reader: JSON text read value by value, in its order, without a tree.
 *
 * It knows nothing of alerts, and repairs nothing (repair.h does).
 *
 * Promises
 *  - strict RFC 8259, also in what is skipped: text that the reader went through
 *    is JSON, its strings well-formed UTF-8 without unpaired surrogates. Two
 *    things are left to the caller: duplicate names, and the size of numbers.
 *  - after the first fault every call fails and nothing moves any more: a chain
 *    of calls needs one check, jr_ok(), at its end.
 *  - no recursion. The caller's own depth is what it enters; jr_skip() goes
 *    through JR_DEPTH levels, deeper text is a fault.
 *  - a string without escapes points into the text, others into the arena; "\u0000"
 *    is a NUL byte in them.
 *
 * A struct jr is a small value: a copy of it is a bookmark to go back to.
 */
#define JR_DEPTH 65536

enum jr_type {
	JR_NONE, /* the end, or something that begins no value */
	JR_OBJECT,
	JR_ARRAY,
	JR_STRING,
	JR_NUMBER,
	JR_BOOL,
	JR_NULL,
};

struct jr {
	const char *start, *p, *end;
	struct arena *arena;
	const char *why; /* NULL while all is well */
	bool is_first;   /* no comma is due before the next member or element */
};

void jr_init(struct jr *r, struct str text, struct arena *arena);

static inline bool
jr_ok(const struct jr *r)
{
	return r->why == NULL;
}

/* Bytes before the place where the reader is: with a fault, where that is. */
static inline size_t
jr_place(const struct jr *r)
{
	return (size_t)(r->p - r->start);
}

/* What comes next; moves over white space only. */
enum jr_type jr_type(struct jr *r);

/*
 * Each of these reads the next value when it is of that type. Otherwise it is
 * false; the value is still there for another call.
 */
bool jr_enter_object(struct jr *r);
bool jr_enter_array(struct jr *r);
bool jr_string(struct jr *r, struct str *s);
bool jr_bool(struct jr *r, bool *v);
bool jr_null(struct jr *r);

/* False at the end (which it leaves behind) and at a fault. After true the value is to be read. */
bool jr_next_member(struct jr *r, struct str *name);
bool jr_next_element(struct jr *r);
/* The same, and quicker where the name is the one guessed: *name is then guess itself. */
bool jr_next_member_guess(struct jr *r, struct str guess, struct str *name);

/* The value's JSON text, of any type, for numbers too. */
bool jr_raw(struct jr *r, struct str *text);
bool jr_skip(struct jr *r);

/* True when nothing but white space is left. */
bool jr_end(struct jr *r);

/* An optional minus sign and digits that make an int64 exactly; false for anything else. */
bool jr_int64(struct str text, int64_t *v);

#endif
