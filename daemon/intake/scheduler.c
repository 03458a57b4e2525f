/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/scheduler.h"
#include "daemon/loop.h"
#include "lib/base/alloc.h"

#define MAX_BYTES ((size_t)10 << 20)
#define SHARE     4  /* one start of so many is a backlog's */
#define PATIENCE  96 /* starts of others, until a page that finds no room comes all the same */

void
scheduler_init(struct scheduler *s, struct loop *loop, void (*start)(struct place *p))
{
	*s = (struct scheduler){ .loop = loop, .max = 1, .max_bytes = MAX_BYTES, .start = start };
	for (int i = 0; i < LANE_COUNT; i++)
		TAILQ_INIT(&s->lanes[i]);
}

static bool
fits(const struct scheduler *s, const struct place *p)
{
	return s->bytes == 0 || s->bytes + p->expected <= s->max_bytes;
}

static size_t
slow_share(const struct scheduler *s)
{
	return s->max / 4 > 0 ? s->max / 4 : 1;
}

/* Smaller pages that always find some room must not keep a large one out for ever. */
static bool
is_room(const struct scheduler *s, const struct place *p)
{
	if (p->is_slow && s->out_slow >= slow_share(s))
		return false;
	return fits(s, p) || (s->bytes <= s->max_bytes && s->starts - p->asked >= PATIENCE);
}

static struct place *
first_of(const struct scheduler *s, enum lane lane)
{
	struct place *p;

	TAILQ_FOREACH (p, &s->lanes[lane], link) {
		if (is_room(s, p))
			return p;
	}
	return NULL;
}

/* Where more are due than can be served, who has a backlog must not wait for ever. */
static struct place *
next_of(const struct scheduler *s)
{
	struct place *p = NULL;

	if (s->starts % SHARE == SHARE - 1)
		p = first_of(s, LANE_MORE);
	for (int i = 0; i < LANE_COUNT && p == NULL; i++)
		p = first_of(s, (enum lane)i);
	return p;
}

static void
unqueue(struct scheduler *s, struct place *p)
{
	if (p->is_queued)
		TAILQ_REMOVE(&s->lanes[p->lane], p, link);
	p->is_queued = false;
}

static void
take(struct scheduler *s, struct place *p)
{
	unqueue(s, p);
	p->is_out = true;
	p->took_slow = p->is_slow;
	p->is_extra = !fits(s, p);
	s->starts++;
	p->held = p->expected;
	s->out++;
	s->out_slow += p->took_slow;
	s->bytes += p->held;
}

static void
on_turn(void *arg)
{
	struct scheduler *s = arg;
	struct place *p = NULL;

	s->is_asked = false;
	while (!s->is_shut && s->out < s->max) {
		p = next_of(s);
		if (p == NULL || (s->allows != NULL && !s->allows(s->allows_arg)))
			return;
		take(s, p);
		s->start(p);
	}
}

static void
ask_turn(struct scheduler *s)
{
	if (s->is_asked || s->is_shut)
		return;
	s->is_asked = true;
	loop_defer(s->loop, on_turn, s);
}

void
scheduler_release(struct scheduler *s)
{
	loop_forget(s->loop, on_turn, s);
}

void
scheduler_shut(struct scheduler *s, bool is_shut)
{
	s->is_shut = is_shut;
	ask_turn(s);
}

void
scheduler_ask_first(struct scheduler *s, bool (*allows)(void *arg), void *arg)
{
	s->allows = allows;
	s->allows_arg = arg;
}

void
scheduler_go_on(struct scheduler *s)
{
	ask_turn(s);
}

void
scheduler_resize(struct scheduler *s, size_t max)
{
	s->max = max;
	ask_turn(s);
}

void
scheduler_ask(struct scheduler *s, struct place *p, enum lane lane)
{
	BUG_IF(p->is_queued || p->is_out);
	p->lane = lane;
	p->asked = s->starts;
	p->is_queued = true;
	TAILQ_INSERT_TAIL(&s->lanes[lane], p, link);
	ask_turn(s);
}

void
scheduler_leave(struct scheduler *s, struct place *p)
{
	unqueue(s, p);
	if (!p->is_out)
		return;
	p->is_out = false;
	s->out--;
	s->out_slow -= p->took_slow;
	ask_turn(s);
}

/* Of those who wait, only who could have this place counts. */
static bool
is_wanted(const struct scheduler *s)
{
	const struct place *p;

	for (int i = 0; i < LANE_COUNT; i++) {
		TAILQ_FOREACH (p, &s->lanes[i], link) {
			if (!p->is_slow)
				return true;
		}
	}
	return false;
}

bool
scheduler_keeps_slow(struct scheduler *s, struct place *p)
{
	BUG_IF(!p->is_out);
	p->is_slow = true;
	if (!p->took_slow && s->out_slow < slow_share(s)) {
		p->took_slow = true;
		s->out_slow++;
	}
	return p->took_slow || s->out < s->max || !is_wanted(s);
}

bool
scheduler_grow(struct scheduler *s, struct place *p, size_t n)
{
	if (n <= p->held)
		return true;
	if (!p->is_extra && s->bytes - p->held + n > s->max_bytes && s->bytes != p->held)
		return false;
	s->bytes += n - p->held;
	p->held = n;
	return true;
}

void
scheduler_shrink(struct scheduler *s, struct place *p, size_t n)
{
	p->expected = n;
	if (n >= p->held)
		return;
	s->bytes -= p->held - n;
	p->held = n;
	ask_turn(s);
}

void
scheduler_hand_over(struct scheduler *s, struct place *p, size_t n)
{
	s->bytes = s->bytes - p->held + n;
	p->held = 0;
	ask_turn(s);
}

void
scheduler_give_back(struct scheduler *s, size_t n)
{
	s->bytes -= n;
	ask_turn(s);
}
