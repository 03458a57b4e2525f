/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

#define STEP_BYTES ((uint64_t)4 << 20) /* of letters that one step puts before their sinks again */

/* Columns of ST_DEAD_GET. */
enum { DEAD_IS_SOUND, DEAD_SIZE, DEAD_SINK, DEAD_RETRY, DEAD_AT, DEAD_WHY, DEAD_SEQ, DEAD_STREAM,
	DEAD_TYPE, DEAD_KIND, DEAD_FLAGS, DEAD_CHANGED, DEAD_VERSION, DEAD_JOURNALLED, DEAD_ID,
	DEAD_BODY, DEAD_REMEMBERED };

/* 1: the row is there, with so much of the body; 0: it is not; -1: failed. Of a body that is not
 * asked for it is not known whether it is sound. */
static int
get(struct store *s, enum statement which, uint64_t number, uint64_t from, size_t bytes,
    struct err *err)
{
	sqlite3_stmt *st = db_use(s, which);

	sqlite3_bind_int64(st, 1, (int64_t)number);
	sqlite3_bind_int64(st, 2, from < INT64_MAX ? (int64_t)from + 1 : INT64_MAX);
	sqlite3_bind_int64(st, 3, bytes < INT32_MAX ? (int64_t)bytes : INT32_MAX);
	return db_row(s, st, err);
}

/* A number is no reason to show or to touch what else was said not to be meant. */
static bool
is_meant(const struct journal_filter *f, sqlite3_stmt *st)
{
	return (f->sink == 0 || sqlite3_column_int64(st, DEAD_SINK) == (int64_t)f->sink) &&
	       journal_filter_has(f, (uint32_t)sqlite3_column_int64(st, DEAD_STREAM));
}

/* ---- how one comes, and goes ----------------------------------------------- */

static bool
put_row(struct store *s, uint32_t sink, const char *why, const struct journal_item *item,
    struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_DEAD_PUT);
	const int64_t columns[] = { (int64_t)item->pos.seq, item->stream, item->type, item->kind,
		item->flags, item->changed, item->version, item->journalled };

	sqlite3_bind_int64(st, 1, (int64_t)++s->counts.letters);
	sqlite3_bind_int64(st, 2, sink);
	sqlite3_bind_int64(st, 3, s->now);
	bind_text(st, 4, why);
	sqlite3_bind_int64(st, 5, (int64_t)item->body.n);
	for (int i = 0; i < (int)ARRAY_LEN(columns); i++)
		sqlite3_bind_int64(st, i + 6, columns[i]);
	bind_blob(st, 14, item->id.s, item->id.n);
	bind_blob(st, 15, item->body.s, item->body.n);
	s->counts.dead++;
	s->counts.dead_bytes += item->body.n;
	change_add(s, (struct change) { CHANGE_DEAD, .sink = sink, .n = 1 });
	return db_run(s, st, err);
}

bool
letter_put(struct store *s, uint32_t sink, uint64_t seq, const char *why, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_ENTRY_GET);
	struct journal_item item;
	int rc;
	bool ok;

	sqlite3_bind_int64(st, 1, (int64_t)seq);
	rc = db_row(s, st, err);
	ok = rc == 0 || (rc == 1 && entry_from_row(st, 0, seq, &item) &&
	                 put_row(s, sink, why, &item, err));
	sqlite3_reset(st);
	return ok;
}

static void
retry_ends(struct store *s, uint32_t sink)
{
	change_add(s, (struct change) { CHANGE_NO_RETRY, .sink = sink, .n = 1 });
}

static bool
drop_row(struct store *s, uint32_t sink, uint64_t number, uint64_t size, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_DEAD_DROP);

	sqlite3_bind_int64(st, 1, (int64_t)number);
	s->counts.dead -= s->counts.dead > 0;
	s->counts.dead_bytes -= size < s->counts.dead_bytes ? size : s->counts.dead_bytes;
	change_add(s, (struct change) { CHANGE_DEAD, .sink = sink, .n = UINT64_MAX });
	return db_run(s, st, err);
}

