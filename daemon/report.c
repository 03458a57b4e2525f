/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "daemon/intake/streams.h"
#include "daemon/journal/letters.h"
#include "daemon/report_parts.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"

#define AT_ONCE 4
#define LOOK_MS 1000

static const char too_many[] = "there are more alerts than a report can count";

struct report;

/* A tenant that is being counted. */
struct job {
	TAILQ_ENTRY(job) link;
	struct report *report;  /* NULL: nobody wants it any more; the journal has its task still */
	struct reports *all;
	const struct tenant *t; /* of the report's settings */
	size_t first, at;       /* streams: the first of those that share a memory; the one at hand */
	struct account *account;
	struct report_row *row;
	struct report_limits limits; /* of when the journal was asked */
	bool is_listing, is_in_journal;
	int64_t moved;          /* mono ms */
};
TAILQ_HEAD(job_list, job);

struct report {
	TAILQ_ENTRY(report) link;
	struct reports *all;
	struct settings *settings;
	uint64_t number;
	struct report_ask ask; /* texts: ours */
	char *tenant, *customer;
	size_t next;           /* tenant to begin with */
	size_t tenants, done;
	struct job_list jobs;
	size_t njobs;
	struct report_row **rows;
	size_t nrows;
	uint64_t listed;
	bool is_beginning; /* of one that ends at once, the next is begun where that was */
	bool is_over, is_cancelled;
	int64_t looked; /* mono ms */
};
TAILQ_HEAD(report_list, report);

struct reports {
	const struct engine_env *env;
	struct journal *journal;
	struct intake *intake; /* NULL: stopped */
	struct report_list list; /* the newest first */
	size_t n;
	uint64_t last;
	struct timer timer;
	struct job_list left; /* jobs whose task the journal has still */
};

static int64_t
mono(const struct reports *r)
{
	return clock_mono(r->env->clock);
}

static void begin_some(struct report *r);
static void next_stream(struct job *j);

/* ---- one tenant -------------------------------------------------------------------- */

static void
job_free(struct job *j)
{
	account_free(j->account);
	report_row_free(j->row);
	free(j);
}

static void
add_row(struct report *r, struct report_row *taken)
{
	r->rows = xreallocarray(r->rows, r->nrows + 1, sizeof(struct report_row *));
	r->rows[r->nrows++] = taken;
}

static void
job_over(struct job *j)
{
	struct report *r = j->report;

	TAILQ_REMOVE(&r->jobs, j, link);
	r->njobs--;
	r->done++;
	job_free(j);
	begin_some(r);
}

/* The streams from j->first on that share its memory. */
static bool
is_of_group(const struct job *j, size_t i)
{
	return strcmp(j->t->streams[i].key, j->t->streams[j->first].key) == 0;
}

static bool
is_first_of_group(const struct job *j, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (strcmp(j->t->streams[k].key, j->t->streams[i].key) == 0)
			return false;
	}
	return true;
}

static void
next_group(struct job *j)
{
	account_free(j->account);
	j->account = NULL;
	if (j->row != NULL)
		add_row(j->report, j->row);
	j->row = NULL;
	for (j->first++; j->first < j->t->nstreams && !is_first_of_group(j, j->first); j->first++)
		;
	if (j->first >= j->t->nstreams) {
		job_over(j);
		return;
	}
	j->at = j->first;
	next_stream(j);
}

static void
fail(struct job *j, const char *why)
{
	if (j->row == NULL)
		j->row = report_row_new(j->t);
	free(j->row->error);
	j->row->error = xstrdup(why);
	if (*j->row->streams == '\0')
		report_row_stream(j->row, j->t->streams[j->first].kind->name);
	next_group(j);
}

/* ---- what the journal knows ---------------------------------------------------------- */

