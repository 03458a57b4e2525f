/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEDGER_H
#define LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * ledger: how many sinks still wait for each entry, one byte an entry.
 *
 * Numbers of entries are dense and rising, so this is an array in chunks; it
 * answers "may this entry go?" and "which is the oldest that may?" without an
 * index on disk. It knows nothing of sinks, only how many. One thread.
 *
 * Cost: a byte for each entry of a chunk that has one, a pointer for the others.
 */
struct ledger_chunk;

struct ledger {
	struct ledger_chunk **chunks;
	uint64_t base; /* number of the first chunk */
	size_t n, room;
	uint64_t scan; /* no done entry is older */
	uint64_t open; /* entries that somebody waits for */
};

void ledger_init(struct ledger *l);
void ledger_release(struct ledger *l);

/* At start: entries first to last are on disk (some may be missing), and nobody
 * waits for them as far as we know yet. */
void ledger_assume_done(struct ledger *l, uint64_t first, uint64_t last);

/* A new entry for which `left` sinks wait. */
void ledger_add(struct ledger *l, uint64_t seq, unsigned left);

/* One sink more waits for it (at start, while the places are read). */
void ledger_wait(struct ledger *l, uint64_t seq);

/* One sink is done with it. True when it was the last. */
bool ledger_settle(struct ledger *l, uint64_t seq);

/* These are no longer on disk. */
void ledger_gone(struct ledger *l, uint64_t first, uint64_t last);

/* The oldest run, from `from` on, of at most max entries that nobody waits for. False: none. */
bool ledger_next_done(struct ledger *l, uint64_t from, uint64_t max, uint64_t *first,
    uint64_t *last);

#endif
