/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/intake_stage.h"

/* ---- reading ------------------------------------------------------------------------------- */

START_TEST(test_alerts_are_read_once)
{
	uint64_t before;

	for (int i = 0; i < 3; i++)
		sg_add(&g, 0, now() - HOUR + i);
	start(1);
	wait_polls(0, 3);
	ck_assert_uint_eq(stored(), 3);
	ck_assert_int_eq(figures(0).state, TENANT_HEALTHY);
	ck_assert_int_eq(figures(0).cursor, g.t[0].alerts[2].at);
	before = appends();
	wait_polls(0, 8);
	ck_assert_uint_eq(appends(), before);
	ck_assert_uint_eq(g.t[0].tokens, 1);
}
END_TEST

START_TEST(test_what_a_request_says)
{
	char want[64] = "";
	struct buf b = BUF_INIT(64);

	sg_add(&g, 0, now() - HOUR);
	start(1);
	wait_polls(0, 3);
	buf_puts(&b, "ge%20");
	ticks_write(&b, g.t[0].alerts[0].at - 600 * TICKS_SEC, 7);
	(void)snprintf(want, sizeof(want), "%s", b.p);
	buf_release(&b);
	ck_assert_msg(strstr(g.t[0].last_url, want) != NULL, "%s", g.t[0].last_url);
	ck_assert_ptr_nonnull(strstr(g.t[0].last_url,
	    "/v1.0/security/alerts_v2?$top=10&"
	    "$orderby=lastUpdateDateTime%20asc&$filter=lastUpdateDateTime%20ge%20"));
	ck_assert_ptr_nonnull(strstr(web_last(g.web), "Prefer: include-unknown-enum-members"));
	ck_assert_ptr_nonnull(strstr(web_last(g.web), "client-request-id: "));
}
END_TEST

START_TEST(test_new_version_is_forwarded)
{
	struct sg_alert *a = sg_add(&g, 0, now() - HOUR);

	start(1);
	wait_polls(0, 2);
	a->at += HOUR / 2;
	a->severity = "low";
	wait_polls(0, figures(0).polls + 2);
	ck_assert_uint_eq(stored(), 2);
}
END_TEST

START_TEST(test_backlog_is_read_page_by_page)
{
	for (int i = 0; i < 1000; i++)
		sg_add(&g, 0, now() - 10 * HOUR + i / 3);
	start(1);
	wait_polls(0, 1);
	ck_assert_uint_eq(stored(), 1000);
	ck_assert_int_eq(figures(0).state, TENANT_HEALTHY);
	ck_assert_ptr_nonnull(strstr(logged, "backlog"));
}
END_TEST

START_TEST(test_a_page_on_one_stamp)
{
	for (int i = 0; i < 45; i++)
		sg_add(&g, 0, now() - HOUR + (i < 5 || i > 40 ? i : 5));
	start(1);
	wait_polls(0, 2);
	ck_assert_uint_eq(stored(), 45);
}
END_TEST

START_TEST(test_refused_order)
{
	g.t[0].mood = SG_NO_ORDER;
	for (int i = 0; i < 45; i++)
		sg_add(&g, 0, now() - HOUR + i);
	start(1);
	wait_polls(0, 2);
	ck_assert_uint_eq(stored(), 45);
	ck_assert_int_eq(figures(0).state, TENANT_HEALTHY);
}
END_TEST

START_TEST(test_huge_page_is_halved)
{
	g.t[0].mood = SG_HUGE;
	for (int i = 0; i < 12; i++)
		sg_add(&g, 0, now() - HOUR + i);
	start(1);
	wait_polls(0, 1);
	ck_assert_uint_eq(stored(), 12);
}
END_TEST

START_TEST(test_stamps_of_the_future)
{
	int64_t late = now() - HOUR;
	uint64_t before;

	sg_add(&g, 0, late);
	sg_add(&g, 0, now() + 70 * 365 * 24 * HOUR);
	start(1);
	wait_polls(0, 3);
	ck_assert_uint_eq(stored(), 2);
	ck_assert_int_eq(figures(0).cursor, late);
	before = appends();
	wait_polls(0, 6);
	ck_assert_uint_eq(appends(), before);
	sg_add(&g, 0, now() - 2 * SEC * TICKS_MS);
	wait_polls(0, figures(0).polls + 2);
	ck_assert_uint_eq(stored(), 3);
}
END_TEST

START_TEST(test_older_than_first_lookback_is_left_alone)
{
	sg_add(&g, 0, now() - 30 * HOUR);
	start(1);
	wait_polls(0, 2);
	ck_assert_uint_eq(stored(), 0);
	/* a quiet tenant keeps its place, so that a restart does not begin later */
	ck_assert_int_ne(figures(0).cursor, TICKS_NONE);
}
END_TEST

/* ---- what does not belong, or cannot be read ----------------------------------------------- */

