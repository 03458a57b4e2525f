/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "tests/unit/sim.h"

#define MINUTE (60 * SIM_SEC)

static struct sim s;
static uint64_t seed = 1;

static uint64_t
some(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 33) % below;
}

static void
setup(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	sim_init(&s, &journal_mem);
}

static void
teardown(void)
{
	sim_release(&s);
}

/* Nothing twice, nothing that is not there, and one `new` an alert at most. */
static void
check_told_once(void)
{
	ck_assert_uint_eq(sim_w.strangers, 0);
	for (size_t i = 0; i < sim_w.n; i++) {
		const struct sim_alert *a = &sim_w.a[i];
		unsigned news = 0;

		for (unsigned k = 0; k < a->n; k++) {
			ck_assert_msg(a->v[k].delivered <= 1, "a%zu version %u came %u times", i, k,
			    a->v[k].delivered);
			news += a->v[k].delivered != 0 && a->v[k].kind == KIND_NEW;
		}
		ck_assert_msg(news <= 1, "a%zu was new %u times", i, news);
	}
}

/* The last version of each that has been visible for as long. */
static size_t
count_missing(int64_t patience)
{
	size_t missing = 0;

	for (size_t i = 0; i < sim_w.n; i++) {
		const struct sim_alert *a = &sim_w.a[i];
		const struct sim_version *last = &a->v[0];
		int64_t visible = a->v[0].visible;

		for (unsigned k = 1; k < a->n; k++) {
			last = a->v[k].at > last->at ? &a->v[k] : last;
			visible = a->v[k].visible > visible ? a->v[k].visible : visible;
		}
		missing += visible + patience < sim_now && last->delivered == 0;
	}
	return missing;
}

/* A year of an idle tenant: what came at its beginning is not told again. */
START_TEST(test_idle_year)
{
	for (int i = 0; i < 50; i++)
		(void)sim_add(sim_now - SIM_DAY / 2 + i * MINUTE, sim_now);
	(void)sim_add(sim_now + 70 * 365 * SIM_DAY, sim_now); /* and one of the far future */
	sim_run(&s, SIM_HOUR);
	ck_assert_uint_eq(s.fresh, 51);
	sim_run(&s, 365 * SIM_DAY);
	ck_assert_uint_eq(s.delivered, 51);
	ck_assert_uint_gt(sim_poller(&s)->figures.polls, 525000);
	check_told_once();
}
END_TEST

/* The journal forgets by itself, in its own time: a look begins it and the next one does it. */
static void
let_forget(void)
{
	for (int i = 0; i < 2; i++) {
		usleep(1300000);
		sim_run(&s, SIM_HOUR);
	}
	usleep(300000);
}

/* The same on disk, where what is old is forgotten, with stops between. */
START_TEST(test_idle_year_with_restarts)
{
	static const int days[] = { 1, 6, 30, 150, 40, 138 };
	struct journal_stats stats;

	sim_release(&s);
	sim_init(&s, &journal_sqlite);
	s.tenant.poll_interval_ms = SIM_HOUR;
	for (int i = 0; i < 50; i++)
		(void)sim_add(sim_now - SIM_DAY / 2 + i * MINUTE, sim_now);
	(void)sim_add(sim_now + 70 * 365 * SIM_DAY, sim_now);
	for (size_t i = 0; i < ARRAY_LEN(days); i++) {
		sim_run(&s, days[i] * SIM_DAY);
		if (i + 2 >= ARRAY_LEN(days))
			let_forget();
		ck_assert_msg(s.delivered == 51, "after %zu stops: %d told", i, (int)s.delivered);
		sim_close(&s);
		sim_open(&s);
	}
	sim_run(&s, SIM_DAY);
	ck_assert_uint_eq(s.delivered, 51);
	/* What is not read again is forgotten, and what is read again is not. */
	journal_stats(s.j, &stats);
	ck_assert_uint_lt(stats.remembered, 30);
	ck_assert_uint_ge(stats.remembered, 11);
	check_told_once();
}
END_TEST

