/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRITER_H
#define WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

/*
 * writer: JSON written into a buf, value by value.
 *
 * It knows nothing of what it writes and checks no order of calls; commas come
 * by themselves. What the buf cannot take is seen at the end by buf_ok().
 *
 * Promises: what comes out is UTF-8 whatever goes in; bytes that are not become
 * U+FFFD. Strings and names hold no control characters but as escapes (C0, DEL, C1,
 * U+2028, U+2029): no reader of lines ends one in them.
 */
struct jw {
	struct buf *out;
	bool comma; /* one is due before the next name or value */
};

static inline void
jw_init(struct jw *w, struct buf *out)
{
	*w = (struct jw){ .out = out };
}

void jw_object(struct jw *w);
void jw_object_end(struct jw *w);
void jw_array(struct jw *w);
void jw_array_end(struct jw *w);

void jw_name(struct jw *w, const char *name);
void jw_name_str(struct jw *w, struct str name);
/* Quicker, for names that are letters, digits and the like: nothing in them is escaped. */
void jw_plain_name_str(struct jw *w, struct str name);
static inline void
jw_plain_name(struct jw *w, const char *name)
{
	jw_plain_name_str(w, str_of(name));
}
/* Such a name and its text, which is not absent; such a name and its integer. */
void jw_plain_member(struct jw *w, struct str name, struct str value);
void jw_plain_int(struct jw *w, struct str name, int64_t v);

void jw_str(struct jw *w, struct str s);   /* absent: null */
void jw_text(struct jw *w, const char *s); /* NULL: null */
void jw_int(struct jw *w, int64_t v);
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
/* JSON text as it is: the caller knows that it is JSON. Absent: null. */
void jw_raw(struct jw *w, struct str json);

#endif
