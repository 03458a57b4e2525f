/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "tests/fake_graph/corpus.h"
#include "tests/fake_graph/hostile.h"
#include "tests/fake_graph/story.h"

#define MAX_BODY     (16u << 20)
#define MAX_EVIDENCE 80
#define MAX_COMMENTS 20
/* After a pause of the process the story does not run after the lost time. */
#define MAX_OWED 5000
/* The story prefers the newest alerts: attacks and analysts do. */
#define RECENT    200
#define YEAR_2099 (INT64_C(4070908800) * TICKS_SEC)

/* Out of 100, in the order they are tried. */
static const struct share {
	enum change what;
	unsigned share;
} mixture[] = {
	{ CHANGE_NEW, 38 },
	{ CHANGE_EVIDENCE, 18 },
	{ CHANGE_RESOLVED, 12 },
	{ CHANGE_ESCALATED, 8 },
	{ CHANGE_COMMENT, 7 },
	{ CHANGE_ASSIGNED, 6 },
	{ CHANGE_VERDICT, 5 },
	{ CHANGE_REOPENED, 4 },
	{ CHANGE_LOWERED, 2 },
};
static const struct share incident_mixture[] = {
	{ CHANGE_NEW, 40 },
	{ CHANGE_ASSIGNED, 15 },
	{ CHANGE_RESOLVED, 15 },
	{ CHANGE_COMMENT, 10 },
	{ CHANGE_ESCALATED, 8 },
	{ CHANGE_MERGED, 7 },
	{ CHANGE_REOPENED, 5 },
};

void
story_init(struct story *s, struct world *w, const struct options *opt)
{
	*s = (struct story){
		.world = w,
		.opt = opt,
		.rng = { rng_child((uint64_t)opt->seed, 7) },
		.rate = opt->rate,
		.stop_ms = INT64_MAX,
	};
}

static void
publish(struct story *s, struct alert *a, int64_t visible_from, int64_t now)
{
	struct buf b = BUF_INIT(MAX_BODY);

	if (a->nversions == 0) {
		a->is_mde = corpus_is_mde(a);
		a->is_mde_only =
		    a->is_mde && (long long)(rng_child(a->seed, 8) % 100) < s->opt->mde_only;
	}
	corpus_render(&b, a, &a->facts, true, s->world->is_bench);
	BUG_IF(!buf_ok(&b));
	world_publish(s->world, a, xmemdup(b.p, b.n), b.n, visible_from, now);
	buf_release(&b);
}

/* Now, or up to late_ms later: half of what may be late is. */
static int64_t
when_visible(struct story *s, int64_t now)
{
	uint64_t die = rng_next(&s->rng);

	if (s->opt->late_ms == 0 || die % 2 == 0)
		return now;
	return now + (int64_t)((die >> 1) % ((uint64_t)s->opt->late_ms + 1));
}

/* The stamp of a change: now, rounded, sometimes the tenant's last one again; it only rises. */
static int64_t
next_stamp(struct story *s, const struct alert *a, int64_t now)
{
	struct tenant *t = a->tenant;
	int64_t ticks = ticks_from_ms(now) + rng_below(&s->rng, TICKS_MS);
	int64_t stamp = corpus_round(&s->rng, ticks);

	if (rng_percent(&s->rng, 15) && t->last_stamp > ticks - TICKS_SEC)
		stamp = t->last_stamp;
	if (a->nversions != 0 && stamp <= a->facts.updated)
		stamp = ticks > a->facts.updated ? ticks : a->facts.updated + 33333;
	if (stamp < a->created)
		stamp = a->created;
	t->last_stamp = stamp;
	return stamp;
}

static struct alert *
make_now(struct story *s, struct tenant *t)
{
	int64_t now = wall_ms(), ticks = ticks_from_ms(now) - rng_below(&s->rng, 5000000);
	struct alert *a = world_add_alert(t, corpus_round(&s->rng, ticks));

	corpus_first_facts(a, &a->facts, s->world->is_bench);
	a->facts.updated = next_stamp(s, a, now);
	if (a->facts.status == STATUS_RESOLVED)
		a->facts.resolved = a->facts.updated;
	publish(s, a, when_visible(s, now), now);
	return a;
}

