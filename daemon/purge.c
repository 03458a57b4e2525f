/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/purge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/belongings.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"

static const struct tenant *
configured(const struct settings *s, const char *key)
{
	for (size_t i = 0; i < s->ntenants; i++)
		if (strcmp(s->tenants[i].key, key) == 0)
			return &s->tenants[i];
	return NULL;
}

static bool
may_go(const struct settings *s, const struct purge_ask *ask, const char *key, struct err *err)
{
	const struct tenant *t = configured(s, key);

	return t == NULL || ask->is_sure || err_set(err, ERR_PERM,
	    "tenant '%s' is in the configuration: take it out and reload, then purge it. Or say --yes: "
	    "then all that is kept of it goes (what waits for sinks, held mail, dead letters, quarantine, "
	    "the memory of its alerts, its cursors), and it is read as if it were new, from "
	    "first_lookback on, so that alerts come again", t->name);
}

static void
on_done(void *arg, const struct journal_task *t, const struct err *err)
{
	struct purge *p = arg;

	if (err != NULL)
		log_error(NULL, "%s was not purged to the end: %s; ask for it again", p->key, err->text);
	else
		log_warn(NULL, "%s was purged by an operator entries=%" PRIu64 " dead=%" PRIu64
		    " quarantine=%" PRIu64 " remembered=%" PRIu64, p->key, t->purged.entries,
		    t->purged.dead, t->purged.quarantine, t->purged.remembered);
	p->is_under_way = false;
	delivery_leave_out(p->delivery, NULL);
	origins_forget(p->origins);
	p->over(p->arg);
	intake_leave_out(p->intake, NULL);
	free(p->key);
	p->key = NULL;
}

/* Returns the number of its errand; 0: too much is asked of the journal already. */
static uint64_t
begin(struct purge *p, const struct journal_task *task, char *taken_key)
{
	uint64_t number = errands_work(p->errands, task, on_done, p);

	if (number == 0) {
		free(taken_key);
		return 0;
	}
	p->is_under_way = true;
	p->key = taken_key;
	p->which = task->which;
	if (task->is_rest)
		return number;
	/* Before the first step, which comes behind the pages that the journal was given. */
	intake_leave_out(p->intake, p->key);
	delivery_leave_out(p->delivery, &p->which);
	return number;
}

/* "global/GUID" of "global/GUID/alerts". */
static char *
key_of(const struct journal *j, uint32_t stream)
{
	const char *key = journal_stream_key(j, stream), *end = key != NULL ? strrchr(key, '/') : NULL;

	return end != NULL ? xstrndup(key, (size_t)(end - key)) : xstrdup("a tenant");
}

void
purge_resume(struct purge *p)
{
	struct journal_task task = { .what = JOURNAL_PURGE };
	char *key;

	if (p->is_under_way || !journal_purge_left(p->journal, &task.which))
		return;
	task.is_rest = task.which.nstreams == 0;
	key = task.is_rest ? xstrdup("a tenant") : key_of(p->journal, task.which.streams[0]);
	log_info(NULL, "%s was being purged when msspd ended; that goes on now", key);
	(void)begin(p, &task, key);
}

uint64_t
purge_begin(struct purge *p, const struct settings *s, const struct purge_ask *ask, struct err *err)
{
	struct journal_task task = { .what = JOURNAL_PURGE };
	uint64_t number;
	char *key = NULL;

	*err = (struct err){ 0 };
	if (p->is_under_way) {
		err_set(err, ERR_TEMP, "%s is being purged; one after the other", p->key);
		return 0;
	}
	if (!belongings_find(p->origins, ask->tenant, &task.which, &key, err))
		return 0;
	if (!may_go(s, ask, key, err)) {
		free(key);
		return 0;
	}
	number = begin(p, &task, key);
	if (number == 0)
		err_set(err, ERR_TEMP, "too much is asked of the journal already");
	return number;
}

void
purge_release(struct purge *p)
{
	free(p->key);
}
