#include <stdatomic.h>
#include <string.h>

#include "daemon/journal/journal_engine.h"
#include "daemon/journal/journal_mem_test.h"
#include "daemon/journal/ledger.h"
#include "daemon/journal/place.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

#define TICK_MS      50
#define HIGH_PERCENT 90
#define LOW_PERCENT  85

/*
 * The contract in memory, for tests of those who use it: nothing outlives the
 * close. Slow where that is simpler.
 */
struct mem_todo {
	uint64_t seq;
	unsigned tries;
	int64_t due;
	char *memo;
};

/* An entry and those that it was given to. */
struct mem_entry {
	struct journal_item item; /* first: what the store has of it */
	unsigned nroutes;
	uint32_t route[JOURNAL_ROUTES];
};

struct mem_place {
	struct place *place;
	struct mem_todo *todo; /* in order of seq */
	size_t n, room;
};

struct mem_seen {
	uint32_t stream;
	struct str id;
	struct seen seen;
};

struct store {
	const struct clock *clock;
	struct registry *reg;
	struct outbox *out;
	uint64_t max_bytes, bytes;
	int64_t keep_delivered, forget_sink;
	int64_t trimmed_to; /* all entries journalled since are still here */
	unsigned own_types;
	_Atomic int forced;
	struct mem_place *places;  /* by number - 1 */
	size_t nplaces;
	struct journal_item **entries; /* by seq - 1; NULL: gone; id and body are our copies */
	size_t nentries, room;
	struct ledger ledger;
	struct mem_seen *memory;
	size_t nmemory, nslots;    /* open table, linear probing */
	struct journal_stats stats;
};

/* ---- memory -------------------------------------------------------------- */

static size_t
probe(const struct store *s, uint32_t stream, struct str id)
{
	size_t i = (size_t)(str_hash(id.s, id.n) + stream) & (s->nslots - 1);

	while (s->memory[i].id.s != NULL
	    && (s->memory[i].stream != stream || !str_same(s->memory[i].id, id)))
		i = (i + 1) & (s->nslots - 1);
	return i;
}

static void
grow_memory(struct store *s)
{
	struct mem_seen *old = s->memory;
	size_t n = s->nslots;

	if (s->nmemory * 2 < n)
		return;
	s->nslots = n == 0 ? 64 : 2 * n;
	s->memory = xcalloc(s->nslots, sizeof(*old));
	for (size_t i = 0; i < n; i++)
		if (old[i].id.s != NULL)
			s->memory[probe(s, old[i].stream, old[i].id)] = old[i];
	free(old);
}

/* ---- places -------------------------------------------------------------- */

static struct mem_place *
place_get(struct store *s, uint32_t sink)
{
	if (!registry_is_sink(s->reg, sink))
		return NULL;
	if (s->nplaces < sink) {
		s->places = xreallocarray(s->places, sink, sizeof(*s->places));
		memset(s->places + s->nplaces, 0, (sink - s->nplaces) * sizeof(*s->places));
		s->nplaces = sink;
	}
	if (s->places[sink - 1].place == NULL) {
		s->places[sink - 1].place = place_new(sink);
		s->places[sink - 1].place->is_parked = registry_is_parked(s->reg, sink);
	}
	return &s->places[sink - 1];
}

/* Where seq is, or would be. */
static size_t
todo_find(const struct mem_place *p, uint64_t seq)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->todo[mid].seq < seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct mem_todo *
todo_of(const struct mem_place *p, uint64_t seq)
{
	size_t i = todo_find(p, seq);

	return i < p->n && p->todo[i].seq == seq ? &p->todo[i] : NULL;
}

static bool
todo_add(struct mem_place *p, uint64_t seq, size_t size)
{
	size_t i = todo_find(p, seq);

	if (i < p->n && p->todo[i].seq == seq)
		return false;
	if (p->n == p->room) {
		p->room = p->room == 0 ? 64 : 2 * p->room;
		p->todo = xreallocarray(p->todo, p->room, sizeof(*p->todo));
	}
	memmove(p->todo + i + 1, p->todo + i, (p->n++ - i) * sizeof(*p->todo));
	p->todo[i] = (struct mem_todo) { .seq = seq };
	p->place->newest = seq > p->place->newest ? seq : p->place->newest;
	p->place->entries++;
	p->place->bytes += size;
	return true;
}

