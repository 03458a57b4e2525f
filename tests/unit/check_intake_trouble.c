/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/intake_stage.h"

/* ---- trouble ------------------------------------------------------------------------------- */

static const struct {
	const char *says;
	enum sg_mood mood;
	enum tenant_state state;
	int least_s, most_s; /* until the next try */
	const char *words;
	unsigned tokens; /* 0: any */
} troubles[] = {
	{ "401 for ever: one new token, then parked", SG_401, TENANT_REFUSED, 290, 370,
	    "fresh token", 2 },
	{ "403 with a new token, too: parked", SG_403, TENANT_NO_LICENCE, 290, 370, "licence", 2 },
	{ "403 without roles: what to grant", SG_NO_ROLES, TENANT_NOT_ONBOARDED, 290, 370,
	    "SecurityAlert.Read.All", 1 },
	{ "no consent: parked", SG_NO_CONSENT, TENANT_NOT_ONBOARDED, 290, 370, "", 1 },
	{ "a wrong secret: parked", SG_BAD_SECRET, TENANT_REFUSED, 290, 370, "", 1 },
	{ "429 waits as long as it is told", SG_429, TENANT_THROTTLED, 29, 37, "429", 0 },
	{ "429 without a word waits too", SG_429_SILENT, TENANT_THROTTLED, 9, 13, "429", 0 },
	{ "503 backs off", SG_503, TENANT_UNREACHABLE, 4, 7, "503", 0 },
	{ "500 backs off", SG_500, TENANT_UNREACHABLE, 4, 7, "500", 0 },
	{ "a proxy that tells our token", SG_ECHO, TENANT_UNREACHABLE, 4, 7, "502: I got", 1 },
	{ "and one that does it in JSON", SG_ECHO_JSON, TENANT_UNREACHABLE, 4, 7, "***, and no", 1 },
	{ "a web page is no page", SG_HTML, TENANT_GARBLED, 4, 7, "text/html", 0 },
	{ "206 is no page", SG_PARTIAL, TENANT_GARBLED, 4, 7, "partial", 0 },
	{ "204 is no page", SG_NOTHING, TENANT_GARBLED, 4, 7, "204", 0 },
	{ "value null is no page", SG_NO_VALUE, TENANT_GARBLED, 4, 7, "no page", 0 },
	{ "half a body is no page", SG_TORN, TENANT_GARBLED, 4, 7, "no page", 0 },
	{ "a redirect is not followed", SG_REDIRECT, TENANT_GARBLED, 4, 7, "evil.example", 0 },
	{ "a hanging server runs into the timeout", SG_HANG, TENANT_UNREACHABLE, 4, 7, "", 0 },
	{ "an empty page whose link leads elsewhere", SG_FOREIGN_LINK, TENANT_GARBLED, 4, 7, "link",
	    0 },
	{ "a link to itself", SG_LOOP, TENANT_GARBLED, 4, 7, "circle", 0 },
};

START_TEST(test_trouble)
{
	const struct intake_figures *fig;
	struct intake_figures all;
	unsigned reads;

	/* one of two, and the other one is well all the time */
	g.t[0].mood = troubles[_i].mood;
	sg_add(&g, 1, now() - HOUR);
	start(2);
	wait_state(0, troubles[_i].state);
	reads = g.t[0].reads;
	wait_polls(1, 4);
	all = figures(0);
	fig = &all;
	ck_assert_msg(fig->next_poll_ms >= troubles[_i].least_s * SEC - 3000 &&
			  fig->next_poll_ms <= troubles[_i].most_s * SEC,
	    "%s: next in %d ms", troubles[_i].says, (int)fig->next_poll_ms);
	ck_assert_msg(strstr(fig->trouble, troubles[_i].words) != NULL, "%s: %s", troubles[_i].says,
	    fig->trouble);
	ck_assert_msg(strstr(logged, "next try in") != NULL, "%s: %s", troubles[_i].says, logged);
	ck_assert_msg(troubles[_i].tokens == 0 || g.t[0].tokens == troubles[_i].tokens,
	    "%s: %u tokens", troubles[_i].says, g.t[0].tokens);
	ck_assert_msg(g.t[0].reads == reads, "%s: asked again at once", troubles[_i].says);
	ck_assert_uint_ge(fig->failures, 1);
	ck_assert_int_eq(fig->last_success, TICKS_NONE);
	ck_assert_ptr_null(strstr(logged, "eyJ")); /* what every token begins with */
	ck_assert_ptr_null(strstr(fig->trouble, "eyJ"));
	/* It is well again by itself, once what was wrong is mended. */
	g.t[0].mood = SG_WELL;
	turn_clock(troubles[_i].most_s * SEC);
	wait_state(0, TENANT_HEALTHY);
	ck_assert_str_eq(figures(0).trouble, "");
}
END_TEST

/* Of a tenant that was read once, what says "no consent" says more. */
START_TEST(test_consent_withdrawn)
{
	sg_add(&g, 0, now() - HOUR);
	start(1);
	wait_state(0, TENANT_HEALTHY);
	g.t[0].mood = SG_NO_ROLES;
	wait_state(0, TENANT_CONSENT_WITHDRAWN);
	turn_clock(370 * SEC);
	g.t[0].mood = SG_NO_CONSENT;
	wait_state(0, TENANT_CONSENT_WITHDRAWN);
}
END_TEST

