/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "tests/unit/journal_stage.h"

/* How much the file may take, and what goes when. */

static void
high_water_pauses_and_resumes(struct kit *k)
{
	struct journal_appended r = { .ok = true };
	struct kit_page *urgent;
	uint32_t siem;
	size_t accepted = 0, taken;

	kit_close(k);
	k->opts.max_size = 16 * MIB;
	kit_must_open(k);
	siem = journal_sink(k->j, "siem");
	for (int i = 0; i < 100 && r.ok; i++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "p%d", i);
		r = kit_append(k, page(k, prefix, 100, 5200, siem));
		accepted += r.forwarded;
	}
	ck_assert(!r.ok);
	ck_assert_int_eq(r.state, JOURNAL_PAUSED);
	ck_assert_uint_gt(accepted, 1500);
	kit_run(k, 20);
	ck_assert_int_eq(journal_state(k->j), JOURNAL_PAUSED);
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_STATE], 1);
	urgent = page(k, "urgent", 1, 500, siem);
	urgent->page.is_urgent = true;
	ck_assert_msg(kit_append(k, urgent).ok, "what is urgent is taken");
	ck_assert(!kit_append(k, page(k, "not", 1, 500, siem)).ok);
	accepted++;
	taken = kit_drain(k, siem, true);
	ck_assert_uint_eq(taken, accepted);
	kit_wait_backlog(k, siem, 0);
	kit_run(k, 1500);
	ck_assert_int_eq(journal_state(k->j), JOURNAL_OK);
	ck_assert_int_eq(k->state, JOURNAL_OK);
	ck_assert(kit_append(k, page(k, "z", 100, 5200, siem)).ok);
}

static bool
is_small(struct kit *k)
{
	struct journal_stats stats;

	journal_stats(k->j, &stats);
	return stats.file_bytes < 6 * MIB;
}

static void
the_file_shrinks_after_an_outage(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_stats stats;

	for (int i = 0; i < 40; i++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "p%d", i);
		kit_must_append(k, page(k, prefix, 100, 5200, siem));
	}
	journal_stats(k->j, &stats);
	ck_assert_uint_gt(stats.file_bytes, 20 * MIB);
	ck_assert_uint_eq(kit_drain(k, siem, true), 4000);
	ck_assert_msg(kit_wait(k, is_small, 10000), "the file did not shrink");
	kit_close(k);
	ck_assert_int_lt(number(k, "PRAGMA page_count"), 6 * 64);
}

static void
the_log_is_emptied(struct kit *k)
{
	char *name = path(k, "journal.db-wal");
	uint32_t siem = journal_sink(k->j, "siem");
	struct stat st;

	for (int i = 0; i < 110; i++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "p%d", i);
		kit_must_append(k, page(k, prefix, 200, 5200, siem));
		kit_drain(k, siem, true);
	}
	ck_assert_int_eq(stat(name, &st), 0);
	ck_assert_int_lt(st.st_size, (int64_t)(80 * MIB));
	free(name);
}

static void
delivered_entries_stay_a_while(struct kit *k)
{
	uint32_t siem;
	struct journal_stats stats;

	kit_close(k);
	k->opts.keep_delivered_ms = 3600000;
	kit_must_open(k);
	siem = journal_sink(k->j, "siem");
	kit_must_append(k, page(k, "a", 50, 100, siem));
	kit_drain(k, siem, true);
	kit_run(k, 1500);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.entries, 50);
	atomic_store(&k->clock.wall, V(3599));
	kit_run(k, 1200);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.entries, 50);
	atomic_store(&k->clock.wall, V(3601));
	kit_run(k, 1500);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.entries, 0);
}

static void
delivered_entries_make_room(struct kit *k)
{
	uint32_t siem;

	kit_close(k);
	k->opts.keep_delivered_ms = 3600000;
	k->opts.max_size = 16 * MIB;
	kit_must_open(k);
	siem = journal_sink(k->j, "siem");
	for (int i = 0; i < 100; i++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "p%d", i);
		kit_must_append(k, page(k, prefix, 100, 5200, siem));
		ck_assert_uint_eq(kit_drain(k, siem, true), 100);
	}
	ck_assert_uint_eq(k->notes[JOURNAL_NOTE_STATE], 0);
}

/* Rounds of forgetting are minutes apart, and one may have begun just before the clock was set. */
static uint64_t
remembered_at_last(struct kit *k, uint64_t want)
{
	struct journal_stats stats;

	for (int i = 0; i < 60; i++) {
		atomic_fetch_add(&k->clock.ahead, 700000);
		kit_run(k, 500);
		journal_stats(k->j, &stats);
		if (stats.remembered <= want)
			break;
	}
	return stats.remembered;
}

static void
memory_is_forgotten_in_time(struct kit *k)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct kit_page *p = page(k, "a", 100, 10, siem);

	/* The newer half lies inside the window that is read again and again. */
	for (size_t i = 0; i < 100; i++)
		p->page.entries[i].now.version = V((int64_t)i);
	p->page.window_from = V(50);
	kit_must_append(k, p);
	atomic_store(&k->clock.wall, V(191 * 86400));
	ck_assert_uint_eq(remembered_at_last(k, 50), 50);
	ck_assert_uint_eq(kit_append(k, page(k, "a", 100, 10, siem)).skipped, 50);
}

