/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_SMTP_BUNDLE_H
#define SINK_SMTP_BUNDLE_H

#include <sys/queue.h>

#include "daemon/delivery/sink_smtp_entry.h"
#include "daemon/env.h"
#include "daemon/timer.h"
#include "lib/format/mail.h"

/*
 * bundle: digests that are being made: what is due of one rule, customer and
 * recipient, gathered until nothing more of it comes.
 *
 * It knows nothing of servers, of when something is due, and of how much else is in memory.
 *
 * Promises
 *  - a digest is of one rule, one recipient, one reason, and one customer but where the rule mixes
 *    them. Each leg that is put in is in exactly one, and leaves with it: nothing is dropped.
 *  - it goes 500 ms after the last leg came, 30 s after the first, and holds BUNDLE_MAX at most;
 *    what comes later makes the next.
 *  - its callback is called by a timer, never from inside bundles_add().
 *
 * Cost: some kilobytes a digest, a table of the worst included, 16 bytes a leg. Whoever adds
 * looks at `n` first. On the loop's thread; never waits.
 */
#define BUNDLE_MAX 16384 /* events of one digest */

/* One mail, and what it settles when it ends. */
struct letter_leg {
	struct entry *entry;
	size_t leg;
};
struct letter {
	char *to; /* as in the configuration */
	struct letter_leg *legs;
	size_t n, room;
};

struct letter *letter_new(const char *to);
void letter_free(struct letter *l);
void letter_add(struct letter *l, struct entry *e, size_t leg);

struct bundles;
struct bundle {
	TAILQ_ENTRY(bundle) link;
	struct bundles *all;
	const struct smtp_rule *rule;
	char *customer; /* "" where they are mixed */
	enum memo_hold why;
	uint64_t address;
	struct letter *letter;
	struct mail_digest *digest;
	int64_t began; /* mono ms */
	struct timer quiet;
};

/* It is complete; bundle_free() it, letter taken out or not. */
typedef void bundle_full_cb(void *arg, struct bundle *taken);

struct bundles {
	const struct engine_env *env;
	TAILQ_HEAD(, bundle) list;
	size_t n; /* of the list */
	bundle_full_cb *full;
	void *arg;
};

void bundles_init(struct bundles *all, const struct engine_env *env, bundle_full_cb *full,
    void *arg);
/* Letters too; entries are their owner's. */
void bundles_clear(struct bundles *all);
void bundle_free(struct bundle *b);

/* Puts a leg of e into the digest that it belongs to. */
void bundles_add(struct bundles *all, const struct smtp_leg *to, enum memo_hold why,
    const struct mail_item *item, struct entry *e, size_t leg);

#endif