/* Pages that never come hold no room: seven such would be three times what there is. */
START_TEST(test_the_hanging_do_not_stop_the_others)
{
	settings.request_timeout_ms = 60 * SEC;
	for (unsigned i = 0; i < SG_TENANTS; i++) {
		g.t[i].mood = i + 1 < SG_TENANTS ? SG_HANG : SG_WELL;
		tenants[i].page_size = 1000;
		tenants[i].poll_interval_ms = 500;
	}
	sg_add(&g, SG_TENANTS - 1, now() - HOUR);
	start(SG_TENANTS);
	wait_polls(SG_TENANTS - 1, 6);
	ck_assert_uint_eq(stored(), 1);
	for (unsigned i = 0; i + 1 < SG_TENANTS; i++)
		ck_assert_uint_eq(g.t[i].reads, 1);
}
END_TEST

/* A 503 may be of the one machine behind the connection: the next try is on another. */
START_TEST(test_503_is_asked_again_on_a_new_connection)
{
	unsigned before;

	sg_add(&g, 0, now() - HOUR);
	start(1);
	wait_polls(0, 2);
	before = web_connections(g.web);
	wait_polls(0, figures(0).polls + 2);
	ck_assert_uint_eq(web_connections(g.web), before);
	g.t[0].mood = SG_503;
	wait_state(0, TENANT_UNREACHABLE);
	g.t[0].mood = SG_WELL;
	turn_clock(7 * SEC);
	wait_state(0, TENANT_HEALTHY);
	ck_assert_uint_eq(web_connections(g.web), before + 1);
}
END_TEST

START_TEST(test_401_once_renews_the_token)
{
	sg_add(&g, 0, now() - HOUR);
	g.t[0].mood = SG_401_ONCE;
	start(1);
	wait_polls(0, 2);
	ck_assert_uint_eq(g.t[0].tokens, 2);
	ck_assert_uint_eq(stored(), 1);
	ck_assert_int_eq(figures(0).state, TENANT_HEALTHY);
}
END_TEST

START_TEST(test_a_full_journal_pauses_polling)
{
	int64_t before;
	unsigned reads;

	start(1);
	wait_polls(0, 2);
	(void)run_until(never, NULL, 300);
	before = clock_wall(env.clock);
	journal_mem_force(j, JOURNAL_PAUSED);
	wait_state(0, TENANT_PAUSED);
	ck_assert_int_ge(figures(0).since, before);
	sg_add(&g, 0, now() - HOUR);
	(void)run_until(never, NULL, 200);
	reads = g.t[0].reads;
	(void)run_until(never, NULL, 300);
	ck_assert_uint_eq(g.t[0].reads, reads);
	journal_mem_force(j, JOURNAL_OK);
	wait_state(0, TENANT_HEALTHY);
	wait_polls(0, figures(0).polls + 2);
	ck_assert_uint_eq(stored(), 1);
}
END_TEST

/* What is said of it is about that, not about what else pauses tenants; and since when. */
START_TEST(test_an_operator_pauses_one)
{
	int64_t before;

	start(1);
	wait_polls(0, 2);
	(void)run_until(never, NULL, 300);
	before = clock_wall(env.clock);
	ck_assert(intake_hold(in, tenants[0].name, true));
	ck_assert_int_eq(figures(0).state, TENANT_PAUSED);
	ck_assert(figures(0).is_held);
	ck_assert_int_ge(figures(0).since, before);
	ck_assert_ptr_nonnull(strstr(figures(0).remedy, "msspctl resume tenant"));
	ck_assert(intake_hold(in, tenants[0].name, false));
	ck_assert(!figures(0).is_held);
	ck_assert_str_eq(figures(0).remedy, "");
}
END_TEST

static bool
is_asked(void *arg)
{
	const struct sg_tenant *t = arg;

	return t->tokens + t->reads >= (t->mood == SG_BAD_SECRET ? 1 : 2);
}

/* What is on its way when a reload mends it says nothing of what holds now: it parks nobody. */
START_TEST(test_a_reload_while_it_is_asked)
{
	static const enum sg_mood moods[] = { SG_NO_ROLES, SG_BAD_SECRET };

	g.t[0].mood = moods[_i];
	g.t[0].delay_ms = 700;
	start(1);
	ck_assert(run_until(is_asked, &g.t[0], 30000));
	(void)run_until(never, NULL, 200);
	ck_assert_uint_eq(figures(0).failures, 0);
	g.t[0].mood = SG_WELL;
	g.t[0].delay_ms = 0;
	intake_configure(in, &settings);
	wait_state(0, TENANT_HEALTHY);
	ck_assert_uint_eq(figures(0).failures, 1);
}
END_TEST

/* The journal says no to a page before it says that it is full. */
START_TEST(test_a_refused_page_is_read_again)
{
	start(1);
	wait_polls(0, 1);
	for (int i = 0; i < 35; i++)
		sg_add(&g, 0, now() - HOUR + i);
	journal_mem_force(j, JOURNAL_FAILED);
	(void)run_until(never, NULL, 1500);
	journal_mem_force(j, JOURNAL_OK);
	(void)run_until(never, NULL, 7000);
	ck_assert_uint_eq(stored(), 35);
	ck_assert_int_eq(figures(0).cursor, g.t[0].alerts[34].at);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("intake_trouble");
	TCase *tc = tcase_create("intake_trouble");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 40);
	tcase_add_test(tc, test_consent_withdrawn);
	tcase_add_loop_test(tc, test_trouble, 0, (int)ARRAY_LEN(troubles));
	tcase_add_test(tc, test_the_hanging_do_not_stop_the_others);
	tcase_add_test(tc, test_503_is_asked_again_on_a_new_connection);
	tcase_add_test(tc, test_401_once_renews_the_token);
	tcase_add_test(tc, test_a_full_journal_pauses_polling);
	tcase_add_test(tc, test_an_operator_pauses_one);
	tcase_add_loop_test(tc, test_a_reload_while_it_is_asked, 0, 2);
	tcase_add_test(tc, test_a_refused_page_is_read_again);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
