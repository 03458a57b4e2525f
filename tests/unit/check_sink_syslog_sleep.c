/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sleeper.h"
#include "tests/unit/syslog_stage.h"

/* The machine sleeps while a syslog sink is connected: who is on the way may forget the connection,
 * and the receiver may go without a word that we hear. */

#define HOUR_MS  INT64_C(3600000)
#define LIMIT_MS 20000 /* never a wait */

/* Loop tests: 0 plain, 1 TLS. */
static void
start(int is_tls, int64_t confirm_after_ms)
{
	slept_ms = 0;
	rig.env.clock = &sleeper;
	conf.confirm_after_ms = confirm_after_ms;
	if (is_tls)
		listen_tls(false);
	else
		listen_plain(RECEIVE_LF);
	begin();
	ck_assert(rig_run(&rig, LIMIT_MS, is_up, NULL));
}

static void
send(size_t n)
{
	size_t want = a.frames + n;

	rig_append_many(&rig, 0, "a", 7, n);
	ck_assert(rig_run(&rig, LIMIT_MS, a_has_frames, &want));
}

static bool
has_connections(void *arg)
{
	return a.connections >= *(size_t *)arg;
}

static void
expect_connections(size_t n)
{
	ck_assert_msg(rig_run(&rig, LIMIT_MS, has_connections, &n), "%zu", a.connections);
	ck_assert_uint_eq(a.connections, n);
}

/* It has read everything and is gone without a word: the hours in which nobody looked confirm nothing. */
START_TEST(test_a_receiver_that_is_gone)
{
	size_t n = 100;

	start(_i, 60000);
	send(n);
	rig_run(&rig, 300, NULL, NULL); /* acknowledged, which is known */
	a.is_stopped = true; /* the old connection: nothing ever comes of it */
	slept_ms += HOUR_MS;
	rig_run(&rig, 500, NULL, NULL);
	ck_assert_uint_eq(rig_figures(&rig, "siem").accepted, 0);
	a.is_stopped = false;
	n = 200;
	ck_assert(rig_run(&rig, LIMIT_MS, a_has_frames, &n));
	ck_assert_uint_eq(a.nseen, 100);
	ck_assert_uint_eq(a.connections, 2);
	ck_assert_str_eq(rig_figures(&rig, "siem").trouble, "");
	ck_assert_uint_eq(rig_backlog(&rig, "siem"), 100); /* they wait for confirm_after, on the new one */
}
END_TEST

/* It was there all the time: it closes after us, and so has everything; nothing comes twice. */
START_TEST(test_a_receiver_that_is_there)
{
	start(_i, 60000);
	send(100);
	slept_ms += HOUR_MS;
	assert_all(&a, 100, LIMIT_MS);
	expect_connections(2);
	ck_assert_uint_eq(a.frames, 100);
	ck_assert_uint_eq(a.ends_in_order, 1);
	send(1);
}
END_TEST

/* With nothing on its way: the next alert does not go where nobody hears it. */
START_TEST(test_idle)
{
	start(_i, 50);
	send(1);
	ck_assert(rig_run_idle(&rig, LIMIT_MS));
	a.is_stopped = true;
	slept_ms += HOUR_MS;
	rig_run(&rig, 300, NULL, NULL);
	a.is_stopped = false;
	expect_connections(2);
	ck_assert_uint_eq(a.frames, 1);
}
END_TEST

/* A busy machine is none that slept. */
START_TEST(test_short)
{
	start(_i, 50);
	send(1);
	for (int i = 0; i < 3; i++) {
		slept_ms += 2000;
		rig_run(&rig, 1200, NULL, NULL);
	}
	ck_assert_uint_eq(a.connections, 1);
	assert_all(&a, 1, LIMIT_MS);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sink_syslog_sleep");
	TCase *tc = tcase_create("sink_syslog_sleep");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_a_receiver_that_is_gone, 0, 2);
	tcase_add_loop_test(tc, test_a_receiver_that_is_there, 0, 2);
	tcase_add_loop_test(tc, test_idle, 0, 2);
	tcase_add_loop_test(tc, test_short, 0, 2);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