/* What was read of all streams that share the memory, and since when; TICKS_NONE: nothing was. */
static int64_t
find_limits(const struct job *j, struct report_limits *out)
{
	const struct reports *all = j->all;
	int64_t begin = TICKS_NONE;
	struct journal_cursor c;

	out->read_to = INT64_MAX;
	out->remembered_from = clock_wall(all->env->clock) -
	                       ticks_from_ms(j->report->settings->remember_ms);
	for (size_t i = j->first; i < j->t->nstreams; i++) {
		if (!is_of_group(j, i))
			continue;
		if (!journal_cursor(all->journal, j->account->stream, j->t->streams[i].kind->live, &c))
			c.at = INT64_MIN + 1;
		else
			begin = c.begin;
		if (c.at < out->read_to)
			out->read_to = c.at;
	}
	return begin;
}

static void
sum(struct job *j)
{
	struct report_limits now;

	if (find_limits(j, &now) != j->row->begin) {
		fail(j, "what msspd knew of it was purged meanwhile; ask again");
		return;
	}
	if (j->account->is_full) {
		fail(j, too_many);
		return;
	}
	j->row->is_begun_late = j->row->begin != TICKS_NONE && j->row->begin > j->account->from;
	report_row_sum(j->row, j->all->journal, j->t, j->account, &j->limits);
	j->report->listed += j->row->listed;
	next_group(j);
}

static void
on_step(void *arg, struct journal_task *taken, const struct err *err)
{
	struct job *j = arg;

	j->moved = mono(j->all);
	if (j->report == NULL || err != NULL || taken->is_over) {
		j->is_in_journal = false;
		free(taken);
	}
	if (j->report == NULL) {
		TAILQ_REMOVE(&j->all->left, j, link);
		job_free(j);
	} else if (err != NULL) {
		fail(j, err->text);
	} else if (!j->is_in_journal) {
		sum(j);
	} else {
		journal_work(j->all->journal, taken, on_step, j);
	}
}

static void
ask_journal(struct job *j)
{
	struct journal_task *task = xcalloc(1, sizeof(*task));

	/* Before the journal looks: what is read while it does is no reason why something is missing. */
	j->row->begin = find_limits(j, &j->limits);
	task->what = JOURNAL_ACCOUNT;
	task->account = j->account;
	j->is_in_journal = true;
	journal_work(j->all->journal, task, on_step, j);
}

/* ---- what Microsoft lists -------------------------------------------------------------- */

static bool
on_listed(void *arg, const struct intake_listed *item)
{
	struct job *j = arg;

	j->moved = mono(j->all);
	if (item->is_foreign)
		return account_list_foreign(j->account, item->id);
	return account_list(j->account, item->id, item->created, item->version, item->is_unreadable);
}

static void
on_list_done(void *arg, const struct err *err)
{
	struct job *j = arg;

	j->is_listing = false;
	j->moved = mono(j->all);
	if (err != NULL) {
		fail(j, err->text);
		return;
	}
	if (j->account->is_full) {
		fail(j, too_many);
		return;
	}
	j->at++;
	next_stream(j);
}

/* Only what is there is asked about: a sink that was let go meanwhile does not come back by being
 * looked for, nor a name that a tenant had. */
static void
open_account(struct job *j)
{
	struct journal *journal = j->all->journal;

	j->account = account_new(journal_stream_find(journal, j->t->streams[j->first].key),
	    j->report->ask.from, j->report->ask.to);
	for (size_t i = 0; i < j->t->nsinks; i++) {
		uint32_t sink = journal_sink_find(journal, j->t->sinks[i]->name);

		if (sink != 0)
			(void)account_column(j->account, sink);
	}
	j->limits.listed_from = clock_wall(j->all->env->clock);
}

static void
list_stream(struct job *j)
{
	const struct tenant_stream *st = &j->t->streams[j->at];
	const struct intake_list ask = { .key = st->key,
		.kind = st->kind,
		.from = j->report->ask.from,
		.to = j->report->ask.to,
		.listed = on_listed,
		.done = on_list_done,
		.arg = j };
	struct err err = { 0 };

	report_row_stream(j->row, st->kind->name);
	j->is_listing = j->all->intake != NULL && intake_list(j->all->intake, &ask, &err);
	if (!j->is_listing)
		fail(j, j->all->intake != NULL ? err.text : "msspd is stopping");
	else if (j->account == NULL)
		open_account(j); /* whoever is read has its place in the journal */
}