bool
letter_set_aside(struct store *s, uint64_t number, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_DEAD_BROKEN);
	uint64_t size = 0;
	uint32_t sink = 0;
	bool has_entry = false, ok = true;
	int rc;

	sqlite3_bind_int64(st, 1, (int64_t)number);
	rc = db_row(s, st, err);
	if (rc == 1) {
		struct str body = column_bytes(st, 4);

		sink = (uint32_t)sqlite3_column_int64(st, 0);
		size = (uint64_t)sqlite3_column_int64(st, 1);
		has_entry = sqlite3_column_type(st, 2) != SQLITE_NULL;
		ok = quarantine_put(s, 0, column_bytes(st, 3), "the checksum of a dead letter is wrong",
		    body.s, body.n, err);
	}
	sqlite3_reset(st);
	if (rc != 1 || !ok)
		return rc >= 0 && ok;
	if (has_entry)
		retry_ends(s, sink);
	if (!drop_row(s, sink, number, size, err))
		return false;
	outbox_note(s->out, JOURNAL_NOTE_QUARANTINE, s->state,
	    "dead letter %" PRIu64 " is damaged on disk; whose it is cannot be believed any more, so "
	    "it is tried again for nobody and is kept in quarantine", number);
	return true;
}

bool
quarantine_letter(struct store *s, uint64_t number, struct err *err)
{
	if (transaction_begin(s, err) && letter_set_aside(s, number, err) && transaction_commit(s, err))
		return true;
	transaction_rollback(s);
	return false;
}

/* ---- what becomes of those that are retried ------------------------------- */

struct retried {
	uint64_t number, size, seq;
	bool is_sound;
};

/* The next of them: 1 there is one, 0 none, -1 failed. */
static int
next_retried(struct store *s, uint32_t sink, uint64_t first, uint64_t last, struct retried *out,
    struct err *err)
{
	const struct place *p = place_of(s, sink);
	sqlite3_stmt *st = db_use(s, ST_DEAD_RETRIED);
	int rc;

	if (p == NULL || p->retrying == 0)
		return 0;
	sqlite3_bind_int64(st, 1, sink);
	sqlite3_bind_int64(st, 2, (int64_t)first);
	sqlite3_bind_int64(st, 3, (int64_t)last);
	rc = db_row(s, st, err);
	if (rc == 1) {
		*out = (struct retried){ .number = (uint64_t)sqlite3_column_int64(st, 0),
			.size = (uint64_t)sqlite3_column_int64(st, 1),
			.seq = (uint64_t)sqlite3_column_int64(st, 2),
			.is_sound = sqlite3_column_int(st, 3) != 0 };
		sqlite3_reset(st);
	}
	return rc;
}

/* It has what it once refused: a replay need not bring it again. */
static bool
accept_one(struct store *s, uint32_t sink, const struct retried *r, struct err *err)
{
	if (!given_give_entry(s, r->seq, sink, err))
		return false;
	if (!r->is_sound)
		return letter_set_aside(s, r->number, err);
	retry_ends(s, sink);
	return drop_row(s, sink, r->number, r->size, err);
}

bool
letters_accepted(struct store *s, uint32_t sink, uint64_t first, uint64_t last, struct err *err)
{
	struct retried r;
	int rc;

	while ((rc = next_retried(s, sink, first, last, &r, err)) == 1) {
		if (!accept_one(s, sink, &r, err))
			return false;
	}
	return rc == 0;
}

/* One that is damaged is none any more: what was refused is another one then. */
bool
letter_returned(struct store *s, uint32_t sink, uint64_t seq, const char *why, bool *was_one,
    struct err *err)
{
	struct retried r;
	int rc = next_retried(s, sink, seq, seq, &r, err);
	sqlite3_stmt *st = db_use(s, ST_DEAD_AGAIN);

	*was_one = rc == 1 && r.is_sound;
	if (rc == 1 && !r.is_sound)
		return letter_set_aside(s, r.number, err);
	if (rc != 1)
		return rc == 0;
	sqlite3_bind_int64(st, 1, (int64_t)r.number);
	bind_text(st, 2, why);
	bind_ticks(st, 3, why != NULL ? s->now : TICKS_NONE);
	retry_ends(s, sink);
	return db_run(s, st, err);
}

bool
letters_give_up(struct store *s, uint32_t sink, struct err *err)
{
	const struct place *p = place_of(s, sink);
	sqlite3_stmt *st = db_use(s, ST_DEAD_NO_RETRY);

	if (p == NULL || p->retrying == 0)
		return true;
	sqlite3_bind_int64(st, 1, sink);
	change_add(s, (struct change) { CHANGE_NO_RETRY, .sink = sink, .n = p->retrying });
	return db_run(s, st, err);
}

