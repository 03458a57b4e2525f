/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>

#include "daemon/journal/periods.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

#define ENDED_MOST 64 /* so many that ended are kept for a look */

struct row {
	struct journal_period period;
	uint64_t edit, saved;
	bool is_gone;
};

struct periods {
	pthread_mutex_t lock;
	struct row *rows; /* in order of their numbers */
	size_t n;
	uint64_t last; /* number given */
	bool may_hold; /* so that looking for those that are held costs nothing otherwise */
};

struct periods *
periods_new(void)
{
	struct periods *p = xcalloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	return p;
}

void
periods_free(struct periods *p)
{
	if (p == NULL)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p->rows);
	free(p);
}

/* ---- rows; under the lock ------------------------------------------------ */

/* Where it is, or would be. */
static size_t
row_place(const struct periods *p, uint64_t number)
{
	size_t i = p->n;

	while (i > 0 && p->rows[i - 1].period.number >= number)
		i--;
	return i;
}

static struct row *
row_find(struct periods *p, uint64_t number)
{
	size_t i = row_place(p, number);

	return i < p->n && p->rows[i].period.number == number && !p->rows[i].is_gone ? &p->rows[i]
	                                                                             : NULL;
}

static struct row *
row_add(struct periods *p, const struct journal_period *what)
{
	size_t i = row_place(p, what->number);

	p->rows = xreallocarray(p->rows, p->n + 1, sizeof(*p->rows));
	memmove(p->rows + i + 1, p->rows + i, (p->n - i) * sizeof(*p->rows));
	p->n++;
	p->rows[i] = (struct row) { .period = *what };
	if (what->number > p->last)
		p->last = what->number;
	p->may_hold |= (what->flags & JOURNAL_PERIOD_HELD) != 0;
	return &p->rows[i];
}

static bool
has_ended(const struct row *row)
{
	return (row->period.flags & (JOURNAL_PERIOD_DONE | JOURNAL_PERIOD_CANCELLED)) != 0;
}

static bool
is_growing_for(const struct row *row, uint32_t sink)
{
	return !row->is_gone && !has_ended(row) && row->period.sink == sink
	    && (row->period.flags & JOURNAL_PERIOD_GROWS) != 0;
}

static bool
is_held_for(const struct row *row, uint32_t sink)
{
	return !row->is_gone && !has_ended(row) && row->period.sink == sink
	    && (row->period.flags & JOURNAL_PERIOD_HELD) != 0;
}

static void
let_old_go(struct periods *p)
{
	size_t ended = 0;

	for (size_t i = p->n; i > 0; i--) {
		struct row *row = &p->rows[i - 1];

		if (row->is_gone || !has_ended(row) || ++ended < ENDED_MOST)
			continue;
		row->is_gone = true;
		row->edit++;
	}
}

/* ---- the loop's side ----------------------------------------------------- */

/* Returns its number. */
static uint64_t
row_new(struct periods *p, const struct journal_period *what)
{
	struct journal_period period = *what;

	period.number = p->last + 1;
	row_add(p, &period)->edit = 1;
	return period.number;
}

uint64_t
periods_add(struct periods *p, const struct journal_period *what)
{
	uint64_t number;

	pthread_mutex_lock(&p->lock);
	let_old_go(p);
	number = row_new(p, what);
	pthread_mutex_unlock(&p->lock);
	return number;
}

void
periods_hold(struct periods *p, uint32_t sink, const struct journal_period *what, size_t n)
{
	pthread_mutex_lock(&p->lock);
	let_old_go(p);
	for (size_t i = 0; i < n; i++) {
		struct journal_period period = what[i];

		period.sink = sink;
		period.flags |= JOURNAL_PERIOD_HELD;
		(void)row_new(p, &period);
	}
	pthread_mutex_unlock(&p->lock);
}

bool
periods_cancel(struct periods *p, uint64_t number)
{
	struct row *row;
	bool is_open;

	pthread_mutex_lock(&p->lock);
	row = row_find(p, number);
	is_open = row != NULL && !has_ended(row);
	if (is_open) {
		row->period.flags |= JOURNAL_PERIOD_CANCELLED;
		row->edit++;
	}
	pthread_mutex_unlock(&p->lock);
	return is_open;
}

static bool
is_to_be_read(const struct row *row, uint32_t stream)
{
	return !row->is_gone && !has_ended(row) && row->period.stream == stream
	    && (row->period.flags & (JOURNAL_PERIOD_GROWS | JOURNAL_PERIOD_HELD)) == 0;
}

bool
periods_next(struct periods *p, uint32_t stream, uint64_t after, struct journal_period *out)
{
	bool found = false;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n && !found; i++) {
		found = p->rows[i].period.number > after && is_to_be_read(&p->rows[i], stream);
		if (found)
			*out = p->rows[i].period;
	}
	pthread_mutex_unlock(&p->lock);
	return found;
}

size_t
periods_open(struct periods *p, uint32_t sink)
{
	size_t n = 0;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n; i++) {
		const struct row *row = &p->rows[i];

		n += !row->is_gone && !has_ended(row) && row->period.sink == sink;
	}
	pthread_mutex_unlock(&p->lock);
	return n;
}

size_t
periods_list(struct periods *p, struct journal_period *out, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n && n < max; i++)
		if (!p->rows[i].is_gone)
			out[n++] = p->rows[i].period;
	pthread_mutex_unlock(&p->lock);
	return n;
}

