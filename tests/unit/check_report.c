/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/letters.h"
#include "daemon/report.h"
#include "tests/unit/intake_stage.h"

/*
 * The proof of a day, while what it is about goes on: alerts come, tenants and sinks go, msspd stops.
 * The journal is a file: what it is asked takes many turns of the loop there, the more the longer
 * the time is that it is asked about.
 */
#define LONG (HOUR * 24 * 365 * 5)

static struct reports *all;

static void
begin_all(void)
{
	engine = &journal_sqlite;
	setup();
	all = reports_new(&env, j, in);
}

static void
end_all(void)
{
	reports_stop(all);
	if (j != NULL)
		journal_close(j);
	j = NULL;
	reports_free(all);
	teardown();
}

static uint64_t
begin(int64_t from, int64_t to)
{
	const struct report_ask ask = { .from = from, .to = to };
	struct err err = { 0 };
	uint64_t number = reports_begin(all, &settings, &ask, &err);

	ck_assert_msg(number != 0, "%s", err.text);
	return number;
}

static struct report_view
see(uint64_t number)
{
	struct report_view v;

	ck_assert(reports_see(all, number, &v));
	return v;
}

static bool
is_over(void *arg)
{
	return see(*(uint64_t *)arg).is_over;
}

/* Its only row. */
static const struct report_row *
row_of(uint64_t number)
{
	ck_assert_msg(run_until(is_over, &number, 60000), "%s", logged);
	ck_assert_uint_eq(see(number).nrows, 1);
	return see(number).rows[0];
}

static bool
has_listed(void *arg)
{
	(void)arg;
	return strstr(g.t[0].last_url, "createdDateTime%20lt") != NULL;
}

/* Microsoft was asked, and what follows is the journal's. */
static void
wait_listed(void)
{
	ck_assert(run_until(has_listed, NULL, 30000));
}

/* An alert of 100 days ago is read; nothing more is by itself. */
static int64_t
begin_with_one(void)
{
	int64_t first = now() - 100 * 24 * HOUR;

	sg_add(&g, 0, first);
	tenants[0].first_lookback_ms = INT64_C(110) * 24 * 3600 * SEC;
	tenants[0].poll_interval_ms = 3600 * SEC;
	start(1);
	wait_polls(0, 1);
	return first;
}

static void
is_even(const struct report_row *row, uint64_t n)
{
	ck_assert_msg(row->error == NULL, "%s", row->error);
	ck_assert_uint_eq(row->listed, n);
	ck_assert_uint_eq(row->journalled, n);
	ck_assert_uint_eq(row->missing.n + row->unread.n + row->extra.n, 0);
}

/* ---- what comes meanwhile ------------------------------------------------------------------- */

/* The journal had not got it when it was looked for, although it has by the end. */
START_TEST(test_read_while_the_journal_is_asked)
{
	int64_t first = begin_with_one();
	const struct report_row *row;
	uint64_t number;

	sg_add(&g, 0, first + HOUR);
	number = begin(first - HOUR, first + LONG); /* it is looked for early */
	wait_listed();
	(void)intake_poll(in, NULL);
	wait_polls(0, 2);
	row = row_of(number);
	ck_assert_msg(row->error == NULL, "%s", row->error);
	ck_assert_uint_eq(row->listed, 2);
	ck_assert_uint_eq(row->missing.n, 0);
	ck_assert_uint_eq(row->journalled + row->unread.n, 2);
	ck_assert_uint_eq(stored(), 2);
}
END_TEST

/* Microsoft could not have listed it. */
START_TEST(test_new_while_the_journal_is_asked)
{
	uint64_t number;

	(void)begin_with_one();
	number = begin(now() - LONG, now() + HOUR);
	wait_listed();
	sg_add(&g, 0, now() - HOUR);
	(void)intake_poll(in, NULL);
	wait_polls(0, 2);
	is_even(row_of(number), 1);
	ck_assert_uint_eq(stored(), 2);
	is_even(row_of(begin(now() - LONG, now() + HOUR)), 2);
}
END_TEST

START_TEST(test_what_is_not_listed_any_more)
{
	uint64_t number;

	(void)begin_with_one();
	(void)run_until(never, NULL, 20);
	g.t[0].n = 0;
	number = begin(now() - LONG, now());
	ck_assert_uint_eq(row_of(number)->extra.n, 1);
}
END_TEST

