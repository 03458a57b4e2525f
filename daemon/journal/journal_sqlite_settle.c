/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"

/* Marks in the order of their places; those of one entry in the order they came. */
static int
mark_cmp(const void *a, const void *b)
{
	const struct mark_job *x = *(struct mark_job *const *)a, *y = *(struct mark_job *const *)b;

	if (x->sink != y->sink)
		return x->sink < y->sink ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return (x > y) - (x < y);
}

static bool
is_sorted(struct mark_job *const *marks, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (mark_cmp(&marks[i - 1], &marks[i]) > 0)
			return false;
	return true;
}

static bool
drop_todo(struct store *s, uint32_t sink, uint64_t first, uint64_t last, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_TODO_DROP);

	sqlite3_bind_int64(st, 1, sink);
	sqlite3_bind_int64(st, 2, (int64_t)first);
	sqlite3_bind_int64(st, 3, (int64_t)last);
	return db_run(s, st, err);
}

/*
 * Deletes with one statement as many rows as the next marks name without one
 * between them that they do not. *taken: marks that are done with.
 */
static bool
settle_run(struct store *s, struct mark_job *const *marks, size_t n, size_t *taken,
    struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_TODO_SCAN);
	uint64_t first = marks[0]->seq, last = first;
	size_t k = 0, found = 0;
	int rc;

	sqlite3_bind_int64(st, 1, marks[0]->sink);
	sqlite3_bind_int64(st, 2, (int64_t)first);
	sqlite3_bind_int64(st, 3, (int64_t)marks[n - 1]->seq);
	while ((rc = db_row(s, st, err)) == 1) {
		uint64_t seq = (uint64_t)sqlite3_column_int64(st, 0);

		while (k < n && marks[k]->seq < seq)
			k++;
		if (k == n || marks[k]->seq != seq)
			break;
		change_add(s, (struct change) { CHANGE_SETTLED, .sink = marks[0]->sink, .seq = seq,
		    .n = (uint64_t)sqlite3_column_int64(st, 1) });
		found++;
		last = seq;
		k++;
	}
	sqlite3_reset(st);
	if (rc == 0)
		k = n; /* the others have no row any more */
	*taken = k > 0 ? k : 1;
	return rc >= 0 && (found == 0 || drop_todo(s, marks[0]->sink, first, last, err)) &&
	       (marks[0]->what != MARK_OK || letters_accepted(s, marks[0]->sink, first, last, err));
}

static bool
settle_ok(struct store *s, struct mark_job *const *marks, size_t n, struct err *err)
{
	for (size_t i = 0, taken; i < n; i += taken)
		if (!settle_run(s, marks + i, n - i, &taken, err))
			return false;
	return true;
}

static bool
settle_later(struct store *s, const struct mark_job *m, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_TODO_LATER);

	sqlite3_bind_int64(st, 1, m->sink);
	sqlite3_bind_int64(st, 2, (int64_t)m->seq);
	sqlite3_bind_int64(st, 3, m->due);
	sqlite3_bind_int64(st, 4, m->tries);
	bind_text(st, 5, m->memo);
	bind_text(st, 6, m->why);
	if (!db_run(s, st, err))
		return false;
	if (sqlite3_changes(s->db) > 0)
		change_add(s, (struct change) { CHANGE_LATER, .sink = m->sink, .seq = m->seq,
		    .due = m->due });
	return true;
}

/* What is on disk becomes a letter only where it is what was refused. */
static bool
is_damaged(struct store *s, uint64_t seq, bool *damaged, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_ENTRY_GET);
	struct journal_item item;
	int rc;

	sqlite3_bind_int64(st, 1, (int64_t)seq);
	rc = db_row(s, st, err);
	*damaged = rc == 1 && !entry_from_row(st, 0, seq, &item);
	sqlite3_reset(st);
	return rc >= 0;
}

static bool
settle_dead(struct store *s, struct mark_job *const *m, struct err *err)
{
	const char *why = (*m)->why != NULL ? (*m)->why : "";
	size_t noted = s->nchanges, taken;
	bool was_one, damaged;

	if (!is_damaged(s, (*m)->seq, &damaged, err))
		return false;
	if (damaged)
		return entry_set_aside(s, (*m)->seq, err);
	if (!settle_run(s, m, 1, &taken, err))
		return false;
	if (s->nchanges == noted)
		return true; /* it was settled before */
	if (!letter_returned(s, (*m)->sink, (*m)->seq, why, &was_one, err))
		return false;
	if (was_one)
		return true;
	return letter_put(s, (*m)->sink, (*m)->seq, why, err) &&
	       given_take_back_entry(s, (*m)->seq, (*m)->sink, GIVEN_REFUSED, err);
}

/* How many marks from the first on can be treated alike. */
static size_t
alike(struct mark_job *const *marks, size_t n)
{
	size_t k = 1;

	while (k < n && marks[0]->what == MARK_OK && marks[k]->what == MARK_OK
	    && marks[k]->sink == marks[0]->sink)
		k++;
	return k;
}

static bool
settle_sorted(struct store *s, struct mark_job *const *marks, size_t n, struct err *err)
{
	for (size_t i = 0, k; i < n; i += k) {
		bool ok = false;

		k = alike(marks + i, n - i);
		switch (marks[i]->what) {
		case MARK_OK:
			ok = settle_ok(s, marks + i, k, err);
			break;
		case MARK_LATER:
			ok = settle_later(s, marks[i], err);
			break;
		case MARK_DEAD:
			ok = settle_dead(s, marks + i, err);
			break;
		}
		if (!ok)
			return false;
	}
	return true;
}

bool
settle_marks(struct store *s, struct mark_job *marks, size_t n, struct err *err)
{
	struct mark_job **sorted = xreallocarray(NULL, n + 1, sizeof(*sorted));
	bool ok;

	for (size_t i = 0; i < n; i++)
		sorted[i] = &marks[i];
	if (!is_sorted(sorted, n))
		qsort(sorted, n, sizeof(*sorted), mark_cmp);
	ok = settle_sorted(s, sorted, n, err);
	free(sorted);
	return ok;
}
