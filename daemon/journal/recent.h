/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECENT_H
#define RECENT_H

#include "daemon/journal/journal.h"

/*
 * recent: the pages that were stored last, still in memory, so that a sink that
 * keeps up gets its entries as they came: the file is not read for them, and
 * nobody has to read their JSON again.
 *
 * Bounded in bytes (what pages say of themselves) and in time; the oldest goes
 * first. Sequence numbers are never given twice by one journal, so what is found
 * here is the entry itself. It belongs to the journal's thread. A page is counted:
 * by this, by the answer to its append and by batches; the last of them gives it
 * back to whoever made it, on the loop's thread.
 */
#define RECENT_BYTES ((size_t)6 << 20)

struct recent;
struct kept_page;
struct outbox;

struct recent *recent_new(struct outbox *out);
/* All go back through the outbox. */
void recent_free(struct recent *r);

/* A page that was stored. NULL: it does not stay; else counted once more, for the caller. */
struct kept_page *recent_add(struct recent *r, struct journal_page *page, int64_t now_ms);
/* Lets go of what has been here for seconds: who had use for it has it. */
void recent_age(struct recent *r, int64_t now_ms);

/* Of the youngest page; 0: there is none. */
uint64_t recent_last(const struct recent *r);
/* The bytes of the pages with entries behind seq. */
size_t recent_after(const struct recent *r, uint64_t seq);

/* NULL: not here. *page, not counted, holds the entry. */
const struct journal_entry *recent_find(const struct recent *r, uint64_t seq,
    struct kept_page **page);

struct kept_page *kept_page_ref(struct kept_page *page);
/* On the loop's thread. */
void kept_page_unref(struct kept_page *page);
uint32_t kept_page_stream(const struct kept_page *page);

#endif
