#include <inttypes.h>
#include <stdlib.h>

#include "daemon/intake/page.h"
#include "daemon/loop.h"
#include "lib/base/alloc.h"
#include "lib/base/digest.h"
#include "lib/record/record.h"

#define TURN_COST   16384 /* of one turn, of slices: known 1, read COST_READ */
#define COST_READ   64
#define FOREIGN     UINT64_C(0xf0e1d2c3b4a59687) /* into the hash of what is somebody else's */
#define WAITING     UINT64_C(0x8796a5b4c3d2e1f0) /* likewise of what is not taken yet */
#define FAR_AHEAD   (3600 * TICKS_SEC)
#define FULL_PAGE   100
#define LEAST_BYTES ((size_t)32 << 10)

static const char foreign_why[] = "tenantId names another tenant";

struct page {
	struct journal_page jp; /* first: the journal gives this back */
	TAILQ_ENTRY(page) link; /* until it was looked at */
	struct poller *p;       /* NULL: gone */
	struct scheduler *scheduler;
	struct routing *routing;
	struct spares *bodies;
	struct split_page split;
	struct buf packed; /* likewise its body, as it came */
	size_t held;
	struct journal_entry *entries;
	uint64_t *hashes; /* of the entries' bytes: how the window knows them */
	size_t n, room;
	size_t at; /* slices before it were looked at */
	unsigned foreign, new_foreign, before_begin;
	size_t keeps; /* bytes: the body, and the records */
	struct paging_page facts;
	struct paging_step step;
	struct paging paging_before; /* put back when the journal does not take the page */
	struct paging_habits habits_before;
	struct journal_gap gap;
};

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

	for (size_t i = 0; i < pg->n; i++) {
		record_unref(pg->entries[i].user);
		free((char *)(uintptr_t)pg->entries[i].why);
		if (pg->entries[i].user == NULL)
			free((char *)(uintptr_t)pg->entries[i].id.s);
	}
	free(pg->entries);
	free(pg->hashes);
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

/* ---- slices become entries ------------------------------------------------------------ */

static struct journal_entry *
add_entry(struct page *pg, uint64_t hash)
{
	if (pg->n == pg->room) {
		pg->room = pg->room != 0 ? pg->room * 2 : 16;
		pg->entries = xreallocarray(pg->entries, pg->room, sizeof(*pg->entries));
		pg->hashes = xreallocarray(pg->hashes, pg->room, sizeof(*pg->hashes));
	}
	pg->entries[pg->n] = (struct journal_entry){ 0 };
	pg->hashes[pg->n] = hash;
	return &pg->entries[pg->n++];
}

/* Unreadable slices have no version of their own to be known by. */
static bool
odd_knows(const struct poller *p, uint64_t hash)
{
	for (unsigned i = 0; i < p->nodd && i < ODD_MAX; i++) {
		if (p->odd[i] == hash)
			return true;
	}
	return false;
}

static void
odd_put(struct poller *p, uint64_t hash)
{
	p->odd[p->nodd % ODD_MAX] = hash;
	p->nodd = p->nodd + 1 < 2 * ODD_MAX ? p->nodd + 1 : ODD_MAX;
}

/* What this way through the stream has stored. A replay must see what the others know. */
static struct window *
window_of(struct poller *p)
{
	return replay_is_at_it(p) ? &p->replay.window : &p->window;
}

static bool
is_foreign(const struct poller *p, struct str tenant_id)
{
	return tenant_id.n != 0 && !str_same_nocase(tenant_id, str_of(p->t->id));
}

/* Kept for the operator, shown to nobody: not whose it says it is, nor whose answer it came in. */
static void
add_foreign(struct page *pg, struct str slice, uint64_t hash)
{
	struct journal_entry *e = add_entry(pg, hash);
	char sum[65], id[80];
	int n;

	digest_sha256(slice, sum);
	n = snprintf(id, sizeof(id), "foreign:%s", sum);
	*e = (struct journal_entry){
		.id = { xstrndup(id, (size_t)n), (size_t)n },
		.now = { .created = TICKS_NONE, .version = pg->facts.limit, .rev = SEEN_REVISION },
		.type = RECORD_UNREADABLE,
		.quarantine = true,
		.why = xstrdup(foreign_why),
		.body = slice.s,
		.len = slice.n,
	};
	pg->new_foreign++;
}

static void
add_record(struct page *pg, struct str slice, uint64_t hash, struct record *taken)
{
	struct journal_entry *e = add_entry(pg, hash);

	*e = (struct journal_entry){
		.id = taken->id,
		.now = taken->seen,
		.type = (uint8_t)taken->type,
		.body = slice.s,
		.len = slice.n,
		.user = taken,
	};
	pg->keeps += sizeof(*taken) + taken->arena.used;
	if (taken->type != RECORD_UNREADABLE)
		return;
	e->quarantine = true;
	e->why = xstrndup(taken->unreadable.why.s != NULL ? taken->unreadable.why.s : "",
	    taken->unreadable.why.n);
}

