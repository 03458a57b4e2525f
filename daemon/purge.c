/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/purge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/belongings.h"
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
	number = may_go(s, ask, key, err) ? errands_work(p->errands, &task, on_done, p) : 0;
	if (number == 0) {
		if (err->kind == ERR_NONE)
			err_set(err, ERR_TEMP, "too much is asked of the journal already");
		free(key);
		return 0;
	}
	p->is_under_way = true;
	p->key = key;
	p->which = task.which;
	/* Before the first step, which comes behind the pages that the journal was given. */
	intake_leave_out(p->intake, key);
	delivery_leave_out(p->delivery, &p->which);
	return number;
}

void
purge_release(struct purge *p)
{
	free(p->key);
}
