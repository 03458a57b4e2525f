#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/random.h>

#include "daemon/intake/page.h"
#include "daemon/intake/poller.h"
#include "daemon/loop.h"
#include "lib/base/alloc.h"
#include "lib/policy/backoff.h"
#include "lib/policy/spread.h"

#define SEC INT64_C(1000)

#define REMIND_MS    (3600 * SEC) /* trouble that lasts is not said more often */
#define FIRST_WAIT_MS 250
#define FULL_WAIT_MS (1 * SEC) /* and the spread: not all begin at once when there is room */
#define OVERSLEPT_MS (5 * SEC) /* so late for all at once: the machine slept, or the process stood */
#define BEHIND_PAGES   5 /* of one read, with something new */
#define SWEEP_CAP_MS   (3600 * SEC)
#define SWEEP_PATIENCE 3 /* failures until it is worth a line */

static const char held_why[] = "all alerts of a page name another tenant; they are in quarantine, "
			       "and the cursor stays until the API gives this tenant's own";

static int64_t
mono(const struct poller *p)
{
	return clock_mono(p->in->env->clock);
}

int64_t
poller_server_now(const struct poller *p)
{
	return clock_wall(p->in->env->clock) + (p->has_skew ? p->skew : 0);
}

bool
poller_was_read(const struct poller *p)
{
	return p->readers[READER_LIVE].cursor != TICKS_NONE;
}

/* Until when the stream that p waits for has read all there was; one that cannot be read is not
 * waited for longer. */
static int64_t
read_until(const struct poller *other, int64_t now)
{
	return state_is_read(other->state) ? other->complete : now;
}

int64_t
poller_limit(const struct poller *p)
{
	const struct poller *other = p->tn->streams[p->s->kind->memory];
	int64_t now = poller_server_now(p), until;

	if (!p->s->kind->waits || other == NULL)
		return now;
	until = read_until(other, now);
	return until != TICKS_NONE ? until - ticks_from_ms(p->t->mde_wait_ms) : p->begin - 1;
}

/* Date has whole seconds: the server's clock is less than one ahead of it. */
void
poller_learn_date(struct poller *p, int64_t date)
{
	if (date == TICKS_NONE)
		return;
	p->skew = date + TICKS_SEC - 1 - clock_wall(p->in->env->clock);
	p->has_skew = true;
}

void
poller_compare_clocks(struct poller *p, int64_t server_date, int64_t took_ms)
{
	int64_t now = clock_wall(p->in->env->clock);

	if (server_date != TICKS_NONE)
		p->clock_off_sec =
		    state_clock_off(server_date, now - ticks_from_ms(took_ms), now);
}

bool
poller_tells(struct poller *p, enum poller_told what)
{
	bool is_new = (p->told & what) == 0;

	p->told |= what;
	return is_new;
}

static void
set_text(char **text, char *taken)
{
	free(*text);
	*text = taken;
}

/* Every change of state, and nobody else writes it. Said once, not at every repeat. */
static void
set_state(struct poller *p, enum tenant_state state, char *taken_trouble)
{
	enum tenant_state was = p->state;
	int64_t now = clock_wall(p->in->env->clock), lasted = (now - p->since) / TICKS_SEC;

	set_text(&p->trouble, taken_trouble);
	if (state == was)
		return;
	p->state = state;
	p->since = now;
	if (was == TENANT_STARTING && state == TENANT_HEALTHY)
		log_debug(
		    &p->s->log, "is being read every=%" PRId64 "s", p->t->poll_interval_ms / SEC);
	else if (was == TENANT_BEHIND && state == TENANT_HEALTHY)
		log_info(&p->s->log, "has caught up");
	else if (state == TENANT_HEALTHY)
		(p->is_hushed ? log_debug : log_info)(&p->s->log,
		    "is well again, was %s for=%" PRId64 "s", tenant_states[was].name, lasted);
	else if (state == TENANT_BEHIND)
		log_info(&p->s->log, "has a backlog, which is read in turn with the others");
}

