/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/health/teller.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "daemon/delivery/sink.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/record/record.h"

#define BODY_MAX    (64 * 1024)
#define AGAIN_MS    2000
#define WAITING_MAX 4096
#define LANES       1024 /* a power of two */

/* What the memory's status byte says of a subject. */
enum said { SAID_WELL, SAID_ILL, SAID_EVENT };

/* One record on its way into the journal. */
struct note {
	struct journal_page page; /* first: the journal gives this back */
	struct journal_entry entry;
	TAILQ_ENTRY(note) link;
	struct teller *t; /* NULL: gone */
	size_t lane;
	bool is_stored;
	char *id, *body;
};
TAILQ_HEAD(notes, note);

/*
 * What is told of one subject goes by one lane, one at a time: what the journal did
 * not take must not come behind what was told after it, or a sink that is up again
 * would be said to be down for ever.
 */
struct lane {
	bool is_under_way;
	unsigned nwaiting;
};

struct teller {
	const struct engine_env *env;
	struct journal *journal;
	struct settings *settings;
	uint32_t stream; /* of msspd's own */
	struct notes under_way, waiting;
	size_t nwaiting;
	struct lane lanes[LANES];
	struct timer again;
};

/* ---- whose ----------------------------------------------------------------------------- */

/* "global/<guid>/health": beside the tenant's other streams. */
static uint32_t
stream_of(struct teller *t, const struct tenant *tenant)
{
	struct origin copy = *tenant->origin, *o;
	char *key = xasprintf("%s/health", tenant->key), *about;
	uint32_t stream;

	copy.stream = (char *)(uintptr_t)"health";
	o = origin_new(&copy);
	about = origin_about(o);
	stream = journal_stream(t->journal, key, about);
	origin_unref(o);
	free(about);
	free(key);
	return stream;
}

static uint32_t
own_stream(struct teller *t)
{
	struct origin *o = origin_own(t->env->instance, "health");
	char *about;
	uint32_t n;

	about = origin_about(o);
	n = journal_stream(t->journal, "msspd/health", about);
	origin_unref(o);
	free(about);
	return n;
}

static const struct record blank = { .refs = 1, .type = RECORD_HEALTH };

size_t
teller_routes(const struct teller *t, const struct tenant *tenant, uint32_t out[JOURNAL_ROUTES])
{
	const struct event ev = { &blank, tenant->origin, KIND_HEALTH };
	size_t n = 0;

	for (size_t i = 0; i < tenant->nsinks && n < JOURNAL_ROUTES; i++) {
		const struct sink_conf *s = tenant->sinks[i];
		struct route r = { journal_sink(t->journal, s->name), s->match,
			s->kind->default_kinds };

		n += route_select(&r, 1, &ev, &out[n], 1);
	}
	return n;
}

/* Of `match` only whether health is wanted at all can be asked: it is no customer's. */
size_t
teller_daemon_routes(const struct teller *t, uint32_t out[JOURNAL_ROUTES])
{
	const struct settings *s = t->settings;
	size_t n = 0;

	for (size_t i = 0; i < s->nsinks && n < JOURNAL_ROUTES; i++) {
		const struct sink_conf *sink = &s->sinks[i];
		unsigned kinds = sink->match != NULL && sink->match->kinds != 0
		                     ? sink->match->kinds
		                     : sink->kind->default_kinds;

		if (sink->health == SINK_HEALTH_DAEMON && (kinds & 1u << KIND_HEALTH))
			out[n++] = journal_sink(t->journal, sink->name);
	}
	return n;
}

/* ---- into the journal -------------------------------------------------------------------- */

static enum journal_act
judge_health(const struct seen *was, struct journal_entry *e, const void *ctx)
{
	(void)ctx;
	e->kind = KIND_HEALTH;
	if (e->now.status == SAID_EVENT)
		return JOURNAL_FORWARD;
	if (was == NULL && e->now.status == SAID_WELL)
		return JOURNAL_SKIP;
	if (was != NULL && was->status == e->now.status && was->part[0] == e->now.part[0])
		return JOURNAL_SKIP;
	return JOURNAL_FORWARD;
}

static void
note_free(struct note *n)
{
	free(n->id);
	free(n->body);
	free(n);
}

static void
wait_no_more(struct teller *t, struct note *n)
{
	TAILQ_REMOVE(&t->waiting, n, link);
	t->lanes[n->lane].nwaiting--;
	t->nwaiting--;
}

static struct note *
first_of_lane(struct teller *t, size_t lane)
{
	struct note *n;

	if (t->lanes[lane].nwaiting == 0)
		return NULL;
	TAILQ_FOREACH (n, &t->waiting, link) {
		if (n->lane == lane)
			break;
	}
	return n;
}

/* A queue that is full gives up its oldest: what is newest matters most. */
static void
put_off(struct teller *t, struct note *n, struct note *before)
{
	if (before != NULL)
		TAILQ_INSERT_BEFORE(before, n, link);
	else
		TAILQ_INSERT_TAIL(&t->waiting, n, link);
	t->lanes[n->lane].nwaiting++;
	t->nwaiting++;
	if (t->nwaiting > WAITING_MAX) {
		n = TAILQ_FIRST(&t->waiting);
		wait_no_more(t, n);
		log_warn(NULL, "a health record is given up, too many wait for the journal: %s",
		    n->body);
		note_free(n);
	}
	if (!timer_is_set(&t->again))
		timer_set(t->env->timers, &t->again, AGAIN_MS);
}

