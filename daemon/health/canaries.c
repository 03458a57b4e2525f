/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/health/canaries.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "lib/config/unit.h"
#include "lib/record/event.h"

#define STREAM        "msspd/canary"
#define LOOK_MS       5000
#define LOOK_LEAST_MS 100
#define SLEPT_MS      10000 /* a look that comes so late: the machine slept, or msspd stood still */
#define SLACK_MS      60000 /* between when one was made and when the journal says that it was */

enum canary_state { CANARY_WAITING, CANARY_ACCEPTED, CANARY_OVERDUE, CANARY_REFUSED };
static const char *const states[] = { "waiting", "accepted", "overdue", "refused" };

struct lane;

/* One on its way into the journal. */
struct shipment {
	struct journal_page page; /* first: the journal gives this back */
	struct journal_entry entry;
	char *id, *body;
	struct lane *lane; /* NULL: gone */
};

/* That one is settled, on its way there. */
struct note {
	struct journal_page page; /* first */
	char *reader;
};

/* The canaries of one sink. */
struct lane {
	TAILQ_ENTRY(lane) link;
	struct canaries *c;
	char *sink, *reader;
	struct log_ctx log;
	bool is_kept; /* while configuring */
	int64_t interval_ms, within_ms;
	enum canary_state state;
	char *what;
	int64_t newest;    /* ticks: when the newest was made, which tells it from others; TICKS_NONE */
	int64_t open;      /* the same while it is open, else TICKS_NONE */
	int64_t open_ms;   /* mono: likewise, or when this run first knew of it */
	bool is_stored;    /* the journal has it */
	int64_t stored;    /* ticks: since then; TICKS_NONE */
	bool is_unsure;    /* it is of a run before this: it may have been accepted */
	struct shipment *shipment; /* under way */
	int64_t next_ms;   /* mono: when the next is due */
	int64_t last_accepted, took_ms;
	uint64_t made, accepted;
};

struct canaries {
	const struct engine_env *env;
	struct journal *journal;
	uint32_t stream;
	bool is_configured;
	TAILQ_HEAD(, lane) lanes;
	struct timer timer;
	int64_t look_ms;
	int64_t looked_ms; /* mono: the last look */
	canaries_say *say;
	void *arg;
};

/* ---- words ------------------------------------------------------------------------ */

static void
tell(struct lane *l, bool is_well, const char *state)
{
	l->c->say(l->c->arg, &(struct canary_word){ l->sink, is_well, state, l->what });
}

static void
set_what(struct lane *l, char *taken)
{
	free(l->what);
	l->what = taken;
}

static void
set_well(struct lane *l)
{
	bool was_ill = l->state == CANARY_OVERDUE || l->state == CANARY_REFUSED;
	bool is_first = l->state == CANARY_WAITING;

	l->state = CANARY_ACCEPTED;
	set_what(l, xstrdup(""));
	if (was_ill)
		log_info(&l->log, "accepts canaries again took_ms=%" PRId64, l->took_ms);
	if (was_ill || is_first)
		tell(l, true, "accepted");
}

static void
set_ill(struct lane *l, enum canary_state state, char *taken)
{
	bool is_new = l->state != state;

	l->state = state;
	set_what(l, taken);
	if (!is_new)
		return;
	log_error(&l->log, "its canary is %s: %s", states[state], l->what);
	tell(l, false, states[state]);
}

static void
set_overdue(struct lane *l)
{
	struct buf text = BUF_INIT(300);

	if (l->state == CANARY_OVERDUE)
		return;
	buf_puts(&text, l->is_stored || l->is_unsure ? "it was not accepted within "
	                                             : "the journal did not take it for ");
	unit_put_time(&text, l->within_ms);
	buf_puts(&text, "; the last accepted one: ");
	if (l->last_accepted != TICKS_NONE)
		ticks_write(&text, l->last_accepted, 0);
	else
		buf_puts(&text, "none since msspd started");
	set_ill(l, CANARY_OVERDUE, buf_take(&text));
}

/* ---- into the journal ----------------------------------------------------------------- */

/* No memory is kept of it: the cursor says when the last one was made. */
static enum journal_act
judge_canary(const struct seen *was, struct journal_entry *e, const void *ctx)
{
	(void)was;
	(void)ctx;
	e->kind = KIND_CANARY;
	return JOURNAL_REPEAT;
}

