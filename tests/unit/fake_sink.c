/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fake_sink.h"

#include <stdlib.h>

#include "daemon/env.h"
#include "daemon/loop.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"

struct pending {
	uint64_t ticket;
	size_t got; /* index */
};

struct sink {
	const struct engine_env *env;
	struct sink_owner *owner;
	struct fake_far *far;
	bool is_up, was_full;
	struct pending *pending;
	size_t n;
	struct timer answer;
};

static void
answer_one(struct sink *s, const struct pending *p)
{
	struct fake_far *far = s->far;
	struct fake_got *g = &far->got[p->got];
	struct err err = { 0 };
	int64_t due = TICKS_NONE;
	const char *memo = NULL;

	g->verdict = far->judge != NULL ? far->judge(far->judge_arg, g, &due, &memo) : SINK_OK;
	g->is_answered = true;
	(void)err_set(&err, ERR_TEMP, "the fake says so");
	if (g->verdict == SINK_OK)
		sink_accepted(s->owner, &p->ticket, 1);
	else
		sink_result(s->owner, p->ticket, g->verdict, due, memo, &err);
}

static void
on_answer(void *arg)
{
	struct sink *s = arg;
	size_t n = s->n;
	struct pending *all = s->pending;

	s->pending = NULL;
	s->n = 0;
	for (size_t i = 0; i < n; i++)
		answer_one(s, &all[i]);
	free(all);
	if (s->was_full)
		sink_ready(s->owner);
	s->was_full = false;
}

static void
forget_pending(struct sink *s)
{
	free(s->pending);
	s->pending = NULL;
	s->n = 0;
	timer_unset(s->env->timers, &s->answer);
}

static void
start_later(void *arg)
{
	struct sink *s = arg;
	struct err err = { 0 };

	s->is_up = s->far->answer == SINK_UP;
	(void)err_set(&err, ERR_TEMP, "the fake is away");
	sink_link(s->owner, s->far->answer, s->is_up ? NULL : &err);
}

static void
on_start(struct sink *s)
{
	s->far->started++;
	loop_defer(s->env->loop, start_later, s);
}

static void
keep(struct sink *s, const struct sink_item *item)
{
	struct fake_far *far = s->far;
	const struct record *r = item->event.record;
	struct fake_got *g;

	if (far->ngot == far->room_got) {
		far->room_got = far->room_got == 0 ? 64 : far->room_got * 2;
		far->got = xreallocarray(far->got, far->room_got, sizeof(*far->got));
	}
	g = &far->got[far->ngot];
	*g = (struct fake_got) { .version = r->version, .tries = item->tries, .link = (int)far->started };
	snprintf(g->id, sizeof(g->id), "%.*s", STR_ARG(r->id));
	snprintf(g->tenant, sizeof(g->tenant), "%s", item->event.origin->tenant);
	snprintf(g->memo, sizeof(g->memo), "%s", item->memo != NULL ? item->memo : "");
	s->pending = xreallocarray(s->pending, s->n + 1, sizeof(*s->pending));
	s->pending[s->n++] = (struct pending) { .ticket = item->ticket, .got = far->ngot++ };
}

static size_t
on_send(struct sink *s, const struct sink_item *items, size_t n)
{
	size_t taken = 0;

	BUG_IF(!s->is_up);
	s->far->sends++;
	while (taken < n && (s->far->room == 0 || s->n < s->far->room))
		keep(s, &items[taken++]);
	s->was_full |= taken < n;
	if (s->n > 0 && s->far->answer_after_ms >= 0 && !timer_is_set(&s->answer))
		timer_set(s->env->timers, &s->answer, s->far->answer_after_ms);
	return taken;
}

static void
drained_later(void *arg)
{
	struct sink *s = arg;

	if (s->far->answer_after_ms >= 0)
		on_answer(s);
	sink_drained(s->owner);
}

static void
on_drain(struct sink *s)
{
	s->far->drained++;
	if (!s->far->never_drains)
		loop_defer(s->env->loop, drained_later, s);
}

static void
on_cancel(struct sink *s)
{
	s->far->cancelled++;
	forget_pending(s);
	loop_forget(s->env->loop, start_later, s);
	loop_forget(s->env->loop, drained_later, s);
}

static void
on_refresh(struct sink *s)
{
	s->far->refreshed++;
}

static void
on_close(struct sink *s)
{
	s->far->closed++;
	s->far->sink = NULL;
	forget_pending(s);
	free(s);
}

static struct sink *
on_open(const struct engine_env *env, struct sink_owner *owner, const char *name, const void *conf,
    struct err *err)
{
	struct fake_far *far = ((const struct fake_conf *)conf)->far;
	struct sink *s;

	if (far->refuses_open) {
		(void)err_set(err, ERR_CONF, "%s: the fake refuses to open", name);
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->env = env;
	s->owner = owner;
	s->far = far;
	timer_init(&s->answer, on_answer, s);
	far->opened++;
	far->sink = s;
	return s;
}

const struct sink_kind fake_sink = {
	.name = "fake",
	.help = "Does what a test says.",
	.conf_size = sizeof(struct fake_conf),
	.default_kinds = (1u << KIND_COUNT) - 1,
	.open = on_open,
	.start = on_start,
	.send = on_send,
	.drain = on_drain,
	.cancel = on_cancel,
	.refresh = on_refresh,
	.close = on_close,
};

void
fake_far_init(struct fake_far *far)
{
	*far = (struct fake_far) { .answer = SINK_UP };
}

void
fake_far_release(struct fake_far *far)
{
	free(far->got);
	fake_far_init(far);
}

void
fake_far_cut(struct fake_far *far, enum sink_link_state state)
{
	struct sink *s = far->sink;
	struct err err = { 0 };

	if (s == NULL || !s->is_up)
		return;
	s->is_up = s->was_full = false;
	forget_pending(s);
	(void)err_set(&err, ERR_TEMP, "the fake cut the link");
	sink_link(s->owner, state, &err);
}

size_t
fake_far_count(const struct fake_far *far, enum sink_verdict v)
{
	size_t n = 0;

	for (size_t i = 0; i < far->ngot; i++)
		n += far->got[i].is_answered && far->got[i].verdict == v;
	return n;
}

size_t
fake_far_unanswered(const struct fake_far *far)
{
	size_t n = 0;

	for (size_t i = 0; i < far->ngot; i++)
		n += !far->got[i].is_answered;
	return n;
}
