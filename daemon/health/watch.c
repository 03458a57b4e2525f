/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "daemon/health/watched.h"
#include "lib/base/alloc.h"

#define LOOK_MS       5000 /* how often all is looked at, … */
#define LOOK_LEAST_MS 250  /* … or more often where health.settle is short */
#define SLEPT_MS      20000 /* so long without a look */
#define SILENT_MS     60000 /* and with no tenant read, perhaps */

/* ---- sleep --------------------------------------------------------------------------- */

/* Nobody is silent because the machine slept, or the process stood still; nothing lasts meanwhile. */
static void
look_for_sleep(struct watch *w)
{
	int64_t now = clock_mono(w->env->clock), passed = now - w->looked_ms;

	if (passed > SILENT_MS)
		w->awake = clock_wall(w->env->clock);
	if (passed > SLEPT_MS)
		w->slept_ms += passed;
	w->looked_ms = now;
}

/* ---- msspd's own --------------------------------------------------------------------- */

void
watch_tell_own(struct watch *w, const char *id, struct health *h, bool is_event)
{
	uint32_t sinks[JOURNAL_ROUTES];
	struct telling to = { .id = id, .h = *h, .is_event = is_event, .sinks = sinks };

	to.nsinks = teller_daemon_routes(w->teller, sinks);
	teller_tell(w->teller, &to);
}

static void
watch_own(struct watch *w)
{
	static const struct subject_name name = { "journal", "Journal", "journal" };
	struct subject *s = w->own;
	int was = s->steady.told;
	uint32_t sinks[JOURNAL_ROUTES];
	struct telling to = { .id = "journal", .sinks = sinks };
	int64_t now = clock_wall(w->env->clock);

	if (s->state != (int)journal_state(w->journal))
		s->since = now;
	s->state = (int)journal_state(w->journal);
	s->what = w->journal_text;
	if (!steady_see(&s->steady, s->state, s->state != JOURNAL_OK, watch_now(w),
		w->settings->health_settle_ms))
		return;
	to.nsinks = teller_daemon_routes(w->teller, sinks);
	subject_tell(w->teller, s, &name, &journal_conditions[s->state],
	    was != STEADY_UNTOLD ? &journal_conditions[was] : NULL, now, &to);
}

/* What the journal says of itself besides its state; that its check went well is no news. */
static const struct {
	const char *id, *state, *remedy;
} journal_events[] = {
	[JOURNAL_NOTE_STATE] = { NULL },
	[JOURNAL_NOTE_QUARANTINE] = { "journal:quarantine", "damaged row",
	    "Look at the disk of state_dir. What was damaged is read again from Microsoft." },
	[JOURNAL_NOTE_SALVAGE] = { "journal:salvage", "replaced",
	    "Look at the disk of state_dir. What was lost is read again from Microsoft." },
	[JOURNAL_NOTE_GAP] = { NULL }, /* told of its tenant */
	[JOURNAL_NOTE_DEAD_CAP] = { "journal:dead-letters", "dead letters dropped",
	    "Mend the sink that has so many; see msspctl status." },
	[JOURNAL_NOTE_QUARANTINE_CAP] = { "journal:unreadable", "quarantine full",
	    "Look what comes that cannot be read: msspctl quarantine. All of it was forwarded." },
	[JOURNAL_NOTE_CHECK] = { NULL },
};

static void
tell_event(struct watch *w, enum journal_note note, const char *text)
{
	struct health h = HEALTH_INIT;
	char *summary = xasprintf("Journal: %s", journal_events[note].state);
	uint64_t by;

	look_for_sleep(w);
	w->nnotes[note]++;
	if (tally_grew(&w->journal_notes[note], w->nnotes[note], watch_now(w), &by)) {
		h.about = STR("journal");
		h.state = str_of(journal_events[note].state);
		h.level = HEALTH_ALARM;
		h.since = clock_wall(w->env->clock);
		h.summary = str_of(summary);
		h.what = str_of(text);
		h.remedy = str_of(journal_events[note].remedy);
		h.count = (int64_t)by;
		watch_tell_own(w, journal_events[note].id, &h, true);
	}
	free(summary);
}

void
watch_journal(struct watch *w, enum journal_note note, enum journal_state state, const char *text)
{
	if (note == JOURNAL_NOTE_STATE) {
		free(w->journal_text);
		w->journal_text = xstrdup(text);
		(void)state;
	} else if (w->is_running && (size_t)note < ARRAY_LEN(journal_events) &&
	           journal_events[note].id != NULL) {
		tell_event(w, note, text);
	}
}

/* ---- what others watch ---------------------------------------------------------------- */

