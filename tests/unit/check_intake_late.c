/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/intake_stage.h"

/* ---- late arrivals ------------------------------------------------------------------------- */

/* Half an hour late, an hour, a day: by which sweep they are found. */
static const struct {
	const char *says;
	int64_t late; /* ticks behind the cursor */
	int64_t turn_ms;
	uint64_t found;
} sweeps[] = {
	{ "inside the overlap: no sweep needed", HOUR / 12, 1000, 0 },
	{ "two hours late: found by the hourly sweep", HOUR, 3660 * SEC, 1 },
	{ "five hours late: not by the hourly sweep", 5 * HOUR, 3660 * SEC, 0 },
	{ "five hours late: found by the daily sweep", 5 * HOUR, 24 * 3660 * SEC, 1 },
	{ "from before the beginning: never", 26 * HOUR, 24 * 3660 * SEC, 0 },
};

/* The hour of the day when a tenant's daily sweep comes is the same in every run: it follows from
 * the clock that tells how long the machine runs. */
static void
begin_a_day(void)
{
	ahead_ms += 24 * 3600 * SEC - clock_mono(&turned) % (24 * 3600 * SEC);
}

START_TEST(test_sweep)
{
	int64_t cursor;
	size_t before;
	uint64_t polls;

	begin_a_day();
	cursor = now() - HOUR / 60;
	for (int i = 0; i < 25; i++)
		sg_add(&g, 0, cursor - (24 - i) * TICKS_SEC);
	start(1);
	wait_polls(0, 2);
	before = stored();
	sg_add(&g, 0, cursor - sweeps[_i].late);
	turn_clock(sweeps[_i].turn_ms);
	polls = figures(0).polls;
	wait_polls(0, polls + 4);
	ck_assert_msg(figures(0).sweep_found == sweeps[_i].found, "%s: found %d", sweeps[_i].says,
	    (int)figures(0).sweep_found);
	ck_assert_msg(stored() == before + (sweeps[_i].found != 0 || sweeps[_i].late < HOUR / 6),
	    "%s: %zu", sweeps[_i].says, stored());
	ck_assert_int_eq(figures(0).state, TENANT_HEALTHY);
}
END_TEST

/* A daily sweep that was due while msspd was away is made up for within the hour. */
START_TEST(test_missed_daily_sweep)
{
	int64_t cursor = now() - HOUR / 60;

	sg_add(&g, 0, cursor);
	start(1);
	wait_polls(0, 2);
	turn_clock(24 * 3660 * SEC);
	wait_polls(0, figures(0).polls + 3);
	intake_free(in);
	in = intake_new(&env, f, ts, j);
	turn_clock(30 * 3600 * SEC);
	sg_add(&g, 0, cursor - 5 * HOUR);
	start(1);
	wait_polls(0, 2);
	ck_assert_uint_eq(figures(0).sweep_found, 0);
	turn_clock(3600 * SEC);
	wait_polls(0, figures(0).polls + 4);
	ck_assert_uint_eq(figures(0).sweep_found, 1);
}
END_TEST

/*
 * Whoever waited for the budget did not oversleep: a sweep that waits for each of its pages
 * must not put off the next live read. Time goes on to when something is due, never beyond.
 */
START_TEST(test_waiting_for_the_budget_is_no_sleep)
{
	int64_t end = now() + 2 * HOUR, at = now() - 2 * HOUR;

	for (int i = 0; i < 100; i++)
		sg_add(&g, 0, at + i * TICKS_SEC * 60);
	tenants[0].poll_interval_ms = 600 * SEC;
	tenants[0].budget_per_min = 6; /* one each 12 seconds */
	start(1);
	settings.ntenants = 100000; /* as many as may begin at once after a sleep */
	while (now() < end) {
		int64_t ms = figures(0).next_poll_ms;

		if (ms > 0)
			turn_clock(ms);
		(void)run_until(never, NULL, 2);
	}
	settings.ntenants = 1;
	ck_assert_uint_ge(figures(0).polls, 11);
	ck_assert_msg(figures(0).max_late_ms < 15 * SEC, "a live read came %d s late",
	    (int)(figures(0).max_late_ms / SEC));
}
END_TEST

static bool
is_queued(void *arg)
{
	return ((struct poller *)arg)->at == POLLER_QUEUED;
}

