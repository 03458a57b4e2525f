/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PERIOD_STAGE_H
#define PERIOD_STAGE_H

#include <check.h>
#include <stdlib.h>

#include "lib/base/ticks.h"
#include "tests/unit/journal_kit.h"

/* period_stage: a journal's periods, parked sinks and resends as their tests use them. */
#define V(n) (KIT_START + (n) * TICKS_SEC)

static inline uint32_t
stream(struct kit *k)
{
	return journal_stream(k->j, "global/1111/alerts", "about 1111");
}

/* Versions rise by a second each. */
static inline void
put(struct kit *k, const char *prefix, size_t n, int64_t first, uint32_t sink)
{
	struct kit_page *p = kit_page(k, stream(k), prefix, n, 100, first);

	for (size_t i = 0; i < n; i++)
		p->page.entries[i].now.version = first + (int64_t)i * TICKS_SEC;
	kit_route(p, sink);
	kit_must_append(k, p);
}

static inline bool
period(struct kit *k, uint64_t number, struct journal_period *out)
{
	struct journal_period all[64];
	size_t n = journal_periods(k->j, all, 64);

	for (size_t i = 0; i < n; i++) {
		if (all[i].number != number)
			continue;
		*out = all[i];
		return true;
	}
	return false;
}

static inline struct journal_period
only_period(struct kit *k)
{
	struct journal_period all[64];

	ck_assert_uint_eq(journal_periods(k->j, all, 64), 1);
	return all[0];
}

static inline uint64_t
ask(struct kit *k, uint32_t sink)
{
	return journal_period_add(k->j, &(struct journal_period) { .stream = stream(k),
	    .sink = sink, .from = V(0), .to = V(100), .at = TICKS_NONE, .made = V(0),
	    .flags = JOURNAL_PERIOD_ALL });
}

static inline struct kit_page *
replay_page(struct kit *k, const char *prefix, size_t n, uint64_t number, int64_t at)
{
	struct kit_page *p = kit_page(k, stream(k), prefix, n, 100, V(1));

	p->page.reader = "replay";
	p->page.cursor = TICKS_NONE;
	p->page.period = number;
	p->page.period_at = at;
	p->page.period_seen = n;
	return p;
}

static inline void
park(struct kit *k, uint32_t sink, bool is_parked)
{
	journal_sink_park(k->j, sink, is_parked);
	kit_run(k, 60);
}

static inline void
lose(struct kit *k, uint32_t sink, int64_t from)
{
	const struct journal_period p = { .stream = stream(k), .from = from, .to = V(5000),
		.at = TICKS_NONE, .flags = JOURNAL_PERIOD_ALL | JOURNAL_PERIOD_GAP };

	journal_sink_resend(k->j, sink, &p, 1);
}

static inline bool
is_resent(struct kit *k)
{
	return k->notes[JOURNAL_NOTE_REFILL] > 0;
}

/* Its ids in one string, in order; all are settled. */
static inline const char *
got(struct kit *k, uint32_t sink)
{
	static char ids[2000];
	struct journal_batch *b = kit_read(k, sink, 100, SIZE_MAX, NULL);

	ids[0] = '\0';
	for (size_t i = 0; i < b->n; i++) {
		snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%.*s ",
		    (int)b->items[i].id.n, b->items[i].id.s);
		kit_settle(k, sink, &b->items[i], MARK_OK, 0, NULL);
	}
	journal_batch_free(b);
	return ids;
}

#endif