/* A time that is far ahead is none to wait for. */
static bool
is_waiting(const struct page *pg, const struct record *r)
{
	const struct poller *p = pg->p;

	return p->s->kind->waits && r->seen.created > pg->facts.limit &&
	       r->seen.created <= poller_server_now(p) + FAR_AHEAD;
}

/* It comes again, as the cursor does not pass it. */
static void
leave_waiting(struct page *pg, struct record *taken, uint64_t hash)
{
	struct window *w = &pg->p->window;
	int64_t version;
	bool is_known = window_knows_slice(w, hash ^ WAITING, &version);

	paging_page_add(&pg->facts, taken->version, !is_known);
	if (!is_known)
		window_put_slice(w, hash ^ WAITING, taken->version);
	record_unref(taken);
}

/* Of a time that this read is not for. */
static bool
is_outside(struct page *pg, const struct record *r, bool is_read)
{
	const struct poller *p = pg->p;

	if (replay_is_at_it(p))
		return !replay_wants(p, is_read ? r->version : r->unreadable.updated);
	if (!is_read || r->version >= p->begin)
		return false;
	pg->before_begin++;
	return true;
}

static bool
is_known_to(struct poller *p, const struct record *r, uint64_t hash)
{
	if (r->type != RECORD_UNREADABLE)
		return window_knows(window_of(p), r->id, r->version);
	return !replay_is_at_it(p) && odd_knows(p, hash);
}

/* What no earlier answer brought, byte for byte: read whole, and judged by what it says. */
static void
read_slice(struct page *pg, struct str slice, uint64_t hash)
{
	struct poller *p = pg->p;
	struct record *r = p->s->kind->read(slice, false, pg->facts.limit);
	bool is_read = r->type != RECORD_UNREADABLE;
	bool is_others = is_foreign(p, record_tenant_id(r));
	bool is_known;
	int64_t version;

	if (!is_others && is_waiting(pg, r)) {
		leave_waiting(pg, r, hash);
		return;
	}

	pg->foreign += is_others;
	if (is_others)
		is_known = window_knows_slice(window_of(p), hash ^ FOREIGN, &version);
	else
		is_known = is_known_to(p, r, hash);
	paging_page_add(&pg->facts, is_read ? r->version : r->unreadable.updated, !is_known);
	if (!is_known && is_others && is_read)
		reader_doubt(p, r->version);
	if (is_known && is_read && !is_others)
		window_put(window_of(p), r->id, r->version, hash);
	if (!is_known && is_others) {
		add_foreign(pg, slice, hash);
	} else if (!is_known && !is_outside(pg, r, is_read)) {
		add_record(pg, slice, hash, r);
		return;
	}
	record_unref(r);
}

/* Returns what it cost. */
static unsigned
look_at(struct page *pg, struct str slice)
{
	uint64_t hash = window_hash(&pg->p->in->windows, slice);
	int64_t version;

	if (window_knows_slice(window_of(pg->p), hash, &version)) {
		paging_page_add(&pg->facts, version, false);
		return 1;
	}
	read_slice(pg, slice, hash);
	return COST_READ;
}

/* ---- the journal's answer ----------------------------------------------------------------- */