/* One of the alerts that were there before the story began. */
static struct alert *
make_past(struct story *s, struct tenant *t, int64_t now)
{
	struct rng r = { rng_child(t->seed, UINT64_C(1) << 40 | t->nalerts) };
	int64_t span = s->opt->history * 1000;
	int64_t age = 1000 + (int64_t)(rng_next(&r) % (uint64_t)span), since = age / 4;
	int64_t created = corpus_round(&r, ticks_from_ms(now - age));
	struct alert *a = world_add_alert(t, created);

	corpus_first_facts(a, &a->facts, s->world->is_bench);
	since = (int64_t)(rng_next(&r) % (uint64_t)(since + 1));
	a->facts.updated = corpus_round(&r, created + ticks_from_ms(since));
	if (rng_percent(&r, 15) && t->last_stamp > created)
		a->facts.updated = t->last_stamp;
	if (a->facts.updated < created)
		a->facts.updated = created;
	t->last_stamp = a->facts.updated;
	if (a->facts.status == STATUS_RESOLVED)
		a->facts.resolved = a->facts.updated;
	return a;
}

void
story_make_same_stamp(struct story *s, struct tenant *t, unsigned n)
{
	int64_t now = wall_ms();
	int64_t stamp = ticks_from_ms(now - now % 1000 - 1000) + 333333 * 10;

	for (unsigned i = 0; i < n; i++) {
		struct alert *a = make_past(s, t, now);

		a->is_fixed = true;
		a->facts.updated = stamp;
		publish(s, a, now, now);
	}
}

void
story_make_future(struct story *s, struct tenant *t, unsigned n)
{
	int64_t now = wall_ms();

	for (unsigned i = 0; i < n; i++) {
		struct alert *a = make_past(s, t, now);

		a->is_fixed = true;
		a->facts.updated = YEAR_2099 + (int64_t)i / 2 * TICKS_SEC;
		publish(s, a, now, now);
	}
}

void
story_make_hostile(struct story *s, struct tenant *t, unsigned n, const struct hostile *h)
{
	int64_t now = wall_ms();

	for (unsigned i = 0; i < n; i++) {
		struct alert *a = make_past(s, t, now);

		a->is_fixed = true;
		a->hostile = h != NULL ? h : &hostiles[i % nhostiles];
		publish(s, a, now, now);
	}
}

void
story_begin(struct story *s, int64_t now_mono)
{
	int64_t now = wall_ms();

	for (size_t i = 0; i < s->world->ntenants; i++) {
		struct tenant *t = &s->world->tenants[i];

		for (long long n = 0; n < s->opt->nalerts; n++)
			publish(s, make_past(s, t, now), now, now);
		for (long long n = 0; n < s->opt->nincidents; n++)
			publish(s, make_past(s, t->incidents, now), now, now);
		t->incidents->last_stamp = 0;
		story_make_same_stamp(s, t, (unsigned)s->opt->same_stamp);
		story_make_future(s, t, (unsigned)s->opt->future);
		story_make_hostile(s, t, (unsigned)s->opt->hostile, NULL);
		t->last_stamp = 0;
	}
	s->last_ms = now_mono;
	if (s->opt->stop_after != 0)
		s->stop_ms = now_mono + s->opt->stop_after * 1000;
}

/* Changes f, or says that this change makes no sense for it. */
static bool
apply(struct facts *f, enum change what, int64_t stamp, struct rng *r)
{
	switch (what) {
	case CHANGE_NEW:
		return false;
	case CHANGE_EVIDENCE:
		if (f->nevidence >= MAX_EVIDENCE)
			return false;
		f->nevidence += 1 + rng_below(r, 3);
		return true;
	case CHANGE_VERDICT:
		f->verdicts++;
		return f->nevidence != 0;
	case CHANGE_COMMENT:
		return f->ncomments++ < MAX_COMMENTS;
	case CHANGE_ASSIGNED:
		f->assignee = f->assignee % 5 + 1;
		if (f->status == STATUS_NEW)
			f->status = STATUS_IN_PROGRESS;
		return true;
	case CHANGE_ESCALATED:
		if (f->severity == SEV_HIGH)
			return false;
		f->severity = (enum severity)((int)f->severity + 1);
		return true;
	case CHANGE_LOWERED:
		if (f->severity == SEV_INFORMATIONAL)
			return false;
		f->severity = (enum severity)((int)f->severity - 1);
		return true;
	case CHANGE_RESOLVED:
		if (f->status == STATUS_RESOLVED)
			return false;
		f->status = STATUS_RESOLVED;
		f->resolved = stamp;
		f->note = rng_next(r);
		return true;
	case CHANGE_REOPENED:
		if (f->status != STATUS_RESOLVED)
			return false;
		f->status = STATUS_IN_PROGRESS;
		f->resolved = TICKS_NONE;
		return true;
	case CHANGE_TOUCHED:
	case CHANGE_MERGED:
		return true;
	}
	BUG("change %d", (int)what);
}

