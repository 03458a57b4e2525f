/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/syslog_stage.h"

/* ---- framing and header -------------------------------------------------------------------- */

START_TEST(test_lf)
{
	listen_plain(RECEIVE_LF);
	begin();
	rig_append_many(&rig, 0, "a", 7, 500);
	assert_all(&a, 500, 5000);
	ck_assert_uint_eq(a.frames, 500);
	ck_assert_ptr_nonnull(strstr(a.last, "<163>1 2023-11-14T22:13:20"));
	ck_assert_ptr_nonnull(strstr(a.last, " t0 msspd "));
}
END_TEST

START_TEST(test_octet_counting)
{
	listen_plain(RECEIVE_OCTET);
	begin();
	rig_append_many(&rig, 0, "a", 7, 500);
	assert_all(&a, 500, 5000);
	ck_assert_uint_eq(a.frames, 500);
}
END_TEST

START_TEST(test_rfc3164)
{
	conf.header = HEADER_RFC3164;
	conf.time_zone = (char *)"Europe/Berlin";
	conf.facility = (char *)"local0";
	listen_plain(RECEIVE_LF);
	begin();
	rig_append(&rig, 1, "a", 1, 10);
	assert_all(&a, 1, 3000);
	ck_assert_msg(strncmp(a.last, "<131>Nov 14 23:13:20 t1 CEF:0|", 30) == 0, "%s", a.last);
}
END_TEST

START_TEST(test_max_message)
{
	conf.max_message = 1024;
	listen_plain(RECEIVE_LF);
	begin();
	rig_append(&rig, 0, "a", 1, 30000);
	assert_all(&a, 1, 3000);
	ck_assert_uint_le(strlen(a.last), 1024);
	ck_assert_uint_gt(strlen(a.last), 900);
}
END_TEST

/* ---- acceptance ---------------------------------------------------------------------------------- */

START_TEST(test_confirm_after)
{
	size_t one = 1;

	conf.confirm_after_ms = 600;
	listen_plain(RECEIVE_LF);
	begin();
	rig_append(&rig, 0, "a", 1, 10);
	ck_assert(rig_run(&rig, 2000, a_has_frames, &one));
	rig_run(&rig, 400, NULL, NULL);
	ck_assert_uint_eq(rig_figures(&rig, "siem").accepted, 0); /* read long ago, not confirmed */
	ck_assert(rig_run_idle(&rig, 2000));
	ck_assert_uint_eq(a.frames, 1);
}
END_TEST

/* Killed between taking and confirming: all of it comes again. */
START_TEST(test_vanishes_before_confirm)
{
	size_t n = 100;

	conf.confirm_after_ms = 2000;
	listen_plain(RECEIVE_LF);
	begin();
	rig_append_many(&rig, 0, "a", 7, n);
	ck_assert(rig_run(&rig, 2000, a_has_frames, &n));
	receiver_vanish(&a);
	n = 200;
	ck_assert(rig_run(&rig, 3000, a_has_frames, &n));
	ck_assert_uint_eq(a.nseen, 100);
	ck_assert_uint_eq(rig_backlog(&rig, "siem"), 100);
}
END_TEST

/* The end comes while the loop is busy, and the time to confirm passes meanwhile: it is seen first. */
START_TEST(test_vanishes_unseen)
{
	size_t n = 10;

	conf.confirm_after_ms = 400;
	listen_plain(RECEIVE_LF);
	begin();
	rig_append_many(&rig, 0, "a", 7, n);
	ck_assert(rig_run(&rig, 2000, a_has_frames, &n));
	rig_run(&rig, 250, NULL, NULL);
	ck_assert_uint_eq(rig_figures(&rig, "siem").accepted, 0);
	receiver_vanish(&a);
	usleep(400000);
	n = 20;
	ck_assert(rig_run(&rig, 3000, a_has_frames, &n));
}
END_TEST

/* Most waits in the kernel, where the peer's TCP has no room for it: none of that is accepted. */
START_TEST(test_unacknowledged)
{
	receive_room = 4096;
	listen_plain(RECEIVE_LF);
	a.is_stopped = true;
	begin();
	rig_append_many(&rig, 0, "a", 50, 500);
	rig_run(&rig, 1000, NULL, NULL);
	ck_assert_uint_lt(rig_figures(&rig, "siem").accepted, 100);
	receiver_go_on(&a);
	assert_all(&a, 500, 8000);
}
END_TEST

