/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SAFE_H
#define SAFE_H

#include <stdio.h>

#include "lib/base/str.h"

/*
 * safe: bytes from anywhere, for a terminal. What a terminal acts on, what deceives (str.h), and what
 * is no UTF-8 is written as \xNN or \u{N}. Pure but for the writing.
 */

/* On one line, cut where it would be wider than that many columns. */
void put_safe(FILE *out, struct str bytes, size_t columns);
/* All of it, in lines of that many columns, each behind `before`. */
void put_safe_lines(FILE *out, struct str bytes, const char *before, size_t columns);

#endif
