/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROUTING_H
#define ROUTING_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/journal/journal.h"
#include "daemon/settings.h"

/*
 * routing: what the journal needs to judge the entries of one stream of a tenant: whose they
 * are, which sinks take what, and where the stream's memory begins.
 *
 * Immutable and counted, because pages in the journal outlive a change of the
 * configuration. References are taken and dropped on the loop's thread;
 * routing_judge() runs on the journal's.
 */
struct routing {
	unsigned refs;
	struct settings *settings; /* whose matches the routes point to */
	struct origin *origin;
	struct route *routes;
	uint32_t *sinks; /* of the routes */
	size_t n;
	int64_t memory_begin;
	/* Of a replay: */
	uint32_t only;       /* the sink it is for; 0: all of them */
	bool is_all;         /* what is known, too */
	int64_t period_from; /* ticks */
};

struct routing *routing_new(struct journal *j, const struct settings *settings,
    const struct tenant *t, const struct tenant_stream *s, int64_t memory_begin);
struct routing *routing_ref(struct routing *r);
void routing_unref(struct routing *r);

/* Fills e's routes by its kind, changes and flags. On any thread. */
void routing_select(const struct routing *r, struct journal_entry *e);

/* ctx is the routing, e->user the record; no record: an alert of somebody else,
 * remembered (so that it is quarantined once) and shown to nobody. */
journal_judge routing_judge;

#endif
