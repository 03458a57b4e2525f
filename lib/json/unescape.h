/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNESCAPE_H
#define UNESCAPE_H

#include <stddef.h>
#include <stdint.h>

/*
 * unescape: what an escape in a JSON string stands for (RFC 8259 section 7).
 *
 * p is at a backslash; a surrogate pair, "\ud83d\ude00", is one escape. Returns
 * its length and the code point; 0 when it is wrong, cut off, or half a pair.
 */
size_t jr_escape(const char *p, const char *end, uint32_t *cp);

/* The code unit of "\uXXXX" at p, halves of pairs too; -1 when there is none. */
int32_t jr_code_unit(const char *p, const char *end);

#endif