START_TEST(test_idle_close)
{
	listen_plain(RECEIVE_LF);
	begin();
	rig_append(&rig, 0, "a", 1, 10);
	assert_all(&a, 1, 3000);
	receiver_vanish(&a);
	rig_run(&rig, 300, NULL, NULL);
	ck_assert_uint_eq(a.connections, 2); /* noticed without sending, and there again */
	ck_assert_uint_eq(a.frames, 1);      /* what was accepted does not come again */
}
END_TEST

/* A receiver that stops reading: bounded memory, nothing accepted that it has not, and on it goes. */
START_TEST(test_stops_reading)
{
	struct delivery_figures f;

	listen_plain(RECEIVE_LF);
	a.is_stopped = true;
	begin();
	rig_append_many(&rig, 0, "a", 50, MAX_SEEN);
	rig_run(&rig, 1500, NULL, NULL);
	f = rig_figures(&rig, "siem");
	ck_assert_uint_eq(a.frames, 0);
	ck_assert_int_eq(f.link, SINK_UP);
	receiver_go_on(&a);
	assert_all(&a, MAX_SEEN, 20000);
	ck_assert_uint_eq(a.connections, 1);
}
END_TEST

START_TEST(test_zero_confirm)
{
	conf.confirm_after_ms = 0;
	listen_plain(RECEIVE_LF);
	begin();
	rig_append_many(&rig, 0, "a", 7, 300);
	assert_all(&a, 300, 3000);
}
END_TEST

/* Every connection dies of a burst: it gets less at a time, and everything in the end. */
START_TEST(test_dies_of_a_burst)
{
	listen_plain(RECEIVE_LF);
	conf.confirm_after_ms = 30;
	a.close_after = 10000;
	begin();
	rig_append_many(&rig, 0, "a", 50, 100);
	for (int i = 0; i < 2000 && !rig_run_idle(&rig, 20); i++)
		TAILQ_FIRST(&rig.delivery->owners)->tries = 0; /* not the backoff is looked at */
	assert_all(&a, 100, 1000);
}
END_TEST

static bool
had_links(void *arg)
{
	TAILQ_FIRST(&rig.delivery->owners)->tries = 0; /* not the backoff is looked at */
	return a.connections >= *(size_t *)arg;
}

/* Only few may be sent, and none of those can be written: nobody waits for an answer to them. */
START_TEST(test_rejects_while_paced)
{
	size_t links = 8;
	char id[480];

	memset(id, '"', sizeof(id));
	id[sizeof(id) - 1] = '\0';
	conf.format = (char *)"raw";
	conf.max_message = 1024;
	listen_plain(RECEIVE_LF);
	conf.confirm_after_ms = 30;
	a.close_after = 200;
	begin();
	rig_append_many(&rig, 0, "a", 1, 1);
	ck_assert(rig_run(&rig, 5000, had_links, &links));
	a.close_after = -1;
	links = a.connections + 1;
	ck_assert(rig_run(&rig, 2000, had_links, &links));
	ck_assert(rig_run_idle(&rig, 3000));
	for (int i = 0; i < 100; i++)
		rig_append(&rig, 0, id, i + 1, 10);
	rig_append_many(&rig, 0, "b", 1, 1);
	ck_assert_msg(rig_run_idle(&rig, 3000), "open: %llu",
	    (unsigned long long)rig_backlog(&rig, "siem"));
	ck_assert_uint_eq(rig_figures(&rig, "siem").dead, 100);
}
END_TEST

/* ---- torn connections -------------------------------------------------------------------------------- */

static void
close_at_random(unsigned rounds)
{
	unsigned seed = 42;

	conf.confirm_after_ms = 300;
	begin();
	rig_append_many(&rig, 0, "a", 50, MAX_SEEN);
	for (unsigned i = 0; i < rounds; i++) {
		size_t before = a.connections;

		a.close_after = rand_r(&seed) % 60000 + 1;
		receiver_vanish(&a);
		for (int k = 0; k < 1000 && a.connections == before; k++)
			rig_run(&rig, 5, NULL, NULL);
		rig_run(&rig, 20 + rand_r(&seed) % 150, NULL, NULL);
		TAILQ_FIRST(&rig.delivery->owners)->tries = 0; /* as if the link had worked for long */
	}
	a.close_after = -1;
	receiver_vanish(&a);
	assert_all(&a, MAX_SEEN, 60000);
	ck_assert_uint_ge(a.connections, rounds);
}

START_TEST(test_random_closes_lf)
{
	listen_plain(RECEIVE_LF);
	close_at_random(12);
}
END_TEST

START_TEST(test_random_closes_octet)
{
	listen_plain(RECEIVE_OCTET);
	close_at_random(12);
}
END_TEST

