/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <event2/event.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "lib/base/str.h"

static struct event_base *base;
static struct loop *l;
static char seen[64];

static void
setup(void)
{
	base = event_base_new();
	l = loop_new(base);
	seen[0] = '\0';
}

static void
teardown(void)
{
	loop_free(l);
	event_base_free(base);
}

static void
note(void *obj)
{
	size_t n = strlen(seen);

	ck_assert_uint_lt(n + 1, sizeof(seen));
	seen[n] = *(const char *)obj;
	seen[n + 1] = '\0';
}

static void
note_too(void *obj)
{
	note(obj);
}

static char a[] = "a", b[] = "b", c[] = "c";

START_TEST(test_later_in_order)
{
	loop_defer(l, note, a);
	loop_defer(l, note, b);
	loop_defer(l, note, a);
	ck_assert_str_eq(seen, "");
	event_base_loop(base, EVLOOP_ONCE);
	ck_assert_str_eq(seen, "aba");
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_str_eq(seen, "aba");
}
END_TEST

START_TEST(test_frees_come_last)
{
	loop_defer_free(l, note, c);
	loop_defer(l, note, a);
	loop_defer(l, note, b);
	event_base_loop(base, EVLOOP_ONCE);
	ck_assert_str_eq(seen, "abc");
}
END_TEST

START_TEST(test_forget_is_of_fn_and_obj)
{
	loop_defer(l, note, a);
	loop_defer(l, note_too, a);
	loop_defer(l, note, b);
	loop_defer(l, note, a);
	loop_forget(l, note, a);
	event_base_loop(base, EVLOOP_ONCE);
	ck_assert_str_eq(seen, "ab");
}
END_TEST

static void
forget_b(void *obj)
{
	note(obj);
	loop_forget(l, note, b);
}

START_TEST(test_forget_in_a_deferred_call)
{
	loop_defer(l, forget_b, a);
	loop_defer(l, note, b);
	loop_defer(l, note, c);
	event_base_loop(base, EVLOOP_ONCE);
	ck_assert_str_eq(seen, "ac");
}
END_TEST

static void
again(void *obj)
{
	note(obj);
	if (strlen(seen) < 5)
		loop_defer(l, again, obj);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	(void)!read(fd, arg, 1);
	note(c);
}

START_TEST(test_deferring_starves_no_socket)
{
	int fds[2];
	char got;
	struct event *e;

	ck_assert_int_eq(pipe(fds), 0);
	e = event_new(base, fds[0], EV_READ, on_readable, &got);
	event_add(e, NULL);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	loop_defer(l, again, a);
	for (int turn = 0; turn < 5; turn++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_ptr_nonnull(strchr(seen, 'c'));
	ck_assert_msg(seen[strlen(seen) - 1] != 'c', "the socket came last: %s", seen);
	event_free(e);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(test_free_runs_the_rest)
{
	loop_defer_free(l, note, c);
	loop_defer(l, again, a);
	loop_free(l);
	l = NULL;
	ck_assert_str_eq(seen, "acaaa");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("loop");
	TCase *tc = tcase_create("loop");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_later_in_order);
	tcase_add_test(tc, test_frees_come_last);
	tcase_add_test(tc, test_forget_is_of_fn_and_obj);
	tcase_add_test(tc, test_forget_in_a_deferred_call);
	tcase_add_test(tc, test_deferring_starves_no_socket);
	tcase_add_test(tc, test_free_runs_the_rest);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
