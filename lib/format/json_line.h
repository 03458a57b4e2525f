/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JSON_LINE_H
#define JSON_LINE_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

/*
 * json_line: JSON that came from elsewhere, on one line and not too deep.
 *
 * It takes JSON that the reader went through (or that was repaired so that it
 * would), and knows nothing of what it says.
 */

/*
 * Appends it with spaces for line ends and tabs between tokens, and with escapes
 * for the controls in strings (DEL, C1, U+2028, U+2029): the values stay the same.
 */
void json_line(struct buf *out, struct str json);

/*
 * True when no value lies more than max levels deep: readers that recurse refuse
 * deeper text, and with it all that stands beside. Cheap for what is small.
 */
bool json_is_flat(struct str json, size_t max);

#endif
