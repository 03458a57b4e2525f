#ifndef BATCH_H
#define BATCH_H

#include "daemon/journal/journal.h"

/*
 * batch: the making of a journal_batch. An engine adds items on the journal's
 * thread; the receiver frees it on the loop's, also after the journal is closed.
 */
struct batch_pool;

struct batch_pool *batch_pool_new(void);
void batch_pool_unref(struct batch_pool *pool);

/* Room for max items at most. */
struct journal_batch *batch_new(struct batch_pool *pool, size_t max);
/* The next item, its texts to be set by the two below, which copy into the batch. */
struct journal_item *batch_add(struct journal_batch *b);
const char *batch_text(struct journal_batch *b, const char *text); /* NULL stays NULL */
/* 64 zero bytes follow, for parsers that read ahead. */
struct str batch_bytes(struct journal_batch *b, const void *p, size_t n);

#endif