/* Of a tenant that is never idle: alerts and updates, listed up to `late` after their stamp. */
static const struct {
	const char *says;
	int64_t late, patience; /* how late, and how soon they are told then */
	int days, a_day;
	int stop_every; /* hours; 0: never */
} lates[] = {
	{ "within the overlap", 9 * MINUTE, 3 * MINUTE, 4, 60, 0 },
	{ "up to two hours", 2 * SIM_HOUR, SIM_HOUR + 10 * MINUTE, 5, 60, 0 },
	{ "up to six days", 6 * SIM_DAY, SIM_DAY + 10 * MINUTE, 20, 15, 0 },
	{ "up to six days, with stops of some hours", 6 * SIM_DAY, SIM_DAY + 8 * SIM_HOUR, 20, 15,
	    30 },
};

static void
add_late(int64_t at, int64_t late)
{
	struct sim_alert *a = sim_add(at, at + (int64_t)some((uint64_t)late + 1));
	int64_t visible = a->v[0].visible;

	for (uint64_t n = some(4); n > 0; n--) {
		at += 1 + (int64_t)some((uint64_t)SIM_DAY);
		/* A version never shows before the one that it follows. */
		visible = visible > at ? visible : at;
		visible += (int64_t)some(3) == 0 ? (int64_t)some((uint64_t)late + 1) : 0;
		if (visible > at + late)
			visible = at + late;
		sim_update(a, at, visible);
	}
}

START_TEST(test_late)
{
	int64_t late = lates[_i].late, end;
	int n = lates[_i].days * lates[_i].a_day;

	sim_run(&s, SIM_HOUR);
	for (int i = 0; i < n; i++)
		add_late(sim_now + (int64_t)some((uint64_t)(lates[_i].days * SIM_DAY)), late);
	end = sim_now + (lates[_i].days + 10) * SIM_DAY;
	while (sim_now < end) {
		int64_t up = lates[_i].stop_every != 0 ? lates[_i].stop_every * SIM_HOUR : SIM_HOUR;

		sim_run(&s, up);
		ck_assert_msg(count_missing(lates[_i].patience) == 0, "%s: %zu missing at %.1f d",
		    lates[_i].says, count_missing(lates[_i].patience),
		    (double)sim_now / (double)SIM_DAY);
		if (lates[_i].stop_every != 0)
			sim_now = sim_now + 6 * SIM_HOUR;
	}
	ck_assert_uint_eq(count_missing(0), 0);
	check_told_once();
}
END_TEST

/* Listed six days late, when a sweep has just gone by; the next one is some time late itself. */
START_TEST(test_as_late_as_promised)
{
	struct reader *day;
	int64_t swept;

	sim_release(&s);
	sim_init(&s, &journal_sqlite);
	day = &sim_poller(&s)->readers[READER_DAY];
	sim_run(&s, 8 * SIM_DAY);
	(void)sim_add(sim_now, sim_now);
	while (day->due - sim_now > SIM_SEC)
		sim_run(&s, day->due - sim_now - SIM_SEC / 2);
	swept = day->swept;
	sim_run(&s, MINUTE);
	ck_assert_int_gt(day->swept, swept);
	(void)sim_add(sim_now - 6 * SIM_DAY, sim_now);
	day->due += SIM_HOUR;
	sim_run(&s, SIM_DAY + SIM_HOUR + MINUTE);
	ck_assert_uint_eq(count_missing(0), 0);
	/* A machine that was off for days. */
	(void)sim_add(sim_now - 5 * SIM_DAY, sim_now + SIM_DAY);
	sim_close(&s);
	sim_now = sim_now + 4 * SIM_DAY;
	sim_open(&s);
	sim_run(&s, 2 * SIM_HOUR);
	ck_assert_uint_eq(count_missing(0), 0);
	check_told_once();
}
END_TEST

static void
update_border(struct sim_world *w, size_t last)
{
	size_t other = (size_t)some(w->n);

	sim_update(&w->a[last], sim_now, sim_now);
	if (w->a[other].v[0].visible <= sim_now && w->a[other].v[w->a[other].n - 1].at < sim_now)
		sim_update(&w->a[other], sim_now, sim_now);
}

