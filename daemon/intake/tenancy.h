/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TENANCY_H
#define TENANCY_H

#include <sys/queue.h>

#include "daemon/intake/streams.h"
#include "lib/policy/budget.h"

struct intake;
struct poller;
struct tenant;

/*
 * tenancy: a tenant as the intake sees it: its streams' pollers, and what those
 * share: the budget of each API, and its Retry-After. Inside the intake only.
 *
 * It knows nothing of requests, pages and of what is read. Lives as long as one
 * of its pollers.
 */
struct allowance {
	struct budget minute, hour; /* hour.most 0: none */
	int64_t not_before;         /* mono ms: the API asked all to wait until then */
};

struct tenancy {
	TAILQ_ENTRY(tenancy) link;
	LIST_ENTRY(tenancy) beside; /* in its bucket */
	char *key;
	uint64_t hash;
	struct poller *streams[STREAM_COUNT]; /* NULL: not read */
	struct allowance api[API_COUNT];
	bool is_held;    /* an operator wants it not to be read … */
	int64_t held_since; /* … since then, ticks */
	bool has_failed; /* a stream of it, of those that are read once */
};
TAILQ_HEAD(tenancy_list, tenancy);
#define TENANCY_BUCKETS 1024
LIST_HEAD(tenancy_bucket, tenancy);

/* Finds it by its key, or makes it. */
struct tenancy *tenancy_of(struct intake *in, const char *key);
void tenancy_join(struct tenancy *tn, struct poller *p, enum stream stream);
/* The last one that leaves takes it away. */
void tenancy_leave(struct intake *in, struct tenancy *tn, enum stream stream);
/* The budgets as they are configured now. */
void tenancy_configure(struct tenancy *tn, const struct tenant *t, int64_t now);

/* An hour's budget is remembered as the cursor of a reader of this name: when it is full again,
 * ticks. A restart must not give it anew. */
#define TENANCY_HOUR "hour-budget"
/* Ticks, TICKS_NONE where the API has none. */
int64_t tenancy_hour(struct tenancy *tn, enum api api, int64_t mono, int64_t wall);

/* Takes a request of the API's budget and returns 0, or milliseconds to wait. reserve: as in
 * budget_take(). */
int64_t tenancy_ask(struct tenancy *tn, enum api api, unsigned reserve, int64_t now);
/* Until then nothing is sent to the API. */
void tenancy_hold(struct tenancy *tn, enum api api, int64_t until);

#endif
