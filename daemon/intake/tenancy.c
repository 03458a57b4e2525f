/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/tenancy.h"

#include <stdlib.h>

#include "daemon/intake/poller.h"
#include "lib/base/alloc.h"

struct tenancy *
tenancy_of(struct intake *in, const char *key)
{
	uint64_t hash = str_hash(key, strlen(key));
	struct tenancy_bucket *bucket = &in->by_key[hash % TENANCY_BUCKETS];
	struct tenancy *tn;

	LIST_FOREACH (tn, bucket, beside) {
		if (tn->hash == hash && strcmp(tn->key, key) == 0)
			return tn;
	}
	tn = xcalloc(1, sizeof(*tn));
	tn->key = xstrdup(key);
	tn->hash = hash;
	TAILQ_INSERT_TAIL(&in->tenancies, tn, link);
	LIST_INSERT_HEAD(bucket, tn, beside);
	return tn;
}

void
tenancy_join(struct tenancy *tn, struct poller *p, enum stream stream)
{
	BUG_IF(tn->streams[stream] != NULL);
	tn->streams[stream] = p;
}

void
tenancy_leave(struct intake *in, struct tenancy *tn, enum stream stream)
{
	tn->streams[stream] = NULL;
	for (int i = 0; i < STREAM_COUNT; i++) {
		if (tn->streams[i] != NULL)
			return;
	}
	TAILQ_REMOVE(&in->tenancies, tn, link);
	LIST_REMOVE(tn, beside);
	free(tn->key);
	free(tn);
}

static void
set_budget(struct budget *b, int64_t most, int64_t span_ms, int64_t now)
{
	if (b->span_ms == 0)
		budget_init(b, most, span_ms, now);
	else
		budget_change(b, most, now);
}

/* What an earlier run took of it. */
static void
recall_hour(const struct tenancy *tn, enum api api, struct budget *b)
{
	for (int i = 0; i < STREAM_COUNT; i++) {
		const struct poller *p = tn->streams[i];
		struct journal_cursor c;

		if (p != NULL && p->s->kind->api == api &&
		    journal_cursor(p->in->journal, p->stream, TENANCY_HOUR, &c))
			budget_resume(b, ticks_to_ms(c.at - clock_wall(p->in->env->clock)));
	}
}

int64_t
tenancy_hour(struct tenancy *tn, enum api api, int64_t mono, int64_t wall)
{
	struct budget *b = &tn->api[api].hour;

	return b->most != 0 ? wall + ticks_from_ms(budget_full_in(b, mono)) : TICKS_NONE;
}

void
tenancy_configure(struct tenancy *tn, const struct tenant *t, int64_t now)
{
	for (int i = 0; i < API_COUNT; i++) {
		const struct api_kind *kind = &api_kinds[i];
		int64_t per_min = t->budget_per_min;
		bool is_new;

		if (kind->most_per_min != 0 && kind->most_per_min < per_min)
			per_min = kind->most_per_min;
		set_budget(&tn->api[i].minute, per_min, BUDGET_MINUTE, now);
		if (kind->per_hour == 0)
			continue;
		is_new = tn->api[i].hour.span_ms == 0;
		set_budget(&tn->api[i].hour, kind->per_hour, BUDGET_HOUR, now);
		if (is_new)
			recall_hour(tn, (enum api)i, &tn->api[i].hour);
	}
}

int64_t
tenancy_ask(struct tenancy *tn, enum api api, unsigned reserve, int64_t now)
{
	struct allowance *a = &tn->api[api];
	int64_t ms = 0;

	if (now < a->not_before)
		return a->not_before - now;
	if (a->hour.most != 0)
		ms = budget_wait(&a->hour, reserve, now);
	if (ms == 0)
		ms = budget_take(&a->minute, reserve, now);
	if (ms == 0 && a->hour.most != 0)
		ms = budget_take(&a->hour, reserve, now);
	return ms;
}

void
tenancy_hold(struct tenancy *tn, enum api api, int64_t until)
{
	if (until > tn->api[api].not_before)
		tn->api[api].not_before = until;
}
