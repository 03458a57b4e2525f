#include "daemon/intake/poller.h"
#include "lib/policy/spread.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

void
sweep_init(struct poller *p)
{
	p->readers[READER_HOUR] = (struct reader){ .name = "sweep-hour",
		.span_ms = 3 * HOUR_MS,
		.every_ms = HOUR_MS,
		.cursor = TICKS_NONE };
	p->readers[READER_DAY] = (struct reader){
		.name = "sweep-day", .span_ms = 7 * DAY_MS, .every_ms = DAY_MS, .cursor = TICKS_NONE
	};
}

void
sweep_resume(struct poller *p)
{
	int64_t now = clock_mono(p->in->env->clock), since;
	struct reader *day = &p->readers[READER_DAY];
	struct journal_cursor c = { .at = TICKS_NONE };

	for (int i = READER_HOUR; i < READER_COUNT; i++)
		p->readers[i].due = spread_next(p->hash >> 8, p->readers[i].every_ms, now);
	if (!journal_cursor(p->in->journal, p->stream, day->name, &c) || c.at == TICKS_NONE)
		return;
	day->cursor = c.at;
	since = ticks_to_ms(poller_server_now(p) - c.at);
	/* One that was missed is made up for within the hour, not at once by everybody. */
	if (since > day->every_ms)
		day->due = p->readers[READER_HOUR].due;
}

/* Live reads go on from what is stored, sweeps end where live reading begins. */
bool
reader_bounds(struct poller *p, struct reader *r, struct paging_bounds *out)
{
	int64_t now = poller_server_now(p), overlap = ticks_from_ms(p->t->overlap_ms);
	int64_t cursor = p->readers[READER_LIVE].cursor;
	int64_t most = p->s->kind->page_max, top = p->t->page_size;
	int64_t live = cursor != TICKS_NONE ? cursor - overlap : p->begin;

	if (live < p->begin)
		live = p->begin;
	r->begun = now;
	*out = (struct paging_bounds){ .from = live,
		.until = PAGING_FOREVER,
		.cursor = r->cursor,
		.page_size = (unsigned)(top < most ? top : most),
		.most = (unsigned)most };
	if (r->span_ms == 0)
		return true;
	out->until = live;
	out->from = now - ticks_from_ms(r->span_ms);
	if (out->from < p->begin)
		out->from = p->begin;
	out->cursor = PAGING_FOREVER; /* paging moves nothing: a sweep's cursor is when it ran */
	return out->from < out->until;
}

void
sweep_done(struct poller *p, struct reader *r)
{
	r->due = spread_next(p->hash >> 8, r->every_ms, clock_mono(p->in->env->clock));
}