bool
letter_is(struct store *s, uint32_t sink, uint64_t seq)
{
	struct err err = { 0 };
	struct retried r;

	return next_retried(s, sink, seq, seq, &r, &err) == 1;
}

/* ---- a look ---------------------------------------------------------------- */

/* One that does not go upwards would lead in a circle; the journal is salvaged, and has new ones. */
static bool
bad_index(struct store *s, struct err *err)
{
	s->rc = SQLITE_CORRUPT;
	return err_set(err, ERR_TEMP, "an index of the letters is damaged");
}

struct numbers {
	uint64_t *v;
	size_t n;
};

static int
number_cmp(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Of one stream; 0: of any. */
static bool
add_numbers(struct store *s, const struct journal_letters_ask *ask, uint32_t stream, size_t most,
    struct numbers *to, struct err *err)
{
	static const enum statement dead[2][2] = { { ST_DEAD_LIST, ST_DEAD_OF_SINK },
		{ ST_DEAD_OF_STREAM, ST_DEAD_OF_BOTH } };
	static const enum statement quarantine[2] = { ST_QUARANTINE_LIST, ST_QUARANTINE_OF_STREAM };
	bool is_dead = ask->which.box == JOURNAL_DEAD;
	sqlite3_stmt *st = db_use(s, is_dead ? dead[stream != 0][ask->which.sink != 0]
	                                     : quarantine[stream != 0]);
	int rc;

	sqlite3_bind_int64(st, 1, ask->after < INT64_MAX ? (int64_t)ask->after : INT64_MAX);
	sqlite3_bind_int64(st, 2, (int64_t)most);
	if (stream != 0)
		sqlite3_bind_int64(st, 3, stream);
	if (is_dead && ask->which.sink != 0)
		sqlite3_bind_int64(st, 4, ask->which.sink);
	while ((rc = db_row(s, st, err)) == 1)
		to->v[to->n++] = (uint64_t)sqlite3_column_int64(st, 0);
	return rc == 0;
}

/* The first of each stream, and of all of them the first. */
static bool
find_numbers(struct store *s, const struct journal_letters_ask *ask, size_t most,
    struct numbers *to, struct err *err)
{
	bool ok = true;

	if (ask->which.nstreams == 0)
		return add_numbers(s, ask, 0, most, to, err);
	for (size_t i = 0; i < ask->which.nstreams && ok; i++)
		ok = add_numbers(s, ask, ask->which.streams[i], most, to, err);
	qsort(to->v, to->n, sizeof(*to->v), number_cmp);
	to->n = to->n < most ? to->n : most;
	return ok;
}

static const char *
text_of(struct journal_batch *b, sqlite3_stmt *st, int i)
{
	const unsigned char *text = sqlite3_column_text(st, i);

	return batch_text(b, text != NULL ? (const char *)text : "");
}

static void
take_dead(struct journal_batch *b, sqlite3_stmt *st, uint64_t number)
{
	struct str id = column_bytes(st, DEAD_ID), body = column_bytes(st, DEAD_BODY);
	struct journal_item *to = batch_add(b);

	*to = (struct journal_item) {
		.pos = { .shard = 0, .seq = (uint64_t)sqlite3_column_int64(st, DEAD_SEQ) },
		.stream = (uint32_t)sqlite3_column_int64(st, DEAD_STREAM),
		.type = (uint8_t)sqlite3_column_int(st, DEAD_TYPE),
		.kind = (uint8_t)sqlite3_column_int(st, DEAD_KIND),
		.flags = (uint8_t)sqlite3_column_int(st, DEAD_FLAGS),
		.changed = (uint16_t)sqlite3_column_int(st, DEAD_CHANGED),
		.version = sqlite3_column_int64(st, DEAD_VERSION),
		.journalled = sqlite3_column_int64(st, DEAD_JOURNALLED),
	};
	to->id = batch_bytes(b, id.s, id.n);
	to->body = batch_bytes(b, body.s, body.n);
	*batch_letter(b, to) = (struct journal_letter) {
		.number = number,
		.sink = (uint32_t)sqlite3_column_int64(st, DEAD_SINK),
		.at = sqlite3_column_int64(st, DEAD_AT),
		.size = (uint64_t)sqlite3_column_int64(st, DEAD_SIZE),
		.why = text_of(b, st, DEAD_WHY),
		.is_retried = sqlite3_column_type(st, DEAD_RETRY) != SQLITE_NULL,
	};
}

enum { QUARANTINE_STREAM = 3 }; /* of ST_QUARANTINE_GET */

static void
take_quarantine(struct journal_batch *b, sqlite3_stmt *st, uint64_t number)
{
	struct str id = column_bytes(st, 4), body = column_bytes(st, 5);
	struct journal_item *to = batch_add(b);

	*to = (struct journal_item) { .stream = (uint32_t)sqlite3_column_int64(st, QUARANTINE_STREAM),
		.version = TICKS_NONE, .journalled = sqlite3_column_int64(st, 1) };
	to->id = batch_bytes(b, id.s, id.n);
	to->body = batch_bytes(b, body.s, body.n);
	*batch_letter(b, to) = (struct journal_letter) {
		.number = number,
		.at = sqlite3_column_int64(st, 1),
		.size = (uint64_t)sqlite3_column_int64(st, 0),
		.why = text_of(b, st, 2),
	};
}

/* *is_sound: false where it is damaged, and is not shown. */
static bool
take_number(struct store *s, const struct journal_letters_ask *ask, uint64_t number,
    struct journal_batch *b, bool *is_sound, struct err *err)
{
	bool is_dead = ask->which.box == JOURNAL_DEAD;
	enum statement which = is_dead ? ST_DEAD_GET : ST_QUARANTINE_GET;
	sqlite3_stmt *st = db_use(s, which);
	int rc = get(s, which, number, ask->from, ask->max_bytes, err);

	*is_sound = rc != 1 || !is_dead || sqlite3_column_int(st, DEAD_IS_SOUND) != 0;
	if (rc == 1 && is_dead && *is_sound && is_meant(&ask->which, st))
		take_dead(b, st, number);
	else if (rc == 1 && !is_dead && journal_filter_has(&ask->which,
	    (uint32_t)sqlite3_column_int64(st, QUARANTINE_STREAM)))
		take_quarantine(b, st, number);
	sqlite3_reset(st);
	return rc >= 0;
}

static bool
take_numbers(struct store *s, const struct journal_letters_ask *ask, const struct numbers *from,
    struct journal_batch *b, struct err *err)
{
	bool ok = true, is_sound;

	for (size_t i = 0; i < from->n && i < ask->max && ok; i++) {
		ok = take_number(s, ask, from->v[i], b, &is_sound, err) &&
		     (is_sound || quarantine_letter(s, from->v[i], err));
	}
	return ok;
}

/* Behind a page of which nothing could be shown. */
static bool
go_behind(struct store *s, struct journal_letters_ask *ask, const struct numbers *page,
    struct err *err)
{
	uint64_t last = page->v[ask->max - 1];

	if (last <= ask->after)
		return bad_index(s, err);
	ask->after = last;
	return true;
}

bool
look_at_letters(struct store *s, const struct journal_letters_ask *ask, struct journal_batch *b,
    struct err *err)
{
	size_t most = ask->max + 1;
	struct numbers found = { .v = xcalloc(most * (ask->which.nstreams + 1), sizeof(*found.v)) };
	struct journal_letters_ask from = *ask;
	bool ok = true, goes_on;

	do { /* of a page, all may be damaged, or not be there */
		found.n = 0;
		if (ask->which.number != 0)
			found.v[found.n++] = ask->which.number;
		else
			ok = find_numbers(s, &from, most, &found, err);
		ok = ok && take_numbers(s, ask, &found, b, err);
		b->has_more = found.n > ask->max;
		goes_on = ok && b->n == 0 && b->has_more;
		ok = ok && (!goes_on || go_behind(s, &from, &found, err));
	} while (ok && goes_on);
	free(found.v);
	return ok;
}

/* ---- one after the other ----------------------------------------------------- */

static bool
is_behind(const int64_t at[4], const int64_t before[4])
{
	for (int i = 0; i < 4; i++) {
		if (at[i] != before[i])
			return at[i] > before[i];
	}
	return false;
}

bool
letters_walk(struct store *s, struct journal_task *t, struct letter_at out[LETTERS_STEP], size_t *n,
    struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_DEAD_WALK);
	size_t looked = 0;
	bool is_past = false;
	int rc;

	*n = 0;
	if (t->at[0] == 0 && t->which.sink != 0) {
		t->at[0] = (int64_t)t->which.sink - 1;
		t->at[1] = INT64_MAX;
	}
	for (int i = 0; i < 4; i++)
		sqlite3_bind_int64(st, i + 1, t->at[i]);
	sqlite3_bind_int64(st, 5, LETTERS_STEP);
	while (!is_past && (rc = db_row(s, st, err)) == 1) {
		struct letter_at *to = &out[*n];

		looked++;
		for (int i = 0; i < 4; i++)
			to->at[i] = sqlite3_column_int64(st, i);
		if (!is_behind(to->at, t->at)) {
			sqlite3_reset(st);
			return bad_index(s, err);
		}
		memcpy(t->at, to->at, sizeof(t->at));
		is_past = t->which.sink != 0 && to->at[0] != (int64_t)t->which.sink;
		*n += !is_past && (uint64_t)to->at[3] <= t->last &&
		      journal_filter_has(&t->which, (uint32_t)to->at[2]);
	}
	sqlite3_reset(st);
	t->is_over = is_past || looked < LETTERS_STEP;
	return is_past || rc >= 0;
}

