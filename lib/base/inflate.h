/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INFLATE_H
#define INFLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * inflate: a gzip body (RFC 1952), decoded while it arrives.
 *
 * It knows nothing of HTTP, and nothing of whose memory it writes to. ISA-L does
 * the work where msspd was built with it, else zlib.
 *
 * Promises
 *  - what comes out does not depend on how the body is cut into pieces, nor on
 *    the room that each call has.
 *  - checksum and length of each member are checked.
 *  - members that follow one another are decoded one after the other; what
 *    follows a member and begins no other is passed over, as gzip(1) does.
 *  - never writes more than it is told to; how much will come, it does not know:
 *    whoever calls has a cap.
 *
 * 90 KB each, the last bytes that came out among them. Pure, does not block.
 */
struct inflate;

struct inflate *inflate_new(void);
void inflate_free(struct inflate *z);
/* For another body. */
void inflate_restart(struct inflate *z);

/*
 * Decodes from *in, which it moves behind what was used up, at most room bytes, and room
 * is 1 at least, to out. *n: how many. What has come is decoded once *in is empty and *n
 * less than room. False: it is damaged, and nothing but inflate_restart() may follow.
 */
bool inflate_some(struct inflate *z, struct str *in, char *out, size_t room, size_t *n,
    struct err *err) MUST_CHECK;
/* All of a body at once; returns how many bytes came before its end, damage, or out's end. */
size_t inflate_whole(struct str packed, char *out, size_t size);
/* May the body end here? Also where nothing has come at all. */
bool inflate_may_end(const struct inflate *z);

#endif