START_TEST(test_foreign_alert_is_shown_to_nobody)
{
	struct journal_stats s;

	sg_add(&g, 0, now() - HOUR)->tenant_id = sg_tenant_id(5);
	sg_add(&g, 0, now() - HOUR + 1)->tenant_id = NULL;
	start(1);
	wait_polls(0, 5);
	ck_assert_uint_eq(stored(), 1);
	ck_assert_uint_eq(figures(0).quarantined, 1);
	journal_stats(j, &s);
	ck_assert_uint_eq(s.quarantine, 1);
	ck_assert_ptr_nonnull(strstr(logged, "another tenant"));
}
END_TEST

/* An answer that is wholly somebody else's moves nothing: what is ours is read when it comes. */
START_TEST(test_an_answer_that_is_all_foreign)
{
	uint64_t before;

	for (int i = 0; i < 45; i++)
		sg_add(&g, 0, now() - 20 * HOUR + i * HOUR / 6)->tenant_id = sg_tenant_id(5);
	start(1);
	wait_polls(0, 3);
	ck_assert_int_eq(figures(0).state, TENANT_GARBLED);
	ck_assert_uint_eq(figures(0).quarantined, 45);
	ck_assert_uint_eq(stored(), 0);
	before = appends();
	wait_polls(0, figures(0).polls + 2);
	ck_assert_uint_eq(appends(), before);
	for (unsigned i = 0; i < 45; i++)
		g.t[0].alerts[i].tenant_id = sg_tenant_id(0);
	wait_polls(0, figures(0).polls + 2);
	ck_assert_uint_eq(stored(), 45);
	ck_assert_int_eq(figures(0).state, TENANT_HEALTHY);
}
END_TEST

START_TEST(test_unreadable_slice_is_delivered_once)
{
	struct journal_batch *b;
	uint64_t before;

	sg_add(&g, 0, now() - HOUR);
	g.t[0].extra = "{\"id\":\"odd-1\",\"id\":\"odd-2\",\"title\":\"?\"}";
	start(1);
	wait_polls(0, 3);
	b = read_all();
	ck_assert_uint_eq(b->n, 2);
	ck_assert_int_eq(b->items[1].type, RECORD_UNREADABLE);
	journal_batch_free(b);
	ck_assert_uint_eq(figures(0).quarantined, 1);
	before = appends();
	wait_polls(0, 6);
	ck_assert_uint_eq(appends(), before);
}
END_TEST

/* Nor does somebody else's pass because it cannot be read. */
START_TEST(test_unreadable_and_foreign)
{
	static const char slice[] = "{\"id\":\"odd-1\",\"title\":\"secret\",\"tenantId\":"
				    "\"00000000-0000-4000-8000-000000000006\"}";
	uint64_t before;

	sg_add(&g, 0, now() - HOUR);
	g.t[0].extra = slice;
	start(1);
	wait_polls(0, 3);
	ck_assert_uint_eq(stored(), 1);
	ck_assert_uint_eq(figures(0).quarantined, 1);
	before = appends();
	wait_polls(0, 6);
	ck_assert_uint_eq(appends(), before);
}
END_TEST

/* ---- many, and changes --------------------------------------------------------------------- */

START_TEST(test_tenants_do_not_mix)
{
	for (unsigned i = 0; i < SG_TENANTS; i++) {
		for (int k = 0; k < 30; k++)
			sg_add(&g, i, now() - HOUR + k);
	}
	settings.max_requests = 2;
	start(SG_TENANTS);
	for (unsigned i = 0; i < SG_TENANTS; i++)
		wait_polls(i, 2);
	ck_assert_uint_eq(stored(), SG_TENANTS * 30);
}
END_TEST

START_TEST(test_a_rename_keeps_the_place)
{
	uint64_t before;

	sg_add(&g, 0, now() - HOUR);
	sg_add(&g, 1, now() - HOUR);
	start(2);
	wait_polls(0, 2);
	wait_polls(1, 2);
	before = figures(0).polls;
	free(tenants[0].name);
	tenants[0].name = xstrdup("renamed");
	tenants[0].log.name = tenants[0].name;
	start(1);
	ck_assert_str_eq(figures(0).tenant, "renamed");
	ck_assert_uint_eq(figures(0).polls, before);
	wait_polls(0, before + 2);
	ck_assert_uint_eq(stored(), 2);
}
END_TEST

struct once {
	bool is_done;
	size_t failed;
};

static void
on_once(void *arg, size_t failed)
{
	*(struct once *)arg = (struct once){ true, failed };
}

static bool
is_once_done(void *arg)
{
	return ((struct once *)arg)->is_done;
}

static bool
is_second_read(void *arg)
{
	(void)arg;
	return figures(1).last_success != TICKS_NONE;
}

