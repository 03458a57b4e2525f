/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "daemon/journal/journal_sqlite.h"
#include "lib/base/ticks.h"

bool
entry_from_row(sqlite3_stmt *st, int first, uint64_t seq, struct journal_item *out)
{
	*out = (struct journal_item) {
		.pos = { .shard = 0, .seq = seq },
		.stream = (uint32_t)sqlite3_column_int64(st, first),
		.type = (uint8_t)sqlite3_column_int(st, first + 1),
		.kind = (uint8_t)sqlite3_column_int(st, first + 2),
		.flags = (uint8_t)sqlite3_column_int(st, first + 3),
		.changed = (uint16_t)sqlite3_column_int(st, first + 4),
		.version = sqlite3_column_int64(st, first + 5),
		.journalled = sqlite3_column_int64(st, first + 6),
		.id = column_bytes(st, first + 8),
		.body = column_bytes(st, first + 9),
	};
	return (uint32_t)sqlite3_column_int64(st, first + 7) == entry_crc(seq, out->stream, out);
}

/* ---- a bad row ----------------------------------------------------------- */

/* When it was updated, as far as what is damaged can be believed. False: it cannot, or what it is
 * of cannot be asked for. */
static bool
can_be_asked(const struct store *s, const struct journal_item *item)
{
	int64_t day = INT64_C(86400) * TICKS_SEC;

	return registry_stream_key(s->reg, item->stream) != NULL &&
	       !place_is_own(s->own_types, item->type) && item->version < s->now + day &&
	       item->version > s->now - 366 * day;
}

/* Nobody waits for it any more; who did has its time read again. item: NULL where nothing is
 * known of it. */
static bool
release_todos(struct store *s, uint64_t seq, const struct journal_item *item, struct err *err)
{
	bool was_one;

	for (size_t i = 0; i < s->nplaces; i++) {
		struct mark_job mark = { .sink = (uint32_t)i + 1, .seq = seq, .what = MARK_OK };
		size_t noted = s->nchanges;

		if (s->places[i] == NULL)
			continue;
		if (!letter_returned(s, mark.sink, seq, NULL, &was_one, err) ||
		    !settle_marks(s, &mark, 1, err))
			return false;
		if (s->nchanges == noted)
			continue;
		if (!given_take_back_entry(s, seq, mark.sink, GIVEN_MISSED, err))
			return false;
		if (item != NULL && can_be_asked(s, item))
			period_grow(s, mark.sink, item->stream, item->version);
	}
	return true;
}

bool
entry_set_aside(struct store *s, uint64_t seq, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_ENTRY_GET);
	struct journal_item item;
	int rc;
	bool ok = true;

	sqlite3_bind_int64(st, 1, (int64_t)seq);
	rc = db_row(s, st, err);
	if (rc == 1) {
		entry_from_row(st, 0, seq, &item);
		ok = quarantine_put(s, 0, item.id, "its checksum is wrong", item.body.s,
		    item.body.n, err);
		sqlite3_reset(st);
	}
	if (rc < 0 || !ok || !release_todos(s, seq, rc == 1 ? &item : NULL, err))
		return false;
	st = db_use(s, ST_ENTRY_DROP);
	sqlite3_bind_int64(st, 1, (int64_t)seq);
	sqlite3_bind_int64(st, 2, (int64_t)seq);
	sqlite3_bind_int64(st, 3, INT64_MAX);
	if (rc == 1 && s->counts.entries > 0)
		s->counts.entries--;
	change_add(s, (struct change) { CHANGE_GONE, .seq = seq, .n = seq });
	if (!db_run(s, st, err) || !pack_drop(s, seq, seq, err))
		return false;
	outbox_note(s->out, JOURNAL_NOTE_QUARANTINE, s->state,
	    "entry %llu of the journal is damaged on disk; it is kept in quarantine, and the time "
	    "that it is of is read again for the sinks that it waited for", (unsigned long long)seq);
	return true;
}

bool
quarantine_entry(struct store *s, uint64_t seq, struct err *err)
{
	bool ok = transaction_begin(s, err) && entry_set_aside(s, seq, err)
	    && transaction_commit(s, err);

	if (ok)
		return true;
	transaction_rollback(s);
	trouble(s, err);
	return false;
}

/* ---- handing out --------------------------------------------------------- */

enum taken { TAKEN, TAKEN_NOT, TAKEN_FULL, TAKEN_BAD, TAKEN_FAILED };

struct reading {
	struct place *p;
	struct journal_batch *batch;
	size_t max, max_bytes, bytes;
};

/* What is not in memory any more. */
static enum taken
take_from_file(struct store *s, struct reading *r, uint64_t seq, size_t size, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_ENTRY_GET);
	struct journal_item item, *to;
	int rc;

	if (r->batch->n > 0 && r->bytes + size > r->max_bytes)
		return TAKEN_FULL;
	sqlite3_bind_int64(st, 1, (int64_t)seq);
	rc = db_row(s, st, err);
	if (rc != 1)
		return rc == 0 ? TAKEN_BAD : TAKEN_FAILED;
	if (!entry_from_row(st, 0, seq, &item)) {
		sqlite3_reset(st);
		return TAKEN_BAD;
	}
	to = batch_add(r->batch);
	*to = item;
	to->id = batch_bytes(r->batch, item.id.s, item.id.n);
	to->body = batch_bytes(r->batch, item.body.s, item.body.n);
	r->bytes += size;
	sqlite3_reset(st);
	return TAKEN;
}