START_TEST(test_random_closes_tls)
{
	listen_tls(true);
	our_certificate(pki.client_cert, pki.client_key);
	close_at_random(12);
}
END_TEST

/* ---- the end ---------------------------------------------------------------------------------------- */

static void
stop_in_order(void)
{
	size_t n = 300;
	int64_t start;

	conf.confirm_after_ms = 60000; /* only the end in order can accept */
	begin();
	rig_append_many(&rig, 0, "a", 7, n);
	ck_assert(rig_run(&rig, 3000, a_has_frames, &n));
	start = clock_mono(&clock_system);
	ck_assert(rig_stop(&rig, 2000));
	ck_assert_int_lt(clock_mono(&clock_system) - start, 700);
	rig_run(&rig, 50, NULL, NULL);
	ck_assert_uint_eq(rig_backlog(&rig, "siem"), 0);
	ck_assert_uint_eq(a.ends_in_order, 1);
	ck_assert_msg(a.torn == 0, "%s", a.why_torn);
}

START_TEST(test_stop_plain)
{
	listen_plain(RECEIVE_LF);
	stop_in_order();
}
END_TEST

START_TEST(test_stop_tls)
{
	listen_tls(false);
	stop_in_order();
}
END_TEST

/* It does not read: nothing that it may not have is accepted. */
START_TEST(test_stop_stuck)
{
	conf.confirm_after_ms = 60000;
	listen_plain(RECEIVE_LF);
	begin();
	ck_assert(rig_run(&rig, 2000, is_up, NULL));
	rig_run(&rig, 50, NULL, NULL);
	a.is_stopped = true;
	rig_append_many(&rig, 0, "a", 7, 100);
	rig_run(&rig, 300, NULL, NULL);
	ck_assert(rig_stop(&rig, 2000));
	rig_run(&rig, 50, NULL, NULL);
	ck_assert_uint_eq(rig_backlog(&rig, "siem"), 100);
}
END_TEST

static void
ignore(void *arg)
{
	(void)arg;
}

/* It reads on for a while after our end, then is killed: a reset is no end in order. */
START_TEST(test_stop_reset)
{
	conf.confirm_after_ms = 60000;
	listen_plain(RECEIVE_LF);
	begin();
	ck_assert(rig_run(&rig, 2000, is_up, NULL));
	rig_run(&rig, 50, NULL, NULL);
	a.is_stopped = true;
	rig_append_many(&rig, 0, "a", 7, 100);
	rig_run(&rig, 300, NULL, NULL);
	delivery_stop(rig.delivery, 2000, ignore, NULL);
	rig_run(&rig, 100, NULL, NULL);
	receiver_vanish(&a);
	rig_run(&rig, 300, NULL, NULL);
	ck_assert_uint_eq(rig_backlog(&rig, "siem"), 100);
}
END_TEST

/* ---- servers ------------------------------------------------------------------------------------------------ */

START_TEST(test_failover_and_back)
{
	unsigned port;

	conf.failback_ms = 300;
	listen_plain(RECEIVE_LF);
	port = a.port;
	receiver_deaf(&a);
	receiver_init(&b, rig.env.base, RECEIVE_LF, NULL, MAX_SEEN);
	has_b = true;
	ck_assert(receiver_listen(&b, 0));
	add_server("tcp", b.port);
	begin();
	rig_append_many(&rig, 0, "a", 7, 100);
	assert_all(&b, 100, 3000); /* the first is away: the second has it */
	rig_run(&rig, 500, NULL, NULL); /* and is not left while the first is away */
	ck_assert_uint_eq(b.connections, 1);
	ck_assert(receiver_listen(&a, port));
	rig_run(&rig, 1000, NULL, NULL);
	ck_assert_uint_eq(b.now, 0);
	ck_assert_uint_eq(b.ends_in_order, 1);
	ck_assert_uint_eq(a.now, 1);
	rig_append(&rig, 0, "b", 101, 10);
	ck_assert(rig_run_idle(&rig, 3000));
	ck_assert_uint_eq(a.nseen, 1);
	ck_assert_uint_eq(b.nseen, 100);
	ck_assert_uint_eq(b.torn, 0);
}
END_TEST

/* It accepts connections and closes them at once, like a balancer without servers behind it. */
START_TEST(test_failover_from_hollow)
{
	listen_plain(RECEIVE_LF);
	a.closes_at_once = true;
	receiver_init(&b, rig.env.base, RECEIVE_LF, NULL, MAX_SEEN);
	has_b = true;
	ck_assert(receiver_listen(&b, 0));
	add_server("tcp", b.port);
	begin();
	rig_append_many(&rig, 0, "a", 7, 100);
	assert_all(&b, 100, 6000);
}
END_TEST

