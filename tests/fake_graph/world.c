/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "lib/base/alloc.h"
#include "tests/fake_graph/world.h"

int64_t
wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
world_init(struct world *w, bool is_bench)
{
	*w = (struct world){ .is_bench = is_bench };
}

static void
version_free(struct version *v)
{
	if (v == NULL)
		return;
	free(v->body);
	free(v);
}

static void
tenant_release(struct tenant *t)
{
	if (t->incidents != NULL)
		tenant_release(t->incidents);
	free(t->incidents);
	for (size_t i = 0; i < t->nalerts; i++) {
		version_free(t->alerts[i]->shown);
		version_free(t->alerts[i]->pending);
		free(t->alerts[i]->id);
		free(t->alerts[i]);
	}
	free(t->alerts);
	free(t->by_updated.v);
	free(t->by_created.v);
	free(t->counters.poll_ms);
	free(t->name);
}

void
world_release(struct world *w)
{
	for (size_t i = 0; i < w->ntenants; i++)
		tenant_release(&w->tenants[i]);
	free(w->tenants);
	free(w->late);
}

void
world_add_tenant(struct world *w, const char *guid, const char *name, uint64_t seed)
{
	struct tenant *t;

	w->tenants = xreallocarray(w->tenants, w->ntenants + 1, sizeof(*w->tenants));
	t = &w->tenants[w->ntenants++];
	*t = (struct tenant){
		.index = (unsigned)w->ntenants,
		.name = xstrdup(name),
		.seed = seed,
		.by_created.is_created = true,
	};
	memcpy(t->guid, guid, sizeof(t->guid));
	t->incidents = xmemdup(t, sizeof(*t));
	t->incidents->name = xstrdup(name);
	t->incidents->seed = rng_child(seed, 4711);
	t->incidents->is_incidents = true;
}

static bool
parse_index(struct str s, size_t *v)
{
	*v = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] < '0' || s.s[i] > '9' || *v > 1000000)
			return false;
		*v = *v * 10 + (size_t)(s.s[i] - '0');
	}
	return s.n != 0;
}

struct tenant *
world_find(struct world *w, struct str who)
{
	char guid[37];
	bool is_guid = guid_parse(who, guid);
	size_t i;

	if (parse_index(who, &i))
		return i >= 1 && i <= w->ntenants ? &w->tenants[i - 1] : NULL;
	for (i = 0; i < w->ntenants; i++) {
		if (is_guid ? memcmp(w->tenants[i].guid, guid, sizeof(guid)) == 0
			    : str_is(who, w->tenants[i].name))
			return &w->tenants[i];
	}
	return NULL;
}

struct alert *
world_add_alert(struct tenant *t, int64_t created)
{
	struct alert *a = xcalloc(1, sizeof(*a));

	if (t->nalerts == t->room) {
		t->room = t->room != 0 ? t->room * 2 : 64;
		t->alerts = xreallocarray(t->alerts, t->room, sizeof(struct alert *));
	}
	t->alerts[t->nalerts] = a;
	a->tenant = t;
	a->serial = (unsigned)t->nalerts++;
	a->seed = rng_child(t->seed, a->serial);
	a->tie = rng_mix(a->seed);
	a->created = created;
	a->is_incident = t->is_incidents;
	if (a->is_incident) {
		a->id = xasprintf("%u", FIRST_INCIDENT + a->serial);
		return a;
	}
	/* da638995112233445566_-1204459871: ticks since year 1, then a signed number */
	a->id = xasprintf("%s%lld_%d",
	    a->seed % 7 == 0   ? "aa"
	    : a->seed % 5 == 0 ? "fa"
			       : "da",
	    (long long)(created + INT64_C(621355968000000000)), (int32_t)(a->seed >> 32));
	return a;
}

struct alert *
world_alert(struct tenant *t, struct str id)
{
	for (size_t i = 0; i < t->nalerts; i++) {
		if (str_is(id, t->alerts[i]->id))
			return t->alerts[i];
	}
	return NULL;
}

int64_t
order_stamp(const struct order *o, const struct alert *a)
{
	return o->is_created ? a->created : a->shown->facts.updated;
}