/* Pages overlap by one: it comes twice. */
START_TEST(test_a_foreign_one_counts_once)
{
	const struct report_row *row;

	for (int i = 0; i < 25; i++)
		sg_add(&g, 0, now() - HOUR + i * TICKS_SEC);
	tenants[0].poll_interval_ms = 3600 * SEC;
	start(1);
	wait_polls(0, 1);
	g.t[0].alerts[9].tenant_id = sg_tenant_id(5);
	row = row_of(begin(now() - 24 * HOUR, now()));
	ck_assert_msg(row->error == NULL, "%s", row->error);
	ck_assert_uint_eq(row->foreign, 1);
	ck_assert_uint_eq(row->listed, 24);
	ck_assert_uint_eq(row->extra.n, 0);
	ck_assert(report_is_even(row) == (row->sinks[0].fates[FATE_WAITING].n == 0));
}
END_TEST

/* ---- who goes meanwhile ----------------------------------------------------------------------- */

static bool is_purged;

static void
on_purged(void *arg, struct journal_task *taken, const struct err *err)
{
	(void)arg;
	ck_assert_ptr_null(err);
	is_purged = taken->is_over;
	if (is_purged)
		free(taken);
	else
		journal_work(j, taken, on_purged, NULL);
}

START_TEST(test_purged_meanwhile)
{
	struct journal_task *task = xcalloc(1, sizeof(*task));
	uint64_t number;

	(void)begin_with_one();
	number = begin(now() - LONG, now());
	wait_listed();
	task->what = JOURNAL_PURGE;
	task->which = (struct journal_filter){ .streams = { 1 }, .nstreams = 1 };
	journal_work(j, task, on_purged, NULL);
	ck_assert_msg(strstr(row_of(number)->error, "purged meanwhile") != NULL, "%s",
	    row_of(number)->error);
	ck_assert_uint_eq(row_of(number)->missing.n, 0);
	for (int i = 0; i < 600 && !is_purged; i++)
		(void)run_until(never, NULL, 50);
	ck_assert(is_purged);
}
END_TEST

/* What is looked for is not there by being looked for. */
START_TEST(test_it_leaves_no_traces)
{
	static const struct sink_conf ghost = { .name = (char *)"ghost", .kind = &everything };
	static const struct sink_conf *with_ghost[] = { &sink, &ghost };
	struct origin *was = streams[0].origin;
	char *about;

	(void)begin_with_one();
	about = xstrdup(journal_stream_about(j, 1));
	tenants[0].sinks = with_ghost;
	tenants[0].nsinks = 2;
	streams[0].origin = origin_new(&(struct origin){ .tenant_id = tenants[0].id,
	    .tenant = (char *)"an older name", .customer = (char *)"an older one",
	    .customer_name = (char *)"", .cloud = (char *)"custom", .portal_host = (char *)"p",
	    .stream = (char *)"alerts", .instance = (char *)"" });
	is_even(row_of(begin(now() - LONG, now())), 1);
	ck_assert(!journal_sink_is_known(j, "ghost"));
	ck_assert_str_eq(journal_stream_about(j, 1), about);
	origin_unref(streams[0].origin);
	streams[0].origin = was;
	free(about);
}
END_TEST

START_TEST(test_a_tenant_that_is_not_read_is_no_stream_either)
{
	uint64_t number;

	start(1);
	wait_polls(0, 1);
	settings.tenants = &tenants[1];
	number = begin(now() - LONG, now());
	ck_assert_ptr_nonnull(row_of(number)->error);
	ck_assert_uint_eq(journal_streams(j), 1);
	settings.tenants = tenants;
}
END_TEST

/* ---- its end ---------------------------------------------------------------------------------- */

static void
before_anything(uint64_t number)
{
	(void)number;
}

static void
while_it_lists(uint64_t number)
{
	(void)number;
	ck_assert(run_until(has_listed, NULL, 30000));
}

static void
while_the_journal_is_asked(uint64_t number)
{
	while_it_lists(number);
	for (int i = 0; i < 6; i++)
		(void)run_until(never, NULL, 5);
}

static void
stop(uint64_t number)
{
	(void)number;
	reports_stop(all);
}

static void
cancel(uint64_t number)
{
	ck_assert(reports_cancel(all, number));
	ck_assert(!reports_cancel(all, number));
}

static void
look_away(uint64_t number)
{
	(void)number;
	turn_clock(REPORT_IDLE_MS + 1000);
}

static const struct {
	void (*until)(uint64_t number);
	void (*what)(uint64_t number);
} ends[] = {
	{ before_anything, stop },
	{ while_it_lists, stop },
	{ while_the_journal_is_asked, stop },
	{ before_anything, cancel },
	{ while_it_lists, cancel },
	{ while_the_journal_is_asked, cancel },
	{ before_anything, look_away },
	{ while_the_journal_is_asked, look_away },
};