START_TEST(test_nobody_there)
{
	listen_plain(RECEIVE_LF);
	receiver_deaf(&a);
	begin();
	rig_append(&rig, 0, "a", 1, 10);
	rig_run(&rig, 300, NULL, NULL);
	ck_assert_int_eq(rig_figures(&rig, "siem").link, SINK_DOWN);
	ck_assert_ptr_nonnull(strstr(rig_figures(&rig, "siem").trouble, "Connection refused"));
	ck_assert_msg(strstr(rig_figures(&rig, "siem").trouble, ": 127.0.0.1:") == NULL,
	    "an address is said once: %s", rig_figures(&rig, "siem").trouble);
	ck_assert(receiver_listen(&a, a.port));
	assert_all(&a, 1, 4000);
}
END_TEST

/* ---- datagrams ---------------------------------------------------------------------------------------------- */

START_TEST(test_udp)
{
	receiver_init(&a, rig.env.base, RECEIVE_LF, NULL, MAX_SEEN);
	receiver_listen_udp(&a);
	add_server("udp", a.port);
	begin();
	rig_append_many(&rig, 0, "a", 7, 40); /* more at once would not find room in the socket */
	assert_all(&a, 40, 3000);
	ck_assert_ptr_null(strchr(a.last, '\n'));
}
END_TEST

START_TEST(test_udp_comes_back)
{
	receiver_init(&a, rig.env.base, RECEIVE_LF, NULL, MAX_SEEN);
	receiver_listen_udp(&a);
	add_server("udp", a.port);
	begin();
	rig_append(&rig, 0, "a", 1, 10);
	assert_all(&a, 1, 3000);
	receiver_deaf(&a);
	rig_append(&rig, 0, "a", 2, 10); /* lost: it is what udp does */
	rig_run(&rig, 50, NULL, NULL);
	rig_append(&rig, 0, "a", 3, 10); /* refused: stays */
	rig_run(&rig, 50, NULL, NULL);
	receiver_listen_udp(&a);
	ck_assert(rig_run_idle(&rig, 5000));
	ck_assert_uint_eq(a.seen[3], 1);
}
END_TEST

START_TEST(test_unix)
{
	static char path[64], url[80];

	snprintf(path, sizeof(path), "/tmp/check_sink_syslog.%d", (int)getpid());
	receiver_init(&a, rig.env.base, RECEIVE_LF, NULL, MAX_SEEN);
	receiver_listen_unix(&a, path);
	snprintf(url, sizeof(url), "unix://%s", path);
	servers[conf.servers.n++] = url;
	begin();
	rig_append_many(&rig, 0, "a", 50, 3000); /* more than its queue holds: the sink waits */
	assert_all(&a, 3000, 8000);
	ck_assert_uint_eq(a.frames, 3000);
}
END_TEST

/* ---- main ------------------------------------------------------------------------------------------------------ */

int
main(void)
{
	Suite *s = suite_create("sink_syslog");
	TCase *tc = tcase_create("sink_syslog");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_lf);
	tcase_add_test(tc, test_octet_counting);
	tcase_add_test(tc, test_rfc3164);
	tcase_add_test(tc, test_max_message);
	tcase_add_test(tc, test_confirm_after);
	tcase_add_test(tc, test_vanishes_before_confirm);
	tcase_add_test(tc, test_vanishes_unseen);
	tcase_add_test(tc, test_unacknowledged);
	tcase_add_test(tc, test_idle_close);
	tcase_add_test(tc, test_stops_reading);
	tcase_add_test(tc, test_zero_confirm);
	tcase_add_test(tc, test_dies_of_a_burst);
	tcase_add_test(tc, test_rejects_while_paced);
	tcase_add_test(tc, test_random_closes_lf);
	tcase_add_test(tc, test_random_closes_octet);
	tcase_add_test(tc, test_random_closes_tls);
	tcase_add_test(tc, test_stop_plain);
	tcase_add_test(tc, test_stop_tls);
	tcase_add_test(tc, test_stop_stuck);
	tcase_add_test(tc, test_stop_reset);
	tcase_add_test(tc, test_failover_and_back);
	tcase_add_test(tc, test_failover_from_hollow);
	tcase_add_test(tc, test_nobody_there);
	tcase_add_test(tc, test_udp);
	tcase_add_test(tc, test_udp_comes_back);
	tcase_add_test(tc, test_unix);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
