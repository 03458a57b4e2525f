/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "daemon/delivery/sink.h"
#include "daemon/intake/routing.h"
#include "lib/base/alloc.h"
#include "lib/policy/judge.h"

struct routing *
routing_new(struct journal *j, const struct settings *settings, const struct tenant *t,
    const struct tenant_stream *s, int64_t memory_begin)
{
	struct routing *r = xcalloc(1, sizeof(*r));

	r->refs = 1;
	r->settings = settings_ref(settings);
	r->origin = origin_ref(s->origin);
	r->memory_begin = memory_begin;
	r->routes = xcalloc(t->nsinks != 0 ? t->nsinks : 1, sizeof(*r->routes));
	r->sinks = xcalloc(t->nsinks != 0 ? t->nsinks : 1, sizeof(*r->sinks));
	r->n = t->nsinks;
	for (size_t i = 0; i < t->nsinks; i++) {
		r->routes[i] = (struct route){
			.sink = journal_sink(j, t->sinks[i]->name),
			.match = t->sinks[i]->match,
			.default_kinds = t->sinks[i]->kind->default_kinds,
			.any = t->sinks[i]->any,
			.nany = t->sinks[i]->nany,
		};
		r->sinks[i] = r->routes[i].sink;
	}
	return r;
}

struct routing *
routing_ref(struct routing *r)
{
	r->refs++;
	return r;
}

void
routing_unref(struct routing *r)
{
	if (r == NULL || --r->refs != 0)
		return;
	free(r->routes);
	free(r->sinks);
	origin_unref(r->origin);
	settings_unref(r->settings);
	free(r);
}

void
routing_select(const struct routing *r, struct journal_entry *e)
{
	struct event ev = { .record = e->user,
		.origin = r->origin,
		.kind = e->kind,
		.changed = e->changed,
		.flags = e->flags };
	size_t n = route_select(r->routes, r->n, &ev, e->route, JOURNAL_ROUTES);

	e->nroutes = (uint8_t)n;
	if (r->only == 0)
		return;
	e->nroutes = 0;
	for (size_t i = 0; i < n; i++) {
		if (e->route[i] == r->only)
			e->route[e->nroutes++] = r->only;
	}
}

enum journal_act
routing_judge(const struct seen *was, struct journal_entry *e, const void *ctx)
{
	const struct routing *r = ctx;
	struct judgement j;

	if (e->user == NULL)
		return was == NULL ? JOURNAL_REMEMBER : JOURNAL_SKIP;
	judge(was, e->user, r->memory_begin, &j);
	if (j.act == JUDGE_SKIP)
		return JOURNAL_SKIP;
	if (j.act == JUDGE_REMEMBER)
		return JOURNAL_REMEMBER;
	e->kind = (uint8_t)j.kind;
	e->changed = (uint16_t)j.changed;
	e->flags |= (uint8_t)j.flags;
	if (was != NULL && j.kind != KIND_NEW && (j.flags & EVENT_BACKFILL) == 0)
		e->flags |= (uint8_t)((was->severity + 1u) << EVENT_WAS_SHIFT) & EVENT_WAS_MASK;
	routing_select(r, e);
	return JOURNAL_FORWARD;
}
