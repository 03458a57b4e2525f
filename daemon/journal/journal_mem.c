/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "daemon/journal/giving.h"
#include "daemon/journal/journal_mem.h"
#include "daemon/journal/journal_mem_test.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

#define TICK_MS      50
#define HIGH_PERCENT 90
#define LOW_PERCENT  85

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

void
mem_say_how(struct store *s, const struct journal_item *item, uint32_t sink, enum given_how how)
{
	struct mem_seen *m = s->nslots == 0 ? NULL : &s->memory[probe(s, item->stream, item->id)];

	if (m != NULL && m->id.s != NULL && m->seen.version == item->version &&
	    given_has(&m->given, sink) != (how == GIVEN))
		given_set(&m->given, sink, how);
}

static const struct place *
place_at(struct store *s, uint32_t sink)
{
	const struct mem_place *p = mem_place(s, sink);

	return p != NULL ? p->place : NULL;
}

/* Who has what is remembered now. */
static void
note_given(struct store *s, const struct journal_page *page, const struct journal_entry *e,
    enum journal_act act, struct given *g)
{
	giving_note(&(struct giving){ place_at, s, s->own_types }, page, e, act, g);
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
			oldest = place_waits_since(p->place, p->todo[0].seq,
			    s->entries[p->todo[0].seq - 1]->journalled);
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

/* ---- append -------------------------------------------------------------- */

struct mem_entry *
mem_entry_add(struct store *s, const struct journal_item *item)
{
	struct mem_entry *entry = xcalloc(1, sizeof(*entry));

	entry->item = *item;
	entry->item.pos = (struct journal_pos){ .shard = 0, .seq = s->nentries + 1 };
	entry->item.id.s = xmemdup(item->id.s, item->id.n);
	entry->item.body.s = xmemdup(item->body.s, item->body.n);
	if (s->nentries == s->room) {
		s->room = s->room == 0 ? 256 : 2 * s->room;
		s->entries = xreallocarray(s->entries, s->room, sizeof(struct journal_item *));
	}
	s->entries[s->nentries++] = &entry->item;
	s->bytes += item->body.n;
	s->stats.entries++;
	return entry;
}

static void
forward(struct store *s, uint32_t stream, struct journal_entry *e, int64_t now)
{
	struct mem_entry *entry = mem_entry_add(s, &(struct journal_item) {
		.stream = stream,
		.type = e->type,
		.kind = e->kind,
		.flags = e->flags,
		.changed = e->changed,
		.version = e->now.version,
		.journalled = now,
		.id = e->id,
		.body = { e->body, e->len },
	});
	uint64_t seq = entry->item.pos.seq;
	unsigned waiting = 0;

	for (unsigned i = 0; i < e->nroutes && i < JOURNAL_ROUTES; i++) {
		struct mem_place *p = mem_place(s, e->route[i]);

		if (p != NULL && !place_takes(p->place, s->own_types, e->type))
			mem_period_grow(s, p->place->sink, stream, e->now.version, now);
		else if (p != NULL && mem_todo_add(p, seq, e->len))
			entry->route[waiting++] = e->route[i];
	}
	entry->nroutes = waiting;
	ledger_add(&s->ledger, seq, waiting);
	e->pos = entry->item.pos;
	e->is_forwarded = true;
}

static void
quarantine(struct store *s, const struct journal_page *page, const struct journal_entry *e)
{
	mem_letter_add(s, JOURNAL_QUARANTINE, 0, &(struct journal_item) { .stream = page->stream,
	    .version = TICKS_NONE, .journalled = clock_wall(s->clock), .id = e->id,
	    .body = { e->body, e->len } }, e->why);
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
	if (act == JOURNAL_MISSING)
		act = giving_leave_missing(&s->memory[slot].given, e);
	if (act == JOURNAL_SKIP) {
		result->skipped++;
		return;
	}
	if (act != JOURNAL_REPEAT || s->memory[slot].seen.version == e->now.version)
		note_given(s, page, e, act, &s->memory[slot].given);
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
	s->memory[slot].journalled = clock_wall(s->clock);
	result->quarantined += e->quarantine;
	if (e->quarantine)
		quarantine(s, page, e);
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
	const char *key;

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
	mem_period_page(s, job);
	s->stats.appends++;
	if (page->gap == NULL)
		return;
	s->stats.gaps++;
	key = registry_stream_key(s->reg, page->stream);
	outbox_note(s->out, JOURNAL_NOTE_GAP, s->stats.state, "%s: %s",
	    key != NULL ? key : "a tenant that was purged", page->gap->why);
}

/* ---- settle -------------------------------------------------------------- */

static void
settle(struct store *s, struct mark_job *m)
{
	struct mem_place *p = mem_place(s, m->sink);
	struct mem_todo *todo = p == NULL ? NULL : mem_todo_of(p, m->seq);

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
		mem_say_how(s, s->entries[m->seq - 1], m->sink, GIVEN_REFUSED);
		if (!mem_letter_settled(s, p, m))
			mem_letter_add(s, JOURNAL_DEAD, m->sink, s->entries[m->seq - 1], m->why);
		break;
	case MARK_OK:
		(void)mem_letter_settled(s, p, m);
		break;
	}
	mem_todo_drop(s, p, m->seq);
}

