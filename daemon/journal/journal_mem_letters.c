/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "daemon/journal/journal_mem.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

/* ---- letters ------------------------------------------------------------------ */

static void
count(struct store *s, const struct mem_letter *l, int by)
{
	struct mem_place *p = l->letter.sink != 0 ? mem_place(s, l->letter.sink) : NULL;
	uint64_t *all = l->box == JOURNAL_DEAD ? &s->stats.dead : &s->stats.quarantine;

	*all += (uint64_t)by;
	if (p != NULL)
		p->place->dead += (uint64_t)by;
}

void
mem_letter_add(struct store *s, enum journal_box box, uint32_t sink,
    const struct journal_item *item, const char *why)
{
	struct mem_letter *l;

	if (s->nletters == s->letters_room) {
		s->letters_room = s->letters_room == 0 ? 16 : 2 * s->letters_room;
		s->letters = xreallocarray(s->letters, s->letters_room, sizeof(*s->letters));
	}
	l = &s->letters[s->nletters++];
	*l = (struct mem_letter){ .box = box, .item = *item };
	l->item.id.s = xmemdup(item->id.s, item->id.n);
	l->item.body.s = xmemdup(item->body.s, item->body.n);
	l->letter = (struct journal_letter){ .number = ++s->last_letter, .sink = sink,
		.at = clock_wall(s->clock), .size = item->body.n,
		.why = xstrdup(why != NULL ? why : "") };
	count(s, l, 1);
}

static void
letter_free(struct mem_letter *l)
{
	free((char *)l->letter.why);
	free((char *)l->item.id.s);
	free((char *)l->item.body.s);
}

void
mem_letters_release(struct store *s)
{
	for (size_t i = 0; i < s->nletters; i++)
		letter_free(&s->letters[i]);
	free(s->letters);
}

static void
drop(struct store *s, size_t i)
{
	count(s, &s->letters[i], -1);
	letter_free(&s->letters[i]);
	memmove(&s->letters[i], &s->letters[i + 1],
	    (--s->nletters - i) * sizeof(*s->letters));
}

bool
mem_letter_settled(struct store *s, struct mem_place *p, const struct mark_job *m)
{
	for (size_t i = 0; i < s->nletters; i++) {
		struct mem_letter *l = &s->letters[i];

		if (l->retry != m->seq || l->letter.sink != m->sink)
			continue;
		l->retry = 0;
		p->place->retrying--;
		if (m->what == MARK_OK) {
			mem_say_how(s, &l->item, m->sink, GIVEN);
			drop(s, i);
			return true;
		}
		free((char *)l->letter.why);
		l->letter.why = xstrdup(m->why != NULL ? m->why : "");
		l->letter.at = clock_wall(s->clock);
		return true;
	}
	return false;
}

static bool
is_meant(const struct journal_filter *f, const struct mem_letter *l)
{
	return l->box == f->box && (f->number == 0 || l->letter.number == f->number) &&
	       (f->sink == 0 || l->letter.sink == f->sink) && journal_filter_has(f, l->item.stream);
}

/* ---- a look ---------------------------------------------------------------------- */

static void
add(struct journal_batch *b, const struct mem_letter *l, const struct journal_letters_ask *ask)
{
	struct journal_item *to = batch_add(b);
	struct journal_letter *letter = batch_letter(b, to);
	uint64_t n = ask->from < l->item.body.n ? l->item.body.n - ask->from : 0;

	*to = l->item;
	*letter = l->letter;
	letter->is_retried = l->retry != 0;
	letter->why = batch_text(b, l->letter.why);
	to->letter = letter;
	to->id = batch_bytes(b, l->item.id.s, l->item.id.n);
	to->body = batch_bytes(b, l->item.body.s + (n > 0 ? ask->from : 0),
	    n < ask->max_bytes ? (size_t)n : ask->max_bytes);
}

bool
mem_letters(struct store *s, const struct journal_letters_ask *ask, struct journal_batch *batch,
    struct err *err)
{
	(void)err;
	for (size_t i = 0; i < s->nletters; i++) {
		const struct mem_letter *l = &s->letters[i];

		if (l->letter.number <= ask->after || !is_meant(&ask->which, l))
			continue;
		batch->has_more = batch->n == ask->max;
		if (batch->has_more)
			return true;
		add(batch, l, ask);
	}
	return true;
}

/* ---- retry and drop ----------------------------------------------------------------- */

static void
retry(struct store *s, struct journal_task *t, struct mem_letter *l)
{
	struct mem_place *p = mem_place(s, l->letter.sink);
	struct mem_entry *e;

	if (p == NULL || p->place->is_parked || p->place->is_resending) {
		t->passed++;
		return;
	}
	if (l->retry != 0)
		return;
	e = mem_entry_add(s, &l->item);
	e->route[e->nroutes++] = l->letter.sink;
	l->retry = e->item.pos.seq;
	mem_todo_add(p, l->retry, e->item.body.n);
	ledger_add(&s->ledger, l->retry, 1);
	place_retry(p->place, l->retry, clock_wall(s->clock));
	t->done++;
}

