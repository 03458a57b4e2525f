/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAGE_INNER_H
#define PAGE_INNER_H

#include "daemon/intake/page.h"

/*
 * page_inner: what the parts of page share: its way (page.c), its slices
 * (page_slices.c), and what the journal is told of it (page_submit.c). Inside page
 * only.
 */
struct page {
	struct journal_page jp; /* first: the journal gives this back */
	TAILQ_ENTRY(page) link; /* until it was looked at */
	struct poller *p;       /* NULL: gone */
	struct scheduler *scheduler;
	struct routing *routing;
	bool is_listing; /* nothing of it is stored */
	struct spares *bodies;
	struct split_page split;
	struct buf packed; /* likewise its body, as it came */
	size_t held;
	struct journal_entry *entries;
	uint64_t *hashes; /* of the entries' bytes: how the window knows them */
	size_t n, room;
	size_t at; /* slices before it were looked at */
	unsigned foreign, new_foreign, before_begin;
	size_t keeps; /* bytes: the body, and the records */
	struct paging_page facts;
	struct paging_step step;
	struct paging paging_before; /* put back when the journal does not take the page */
	struct paging_habits habits_before;
	struct journal_gap gap;
};

/* ---- page_slices.c: what is not known becomes entries -------------------------------------- */

/* The next slice. Returns what it cost: one that is known 1, one that is read much more. */
unsigned page_look_at(struct page *pg);
/* All its entries are stored: none of them is read again. */
void page_remember(struct page *pg);
/* Gives back what the entries hold. */
void page_drop_entries(struct page *pg);

/* ---- page_submit.c: where the cursor may go, and what the journal is told ------------------ */

/* All its slices were looked at: what follows from it for the reader. */
void page_take_paging(struct page *pg);
/* Likewise: what the journal is to be told. False: nothing. */
bool page_prepare(struct page *pg);

#endif