/* A journal that cannot be written, from the beginning or in the midst: it ends all the same. */
START_TEST(test_once_without_journal)
{
	struct once once = { .is_done = false };

	if (_i == 0) {
		journal_mem_force(j, JOURNAL_FAILED);
		(void)run_until(never, NULL, 1200);
	}
	g.t[0].mood = SG_HANG;
	settings.ntenants = 2;
	intake_configure(in, &settings);
	intake_once(in, on_once, &once);
	if (_i == 1) {
		ck_assert(run_until(is_second_read, NULL, 30000));
		journal_mem_force(j, JOURNAL_FAILED);
	}
	ck_assert(run_until(is_once_done, &once, 30000));
	ck_assert_uint_eq(once.failed, _i == 0 ? 2 : 1);
	journal_mem_force(j, JOURNAL_OK);
}
END_TEST

START_TEST(test_once)
{
	struct once once = { .is_done = false };
	unsigned reads;

	for (int k = 0; k < 35; k++)
		sg_add(&g, 0, now() - HOUR + k);
	g.t[1].mood = SG_503;
	g.t[2].mood = SG_401_ONCE;
	if (_i == 0)
		intake_once(in, on_once, &once);
	start(3);
	if (_i == 1)
		intake_once(in, on_once, &once);
	ck_assert(run_until(is_once_done, &once, 5000));
	ck_assert_uint_eq(once.failed, 1);
	ck_assert_uint_eq(stored(), 35);
	reads = g.t[0].reads + g.t[1].reads + g.t[2].reads;
	(void)run_until(never, NULL, 200);
	ck_assert_uint_eq(g.t[0].reads + g.t[1].reads + g.t[2].reads, reads);
}
END_TEST

static void
on_stopped(void *arg)
{
	*(bool *)arg = true;
}

static bool
is_true(void *arg)
{
	return *(bool *)arg;
}

START_TEST(test_stop)
{
	bool is_stopped = false;
	unsigned reads;

	g.t[0].mood = SG_HANG;
	for (int k = 0; k < 900; k++)
		sg_add(&g, 1, now() - HOUR + k);
	start(2);
	(void)run_until(never, NULL, 30 + 10 * _i);
	intake_stop(in, on_stopped, &is_stopped);
	ck_assert(!is_stopped);
	ck_assert(run_until(is_true, &is_stopped, 1000));
	reads = g.t[1].reads;
	(void)run_until(never, NULL, 100);
	ck_assert_uint_eq(g.t[1].reads, reads);
}
END_TEST

/* What is read often from now on does not wait as long as it did before first. */
START_TEST(test_a_shorter_interval_holds_at_once)
{
	tenants[0].poll_interval_ms = 24 * 3600 * SEC;
	start(1);
	wait_polls(0, 1);
	tenants[0].poll_interval_ms = 60;
	start(1);
	wait_polls(0, 2);
}
END_TEST

/* A paused tenant is left out and comes back paused; then what is left out is nobody who is read. */
START_TEST(test_left_out_and_back)
{
	start(1);
	wait_polls(0, 1);
	ck_assert(intake_hold(in, tenants[0].name, true));
	intake_leave_out(in, tenants[0].key);
	ck_assert(TAILQ_EMPTY(&in->pollers));
	intake_leave_out(in, NULL);
	ck_assert(figures(0).is_held);
	ck_assert(intake_hold(in, tenants[0].name, false));
	intake_leave_out(in, NULL);
	ck_assert(!figures(0).is_held);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("intake");
	TCase *tc = tcase_create("intake");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 40);
	tcase_add_test(tc, test_alerts_are_read_once);
	tcase_add_test(tc, test_what_a_request_says);
	tcase_add_test(tc, test_new_version_is_forwarded);
	tcase_add_test(tc, test_backlog_is_read_page_by_page);
	tcase_add_test(tc, test_a_page_on_one_stamp);
	tcase_add_test(tc, test_refused_order);
	tcase_add_test(tc, test_huge_page_is_halved);
	tcase_add_test(tc, test_stamps_of_the_future);
	tcase_add_test(tc, test_older_than_first_lookback_is_left_alone);
	tcase_add_test(tc, test_foreign_alert_is_shown_to_nobody);
	tcase_add_test(tc, test_an_answer_that_is_all_foreign);
	tcase_add_test(tc, test_unreadable_slice_is_delivered_once);
	tcase_add_test(tc, test_unreadable_and_foreign);
	tcase_add_test(tc, test_tenants_do_not_mix);
	tcase_add_test(tc, test_a_rename_keeps_the_place);
	tcase_add_loop_test(tc, test_once, 0, 2);
	tcase_add_loop_test(tc, test_once_without_journal, 0, 2);
	tcase_add_loop_test(tc, test_stop, 0, 6);
	tcase_add_test(tc, test_a_shorter_interval_holds_at_once);
	tcase_add_test(tc, test_left_out_and_back);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
