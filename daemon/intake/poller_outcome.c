/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/random.h>

#include "daemon/intake/poller.h"
#include "lib/base/alloc.h"
#include "lib/policy/backoff.h"
#include "lib/policy/spread.h"

#define SEC INT64_C(1000)

#define REMIND_MS      (3600 * SEC) /* trouble that lasts is not said more often */
#define BEHIND_PAGES   5            /* of one read, with something new */
#define SWEEP_CAP_MS   (3600 * SEC)
#define SWEEP_PATIENCE 3            /* failures until it is worth a line */

static const char held_why[] = "all alerts of a page name another tenant; they are in quarantine, "
			       "and the cursor stays until the API gives this tenant's own";

/* Every change of state, and nobody else writes it. Said once, not at every repeat. */
static void
set_state(struct poller *p, enum tenant_state state, char *taken_trouble)
{
	enum tenant_state was = p->state;
	int64_t now = clock_wall(p->in->env->clock), lasted = (now - p->since) / TICKS_SEC;

	free(p->trouble);
	p->trouble = taken_trouble;
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

/* ---- well ---------------------------------------------------------------------------------- */

static void
close_reader(struct poller *p, struct reader *r, const struct paging_step *step)
{
	reader_end(r);
	if (r == listing_reader(p))
		listing_closed(p, step);
	else if (r == &p->readers[READER_REPLAY])
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
	int64_t now = poller_mono(p);

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
		close_reader(p, r, step);
		if (is_live)
			live_done(p);
	} else if (replay_is_at_it(p)) {
		replay_went_on(p);
	} else if (listing_is_at_it(p)) {
		listing_went_on(p);
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
		p->not_before = spread_next(p->hash, p->t->poll_interval_ms, poller_mono(p));
	}
	poller_wait_for_next(p);
}

void
poller_again(struct poller *p, int64_t after_ms)
{
	p->not_before = poller_mono(p) + after_ms;
	poller_wait_for_next(p);
}

/* ---- not well ---------------------------------------------------------------------------- */

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
	bool is_due = p->state != state || p->is_hushed || poller_mono(p) - p->said_at >= REMIND_MS;
	unsigned others = 0;

	if (is_due) {
		p->said_at = poller_mono(p);
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
	    listing_is_at_it(p) ? "the count of a day"
	    : replay_is_at_it(p) ? "what reads a time again"
				 : "the search for late alerts",
	    taken_text, (ms + 999) / 1000, r->name, r->failures, buf_peek(&p->answer).s);
	free(taken_text);
	r->due = poller_mono(p) + ms;
	poller_wait_for_next(p);
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
	listing_hears(p, state, text);
	if (p->r->span_ms != 0 && (state == TENANT_UNREACHABLE || state == TENANT_GARBLED)) {
		sweep_trouble(p, state, hint_ms, text);
		return;
	}
	p->failures++;
	ms = backoff_jitter(backoff_delay(p->failures, kind->base_ms, kind->cap_ms,
				hint_ms > 0 ? hint_ms : 0),
	    some_number());
	/* Where a person had to act, somebody may just have done so. */
	if (p->is_outdated && state_is_parked(state))
		ms = 0;
	log_trouble(p, state, text, ms);
	set_state(p, state, text);
	if (state == TENANT_THROTTLED)
		tenancy_hold(p->tn, p->s->kind->api, poller_mono(p) + ms);
	p->not_before = p->slot = poller_mono(p) + ms;
	if (p->is_once && p->r->span_ms == 0) {
		report_once(p, false);
		return;
	}
	poller_wait(p, ms);
}

void
poller_abandon(struct poller *p)
{
	reader_end(p->r);
}
