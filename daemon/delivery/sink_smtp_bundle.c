/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_bundle.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

#define QUIET_MS   500   /* nothing more came for so long: that is all */
#define GATHER_MS  30000 /* and after so long it goes anyway */

struct letter *
letter_new(const char *to)
{
	struct letter *l = xcalloc(1, sizeof(*l));

	l->to = xstrdup(to);
	return l;
}

void
letter_free(struct letter *l)
{
	if (l == NULL)
		return;
	free(l->to);
	free(l->legs);
	free(l);
}

void
letter_add(struct letter *l, struct entry *e, size_t leg)
{
	if (l->n == l->room) {
		l->room = l->room == 0 ? 1 : l->room * 2;
		l->legs = xreallocarray(l->legs, l->room, sizeof(*l->legs));
	}
	l->legs[l->n++] = (struct letter_leg){ e, leg };
}

static void
leave(struct bundle *b)
{
	TAILQ_REMOVE(&b->all->list, b, link);
	b->all->n--;
}

static void
bundle_on_quiet(void *arg)
{
	struct bundle *b = arg;

	leave(b);
	b->all->full(b->all->arg, b);
}

void
bundle_free(struct bundle *b)
{
	if (b == NULL)
		return;
	timer_unset(b->all->env->timers, &b->quiet);
	letter_free(b->letter);
	mail_digest_free(b->digest);
	free(b->customer);
	free(b);
}

void
bundles_init(struct bundles *all, const struct engine_env *env, bundle_full_cb *full, void *arg)
{
	*all = (struct bundles){ .env = env, .full = full, .arg = arg };
	TAILQ_INIT(&all->list);
}

void
bundles_clear(struct bundles *all)
{
	struct bundle *b;

	while (!TAILQ_EMPTY(&all->list)) {
		b = TAILQ_FIRST(&all->list);
		leave(b);
		bundle_free(b);
	}
}

static struct bundle *
bundle_new(struct bundles *all, const struct smtp_leg *to, enum memo_hold why, const char *customer)
{
	struct bundle *b = xcalloc(1, sizeof(*b));

	b->all = all;
	b->rule = to->rule;
	b->customer = xstrdup(customer);
	b->why = why;
	b->address = to->address;
	b->letter = letter_new(to->to);
	b->digest = mail_digest_new();
	b->began = clock_mono(all->env->clock);
	timer_init(&b->quiet, bundle_on_quiet, b);
	TAILQ_INSERT_TAIL(&all->list, b, link);
	all->n++;
	return b;
}

static struct bundle *
find(struct bundles *all, const struct smtp_leg *to, enum memo_hold why, const char *customer)
{
	struct bundle *b;

	TAILQ_FOREACH(b, &all->list, link) {
		if (b->address == to->address && b->rule == to->rule && b->why == why &&
		    b->letter->n < BUNDLE_MAX && strcmp(b->customer, customer) == 0)
			return b;
	}
	return bundle_new(all, to, why, customer);
}

void
bundles_add(struct bundles *all, const struct smtp_leg *to, enum memo_hold why,
    const struct mail_item *item, struct entry *e, size_t leg)
{
	const char *customer = to->rule->mix_customers ? "" : item->event->origin->customer;
	struct bundle *b = find(all, to, why, customer);
	int64_t left_ms = b->began + GATHER_MS - clock_mono(all->env->clock);

	letter_add(b->letter, e, leg);
	mail_digest_add(b->digest, item);
	if (left_ms < 0)
		left_ms = 0;
	timer_set(all->env->timers, &b->quiet, left_ms < QUIET_MS ? left_ms : QUIET_MS);
}