static void
todo_drop(struct store *s, struct mem_place *p, uint64_t seq)
{
	size_t i = todo_find(p, seq);

	free(p->todo[i].memo);
	memmove(p->todo + i, p->todo + i + 1, (--p->n - i) * sizeof(*p->todo));
	p->place->entries--;
	p->place->bytes -= s->entries[seq - 1]->body.n;
	ledger_settle(&s->ledger, seq);
}

/* ---- figures ------------------------------------------------------------- */

static enum journal_state
state_now(const struct store *s)
{
	int forced = atomic_load(&s->forced);
	unsigned limit = s->stats.state == JOURNAL_OK ? HIGH_PERCENT : LOW_PERCENT;

	if (forced != JOURNAL_OK)
		return (enum journal_state)forced;
	return s->bytes * 100 >= s->max_bytes * limit ? JOURNAL_PAUSED : JOURNAL_OK;
}

static void
publish(struct store *s)
{
	static const char *const words[] = { "takes alerts again", "is full", "has failed" };
	enum journal_state state = state_now(s);
	bool is_new = state != s->stats.state;

	s->stats.state = state;
	s->stats.file_bytes = s->bytes;
	s->stats.max_bytes = s->max_bytes;
	s->stats.remembered = s->nmemory;
	s->stats.oldest_open = TICKS_NONE;
	for (size_t i = 0; i < s->nplaces; i++) {
		const struct mem_place *p = &s->places[i];
		int64_t oldest = TICKS_NONE;

		if (p->place == NULL)
			continue;
		if (p->n > 0)
			oldest = s->entries[p->todo[0].seq - 1]->journalled;
		registry_sink_figures(s->reg, p->place->sink, p->place->entries, p->place->bytes,
		    oldest, p->place->dead);
		if (oldest != TICKS_NONE
		    && (s->stats.oldest_open == TICKS_NONE || oldest < s->stats.oldest_open))
			s->stats.oldest_open = oldest;
	}
	registry_set_stats(s->reg, &s->stats);
	if (is_new)
		outbox_note(s->out, JOURNAL_NOTE_STATE, state, "the journal in memory %s",
		    words[state]);
}

static void
wake_sinks(struct store *s)
{
	for (size_t i = 0; i < s->nplaces; i++) {
		struct place *p = s->places[i].place;

		if (p == NULL || !p->wants_ready || state_now(s) == JOURNAL_FAILED
		    || !place_has_work(p, clock_wall(s->clock)))
			continue;
		p->wants_ready = false;
		outbox_ready(s->out, p->sink);
	}
}

/* ---- periods ------------------------------------------------------------- */

static void
grow(struct store *s, uint32_t sink, uint32_t stream, int64_t version, int64_t now)
{
	struct journal_period p;

	periods_growing(registry_periods(s->reg), sink, stream, &p);
	if (p.from > p.to)
		p.made = now;
	if (version == TICKS_NONE)
		version = now;
	p.from = version < p.from ? version : p.from;
	p.to = version >= p.to ? version + 1 : p.to;
	periods_put(registry_periods(s->reg), &p);
}

static void
period_page(struct store *s, const struct page_job *job)
{
	const struct journal_page *page = job->page;
	struct journal_period p;

	if (page->period == 0 || !periods_find(registry_periods(s->reg), page->period, &p))
		return;
	if (page->period_at != TICKS_NONE)
		p.at = page->period_at;
	p.seen += page->period_seen;
	p.told += job->result.forwarded;
	if (page->is_period_done)
		p.flags |= JOURNAL_PERIOD_DONE;
	if (page->is_part_done) {
		p.flags += JOURNAL_PERIOD_PART;
		p.at = TICKS_NONE;
	}
	periods_put(registry_periods(s->reg), &p);
}

static void
end_growth(struct store *s, uint32_t sink)
{
	struct journal_period p;
	bool has_refill = false;

	for (uint64_t after = 0; periods_next_growing(registry_periods(s->reg), sink, after, &p);
	     after = p.number) {
		p.flags &= ~(unsigned)JOURNAL_PERIOD_GROWS;
		periods_put(registry_periods(s->reg), &p);
		has_refill = true;
	}
	if (has_refill)
		outbox_note(s->out, JOURNAL_NOTE_REFILL, s->stats.state,
		    "what a parked sink was not given is read again");
}