/* ---- what is next ----------------------------------------------------------------- */

static struct reader *
choose(struct poller *p, int64_t now)
{
	struct reader *live = &p->readers[READER_LIVE];

	if (live->is_open || now >= p->slot || live->cursor == TICKS_NONE || p->in->is_once)
		return live;
	for (int i = READER_HOUR; i < READER_COUNT; i++) {
		if (now >= p->readers[i].due)
			return &p->readers[i];
	}
	return now >= p->readers[READER_REPLAY].due ? &p->readers[READER_REPLAY] : live;
}

static int64_t
next_due(const struct poller *p, int64_t now)
{
	int64_t due = p->readers[READER_LIVE].is_open ? now : p->slot;

	/* One that is under way has been due since, or waits after trouble. */
	for (int i = READER_HOUR; i < READER_COUNT; i++) {
		if (p->readers[i].due < due)
			due = p->readers[i].due;
	}
	return due > p->not_before ? due : p->not_before;
}

static void
wait(struct poller *p, int64_t ms)
{
	p->at = POLLER_WAITING;
	timer_set(p->in->env->timers, &p->timer, ms > 0 ? ms : 0);
}

static void
wait_for_next(struct poller *p)
{
	int64_t now = mono(p);

	wait(p, next_due(p, now) - now);
}

/* Sweeps leave half of the burst to live reading. */
static void
queue(struct poller *p)
{
	bool is_sweep = p->r->span_ms != 0;
	int64_t now = mono(p), ms;
	enum lane lane = is_sweep ? LANE_SWEEP : p->r->is_open ? LANE_MORE : LANE_DUE;

	ms = tenancy_ask(p->tn, p->s->kind->api, is_sweep ? 50 : 0, now);
	if (ms > 0) {
		if (is_sweep && p->slot > now && p->slot - now < ms)
			ms = p->slot - now;
		wait(p, ms);
		return;
	}
	p->at = POLLER_QUEUED;
	scheduler_ask(&p->in->scheduler, &p->place, lane);
}

/* Before the other one has come to its end there is nothing that would not wait for it. */
static bool
waits_for_first(const struct poller *p)
{
	const struct poller *other = p->tn->streams[p->s->kind->memory];

	return p->s->kind->waits && other != NULL &&
	       read_until(other, poller_server_now(p)) == TICKS_NONE;
}

static void
wait_for_sink(struct poller *p, int64_t now)
{
	int64_t spread = intake_spread_ms(p->settings, p->t);
	int64_t ms = FULL_WAIT_MS + (int64_t)(p->hash % (uint64_t)spread);

	if (p->slot < now + ms)
		p->slot = now + ms;
	wait(p, ms);
}

static void
poller_on_timer(void *arg)
{
	struct poller *p = arg;
	int64_t now = mono(p);

	if (p->in->is_stopped)
		return;
	if (p->at == POLLER_ASKING)
		request_is_late(p);
	if (p->at != POLLER_WAITING)
		return;
	if (now < next_due(p, now)) {
		wait(p, next_due(p, now) - now);
		return;
	}
	/* By the timer: what it waited for the budget since it fell due was no sleep. */
	if (now - p->timer.at > OVERSLEPT_MS && !p->is_once) {
		poller_again(p, (int64_t)(p->hash % (uint64_t)intake_spread_ms(p->settings, p->t)));
		return;
	}
	if (!p->is_once && (p->tn->is_held || intake_full_sink(p->in, p->t) != NULL)) {
		wait_for_sink(p, now);
		return;
	}
	if (waits_for_first(p)) {
		p->slot = now + FIRST_WAIT_MS;
		wait(p, FIRST_WAIT_MS);
		return;
	}
	p->r = choose(p, now);
	queue(p);
}

/* ---- how it went ----------------------------------------------------------------------- */

