/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/rejects.h"

struct reject {
	uint64_t ticket;
	struct err why;
};

void
rejects_init(struct rejects *r)
{
	fifo_init(&r->list, sizeof(struct reject));
}

void
rejects_release(struct rejects *r)
{
	fifo_release(&r->list);
}

void
rejects_add(struct rejects *r, uint64_t ticket, const struct err *why)
{
	struct reject *new = fifo_push(&r->list);

	*new = (struct reject) { .ticket = ticket, .why = *why };
}

void
rejects_report(struct rejects *r, struct sink_owner *o)
{
	const struct reject *first;

	while (r->list.n > 0) {
		first = fifo_at(&r->list, 0);
		sink_result(o, first->ticket, SINK_REJECT, TICKS_NONE, NULL, &first->why);
		fifo_drop(&r->list, 1);
	}
}
