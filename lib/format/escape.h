/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

/*
 * escape: text from anywhere as CEF and LEEF want it, within a number of bytes.
 *
 * Promises, for every function here
 *  - what is written is well-formed UTF-8 without any control (C0, DEL, C1,
 *    U+2028, U+2029): they become a space each; bytes that are not UTF-8 become
 *    U+FFFD.
 *  - no spaces at either end, and never more than limit bytes, escapes counted.
 *  - a value that is cut ends with "..." and is never cut inside an escape or a
 *    character. limit is at least 4.
 *  - nothing at all is written for a value of nothing but spaces and controls.
 */

/* An extension value: \ and = escaped, every kind of line end as "\n" (two characters). */
void escape_value(struct buf *out, struct str text, size_t limit);

/*
 * A header field: | and \ escaped, line ends as one space; backslashes at the end
 * are dropped, as many readers take one there for the escape of the bar. plain:
 * | \ = become / / : for readers that know no escapes in headers.
 */
void escape_header(struct buf *out, struct str text, size_t limit, bool plain);

/* Text without any escapes, line ends as one space: for formats that have none. */
void escape_plain(struct buf *out, struct str text, size_t limit);

/*
 * A header field that names a kind of thing: letters, digits, space . _ - only,
 * anything else is a "-". False, and nothing written, when no letter or digit is in it.
 */
bool escape_name(struct buf *out, struct str text, size_t limit);

#endif