/* Each time a full page goes out, its last alert is updated, and another one, read or not. */
START_TEST(test_border)
{
	sim_w.on_page = update_border;
	for (int i = 0; i < 200; i++) {
		int64_t at = sim_now + (int64_t)some( (uint64_t)SIM_DAY) / 1000 * 1000;

		(void)sim_add(at, at);
	}
	s.tenant.page_size = _i == 0 ? 20 : 7;
	for (int i = 0; i < 30; i++) {
		sim_run(&s, SIM_HOUR);
		ck_assert_uint_eq(count_missing(5 * MINUTE), 0);
	}
	ck_assert_uint_eq(count_missing(0), 0);
	check_told_once();
}
END_TEST

/* A server that gives shorter pages than before, and no link to the next. */
START_TEST(test_clamp_is_lowered)
{
	s.tenant.page_size = 200;
	for (int i = 0; i < 1000; i++) {
		int64_t at = sim_now + i * 4 * SIM_SEC;

		(void)sim_add(at, at);
	}
	sim_run(&s, 20 * MINUTE);
	sim_w.clamp = 50;
	sim_run(&s, 2 * SIM_HOUR);
	ck_assert_uint_eq(count_missing(0), 0);
	check_told_once();
}
END_TEST

/* An alert that names another tenant, among ours, and then ours. */
START_TEST(test_foreign_heals)
{
	struct sim_alert *a;
	int64_t now;

	sim_run(&s, SIM_HOUR);
	now = sim_now;
	a = sim_add(now, now);
	a->v[0].is_foreign = true;
	for (int i = 1; i < 100; i++)
		(void)sim_add(now + i * MINUTE, now + i * MINUTE);
	sim_run(&s, 30 * MINUTE);
	ck_assert_uint_eq(sim_w.a[0].v[0].delivered, 0);
	sim_w.a[0].v[0].is_foreign = false;
	sim_run(&s, 3 * MINUTE);
	ck_assert_uint_eq(sim_w.a[0].v[0].delivered, 1);
	sim_run(&s, 3 * SIM_HOUR);
	ck_assert_uint_eq(count_missing(0), 0);
	check_told_once();
}
END_TEST

/* What a sweep cannot read is no trouble of live reading. */
START_TEST(test_sweeps_fail)
{
	uint64_t polls;

	for (int i = 0; i < 500; i++)
		(void)sim_add(sim_now + i * 4 * MINUTE, sim_now + i * 4 * MINUTE);
	sim_run(&s, 4 * SIM_HOUR);
	sim_w.is_failing_sweeps = true;
	polls = sim_poller(&s)->figures.polls;
	for (int i = 0; i < 24 * 60; i++) {
		sim_run(&s, MINUTE);
		ck_assert_int_eq(sim_poller(&s)->state, TENANT_HEALTHY);
	}
	ck_assert_uint_ge(sim_poller(&s)->figures.polls, polls + 24 * 60 - 2);
	ck_assert_uint_gt(sim_poller(&s)->figures.failures, 2);
	ck_assert_uint_eq(count_missing(3 * MINUTE), 0);
	sim_w.is_failing_sweeps = false;
	(void)sim_add(sim_now - 2 * SIM_DAY, sim_now);
	sim_run(&s, SIM_DAY + SIM_HOUR);
	ck_assert_uint_eq(count_missing(SIM_DAY), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("late");
	TCase *tc = tcase_create("late");
	SRunner *sr = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 300);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_idle_year);
	tcase_add_test(tc, test_idle_year_with_restarts);
	tcase_add_loop_test(tc, test_late, 0, ARRAY_LEN(lates));
	tcase_add_test(tc, test_as_late_as_promised);
	tcase_add_loop_test(tc, test_border, 0, 2);
	tcase_add_test(tc, test_clamp_is_lowered);
	tcase_add_test(tc, test_foreign_heals);
	tcase_add_test(tc, test_sweeps_fail);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
