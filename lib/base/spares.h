/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SPARES_H
#define SPARES_H

#include "lib/base/buf.h"

/*
 * spares: the memory of large bufs, kept for the next ones.
 *
 * What comes fresh from the kernel is cleared and mapped page by page, and that
 * costs more than what it is filled with. Knows nothing of what was in it.
 *
 * Promises: keeps at most max_bytes; what was kept for the longest goes first.
 * Counted, for bufs may outlive who lent them. One thread.
 */
struct spares;

struct spares *spares_new(size_t max_bytes);
struct spares *spares_ref(struct spares *s);
void spares_unref(struct spares *s);

/* Memory for about n bytes, or as many as it may hold, into b, which has none yet. */
void spares_lend(struct spares *s, struct buf *b, size_t n);
/* Takes b's memory, wherever that is from. */
void spares_take(struct spares *s, struct buf *b);

#endif
