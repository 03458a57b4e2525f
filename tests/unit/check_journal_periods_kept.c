/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/journal/periods.h"
#include "tests/unit/period_stage.h"

/* Periods and parked sinks over a restart, and a crash. */

START_TEST(test_restart)
{
	struct journal_period p, gap;
	struct kit k;
	uint32_t siem;
	uint64_t number;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	siem = journal_sink(k.j, "siem");
	number = ask(&k, siem);
	kit_must_append(&k, replay_page(&k, "a", 2, number, V(40)));
	park(&k, siem, true);
	put(&k, "b", 2, V(50), siem);
	kit_close(&k);
	kit_must_open(&k);
	ck_assert(period(&k, number, &p));
	ck_assert(p.at == V(40) && p.seen == 2 && p.told == 2 && p.sink == siem && p.to == V(100));
	ck_assert(kit_backlog(&k, siem).is_parked);
	put(&k, "c", 1, V(60), siem);
	ck_assert(period(&k, number + 1, &gap));
	ck_assert(gap.from == V(50) && gap.to == V(60) + 1);
	ck_assert_uint_gt(ask(&k, 0), gap.number);
	park(&k, siem, false);
	kit_close(&k);
	kit_must_open(&k);
	ck_assert(!kit_backlog(&k, siem).is_parked);
	ck_assert(period(&k, gap.number, &gap));
	ck_assert_uint_eq(gap.flags & JOURNAL_PERIOD_GROWS, 0);
	kit_release(&k);
}
END_TEST

/* Asked for, and killed: it begins again. Nothing waited for the sink then. */
START_TEST(test_resend_over_a_restart)
{
	struct journal_batch *b;
	struct kit k;
	uint32_t siem;

	kit_init(&k, &journal_sqlite);
	k.opts.keep_delivered_ms = 86400000;
	kit_must_open(&k);
	siem = journal_sink(k.j, "siem");
	put(&k, "a", 3, V(1), siem);
	ck_assert_str_eq(got(&k, siem), "a-0 a-1 a-2 ");
	kit_wait_backlog(&k, siem, 0);
	put(&k, "b", 1, V(9), siem);
	b = kit_read(&k, siem, 10, SIZE_MAX, NULL);
	lose(&k, siem, k.clock.wall - 60 * TICKS_SEC);
	kit_run(&k, 100);
	kit_close(&k);
	journal_batch_free(b);
	kit_must_open(&k);
	ck_assert(kit_wait(&k, is_resent, 5000));
	ck_assert_str_eq(got(&k, siem), "a-0 a-1 a-2 b-0 ");
	kit_release(&k);
}
END_TEST

/* Its number may be another's after a restart: that one is given none of its periods. */
START_TEST(test_forgotten_sink)
{
	struct journal_period all[4];
	struct kit k;
	uint32_t old;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	old = journal_sink(k.j, "old");
	ask(&k, old);
	park(&k, old, true);
	put(&k, "a", 1, V(5), old);
	ck_assert_uint_eq(journal_periods(k.j, all, 4), 2);
	journal_sinks_declare(k.j, NULL, 0);
	ck_assert(journal_sink_forget(k.j, "old"));
	kit_run(&k, 1500);
	ck_assert_uint_eq(journal_periods(k.j, all, 4), 0);
	kit_close(&k);
	kit_must_open(&k);
	ck_assert_uint_eq(journal_sink(k.j, "new"), old);
	kit_run(&k, 100);
	ck_assert_uint_eq(journal_periods(k.j, all, 4), 0);
	kit_release(&k);
}
END_TEST

/* It ended, and was let go while a transaction that had it was under way. */
START_TEST(test_gone_meanwhile)
{
	struct periods *p = periods_new();
	struct periods_unsaved u;
	struct journal_period all[128], any = { .at = TICKS_NONE };
	uint64_t first = periods_add(p, &any);

	for (int i = 0; i < 80; i++)
		periods_cancel(p, periods_add(p, &any));
	ck_assert(periods_cancel(p, first));
	ck_assert(periods_unsaved(p, 0, &u) && u.period.number == first && !u.is_gone);
	periods_add(p, &any);
	periods_put(p, &u.period);
	periods_saved(p, first, u.edit);
	ck_assert_uint_gt(periods_list(p, all, 128), 0);
	ck_assert_uint_ne(all[0].number, first);
	ck_assert(periods_unsaved(p, 0, &u) && u.period.number == first && u.is_gone);
	periods_saved(p, first, u.edit);
	ck_assert(!periods_unsaved(p, 0, &u) || u.period.number != first);
	periods_free(p);
}
END_TEST

/* Entries of a number each, "p<n>-0" of version V(n); parks and unparks in between. The parent
 * kills it somewhere. */
static void
live_and_be_killed(struct kit *k, int out)
{
	uint32_t siem;

	kit_must_open(k);
	siem = journal_sink(k->j, "siem");
	for (int n = 0;; n++) {
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "p%d", n);
		put(k, prefix, 1, V(n), siem);
		if (n % 700 == 500)
			journal_sink_park(k->j, siem, true);
		if (n % 700 == 699)
			journal_sink_park(k->j, siem, false);
		ck_assert_int_eq(write(out, &n, sizeof(n)), sizeof(n));
	}
}

static bool
is_in_a_period(const struct journal_period *all, size_t n, int64_t version)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].from <= version && version < all[i].to)
			return true;
	return false;
}