static void
report_once(struct poller *p, bool ok)
{
	struct intake *in = p->in;

	if (!p->is_once)
		return;
	p->is_once = false;
	p->at = POLLER_RESTING;
	in->once_failed += !ok && !p->tn->has_failed;
	p->tn->has_failed |= !ok;
	in->once_left--;
	if (in->once_left == 0)
		in->once_done(in->once_arg, in->once_failed);
}

static void
close_reader(struct poller *p, struct reader *r)
{
	r->is_open = false;
	set_text(&r->link, NULL);
	if (r == &p->readers[READER_REPLAY])
		replay_closed(p);
	else if (r->span_ms != 0)
		sweep_done(p, r);
}

/* Something is not as it should be, and nothing can be done about it here. */
static void
complain(struct poller *p, enum tenant_state state, char *taken_text)
{
	if (p->state != state)
		log_error(&p->s->log, "%s; it is read on as far as it goes", taken_text);
	set_state(p, state, taken_text);
}

/* It is read, and that is all that one can wish, but for the clock. */
static void
set_well(struct poller *p, bool is_behind)
{
	int64_t off = p->clock_off_sec;

	if (off == 0 || is_behind)
		set_state(p, is_behind ? TENANT_BEHIND : TENANT_HEALTHY, NULL);
	else
		complain(p, TENANT_CLOCK_OFF,
		    xasprintf("the clock of this machine is %" PRId64 " s %s Microsoft's",
			off > 0 ? off : -off, off > 0 ? "behind" : "ahead of"));
}

/* Slots that passed meanwhile are not made up for. */
static void
live_done(struct poller *p)
{
	int64_t now = mono(p);

	p->last_success = clock_wall(p->in->env->clock);
	p->complete = p->readers[READER_LIVE].begun;
	histogram_add(&p->in->poll_times[p->which], now - p->readers[READER_LIVE].opened);
	if (p->slot <= now)
		p->slot = spread_next(p->hash, p->t->poll_interval_ms, now);
}

void
poller_go_on(struct poller *p, const struct paging_step *step)
{
	struct reader *r = p->r;
	bool is_live = r->span_ms == 0,
	     is_behind = is_live && step->what == PAGING_ASK && r->new_pages >= BEHIND_PAGES;

	p->failures = 0;
	p->is_renewed = p->is_fresh = false;
	if (step->what == PAGING_FAILED) {
		poller_trouble(p, TENANT_GARBLED, -1, "%s", step->err.text);
		poller_abandon(p);
		return;
	}
	if (step->what == PAGING_DONE) {
		close_reader(p, r);
		if (is_live)
			live_done(p);
	} else if (replay_is_at_it(p)) {
		replay_went_on(p);
	}
	if (is_live && step->err.kind == ERR_NONE && !r->is_held &&
	    (is_behind || step->what == PAGING_DONE || p->state != TENANT_BEHIND))
		set_well(p, is_behind);
	if (is_live && r->is_held)
		complain(p, TENANT_GARBLED, xstrdup(held_why));
	else if (is_live && step->err.kind != ERR_NONE)
		complain(p, TENANT_GARBLED, xstrdup(step->err.text));
	if (is_live && step->what == PAGING_DONE && p->is_once) {
		report_once(p, true);
		return;
	}
	if (step->is_long) {
		log_warn(&p->s->log, "one read has taken pages=%u; it goes on in the next interval",
		    r->paging.pages);
		p->not_before = spread_next(p->hash, p->t->poll_interval_ms, mono(p));
	}
	wait_for_next(p);
}

bool
poller_is_held(const struct poller *p)
{
	return mono(p) < p->tn->api[p->s->kind->api].not_before;
}

void
poller_again(struct poller *p, int64_t after_ms)
{
	p->not_before = mono(p) + after_ms;
	wait_for_next(p);
}

static uint32_t
some_number(void)
{
	uint32_t n;

	if (getrandom(&n, sizeof(n), 0) != (ssize_t)sizeof(n))
		BUG("no random numbers");
	return n;
}

