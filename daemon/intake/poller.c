/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "daemon/intake/page.h"
#include "daemon/intake/poller.h"
#include "lib/base/alloc.h"

/* ---- what it knows ------------------------------------------------------------------------ */

int64_t
poller_server_now(const struct poller *p)
{
	return clock_wall(p->in->env->clock) + (p->has_skew ? p->skew : 0);
}

/* Date has whole seconds: the server's clock is less than one ahead of it. */
void
poller_learn_date(struct poller *p, int64_t date)
{
	if (date == TICKS_NONE)
		return;
	p->skew = date + TICKS_SEC - 1 - clock_wall(p->in->env->clock);
	p->has_skew = true;
}

void
poller_compare_clocks(struct poller *p, int64_t server_date, int64_t took_ms)
{
	int64_t now = clock_wall(p->in->env->clock);

	if (server_date != TICKS_NONE)
		p->clock_off_sec =
		    state_clock_off(server_date, now - ticks_from_ms(took_ms), now);
}

bool
poller_was_read(const struct poller *p)
{
	return p->readers[READER_LIVE].cursor != TICKS_NONE;
}

bool
poller_tells(struct poller *p, enum poller_told what)
{
	bool is_new = (p->told & what) == 0;

	p->told |= what;
	return is_new;
}

bool
poller_is_told_to_wait(const struct poller *p)
{
	return poller_mono(p) < p->tn->api[p->s->kind->api].not_before;
}

void
reader_end(struct reader *r)
{
	r->is_open = false;
	free(r->link);
	r->link = NULL;
}

/* ---- life --------------------------------------------------------------------------------- */

struct poller *
poller_new(struct intake *in, struct tenancy *tn, const struct tenant_stream *s)
{
	struct poller *p = xcalloc(1, sizeof(*p));

	p->in = in;
	p->tn = tn;
	p->which = stream_number(s->kind);
	tenancy_join(tn, p, p->which);
	p->hash = str_hash(s->key, strlen(s->key));
	p->since = clock_wall(in->env->clock);
	p->last_success = p->complete = TICKS_NONE;
	p->at = POLLER_RESTING;
	p->has_role = true;
	buf_init(&p->answer, 256);
	poller_next_init(p);
	window_init(&p->window, &in->windows);
	p->readers[READER_LIVE].name = s->kind->live;
	sweep_init(p);
	replay_init(p);
	p->r = &p->readers[READER_LIVE];
	p->stream = UINT32_MAX;
	p->begin = p->r->cursor = TICKS_NONE;
	return p;
}

static void
learn_stream(struct poller *p)
{
	struct journal_cursor c = { .at = TICKS_NONE, .begin = TICKS_NONE };
	struct journal *j = p->in->journal;
	char *about = origin_about(p->s->origin);

	p->stream = journal_stream(j, p->s->key, about);
	free(about);
	if (!journal_cursor(j, p->stream, p->readers[READER_LIVE].name, &c))
		c.at = TICKS_NONE;
	p->readers[READER_LIVE].cursor = c.at;
	/* A stream that shares another one's memory is not read from when that began. */
	p->begin = c.at == TICKS_NONE && p->s->kind->memory != p->which ? TICKS_NONE : c.begin;
	sweep_resume(p);
	reader_say_window(p);
	replay_look(p);
}

/* Bytes of a first page; a full one of large alerts says so when it comes. */
static size_t
first_guess(const struct tenant *t)
{
	size_t alerts = t->page_size < 500 ? (size_t)t->page_size : 500;

	return alerts * 6 * 1024;
}

void
poller_configure(struct poller *p, struct settings *settings, const struct tenant *t,
    const struct tenant_stream *s)
{
	struct settings *was = p->settings;
	bool is_new = was == NULL;

	p->settings = settings_ref(settings);
	p->t = t;
	p->s = s;
	if (is_new) {
		learn_stream(p);
		p->place.expected = first_guess(t);
	}
	routing_unref(p->routing);
	p->routing = NULL;
	if (p->begin != TICKS_NONE)
		p->routing = routing_new(p->in->journal, settings, t, s, p->begin);
	replay_configured(p);
	settings_unref(was);
	if (!is_new)
		poller_advance(p);
	p->is_outdated = p->at == POLLER_ASKING;
	/* Credentials or consent may be what was changed. */
	if (!is_new && state_is_parked(p->state))
		poller_hurry(p);
}

void
poller_hurry(struct poller *p)
{
	if (p->at != POLLER_WAITING)
		return;
	p->not_before = p->slot = poller_mono(p);
	poller_wait(p, 0);
}

void
poller_start(struct poller *p, int64_t first_ms)
{
	p->slot = poller_mono(p) + first_ms;
	poller_wait(p, first_ms);
}

void
poller_read_once(struct poller *p)
{
	p->is_once = true;
	p->slot = p->not_before = poller_mono(p);
	if (p->at == POLLER_WAITING || p->at == POLLER_RESTING)
		poller_wait(p, 0);
}

void
poller_look_for_periods(struct poller *p)
{
	replay_look(p);
	if (p->at == POLLER_WAITING)
		poller_wait_for_next(p);
}

void
poller_halt(struct poller *p)
{
	timer_unset(p->in->env->timers, &p->timer);
	request_cancel(p);
	page_leave(p);
	p->at = POLLER_RESTING;
}

static void
end_readers(struct poller *p)
{
	for (int i = 0; i < READER_COUNT; i++)
		reader_end(&p->readers[i]);
	if (listing_reader(p) != NULL)
		reader_end(listing_reader(p));
}

void
poller_relearn(struct poller *p)
{
	bool was_resting = p->at == POLLER_RESTING;
	int64_t begin = p->begin;

	poller_halt(p);
	end_readers(p);
	window_release(&p->window);
	window_init(&p->window, &p->in->windows);
	p->nodd = 0;
	p->is_postponed = false;
	listing_fail(p, "the journal was replaced meanwhile; ask again");
	replay_forget(p);
	learn_stream(p);
	if (p->begin == TICKS_NONE)
		p->begin = begin;
	if (!was_resting)
		poller_wait_for_next(p);
}

void
poller_free(struct poller *p)
{
	if (p == NULL)
		return;
	poller_halt(p);
	end_readers(p);
	window_release(&p->window);
	listing_release(p);
	replay_release(p);
	routing_unref(p->routing);
	settings_unref(p->settings);
	tenancy_leave(p->in, p->tn, p->which);
	buf_release(&p->answer);
	free(p->trouble);
	free(p);
}
