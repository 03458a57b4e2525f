/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_SMTP_DESK_H
#define SINK_SMTP_DESK_H

#include "daemon/delivery/sink_smtp_memo.h"
#include "daemon/delivery/sink_smtp_rules.h"

/*
 * desk: whether a rule's mail about an event goes out now, waits for a digest,
 * or belongs into one that is due. One desk for each rule and customer.
 *
 * It knows nothing of mails, servers and tickets. What it decides is for the
 * entry's memo; what it remembers itself (how many went out lately) does not
 * outlive the sink.
 */
struct desks;
struct desk;

struct desks *desks_new(void);
void desks_free(struct desks *d);
/* Of that rule for that customer; of a rule that mixes customers there is one. */
struct desk *desk_of(struct desks *d, const struct smtp_rule *rule, const char *customer);

enum desk_fate {
	DESK_SEND,   /* by itself, now */
	DESK_BUNDLE, /* into the digest that is made now, held->why */
	DESK_HOLD,   /* until held->due */
};

struct desk_question {
	const struct memo *memo;
	bool is_replay;    /* read again, or from before the tenant was watched */
	bool was_admitted; /* it was let through before, and only has to be tried again */
	int64_t replay_digest_ms;
	int64_t now; /* ticks */
};

enum desk_fate desk_decide(struct desk *d, const struct desk_question *q, struct memo_held *held);
/* What it let through did not get out, and comes again as if for the first time. */
void desk_take_back(struct desk *d);

#endif
