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
	const char *name; /* NULL: an element */
	unsigned index;   /* of the next element, in an array */
	bool is_array, is_open;
};

struct shape {
	struct jw w;
	struct shape_frame frame[SHAPE_DEPTH];
	unsigned depth;
	const char *last; /* the member written last, on any level */
	size_t text_max;  /* 0: no limit */
	/* path: see shape_path(); name is the member's, NULL for an element. */
	void (*on_mark)(struct shape *s, unsigned mark, const char *name, struct str value);
	void *arg;
};

void shape_init(struct shape *s, struct buf *out, void *arg);

/* name NULL: an element of the array that is open. */
void shape_open(struct shape *s, const char *name);
void shape_open_array(struct shape *s, const char *name);
/* True when it was written. */
bool shape_close(struct shape *s);
/* Has the innermost object or array been begun? */
bool shape_is_open(const struct shape *s);

/* "evidences[3].device" and then name; the same form that OCSF wants for observables. */
void shape_path(const struct shape *s, const char *name, struct buf *out);

void shape_text(struct shape *s, const char *name, struct str value, unsigned mark);
/* Never cut: what identifies, and links. */
void shape_whole(struct shape *s, const char *name, struct str value);
void shape_int(struct shape *s, const char *name, int64_t value);
void shape_bool(struct shape *s, const char *name, bool value);
/* Ticks as milliseconds since 1970; nothing when there is none, or before 1970. */
void shape_time(struct shape *s, const char *name, int64_t ticks);
/* JSON that the reader went through; what is too deep for most readers becomes a string. */
void shape_json(struct shape *s, const char *name, struct str json);
/* The same of an object, where only an object will do: what is too deep is in its member "json". */
void shape_object(struct shape *s, const char *name, struct str json);

enum shape_how {
	SHAPE_TEXT,
	SHAPE_WHOLE, /* text that is never cut */
	SHAPE_INT,   /* int64_t; negative: none */
	SHAPE_TIME,  /* ticks, as milliseconds */
	SHAPE_STAMP, /* ticks, as RFC 3339 text */
	SHAPE_TEXTS, /* pointer and count of struct str, as an array of text */
	SHAPE_JSON,
	SHAPE_CONST, /* the text `from` */
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

void shape_rows(struct shape *s, const struct shape_row *rows, const void *base);

/* Each path of the table and what is there, as rows of a Markdown table. */
void shape_describe(struct buf *out, const struct shape_row *rows, const char *prefix);

#endif