/*
 * Told once, and again when it lasts. What a person must do something about at that
 * tenant is told for each; of an outage, which all have at once, some lines do.
 */
static void
log_trouble(struct poller *p, enum tenant_state state, const char *text, int64_t ms)
{
	bool is_due = p->state != state || p->is_hushed || mono(p) - p->said_at >= REMIND_MS;
	unsigned others = 0;

	if (is_due) {
		p->said_at = mono(p);
		p->is_hushed = !state_is_parked(state) &&
		               !hush_allows(&p->in->outage, p->said_at, &others);
	}
	(is_due && !p->is_hushed ? log_warn : log_debug)(&p->s->log,
	    "%s; next try in %" PRId64 " s failures=%u others_meanwhile=%u%s", text,
	    (ms + 999) / 1000, p->failures, others, buf_peek(&p->answer).s);
}

/* It stands behind live reading, which goes on: the tenant is as well as that says. */
static void
sweep_trouble(struct poller *p, enum tenant_state state, int64_t hint_ms, char *taken_text)
{
	struct reader *r = p->r;
	int64_t ms = backoff_jitter(backoff_delay(++r->failures, tenant_states[state].base_ms,
					SWEEP_CAP_MS, hint_ms > 0 ? hint_ms : 0),
	    some_number());

	(r->failures == SWEEP_PATIENCE ? log_warn : log_debug)(&p->s->log,
	    "%s does not get through: %s; next try in %" PRId64 " s reader=%s failures=%u%s",
	    replay_is_at_it(p) ? "what reads a time again" : "the search for late alerts",
	    taken_text, (ms + 999) / 1000, r->name, r->failures, buf_peek(&p->answer).s);
	free(taken_text);
	r->due = mono(p) + ms;
	wait_for_next(p);
}

void
poller_trouble(struct poller *p, enum tenant_state state, int64_t hint_ms, const char *fmt, ...)
{
	const struct tenant_state_kind *kind = &tenant_states[state];
	char *text = NULL;
	int64_t ms;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		BUG("out of memory");
	va_end(ap);
	p->figures.failures++;
	if (p->r->span_ms != 0 && (state == TENANT_UNREACHABLE || state == TENANT_GARBLED)) {
		sweep_trouble(p, state, hint_ms, text);
		return;
	}
	p->failures++;
	ms = backoff_jitter(backoff_delay(p->failures, kind->base_ms, kind->cap_ms,
				hint_ms > 0 ? hint_ms : 0),
	    some_number());
	log_trouble(p, state, text, ms);
	set_state(p, state, text);
	if (state == TENANT_THROTTLED)
		tenancy_hold(p->tn, p->s->kind->api, mono(p) + ms);
	p->not_before = p->slot = mono(p) + ms;
	if (p->is_once && p->r->span_ms == 0) {
		report_once(p, false);
		return;
	}
	wait(p, ms);
}

void
poller_abandon(struct poller *p)
{
	p->r->is_open = false;
	set_text(&p->r->link, NULL);
}

/* ---- life --------------------------------------------------------------------------------- */

struct poller *
poller_new(struct intake *in, struct tenancy *tn, const struct tenant_stream *s)
{
	struct poller *p = xcalloc(1, sizeof(*p));

	p->in = in;
	p->tn = tn;
	p->which = stream_number(s->kind);
	tenancy_join(tn, p, p->which);
	p->hash = str_hash(s->key, strlen(s->key));
	p->since = clock_wall(in->env->clock);
	p->last_success = p->complete = TICKS_NONE;
	p->at = POLLER_RESTING;
	p->has_role = true;
	buf_init(&p->answer, 256);
	timer_init(&p->timer, poller_on_timer, p);
	window_init(&p->window, &in->windows);
	p->readers[READER_LIVE].name = s->kind->live;
	sweep_init(p);
	replay_init(p);
	p->r = &p->readers[READER_LIVE];
	p->stream = UINT32_MAX;
	p->begin = p->r->cursor = TICKS_NONE;
	return p;
}