/* ---- retry ---------------------------------------------------------------------- */

/* One that takes something new just now. */
static bool
takes(const struct store *s, uint32_t sink)
{
	const struct place *p = place_of(s, sink);

	return p != NULL && !p->is_forgotten && !p->is_parked && !p->is_resending;
}

static bool
put_entry(struct store *s, uint64_t seq, uint32_t sink, const struct journal_item *item,
    int64_t remembered, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_ENTRY_PUT);
	const int64_t columns[] = { (int64_t)seq, item->stream, item->type, item->kind, item->flags,
		item->changed, item->version, item->journalled, entry_crc(seq, item->stream, item) };
	uint32_t routes[2] = { sink };

	for (int i = 0; i < (int)ARRAY_LEN(columns); i++)
		sqlite3_bind_int64(st, i + 1, columns[i]);
	bind_blob(st, 10, item->id.s, item->id.n);
	bind_blob(st, 11, item->body.s, item->body.n);
	routes[1] = routes_crc(seq, routes, sizeof(routes[0]));
	bind_blob(st, 12, routes, sizeof(routes));
	for (int i = 13; i <= 16; i++)
		sqlite3_bind_null(st, i);
	if (remembered != NO_ROWID)
		sqlite3_bind_int64(st, 16, remembered);
	return db_run(s, st, err);
}

