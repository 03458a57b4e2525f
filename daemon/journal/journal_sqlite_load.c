/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

typedef void row_fn(struct store *s, sqlite3_stmt *st);

static bool
each_row(struct store *s, const char *sql, row_fn *fn, struct err *err)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);

	if (rc != SQLITE_OK)
		return db_fail(s, rc, err);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		fn(s, st);
	if (rc != SQLITE_DONE)
		db_fail(s, rc, err);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE;
}

static const char *
text_of(sqlite3_stmt *st, int i)
{
	const unsigned char *text = sqlite3_column_text(st, i);

	return text == NULL ? "" : (const char *)text;
}

/* ---- meta ---------------------------------------------------------------- */

static void
on_meta(struct store *s, sqlite3_stmt *st)
{
	const struct {
		const char *name;
		uint64_t *value;
	} rows[] = {
		{ "entries", &s->counts.entries },
		{ "memory", &s->counts.memory },
		{ "dead", &s->counts.dead },
		{ "dead_bytes", &s->counts.dead_bytes },
		{ "quarantine", &s->counts.quarantine },
		{ "quarantine_bytes", &s->counts.quarantine_bytes },
		{ "gaps", &s->counts.gaps },
		{ "letters", &s->counts.letters },
	};
	const char *name = text_of(st, 0);
	uint64_t value = (uint64_t)sqlite3_column_int64(st, 1);

	/* Numbers never go back, not even where the file does. */
	if (strcmp(name, "next_seq") == 0 && value > s->next_seq)
		s->next_seq = value;
	if (strcmp(name, "trimmed_to") == 0)
		s->trimmed_to = (int64_t)value;
	if (strcmp(name, "reasons_since") == 0) {
		s->reasons_since = (int64_t)value;
		s->is_reasons_saved = true;
	}
	if (strcmp(name, "purging") == 0)
		registry_load_purge(s->reg, text_of(st, 1));
	if (strcmp(name, "clean") == 0)
		s->was_clean = sqlite3_column_int(st, 1) == 1;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(name, rows[i].name) == 0)
			*rows[i].value = value;
}

/* ---- names --------------------------------------------------------------- */

static void
on_stream(struct store *s, sqlite3_stmt *st)
{
	registry_load_stream(s->reg, (uint32_t)sqlite3_column_int64(st, 0), text_of(st, 1),
	    text_of(st, 2), column_ticks(st, 3));
}

static void
on_reader(struct store *s, sqlite3_stmt *st)
{
	registry_load_reader(s->reg, (uint32_t)sqlite3_column_int64(st, 0), text_of(st, 1),
	    sqlite3_column_int64(st, 2));
}

static void
on_sink(struct store *s, sqlite3_stmt *st)
{
	uint32_t sink = (uint32_t)sqlite3_column_int64(st, 0);
	bool is_forgotten = sqlite3_column_int(st, 3) != 0;
	bool is_parked = sqlite3_column_int(st, 4) != 0;
	struct place *p = load_place(s, sink);

	registry_load_sink(s->reg, sink, text_of(st, 1), column_ticks(st, 2), is_forgotten, is_parked);
	p->is_forgotten = is_forgotten;
	p->is_parked = is_parked;
	p->park_from = 0;
	p->since = sqlite3_column_int64(st, 5);
}

static void
on_period(struct store *s, sqlite3_stmt *st)
{
	const struct journal_period p = {
		.number = (uint64_t)sqlite3_column_int64(st, 0),
		.stream = (uint32_t)sqlite3_column_int64(st, 1),
		.sink = (uint32_t)sqlite3_column_int64(st, 2),
		.from = sqlite3_column_int64(st, 3),
		.to = sqlite3_column_int64(st, 4),
		.at = column_ticks(st, 5),
		.made = sqlite3_column_int64(st, 6),
		.flags = (unsigned)sqlite3_column_int64(st, 7),
		.seen = (uint64_t)sqlite3_column_int64(st, 8),
		.told = (uint64_t)sqlite3_column_int64(st, 9),
	};

	periods_load(registry_periods(s->reg), &p);
	/* Of a sink that a crash kept from being stored, or that was let go: nobody's. */
	if (p.sink != 0 && !registry_is_sink(s->reg, p.sink))
		periods_forget_sink(registry_periods(s->reg), p.sink);
}

struct place *
load_place(struct store *s, uint32_t sink)
{
	while (s->nplaces < sink) {
		s->places = xreallocarray(s->places, s->nplaces + 1, sizeof(*s->places));
		s->places[s->nplaces++] = NULL;
	}
	if (s->places[sink - 1] == NULL)
		s->places[sink - 1] = place_new(sink);
	return s->places[sink - 1];
}

/* ---- entries and places -------------------------------------------------- */

/* A sink whose name was lost with a damaged page keeps its entries under a name of ours. */
static struct place *
place_for_todo(struct store *s, uint32_t sink)
{
	char name[32];

	if (registry_sink_name(s->reg, sink) == NULL) {
		snprintf(name, sizeof(name), "lost-name-%" PRIu32, sink);
		registry_load_sink(s->reg, sink, name, clock_wall(s->clock), false,
		    false);
		registry_unsave_all(s->reg);
	}
	return load_place(s, sink);
}

