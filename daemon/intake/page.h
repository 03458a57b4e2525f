/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAGE_H
#define PAGE_H

#include "daemon/intake/poller.h"

/*
 * page: one page from the last byte of its body until the journal has it: the
 * slices are looked at in turns of a few milliseconds, what is not known becomes
 * entries, paging decides where the cursor may go, and the journal gets it all.
 *
 * The records of a page point into its body; both live until the journal gives
 * the page back, also when the poller is gone by then.
 */
struct page;

/* Takes split's page. Later either poller_go_on() or poller_trouble() follows. */
void page_start(struct poller *p, struct split_page *taken);
/* The poller is going away or does not want it any more. */
void page_leave(struct poller *p);

#endif
