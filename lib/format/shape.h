/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHAPE_H
#define SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/str.h"
#include "lib/json/writer.h"

/*
 * shape: JSON objects written by tables: which field of a struct is which member.
 *
 * It knows nothing of alerts and of any schema; OCSF and ECS are its tables, and
 * docs/FORMATS.md is made from the same rows.
 *
 * Promises
 *  - an object or array begins with its first value: one that gets none is never
 *    written, and neither is an absent or empty text.
 *  - of two rows of one name, one after the other, the second is the spare.
 *  - text longer than text_max is cut at a character and ends with "...", but for
 *    what is asked to be whole.
 *  - a value with a mark is told to on_mark, with the path at which it stands.
 */
#define SHAPE_DEPTH 12

struct shape_frame {
	struct str name; /* absent: an element */
	unsigned index;  /* of the next element, in an array */
	bool is_array, is_open;
};

struct shape {
	struct jw w;
	struct shape_frame frame[SHAPE_DEPTH];
	unsigned depth;
	struct str last; /* the member written last, on any level */
	size_t text_max; /* 0: no limit */
	/* name is the member's, absent for an element: see shape_path(). */
	void (*on_mark)(struct shape *s, unsigned mark, struct str name, struct str value);
	void *arg;
};

void shape_init(struct shape *s, struct buf *out, void *arg);

/* Has the innermost object or array been begun? */
static inline bool
shape_is_open(const struct shape *s)
{
	return s->depth == 0 || s->frame[s->depth - 1].is_open;
}

/* Was the last member written this one? */
static inline bool
shape_is_last(const struct shape *s, struct str name)
{
	return name.s != NULL && s->last.s != NULL && str_same(s->last, name);
}

/* "evidences[3].device" and then name; the same form that OCSF wants for observables. It asks for
 * room for the longest indexes: at most SHAPE_PATH_SPARE bytes more than are written. */
#define SHAPE_STEP       12 /* what a step takes besides a name: a dot, or an index in brackets */
#define SHAPE_PATH_SPARE ((SHAPE_DEPTH + 1) * SHAPE_STEP)
void shape_path(const struct shape *s, struct str name, struct buf *out);

/* What follows writes one value each. name: the member's, plain; absent: an element of the array
 * that is open. */
void shape_put_open(struct shape *s, struct str name, bool is_array);
/* True when it was written. */
bool shape_close(struct shape *s);
void shape_put_text(struct shape *s, struct str name, struct str value, unsigned mark);
/* Never cut: what identifies, and links. */
void shape_put_whole(struct shape *s, struct str name, struct str value);
void shape_put_int(struct shape *s, struct str name, int64_t value);
void shape_put_bool(struct shape *s, struct str name, bool value);
/* Ticks as milliseconds since 1970; nothing when there is none, or before 1970. */
void shape_put_time(struct shape *s, struct str name, int64_t ticks);
/* JSON that the reader went through; what is too deep for most readers becomes a string. */
void shape_put_json(struct shape *s, struct str name, struct str json);
/* The same of an object, where only an object will do: what is too deep is in its member "json". */
void shape_put_object(struct shape *s, struct str name, struct str json);

/* The same with names as they are written in code, whose lengths the compiler knows; NULL: an
 * element. */
static inline void
shape_open(struct shape *s, const char *name)
{
	shape_put_open(s, str_of(name), false);
}

static inline void
shape_open_array(struct shape *s, const char *name)
{
	shape_put_open(s, str_of(name), true);
}

static inline void
shape_text(struct shape *s, const char *name, struct str value, unsigned mark)
{
	shape_put_text(s, str_of(name), value, mark);
}

static inline void
shape_whole(struct shape *s, const char *name, struct str value)
{
	shape_put_whole(s, str_of(name), value);
}

static inline void
shape_int(struct shape *s, const char *name, int64_t value)
{
	shape_put_int(s, str_of(name), value);
}

static inline void
shape_bool(struct shape *s, const char *name, bool value)
{
	shape_put_bool(s, str_of(name), value);
}

static inline void
shape_time(struct shape *s, const char *name, int64_t ticks)
{
	shape_put_time(s, str_of(name), ticks);
}

static inline void
shape_object(struct shape *s, const char *name, struct str json)
{
	shape_put_object(s, str_of(name), json);
}

enum shape_how {
	SHAPE_TEXT,
	SHAPE_WHOLE, /* text that is never cut */
	SHAPE_INT,   /* int64_t; negative: none */
	SHAPE_TIME,  /* ticks, as milliseconds */
	SHAPE_STAMP, /* ticks, as RFC 3339 text */
	SHAPE_TEXTS, /* pointer and count of struct str, as an array of text */
	SHAPE_JSON,
	SHAPE_CONST, /* the text `from`, of `number` bytes */
	SHAPE_CONST_INT,
	SHAPE_CALL, /* fn, with what is at off */
	SHAPE_OPEN,
	SHAPE_OPEN_ARRAY,
	SHAPE_CLOSE,
	SHAPE_ROWS, /* rows of a struct within the struct */
};

struct shape_row {
	enum shape_how how;
	bool if_open; /* only where the object has begun: what is of no use alone */
	unsigned char mark;
	unsigned char name_n; /* the length of name, where there is one */
	const char *name;
	const char *from; /* what it is made of, in Graph's words, for the manual */
	size_t off, noff;
	int64_t number;
	void (*fn)(struct shape *s, const struct shape_row *row, const void *base);
	const struct shape_row
	    *rows; /* ends with a row of neither name nor fn nor rows nor CLOSE */
};

/* A row that ends a table. */
#define SHAPE_END \
	{ \
		.how = SHAPE_ROWS \
	}

static inline struct str
shape_row_name(const struct shape_row *row)
{
	return (struct str){ row->name, row->name != NULL ? row->name_n : 0 };
}

void shape_rows(struct shape *s, const struct shape_row *rows, const void *base);

/* Each path of the table and what is there, as rows of a Markdown table. */
void shape_describe(struct buf *out, const struct shape_row *rows, const char *prefix);

#endif