/* Behind what waits there, under a number of its own: the old one may be gone, or in other use. */
static bool
put_again(struct store *s, uint64_t number, uint32_t sink, const struct journal_item *item,
    int64_t remembered, struct err *err)
{
	uint64_t seq = s->next_seq++, size = item->body.n;
	sqlite3_stmt *st;

	if (!put_entry(s, seq, sink, item, remembered, err))
		return false;
	st = db_use(s, ST_TODO_PUT);
	sqlite3_bind_int64(st, 1, sink);
	sqlite3_bind_int64(st, 2, (int64_t)seq);
	sqlite3_bind_int64(st, 3, (int64_t)size);
	if (!db_run(s, st, err))
		return false;
	st = db_use(s, ST_DEAD_RETRY);
	sqlite3_bind_int64(st, 1, (int64_t)number);
	sqlite3_bind_int64(st, 2, (int64_t)seq);
	s->counts.entries++;
	s->inserted++;
	change_add(s, (struct change) { CHANGE_RETRY, .sink = sink, .seq = seq });
	change_add(s, (struct change) { CHANGE_TODO, .sink = sink, .seq = seq, .n = size });
	change_add(s, (struct change) { CHANGE_ADDED, .seq = seq, .n = 1 });
	return db_run(s, st, err);
}

/* From the row of ST_DEAD_GET. */
static bool
retry_row(struct store *s, struct journal_task *t, uint64_t number, uint64_t *bytes, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_DEAD_GET);
	struct journal_item item = {
		.stream = (uint32_t)sqlite3_column_int64(st, DEAD_STREAM),
		.type = (uint8_t)sqlite3_column_int(st, DEAD_TYPE),
		.kind = (uint8_t)sqlite3_column_int(st, DEAD_KIND),
		.flags = (uint8_t)sqlite3_column_int(st, DEAD_FLAGS),
		.changed = (uint16_t)sqlite3_column_int(st, DEAD_CHANGED),
		.version = sqlite3_column_int64(st, DEAD_VERSION),
		.journalled = sqlite3_column_int64(st, DEAD_JOURNALLED),
		.id = column_bytes(st, DEAD_ID),
		.body = column_bytes(st, DEAD_BODY),
	};
	int64_t remembered = sqlite3_column_type(st, DEAD_REMEMBERED) != SQLITE_NULL
	    ? sqlite3_column_int64(st, DEAD_REMEMBERED) : NO_ROWID;

	*bytes = item.body.n + 1;
	t->done++;
	return put_again(s, number, (uint32_t)sqlite3_column_int64(st, DEAD_SINK), &item, remembered,
	    err);
}