static void
next_stream(struct job *j)
{
	if (j->row == NULL)
		j->row = report_row_new(j->t);
	while (j->at < j->t->nstreams && !is_of_group(j, j->at))
		j->at++;
	if (j->at < j->t->nstreams)
		list_stream(j);
	else
		ask_journal(j);
}

/* ---- all of them ------------------------------------------------------------------------- */

static bool
is_asked_for(const struct report *r, const struct tenant *t)
{
	const char *customer = t->customer != NULL ? t->customer->name : t->name;

	return (r->tenant == NULL || strcmp(r->tenant, t->name) == 0 || strcmp(r->tenant, t->id) == 0) &&
	       (r->customer == NULL || strcmp(r->customer, customer) == 0);
}

static void
begin_job(struct report *r, const struct tenant *t)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->report = r;
	j->all = r->all;
	j->t = t;
	j->moved = mono(r->all);
	TAILQ_INSERT_TAIL(&r->jobs, j, link);
	r->njobs++;
	next_stream(j);
}

static void
begin_some(struct report *r)
{
	if (r->is_beginning)
		return;
	r->is_beginning = true;
	while (!r->is_over && r->njobs < AT_ONCE && r->next < r->settings->ntenants) {
		const struct tenant *t = &r->settings->tenants[r->next++];

		if (is_asked_for(r, t))
			begin_job(r, t);
	}
	r->is_beginning = false;
	r->is_over |= r->done == r->tenants;
}

static void
end_jobs(struct report *r)
{
	struct job *j;

	r->is_over = true;
	while ((j = TAILQ_FIRST(&r->jobs)) != NULL) {
		TAILQ_REMOVE(&r->jobs, j, link);
		r->njobs--;
		if (j->is_listing && r->all->intake != NULL)
			intake_list_cancel(r->all->intake, j);
		if (j->is_in_journal) {
			j->report = NULL;
			TAILQ_INSERT_TAIL(&r->all->left, j, link);
		} else {
			job_free(j);
		}
	}
}

static void
report_free(struct reports *all, struct report *r)
{
	end_jobs(r);
	TAILQ_REMOVE(&all->list, r, link);
	all->n--;
	for (size_t i = 0; i < r->nrows; i++)
		report_row_free(r->rows[i]);
	free(r->rows);
	free(r->tenant);
	free(r->customer);
	settings_unref(r->settings);
	free(r);
}

static void
give_up_stuck(struct report *r, int64_t now)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&r->jobs); j != NULL; j = next) {
		next = TAILQ_NEXT(j, link);
		if (!j->is_listing || now - j->moved < REPORT_STUCK_MS)
			continue;
		intake_list_cancel(r->all->intake, j);
		j->is_listing = false;
		fail(j, "no sign of it for ten minutes: it is throttled, or msspd is busy");
	}
}

static void
look_at(struct report *r, int64_t now)
{
	if (r->is_over && now - r->looked > REPORT_KEEP_MS) {
		report_free(r->all, r);
	} else if (!r->is_over && now - r->looked > REPORT_IDLE_MS) {
		log_info(NULL, "a report is given up, since nobody looks at it any more");
		r->is_cancelled = true;
		end_jobs(r);
	} else {
		give_up_stuck(r, now);
	}
}

static void
on_look(void *arg)
{
	struct reports *all = arg;
	struct report *r, *next;
	int64_t now = mono(all);

	for (r = TAILQ_FIRST(&all->list); r != NULL; r = next) {
		next = TAILQ_NEXT(r, link);
		look_at(r, now);
	}
	if (!TAILQ_EMPTY(&all->list))
		timer_set(all->env->timers, &all->timer, LOOK_MS);
}

/* ---- for who asks --------------------------------------------------------------------------- */

static struct report *
find(struct reports *all, uint64_t number)
{
	struct report *r;

	TAILQ_FOREACH(r, &all->list, link) {
		if (r->number == number)
			return r;
	}
	return NULL;
}