static void
note_stored(struct lane *l, bool is_stored)
{
	l->is_stored = is_stored;
	l->stored = is_stored ? clock_wall(l->c->env->clock) : TICKS_NONE;
}

static void
on_appended(void *arg, const struct journal_page *page, const struct journal_appended *result)
{
	struct shipment *s = arg;

	(void)page;
	if (s->lane != NULL)
		note_stored(s->lane, result->ok);
}

static void
shipment_release(struct journal_page *page)
{
	struct shipment *s = (struct shipment *)page;

	if (s->lane != NULL)
		s->lane->shipment = NULL;
	free(s->id);
	free(s->body);
	free(s);
}

static char *
body_of(const struct lane *l, size_t *len)
{
	char *summary = xasprintf("msspd canary for sink %s", l->sink);
	struct buf body = BUF_INIT(8192);

	canary_write(&body, &(struct canary){ .sink = str_of(l->sink),
	    .purpose = CANARY_PURPOSE_CANARY, .summary = str_of(summary) });
	free(summary);
	*len = body.n;
	return buf_take(&body);
}

static void
ship(struct lane *l)
{
	struct shipment *s = xcalloc(1, sizeof(*s));
	size_t len;

	s->lane = l;
	s->id = xstrdup(l->sink);
	s->body = body_of(l, &len);
	s->entry = (struct journal_entry){ .id = str_of(s->id),
		.now = { .created = TICKS_NONE, .version = l->open, .rev = SEEN_REVISION },
		.type = RECORD_CANARY, .body = s->body, .len = len,
		.nroutes = 1, .route = { journal_sink(l->c->journal, l->sink) } };
	s->page = (struct journal_page){ .stream = l->c->stream, .reader = l->reader,
		.cursor = l->open, .memory_begin = TICKS_NONE, .window_from = TICKS_NONE,
		.judge = judge_canary, .entries = &s->entry, .n = 1, .is_urgent = true,
		.period_at = TICKS_NONE, .release = shipment_release };
	l->shipment = s;
	journal_append(l->c->journal, &s->page, on_appended, s);
}

static void
on_noted(void *arg, const struct journal_page *page, const struct journal_appended *result)
{
	(void)arg;
	(void)page;
	(void)result;
}

static void
note_release(struct journal_page *page)
{
	struct note *n = (struct note *)page;

	free(n->reader);
	free(n);
}

static char *
settled_reader_of(const char *sink)
{
	return xasprintf("canary-settled:%s", sink);
}

/* For the next run: what waits for the sink does not tell whether this one still does. */
static void
note_settled(struct lane *l)
{
	struct note *n = xcalloc(1, sizeof(*n));

	n->reader = settled_reader_of(l->sink);
	n->page = (struct journal_page){ .stream = l->c->stream, .reader = n->reader, .cursor = l->newest,
		.memory_begin = TICKS_NONE, .window_from = TICKS_NONE, .judge = judge_canary,
		.is_urgent = true, .period_at = TICKS_NONE, .release = note_release };
	journal_append(l->c->journal, &n->page, on_noted, NULL);
}

/* ---- when ------------------------------------------------------------------------------- */

/* Of a run before this, or so late that it may be damaged and gone: then nobody settles it here. */
static bool
may_be_gone(const struct lane *l, int64_t now_ms)
{
	return l->is_unsure || (l->is_stored && now_ms - l->open_ms >= l->within_ms);
}

/* What waits for the sink is younger than it: then it was settled, whatever came of it. */
static bool
is_surely_settled(const struct lane *l)
{
	int64_t since = l->stored != TICKS_NONE && l->stored > l->open ? l->stored : l->open;
	struct journal_backlog log;

	if (!journal_backlog_of(l->c->journal, journal_sink(l->c->journal, l->sink), &log))
		return true;
	return log.oldest == TICKS_NONE || log.oldest > since + ticks_from_ms(SLACK_MS);
}