static void
on_todo(struct store *s, sqlite3_stmt *st)
{
	struct place *p = place_for_todo(s, (uint32_t)sqlite3_column_int64(st, 0));
	uint64_t seq = (uint64_t)sqlite3_column_int64(st, 1);

	p->entries++;
	p->bytes += (uint64_t)sqlite3_column_int64(st, 2);
	if (seq > p->newest)
		p->newest = seq;
	ledger_wait(&s->ledger, seq);
}

static void
on_waiting(struct store *s, sqlite3_stmt *st)
{
	place_later(load_place(s, (uint32_t)sqlite3_column_int64(st, 0)),
	    (uint64_t)sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2));
}

static void
on_dead(struct store *s, sqlite3_stmt *st)
{
	uint32_t sink = (uint32_t)sqlite3_column_int64(st, 0);

	if (sink >= 1 && sink <= s->nplaces && s->places[sink - 1] != NULL)
		s->places[sink - 1]->dead = (uint64_t)sqlite3_column_int64(st, 1);
}

static void
on_retried(struct store *s, sqlite3_stmt *st)
{
	struct place *p = place_of(s, (uint32_t)sqlite3_column_int64(st, 0));

	if (p == NULL)
		return;
	p->retrying = (uint64_t)sqlite3_column_int64(st, 1);
	p->retry_from = (uint64_t)sqlite3_column_int64(st, 2);
	p->retry_at = clock_wall(s->clock);
}

/* Letters that an older msspd numbered, or that are here from a damaged file. */
static void
on_letters(struct store *s, sqlite3_stmt *st)
{
	uint64_t last = (uint64_t)sqlite3_column_int64(st, 0);

	if (last > s->counts.letters)
		s->counts.letters = last;
}

static void
on_range(struct store *s, sqlite3_stmt *st)
{
	uint64_t first = (uint64_t)sqlite3_column_int64(st, 0);
	uint64_t last = (uint64_t)sqlite3_column_int64(st, 1);

	if (sqlite3_column_type(st, 0) == SQLITE_NULL)
		return;
	ledger_assume_done(&s->ledger, first, last);
	if (last >= s->next_seq)
		s->next_seq = last + 1;
}

static void
on_counted(struct store *s, sqlite3_stmt *st)
{
	s->counts.entries = (uint64_t)sqlite3_column_int64(st, 0);
	s->counts.memory = (uint64_t)sqlite3_column_int64(st, 1);
}

/* After an unclean stop these two may be old; counting a large file again would take too long. */
static bool
count_again(struct store *s, struct err *err)
{
	if (s->was_clean || !disk_measure(s, err) || s->pages > 4096)
		return s->was_clean || s->rc == SQLITE_OK || s->pages > 4096;
	return each_row(s, "SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM memory)",
	    on_counted, err);
}

static void
forget_figures(struct store *s)
{
	ledger_release(&s->ledger);
	s->counts = (struct counts) { 0 };
	s->was_clean = s->is_reasons_saved = false;
	s->reasons_since = 0;
	s->trimmed_to = clock_wall(s->clock);
	s->next_trim_at = 0;
	registry_load_purge(s->reg, NULL);
	for (size_t i = 0; i < s->nplaces; i++) {
		struct place *p = s->places[i];

		if (p != NULL)
			p->entries = p->bytes = p->dead = p->retrying = p->oldest_seq = 0;
	}
}

bool
load_names(struct store *s, struct err *err)
{
	return each_row(s, "SELECT id, key, about, begin FROM stream", on_stream, err) &&
	       each_row(s, "SELECT stream, name, cursor FROM reader", on_reader, err) &&
	       each_row(s,
		   "SELECT id, name, undeclared_since, forgotten, parked, since"
		   " FROM sink",
		   on_sink, err) &&
	       each_row(s,
		   "SELECT n, stream, sink, since, until, at, made, flags, seen, told"
		   " FROM period ORDER BY n",
		   on_period, err);
}

/* What was said of it is true only if nothing was trimmed since. */
static bool
know_what_is_kept(struct store *s)
{
	if (!s->was_clean)
		s->trimmed_to = clock_wall(s->clock);
	if (s->reasons_since == 0)
		s->reasons_since = clock_wall(s->clock);
	return true;
}

bool
load(struct store *s, struct err *err)
{
	bool is_first = s->next_seq == 0;

	s->rc = SQLITE_OK;
	forget_figures(s);
	if (is_first)
		s->next_seq = 1;
	return each_row(s, "SELECT name, value FROM meta", on_meta, err)
	    && load_names(s, err)
	    && each_row(s, "SELECT (SELECT min(seq) FROM entry), (SELECT max(seq) FROM entry)",
	           on_range, err)
	    && each_row(s, "SELECT sink, seq, size FROM todo", on_todo, err)
	    && (!is_first || each_row(s, "SELECT sink, seq, due FROM todo WHERE memo IS NOT NULL",
	                         on_waiting, err))
	    && each_row(s, "SELECT sink, count(*) FROM dead GROUP BY sink", on_dead, err)
	    && each_row(s, "SELECT sink, count(*), min(retry) FROM dead WHERE retry IS NOT NULL"
	           " GROUP BY sink", on_retried, err)
	    && each_row(s, "SELECT max(ifnull((SELECT max(n) FROM dead), 0),"
	           " ifnull((SELECT max(n) FROM quarantine), 0))", on_letters, err)
	    && count_again(s, err) && know_what_is_kept(s);
}
