/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SQUEEZE_H
#define SQUEEZE_H

#include <stddef.h>

/*
 * squeeze: how a line that is too long by *over bytes becomes shorter, a part at a time.
 *
 * It knows nothing of what the parts are or in which order they give; it deals in lengths as
 * they were written, so that the line is written once more, within the new limits. Pure.
 */

/* The part, `used` bytes long, gives what is still needed and keeps `least`. Its limit only changes
 * when it gives. */
void squeeze_part(size_t *limit, size_t used, size_t least, size_t *over);

/* The part is left out where anything is still needed, with the `around` bytes that would stand
 * beside it; one that is empty stays as it is. */
void squeeze_out(size_t *limit, size_t used, size_t around, size_t *over);

#endif