size_t
order_seek(const struct order *o, int64_t stamp, uint64_t tie)
{
	size_t lo = 0, hi = o->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int64_t at = order_stamp(o, o->v[mid]);

		if (at < stamp || (at == stamp && o->v[mid]->tie < tie))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
order_insert(struct order *o, struct alert *a)
{
	size_t at = order_seek(o, order_stamp(o, a), a->tie);

	if (o->n == o->room) {
		o->room = o->room != 0 ? o->room * 2 : 64;
		o->v = xreallocarray(o->v, o->room, sizeof(struct alert *));
	}
	memmove(o->v + at + 1, o->v + at, (o->n - at) * sizeof(struct alert *));
	o->v[at] = a;
	o->n++;
}

static void
order_remove(struct order *o, struct alert *a)
{
	size_t at = order_seek(o, order_stamp(o, a), a->tie);

	while (at < o->n && o->v[at] != a)
		at++;
	BUG_IF(at == o->n);
	o->n--;
	memmove(o->v + at, o->v + at + 1, (o->n - at) * sizeof(struct alert *));
}

static void
tell(struct world *w, const struct version *v, int64_t ended_ms, bool could_be_seen)
{
	if (w->listener != NULL)
		w->listener(v, ended_ms, could_be_seen, w->listener_arg);
}

static void
show(struct world *w, struct alert *a, struct version *v)
{
	struct version *was = a->shown;

	if (was != NULL) {
		order_remove(&a->tenant->by_updated, a);
		tell(w, was, v->visible_from, v->visible_from > was->visible_from);
	}
	a->shown = v;
	order_insert(&a->tenant->by_updated, a);
	if (was == NULL)
		order_insert(&a->tenant->by_created, a);
	version_free(was);
}

static void
late_push(struct world *w, const struct version *v)
{
	struct late e = { v->visible_from, v->alert, v->number };
	size_t i = w->nlate++;

	if (w->nlate > w->late_room) {
		w->late_room = w->late_room != 0 ? w->late_room * 2 : 64;
		w->late = xreallocarray(w->late, w->late_room, sizeof(*w->late));
	}
	for (; i > 0 && w->late[(i - 1) / 2].visible_from > e.visible_from; i = (i - 1) / 2)
		w->late[i] = w->late[(i - 1) / 2];
	w->late[i] = e;
}

static struct late
late_pop(struct world *w)
{
	struct late top = w->late[0], last = w->late[--w->nlate];
	size_t i = 0;

	for (;;) {
		size_t kid = 2 * i + 1;

		if (kid + 1 < w->nlate && w->late[kid + 1].visible_from < w->late[kid].visible_from)
			kid++;
		if (kid >= w->nlate || w->late[kid].visible_from >= last.visible_from)
			break;
		w->late[i] = w->late[kid];
		i = kid;
	}
	w->late[i] = last;
	return top;
}

void
world_publish(
    struct world *w, struct alert *a, char *body, size_t len, int64_t visible_from, int64_t now)
{
	struct version *v = xmalloc(sizeof(*v));

	*v = (struct version){
		.alert = a,
		.number = ++a->nversions,
		.serial = ++w->versions,
		.visible_from = visible_from,
		.facts = a->facts,
		.body = body,
		.len = len,
	};
	if (a->pending != NULL) {
		tell(w, a->pending, now, false);
		version_free(a->pending);
		a->pending = NULL;
	}
	tell(w, v, 0, true);
	if (visible_from <= now) {
		show(w, a, v);
		return;
	}
	a->pending = v;
	late_push(w, v);
}

int64_t
world_catch_up(struct world *w, int64_t now)
{
	while (w->nlate > 0 && w->late[0].visible_from <= now) {
		struct late e = late_pop(w);
		struct version *v = e.alert->pending;

		/* A version overtaken by a newer one is gone by now. */
		if (v == NULL || v->number != e.number)
			continue;
		e.alert->pending = NULL;
		show(w, e.alert, v);
	}
	return w->nlate > 0 ? w->late[0].visible_from : INT64_MAX;
}
