/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "daemon/health/canaries.h"
#include "daemon/health/watched.h"
#include "lib/base/alloc.h"

enum { BACKLOG_COMPLETE, BACKLOG_REFILLED, BACKLOG_OVER, BACKLOG_PAUSES };

static const struct {
	struct words words;
	const char *what;
} backlogs[] = {
	[BACKLOG_COMPLETE] = { { "complete", HEALTH_WELL, "" },
	    "it has what it missed, and gets everything as it comes" },
	[BACKLOG_REFILLED] = { { "being refilled", HEALTH_NOTICE,
	                         "Nothing; msspctl replays shows how far it is." },
	    "what it was not given is read from Microsoft again, for this sink alone" },
	[BACKLOG_OVER] = { { "over its backlog", HEALTH_ALARM,
	                     "Find out why the receiver does not take what waits for it; all else "
	                     "happens by itself." },
	    "more waits for it than its backlog allows: it keeps the oldest, and what it misses is "
	    "read from Microsoft again when it has taken those" },
	[BACKLOG_PAUSES] = { { "holding up its tenants", HEALTH_ALARM,
	                       "Find out why the receiver does not take what waits for it; polling "
	                       "goes on by itself." },
	    "more waits for it than its backlog allows, and the tenants that are routed to it are "
	    "not polled meanwhile" },
};

static int
link_of(const struct delivery_figures *f)
{
	if (f->is_parked)
		return LINK_PARKED;
	if (f->trouble_since == TICKS_NONE)
		return LINK_UP;
	return f->link == SINK_REFUSED ? LINK_REFUSED : LINK_DOWN;
}

static void
tell_link(struct watch *w, struct subject *s, int was)
{
	char *title = xasprintf("Sink %s", s->key), *id = xasprintf("sink:%s", s->key);
	const struct subject_name name = { "sink", title, s->key };
	uint32_t sinks[JOURNAL_ROUTES];
	struct telling to = { .id = id, .sinks = sinks };

	to.nsinks = teller_daemon_routes(w->teller, sinks);
	if (s->state == LINK_UP)
		s->what = "what waited for it is being sent";
	subject_tell(w->teller, s, &name, &link_conditions[s->state],
	    was != STEADY_UNTOLD ? &link_conditions[was] : NULL, clock_wall(w->env->clock), &to);
	free(title);
	free(id);
}

static int
backlog_of(const struct watch *w, const struct delivery_figures *f)
{
	uint32_t sink = journal_sink(w->journal, f->sink);
	struct journal_backlog log;

	if (f->pauses_polling)
		return BACKLOG_PAUSES;
	if (journal_backlog_of(w->journal, sink, &log) && log.is_parked)
		return BACKLOG_OVER;
	return journal_periods_open(w->journal, sink) > 0 ? BACKLOG_REFILLED : BACKLOG_COMPLETE;
}

static void
tell_backlog(struct watch *w, struct subject *s, int was)
{
	char *title = xasprintf("Sink %s", s->key), *id = xasprintf("backlog:%s", s->key);
	const struct subject_name name = { "sink", title, s->key };
	uint32_t sinks[JOURNAL_ROUTES];
	struct telling to = { .id = id, .sinks = sinks };

	to.nsinks = teller_daemon_routes(w->teller, sinks);
	s->what = backlogs[s->state].what;
	subject_tell(w->teller, s, &name, &backlogs[s->state].words,
	    was != STEADY_UNTOLD ? &backlogs[was].words : NULL, clock_wall(w->env->clock), &to);
	free(title);
	free(id);
}

static void
look_at_backlog(struct watch *w, struct subject *s, const struct delivery_figures *f)
{
	int was = s->steady.told, state = backlog_of(w, f);

	if (state != s->state || s->since == TICKS_NONE)
		s->since = clock_wall(w->env->clock);
	s->state = state;
	if (steady_see(&s->steady, state, state != BACKLOG_COMPLETE, watch_now(w),
		w->settings->health_settle_ms))
		tell_backlog(w, s, was);
}

static void
tell_dead(struct watch *w, const struct subject *s, uint64_t by)
{
	char *summary = xasprintf("Sink %s: %" PRIu64 " more dead letters", s->key, by);
	char *id = xasprintf("dead:%s", s->key);
	struct health h = HEALTH_INIT;

	h.about = STR("sink");
	h.name = str_of(s->key);
	h.state = STR("dead letters");
	h.level = HEALTH_ALARM;
	h.since = clock_wall(w->env->clock);
	h.summary = str_of(summary);
	h.what = STR("entries that this sink can never deliver are kept as dead letters");
	h.remedy = STR("See the log of msspd for the reason, and look for the alerts in the Defender "
	               "portal.");
	h.count = (int64_t)by;
	watch_tell_own(w, id, &h, true);
	free(summary);
	free(id);
}

static void
look_at(struct watch *w, struct subject *s, const struct delivery_figures *f)
{
	int64_t now = watch_now(w);
	int was = s->steady.told;
	uint64_t by;

	s->state = link_of(f);
	s->what = f->trouble;
	s->since = f->trouble_since;
	if (steady_see(
		&s->steady, s->state, s->state != LINK_UP, now, w->settings->health_settle_ms))
		tell_link(w, s, was);
	if (tally_grew(&s->dead, f->dead, now, &by))
		tell_dead(w, s, by);
}

static void
look_at_both(struct watch *w, size_t k, const struct delivery_figures *f)
{
	look_at(w, w->sinks[k], f);
	look_at_backlog(w, w->backlogs[k], f);
}

void
watch_sinks(struct watch *w)
{
	struct delivery_figures *f = xcalloc(w->nsinks + 1, sizeof(*f));
	size_t n = w->eyes.sinks(w->eyes.arg, f, w->nsinks);

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < w->nsinks; k++) {
			if (strcmp(f[i].sink, w->sinks[k]->key) == 0)
				look_at_both(w, k, &f[i]);
		}
	}
	free(f);
}

void
watch_canary(struct watch *w, const struct canary_word *word)
{
	char *id = xasprintf("canary:%.150s", word->sink);
	char *state = xasprintf("canary %s", word->state);
	char *summary = xasprintf("Sink %s: canary %s", word->sink, word->state);

	watch_notice(w, &(struct watch_notice){ .id = id, .about = "sink", .name = word->sink,
	    .level = word->is_well ? HEALTH_WELL : HEALTH_ALARM, .state = state, .summary = summary,
	    .what = word->is_well ? "the way to this sink is open" : word->what,
	    .remedy = word->is_well ? "" : "Look at the receiver and at the way to it: msspctl sink NAME, "
	        "msspctl test-sink NAME. Alerts that wait are kept." });
	free(summary);
	free(state);
	free(id);
}