/* A sweep that waits for what others leave must not keep its tenant's live read from its turn. */
START_TEST(test_a_sweep_in_the_queue_gives_way_to_the_live_read)
{
	struct poller *p;

	tenants[0].poll_interval_ms = 600 * SEC;
	sg_add(&g, 0, now() - HOUR);
	start(1);
	wait_polls(0, 1);
	p = TAILQ_FIRST(&in->pollers);
	intake_journal_state(in, JOURNAL_PAUSED); /* nobody is started */
	p->readers[READER_HOUR].due = clock_mono(env.clock);
	intake_look_for_periods(in);
	ck_assert(run_until(is_queued, p, 5000));
	ck_assert_int_eq(p->place.lane, LANE_SWEEP);
	turn_clock(p->slot - clock_mono(env.clock) + 10);
	ck_assert(run_until(is_queued, p, 5000));
	ck_assert_int_eq(p->place.lane, LANE_DUE);
	ck_assert_ptr_eq(p->r, &p->readers[READER_LIVE]);
	intake_journal_state(in, JOURNAL_OK);
	wait_polls(0, 2);
}
END_TEST

static bool
has_failed(void *arg)
{
	(void)arg;
	return figures(0).failures != 0;
}

static bool
has_two_pages(void *arg)
{
	(void)arg;
	return appends() >= 2;
}

/* The page that comes again is the one that was refused, not the one that it links to. */
START_TEST(test_a_refused_page_of_a_chain_is_read_again)
{
	int64_t at = now() - 20 * HOUR;

	for (int i = 0; i < 1000; i++)
		sg_add(&g, 0, at + i * HOUR / 60);
	g.t[0].mood = SG_LINKS;
	start(1);
	ck_assert(run_until(has_two_pages, NULL, 3000));
	journal_mem_force(j, JOURNAL_FAILED);
	ck_assert(run_until(has_failed, NULL, 3000));
	journal_mem_force(j, JOURNAL_OK);
	turn_clock(7 * SEC);
	wait_polls(0, 2);
	ck_assert_uint_eq(stored(), 1000);
}
END_TEST

/* A link that waited too long leads nowhere for ever: a new read has new ones. */
START_TEST(test_a_link_that_is_gone_is_not_asked_for_ever)
{
	int64_t at = now() - 20 * HOUR;

	for (int i = 0; i < 100; i++)
		sg_add(&g, 0, at + i * HOUR / 60);
	g.t[0].mood = SG_LINKS;
	g.t[0].gone = 30;
	start(1);
	wait_state(0, TENANT_GARBLED);
	ck_assert_msg(strstr(figures(0).trouble, "HTTP 410") != NULL, "%s", figures(0).trouble);
	turn_clock(7 * SEC);
	wait_polls(0, 2);
	ck_assert_uint_eq(stored(), 100);
}
END_TEST

/* A clock that is far ahead somewhere on the way must not move the beginning behind all alerts. */
START_TEST(test_a_date_from_the_future_hides_nothing)
{
	g.t[0].head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		      "Date: Thu, 01 Jan 2099 00:00:00 GMT\r\n";
	sg_add(&g, 0, now() - HOUR);
	start(1);
	wait_polls(0, 1);
	g.t[0].head = NULL;
	sg_add(&g, 0, now() - HOUR / 60);
	wait_polls(0, figures(0).polls + 2);
	ck_assert_uint_eq(stored(), 2);
}
END_TEST

static bool
is_appended(void *arg)
{
	return *(bool *)arg;
}

static void
on_appended(void *arg, const struct journal_page *page, const struct journal_appended *result)
{
	(void)page;
	ck_assert(result->ok);
	*(bool *)arg = true;
}

/* What a salvaged journal does not hold any more is read again, although it was read before. */
START_TEST(test_a_salvaged_journal)
{
	int64_t cursor = now() - HOUR;
	struct journal_page back = { .reader = "live",
		.cursor = now() - 6 * HOUR,
		.memory_begin = TICKS_NONE,
		.window_from = TICKS_NONE };
	bool done = false;

	sg_add(&g, 0, cursor);
	start(1);
	wait_polls(0, 2);
	back.stream = journal_stream(j, streams[0].key, "");
	journal_append(j, &back, on_appended, &done);
	ck_assert(run_until(is_appended, &done, 2000));
	sg_add(&g, 0, now() - 5 * HOUR);
	wait_polls(0, figures(0).polls + 3);
	ck_assert_uint_eq(stored(), 1);
	intake_journal_salvaged(in);
	wait_polls(0, figures(0).polls + 3);
	ck_assert_uint_eq(stored(), 2);
	ck_assert_int_eq(figures(0).cursor, cursor);
	ck_assert_int_eq(figures(0).state, TENANT_HEALTHY);
}
END_TEST

/* What came while msspd was away is read from the place where it stopped. */
START_TEST(test_restart_goes_on)
{
	sg_add(&g, 0, now() - 23 * HOUR);
	start(1);
	wait_polls(0, 2);
	intake_free(in);
	in = intake_new(&env, f, ts, j);
	sg_add(&g, 0, now() - 22 * HOUR);
	tenants[0].first_lookback_ms = SEC;
	start(1);
	wait_polls(0, 1);
	ck_assert_uint_eq(stored(), 2);
}
END_TEST

/* ---- what waits for another stream ------------------------------------------------------ */