/* Each that was accepted waits for the sink, or lies in a period. */
static void
nothing_is_lost(struct kit *k, int last)
{
	uint32_t siem = journal_sink(k->j, "siem");
	struct journal_period all[64];
	size_t nall;
	bool *has = calloc((size_t)last + 2, sizeof(*has)), has_more = true;

	while (has_more) {
		struct journal_batch *b = kit_read(k, siem, 500, SIZE_MAX, NULL);

		for (size_t i = 0; i < b->n; i++) {
			int64_t n = (b->items[i].version - KIT_START) / TICKS_SEC;

			if (n <= last)
				has[n] = true;
		}
		has_more = b->has_more;
		journal_batch_free(b);
	}
	/* After that: what is still being let go moves from the one to the other. */
	nall = journal_periods(k->j, all, 64);
	for (int n = 0; n <= last; n++)
		ck_assert_msg(has[n] || is_in_a_period(all, nall, V(n)), "%d of %d is lost", n, last);
	free(has);
}

START_TEST(test_kill)
{
	static const int after[] = { 520, 640, 705, 1230 };
	struct kit k;
	int pipe_fd[2], n = -1, last = -1;
	pid_t pid;

	kit_init(&k, &journal_sqlite);
	ck_assert_int_eq(pipe(pipe_fd), 0);
	pid = fork();
	if (pid == 0)
		live_and_be_killed(&k, pipe_fd[1]);
	close(pipe_fd[1]);
	while (last < after[_i] && read(pipe_fd[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	kill(pid, SIGKILL);
	while (read(pipe_fd[0], &n, sizeof(n)) == sizeof(n))
		last = n;
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(pipe_fd[0]);
	kit_must_open(&k);
	nothing_is_lost(&k, last);
	kit_release(&k);
}
END_TEST

/* ---- sinks that are new --------------------------------------------------------- */

/* Each with two periods, of streams that are new too. The parent kills it somewhere. */
static void
add_sinks_and_be_killed(struct kit *k, int out)
{
	kit_must_open(k);
	for (int n = 0;; n++) {
		struct journal_period p[2] = { { .to = V(9), .at = TICKS_NONE },
			{ .from = V(10), .to = V(20), .at = TICKS_NONE } };
		char name[16], key[16];

		snprintf(name, sizeof(name), "s%d", n);
		snprintf(key, sizeof(key), "k%d", n);
		p[0].stream = p[1].stream = journal_stream(k->j, key, "about");
		journal_sink_since(k->j, name, p, 2);
		usleep(20); /* transactions begin at any time in between */
		ck_assert_int_eq(write(out, &n, sizeof(n)), sizeof(n));
	}
}

static unsigned
periods_of(const struct journal_period *all, size_t n, uint32_t sink)
{
	unsigned found = 0;

	for (size_t i = 0; i < n; i++)
		found += all[i].sink == sink;
	return found;
}

START_TEST(test_kill_with_new_sinks)
{
	struct journal_period *all = calloc(20000, sizeof(*all));
	struct journal_backlog *sinks = calloc(10000, sizeof(*sinks));
	struct kit k;
	int pipe_fd[2], n = -1;
	size_t nall, nsinks;
	pid_t pid;

	kit_init(&k, &journal_sqlite);
	ck_assert_int_eq(pipe(pipe_fd), 0);
	pid = fork();
	if (pid == 0)
		add_sinks_and_be_killed(&k, pipe_fd[1]);
	close(pipe_fd[1]);
	while (n < 900 + _i * 211 && read(pipe_fd[0], &n, sizeof(n)) == sizeof(n))
		continue;
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(pipe_fd[0]);
	kit_must_open(&k);
	nall = journal_periods(k.j, all, 20000);
	nsinks = journal_backlogs(k.j, sinks, 10000);
	for (size_t i = 0; i < nsinks; i++)
		ck_assert_uint_eq(periods_of(all, nall, sinks[i].number), 2);
	ck_assert_uint_eq(nall, 2 * nsinks);
	for (size_t i = 0; i < nall; i++)
		ck_assert_ptr_nonnull(journal_stream_key(k.j, all[i].stream));
	kit_release(&k);
	free(all);
	free(sinks);
}
END_TEST

START_TEST(test_new_sink)
{
	struct journal_period all[8], p = { .to = V(9), .at = TICKS_NONE, .sink = 99 };
	struct kit k;
	uint32_t a;

	kit_init(&k, &journal_sqlite);
	kit_must_open(&k);
	p.stream = stream(&k);
	a = journal_sink_since(k.j, "a", &p, 1);
	ck_assert_uint_eq(journal_sink_since(k.j, "a", &p, 1), a);
	ck_assert_uint_eq(journal_periods(k.j, all, 8), 1);
	ck_assert_uint_eq(all[0].sink, a);
	/* One that nobody has, as a crash could leave it, and what another asked for its number. */
	ask(&k, a + 1);
	kit_close(&k);
	kit_must_open(&k);
	ck_assert_uint_eq(journal_periods(k.j, all, 8), 1);
	ask(&k, a + 1);
	ck_assert_uint_eq(journal_sink_since(k.j, "b", &p, 1), a + 1);
	ck_assert_uint_eq(journal_periods(k.j, all, 8), 2);
	ck_assert(all[1].sink == a + 1 && all[1].to == V(9));
	kit_release(&k);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("journal_periods_kept");
	TCase *tc = tcase_create("periods");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	suite_add_tcase(s, tc);
	tcase_add_test(tc, test_restart);
	tcase_add_test(tc, test_resend_over_a_restart);
	tcase_add_test(tc, test_forgotten_sink);
	tcase_add_test(tc, test_gone_meanwhile);
	tcase_add_loop_test(tc, test_kill, 0, 4);
	tcase_add_test(tc, test_new_sink);
	tcase_add_loop_test(tc, test_kill_with_new_sinks, 0, 6);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
