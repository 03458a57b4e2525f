/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/poller.h"

/* What msspctl and metrics are told: a tenant is as well as the worst of its streams. */

static int64_t
until_next(const struct intake *in, const struct poller *p)
{
	int64_t ms = p->timer.at - clock_mono(in->env->clock);

	if (p->at != POLLER_WAITING)
		return -1;
	return ms > 0 ? ms : 0;
}

static const char full_why[] = "a sink that it is routed to has more waiting than its backlog "
			       "allows (when_full: pause); msspctl status shows which";

static const char held_why[] = "an operator paused it",
		  held_do[] = "Nothing, while that is meant; msspctl resume tenant has it read again.";

/* It is well but paused from then on: what it was before does not say how long. */
static int64_t
paused_since(const struct intake *in, const struct poller *p, bool is_shut)
{
	return p->tn->is_held ? p->tn->held_since : is_shut && in->shut_since > p->since ? in->shut_since
											  : p->since;
}

static struct intake_figures
of_stream(const struct intake *in, const struct poller *p)
{
	bool is_shut = in->scheduler.is_shut && !in->is_stopped;
	bool is_full = !is_shut && intake_full_sink(in, p->t) != NULL;
	bool is_paused = is_shut || p->tn->is_held || (is_full && state_is_read(p->state));
	struct intake_figures f = p->figures;

	f.tenant = p->t->name;
	f.customer = p->t->customer != NULL ? p->t->customer->name : p->t->name;
	f.customer_name = p->t->customer != NULL ? p->t->customer->display_name : p->t->name;
	f.id = p->t->id;
	f.stream = p->s->kind->name;
	f.state = is_paused ? TENANT_PAUSED : p->state;
	f.trouble = p->tn->is_held     ? held_why
	            : p->trouble != NULL ? p->trouble
	            : is_shut          ? "the journal takes nothing now"
	            : is_full          ? full_why
	                               : "";
	f.remedy = p->tn->is_held ? held_do : tenant_states[f.state].remedy;
	f.is_held = p->tn->is_held;
	f.since = paused_since(in, p, is_shut);
	f.last_success = p->last_success;
	f.complete = p->complete;
	f.is_parked = state_is_parked(f.state);
	f.cursor = p->readers[READER_LIVE].cursor;
	f.next_poll_ms = until_next(in, p);
	return f;
}

static void
add_counts(struct intake_figures *sum, const struct intake_figures *f)
{
	sum->polls += f->polls;
	sum->pages += f->pages;
	sum->alerts += f->alerts;
	sum->forwarded += f->forwarded;
	sum->throttled += f->throttled;
	sum->failures += f->failures;
	sum->quarantined += f->quarantined;
	sum->sweep_found += f->sweep_found;
	sum->gaps += f->gaps;
	sum->repeats += f->repeats;
	sum->is_parked |= f->is_parked;
	if (f->max_late_ms > sum->max_late_ms)
		sum->max_late_ms = f->max_late_ms;
}

/* f: of one stream more. */
static void
add_stream(struct intake_figures *sum, const struct intake_figures *f)
{
	add_counts(sum, f);
	if (f->state > sum->state) {
		sum->stream = f->stream;
		sum->state = f->state;
		sum->trouble = f->trouble;
		sum->remedy = f->remedy;
		sum->since = f->since;
	}
	/* TICKS_NONE is the least there is: one that was never read counts. */
	if (f->last_success < sum->last_success)
		sum->last_success = f->last_success;
	if (f->complete < sum->complete)
		sum->complete = f->complete;
	if (f->next_poll_ms < sum->next_poll_ms)
		sum->next_poll_ms = f->next_poll_ms;
}

static void
of_tenant(const struct intake *in, const struct tenancy *tn, struct intake_figures *f)
{
	struct intake_figures one;
	unsigned n = 0;

	for (int i = 0; i < STREAM_COUNT; i++) {
		if (tn->streams[i] == NULL)
			continue;
		one = of_stream(in, tn->streams[i]);
		if (n++ == 0)
			*f = one;
		else
			add_stream(f, &one);
	}
	if (n == 1)
		f->stream = "";
}

size_t
intake_figures(const struct intake *in, struct intake_figures *out, size_t max)
{
	const struct tenancy *tn;
	size_t n = 0;

	TAILQ_FOREACH (tn, &in->tenancies, link) {
		if (n == max)
			break;
		of_tenant(in, tn, &out[n++]);
	}
	return n;
}

size_t
intake_stream_figures(const struct intake *in, struct intake_figures *out, size_t max)
{
	const struct tenancy *tn;
	size_t n = 0;

	TAILQ_FOREACH (tn, &in->tenancies, link) {
		for (int i = 0; i < STREAM_COUNT && n < max; i++) {
			if (tn->streams[i] != NULL)
				out[n++] = of_stream(in, tn->streams[i]);
		}
	}
	return n;
}

const struct histogram *
intake_poll_times(const struct intake *in, enum stream which)
{
	return &in->poll_times[which];
}