/* *bytes: what was put; 0: it is gone, not meant, or retried already, or its sink takes nothing. */
static bool
retry_one(struct store *s, struct journal_task *t, uint64_t number, uint64_t *bytes, struct err *err)
{
	int rc = get(s, ST_DEAD_GET, number, 0, SIZE_MAX, err);
	sqlite3_stmt *st = db_use(s, ST_DEAD_GET);
	bool is_sound = rc != 1 || sqlite3_column_int(st, DEAD_IS_SOUND) != 0, ok = rc >= 0;

	*bytes = 0;
	if (rc == 1 && is_sound && is_meant(&t->which, st)) {
		if (!takes(s, (uint32_t)sqlite3_column_int64(st, DEAD_SINK)))
			t->passed++;
		else if (sqlite3_column_type(st, DEAD_RETRY) == SQLITE_NULL)
			ok = retry_row(s, t, number, bytes, err);
	}
	sqlite3_reset(st);
	return ok && (is_sound || letter_set_aside(s, number, err));
}

/* As many as fit into one step; the walk goes on behind them. */
static bool
retry_some(struct store *s, struct journal_task *t, const struct letter_at *v, size_t n,
    struct err *err)
{
	uint64_t total = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t bytes;

		if (total >= STEP_BYTES) {
			memcpy(t->at, v[i - 1].at, sizeof(t->at));
			t->is_over = false;
			return true;
		}
		if (!retry_one(s, t, (uint64_t)v[i].at[3], &bytes, err))
			return false;
		total += bytes;
	}
	return true;
}

/* ---- drop ----------------------------------------------------------------------- */

bool
letter_drop(struct store *s, const struct journal_filter *which, uint64_t number, bool is_retried,
    bool *is_kept, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_DEAD_GET);
	int rc = get(s, ST_DEAD_GET, number, 0, 0, err);
	bool is_sound = rc != 1 || sqlite3_column_int(st, DEAD_IS_SOUND) != 0;
	bool is_wanted = rc == 1 && is_sound && is_meant(which, st);
	bool has_entry = is_wanted && sqlite3_column_type(st, DEAD_RETRY) != SQLITE_NULL;
	uint64_t size = (uint64_t)sqlite3_column_int64(st, DEAD_SIZE);
	uint32_t sink = (uint32_t)sqlite3_column_int64(st, DEAD_SINK);

	sqlite3_reset(st);
	*is_kept = !is_wanted || (has_entry && !is_retried);
	if (!is_sound)
		return letter_set_aside(s, number, err);
	if (*is_kept)
		return rc >= 0;
	if (has_entry)
		retry_ends(s, sink);
	return drop_row(s, sink, number, size, err);
}

static bool
drop_some(struct store *s, struct journal_task *t, const struct letter_at *v, size_t n,
    struct err *err)
{
	bool is_kept;

	for (size_t i = 0; i < n; i++) {
		if (!letter_drop(s, &t->which, (uint64_t)v[i].at[3], false, &is_kept, err))
			return false;
		t->done += !is_kept;
		t->passed += is_kept;
	}
	return true;
}

/* ---- a step --------------------------------------------------------------------- */

static bool
step(struct store *s, struct journal_task *t, struct err *err)
{
	struct letter_at v[LETTERS_STEP] = { { .at = { [3] = (int64_t)t->which.number } } };
	size_t n = 1;

	if (t->last == 0)
		t->last = s->counts.letters;
	t->is_over = t->which.number != 0;
	if (!t->is_over && !letters_walk(s, t, v, &n, err))
		return false;
	return t->what == JOURNAL_RETRY ? retry_some(s, t, v, n, err) : drop_some(s, t, v, n, err);
}

bool
letters_step(struct store *s, struct journal_task *t, struct err *err)
{
	struct journal_task was = *t;

	if (t->what == JOURNAL_RETRY && s->state != JOURNAL_OK)
		return err_set(err, ERR_TEMP, "the journal takes nothing now: it is full, or cannot be "
		    "written");
	if (transaction_begin(s, err) && step(s, t, err) && transaction_commit(s, err))
		return true;
	*t = was;
	transaction_rollback(s);
	return false;
}
