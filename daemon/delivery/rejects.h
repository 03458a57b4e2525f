/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REJECTS_H
#define REJECTS_H

#include "daemon/delivery/fifo.h"
#include "daemon/delivery/sink.h"

/*
 * rejects: the entries of a send() that can never be sent, until they may be
 * reported, which is not from inside it. Bounded by the tickets that are out.
 */
struct rejects {
	struct fifo list;
};

void rejects_init(struct rejects *r);
/* Forgets them all. */
void rejects_release(struct rejects *r);
void rejects_add(struct rejects *r, uint64_t ticket, const struct err *why);
/* Reports and forgets them, in their order. */
void rejects_report(struct rejects *r, struct sink_owner *o);

#endif