void
mem_entry_free(struct store *s, uint64_t seq)
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
		mem_entry_free(s, first);
		ledger_gone(&s->ledger, first, last);
		s->trimmed_to = now - s->keep_delivered + 1;
	}
}

static bool
mem_write(struct store *s, struct page_job **pages, size_t npages, struct mark_job *marks,
    size_t nmarks)
{
	publish(s);
	mem_look_at_parked(s);
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
	struct mem_place *p = mem_place(s, m->sink);

	if (p == NULL)
		return;
	place_take_back(p->place, m->seq);
	p->place->marked++;
}

/* ---- read ---------------------------------------------------------------- */

/* Without the body. */
static struct journal_item *
add_item(struct journal_batch *batch, const struct journal_item *from, const struct mem_todo *todo)
{
	struct journal_item *to = batch_add(batch);

	*to = *from;
	to->tries = todo->tries;
	to->due = todo->due;
	to->memo = batch_text(batch, todo->memo);
	to->id = batch_bytes(batch, from->id.s, from->id.n);
	to->body = (struct str){ NULL, 0 };
	return to;
}

/* False: it does not fit any more. */
static bool
take(struct store *s, struct mem_place *p, const struct mem_todo *todo, size_t max,
    size_t max_bytes, size_t *bytes, struct journal_batch *batch)
{
	const struct journal_item *from = s->entries[todo->seq - 1];

	if (batch->n == max || (batch->n > 0 && *bytes + from->body.n > max_bytes))
		return false;
	add_item(batch, from, todo)->body = batch_bytes(batch, from->body.s, from->body.n);
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
		const struct mem_todo *todo = seq == 0 ? NULL : mem_todo_of(p, seq);

		if (seq == 0)
			break;
		if (todo == NULL || todo->due > now)
			continue;
		if (!take(s, p, todo, max, max_bytes, &bytes, batch)) {
			place_later(p->place, seq, now);
			return;
		}
	}
	for (size_t i = mem_todo_find(p, p->place->next); i < p->n; i++) {
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
	struct mem_place *p = mem_place(s, sink);

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
	struct mem_place *p = mem_place(s, sink);

	(void)err;
	for (size_t i = 0; p != NULL && i < p->n && batch->n < max; i++) {
		if (p->todo[i].memo != NULL)
			add_item(batch, s->entries[p->todo[i].seq - 1], &p->todo[i])->user = NULL;
	}
	return true;
}

static void
mem_rewind(struct store *s, uint32_t sink)
{
	struct mem_place *p = mem_place(s, sink);

	if (p == NULL)
		return;
	place_rewind(p->place);
	wake_sinks(s);
}

static bool
work(struct store *s, struct journal_task *t, struct err *err)
{
	bool ok = mem_work(s, t, err);

	publish(s);
	wake_sinks(s);
	return ok;
}

/* ---- life cycle ---------------------------------------------------------- */

static void
let_go(struct store *s, struct mem_place *p)
{
	while (p->n > 0)
		mem_todo_drop(s, p, p->todo[p->n - 1].seq);
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
	mem_look_at_parked(s);
	mem_look_at_resends(s);
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
		mem_entry_free(s, i + 1);
	for (size_t i = 0; i < s->nslots; i++)
		free((char *)s->memory[i].id.s);
	free(s->places);
	free(s->entries);
	free(s->memory);
	mem_letters_release(s);
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
	.letters = mem_letters,
	.work = work,
	.tick = mem_tick,
};
