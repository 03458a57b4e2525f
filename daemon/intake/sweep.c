/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/poller.h"
#include "lib/policy/spread.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

#define DOUBT_MS     HOUR_MS
#define FORGOTTEN_MS (6 * HOUR_MS) /* before its time, for clocks that differ */

void
sweep_init(struct poller *p)
{
	p->readers[READER_HOUR] = (struct reader){ .name = stream_kinds[p->which].hour,
		.span_ms = 3 * HOUR_MS,
		.every_ms = HOUR_MS,
		.cursor = TICKS_NONE,
		.swept = TICKS_NONE };
	p->readers[READER_DAY] = (struct reader){ .name = stream_kinds[p->which].day,
		.span_ms = 7 * DAY_MS,
		.every_ms = DAY_MS,
		.cursor = TICKS_NONE,
		.swept = TICKS_NONE };
}

void
sweep_resume(struct poller *p)
{
	int64_t now = clock_mono(p->in->env->clock), since;
	struct reader *day = &p->readers[READER_DAY], *hour = &p->readers[READER_HOUR];
	struct journal_cursor c = { .at = TICKS_NONE };
	int64_t live = p->readers[READER_LIVE].cursor;

	for (int i = READER_HOUR; i <= READER_DAY; i++)
		p->readers[i].due = spread_next(p->hash >> 8, p->readers[i].every_ms, now);
	/* The hourly one is not on record; it ran at most so long before the stop. */
	if (live != TICKS_NONE)
		hour->swept = live - ticks_from_ms(hour->every_ms);
	if (!journal_cursor(p->in->journal, p->stream, day->name, &c) || c.at == TICKS_NONE)
		return;
	day->cursor = day->swept = c.at;
	since = ticks_to_ms(poller_server_now(p) - c.at);
	/* One that was missed is made up for within the hour, not at once by everybody. */
	if (since > day->every_ms)
		day->due = p->readers[READER_HOUR].due;
}

/* Live reading begins here. */
static int64_t
live_from(const struct poller *p)
{
	int64_t cursor = p->readers[READER_LIVE].cursor, from = p->begin;

	if (cursor != TICKS_NONE)
		from = cursor - ticks_from_ms(p->t->overlap_ms);
	return from > p->begin ? from : p->begin;
}

int64_t
reader_window(const struct poller *p)
{
	int64_t least = TICKS_NONE, from;

	for (int i = 0; i < STREAM_COUNT; i++) {
		const struct poller *other = p->tn->streams[i];

		if (other == NULL || other->s->kind->memory != p->s->kind->memory ||
		    !poller_was_read(other))
			continue;
		from = live_from(other);
		if (least == TICKS_NONE || from < least)
			least = from;
	}
	return least;
}

void
reader_say_window(const struct poller *p)
{
	int64_t from = reader_window(p);

	if (from != TICKS_NONE)
		journal_window(p->in->journal, p->stream, from);
}

void
reader_doubt(struct poller *p, int64_t version)
{
	int64_t now = clock_mono(p->in->env->clock);

	if (now >= p->doubt_until || version < p->doubt_from)
		p->doubt_from = version;
	p->doubt_until = now + DOUBT_MS;
}

/* As long as there is a doubt, but never far; sweeps go on when it is over. */
static int64_t
doubt_back(const struct poller *p, int64_t from)
{
	int64_t most = from - ticks_from_ms(p->readers[READER_HOUR].span_ms);

	if (clock_mono(p->in->env->clock) >= p->doubt_until || p->doubt_from >= from)
		return from;
	if (most < p->begin)
		most = p->begin;
	return p->doubt_from > most ? p->doubt_from : most;
}

/*
 * What is listed late by up to span less every is found, however late the sweep itself
 * is: what was not listed yet when the last one began is not older than that. Never as
 * far back as something might be forgotten that would then pass for new.
 */
static int64_t
sweep_from(const struct poller *p, const struct reader *r, int64_t now)
{
	int64_t far = p->settings->remember_ms - FORGOTTEN_MS;
	int64_t from = now - ticks_from_ms(r->span_ms), last;

	if (r->swept != TICKS_NONE) {
		last = r->swept - ticks_from_ms(r->span_ms - r->every_ms);
		from = last < from ? last : from;
	}
	if (r == &p->readers[READER_HOUR] && far > p->readers[READER_DAY].span_ms)
		far = p->readers[READER_DAY].span_ms;
	if (from < now - ticks_from_ms(far))
		from = now - ticks_from_ms(far);
	return from > p->begin ? from : p->begin;
}

/* Live reads go on from what is stored, sweeps end where live reading begins. */
bool
reader_bounds(struct poller *p, struct reader *r, struct paging_bounds *out)
{
	int64_t now = poller_server_now(p), live = live_from(p);
	int64_t most = p->s->kind->page_max, top = p->t->page_size;
	bool is_live = r->span_ms == 0;

	r->begun = now;
	*out = (struct paging_bounds){
		.from = is_live ? doubt_back(p, live) : sweep_from(p, r, now),
		.until = is_live ? PAGING_FOREVER : live,
		/* Paging moves nothing of a sweep: its cursor is when it ran. */
		.cursor = is_live ? r->cursor : PAGING_FOREVER,
		.page_size = (unsigned)(top < most ? top : most),
		.most = (unsigned)most,
		.is_by_skip = p->s->kind->is_by_skip,
	};
	if (r == &p->readers[READER_REPLAY])
		return replay_bounds(p, out);
	if (listing_is_at_it(p))
		return listing_bounds(p, out);
	return is_live || out->from < out->until;
}

void
sweep_done(struct poller *p, struct reader *r)
{
	r->swept = r->begun;
	r->failures = 0;
	r->due = spread_next(p->hash >> 8, r->every_ms, clock_mono(p->in->env->clock));
}
