/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/accept.h"

struct accept_group {
	uint64_t end; /* written: offset behind its last byte */
	int64_t due;  /* acked: when it is confirmed */
	size_t n;     /* tickets */
};

void
accept_init(struct accept *a, int64_t confirm_ms)
{
	*a = (struct accept) { .confirm_ms = confirm_ms };
	fifo_init(&a->tickets, sizeof(uint64_t));
	fifo_init(&a->written, sizeof(struct accept_group));
	fifo_init(&a->acked, sizeof(struct accept_group));
}

void
accept_release(struct accept *a)
{
	accept_reset(a);
}

void
accept_reset(struct accept *a)
{
	fifo_release(&a->tickets);
	fifo_release(&a->written);
	fifo_release(&a->acked);
	a->loose = a->confirmed = 0;
}

void
accept_add(struct accept *a, uint64_t ticket)
{
	uint64_t *slot = fifo_push(&a->tickets);

	*slot = ticket;
	a->loose++;
}

void
accept_written(struct accept *a, uint64_t offset)
{
	struct accept_group *g;

	if (a->loose == 0)
		return;
	g = fifo_push(&a->written);
	*g = (struct accept_group) { .end = offset, .n = a->loose };
	a->loose = 0;
}

void
accept_acknowledged(struct accept *a, uint64_t offset, int64_t now)
{
	struct accept_group sum = { .due = now + a->confirm_ms };
	struct accept_group *g;

	while (a->written.n > 0) {
		g = fifo_at(&a->written, 0);
		if (g->end > offset)
			break;
		sum.n += g->n;
		fifo_drop(&a->written, 1);
	}
	if (sum.n == 0)
		return;
	g = fifo_push(&a->acked);
	*g = sum;
}

void
accept_healthy(struct accept *a, int64_t now)
{
	struct accept_group *g;

	while (a->acked.n > 0) {
		g = fifo_at(&a->acked, 0);
		if (g->due > now)
			break;
		a->confirmed += g->n;
		fifo_drop(&a->acked, 1);
	}
}

void
accept_everything(struct accept *a)
{
	fifo_release(&a->written);
	fifo_release(&a->acked);
	a->confirmed = a->tickets.n;
	a->loose = 0;
}

size_t
accept_take(struct accept *a, uint64_t *out, size_t max)
{
	size_t n = a->confirmed < max ? a->confirmed : max;

	for (size_t i = 0; i < n; i++)
		out[i] = *(const uint64_t *)fifo_at(&a->tickets, i);
	fifo_drop(&a->tickets, n);
	a->confirmed -= n;
	return n;
}

int64_t
accept_next(const struct accept *a)
{
	if (a->acked.n == 0)
		return -1;
	return ((const struct accept_group *)fifo_at(&a->acked, 0))->due;
}
