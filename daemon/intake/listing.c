/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/listing.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/intake/graph.h"
#include "daemon/intake/poller.h"
#include "daemon/loop.h"
#include "lib/base/alloc.h"

#define NEVER    INT64_MAX
#define PATIENCE 3 /* failures in a row */

struct listing {
	struct reader reader;
	struct intake_list ask; /* done NULL: nothing is asked for */
	bool has_begun;         /* what comes is of this one, not of one before it */
	bool is_over;           /* `done` is on its way */
	struct err err;         /* with it; kind ERR_NONE: all was listed */
	const char *gap;        /* why some could not be; NULL */
	unsigned failures;      /* in a row */
};

struct reader *
listing_reader(const struct poller *p)
{
	return p->listing != NULL ? &p->listing->reader : NULL;
}

bool
listing_is_at_it(const struct poller *p)
{
	return p->listing != NULL && p->r == &p->listing->reader;
}

static bool
is_asked(const struct poller *p)
{
	return p->listing != NULL && p->listing->ask.done != NULL;
}

static bool
is_wanted(const struct poller *p)
{
	return is_asked(p) && !p->listing->is_over;
}

/* Nothing is asked for, and nothing of what was. */
static void
clear(struct listing *l)
{
	l->ask = (struct intake_list){ .done = NULL };
	l->has_begun = l->is_over = false;
	l->err.kind = ERR_NONE;
	l->gap = NULL;
	l->failures = 0;
}

/* ---- its end --------------------------------------------------------------------- */

/* Who is told may ask for the next one at once. */
static void
on_over(void *arg)
{
	struct poller *p = arg;
	struct intake_list ask = p->listing->ask;
	struct err err = p->listing->err;

	clear(p->listing);
	ask.done(ask.arg, err.kind != ERR_NONE ? &err : NULL);
}

static void
end(struct poller *p)
{
	struct reader *r = &p->listing->reader;

	reader_end(r);
	r->due = NEVER;
	r->failures = 0;
	p->listing->is_over = true;
	loop_defer(p->in->env->loop, on_over, p);
}

void
listing_fail(struct poller *p, const char *why)
{
	if (!is_wanted(p))
		return;
	err_set(&p->listing->err, ERR_TEMP, "%s", why);
	end(p);
}

static void
cancel(struct poller *p)
{
	if (!is_asked(p))
		return;
	loop_forget(p->in->env->loop, on_over, p);
	clear(p->listing);
	reader_end(&p->listing->reader);
	p->listing->reader.due = NEVER;
}

/* ---- its beginning ----------------------------------------------------------------- */

/* Who waits to be told is not left waiting for what may take days. */
static bool
may_read(const struct poller *p, struct err *err)
{
	const char *full = intake_full_sink(p->in, p->t);

	if (p->tn->is_held)
		return err_set(err, ERR_TEMP, "it is paused by an operator");
	if (full != NULL)
		return err_set(err, ERR_TEMP, "nothing is read of it until sink %s has taken half of its "
		    "backlog", full);
	return journal_state(p->in->journal) == JOURNAL_OK ||
	       err_set(err, ERR_TEMP, "nothing is read while the journal takes nothing");
}

static bool
can_be_asked(const struct poller *p, struct err *err)
{
	if (p->in->is_stopped)
		return err_set(err, ERR_TEMP, "msspd is stopping");
	if (is_asked(p))
		return err_set(err, ERR_TEMP, "it is being counted for somebody else just now");
	if (!may_read(p, err))
		return false;
	if (!poller_was_read(p))
		return err_set(err, ERR_TEMP, "it was not read yet%s%s",
		    p->trouble != NULL ? ": " : "", p->trouble != NULL ? p->trouble : "");
	return state_is_read(p->state) || p->state == TENANT_STARTING || p->state == TENANT_THROTTLED ||
	       err_set(err, ERR_TEMP, "it is %s%s%s", tenant_states[p->state].name,
		   p->trouble != NULL ? ": " : "", p->trouble != NULL ? p->trouble : "");
}