/* An idle tenant's, after a restart: longer ago than anything is remembered, and read at each poll. */
static void
memory_waits_for_windows(struct kit *k)
{
	struct kit_page *p = page(k, "a", 100, 10, journal_sink(k->j, "siem"));
	struct journal_stats stats;

	p->page.window_from = V(0);
	kit_must_append(k, p);
	kit_close(k);
	atomic_store(&k->clock.wall, V(400 * 86400));
	kit_must_open(k);
	kit_run(k, 1500);
	journal_window(k->j, stream(k), V(0));
	atomic_store(&k->clock.ahead, 700000);
	kit_run(k, 1500);
	journal_stats(k->j, &stats);
	ck_assert_uint_eq(stats.remembered, 100);
}

/* Many that stay, the oldest, do not hide those behind them. */
static void
memory_is_forgotten_behind_what_stays(struct kit *k)
{
	struct kit_page *p = page(k, "a", 600, 10, journal_sink(k->j, "siem"));

	for (size_t i = 0; i < 600; i++) {
		p->page.entries[i].now.version = i < 300 ? V(50) : V(0);
		p->page.entries[i].now.created = V(i < 300 ? -2 * 3600 : 0);
	}
	p->page.window_from = V(50);
	kit_must_append(k, p);
	atomic_store(&k->clock.wall, V(191 * 86400));
	ck_assert_uint_eq(remembered_at_last(k, 300), 300);
}

static void
dead_letters_have_a_cap(struct kit *k)
{
	uint32_t siem;
	struct journal_stats stats;

	kit_close(k);
	k->opts.max_size = 16 * MIB;
	kit_must_open(k);
	siem = journal_sink(k->j, "siem");
	for (int i = 0; i < 6; i++) {
		char prefix[16];
		struct journal_batch *b;

		snprintf(prefix, sizeof(prefix), "p%d", i);
		kit_must_append(k, page(k, prefix, 60, 5200, siem));
		b = kit_read(k, siem, 100, SIZE_MAX, NULL);
		for (size_t n = 0; n < b->n; n++)
			kit_settle(k, siem, &b->items[n], MARK_DEAD, 0, NULL);
		journal_batch_free(b);
		kit_wait_backlog(k, siem, 0);
	}
	for (int i = 0; i < 20; i++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "q%d", i);
		kit_must_append(k, page(k, prefix, 1, 10, 0));
	}
	journal_stats(k->j, &stats);
	/* A sixteenth of 16 MiB. */
	ck_assert_uint_le(stats.dead, (1 << 20) / 5200 + 1);
	ck_assert_uint_gt(stats.dead, 150);
	ck_assert_uint_eq(kit_backlog(k, siem).dead, stats.dead);
	ck_assert_uint_gt(k->notes[JOURNAL_NOTE_DEAD_CAP], 0);
}

static void
quarantine_is_bounded(struct kit *k)
{
	struct journal_stats stats;

	kit_close(k);
	k->opts.max_size = 16 * MIB;
	kit_must_open(k);
	for (int i = 0; i < 6; i++) {
		char prefix[16];
		struct kit_page *p;

		snprintf(prefix, sizeof(prefix), "p%d", i);
		p = page(k, prefix, 60, 5200, 0);
		for (size_t n = 0; n < p->page.n; n++)
			p->page.entries[n].quarantine = true;
		kit_must_append(k, p);
	}
	for (int i = 0; i < 20; i++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "q%d", i);
		kit_must_append(k, page(k, prefix, 1, 10, 0));
	}
	journal_stats(k->j, &stats);
	ck_assert_uint_le(stats.quarantine, (1 << 20) / 5200 + 1);
	ck_assert_uint_gt(stats.quarantine, 150);
	ck_assert_uint_gt(k->notes[JOURNAL_NOTE_QUARANTINE_CAP], 0);
	ck_assert_msg(k->notes[JOURNAL_NOTE_QUARANTINE] == 0, "no row is damaged");
}

static const struct stage_case cases[] = {
	{ "high water pauses, draining resumes", high_water_pauses_and_resumes },
	{ "the file shrinks after an outage", the_file_shrinks_after_an_outage },
	{ "the log is emptied into the database", the_log_is_emptied },
	{ "what is read again is not forgotten before its reader has said so", memory_waits_for_windows },
	{ "quarantine is bounded, and nobody's disk is blamed", quarantine_is_bounded },
	{ "delivered entries stay for keep_delivered", delivered_entries_stay_a_while },
	{ "but not when the room is needed", delivered_entries_make_room },
	{ "memory is forgotten in time, never in the window", memory_is_forgotten_in_time },
	{ "nor only as far as the first that stay", memory_is_forgotten_behind_what_stays },
	{ "dead letters have a cap", dead_letters_have_a_cap },
};

int
main(void)
{
	return run_cases("journal_room", cases, (int)ARRAY_LEN(cases));
}