/* Of those that wait, the first in the order of sinks and entries; NULL: none. */
static struct mem_letter *
next_of(struct store *s, const struct journal_task *t)
{
	struct mem_letter *best = NULL;

	for (size_t i = 0; i < s->nletters; i++) {
		struct mem_letter *l = &s->letters[i];
		int64_t sink = l->letter.sink, seq = (int64_t)l->item.pos.seq;

		if (!is_meant(&t->which, l) || l->letter.number > t->last || sink < t->at[0] ||
		    (sink == t->at[0] && seq <= t->at[1]))
			continue;
		if (best == NULL || sink < best->letter.sink ||
		    (sink == best->letter.sink && (uint64_t)seq < best->item.pos.seq))
			best = l;
	}
	return best;
}

static void
work_on_letters(struct store *s, struct journal_task *t)
{
	if (t->last == 0)
		t->last = s->last_letter;
	for (;;) {
		struct mem_letter *l = next_of(s, t);

		if (l == NULL)
			break;
		t->at[0] = l->letter.sink;
		t->at[1] = (int64_t)l->item.pos.seq;
		if (t->what == JOURNAL_RETRY) {
			retry(s, t, l);
		} else if (l->retry != 0) {
			t->passed++;
		} else {
			drop(s, (size_t)(l - s->letters));
			t->done++;
		}
	}
	t->is_over = true;
}

/* ---- purge --------------------------------------------------------------------------- */

static bool
is_out(const struct store *s, uint64_t seq)
{
	for (size_t i = 0; i < s->nplaces; i++)
		if (s->places[i].place != NULL && place_is_out(s->places[i].place, seq))
			return true;
	return false;
}

static void
purge_entry(struct store *s, struct journal_task *t, uint64_t seq)
{
	const struct journal_item *e = s->entries[seq - 1];

	if (e == NULL || !journal_filter_has(&t->which, e->stream))
		return;
	if (!t->is_forced && is_out(s, seq)) {
		t->waiting++;
		return;
	}
	for (size_t i = 0; i < s->nplaces; i++)
		if (s->places[i].place != NULL && mem_todo_of(&s->places[i], seq) != NULL)
			mem_todo_drop(s, &s->places[i], seq);
	ledger_gone(&s->ledger, seq, seq);
	mem_entry_free(s, seq);
	t->purged.entries++;
}

static void
purge_letters(struct store *s, struct journal_task *t)
{
	for (size_t i = s->nletters; i-- > 0;) {
		const struct mem_letter *l = &s->letters[i];

		if (!journal_filter_has(&t->which, l->item.stream))
			continue;
		if (l->retry != 0)
			mem_place(s, l->letter.sink)->place->retrying--;
		t->purged.dead += l->box == JOURNAL_DEAD;
		t->purged.quarantine += l->box == JOURNAL_QUARANTINE;
		drop(s, i);
	}
}

/* The table is made anew: a slot that is emptied would cut off those behind it. */
static void
purge_memory(struct store *s, struct journal_task *t)
{
	struct mem_seen *old = s->memory;
	size_t n = s->nslots;

	if (n == 0)
		return;
	s->memory = xcalloc(n, sizeof(*old));
	s->nmemory = 0;
	for (size_t i = 0; i < n; i++) {
		size_t k;

		if (old[i].id.s == NULL)
			continue;
		if (journal_filter_has(&t->which, old[i].stream)) {
			free((char *)old[i].id.s);
			t->purged.remembered++;
			continue;
		}
		for (k = (size_t)(str_hash(old[i].id.s, old[i].id.n) + old[i].stream) & (n - 1);
		     s->memory[k].id.s != NULL; k = (k + 1) & (n - 1))
			;
		s->memory[k] = old[i];
		s->nmemory++;
	}
	free(old);
}

static void
purge_readers(struct store *s, struct journal_task *t)
{
	const char *name;
	uint32_t stream;
	int64_t at;

	for (size_t i = 0; registry_each_reader(s->reg, &i, &stream, &name, &at);)
		t->purged.readers += journal_filter_has(&t->which, stream);
	for (size_t i = 0; i < t->which.nstreams; i++) {
		t->purged.periods += periods_forget_stream(registry_periods(s->reg),
		    t->which.streams[i]);
		registry_forget_cursors(s->reg, t->which.streams[i]);
	}
}

static bool
purge(struct store *s, struct journal_task *t, struct err *err)
{
	if (t->which.nstreams == 0)
		return err_set(err, ERR_PERM, "no stream was named");
	t->waiting = 0;
	for (uint64_t seq = 1; seq <= s->nentries; seq++)
		purge_entry(s, t, seq);
	if (t->waiting > 0)
		return true;
	purge_letters(s, t);
	purge_memory(s, t);
	purge_readers(s, t);
	t->is_over = t->is_scrubbed = true;
	return true;
}

bool
mem_work(struct store *s, struct journal_task *t, struct err *err)
{
	switch (t->what) {
	case JOURNAL_RETRY:
	case JOURNAL_DROP:
		work_on_letters(s, t);
		return true;
	case JOURNAL_PURGE:
		return purge(s, t, err);
	case JOURNAL_ACCOUNT:
		mem_account(s, t);
		return true;
	}
	return true;
}