/* ---- the engine's side --------------------------------------------------- */

void
periods_load(struct periods *p, const struct journal_period *what)
{
	size_t i;

	pthread_mutex_lock(&p->lock);
	i = row_place(p, what->number);
	if (i == p->n || p->rows[i].period.number != what->number)
		row_add(p, what);
	pthread_mutex_unlock(&p->lock);
}

bool
periods_find(struct periods *p, uint64_t number, struct journal_period *out)
{
	const struct row *row;

	pthread_mutex_lock(&p->lock);
	row = row_find(p, number);
	if (row != NULL)
		*out = row->period;
	pthread_mutex_unlock(&p->lock);
	return row != NULL;
}

void
periods_growing(struct periods *p, uint32_t sink, uint32_t stream, struct journal_period *out)
{
	bool found = false;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n && !found; i++) {
		found = is_growing_for(&p->rows[i], sink) && p->rows[i].period.stream == stream;
		if (found)
			*out = p->rows[i].period;
	}
	if (!found)
		*out = (struct journal_period) { .number = ++p->last, .stream = stream,
			.sink = sink, .from = INT64_MAX, .to = INT64_MIN, .at = TICKS_NONE,
			.flags = JOURNAL_PERIOD_ALL | JOURNAL_PERIOD_GAP | JOURNAL_PERIOD_GROWS };
	pthread_mutex_unlock(&p->lock);
}

bool
periods_next_growing(struct periods *p, uint32_t sink, uint64_t after, struct journal_period *out)
{
	bool found = false;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n && !found; i++) {
		found = p->rows[i].period.number > after && is_growing_for(&p->rows[i], sink);
		if (found)
			*out = p->rows[i].period;
	}
	pthread_mutex_unlock(&p->lock);
	return found;
}

bool
periods_holding(struct periods *p, uint32_t after, uint32_t *sink, int64_t *from)
{
	bool found = false;

	pthread_mutex_lock(&p->lock);
	*sink = UINT32_MAX;
	for (size_t i = 0; p->may_hold && i < p->n; i++) {
		const struct row *row = &p->rows[i];
		uint32_t number = row->period.sink;

		if (number <= after || number > *sink || !is_held_for(row, number))
			continue;
		if (number < *sink || row->period.from < *from)
			*from = row->period.from;
		*sink = number;
		found = true;
	}
	p->may_hold &= found || after > 0;
	pthread_mutex_unlock(&p->lock);
	return found;
}

bool
periods_next_held(struct periods *p, uint32_t sink, uint32_t stream, uint64_t after,
    struct journal_period *out)
{
	bool found = false;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n && !found; i++) {
		const struct row *row = &p->rows[i];

		found = row->period.number > after && is_held_for(row, sink)
		    && (stream == 0 || row->period.stream == stream);
		if (found)
			*out = row->period;
	}
	pthread_mutex_unlock(&p->lock);
	return found;
}

bool
periods_unsaved(struct periods *p, uint64_t after, struct periods_unsaved *out)
{
	bool found = false;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n && !found; i++) {
		const struct row *row = &p->rows[i];

		if (row->period.number <= after || row->edit == row->saved)
			continue;
		*out = (struct periods_unsaved) { row->period, row->edit, row->is_gone };
		found = true;
	}
	pthread_mutex_unlock(&p->lock);
	return found;
}

void
periods_saved(struct periods *p, uint64_t number, uint64_t edit)
{
	size_t i;

	pthread_mutex_lock(&p->lock);
	i = row_place(p, number);
	if (i < p->n && p->rows[i].period.number == number) {
		p->rows[i].saved = edit;
		if (p->rows[i].is_gone && p->rows[i].edit == edit) {
			memmove(p->rows + i, p->rows + i + 1, (p->n - i - 1) * sizeof(*p->rows));
			p->n--;
		}
	}
	pthread_mutex_unlock(&p->lock);
}

void
periods_forget_sink(struct periods *p, uint32_t sink)
{
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n; i++) {
		struct row *row = &p->rows[i];

		if (row->is_gone || row->period.sink != sink)
			continue;
		row->is_gone = true;
		row->edit++;
	}
	pthread_mutex_unlock(&p->lock);
}

uint64_t
periods_forget_stream(struct periods *p, uint32_t stream)
{
	uint64_t n = 0;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n; i++) {
		struct row *row = &p->rows[i];

		if (row->is_gone || row->period.stream != stream)
			continue;
		row->is_gone = true;
		row->edit++;
		n++;
	}
	pthread_mutex_unlock(&p->lock);
	return n;
}

void
periods_unsave_all(struct periods *p)
{
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n; i++)
		p->rows[i].edit++;
	pthread_mutex_unlock(&p->lock);
}

void
periods_put(struct periods *p, const struct journal_period *what)
{
	struct row *row;
	unsigned cancelled;
	size_t i;

	pthread_mutex_lock(&p->lock);
	i = row_place(p, what->number);
	row = i < p->n && p->rows[i].period.number == what->number ? &p->rows[i] : row_add(p, what);
	cancelled = row->period.flags & JOURNAL_PERIOD_CANCELLED;
	row->period = *what;
	row->period.flags |= cancelled;
	pthread_mutex_unlock(&p->lock);
}