/* Down to the oldest of what the sink has. */
static void
let_parked_go(struct store *s, struct mem_place *p, int64_t now)
{
	for (size_t i = p->n; i > JOURNAL_PARK_KEEP; i--) {
		uint64_t seq = p->todo[i - 1].seq;
		const struct journal_item *e = s->entries[seq - 1];

		if (place_is_own(s->own_types, e->type) || place_is_out(p->place, seq))
			continue;
		grow(s, p->place->sink, e->stream, e->version, now);
		todo_drop(s, p, seq);
	}
}

static void
look_at_parked(struct store *s)
{
	for (size_t i = 0; i < s->nplaces; i++) {
		struct mem_place *p = &s->places[i];
		bool was;

		if (p->place == NULL)
			continue;
		was = p->place->is_parked;
		p->place->is_parked = registry_is_parked(s->reg, p->place->sink);
		if (p->place->is_parked && !was)
			let_parked_go(s, p, clock_wall(s->clock));
		else if (!p->place->is_parked && was)
			end_growth(s, p->place->sink);
	}
}

/* ---- what a sink lost -------------------------------------------------------- */

static bool
was_for(const struct journal_item *item, uint32_t sink)
{
	const struct mem_entry *e = (const struct mem_entry *)item;

	for (unsigned i = 0; i < e->nroutes; i++) {
		if (e->route[i] == sink)
			return true;
	}
	return false;
}

static void
end_hold(struct store *s, uint32_t sink)
{
	struct periods *list = registry_periods(s->reg);
	struct journal_period p;

	for (uint64_t after = 0; periods_next_held(list, sink, 0, after, &p); after = p.number) {
		p.flags &= ~(unsigned)JOURNAL_PERIOD_HELD;
		if (s->trimmed_to <= p.from)
			p.flags |= JOURNAL_PERIOD_DONE;
		else if (s->trimmed_to < p.to)
			p.to = s->trimmed_to;
		periods_put(list, &p);
	}
	outbox_note(s->out, JOURNAL_NOTE_REFILL, s->stats.state,
	    "what a sink has lost is read again");
}

static void
resend(struct store *s, struct mem_place *p, int64_t from)
{
	struct journal_period period;

	for (size_t i = 0; i < s->nentries; i++) {
		const struct journal_item *e = s->entries[i];

		if (e == NULL || e->journalled < from || !was_for(e, p->place->sink) ||
		    !todo_add(p, e->pos.seq, e->body.n))
			continue;
		ledger_wait(&s->ledger, e->pos.seq);
		if (!periods_next_held(registry_periods(s->reg), p->place->sink, e->stream, 0,
			&period))
			continue;
		period.told++;
		periods_put(registry_periods(s->reg), &period);
	}
	end_hold(s, p->place->sink);
	place_begin_anew(p->place);
	p->place->is_resending = false;
	for (size_t i = 0; i < p->n; i++) {
		if (p->todo[i].memo != NULL)
			place_later(p->place, p->todo[i].seq, p->todo[i].due);
	}
}

static void
look_at_resends(struct store *s)
{
	struct journal_period held;
	uint32_t sink;
	int64_t from;

	for (size_t i = 0; i < s->nplaces; i++) {
		struct place *p = s->places[i].place;

		if (p == NULL || !p->is_resending ||
		    periods_next_held(registry_periods(s->reg), p->sink, 0, 0, &held))
			continue;
		place_begin_anew(p); /* it was cancelled */
		p->is_resending = false;
	}
	for (uint32_t after = 0;
	     periods_holding(registry_periods(s->reg), after, &sink, &from); after = sink) {
		struct mem_place *p = place_get(s, sink);

		if (p == NULL)
			continue;
		p->place->is_resending = true;
		if (p->place->out.n == 0 && p->place->marked == 0)
			resend(s, p, from);
	}
}

/* ---- append -------------------------------------------------------------- */

