/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_H
#define WRAP_H

#include "lib/base/buf.h"

/*
 * wrap: text for people in lines of at most 78 columns. Pure.
 *
 * The text is cut at blanks; a word that is longer than a line (a link, which somebody
 * wants to copy) stays whole. Controls become blanks, bytes that are no UTF-8 a '?', and
 * what deceives (str.h) is written as \u{N}, so that no text moves a terminal's cursor or seems to
 * say something else. A character counts as one column.
 */
#define WRAP_WIDTH 78

/* The first line begins with first, the others with rest; each ends with a newline. */
void wrap_put(struct buf *out, const char *first, const char *rest, const char *text);

/* The text alone, made safe likewise. */
void wrap_clean(struct buf *out, const char *text);

#endif