void
watch_notice(struct watch *w, const struct watch_notice *n)
{
	uint32_t sinks[JOURNAL_ROUTES];
	struct health h = HEALTH_INIT;
	struct telling to = { .tenant = n->tenant, .id = n->id, .sinks = sinks };

	if (!w->is_running)
		return;
	h.about = str_of(n->about);
	h.name = str_of(n->name);
	h.state = str_of(n->state);
	h.level = n->level;
	h.since = clock_wall(w->env->clock);
	h.summary = str_of(n->summary);
	h.what = str_of(n->what);
	h.remedy = str_of(n->remedy);
	to.h = h;
	to.nsinks = n->tenant != NULL ? teller_routes(w->teller, n->tenant, sinks)
	                              : teller_daemon_routes(w->teller, sinks);
	teller_tell(w->teller, &to);
}

/* ---- life ------------------------------------------------------------------------------ */

static void
watch_on_timer(void *arg)
{
	struct watch *w = arg;
	int64_t ms = w->settings->health_settle_ms / 4;

	look_for_sleep(w);
	watch_own(w);
	watch_tenants(w);
	watch_sinks(w);
	ms = ms < LOOK_LEAST_MS ? LOOK_LEAST_MS : ms > LOOK_MS ? LOOK_MS : ms;
	timer_set(w->env->timers, &w->timer, ms);
}

struct watch *
watch_new(const struct engine_env *env, struct journal *j, const struct watch_eyes *eyes)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->env = env;
	w->journal = j;
	w->eyes = *eyes;
	w->teller = teller_new(env, j);
	w->own = subject_new("journal");
	w->journal_text = xstrdup("");
	timer_init(&w->timer, watch_on_timer, w);
	return w;
}

static void
free_subjects(struct subject **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		subject_free(v[i]);
	free(v);
}

void
watch_stop(struct watch *w)
{
	timer_unset(w->env->timers, &w->timer);
	w->is_running = false;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	watch_stop(w);
	outages_release(w);
	free_subjects(w->tenants, w->ntenants);
	free_subjects(w->sinks, w->nsinks);
	free_subjects(w->backlogs, w->nsinks);
	subject_free(w->own);
	teller_free(w->teller);
	settings_unref(w->settings);
	free(w->journal_text);
	free(w);
}

/* ---- configuring ------------------------------------------------------------------------ */

static int
by_key(const void *a, const void *b)
{
	return strcmp((*(struct subject *const *)a)->key, (*(struct subject *const *)b)->key);
}

/* The one that is known by that key already, taken out of v (which is sorted), or a new one. */
static struct subject *
take_subject(struct subject **v, size_t n, const char *key)
{
	size_t from = 0, to = n;

	while (from < to) {
		size_t at = from + (to - from) / 2;
		int c = strcmp(key, v[at]->key);

		if (c == 0 && !v[at]->is_kept) {
			v[at]->is_kept = true;
			return v[at];
		}
		if (c <= 0)
			to = at;
		else
			from = at + 1;
	}
	return subject_new(key);
}

static struct subject **
subjects_of(struct subject **was, size_t nwas, size_t n,
    const char *(*key)(const struct settings *s, size_t i), const struct settings *s)
{
	struct subject **v = xcalloc(n + 1, sizeof(*v));

	if (nwas > 1)
		qsort(was, nwas, sizeof(*was), by_key);
	for (size_t i = 0; i < n; i++)
		v[i] = take_subject(was, nwas, key(s, i));
	for (size_t i = 0; i < nwas; i++) {
		if (!was[i]->is_kept)
			subject_free(was[i]);
	}
	free(was);
	for (size_t i = 0; i < n; i++)
		v[i]->is_kept = false;
	return v;
}

static const char *
tenant_key(const struct settings *s, size_t i)
{
	return s->tenants[i].key;
}

static const char *
sink_key(const struct settings *s, size_t i)
{
	return s->sinks[i].name;
}

void
watch_configure(struct watch *w, const struct settings *s)
{
	struct settings *was = w->settings;

	w->settings = settings_ref(s);
	w->tenants = subjects_of(w->tenants, w->ntenants, s->ntenants, tenant_key, s);
	w->ntenants = s->ntenants;
	for (size_t i = 0; i < s->ntenants; i++)
		w->tenants[i]->tenant = &s->tenants[i];
	w->sinks = subjects_of(w->sinks, w->nsinks, s->nsinks, sink_key, s);
	w->backlogs = subjects_of(w->backlogs, w->nsinks, s->nsinks, sink_key, s);
	w->nsinks = s->nsinks;
	teller_configure(w->teller, s);
	settings_unref(was);
	if (w->is_running)
		return;
	w->is_running = true;
	w->awake = clock_wall(w->env->clock);
	w->looked_ms = clock_mono(w->env->clock);
	w->started_ms = watch_now(w);
	timer_set(w->env->timers, &w->timer, LOOK_LEAST_MS);
}
