/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ACCEPT_H
#define ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/delivery/fifo.h"

/*
 * accept: which entries written on one connection count as accepted.
 *
 * A syslog receiver never answers, so acceptance is inferred: an entry is
 * acknowledged when the peer's TCP has its last byte, and accepted when the
 * connection is still healthy confirm_ms later, or was closed in order by both
 * sides. It is pure: offsets and times are passed in; the connection asks the
 * kernel and knows whether it is healthy.
 *
 * Promises
 *  - tickets come out in the order they went in, each once.
 *  - 8 bytes a ticket, plus one group for each write not yet acknowledged and for
 *    each acknowledgement not yet confirmed.
 */
struct accept {
	int64_t confirm_ms;
	struct fifo tickets; /* uint64_t: all that are not taken out */
	struct fifo written; /* groups not acknowledged */
	struct fifo acked;   /* groups acknowledged, not confirmed */
	size_t confirmed;    /* oldest tickets, which may be taken out */
	size_t loose;        /* newest tickets, of no group yet */
};

void accept_init(struct accept *a, int64_t confirm_ms);
void accept_release(struct accept *a);
/* A new connection: what was not accepted is forgotten. */
void accept_reset(struct accept *a);

/* The next ticket; accept_written() says where the bytes of all since the last one end. */
void accept_add(struct accept *a, uint64_t ticket);
/* offset: bytes written on this connection so far, framing included. */
void accept_written(struct accept *a, uint64_t offset);

/* The peer's TCP has everything before offset. now: monotonic ms. */
void accept_acknowledged(struct accept *a, uint64_t offset, int64_t now);
/* The connection is healthy at now. */
void accept_healthy(struct accept *a, int64_t now);
/* Both sides closed in order, the peer after us: it has read everything. */
void accept_everything(struct accept *a);

/* Takes out up to max accepted tickets; returns how many. */
size_t accept_take(struct accept *a, uint64_t *out, size_t max);

/* When the oldest acknowledged group may be confirmed; -1: none. */
int64_t accept_next(const struct accept *a);

#endif