/* Columns: seq, size, tries, memo. */
static enum taken
take_row(struct store *s, struct reading *r, sqlite3_stmt *st, struct err *err)
{
	uint64_t seq = (uint64_t)sqlite3_column_int64(st, 0);
	size_t size = (size_t)sqlite3_column_int64(st, 1);
	struct journal_item *to;
	enum taken taken;

	if (r->batch->n == r->max)
		return TAKEN_FULL;
	if (batch_add_recent(r->batch, seq) == NULL) {
		taken = take_from_file(s, r, seq, size, err);
		if (taken != TAKEN)
			return taken;
	}
	to = &r->batch->items[r->batch->n - 1];
	to->tries = (unsigned)sqlite3_column_int64(st, 2);
	to->memo = batch_text(r->batch, (const char *)sqlite3_column_text(st, 3));
	place_hand_out(r->p, seq);
	return TAKEN;
}

static bool
take_one(struct store *s, struct reading *r, uint64_t seq, enum taken *taken, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_READ_ONE);
	int rc;

	sqlite3_bind_int64(st, 1, r->p->sink);
	sqlite3_bind_int64(st, 2, (int64_t)seq);
	rc = db_row(s, st, err);
	*taken = TAKEN_NOT; /* settled meanwhile, or put off again */
	if (rc == 1 && column_ticks(st, 4) <= s->now)
		*taken = take_row(s, r, st, err);
	sqlite3_reset(st);
	if (*taken == TAKEN_BAD)
		return quarantine_entry(s, seq, err);
	return rc >= 0 && *taken != TAKEN_FAILED;
}

/* What is due, and what was rewound. */
static bool
take_waiting(struct store *s, struct reading *r, struct err *err)
{
	for (;;) {
		uint64_t seq = r->batch->n < r->max ? place_pop(r->p, s->now) : 0;
		enum taken taken;

		if (seq == 0)
			return true;
		if (!take_one(s, r, seq, &taken, err)) {
			place_later(r->p, seq, s->now);
			return false;
		}
		if (taken == TAKEN_FULL) {
			place_later(r->p, seq, s->now);
			return true;
		}
	}
}

/* What was never handed out. *bad: a damaged row stands in the way. */
static bool
take_next(struct store *s, struct reading *r, uint64_t *bad, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_READ_NEXT);
	enum taken taken = TAKEN;
	uint64_t seq = 0;
	int rc;

	*bad = 0;
	sqlite3_bind_int64(st, 1, r->p->sink);
	sqlite3_bind_int64(st, 2, (int64_t)r->p->next);
	while ((rc = db_row(s, st, err)) == 1) {
		seq = (uint64_t)sqlite3_column_int64(st, 0);
		taken = take_row(s, r, st, err);
		if (taken != TAKEN)
			break;
		r->p->next = seq + 1;
	}
	sqlite3_reset(st);
	if (taken == TAKEN_BAD)
		*bad = seq;
	if (rc == 0)
		r->p->next = r->p->newest + 1;
	return rc >= 0 && taken != TAKEN_FAILED;
}

static bool
take_all(struct store *s, struct reading *r, struct err *err)
{
	struct place *p = r->p;
	uint64_t bad = 0;

	if (!take_waiting(s, r, err))
		return false;
	while (r->batch->n < r->max && p->newest >= p->next) {
		if (!take_next(s, r, &bad, err))
			return false;
		if (bad == 0)
			return true;
		if (!quarantine_entry(s, bad, err))
			return false;
	}
	return true;
}

/* An error after some items is told with the next read. */
bool
read_items(struct store *s, struct place *p, size_t max, size_t max_bytes, struct journal_batch *b,
    struct err *err)
{
	struct reading r = { .p = p, .batch = b, .max = max, .max_bytes = max_bytes };
	bool ok;

	s->now = clock_wall(s->clock);
	ok = take_all(s, &r, err);
	b->has_more = place_has_work(p, s->now);
	return ok || b->n > 0;
}

/* ---- a look ---------------------------------------------------------------- */

static void
look_at_row(sqlite3_stmt *st, struct journal_batch *b)
{
	struct str id = column_bytes(st, 10);
	struct journal_item *to = batch_add(b);

	*to = (struct journal_item) {
		.pos = { .shard = 0, .seq = (uint64_t)sqlite3_column_int64(st, 0) },
		.tries = (unsigned)sqlite3_column_int64(st, 1),
		.memo = batch_text(b, (const char *)sqlite3_column_text(st, 2)),
		.due = sqlite3_column_int64(st, 3),
		.stream = (uint32_t)sqlite3_column_int64(st, 4),
		.type = (uint8_t)sqlite3_column_int(st, 5),
		.kind = (uint8_t)sqlite3_column_int(st, 6),
		.flags = (uint8_t)sqlite3_column_int(st, 7),
		.version = sqlite3_column_int64(st, 8),
		.journalled = sqlite3_column_int64(st, 9),
	};
	to->id = batch_bytes(b, id.s, id.n);
}

bool
look_at_items(struct store *s, uint32_t sink, size_t max, struct journal_batch *b, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_LOOK);
	int rc;

	sqlite3_bind_int64(st, 1, sink);
	sqlite3_bind_int64(st, 2, (int64_t)max);
	while ((rc = db_row(s, st, err)) == 1)
		look_at_row(st, b);
	sqlite3_reset(st);
	return rc >= 0;
}
