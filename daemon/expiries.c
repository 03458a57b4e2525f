/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/expiries.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "lib/base/ticks.h"

#define LOOK_MS INT64_C(3600000)

struct item {
	struct expiry e;         /* its texts are copies */
	enum expiry_stage told;
	bool is_left;            /* not named again yet, between begin and end */
	bool is_renewed;         /* an earlier end was told ahead */
	bool is_gone;            /* but its end was told ahead */
};

struct expiries {
	const struct engine_env *env;
	struct timer timer;
	struct item *v;          /* sorted by their ends */
	size_t n, room;
	expiries_tell *tell;
	void *tell_arg;
};

/* ---- what there is ------------------------------------------------------------------ */

static void
item_release(struct item *it)
{
	free((char *)it->e.kind);
	free((char *)it->e.name);
	free((char *)it->e.what);
	free((char *)it->e.remedy);
}

static void
remove_at(struct expiries *x, size_t i)
{
	item_release(&x->v[i]);
	memmove(&x->v[i], &x->v[i + 1], (x->n - i - 1) * sizeof(*x->v));
	x->n--;
}

/* ---- telling ------------------------------------------------------------------- */

static void
write_log(const struct expiry *e, enum expiry_stage stage, int64_t days)
{
	struct log_ctx ctx = { e->kind, e->name };
	struct buf date = BUF_INIT(64);

	ticks_write(&date, e->ends, 0);
	buf_cut(&date, strlen("2027-03-01"));
	if (stage == EXPIRY_OVER)
		log_error(&ctx, "%s has ended; %s date=%.*s", e->what, e->remedy,
		    STR_ARG(buf_peek(&date)));
	else
		log_warn(&ctx, "%s ends in %" PRId64 " day%s; %s date=%.*s", e->what, days,
		    days == 1 ? "" : "s", e->remedy, STR_ARG(buf_peek(&date)));
	buf_release(&date);
}

static void
look_at(struct expiries *x, struct item *it)
{
	int64_t now = clock_wall(x->env->clock);
	enum expiry_stage stage = it->is_gone ? EXPIRY_FAR : expiry_stage(now, it->e.ends);
	int64_t days = expiry_days(now, it->e.ends);

	if (stage <= it->told && !it->is_renewed && !it->is_gone)
		return;
	it->told = stage;
	it->is_renewed = false;
	if (stage != EXPIRY_FAR)
		write_log(&it->e, stage, days);
	if (x->tell != NULL)
		x->tell(x->tell_arg, &it->e, stage, days);
}

static void
look(struct expiries *x)
{
	for (size_t i = 0; i < x->n; i++)
		look_at(x, &x->v[i]);
	for (size_t i = x->n; i-- > 0;) {
		if (x->v[i].is_gone)
			remove_at(x, i);
	}
}

static void
on_timer(void *arg)
{
	struct expiries *x = arg;

	look(x);
	timer_set(x->env->timers, &x->timer, LOOK_MS);
}

/* ---- setting ------------------------------------------------------------------------ */

static void
insert(struct expiries *x, struct item it)
{
	size_t i = x->n;

	if (x->n == x->room) {
		x->room = x->room * 2 + 8;
		x->v = xreallocarray(x->v, x->room, sizeof(*x->v));
	}
	for (; i > 0 && x->v[i - 1].e.ends > it.e.ends; i--)
		x->v[i] = x->v[i - 1];
	x->v[i] = it;
	x->n++;
}

/* What was told to end stays until it was told that it does not. */
static void
drop_at(struct expiries *x, size_t i)
{
	if (x->v[i].told == EXPIRY_FAR && !x->v[i].is_renewed) {
		remove_at(x, i);
		return;
	}
	x->v[i].is_gone = true;
	timer_set(x->env->timers, &x->timer, 0);
}

static bool
is_same(const struct expiry *a, const struct expiry *b)
{
	return strcmp(a->kind, b->kind) == 0 && strcmp(a->name, b->name) == 0 &&
	       strcmp(a->what, b->what) == 0;
}

void
expiries_set(struct expiries *x, const struct expiry *e)
{
	struct item it = { .e = { xstrdup(e->kind), xstrdup(e->name), xstrdup(e->what),
			       xstrdup(e->remedy), e->ends } };

	for (size_t i = 0; i < x->n; i++) {
		if (!is_same(&x->v[i].e, e))
			continue;
		if (e->ends == 0) {
			drop_at(x, i);
			break;
		}
		if (x->v[i].e.ends == e->ends)
			it.told = x->v[i].told;
		it.is_renewed = x->v[i].is_renewed ||
		    (x->v[i].e.ends != e->ends && x->v[i].told != EXPIRY_FAR);
		remove_at(x, i);
		break;
	}
	if (e->ends == 0) {
		item_release(&it);
		return;
	}
	insert(x, it);
	timer_set(x->env->timers, &x->timer, 0);
}

void
expiries_keep(struct expiries *x, const struct expiry *e)
{
	for (size_t i = 0; i < x->n; i++) {
		if (is_same(&x->v[i].e, e))
			x->v[i].is_left = false;
	}
}

void
expiries_begin(struct expiries *x, const char *kind)
{
	for (size_t i = 0; i < x->n; i++) {
		if (strcmp(x->v[i].e.kind, kind) == 0)
			x->v[i].is_left = true;
	}
}

void
expiries_end(struct expiries *x, const char *kind)
{
	for (size_t i = x->n; i-- > 0;) {
		if (x->v[i].is_left && strcmp(x->v[i].e.kind, kind) == 0)
			drop_at(x, i);
	}
}

const struct expiry *
expiries_at(struct expiries *x, size_t i)
{
	size_t k = 0;

	for (; k < x->n && (i > 0 || x->v[k].is_gone); k++)
		i -= !x->v[k].is_gone;
	return k < x->n ? &x->v[k].e : NULL;
}

/* ---- life ------------------------------------------------------------------------------ */

struct expiries *
expiries_new(const struct engine_env *env)
{
	struct expiries *x = xcalloc(1, sizeof(*x));

	x->env = env;
	timer_init(&x->timer, on_timer, x);
	return x;
}

void
expiries_free(struct expiries *x)
{
	if (x == NULL)
		return;
	timer_unset(x->env->timers, &x->timer);
	for (size_t i = 0; i < x->n; i++)
		item_release(&x->v[i]);
	free(x->v);
	free(x);
}

void
expiries_listen(struct expiries *x, expiries_tell *tell, void *arg)
{
	x->tell = tell;
	x->tell_arg = arg;
}