static void
note_on_appended(void *arg, const struct journal_page *page, const struct journal_appended *result)
{
	struct note *n = arg;

	(void)page;
	n->is_stored = result->ok;
}

static void
submit(struct teller *t, struct note *n)
{
	TAILQ_INSERT_TAIL(&t->under_way, n, link);
	t->lanes[n->lane].is_under_way = true;
	journal_append(t->journal, &n->page, note_on_appended, n);
}

static void
note_release(struct journal_page *page)
{
	struct note *n = (struct note *)page, *next;
	struct teller *t = n->t;

	if (t == NULL) {
		note_free(n);
		return;
	}
	TAILQ_REMOVE(&t->under_way, n, link);
	t->lanes[n->lane].is_under_way = false;
	next = first_of_lane(t, n->lane);
	if (!n->is_stored) {
		put_off(t, n, next);
		return;
	}
	if (next != NULL) {
		wait_no_more(t, next);
		submit(t, next);
	}
	note_free(n);
}

static void
teller_on_again(void *arg)
{
	struct teller *t = arg;
	struct note *n, *next;

	if (TAILQ_EMPTY(&t->waiting))
		return;
	if (journal_state(t->journal) == JOURNAL_FAILED) {
		timer_set(t->env->timers, &t->again, AGAIN_MS);
		return;
	}
	for (n = TAILQ_FIRST(&t->waiting); n != NULL; n = next) {
		next = TAILQ_NEXT(n, link);
		if (t->lanes[n->lane].is_under_way)
			continue;
		wait_no_more(t, n);
		submit(t, n);
	}
}

static struct seen
seen_of(const struct telling *what, int64_t now)
{
	struct seen seen = { .created = TICKS_NONE, .version = now, .rev = SEEN_REVISION };

	seen.status = what->is_event                   ? SAID_EVENT
	              : what->h.level == HEALTH_WELL ? SAID_WELL
	                                               : SAID_ILL;
	seen.part[0] = (uint16_t)str_hash(what->h.state.s, what->h.state.n);
	return seen;
}

void
teller_tell(struct teller *t, const struct telling *what)
{
	struct note *n = xcalloc(1, sizeof(*n));
	struct buf body = BUF_INIT(BODY_MAX);
	size_t len;

	health_write(&body, &what->h);
	BUG_IF(!buf_ok(&body) || what->nsinks > JOURNAL_ROUTES);
	len = body.n;
	n->t = t;
	n->id = xstrdup(what->id);
	n->body = buf_take(&body);
	n->entry = (struct journal_entry){ .id = str_of(n->id),
		.now = seen_of(what, clock_wall(t->env->clock)),
		.type = RECORD_HEALTH,
		.body = n->body,
		.len = len,
		.nroutes = (uint8_t)what->nsinks };
	for (size_t i = 0; i < what->nsinks; i++)
		n->entry.route[i] = what->sinks[i];
	n->page = (struct journal_page){
		.stream = what->tenant != NULL ? stream_of(t, what->tenant) : t->stream,
		.reader = "health",
		.cursor = TICKS_NONE,
		.memory_begin = TICKS_NONE,
		.window_from = TICKS_NONE,
		.judge = judge_health,
		.entries = &n->entry,
		.n = 1,
		.is_urgent = true,
		.release = note_release,
	};
	n->lane = (size_t)(str_hash(n->id, strlen(n->id)) + n->page.stream) & (LANES - 1);
	if (t->lanes[n->lane].is_under_way || t->lanes[n->lane].nwaiting > 0)
		put_off(t, n, NULL);
	else
		submit(t, n);
}

/* ---- life ---------------------------------------------------------------------------------- */

struct teller *
teller_new(const struct engine_env *env, struct journal *j)
{
	struct teller *t = xcalloc(1, sizeof(*t));

	t->env = env;
	t->journal = j;
	TAILQ_INIT(&t->under_way);
	TAILQ_INIT(&t->waiting);
	timer_init(&t->again, teller_on_again, t);
	t->stream = own_stream(t);
	return t;
}

/* What is under way the journal gives back later, to nobody. */
void
teller_free(struct teller *t)
{
	struct note *n;

	if (t == NULL)
		return;
	timer_unset(t->env->timers, &t->again);
	TAILQ_FOREACH (n, &t->under_way, link)
		n->t = NULL;
	while (!TAILQ_EMPTY(&t->waiting)) {
		n = TAILQ_FIRST(&t->waiting);
		TAILQ_REMOVE(&t->waiting, n, link);
		note_free(n);
	}
	settings_unref(t->settings);
	free(t);
}

void
teller_configure(struct teller *t, const struct settings *s)
{
	struct settings *was = t->settings;

	t->settings = settings_ref(s);
	for (size_t i = 0; i < s->ntenants; i++)
		(void)stream_of(t, &s->tenants[i]);
	settings_unref(was);
}
