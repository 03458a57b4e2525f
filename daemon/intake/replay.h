/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/intake/window.h"
#include "daemon/journal/journal.h"
#include "lib/policy/paging.h"

struct poller;
struct reader;
struct routing;

/*
 * replay: the reader of a stream that reads periods of the journal again, one after
 * the other. Inside the intake only.
 *
 * It knows nothing of who asked for a period, of requests and of pages' insides.
 *
 * Promises
 *  - it touches neither the live cursor nor what live reading remembers of pages;
 *    it begins only when live reading has nothing to do, and leaves it half the budget.
 *  - while much waits for a sink that it reads for, it waits too.
 *  - how far it came is stored with each page; after a restart it goes on there.
 */
struct replay {
	struct journal_period period; /* number 0: none */
	struct routing *routing;      /* of the period; NULL: none */
	struct window window;         /* what this read has stored already */
};

void replay_init(struct poller *p);
void replay_release(struct poller *p);
/* The journal may know less than before. */
void replay_forget(struct poller *p);

/* Goes on with the next period, if there is one: after a start, an end, and when one was added. */
void replay_look(struct poller *p);
/* The configuration may route otherwise now. */
void replay_configured(struct poller *p);

bool replay_is_at_it(const struct poller *p);
/* The bounds of a new read. False: the period ended meanwhile. */
bool replay_bounds(struct poller *p, struct paging_bounds *out);
/* Is a version of the period? Others are somebody else's. */
bool replay_wants(const struct poller *p, int64_t version);
/* What the journal is to store of the period with that page. */
void replay_mark_page(const struct poller *p, const struct paging_step *step, size_t seen,
    struct journal_page *jp);
/* A page was stored, and it is not the last one: how soon the next one is read. */
void replay_went_on(struct poller *p);
/* The read came to its end. */
void replay_closed(struct poller *p);

/* ctx is the period's routing: as routing_judge(), marked, and repeats where they are asked for. */
journal_judge replay_judge;

#endif