static void
forward(struct store *s, uint32_t stream, struct journal_entry *e, int64_t now)
{
	struct mem_entry *entry = xcalloc(1, sizeof(*entry));
	struct journal_item *made = &entry->item;
	uint64_t seq = s->nentries + 1;
	unsigned waiting = 0;

	*made = (struct journal_item) {
		.pos = { .shard = 0, .seq = seq },
		.stream = stream,
		.type = e->type,
		.kind = e->kind,
		.flags = e->flags,
		.changed = e->changed,
		.version = e->now.version,
		.journalled = now,
		.id = { xmemdup(e->id.s, e->id.n), e->id.n },
		.body = { xmemdup(e->body, e->len), e->len },
	};
	if (s->nentries == s->room) {
		s->room = s->room == 0 ? 256 : 2 * s->room;
		s->entries = xreallocarray(s->entries, s->room, sizeof(struct journal_item *));
	}
	s->entries[s->nentries++] = made;
	s->bytes += e->len;
	s->stats.entries++;
	for (unsigned i = 0; i < e->nroutes && i < JOURNAL_ROUTES; i++) {
		struct mem_place *p = place_get(s, e->route[i]);

		if (p != NULL && p->place->is_parked && !place_is_own(s->own_types, e->type))
			grow(s, p->place->sink, stream, e->now.version, now);
		else if (p != NULL && todo_add(p, seq, e->len))
			entry->route[waiting++] = e->route[i];
	}
	entry->nroutes = waiting;
	ledger_add(&s->ledger, seq, waiting);
	e->pos = made->pos;
	e->is_forwarded = true;
}

static void
append_entry(struct store *s, const struct journal_page *page, struct journal_entry *e,
    struct journal_appended *result)
{
	enum journal_act act;
	size_t slot;

	grow_memory(s);
	slot = probe(s, page->stream, e->id);
	e->is_forwarded = false;
	act = page->judge(s->memory[slot].id.s != NULL ? &s->memory[slot].seen : NULL, e, page->ctx);
	if (act == JOURNAL_SKIP) {
		result->skipped++;
		return;
	}
	if (act == JOURNAL_REPEAT) {
		result->forwarded++;
		forward(s, page->stream, e, clock_wall(s->clock));
		return;
	}
	if (s->memory[slot].id.s == NULL) {
		s->memory[slot].stream = page->stream;
		s->memory[slot].id = (struct str) { xstrndup(e->id.s, e->id.n), e->id.n };
		s->nmemory++;
	}
	s->memory[slot].seen = e->now;
	result->quarantined += e->quarantine;
	s->stats.quarantine += e->quarantine;
	if (act == JOURNAL_REMEMBER) {
		result->remembered++;
		return;
	}
	result->forwarded++;
	forward(s, page->stream, e, clock_wall(s->clock));
}

static void
append_page(struct store *s, struct page_job *job)
{
	const struct journal_page *page = job->page;

	job->result.ok = s->stats.state == JOURNAL_OK ||
	                 (page->is_urgent && s->stats.state == JOURNAL_PAUSED);
	job->result.state = s->stats.state;
	if (!job->result.ok) {
		err_set(&job->result.err, ERR_TEMP, "the journal in memory takes nothing now");
		return;
	}
	for (size_t i = 0; i < page->n; i++)
		append_entry(s, page, &page->entries[i], &job->result);
	registry_page_done(s->reg, page->stream, page->reader, page->cursor, page->memory_begin,
	    page->window_from);
	if (page->beside != NULL)
		registry_set_cursor(s->reg, page->stream, page->beside, page->beside_cursor);
	period_page(s, job);
	s->stats.appends++;
	if (page->gap == NULL)
		return;
	s->stats.gaps++;
	outbox_note(s->out, JOURNAL_NOTE_GAP, s->stats.state, "%s: %s",
	    registry_stream_key(s->reg, page->stream), page->gap->why);
}

/* ---- settle -------------------------------------------------------------- */