static void
learn_stream(struct poller *p)
{
	struct journal_cursor c = { .at = TICKS_NONE, .begin = TICKS_NONE };
	struct journal *j = p->in->journal;
	char *about = origin_about(p->s->origin);

	p->stream = journal_stream(j, p->s->key, about);
	free(about);
	if (!journal_cursor(j, p->stream, p->readers[READER_LIVE].name, &c))
		c.at = TICKS_NONE;
	p->readers[READER_LIVE].cursor = c.at;
	/* A stream that shares another one's memory is not read from when that began. */
	p->begin = c.at == TICKS_NONE && p->s->kind->memory != p->which ? TICKS_NONE : c.begin;
	sweep_resume(p);
	reader_say_window(p);
	replay_look(p);
}

/* Bytes of a first page; a full one of large alerts says so when it comes. */
static size_t
first_guess(const struct tenant *t)
{
	size_t alerts = t->page_size < 500 ? (size_t)t->page_size : 500;

	return alerts * 6 * 1024;
}

void
poller_configure(struct poller *p, struct settings *settings, const struct tenant *t,
    const struct tenant_stream *s)
{
	struct settings *was = p->settings;
	bool is_new = was == NULL;

	p->settings = settings_ref(settings);
	p->t = t;
	p->s = s;
	if (is_new) {
		learn_stream(p);
		p->place.expected = first_guess(t);
	}
	routing_unref(p->routing);
	p->routing = NULL;
	if (p->begin != TICKS_NONE)
		p->routing = routing_new(p->in->journal, settings, t, s, p->begin);
	replay_configured(p);
	settings_unref(was);
	/* Credentials or consent may be what was changed. */
	if (!is_new && state_is_parked(p->state))
		poller_hurry(p);
}

void
poller_hurry(struct poller *p)
{
	if (p->at != POLLER_WAITING)
		return;
	p->not_before = p->slot = mono(p);
	wait(p, 0);
}

void
poller_start(struct poller *p, int64_t first_ms)
{
	p->slot = mono(p) + first_ms;
	wait(p, first_ms);
}

void
poller_read_once(struct poller *p)
{
	p->is_once = true;
	p->slot = p->not_before = mono(p);
	if (p->at == POLLER_WAITING || p->at == POLLER_RESTING)
		wait(p, 0);
}

void
poller_look_for_periods(struct poller *p)
{
	replay_look(p);
	if (p->at == POLLER_WAITING)
		wait_for_next(p);
}

void
poller_halt(struct poller *p)
{
	timer_unset(p->in->env->timers, &p->timer);
	request_cancel(p);
	page_leave(p);
	p->at = POLLER_RESTING;
}

void
poller_relearn(struct poller *p)
{
	bool was_resting = p->at == POLLER_RESTING;
	int64_t begin = p->begin;

	poller_halt(p);
	for (int i = 0; i < READER_COUNT; i++) {
		p->readers[i].is_open = false;
		set_text(&p->readers[i].link, NULL);
	}
	window_release(&p->window);
	window_init(&p->window, &p->in->windows);
	p->nodd = 0;
	p->is_postponed = false;
	replay_forget(p);
	learn_stream(p);
	if (p->begin == TICKS_NONE)
		p->begin = begin;
	if (!was_resting)
		wait_for_next(p);
}

void
poller_free(struct poller *p)
{
	if (p == NULL)
		return;
	poller_halt(p);
	for (int i = 0; i < READER_COUNT; i++)
		free(p->readers[i].link);
	window_release(&p->window);
	replay_release(p);
	routing_unref(p->routing);
	settings_unref(p->settings);
	tenancy_leave(p->in, p->tn, p->which);
	buf_release(&p->answer);
	free(p->trouble);
	free(p);
}