static void
open_next(struct lane *l, int64_t now_ms)
{
	l->open = l->newest = clock_wall(l->c->env->clock);
	l->stored = TICKS_NONE;
	l->open_ms = now_ms;
	l->next_ms = now_ms + l->interval_ms;
	l->is_stored = l->is_unsure = false;
	l->made++;
	ship(l);
}

static void
look_at(struct lane *l)
{
	int64_t now_ms = clock_mono(l->c->env->clock);

	if (l->open != TICKS_NONE && now_ms - l->open_ms >= l->within_ms)
		set_overdue(l);
	if (l->open != TICKS_NONE && may_be_gone(l, now_ms) && is_surely_settled(l)) {
		l->is_unsure = false;
		l->open = TICKS_NONE;
	}
	if (l->open == TICKS_NONE && now_ms >= l->next_ms && l->shipment == NULL)
		open_next(l, now_ms);
	else if (l->open != TICKS_NONE && !l->is_stored && !l->is_unsure && l->shipment == NULL)
		ship(l);
}

/* In the time in which nobody looked no sink had time. */
static void
leave_out_sleep(struct canaries *c)
{
	int64_t now = clock_mono(c->env->clock), slept = now - c->looked_ms - c->look_ms;
	struct lane *l;

	c->looked_ms = now;
	if (slept < SLEPT_MS)
		return;
	TAILQ_FOREACH(l, &c->lanes, link)
		l->open_ms += slept;
}

static void
on_timer(void *arg)
{
	struct canaries *c = arg;
	struct lane *l;

	leave_out_sleep(c);
	TAILQ_FOREACH(l, &c->lanes, link)
		look_at(l);
	if (!TAILQ_EMPTY(&c->lanes))
		timer_set(c->env->timers, &c->timer, c->look_ms);
}

/* ---- what became of it ---------------------------------------------------------------------- */

static struct lane *
lane_of(const struct canaries *c, const char *sink)
{
	struct lane *l;

	TAILQ_FOREACH(l, &c->lanes, link) {
		if (strcmp(l->sink, sink) == 0)
			return l;
	}
	return NULL;
}

static bool
is_known_accepted(const struct lane *l)
{
	return l->open == TICKS_NONE && l->state == CANARY_ACCEPTED;
}

void
canaries_settled(struct canaries *c, const char *sink, int64_t made, const struct err *err)
{
	struct lane *l = lane_of(c, sink);

	if (l == NULL || made != l->newest || (err == NULL && is_known_accepted(l)))
		return;
	if (err == NULL) {
		l->last_accepted = clock_wall(c->env->clock);
		l->took_ms = l->open != TICKS_NONE ? ticks_to_ms(l->last_accepted - l->open) : -1;
		l->accepted++;
		set_well(l);
	} else {
		set_ill(l, CANARY_REFUSED, xasprintf("it is refused for good: %s", err->text));
	}
	l->open = TICKS_NONE;
	l->is_unsure = false;
	note_settled(l);
}

bool
canaries_figures(const struct canaries *c, const char *sink, struct canary_figures *out)
{
	const struct lane *l = lane_of(c, sink);

	if (l == NULL)
		return false;
	*out = (struct canary_figures){ .sink = l->sink,
		.state = states[l->state],
		.is_well = l->state == CANARY_WAITING || l->state == CANARY_ACCEPTED,
		.what = l->what,
		.interval_ms = l->interval_ms,
		.within_ms = l->within_ms,
		.open_since = l->open,
		.is_stored = l->is_stored || l->is_unsure,
		.last_accepted = l->last_accepted,
		.took_ms = l->took_ms,
		.made = l->made,
		.accepted = l->accepted };
	return true;
}

/* ---- life -------------------------------------------------------------------------------------- */

static char *
reader_of(const char *sink)
{
	return xasprintf("canary:%s", sink);
}

/* One that a run before this made may still be open: then no other is made before it is settled. */
static void
remember(struct lane *l)
{
	char *reader = settled_reader_of(l->sink);
	struct journal_cursor last, settled;

	if (journal_cursor(l->c->journal, l->c->stream, l->reader, &last) && last.at != TICKS_NONE) {
		l->newest = last.at;
		l->is_unsure = !journal_cursor(l->c->journal, l->c->stream, reader, &settled)
		    || settled.at != last.at;
		l->open = l->is_unsure ? last.at : TICKS_NONE;
	}
	free(reader);
}

