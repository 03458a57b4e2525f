#include <inttypes.h>
#include <stdlib.h>

#include "daemon/health/watched.h"
#include "lib/base/alloc.h"

enum { LINK_UP, LINK_DOWN, LINK_REFUSED, LINK_PARKED };

static const struct words links[] = {
	[LINK_UP] = { "up", HEALTH_WELL, "" },
	[LINK_DOWN] = { "down", HEALTH_ALARM,
	    "Look at the receiver and at the way to it. Nothing is lost: what waits is kept and "
	    "sent when it is up again." },
	[LINK_REFUSED] = { "refused", HEALTH_ALARM,
	    "Look at the certificates and names of both sides. Nothing is lost: what waits is "
	    "kept and sent when it is accepted." },
	[LINK_PARKED] = { "parked", HEALTH_ALARM,
	    "Mend what the reason names: a folder, a file, a right. What waits is kept." },
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
	subject_tell(w->teller, s, &name, &links[s->state],
	    was != STEADY_UNTOLD ? &links[was] : NULL, clock_wall(w->env->clock), &to);
	free(title);
	free(id);
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
	int64_t now = clock_mono(w->env->clock);
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

void
watch_sinks(struct watch *w)
{
	struct delivery_figures *f = xcalloc(w->nsinks + 1, sizeof(*f));
	size_t n = w->eyes.sinks(w->eyes.arg, f, w->nsinks);

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < w->nsinks; k++) {
			if (strcmp(f[i].sink, w->sinks[k]->key) == 0)
				look_at(w, w->sinks[k], &f[i]);
		}
	}
	free(f);
}