static void
learn_stored(struct page *pg)
{
	struct poller *p = pg->p;
	struct window *w = window_of(p);

	for (size_t i = 0; i < pg->n; i++) {
		const struct journal_entry *e = &pg->entries[i];
		uint64_t hash = pg->hashes[i];

		if (e->user == NULL)
			window_put_slice(w, hash ^ FOREIGN, pg->facts.limit);
		else if (e->type != RECORD_UNREADABLE)
			window_put(w, e->id, e->now.version, hash);
		else if (replay_is_at_it(p))
			window_put_slice(w, hash, pg->facts.limit);
		else
			odd_put(p, hash);
		p->figures.sweep_found +=
		    p->r->every_ms != 0 && e->is_forwarded && e->now.version < p->r->paging.until;
	}
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

/* ---- the page as a whole ----------------------------------------------------------------- */

/* An answer that is all somebody else's is no proof that there was nothing of ours: it is read
 * again. A stream's first page says where its cursor is, so that a quiet tenant is not begun
 * anew at each start; of sweeps only the daily one is remembered, and only when it ran. */
static int64_t
new_cursor(const struct page *pg)
{
	const struct poller *p = pg->p;
	const struct reader *r = p->r;

	if (r->span_ms != 0)
		return r == &p->readers[READER_DAY] && pg->step.what == PAGING_DONE ? r->begun
		                                                                    : TICKS_NONE;
	if (r->cursor == TICKS_NONE && (pg->step.cursor == TICKS_NONE || r->is_held))
		return p->begin;
	return r->is_held ? TICKS_NONE : pg->step.cursor;
}

static void
report_gap(const struct log_ctx *log, const struct journal_gap *gap)
{
	struct buf text = BUF_INIT(128);

	buf_puts(&text, "from=");
	ticks_write(&text, gap->from, 7);
	buf_puts(&text, " to=");
	ticks_write(&text, gap->to, 7);
	log_error(log, "%s; alerts updated meanwhile may be missing, and the gap is on record %s",
	    gap->why, text.p);
	buf_release(&text);
}

static void
report(const struct page *pg)
{
	const struct log_ctx *log = &pg->p->s->log;

	if (pg->new_foreign != 0)
		log_error(log,
		    "alerts that name another tenant came in this one's answer; they are in "
		    "quarantine and go to nobody count=%u",
		    pg->new_foreign);
	if (pg->before_begin != 0 && poller_tells(pg->p, TOLD_FILTER))
		log_warn(log,
		    "the API ignores the filter; alerts from before first_lookback are left "
		    "out count=%u",
		    pg->before_begin);
	if (pg->gap.why != NULL)
		report_gap(log, &pg->gap);
}

/* Of this page, of faults before it, or one that spans both. */
static void
take_gap(struct page *pg)
{
	struct journal_gap *before = &pg->p->r->gap;

	pg->gap = *before;
	before->why = NULL;
	if (pg->step.gap_why == NULL)
		return;
	if (pg->gap.why == NULL)
		pg->gap = (struct journal_gap){ pg->step.gap_from, pg->step.gap_to, NULL };
	if (pg->step.gap_from < pg->gap.from)
		pg->gap.from = pg->step.gap_from;
	if (pg->step.gap_to > pg->gap.to)
		pg->gap.to = pg->step.gap_to;
	pg->gap.why = pg->step.gap_why;
}

static void
mark_hour(const struct poller *p, struct journal_page *jp)
{
	const struct clock *c = p->in->env->clock;

	jp->beside_cursor =
	    tenancy_hour(p->tn, p->s->kind->api, clock_mono(c), clock_wall(c));
	jp->beside = jp->beside_cursor != TICKS_NONE ? TENANCY_HOUR : NULL;
}

static void
submit(struct page *pg)
{
	struct poller *p = pg->p;
	int64_t cursor = new_cursor(pg);

	take_gap(pg);
	pg->jp = (struct journal_page){ .stream = p->stream,
		.reader = p->r->name,
		.cursor = cursor,
		.memory_begin = p->begin,
		.window_from = reader_window(p),
		.judge = replay_is_at_it(p) ? replay_judge : routing_judge,
		.ctx = pg->routing,
		.meant = pg->routing->sinks,
		.nmeant = pg->routing->n,
		.entries = pg->entries,
		.n = pg->n,
		.gap = pg->gap.why != NULL ? &pg->gap : NULL,
		.is_full = pg->n >= FULL_PAGE,
		.plain = buf_peek(&pg->split.body),
		.packed = { pg->packed.p, buf_ok(&pg->packed) ? pg->packed.n : 0 },
		.keeps = pg->keeps,
		.release = page_release };
	if (replay_is_at_it(p))
		replay_mark_page(p, &pg->step, pg->n, &pg->jp);
	mark_hour(p, &pg->jp);
	report(pg);
	if (pg->n == 0 && pg->jp.period == 0 && cursor == TICKS_NONE && pg->gap.why == NULL) {
		go_on(pg);
		page_free(pg);
		return;
	}
	journal_append(p->in->journal, &pg->jp, page_on_appended, pg);
}

/* All its slices were looked at. */
static void
finish(struct page *pg)
{
	struct poller *p = pg->p;

	pg->facts.has_link = pg->split.next_link != NULL;
	if (pg->facts.has_link)
		pg->facts.link = str_hash(pg->split.next_link, strlen(pg->split.next_link));
	pg->paging_before = p->r->paging;
	pg->habits_before = p->r->habits;
	p->r->is_held |= pg->split.n != 0 && pg->foreign == pg->split.n;
	paging_take(&p->r->paging, &pg->facts, &pg->step);
	submit(pg);
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
			cost += look_at(pg, split_slice(&pg->split, pg->at++));
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
	pg->bodies = spares_ref(p->in->bodies);
	pg->split = *taken;
	pg->packed = p->packed;
	p->packed = (struct buf)BUF_INIT(0);
	pg->keeps = taken->body.n;
	pg->held = pg->keeps + pg->packed.n;
	scheduler_hand_over(pg->scheduler, &p->place, pg->held);
	p->place.expected = pg->keeps + pg->keeps / 4 + LEAST_BYTES;
	paging_page_init(&pg->facts, &p->r->paging, poller_limit(p));
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