static void
settle(struct store *s, struct mark_job *m)
{
	struct mem_place *p = place_get(s, m->sink);
	struct mem_todo *todo = p == NULL ? NULL : todo_of(p, m->seq);

	if (p != NULL && p->place->marked > 0)
		p->place->marked--;
	if (todo == NULL)
		return;
	switch (m->what) {
	case MARK_LATER:
		todo->due = m->due;
		todo->tries = m->tries;
		free(todo->memo);
		todo->memo = m->memo == NULL ? NULL : xstrdup(m->memo);
		place_later(p->place, m->seq, m->due);
		return;
	case MARK_DEAD:
		p->place->dead++;
		s->stats.dead++;
		break;
	case MARK_OK:
		break;
	}
	todo_drop(s, p, m->seq);
}

static void
entry_free(struct store *s, uint64_t seq)
{
	struct journal_item *e = s->entries[seq - 1];

	if (e == NULL)
		return;
	s->entries[seq - 1] = NULL;
	s->bytes -= e->body.n;
	s->stats.entries--;
	free((char *)e->id.s);
	free((char *)e->body.s);
	free(e);
}

static void
trim(struct store *s)
{
	int64_t now = clock_wall(s->clock);
	uint64_t first, last;

	while (ledger_next_done(&s->ledger, 0, 1, &first, &last)) {
		if (s->entries[first - 1]->journalled + s->keep_delivered > now)
			return;
		entry_free(s, first);
		ledger_gone(&s->ledger, first, last);
		s->trimmed_to = now - s->keep_delivered + 1;
	}
}

static bool
mem_write(struct store *s, struct page_job **pages, size_t npages, struct mark_job *marks,
    size_t nmarks)
{
	publish(s);
	look_at_parked(s);
	for (size_t i = 0; i < npages; i++)
		append_page(s, pages[i]);
	for (size_t i = 0; i < nmarks && s->stats.state != JOURNAL_FAILED; i++)
		settle(s, &marks[i]);
	s->stats.commits++;
	trim(s);
	publish(s);
	wake_sinks(s);
	return nmarks == 0 || s->stats.state != JOURNAL_FAILED;
}

static void
mem_settled(struct store *s, const struct mark_job *m)
{
	struct mem_place *p = place_get(s, m->sink);

	if (p == NULL)
		return;
	place_take_back(p->place, m->seq);
	p->place->marked++;
}

/* ---- read ---------------------------------------------------------------- */

/* False: it does not fit any more. */
static bool
take(struct store *s, struct mem_place *p, const struct mem_todo *todo, size_t max,
    size_t max_bytes, size_t *bytes, struct journal_batch *batch)
{
	const struct journal_item *from = s->entries[todo->seq - 1];
	struct journal_item *to;

	if (batch->n == max || (batch->n > 0 && *bytes + from->body.n > max_bytes))
		return false;
	to = batch_add(batch);
	*to = *from;
	to->tries = todo->tries;
	to->memo = batch_text(batch, todo->memo);
	to->id = batch_bytes(batch, from->id.s, from->id.n);
	to->body = batch_bytes(batch, from->body.s, from->body.n);
	*bytes += from->body.n;
	place_hand_out(p->place, todo->seq);
	return true;
}

static void
take_all(struct store *s, struct mem_place *p, size_t max, size_t max_bytes,
    struct journal_batch *batch)
{
	int64_t now = clock_wall(s->clock);
	size_t bytes = 0;

	while (batch->n < max) {
		uint64_t seq = place_pop(p->place, now);
		const struct mem_todo *todo = seq == 0 ? NULL : todo_of(p, seq);

		if (seq == 0)
			break;
		if (todo == NULL || todo->due > now)
			continue;
		if (!take(s, p, todo, max, max_bytes, &bytes, batch)) {
			place_later(p->place, seq, now);
			return;
		}
	}
	for (size_t i = todo_find(p, p->place->next); i < p->n; i++) {
		if (p->todo[i].memo != NULL)
			continue;
		if (!take(s, p, &p->todo[i], max, max_bytes, &bytes, batch))
			return;
		p->place->next = p->todo[i].seq + 1;
	}
	p->place->next = p->place->newest + 1;
}

static bool
mem_read(struct store *s, uint32_t sink, size_t max, size_t max_bytes,
    struct journal_batch *batch, struct err *err)
{
	struct mem_place *p = place_get(s, sink);

