/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/account.h"
#include "daemon/journal/journal_sqlite.h"
#include "lib/base/ticks.h"

/*
 * What waits is looked at before the memory, and what was stored meanwhile after it: what is
 * accepted in between counts as waiting still, and nothing that waits as accepted.
 */
#define STEP_ROWS 2000
#define HOUR      (3600 * TICKS_SEC)

/* The hour of what shows no time, or one that is impossible, goes with every time. */
static bool
is_of(const struct account *a, int64_t key)
{
	int64_t hour = memory_hour(key);

	return hour == 0 || (hour >= a->from / HOUR && hour <= (a->to - 1) / HOUR);
}

/* ---- what waits -------------------------------------------------------------------- */

/* The next rows of one sink. *looked: how many there were. */
static bool
wait_some(struct store *s, struct journal_task *t, uint32_t sink, size_t *looked, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_ACCOUNT);
	int rc;

	*looked = 0;
	sqlite3_bind_int64(st, 1, sink);
	sqlite3_bind_int64(st, 2, t->at[1]);
	sqlite3_bind_int64(st, 3, STEP_ROWS);
	while ((rc = db_row(s, st, err)) == 1) {
		*looked += 1;
		t->at[1] = sqlite3_column_int64(st, 0);
		if ((uint32_t)sqlite3_column_int64(st, 1) == t->account->stream &&
		    sqlite3_column_type(st, 2) != SQLITE_NULL &&
		    is_of(t->account, sqlite3_column_int64(st, 2)))
			account_wait(t->account, column_bytes(st, 3), sink);
	}
	return rc >= 0;
}

/* Of all sinks, one after the other; at[0] is the place, at[1] the entry. */
static bool
wait_step(struct store *s, struct journal_task *t, struct err *err)
{
	int64_t from = t->phase == 0 ? 0 : (int64_t)t->account->to_seq;
	size_t looked = 0;

	if (t->phase == 0 && t->at[0] == 0 && t->at[1] == 0)
		t->account->to_seq = s->next_seq - 1;
	while ((size_t)t->at[0] < s->nplaces && looked == 0) {
		const struct place *p = s->places[t->at[0]];

		if (t->at[1] < from)
			t->at[1] = from;
		if (p != NULL && p->entries > 0 && !p->is_forgotten &&
		    !wait_some(s, t, p->sink, &looked, err))
			return false;
		if (looked == STEP_ROWS)
			return true;
		t->at[0]++;
		t->at[1] = 0;
	}
	if ((size_t)t->at[0] >= s->nplaces) {
		t->is_over = t->phase != 0;
		t->phase++;
		t->at[0] = t->at[1] = 0;
	}
	return true;
}

/* ---- the memory ---------------------------------------------------------------------- */

static void
take_row(struct store *s, struct account *a, sqlite3_stmt *st)
{
	struct memory_slot slot;
	struct given given;

	memory_slot_read(st, &slot);
	if (!slot.is_known || (uint32_t)sqlite3_column_int64(st, 1) != a->stream)
		return;
	given_of_slot(s, &slot, &given);
	account_remember(a, column_bytes(st, 2), slot.was.created, slot.journalled, slot.is_said,
	    &given);
}

/* The next rows of the hour at[0], keys from at[1] on. */
static bool
memory_step(struct store *s, struct journal_task *t, struct err *err)
{
	struct account *a = t->account;
	int64_t hour = t->at[0] == 0 ? 0 : a->from / HOUR + t->at[0] - 1;
	int64_t first = memory_first(hour, a->stream), key = first;
	sqlite3_stmt *st = db_use(s, ST_MEMORY_FIND);
	size_t looked = 0;
	int rc = 0;

	sqlite3_bind_int64(st, 1, t->at[1] > first ? t->at[1] : first);
	sqlite3_bind_int64(st, 2, memory_last(first));
	while (looked < STEP_ROWS && (rc = db_row(s, st, err)) == 1) {
		key = sqlite3_column_int64(st, 0);
		take_row(s, a, st);
		looked++;
	}
	sqlite3_reset(st);
	if (rc < 0)
		return false;
	t->at[1] = looked == STEP_ROWS ? key + 1 : 0;
	t->at[0] += looked != STEP_ROWS;
	if (a->from / HOUR + t->at[0] - 1 > (a->to - 1) / HOUR) {
		t->phase++;
		t->at[0] = t->at[1] = 0;
	}
	return true;
}

static void
say_sinks(const struct store *s, struct account *a)
{
	a->reasons_since = s->reasons_since;
	for (size_t i = 0; i < a->nsinks; i++) {
		const struct place *p = place_of(s, a->sinks[i]);

		a->since[i] = p != NULL ? p->since : 0;
	}
}

bool
account_step(struct store *s, struct journal_task *t, struct err *err)
{
	if (s->db == NULL)
		return err_set(err, ERR_TEMP, "the journal is closed after a failure");
	s->now = clock_wall(s->clock);
	say_sinks(s, t->account);
	return t->phase == 1 ? memory_step(s, t, err) : wait_step(s, t, err);
}
