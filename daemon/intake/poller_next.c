/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/poller.h"
#include "lib/policy/spread.h"

#define SEC INT64_C(1000)

#define FIRST_WAIT_MS 250
#define FULL_WAIT_MS  (1 * SEC) /* and the spread: not all begin at once when there is room */
#define OVERSLEPT_MS  (5 * SEC) /* so late for all at once: the machine slept, or the process stood */

/* ---- a stream that waits for another ---------------------------------------------------- */

/* Until when the stream that p waits for has read all there was; one that cannot be read is not
 * waited for longer. */
static int64_t
read_until(const struct poller *other, int64_t now)
{
	return state_is_read(other->state) ? other->complete : now;
}

int64_t
poller_limit(const struct poller *p)
{
	const struct poller *other = p->tn->streams[p->s->kind->memory];
	int64_t now = poller_server_now(p), until;

	if (!p->s->kind->waits || other == NULL)
		return now;
	until = read_until(other, now);
	return until != TICKS_NONE ? until - ticks_from_ms(p->t->mde_wait_ms) : p->begin - 1;
}

/* Before the other one has come to its end there is nothing that would not wait for it. */
static bool
waits_for_first(const struct poller *p)
{
	const struct poller *other = p->tn->streams[p->s->kind->memory];

	return p->s->kind->waits && other != NULL &&
	       read_until(other, poller_server_now(p)) == TICKS_NONE;
}

/* ---- what is read, and when ---------------------------------------------------------------- */

#define BEHIND_LIVE 4

/* Those that take turns while live reading has nothing to do, the most urgent first; NULL: is not there. */
static void
behind_live(struct poller *p, struct reader *out[static BEHIND_LIVE])
{
	out[0] = &p->readers[READER_HOUR];
	out[1] = &p->readers[READER_DAY];
	out[2] = listing_reader(p);
	out[3] = &p->readers[READER_REPLAY];
}

static struct reader *
choose(struct poller *p, int64_t now)
{
	struct reader *live = &p->readers[READER_LIVE], *behind[BEHIND_LIVE];

	if (live->is_open || now >= p->slot || live->cursor == TICKS_NONE || p->in->is_once)
		return live;
	behind_live(p, behind);
	for (int i = 0; i < BEHIND_LIVE; i++) {
		if (behind[i] != NULL && now >= behind[i]->due)
			return behind[i];
	}
	return live;
}

static int64_t
next_due(struct poller *p, int64_t now)
{
	int64_t due = p->readers[READER_LIVE].is_open ? now : p->slot;
	struct reader *behind[BEHIND_LIVE];

	/* One that is under way has been due since, or waits after trouble. */
	behind_live(p, behind);
	for (int i = 0; i < BEHIND_LIVE; i++) {
		if (behind[i] != NULL && behind[i]->due < due)
			due = behind[i]->due;
	}
	return due > p->not_before ? due : p->not_before;
}

void
poller_wait(struct poller *p, int64_t ms)
{
	p->at = POLLER_WAITING;
	timer_set(p->in->env->timers, &p->timer, ms > 0 ? ms : 0);
}

void
poller_wait_for_next(struct poller *p)
{
	int64_t now = poller_mono(p);

	poller_wait(p, next_due(p, now) - now);
}

void
poller_advance(struct poller *p)
{
	int64_t slot = spread_next(p->hash, p->t->poll_interval_ms, poller_mono(p));

	if (slot >= p->slot)
		return;
	p->slot = slot;
	if (p->at == POLLER_WAITING)
		poller_wait_for_next(p);
}

/* Sweeps leave half of the burst to live reading, and their place in the queue when that is due. */
static void
queue(struct poller *p)
{
	bool is_sweep = p->r->span_ms != 0;
	int64_t now = poller_mono(p), ms;
	enum lane lane = is_sweep ? LANE_SWEEP : p->r->is_open ? LANE_MORE : LANE_DUE;

	ms = tenancy_ask(p->tn, p->s->kind->api, is_sweep ? 50 : 0, now);
	if (ms > 0) {
		if (is_sweep && p->slot > now && p->slot - now < ms)
			ms = p->slot - now;
		poller_wait(p, ms);
		return;
	}
	p->at = POLLER_QUEUED;
	scheduler_ask(&p->in->scheduler, &p->place, lane);
	if (is_sweep)
		timer_set(p->in->env->timers, &p->timer, p->slot > now ? p->slot - now : 0);
}

static void
wait_for_sink(struct poller *p, int64_t now)
{
	int64_t spread = intake_spread_ms(p->settings, p->t);
	int64_t ms = FULL_WAIT_MS + (int64_t)(p->hash % (uint64_t)spread);

	if (p->slot < now + ms)
		p->slot = now + ms;
	poller_wait(p, ms);
}

static void
poller_on_timer(void *arg)
{
	struct poller *p = arg;
	int64_t now = poller_mono(p);

	if (p->in->is_stopped)
		return;
	if (p->at == POLLER_ASKING)
		request_is_late(p);
	/* For a sweep; its live read is due now. */
	if (p->at == POLLER_QUEUED) {
		scheduler_leave(&p->in->scheduler, &p->place);
		p->at = POLLER_WAITING;
	}
	if (p->at != POLLER_WAITING)
		return;
	if (now < next_due(p, now)) {
		poller_wait(p, next_due(p, now) - now);
		return;
	}
	/* By the timer: what it waited for the budget since it fell due was no sleep. */
	if (now - p->timer.at > OVERSLEPT_MS && !p->is_once) {
		poller_again(p, (int64_t)(p->hash % (uint64_t)intake_spread_ms(p->settings, p->t)));
		return;
	}
	if (!p->is_once && (p->tn->is_held || intake_full_sink(p->in, p->t) != NULL)) {
		listing_look(p);
		wait_for_sink(p, now);
		return;
	}
	if (waits_for_first(p)) {
		p->slot = now + FIRST_WAIT_MS;
		poller_wait(p, FIRST_WAIT_MS);
		return;
	}
	p->r = choose(p, now);
	listing_tidy(p);
	queue(p);
}

void
poller_next_init(struct poller *p)
{
	timer_init(&p->timer, poller_on_timer, p);
}
