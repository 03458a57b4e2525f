/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "daemon/intake/page_inner.h"
#include "daemon/loop.h"
#include "lib/base/alloc.h"
#include "lib/record/record.h"

#define TURN_COST   16384 /* of one turn; what a slice costs, page_look_at() says */
#define LEAST_BYTES ((size_t)32 << 10)

/* What is stored, or given up, holds no other page back. */
static void
give_back(struct page *pg)
{
	if (pg->scheduler != NULL)
		scheduler_give_back(pg->scheduler, pg->held);
	pg->scheduler = NULL;
}

static void
page_free(void *obj)
{
	struct page *pg = obj;

	page_drop_entries(pg);
	spares_take(pg->bodies, &pg->packed);
	spares_take(pg->bodies, &pg->split.body);
	spares_unref(pg->bodies);
	split_page_release(&pg->split);
	routing_unref(pg->routing);
	give_back(pg);
	free(pg);
}

static void
page_release(struct journal_page *jp)
{
	page_free(jp);
}

/* ---- the journal's answer ----------------------------------------------------------------- */

/* What is stored is not read again. */
static void
learn_stored(struct page *pg)
{
	struct poller *p = pg->p;

	page_remember(pg);
	if (pg->jp.cursor == TICKS_NONE)
		return;
	p->r->cursor = pg->jp.cursor;
	reader_say_window(p);
}

static void
count(struct page *pg)
{
	struct intake_figures *f = &pg->p->figures;

	f->pages++;
	pg->p->r->new_pages += pg->n != 0;
	f->alerts += pg->n;
	f->repeats += pg->facts.count - pg->facts.fresh;
	f->gaps += pg->gap.why != NULL;
}

static void
go_on(struct page *pg)
{
	struct poller *p = pg->p;
	struct paging_step step = pg->step;

	count(pg);
	request_keep_link(p, pg->split.next_link);
	p->page = NULL;
	pg->p = NULL;
	poller_go_on(p, &step);
}

static void
put_back(struct page *pg, const struct journal_appended *result)
{
	struct poller *p = pg->p;

	p->r->paging = pg->paging_before;
	p->r->habits = pg->habits_before;
	p->r->gap = pg->gap; /* the page's own comes again with it, and is one with this */
	p->page = NULL;
	pg->p = NULL;
	poller_trouble(p, TENANT_PAUSED, -1,
	    "the journal takes nothing now: %s; "
	    "the page is read again",
	    result->err.text);
}

static void
page_on_appended(void *arg, const struct journal_page *jp, const struct journal_appended *result)
{
	struct page *pg = arg;
	struct poller *p = pg->p;

	(void)jp;
	spares_take(pg->bodies, &pg->packed);
	give_back(pg);
	if (p == NULL)
		return;
	if (!result->ok) {
		put_back(pg, result);
		return;
	}
	p->figures.forwarded += result->forwarded;
	p->figures.quarantined += result->quarantined;
	learn_stored(pg);
	go_on(pg);
}

/* ---- a page that is only counted ---------------------------------------------------------- */

static void
finish_listing(struct page *pg)
{
	struct poller *p = pg->p;
	struct paging_step step;

	page_take_paging(pg);
	step = pg->step;
	listing_page(p, &step);
	request_keep_link(p, pg->split.next_link);
	p->page = NULL;
	pg->p = NULL;
	page_free(pg);
	poller_go_on(p, &step);
}

/* ---- the page as a whole ----------------------------------------------------------------- */

/* All its slices were looked at. */
static void
finish(struct page *pg)
{
	struct journal *j = pg->p->in->journal;

	if (pg->is_listing) {
		finish_listing(pg);
		return;
	}
	if (page_prepare(pg)) {
		pg->jp.release = page_release;
		journal_append(j, &pg->jp, page_on_appended, pg);
		return;
	}
	go_on(pg);
	page_free(pg);
}

/* Pages are looked at one after the other, so that a turn is short however many came: then
 * sinks take what the last one brought before the next one is read. */
static void
pages_on_turn(void *arg)
{
	struct intake *in = arg;
	unsigned cost = 0;

	while (!TAILQ_EMPTY(&in->pages) && cost < TURN_COST) {
		struct page *pg = TAILQ_FIRST(&in->pages);

		while (pg->at < pg->split.n && cost < TURN_COST)
			cost += page_look_at(pg);
		if (pg->at < pg->split.n)
			break;
		TAILQ_REMOVE(&in->pages, pg, link);
		finish(pg);
	}
	if (!TAILQ_EMPTY(&in->pages))
		loop_defer(in->env->loop, pages_on_turn, in);
}

void
page_start(struct poller *p, struct split_page *taken)
{
	struct page *pg = xcalloc(1, sizeof(*pg));

	pg->p = p;
	pg->scheduler = &p->in->scheduler;
	pg->routing = routing_ref(replay_is_at_it(p) ? p->replay.routing : p->routing);
	pg->is_listing = listing_is_at_it(p);
	pg->bodies = spares_ref(p->in->bodies);
	pg->split = *taken;
	pg->packed = p->packed;
	p->packed = (struct buf)BUF_INIT(0);
	pg->keeps = taken->body.n;
	pg->held = pg->keeps + pg->packed.n;
	scheduler_hand_over(pg->scheduler, &p->place, pg->held);
	p->place.expected = pg->keeps + pg->keeps / 4 + LEAST_BYTES;
	paging_page_init(&pg->facts, &p->r->paging,
	    pg->is_listing ? poller_server_now(p) : poller_limit(p));
	p->page = pg;
	p->at = POLLER_STORING;
	if (TAILQ_EMPTY(&p->in->pages))
		loop_defer(p->in->env->loop, pages_on_turn, p->in);
	TAILQ_INSERT_TAIL(&p->in->pages, pg, link);
}

void
page_leave(struct poller *p)
{
	struct page *pg = p->page;

	if (pg == NULL)
		return;
	p->page = NULL;
	pg->p = NULL;
	if (pg->jp.release != NULL) {
		/* The journal has it, and may have it longer than there is a scheduler. */
		give_back(pg);
		return;
	}
	TAILQ_REMOVE(&p->in->pages, pg, link);
	if (TAILQ_EMPTY(&p->in->pages))
		loop_forget(p->in->env->loop, pages_on_turn, p->in);
	page_free(pg);
}
