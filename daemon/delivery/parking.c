/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/parking.h"

#include <inttypes.h>

#include "daemon/delivery/owner.h"
#include "lib/base/ticks.h"

#define LOOK_MS  1000
#define STILL_MS INT64_C(20000) /* without any answer: it stands still */

static bool
is_too_old(const struct sink_backlog *limit, const struct journal_backlog *log, int64_t now)
{
	return limit->age_ms != 0 && log->oldest != TICKS_NONE
	    && now - log->oldest > ticks_from_ms(limit->age_ms);
}

static bool
is_too_much(const struct sink_backlog *limit, const struct journal_backlog *log, int64_t now)
{
	return (limit->size != 0 && log->bytes > (uint64_t)limit->size) || is_too_old(limit, log, now);
}

static bool
is_half_empty(const struct sink_backlog *limit, const struct journal_backlog *log)
{
	return limit->size == 0 || log->bytes <= (uint64_t)limit->size / 2;
}

/* Well below the limit, or it would be parked again at once; a few that it refuses for now do not count. */
static bool
has_recovered(const struct sink_backlog *limit, const struct journal_backlog *log, int64_t now)
{
	return log->entries < JOURNAL_PARK_KEEP / 2 && is_half_empty(limit, log)
	    && !is_too_old(limit, log, now);
}

/* Something waits for it, and for a while it has answered nothing. */
static bool
stands_still(const struct sink_owner *o, const struct journal_backlog *log, int64_t now)
{
	int64_t since = o->last_accepted > log->oldest ? o->last_accepted : log->oldest;

	return log->oldest != TICKS_NONE && now - since > ticks_from_ms(STILL_MS);
}

/* What the far side of a sink that moves has and has not confirmed yet does not wait. */
static void
leave_out_handed(const struct sink_owner *o, struct journal_backlog *log, int64_t now)
{
	uint64_t handed = o->tickets.n;

	if (log->entries == 0 || stands_still(o, log, now))
		return;
	if (handed > log->entries)
		handed = log->entries;
	log->bytes -= (uint64_t)((double)log->bytes / (double)log->entries * (double)handed);
}

/* The intake asks before each request: see delivery_full_sink(). */
static void
set_pause(struct sink_owner *o, bool is_full, const struct journal_backlog *log)
{
	if (o->pauses_polling == is_full)
		return;
	o->pauses_polling = is_full;
	if (is_full)
		o->d->npauses++;
	else
		o->d->npauses--;
	if (is_full)
		log_error(&o->log, "more waits for it than its backlog allows: the tenants that are routed "
		    "to it are not polled until it has taken half of it entries=%" PRIu64
		    " bytes=%" PRIu64, log->entries, log->bytes);
	else
		log_info(&o->log, "has taken enough; the tenants that are routed to it are polled again");
}

static void
look_at(struct sink_owner *o, const struct sink_backlog *limit, int64_t now)
{
	struct journal_backlog log;
	bool is_full;

	if (!journal_backlog_of(o->d->journal, o->number, &log))
		return;
	leave_out_handed(o, &log, now);
	is_full = is_too_much(limit, &log, now);
	if (limit->when_full != WHEN_FULL_PAUSE)
		set_pause(o, false, &log);
	else if (is_full || (is_half_empty(limit, &log) && !is_too_old(limit, &log, now)))
		set_pause(o, is_full, &log);
	if (!log.is_parked && is_full && limit->when_full == WHEN_FULL_PARK) {
		journal_sink_park(o->d->journal, o->number, true);
		log_error(&o->log, "more waits for it than its backlog allows: it is parked and keeps the "
		    "oldest; all else is let go and read from Microsoft again when it has taken them "
		    "entries=%" PRIu64 " bytes=%" PRIu64, log.entries, log.bytes);
	} else if (log.is_parked && has_recovered(limit, &log, now)) {
		journal_sink_park(o->d->journal, o->number, false);
		log_info(&o->log, "takes entries again and is not parked any more; what it missed is read "
		    "again");
	}
}

static void
parking_on_timer(void *arg)
{
	struct delivery *d = arg;
	int64_t now = clock_wall(d->env->clock);
	struct sink_owner *o;

	timer_set(d->env->timers, &d->parking, LOOK_MS);
	TAILQ_FOREACH(o, &d->owners, link) {
		const struct sink_conf *conf = settings_sink(d->settings, o->name);

		if (conf != NULL)
			look_at(o, &conf->backlog, now);
	}
}

void
parking_init(struct delivery *d)
{
	timer_init(&d->parking, parking_on_timer, d);
}

void
parking_start(struct delivery *d)
{
	timer_set(d->env->timers, &d->parking, LOOK_MS);
}

void
parking_stop(struct delivery *d)
{
	timer_unset(d->env->timers, &d->parking);
}
