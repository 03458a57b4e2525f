/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_desk.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

#define HEADS      256
#define REPLAY_MAX (INT64_C(86400) * TICKS_SEC) /* one digest waits for no more than this */

struct desk {
	struct desk *next;
	const struct smtp_rule *rule;
	char *customer;
	struct quota quota;
	int64_t replayed; /* ticks: when something that is read again came last; TICKS_NONE */
};

struct desks {
	struct desk *heads[HEADS];
};

struct desks *
desks_new(void)
{
	return xcalloc(1, sizeof(struct desks));
}

static void
desk_free(struct desk *d)
{
	quota_release(&d->quota);
	free(d->customer);
	free(d);
}

void
desks_free(struct desks *all)
{
	struct desk *d, *next;

	for (size_t i = 0; all != NULL && i < HEADS; i++) {
		for (d = all->heads[i]; d != NULL; d = next) {
			next = d->next;
			desk_free(d);
		}
	}
	free(all);
}

struct desk *
desk_of(struct desks *all, const struct smtp_rule *rule, const char *customer)
{
	const char *name = rule->mix_customers ? "" : customer;
	struct desk **head = &all->heads[(str_hash(name, strlen(name)) ^ rule->key) % HEADS];
	struct desk *d;

	for (d = *head; d != NULL; d = d->next) {
		if (d->rule == rule && strcmp(d->customer, name) == 0)
			return d;
	}
	d = xcalloc(1, sizeof(*d));
	*d = (struct desk){ .next = *head, .rule = rule, .customer = xstrdup(name),
		.replayed = TICKS_NONE };
	*head = d;
	return d;
}

/* A replay may go on for hours; its digest waits for its end, within reason. A time to come is of
 * a clock that was set back. */
static bool
has_more_coming(const struct desk *d, const struct desk_question *q, const struct memo_held *held)
{
	return held->why == HOLD_REPLAY && d->replayed != TICKS_NONE && d->replayed <= q->now &&
	    d->replayed + ticks_from_ms(q->replay_digest_ms) > q->now &&
	    q->now - held->since < REPLAY_MAX;
}

static enum desk_fate
decide_held(struct desk *d, const struct desk_question *q, struct memo_held *held)
{
	if (held->due > q->now && held->since <= q->now)
		return DESK_HOLD;
	if (!has_more_coming(d, q, held))
		return DESK_BUNDLE;
	held->due = d->replayed + ticks_from_ms(q->replay_digest_ms);
	return DESK_HOLD;
}

static enum desk_fate
hold(const struct desk *d, struct memo_held *held, enum memo_hold why, int64_t now, int64_t due)
{
	*held = (struct memo_held){ .rule = d->rule->key, .why = why, .since = now, .due = due };
	return DESK_HOLD;
}

enum desk_fate
desk_decide(struct desk *d, const struct desk_question *q, struct memo_held *held)
{
	const struct memo_held *known = memo_held(q->memo, d->rule->key);
	int64_t now_ms = ticks_to_ms(q->now);

	if (known != NULL) {
		*held = *known;
		return decide_held(d, q, held);
	}
	if (q->was_admitted)
		return DESK_SEND;
	if (q->is_replay) {
		d->replayed = q->now;
		return hold(d, held, HOLD_REPLAY, q->now, q->now + ticks_from_ms(q->replay_digest_ms));
	}
	if (d->rule->digest_ms != 0)
		return hold(d, held, HOLD_PERIOD, q->now,
		    ticks_from_ms(quota_next(d->rule->digest_ms, now_ms)));
	if (quota_take(&d->quota, &d->rule->limit, now_ms))
		return DESK_SEND;
	return hold(d, held, HOLD_LIMIT, q->now, ticks_from_ms(quota_due(&d->rule->limit, now_ms)));
}

void
desk_take_back(struct desk *d)
{
	quota_give_back(&d->quota);
}
