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
	r->n = t->nsinks;
	for (size_t i = 0; i < t->nsinks; i++) {
		r->routes[i] = (struct route){
			.sink = journal_sink(j, t->sinks[i]->name),
			.match = t->sinks[i]->match,
			.default_kinds = t->sinks[i]->kind->default_kinds,
		};
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
	origin_unref(r->origin);
	settings_unref(r->settings);
	free(r);
}

enum journal_act
routing_judge(const struct seen *was, struct journal_entry *e, const void *ctx)
{
	const struct routing *r = ctx;
	struct judgement j;
	struct event ev;

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
	ev = (struct event){ .record = e->user,
		.origin = r->origin,
		.kind = j.kind,
		.changed = j.changed,
		.flags = e->flags };
	e->nroutes = (uint8_t)route_select(r->routes, r->n, &ev, e->route, JOURNAL_ROUTES);
	return JOURNAL_FORWARD;
}