static bool
suits(const struct alert *a, enum change what)
{
	if (a->is_fixed || a->facts.merged != 0)
		return false;
	if (what == CHANGE_MERGED)
		return a->is_incident && a->tenant->nalerts > 1;
	return !a->is_incident || (what != CHANGE_EVIDENCE && what != CHANGE_VERDICT);
}

bool
story_do(struct story *s, struct alert *a, enum change what)
{
	int64_t now = wall_ms(), stamp;
	struct facts f = a->facts;

	if (!suits(a, what))
		return false;
	stamp = next_stamp(s, a, now);
	if (!apply(&f, what, stamp, &s->rng))
		return false;
	if (what == CHANGE_MERGED)
		f.merged = FIRST_INCIDENT + (a->serial + 1) % (unsigned)a->tenant->nalerts;
	f.updated = stamp;
	f.change = what;
	a->facts = f;
	publish(s, a, when_visible(s, now), now);
	s->nchanges++;
	return true;
}

static enum change
next_of(struct story *s, const struct share *of, size_t n)
{
	unsigned die = rng_below(&s->rng, 100), sum = 0;

	if (rng_percent(&s->rng, (unsigned)s->opt->touches))
		return CHANGE_TOUCHED;
	for (size_t i = 0; i < n; i++) {
		sum += of[i].share;
		if (die < sum)
			return of[i].what;
	}
	return CHANGE_NEW;
}

static enum change
next_change(struct story *s, const struct tenant *t)
{
	if (t->is_incidents)
		return next_of(s, incident_mixture, ARRAY_LEN(incident_mixture));
	return next_of(s, mixture, ARRAY_LEN(mixture));
}

static struct alert *
some_alert(struct story *s, struct tenant *t)
{
	size_t n = t->nalerts, recent = n < RECENT ? n : RECENT;

	if (n == 0)
		return NULL;
	if (rng_percent(&s->rng, 75))
		return t->alerts[n - 1 - rng_below(&s->rng, (uint32_t)recent)];
	return t->alerts[rng_below(&s->rng, (uint32_t)n)];
}

/* One change; where no alert suits it, a new alert. */
static void
change_one(struct story *s, struct tenant *t, enum change what)
{
	for (int tries = 0; what != CHANGE_NEW && tries < 12; tries++) {
		struct alert *a = some_alert(s, t);

		if (a != NULL && story_do(s, a, what))
			return;
	}
	make_now(s, t);
	s->nchanges++;
}

void
story_make(struct story *s, struct tenant *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		change_one(s, t, CHANGE_NEW);
}

void
story_change(struct story *s, struct tenant *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		enum change what = next_change(s, t);

		if (what == CHANGE_NEW)
			what = t->is_incidents ? CHANGE_COMMENT : CHANGE_EVIDENCE;
		change_one(s, t, what);
	}
}

static struct tenant *
some_tenant(struct story *s)
{
	return &s->world->tenants[rng_below(&s->rng, (uint32_t)s->world->ntenants)];
}

void
story_go_on(struct story *s, int64_t now_mono)
{
	int64_t until = now_mono < s->stop_ms ? now_mono : s->stop_ms;
	double passed;

	if (until > s->last_ms && !s->is_stopped) {
		passed = (double)s->world->ntenants * (double)(until - s->last_ms) / 1000;
		s->due += s->rate * passed;
		s->incident_due += s->opt->incident_rate * passed;
	}
	s->last_ms = now_mono;
	if (s->due > MAX_OWED)
		s->due = MAX_OWED;
	if (s->incident_due > MAX_OWED)
		s->incident_due = MAX_OWED;
	for (; s->due >= 1; s->due -= 1) {
		struct tenant *t = some_tenant(s);

		change_one(s, t, next_change(s, t));
	}
	for (; s->incident_due >= 1; s->incident_due -= 1) {
		struct tenant *t = some_tenant(s)->incidents;

		change_one(s, t, next_change(s, t));
	}
}