static const struct {
	const char *says;
	enum tenant_state state; /* of Graph's alerts */
	bool waits;              /* for the end of its read, however long that takes */
} waits[] = {
	{ "not read yet: it may have everything", TENANT_STARTING, true },
	{ "well: as far as it was read", TENANT_HEALTHY, true },
	{ "behind: its list is read to the end first", TENANT_BEHIND, true },
	{ "paused: nothing is stored of either", TENANT_PAUSED, true },
	{ "our clock is off: it is read", TENANT_CLOCK_OFF, true },
	{ "throttled: who knows how long", TENANT_THROTTLED, false },
	{ "unreachable: not waited for", TENANT_UNREACHABLE, false },
	{ "garbled: not waited for", TENANT_GARBLED, false },
	{ "no consent: not waited for", TENANT_CONSENT_WITHDRAWN, false },
};

START_TEST(test_what_is_waited_for)
{
	struct tenant t = { .mde_wait_ms = 900 * SEC };
	struct tenant_stream s = { .kind = &stream_kinds[STREAM_MDE_ALERTS] };
	struct intake i = { .env = &env };
	struct poller graph = { .state = waits[_i].state, .complete = now() - HOUR };
	struct tenancy tn = { .streams = { [STREAM_ALERTS] = &graph } };
	struct poller p = { .in = &i, .t = &t, .s = &s, .tn = &tn, .begin = now() - 24 * HOUR };
	int64_t limit = poller_limit(&p) + ticks_from_ms(900 * SEC);

	ck_assert_msg((limit < now() - HOUR / 2) == waits[_i].waits, "%s", waits[_i].says);
}
END_TEST

/* The one that is read keeps going, and the other one's place must not be forgotten meanwhile. */
static const struct {
	const char *says;
	int64_t graph, mde; /* ticks ago; TICKS_NONE: not read yet */
	int64_t from;       /* the memory that both share is kept */
} windows[] = {
	{ "both: from the one that is further back", HOUR, 50 * HOUR, 50 * HOUR },
	{ "the other way round, too", 50 * HOUR, HOUR, 50 * HOUR },
	{ "one that was never read has no place", TICKS_NONE, HOUR, HOUR },
	{ "nor has the other one", HOUR, TICKS_NONE, HOUR },
	{ "neither: nothing to say", TICKS_NONE, TICKS_NONE, TICKS_NONE },
};

static struct poller
read_until(struct tenancy *tn, enum stream which, int64_t at, int64_t ago)
{
	static struct tenant t;
	static struct tenant_stream s[STREAM_COUNT];

	s[which].kind = &stream_kinds[which];
	return (struct poller){ .t = &t,
		.s = &s[which],
		.tn = tn,
		.begin = at - 1000 * HOUR,
		.readers[READER_LIVE].cursor = ago == TICKS_NONE ? TICKS_NONE : at - ago };
}

START_TEST(test_shared_memory_is_kept_for_both)
{
	struct tenancy tn = { .key = NULL };
	int64_t at = now(), want = windows[_i].from;
	struct poller graph = read_until(&tn, STREAM_ALERTS, at, windows[_i].graph);
	struct poller mde = read_until(&tn, STREAM_MDE_ALERTS, at, windows[_i].mde);
	struct poller incidents = read_until(&tn, STREAM_INCIDENTS, at, 900 * HOUR);

	tn.streams[STREAM_ALERTS] = &graph;
	tn.streams[STREAM_MDE_ALERTS] = &mde;
	tn.streams[STREAM_INCIDENTS] = &incidents;
	if (want != TICKS_NONE)
		want = at - want;
	ck_assert_msg(reader_window(&graph) == want, "%s", windows[_i].says);
	ck_assert_msg(reader_window(&mde) == want, "%s", windows[_i].says);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("intake_late");
	TCase *tc = tcase_create("intake_late");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 40);
	tcase_add_test(tc, test_a_refused_page_of_a_chain_is_read_again);
	tcase_add_test(tc, test_a_link_that_is_gone_is_not_asked_for_ever);
	tcase_add_test(tc, test_a_date_from_the_future_hides_nothing);
	tcase_add_test(tc, test_a_salvaged_journal);
	tcase_add_test(tc, test_restart_goes_on);
	tcase_add_loop_test(tc, test_sweep, 0, (int)ARRAY_LEN(sweeps));
	tcase_add_test(tc, test_missed_daily_sweep);
	tcase_add_loop_test(tc, test_what_is_waited_for, 0, (int)ARRAY_LEN(waits));
	tcase_add_loop_test(tc, test_shared_memory_is_kept_for_both, 0, (int)ARRAY_LEN(windows));
	tcase_add_test(tc, test_waiting_for_the_budget_is_no_sleep);
	tcase_add_test(tc, test_a_sweep_in_the_queue_gives_way_to_the_live_read);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
