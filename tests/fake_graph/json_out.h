/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_JSON_OUT_H
#define FAKE_GRAPH_JSON_OUT_H

#include "lib/base/buf.h"
#include "lib/base/str.h"

/*
 * json_out: the few words of JSON that the makers write.
 *
 * jansson writes only what is well-formed; the corpus needs to be sloppy on
 * purpose, and fast. Keys come with their comma: j_key() puts one unless it
 * stands behind an opening bracket.
 */
void j_text(struct buf *b, struct str s);    /* quoted; bad UTF-8 becomes U+FFFD */
void j_key(struct buf *b, const char *name); /* ,"name": */
void j_comma(struct buf *b);                 /* unless behind an opening bracket */
void j_strs(struct buf *b, const char *name, const char *value); /* NULL: null */
void j_int(struct buf *b, const char *name, int64_t value);
void j_bool(struct buf *b, const char *name, bool value);
void j_raw(struct buf *b, const char *name, const char *json);

#endif
