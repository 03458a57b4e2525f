/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LETTERS_STAGE_H
#define LETTERS_STAGE_H

#include <check.h>
#include <stdio.h>

#include "lib/base/ticks.h"
#include "tests/unit/journal_kit.h"

/* letters_stage: tenants' entries, refused and looked at, for the tests of dead letters and of purging. */

#define V(n) (KIT_START + (n) * TICKS_SEC)

static inline uint32_t
stream(struct kit *k, const char *tenant)
{
	char key[80];

	snprintf(key, sizeof(key), "global/%s/alerts", tenant);
	return journal_stream(k->j, key, tenant);
}

/* n entries of that tenant for that sink. */
static inline void
put(struct kit *k, const char *tenant, const char *prefix, size_t n, uint32_t sink)
{
	struct kit_page *p = kit_page(k, stream(k, tenant), prefix, n, 100, V(1));

	kit_route(p, sink);
	kit_must_append(k, p);
}

static inline void
refuse(struct kit *k, uint32_t sink, const struct journal_item *item, const char *why)
{
	struct journal_mark mark = { .pos = item->pos, .what = MARK_DEAD, .why = why };

	journal_settle(k->j, sink, &mark, 1);
}

/* All that the sink has. */
static inline void
refuse_all(struct kit *k, uint32_t sink, const char *why)
{
	struct journal_batch *b = kit_read(k, sink, 100, SIZE_MAX, NULL);

	for (size_t i = 0; i < b->n; i++)
		refuse(k, sink, &b->items[i], why);
	journal_batch_free(b);
}

static inline struct journal_batch *
dead(struct kit *k, uint32_t sink)
{
	return kit_letters(k, &(struct journal_letters_ask){ .which = { .sink = sink }, .max = 100,
	    .max_bytes = 1000 });
}

/* Their ids, in the order of the list. */
static inline void
dead_are(struct kit *k, uint32_t sink, const char *ids)
{
	struct journal_batch *b = dead(k, sink);

	ck_assert_msg(kit_is(b, ids), "%zu dead letters, want \"%s\"", b->n, ids);
	journal_batch_free(b);
}

static inline struct journal_task
retry_all(struct kit *k, uint32_t sink)
{
	return kit_work_all(k, (struct journal_task){ .what = JOURNAL_RETRY, .which = { .sink = sink } });
}

#endif