static struct lane *
lane_new(struct canaries *c, const char *sink)
{
	struct lane *l = xcalloc(1, sizeof(*l));

	l->c = c;
	l->sink = xstrdup(sink);
	l->reader = reader_of(sink);
	l->log = (struct log_ctx){ .kind = "sink", .name = l->sink };
	l->what = xstrdup("");
	l->newest = l->open = l->stored = l->last_accepted = TICKS_NONE;
	l->took_ms = -1;
	l->open_ms = l->next_ms = clock_mono(c->env->clock);
	remember(l);
	TAILQ_INSERT_TAIL(&c->lanes, l, link);
	return l;
}

static void
lane_free(struct lane *l)
{
	TAILQ_REMOVE(&l->c->lanes, l, link);
	if (l->shipment != NULL)
		l->shipment->lane = NULL;
	free(l->sink);
	free(l->reader);
	free(l->what);
	free(l);
}

struct canaries *
canaries_new(const struct engine_env *env, struct journal *j, canaries_say *say, void *arg)
{
	struct canaries *c = xcalloc(1, sizeof(*c));
	struct origin *o = origin_own(env->instance, "canary");
	char *about = origin_about(o);

	c->env = env;
	c->journal = j;
	c->say = say;
	c->arg = arg;
	c->stream = journal_stream(j, STREAM, about);
	TAILQ_INIT(&c->lanes);
	timer_init(&c->timer, on_timer, c);
	origin_unref(o);
	free(about);
	return c;
}

void
canaries_stop(struct canaries *c)
{
	timer_unset(c->env->timers, &c->timer);
}

void
canaries_free(struct canaries *c)
{
	if (c == NULL)
		return;
	canaries_stop(c);
	while (!TAILQ_EMPTY(&c->lanes))
		lane_free(TAILQ_FIRST(&c->lanes));
	free(c);
}

/* Nothing is wrong any more with what is not looked at any more. */
static void
say_off(struct canaries *c, const char *sink)
{
	c->say(c->arg, &(struct canary_word){ sink, true, "off", "" });
}

/* A run before this may have said that something was wrong. */
static void
say_off_at_start(struct canaries *c, const char *sink)
{
	char *reader = reader_of(sink);
	struct journal_cursor last;

	if (!c->is_configured && journal_cursor(c->journal, c->stream, reader, &last))
		say_off(c, sink);
	free(reader);
}

static void
lane_end(struct lane *l)
{
	if (l->newest != TICKS_NONE)
		say_off(l->c, l->sink);
	lane_free(l);
}

static void
configure_one(struct canaries *c, const struct sink_conf *s)
{
	struct lane *l = lane_of(c, s->name);
	int64_t look_ms;

	if (s->canary_ms == 0) {
		say_off_at_start(c, s->name);
		return;
	}
	l = l != NULL ? l : lane_new(c, s->name);
	l->is_kept = true;
	l->interval_ms = s->canary_ms;
	l->within_ms = s->canary_within_ms;
	if (l->next_ms > clock_mono(c->env->clock) + l->interval_ms)
		l->next_ms = clock_mono(c->env->clock) + l->interval_ms;
	look_ms = (l->interval_ms < l->within_ms ? l->interval_ms : l->within_ms) / 4;
	look_ms = look_ms < LOOK_LEAST_MS ? LOOK_LEAST_MS : look_ms;
	c->look_ms = look_ms < c->look_ms ? look_ms : c->look_ms;
}

void
canaries_configure(struct canaries *c, const struct settings *s)
{
	struct lane *l, *next;

	c->look_ms = LOOK_MS;
	for (size_t i = 0; i < s->nsinks; i++)
		configure_one(c, &s->sinks[i]);
	for (l = TAILQ_FIRST(&c->lanes); l != NULL; l = next) {
		next = TAILQ_NEXT(l, link);
		if (!l->is_kept)
			lane_end(l);
		else
			l->is_kept = false;
	}
	c->is_configured = true;
	c->looked_ms = clock_mono(c->env->clock);
	if (TAILQ_EMPTY(&c->lanes))
		canaries_stop(c);
	else
		timer_set(c->env->timers, &c->timer, LOOK_LEAST_MS);
}
