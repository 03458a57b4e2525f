/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LISTING_H
#define LISTING_H

#include <stdbool.h>

#include "daemon/intake/intake.h"
#include "lib/policy/paging.h"

struct poller;
struct reader;
struct listing;

/*
 * listing: the reader of a stream that counts what was created in a time. Inside the intake only;
 * see intake_list().
 *
 * It knows nothing of what becomes of the count. It touches no cursor, no memory and no window;
 * what it reads is told and forgotten. It gives up where the tenant cannot be read: who asked is
 * there, and waits. Memory is needed only while somebody asks: pollers are many.
 */
void listing_release(struct poller *p);
/* Its reader, in its turn with the others; NULL: nobody asks. */
struct reader *listing_reader(const struct poller *p);
/* Another reader has the next turn: what nobody asks for any more is let go. */
void listing_tidy(struct poller *p);

/* Something may have come to stand before all that is read: then it ends. */
void listing_look(struct poller *p);
/* It ends, where there is one. */
void listing_fail(struct poller *p, const char *why);

bool listing_is_at_it(const struct poller *p);
/* The bounds of a new read. False: nothing is asked for any more. */
bool listing_bounds(struct poller *p, struct paging_bounds *out);
/* The URL of its next request. */
void listing_url(const struct poller *p, struct buf *out);
/* One item came. True: it is a new one. */
bool listing_take(struct poller *p, const struct intake_listed *item);
/* A page was looked at. */
void listing_page(struct poller *p, const struct paging_step *step);
/* It was not the last one; it was. */
void listing_went_on(struct poller *p);
void listing_closed(struct poller *p, const struct paging_step *step);
/* Something is wrong with the stream, whoever reads it. */
void listing_hears(struct poller *p, enum tenant_state state, const char *text);

#endif