/* All is let go of: the sanitizers look. */
START_TEST(test_it_ends)
{
	uint64_t number;

	(void)begin_with_one();
	number = begin(now() - LONG, now());
	ends[_i].until(number);
	ends[_i].what(number);
	ck_assert(see(number).is_over);
	ck_assert(see(number).is_cancelled);
	ck_assert_uint_eq(see(number).nrows, 0);
	(void)run_until(never, NULL, _i % 2 == 0 ? 0 : 100);
}
END_TEST

START_TEST(test_another_can_be_made_at_once)
{
	const struct report_ask ask = { .from = now() - LONG, .to = now() };
	struct err err = { 0 };
	uint64_t number;

	(void)begin_with_one();
	number = begin(now() - LONG, now());
	ck_assert(reports_begin(all, &settings, &ask, &err) == 0);
	ck_assert_msg(strstr(err.text, "another report") != NULL, "%s", err.text);
	while_the_journal_is_asked(number);
	cancel(number);
	is_even(row_of(begin(now() - LONG, now())), 1);
}
END_TEST

/* What nobody looks at is not kept for ever; nor are there more than a few. */
START_TEST(test_how_long_they_are_kept)
{
	struct report_view v;
	uint64_t number, first;

	(void)begin_with_one();
	first = begin(now() - HOUR, now());
	(void)row_of(first);
	for (int i = 0; i < REPORTS_KEPT; i++) {
		number = begin(now() - HOUR, now());
		(void)row_of(number);
	}
	ck_assert(!reports_see(all, first, &v));
	turn_clock(REPORT_KEEP_MS / 2);
	ck_assert(reports_see(all, number, &v));
	turn_clock(REPORT_KEEP_MS / 2 + 1000);
	ck_assert(reports_see(all, number, &v));
	ck_assert(!reports_see(all, number - 1, &v));
	turn_clock(REPORT_KEEP_MS + 1000);
	ck_assert(!reports_see(all, number, &v));
}
END_TEST

/* ---- many, and those that cannot be read ------------------------------------------------------- */

START_TEST(test_each_tenant_once)
{
	bool has[SG_TENANTS] = { false };
	struct report_view v;
	uint64_t number;

	for (unsigned i = 0; i < SG_TENANTS; i++)
		for (unsigned k = 0; k <= i; k++)
			sg_add(&g, i, now() - HOUR);
	start(SG_TENANTS);
	for (unsigned i = 0; i < SG_TENANTS; i++)
		wait_polls(i, 2);
	(void)intake_hold(in, tenants[3].name, true);
	number = begin(now() - 24 * HOUR, now());
	ck_assert(run_until(is_over, &number, 60000));
	v = see(number);
	ck_assert_uint_eq(v.nrows, SG_TENANTS);
	ck_assert_uint_eq(v.done, SG_TENANTS);
	ck_assert(!v.is_cancelled);
	for (size_t i = 0; i < v.nrows; i++) {
		unsigned k = (unsigned)(v.rows[i]->tenant[1] - '0');

		ck_assert(!has[k]);
		has[k] = true;
		ck_assert_msg((v.rows[i]->error != NULL) == (k == 3), "t%u: %s", k, v.rows[i]->error);
		ck_assert_uint_eq(v.rows[i]->listed, k == 3 ? 0 : k + 1);
	}
}
END_TEST

START_TEST(test_one_that_is_throttled_for_ever)
{
	uint64_t number;

	(void)begin_with_one();
	g.t[0].mood = SG_429;
	number = begin(now() - LONG, now());
	for (int i = 0; i < 30 && !see(number).is_over; i++) {
		(void)run_until(never, NULL, 30);
		turn_clock(30 * SEC);
	}
	ck_assert_ptr_nonnull(strstr(row_of(number)->error, "ten minutes"));
	ck_assert(!report_is_even(row_of(number)));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("report");
	TCase *tc = tcase_create("report");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, begin_all, end_all);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_read_while_the_journal_is_asked);
	tcase_add_test(tc, test_new_while_the_journal_is_asked);
	tcase_add_test(tc, test_what_is_not_listed_any_more);
	tcase_add_test(tc, test_a_foreign_one_counts_once);
	tcase_add_test(tc, test_purged_meanwhile);
	tcase_add_test(tc, test_it_leaves_no_traces);
	tcase_add_test(tc, test_a_tenant_that_is_not_read_is_no_stream_either);
	tcase_add_loop_test(tc, test_it_ends, 0, (int)ARRAY_LEN(ends));
	tcase_add_test(tc, test_another_can_be_made_at_once);
	tcase_add_test(tc, test_how_long_they_are_kept);
	tcase_add_test(tc, test_each_tenant_once);
	tcase_add_test(tc, test_one_that_is_throttled_for_ever);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