static bool
begin(struct poller *p, const struct intake_list *ask, struct err *err)
{
	if (!can_be_asked(p, err))
		return false;
	if (p->listing == NULL) {
		p->listing = xcalloc(1, sizeof(*p->listing));
		p->listing->reader = (struct reader){
			.name = "list", .span_ms = 1, .cursor = TICKS_NONE, .swept = TICKS_NONE
		};
	}
	clear(p->listing);
	p->listing->ask = *ask;
	p->listing->reader.failures = 0;
	p->listing->reader.gap.why = NULL;
	/* What somebody else was told is told again. */
	p->listing->reader.habits.gap_from = p->listing->reader.habits.gap_to = 0;
	p->listing->reader.due = poller_mono(p);
	if (p->at == POLLER_WAITING)
		poller_wait_for_next(p);
	return true;
}

void
listing_look(struct poller *p)
{
	struct err err;

	if (is_wanted(p) && !may_read(p, &err))
		listing_fail(p, err.text);
}

bool
listing_bounds(struct poller *p, struct paging_bounds *out)
{
	p->listing->has_begun = true;
	out->from = p->listing->ask.from;
	out->until = p->listing->ask.to;
	return is_wanted(p);
}

void
listing_url(const struct poller *p, struct buf *out)
{
	struct paging_ask ask = p->r->paging.ask;

	if (ask.before > p->listing->ask.to)
		ask.before = p->listing->ask.to;
	graph_created_url(out, p->t->app, p->s->kind, &ask);
}

/* ---- on its way ---------------------------------------------------------------------- */

bool
listing_take(struct poller *p, const struct intake_listed *item)
{
	return is_wanted(p) && p->listing->has_begun &&
	       p->listing->ask.listed(p->listing->ask.arg, item);
}

void
listing_page(struct poller *p, const struct paging_step *step)
{
	struct reader *r = &p->listing->reader;

	if (step->gap_why != NULL)
		p->listing->gap = step->gap_why;
	if (r->gap.why != NULL)
		p->listing->gap = r->gap.why;
	r->gap.why = NULL;
}

void
listing_went_on(struct poller *p)
{
	p->listing->failures = p->listing->reader.failures = 0;
	p->listing->reader.due = is_wanted(p) ? poller_mono(p) : NEVER;
}

void
listing_closed(struct poller *p, const struct paging_step *step)
{
	if (!is_wanted(p) || !p->listing->has_begun) {
		p->listing->reader.due = is_wanted(p) ? poller_mono(p) : NEVER;
		return;
	}
	if (step->err.kind != ERR_NONE)
		p->listing->err = step->err;
	else if (p->listing->gap != NULL)
		err_set(&p->listing->err, ERR_TEMP, "not all can be listed: %s", p->listing->gap);
	end(p);
}

/* Waits where that helps soon; who asked is told else. */
void
listing_hears(struct poller *p, enum tenant_state state, const char *text)
{
	if (!is_wanted(p) || state == TENANT_THROTTLED || state == TENANT_PAUSED)
		return;
	if (state_is_parked(state) || ++p->listing->failures >= PATIENCE)
		listing_fail(p, text);
}

/* ---- life -------------------------------------------------------------------------------- */

void
listing_tidy(struct poller *p)
{
	if (p->listing == NULL || is_asked(p) || listing_is_at_it(p))
		return;
	reader_end(&p->listing->reader);
	free(p->listing);
	p->listing = NULL;
}

/* Told now: nobody could be later. */
void
listing_release(struct poller *p)
{
	struct intake_list ask;
	struct err err;

	if (is_asked(p)) {
		ask = p->listing->ask;
		cancel(p);
		err_set(&err, ERR_TEMP, "it is not read any more");
		ask.done(ask.arg, &err);
	}
	free(p->listing);
	p->listing = NULL;
}

/* ---- for who asks ------------------------------------------------------------------------- */

bool
intake_list(struct intake *in, const struct intake_list *ask, struct err *err)
{
	struct poller *p;

	TAILQ_FOREACH (p, &in->pollers, link) {
		if (strcmp(p->s->key, ask->key) == 0 && p->s->kind == ask->kind)
			return begin(p, ask, err);
	}
	return err_set(err, ERR_TEMP, "it is not read any more");
}

void
intake_list_cancel(struct intake *in, const void *arg)
{
	struct poller *p;

	TAILQ_FOREACH (p, &in->pollers, link) {
		if (is_asked(p) && p->listing->ask.arg == arg)
			cancel(p);
	}
}
