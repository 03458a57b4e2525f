/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ORDER_H
#define ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * order: which entries are being tried again, so that later entries of the same
 * alert wait behind them.
 *
 * A set of (key of the alert, place in the journal). It knows nothing of why,
 * of the journal or of sinks. Empty in normal times, and then it costs nothing.
 *
 * Promises: at most `max` entries of 32 bytes; what is over is not kept, and
 * order_add() says so.
 */
struct order_node;

struct order {
	struct order_node *nodes;
	uint32_t *heads; /* by hash of the key, node plus one; room of them */
	size_t room, used, n, max;
	uint32_t free_head;
};

void order_init(struct order *o, size_t max);
void order_release(struct order *o);
/* Also sets due (ticks) anew for one that is there. group: what it is forgotten with. False: full,
 * not kept. */
bool order_add(struct order *o, uint64_t key, uint64_t seq, int64_t due, uint32_t group);
/* None of that group is in the set any more. */
void order_forget(struct order *o, uint32_t group);
void order_remove(struct order *o, uint64_t key, uint64_t seq);
/* True when an earlier entry of that alert is in the set; due: the latest time at which one falls due. */
bool order_blocks(const struct order *o, uint64_t key, uint64_t seq, int64_t *due);

#endif