static bool
is_known(const struct report *r, struct err *err)
{
	if (r->tenants > 0)
		return true;
	return err_set(err, ERR_CONF, "there is no %s \"%.80s\"", r->tenant != NULL ? "tenant" : "customer",
	    r->tenant != NULL ? r->tenant : r->customer != NULL ? r->customer : "");
}

uint64_t
reports_begin(struct reports *all, const struct settings *s, const struct report_ask *ask,
    struct err *err)
{
	struct report *r = TAILQ_FIRST(&all->list);

	if (all->intake == NULL || (r != NULL && !r->is_over)) {
		err_set(err, ERR_TEMP, all->intake == NULL ? "msspd is stopping"
		    : "another report is being made; try again when it is done");
		return 0;
	}
	r = xcalloc(1, sizeof(*r));
	r->all = all;
	r->settings = settings_ref(s);
	r->ask = *ask;
	r->tenant = ask->tenant != NULL ? xstrdup(ask->tenant) : NULL;
	r->customer = ask->customer != NULL ? xstrdup(ask->customer) : NULL;
	TAILQ_INIT(&r->jobs);
	TAILQ_INSERT_HEAD(&all->list, r, link);
	all->n++;
	for (size_t i = 0; i < s->ntenants; i++)
		r->tenants += is_asked_for(r, &s->tenants[i]);
	if (!is_known(r, err)) {
		report_free(all, r);
		return 0;
	}
	r->number = ++all->last;
	r->looked = mono(all);
	while (all->n > REPORTS_KEPT)
		report_free(all, TAILQ_LAST(&all->list, report_list));
	timer_set(all->env->timers, &all->timer, LOOK_MS);
	begin_some(r);
	return r->number;
}

bool
reports_cancel(struct reports *all, uint64_t number)
{
	struct report *r = find(all, number);

	if (r == NULL || r->is_over)
		return false;
	r->is_cancelled = true;
	end_jobs(r);
	return true;
}

bool
reports_see(struct reports *all, uint64_t number, struct report_view *out)
{
	struct report *r = find(all, number);

	if (r == NULL)
		return false;
	r->looked = mono(all);
	*out = (struct report_view){ .from = r->ask.from, .to = r->ask.to,
		.now = clock_wall(all->env->clock), .remember_ms = r->settings->remember_ms,
		.tenants = r->tenants, .done = r->done, .listed = r->listed, .is_over = r->is_over,
		.is_cancelled = r->is_cancelled, .rows = (const struct report_row *const *)r->rows,
		.nrows = r->nrows };
	return true;
}

/* ---- life -------------------------------------------------------------------------------------- */

struct reports *
reports_new(const struct engine_env *env, struct journal *j, struct intake *in)
{
	struct reports *all = xcalloc(1, sizeof(*all));

	all->env = env;
	all->journal = j;
	all->intake = in;
	TAILQ_INIT(&all->list);
	TAILQ_INIT(&all->left);
	timer_init(&all->timer, on_look, all);
	/* Whoever waits for one of another life of msspd is not shown somebody else's. */
	all->last = (uint64_t)(clock_wall(env->clock) / (TICKS_SEC / 1000));
	return all;
}

void
reports_stop(struct reports *all)
{
	struct report *r;

	if (all == NULL)
		return;
	timer_unset(all->env->timers, &all->timer);
	TAILQ_FOREACH(r, &all->list, link) {
		if (!r->is_over)
			r->is_cancelled = true;
		end_jobs(r);
	}
	all->intake = NULL;
}

void
reports_free(struct reports *all)
{
	if (all == NULL)
		return;
	reports_stop(all);
	while (!TAILQ_EMPTY(&all->list))
		report_free(all, TAILQ_FIRST(&all->list));
	while (!TAILQ_EMPTY(&all->left)) {
		struct job *j = TAILQ_FIRST(&all->left);

		TAILQ_REMOVE(&all->left, j, link);
		job_free(j);
	}
	free(all);
}