	if (p == NULL)
		return true;
	if (state_now(s) == JOURNAL_FAILED) {
		p->place->wants_ready = true;
		return err_set(err, ERR_TEMP, "the journal in memory has failed");
	}
	if (!p->place->is_resending)
		take_all(s, p, max, max_bytes, batch);
	batch->has_more = place_has_work(p->place, clock_wall(s->clock));
	p->place->wants_ready = !batch->has_more;
	return true;
}

static bool
mem_look(struct store *s, uint32_t sink, size_t max, struct journal_batch *batch, struct err *err)
{
	struct mem_place *p = place_get(s, sink);

	(void)err;
	for (size_t i = 0; p != NULL && i < p->n && batch->n < max; i++) {
		const struct mem_todo *todo = &p->todo[i];
		const struct journal_item *from = s->entries[todo->seq - 1];
		struct journal_item *to;

		if (todo->memo == NULL)
			continue;
		to = batch_add(batch);
		*to = *from;
		to->tries = todo->tries;
		to->due = todo->due;
		to->memo = batch_text(batch, todo->memo);
		to->id = batch_bytes(batch, from->id.s, from->id.n);
		to->body = (struct str){ NULL, 0 };
		to->user = NULL;
	}
	return true;
}

static void
mem_rewind(struct store *s, uint32_t sink)
{
	struct mem_place *p = place_get(s, sink);

	if (p == NULL)
		return;
	place_rewind(p->place);
	wake_sinks(s);
}

/* ---- life cycle ---------------------------------------------------------- */

static void
let_go(struct store *s, struct mem_place *p)
{
	while (p->n > 0)
		todo_drop(s, p, p->todo[p->n - 1].seq);
}

static void
look_at_sinks(struct store *s)
{
	int64_t now = clock_wall(s->clock), since;
	bool is_forgotten;
	uint32_t sink;

	for (size_t i = 0; registry_each_sink(s->reg, &i, &sink, &is_forgotten, &since);) {
		if (!is_forgotten && since != TICKS_NONE && now - since > s->forget_sink) {
			registry_forget_number(s->reg, sink);
			outbox_note(s->out, JOURNAL_NOTE_GAP, s->stats.state,
			    "sink %s is let go", registry_sink_name(s->reg, sink));
			is_forgotten = true;
		}
		if (is_forgotten && sink <= s->nplaces && s->places[sink - 1].place != NULL)
			let_go(s, &s->places[sink - 1]);
	}
}

static int
mem_tick(struct store *s)
{
	look_at_sinks(s);
	look_at_parked(s);
	look_at_resends(s);
	trim(s);
	publish(s);
	wake_sinks(s);
	return TICK_MS;
}

static struct store *
mem_open(const struct journal_opts *opts, struct registry *reg, struct outbox *out,
    struct err *err)
{
	struct store *s = xcalloc(1, sizeof(*s));

	(void)err;
	s->clock = opts->clock;
	s->reg = reg;
	s->out = out;
	s->max_bytes = opts->max_size;
	s->keep_delivered = ticks_from_ms(opts->keep_delivered_ms);
	s->own_types = opts->own_types;
	s->forget_sink = ticks_from_ms(opts->forget_sink_ms);
	s->stats.oldest_open = TICKS_NONE;
	s->trimmed_to = clock_wall(s->clock);
	ledger_init(&s->ledger);
	return s;
}

static void
mem_close(struct store *s)
{
	for (size_t i = 0; i < s->nplaces; i++) {
		for (size_t k = 0; k < s->places[i].n; k++)
			free(s->places[i].todo[k].memo);
		free(s->places[i].todo);
		place_free(s->places[i].place);
	}
	for (size_t i = 0; i < s->nentries; i++)
		entry_free(s, i + 1);
	for (size_t i = 0; i < s->nslots; i++)
		free((char *)s->memory[i].id.s);
	free(s->places);
	free(s->entries);
	free(s->memory);
	ledger_release(&s->ledger);
	free(s);
}

void
journal_mem_force(struct journal *j, enum journal_state state)
{
	atomic_store(&journal_store_peek(j)->forced, (int)state);
}

const struct journal_engine journal_mem = {
	.name = "memory",
	.open = mem_open,
	.close = mem_close,
	.write = mem_write,
	.settled = mem_settled,
	.read = mem_read,
	.look = mem_look,
	.rewind = mem_rewind,
	.tick = mem_tick,
};
