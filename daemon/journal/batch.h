/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BATCH_H
#define BATCH_H

#include "daemon/journal/journal.h"
#include "daemon/journal/letters.h"
#include "daemon/journal/recent.h"

/*
 * batch: the making of a journal_batch. An engine adds items on the journal's
 * thread; the receiver frees it on the loop's, also after the journal is closed.
 */
struct batch_pool;

struct batch_pool *batch_pool_new(void);
void batch_pool_unref(struct batch_pool *pool);

/* Room for max items at most. recent is looked at while it is filled. */
struct journal_batch *batch_new(struct batch_pool *pool, const struct recent *recent, size_t max);
/* The next item, its texts to be set by the two below, which copy into the batch. */
struct journal_item *batch_add(struct journal_batch *b);
/* The same of an entry that is still in memory, all but tries and memo; NULL: it is not. */
struct journal_item *batch_add_recent(struct journal_batch *b, uint64_t seq);
/* What it is as a letter, zeroed: its texts likewise. */
struct journal_letter *batch_letter(struct journal_batch *b, struct journal_item *item);
const char *batch_text(struct journal_batch *b, const char *text); /* NULL stays NULL */
struct str batch_bytes(struct journal_batch *b, const void *p, size_t n);

#endif
