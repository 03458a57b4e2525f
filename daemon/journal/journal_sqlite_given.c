/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/giving.h"
#include "daemon/journal/journal_sqlite.h"

/* Where the memory had an entry's version when it was stored. */
struct memory_place {
	int64_t key; /* NO_ROWID: nowhere */
	uint32_t stream;
	int64_t version;
	struct str id; /* points into the row it was read from */
};

/* What was remembered before it was there is of another sink that once had its number. */
static bool
was_there(const struct place *p, int64_t journalled)
{
	return p != NULL && !p->is_forgotten && p->since <= journalled;
}

/* A row of an older msspd does not say: every sink that was there counts as given. */
static void
assume(const struct store *s, int64_t journalled, struct given *out)
{
	for (size_t i = 0; i < s->nplaces; i++) {
		if (was_there(s->places[i], journalled))
			given_add(out, s->places[i]->sink);
	}
}

void
given_of_slot(const struct store *s, const struct memory_slot *slot, struct given *out)
{
	out->n = 0;
	if (!slot->is_known)
		return;
	if (!slot->is_said) {
		assume(s, slot->journalled, out);
		return;
	}
	for (unsigned i = 0; i < slot->given.n; i++) {
		if (was_there(place_of(s, slot->given.sink[i]), slot->journalled))
			given_set(out, slot->given.sink[i], slot->given.how[i]);
	}
}

static const struct place *
place_at(struct store *s, uint32_t sink)
{
	return place_of(s, sink);
}

void
given_of_entry(struct store *s, const struct journal_page *page, const struct journal_entry *e,
    const struct memory_slot *slot, enum journal_act act, struct given *out)
{
	given_of_slot(s, slot, out);
	giving_note(&(struct giving){ place_at, s, s->own_types }, page, e, act, out);
}

/* The row of that key, if it is of that alert and version. */
static bool
find_row(struct store *s, const struct memory_place *at, struct memory_slot *slot, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_MEMORY_FIND);
	int rc;

	slot->is_known = false;
	sqlite3_bind_int64(st, 1, at->key);
	sqlite3_bind_int64(st, 2, at->key);
	rc = db_row(s, st, err);
	if (rc == 1) {
		memory_slot_read(st, slot);
		slot->is_known = slot->is_known &&
		                 sqlite3_column_int64(st, 1) == at->stream &&
		                 slot->was.version == at->version &&
		                 str_same(column_bytes(st, 2), at->id);
	}
	sqlite3_reset(st);
	return rc >= 0;
}

bool
given_put(struct store *s, int64_t key, int64_t journalled, const struct given *g, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_MEMORY_GIVEN);
	unsigned char bytes[GIVEN_BYTES];

	sqlite3_bind_int64(st, 1, key);
	bind_blob(st, 2, bytes, given_write(g, bytes));
	sqlite3_bind_int64(st, 3, journalled);
	return db_run(s, st, err);
}

/* What is said already is not said again, and what a sink never had it has not lost. */
static bool
say(struct store *s, const struct memory_place *at, uint32_t sink, enum given_how how,
    struct err *err)
{
	struct memory_slot slot = { .key = at->key };
	struct given g;

	if (at->key == NO_ROWID)
		return true;
	if (!find_row(s, at, &slot, err))
		return false;
	given_of_slot(s, &slot, &g);
	if (!slot.is_known || given_has(&g, sink) == (how == GIVEN))
		return true;
	given_set(&g, sink, how);
	return given_put(s, at->key, slot.journalled, &g, err);
}

/* A row of ST_ENTRY_PLACE. */
static void
read_place(sqlite3_stmt *st, struct memory_place *out)
{
	bool is_said = sqlite3_column_type(st, 0) != SQLITE_NULL;

	*out = (struct memory_place){
		.key = is_said ? sqlite3_column_int64(st, 0) : NO_ROWID,
		.stream = (uint32_t)sqlite3_column_int64(st, 1),
		.version = sqlite3_column_int64(st, 2),
		.id = column_bytes(st, 3),
	};
}

bool
given_take_back_entry(struct store *s, uint64_t seq, uint32_t sink, enum given_how how,
    struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_ENTRY_PLACE);
	struct memory_place at = { .key = NO_ROWID };
	int rc;
	bool ok;

	sqlite3_bind_int64(st, 1, (int64_t)seq);
	rc = db_row(s, st, err);
	if (rc == 1)
		read_place(st, &at);
	ok = rc >= 0 && say(s, &at, sink, how, err);
	sqlite3_reset(st);
	return ok;
}

bool
given_give_entry(struct store *s, uint64_t seq, uint32_t sink, struct err *err)
{
	return given_take_back_entry(s, seq, sink, GIVEN, err);
}
