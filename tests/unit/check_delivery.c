/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/clock.h"
#include "daemon/delivery/owner.h"
#include "lib/base/str.h"
#include "tests/unit/fake_sink.h"
#include "tests/unit/rig.h"

static struct rig rig;
static struct fake_far far[3];
static struct fake_conf conf[3];

static void
setup(void)
{
	rig_init(&rig);
	for (size_t i = 0; i < ARRAY_LEN(far); i++) {
		fake_far_init(&far[i]);
		conf[i].far = &far[i];
	}
}

static void
teardown(void)
{
	rig_release(&rig);
	for (size_t i = 0; i < ARRAY_LEN(far); i++) {
		ck_assert_uint_eq(far[i].opened, far[i].closed);
		fake_far_release(&far[i]);
	}
}

static void
one_sink(void)
{
	rig_sink(&rig, "one", &fake_sink, &conf[0], "one");
	rig_apply(&rig);
}

static bool
has_got(void *arg)
{
	return far[0].ngot >= *(size_t *)arg;
}

static bool
run_until_got(size_t n, int64_t ms)
{
	return rig_run(&rig, ms, has_got, &n);
}

static struct sink_owner *
first_owner(void)
{
	return TAILQ_FIRST(&rig.delivery->owners);
}

/* Ends with the far side having, for each alert, its newest version as the last one that it took as OK. */
static void
assert_newest_last(const struct fake_far *f)
{
	for (size_t i = 0; i < f->ngot; i++) {
		const struct fake_got *last = NULL;
		int64_t newest = 0;

		for (size_t k = 0; k < f->ngot; k++) {
			if (strcmp(f->got[k].id, f->got[i].id) != 0)
				continue;
			if (f->got[k].version > newest)
				newest = f->got[k].version;
			if (f->got[k].is_answered && f->got[k].verdict == SINK_OK)
				last = &f->got[k];
		}
		ck_assert_msg(last != NULL && last->version == newest, "alert %s", f->got[i].id);
		if (i > 50)
			break; /* quadratic, and the alerts repeat */
	}
}

/* ---- the plain way ------------------------------------------------------------------- */

START_TEST(test_all_in_order)
{
	one_sink();
	rig_append_many(&rig, 0, "a", 7, 1000);
	ck_assert(rig_run_idle(&rig, 5000));
	ck_assert_uint_eq(far[0].ngot, 1000);
	for (size_t i = 1; i < far[0].ngot; i++)
		ck_assert(far[0].got[i].version > far[0].got[i - 1].version);
	ck_assert_str_eq(far[0].got[0].tenant, "t0");
	ck_assert_uint_eq(rig_figures(&rig, "one").accepted, 1000);
	ck_assert_uint_eq(rig_figures(&rig, "one").in_flight, 0);
}
END_TEST

START_TEST(test_woken_by_later_entries)
{
	one_sink();
	for (int i = 1; i <= 5; i++) {
		rig_append(&rig, 0, "a", i, 10);
		ck_assert(rig_run_idle(&rig, 2000));
		ck_assert_uint_eq(far[0].ngot, (size_t)i);
	}
}
END_TEST

START_TEST(test_small_sink)
{
	far[0].room = 3;
	far[0].answer_after_ms = 1;
	one_sink();
	rig_append_many(&rig, 0, "a", 7, 300);
	ck_assert(rig_run_idle(&rig, 10000));
	ck_assert_uint_eq(far[0].ngot, 300); /* what is not taken is offered again, once */
}
END_TEST

START_TEST(test_bound)
{
	far[0].answer_after_ms = -1;
	one_sink();
	first_owner()->tickets.max = 500;
	rig_append_many(&rig, 0, "a", 7, 2000);
	rig_run(&rig, 300, NULL, NULL);
	ck_assert_uint_eq(far[0].ngot, 500);
	ck_assert_uint_eq(rig_figures(&rig, "one").in_flight, 500);
	far[0].answer_after_ms = 0;
	fake_far_cut(&far[0], SINK_DOWN);
	ck_assert(rig_run_idle(&rig, 5000));
	ck_assert_uint_eq(fake_far_count(&far[0], SINK_OK), 2000);
}
END_TEST

/* ---- verdicts ---------------------------------------------------------------------------- */

static enum sink_verdict
retry_first_of_a(void *arg, const struct fake_got *got, int64_t *due, const char **memo)
{
	(void)arg;
	(void)due;
	(void)memo;
	return strcmp(got->id, "a0") == 0 && got->tries < 1 && ticks_to_ms(got->version) >= 0 &&
	    got->version % TICKS_SEC == 1 ? SINK_RETRY : SINK_OK;
}

/* Entry 1 of alert a0 is put off once; those behind it wait, other alerts do not. */
START_TEST(test_retry_keeps_order)
{
	far[0].judge = retry_first_of_a;
	one_sink();
	rig_append(&rig, 0, "a0", 1, 10);
	ck_assert(run_until_got(1, 2000));
	rig_run(&rig, 20, NULL, NULL);
	rig_append(&rig, 0, "a0", 2, 10);
	rig_append(&rig, 0, "b0", 3, 10);
	rig_append(&rig, 0, "a0", 4, 10);
	rig_append(&rig, 1, "a0", 5, 10); /* another tenant's alert of that id is another alert */
	ck_assert(run_until_got(3, 500));
	ck_assert_str_eq(far[0].got[1].id, "b0");
	ck_assert_str_eq(far[0].got[2].tenant, "t1");
	ck_assert(rig_run_idle(&rig, 8000));
	ck_assert_uint_eq(far[0].ngot, 6);
	ck_assert_uint_eq(far[0].got[3].tries, 1);
	ck_assert(far[0].got[3].version < far[0].got[4].version);
	ck_assert(far[0].got[4].version < far[0].got[5].version);
	ck_assert_uint_eq(rig_figures(&rig, "one").retried, 1);
	ck_assert_ptr_null(first_owner()->order.nodes);
}
END_TEST

/* All three were on their way when the first came back: the later ones go again behind it. */
START_TEST(test_retry_overtaken)
{
	far[0].judge = retry_first_of_a;
	one_sink();
	far[0].answer_after_ms = 50;
	rig_append_many(&rig, 0, "a", 1, 3);
	ck_assert(rig_run_idle(&rig, 8000));
	ck_assert_uint_eq(far[0].ngot, 6);
	ck_assert_int_eq(far[0].got[0].verdict, SINK_RETRY);
	for (size_t i = 4; i < 6; i++)
		ck_assert(far[0].got[i].version > far[0].got[i - 1].version);
	assert_newest_last(&far[0]);
}
END_TEST

/* What is put off may be gone from the journal when its time comes: a damaged row. */
START_TEST(test_nothing_waits_for_what_is_gone)
{
	struct journal_mark gone = { .pos = { .shard = 0, .seq = 1 }, .what = MARK_OK };

	far[0].judge = retry_first_of_a;
	one_sink();
	rig_append(&rig, 0, "a0", 1, 10);
	ck_assert(run_until_got(1, 2000));
	rig_run(&rig, 300, NULL, NULL);
	journal_settle(rig.journal, first_owner()->number, &gone, 1);
	rig_append(&rig, 0, "a0", 2, 10);
	ck_assert(!run_until_got(2, 3000));
	delivery_forget_order(rig.delivery);
	ck_assert(run_until_got(2, 3000));
	ck_assert(rig_run_idle(&rig, 3000));
	ck_assert_uint_eq(delivery_dead(rig.delivery), 0);
}
END_TEST

/* A customer that was purged while an alert of its was tried again, and is a customer anew: nothing waits
 * for what is gone. */
START_TEST(test_nothing_waits_for_what_is_purged)
{
	const struct journal_mark gone = { .pos = { .shard = 0, .seq = 1 }, .what = MARK_OK };
	struct journal_filter streams = { .nstreams = 1 };

	far[0].judge = retry_first_of_a;
	one_sink();
	streams.streams[0] = rig.streams[_i];
	rig_append(&rig, 0, "a0", 1, 10);
	ck_assert(run_until_got(1, 30000));
	rig_run(&rig, 300, NULL, NULL);
	journal_settle(rig.journal, first_owner()->number, &gone, 1);
	delivery_leave_out(rig.delivery, &streams);
	delivery_leave_out(rig.delivery, NULL);
	rig_append(&rig, 0, "a0", 2, 10);
	ck_assert(run_until_got(2, _i == 0 ? 30000 : 1500) == (_i == 0)); /* another's leaves it as it is */
}
END_TEST

static enum sink_verdict
reject_a(void *arg, const struct fake_got *got, int64_t *due, const char **memo)
{
	(void)arg;
	(void)due;
	(void)memo;
	return strcmp(got->id, "a0") == 0 ? SINK_REJECT : SINK_OK;
}

START_TEST(test_reject)
{
	far[0].judge = reject_a;
	one_sink();
	rig_append_many(&rig, 0, "a", 2, 10);
	ck_assert(rig_run_idle(&rig, 3000));
	ck_assert_uint_eq(far[0].ngot, 10);
	ck_assert_uint_eq(rig_figures(&rig, "one").dead, 5);
	ck_assert_uint_eq(rig_figures(&rig, "one").accepted, 5);
	ck_assert_uint_eq(rig_dead(&rig, "one"), 5);
	ck_assert_uint_eq(delivery_dead(rig.delivery), 5);
}
END_TEST

static enum sink_verdict
hold_once(void *arg, const struct fake_got *got, int64_t *due, const char **memo)
{
	(void)arg;
	if (strcmp(got->id, "a0") != 0 || got->memo[0] != '\0')
		return SINK_OK;
	*due = clock_wall(&clock_system) + ticks_from_ms(300);
	*memo = "digest 7";
	return SINK_HOLD;
}

START_TEST(test_hold)
{
	far[0].judge = hold_once;
	one_sink();
	rig_append_many(&rig, 0, "a", 2, 4);
	ck_assert(run_until_got(4, 1000)); /* holds back nothing, not even its own alert */
	rig_run(&rig, 150, NULL, NULL);
	ck_assert_uint_eq(far[0].ngot, 4);
	ck_assert(rig_run_idle(&rig, 4000));
	ck_assert_uint_eq(far[0].ngot, 6);
	ck_assert_str_eq(far[0].got[4].memo, "digest 7");
	ck_assert_str_eq(far[0].got[5].memo, "digest 7");
}
END_TEST

/* ---- links ---------------------------------------------------------------------------------- */

START_TEST(test_link_flaps)
{
	unsigned seed = 7;

	far[0].answer_after_ms = 3;
	far[0].room = 400;
	one_sink();
	rig_append_many(&rig, 0, "a", 13, 4000);
	for (int i = 0; i < 12; i++) {
		rig_run(&rig, 10 + rand_r(&seed) % 40, NULL, NULL);
		fake_far_cut(&far[0], i % 3 == 0 ? SINK_REFUSED : SINK_DOWN);
		first_owner()->tries = 0; /* as if it had worked for a while */
	}
	ck_assert(rig_run_idle(&rig, 20000));
	ck_assert_uint_ge(fake_far_count(&far[0], SINK_OK), 4000);
	ck_assert_uint_ge(far[0].started, 3);
	assert_newest_last(&far[0]);
	for (size_t i = 1; i < far[0].ngot; i++) {
		if (far[0].got[i].link == far[0].got[i - 1].link)
			ck_assert(far[0].got[i].version > far[0].got[i - 1].version);
	}
}
END_TEST

static bool
is_up(void *arg)
{
	(void)arg;
	return first_owner()->state == OWNER_UP;
}

/* A receiver that dies again and again, but takes something each time, is not waited for longer and longer. */
START_TEST(test_link_that_gets_on)
{
	uint64_t accepted = 0;

	far[0].answer_after_ms = 3;
	far[0].room = 10;
	one_sink();
	rig_append_many(&rig, 0, "a", 13, 4000);
	for (int i = 0; i < 10; i++) {
		ck_assert(rig_run(&rig, 3000, is_up, NULL));
		rig_run(&rig, 50, NULL, NULL);
		ck_assert_uint_gt(rig_figures(&rig, "one").accepted, accepted);
		accepted = rig_figures(&rig, "one").accepted;
		fake_far_cut(&far[0], SINK_DOWN);
		ck_assert_int_le(rig_figures(&rig, "one").next_try_ms, 1200); /* a second and its jitter */
	}
}
END_TEST

START_TEST(test_refused)
{
	struct delivery_figures f;

	far[0].answer = SINK_REFUSED;
	one_sink();
	rig_append(&rig, 0, "a", 1, 10);
	rig_run(&rig, 50, NULL, NULL);
	f = rig_figures(&rig, "one");
	ck_assert_int_eq(f.link, SINK_REFUSED);
	ck_assert_str_eq(f.trouble, "the fake is away");
	ck_assert(f.next_try_ms >= 0 && f.next_try_ms <= 100); /* the first retry is quick */
	ck_assert(f.trouble_since != TICKS_NONE);
	ck_assert_uint_eq(rig_backlog(&rig, "one"), 1);
	rig_run(&rig, 300, NULL, NULL);
	ck_assert_uint_eq(far[0].started, 2); /* and the next is not */
	far[0].answer = SINK_UP;
	ck_assert(rig_run_idle(&rig, 3000));
	f = rig_figures(&rig, "one");
	ck_assert_int_eq(f.link, SINK_UP);
	ck_assert_str_eq(f.trouble, "");
	ck_assert_int_eq(f.next_try_ms, -1);
}
END_TEST

START_TEST(test_parked)
{
	far[0].refuses_open = true;
	one_sink();
	rig_append(&rig, 0, "a", 1, 10);
	rig_run(&rig, 50, NULL, NULL);
	ck_assert(rig_figures(&rig, "one").is_parked);
	ck_assert_str_eq(rig_figures(&rig, "one").trouble, "one: the fake refuses to open");
	far[0].refuses_open = false;
	ck_assert(rig_run_idle(&rig, 4000));
	ck_assert_uint_eq(far[0].ngot, 1);
	ck_assert(!rig_figures(&rig, "one").is_parked);
}
END_TEST

/* One is away, one never answers, one works: that one is on time. */
START_TEST(test_sinks_do_not_wait)
{
	int64_t start;

	far[0].answer_after_ms = 0;
	far[1].answer = SINK_DOWN;
	far[2].answer_after_ms = -1;
	rig_sink(&rig, "one", &fake_sink, &conf[0], "one");
	rig_sink(&rig, "two", &fake_sink, &conf[1], "two");
	rig_sink(&rig, "three", &fake_sink, &conf[2], "three");
	rig_apply(&rig);
	start = clock_mono(&clock_system);
	rig_append_many(&rig, 0, "a", 7, 2000);
	ck_assert(run_until_got(2000, 5000));
	ck_assert_int_lt(clock_mono(&clock_system) - start, 2500);
	rig_run(&rig, 300, NULL, NULL);
	ck_assert_uint_eq(rig_backlog(&rig, "one"), 0);
	ck_assert_uint_eq(rig_backlog(&rig, "two"), 2000);
	ck_assert_uint_eq(rig_backlog(&rig, "three"), 2000);
}
END_TEST

/* ---- configuration ------------------------------------------------------------------------------ */

START_TEST(test_equal_is_left_alone)
{
	one_sink();
	rig_append(&rig, 0, "a", 1, 10);
	ck_assert(rig_run_idle(&rig, 2000));
	rig_apply(&rig);
	rig_append(&rig, 0, "a", 2, 10);
	ck_assert(rig_run_idle(&rig, 2000));
	ck_assert_uint_eq(far[0].opened, 1);
	ck_assert_uint_eq(far[0].started, 1);
	ck_assert_uint_eq(far[0].drained, 0);
}
END_TEST

START_TEST(test_changed_is_drained)
{
	far[0].answer_after_ms = 20;
	one_sink();
	rig_append_many(&rig, 0, "a", 5, 1500);
	ck_assert(run_until_got(100, 2000));
	rig_no_sinks(&rig);
	rig_sink(&rig, "one", &fake_sink, &conf[1], "other");
	rig_apply(&rig);
	ck_assert(rig_run_idle(&rig, 5000));
	ck_assert_uint_eq(far[0].drained, 1);
	ck_assert_uint_eq(far[0].closed, 1);
	ck_assert_uint_eq(far[1].opened, 1);
	ck_assert_uint_eq(fake_far_unanswered(&far[0]), 0);
	ck_assert_uint_eq(far[0].ngot + far[1].ngot, 1500); /* nothing lost, nothing twice */
	ck_assert(far[1].got[0].version > far[0].got[far[0].ngot - 1].version);
}
END_TEST

START_TEST(test_changed_that_never_drains)
{
	far[0].answer_after_ms = -1;
	far[0].never_drains = true;
	one_sink();
	rig_append_many(&rig, 0, "a", 5, 50);
	ck_assert(run_until_got(50, 2000));
	rig_no_sinks(&rig);
	rig_sink(&rig, "one", &fake_sink, &conf[1], "other");
	rig_apply(&rig);
	rig_apply(&rig); /* and once more while it drains */
	ck_assert(rig_run_idle(&rig, 5000));
	ck_assert_uint_eq(far[0].cancelled, 1);
	ck_assert_uint_eq(far[1].opened, 1);
	ck_assert_uint_eq(far[1].ngot, 50);
}
END_TEST

START_TEST(test_gone_and_back)
{
	far[0].answer_after_ms = -1;
	one_sink();
	rig_append_many(&rig, 0, "a", 5, 50);
	ck_assert(run_until_got(50, 2000));
	rig_no_sinks(&rig);
	rig_apply(&rig);
	rig_run(&rig, 50, NULL, NULL);
	ck_assert_uint_eq(far[0].closed, 1);
	ck_assert_uint_eq(rig_backlog(&rig, "one"), 50); /* its place stays */
	rig_sink(&rig, "one", &fake_sink, &conf[1], "other");
	rig_apply(&rig);
	ck_assert(rig_run_idle(&rig, 3000));
	ck_assert_uint_eq(far[1].ngot, 50);
}
END_TEST

/* Gone and wanted again within one turn, while its first life is still draining. */
START_TEST(test_changes_mind)
{
	far[0].never_drains = true;
	far[0].answer_after_ms = -1;
	one_sink();
	rig_append_many(&rig, 0, "a", 5, 20);
	ck_assert(run_until_got(20, 2000));
	rig_no_sinks(&rig);
	rig_apply(&rig);
	rig_sink(&rig, "one", &fake_sink, &conf[1], "other");
	rig_apply(&rig);
	ck_assert(rig_run_idle(&rig, 5000));
	ck_assert_uint_eq(far[1].ngot, 20);
	ck_assert_uint_eq(far[1].opened, 1);
}
END_TEST

START_TEST(test_refresh)
{
	one_sink();
	rig_run(&rig, 20, NULL, NULL);
	delivery_refresh(rig.delivery);
	ck_assert_uint_eq(far[0].refreshed, 1);
}
END_TEST

/* ---- stopping ----------------------------------------------------------------------------------- */

START_TEST(test_stop)
{
	far[0].answer_after_ms = 30;
	one_sink();
	rig_append_many(&rig, 0, "a", 5, 200);
	ck_assert(run_until_got(100, 2000));
	ck_assert(rig_stop(&rig, 1000));
	rig_run(&rig, 50, NULL, NULL);
	ck_assert_uint_eq(far[0].drained, 1);
	ck_assert_uint_eq(fake_far_unanswered(&far[0]), 0);
	ck_assert_uint_eq(rig_backlog(&rig, "one"), 200 - far[0].ngot);
}
END_TEST

START_TEST(test_stop_loses_patience)
{
	int64_t start;

	far[0].answer_after_ms = -1;
	far[0].never_drains = true;
	far[1].answer = SINK_DOWN;
	far[2].refuses_open = true;
	rig_sink(&rig, "one", &fake_sink, &conf[0], "one");
	rig_sink(&rig, "two", &fake_sink, &conf[1], "two");
	rig_sink(&rig, "three", &fake_sink, &conf[2], "three");
	rig_apply(&rig);
	rig_append_many(&rig, 0, "a", 5, 50);
	ck_assert(run_until_got(50, 2000));
	start = clock_mono(&clock_system);
	ck_assert(rig_stop(&rig, 300));
	ck_assert_int_lt(clock_mono(&clock_system) - start, 600);
	ck_assert_uint_eq(rig_backlog(&rig, "one"), 50);
}
END_TEST

START_TEST(test_stop_without_sinks)
{
	ck_assert(rig_stop(&rig, 1000));
}
END_TEST

static void
count(void *arg)
{
	++*(unsigned *)arg;
}

START_TEST(test_idle)
{
	unsigned idle = 0;

	far[0].answer_after_ms = 30;
	one_sink();
	delivery_on_idle(rig.delivery, count, &idle);
	rig_append_many(&rig, 0, "a", 5, 300);
	rig_run(&rig, 20, NULL, NULL);
	ck_assert(!delivery_is_idle(rig.delivery));
	ck_assert_uint_eq(idle, 0);
	ck_assert(rig_run_idle(&rig, 3000));
	rig_run(&rig, 150, NULL, NULL);
	ck_assert_uint_eq(idle, 1);
	rig_append(&rig, 0, "a", 1000, 10);
	rig_run(&rig, 500, NULL, NULL);
	ck_assert_uint_eq(idle, 2);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("delivery");
	TCase *tc = tcase_create("delivery");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_all_in_order);
	tcase_add_test(tc, test_woken_by_later_entries);
	tcase_add_test(tc, test_small_sink);
	tcase_add_test(tc, test_bound);
	tcase_add_test(tc, test_retry_keeps_order);
	tcase_add_test(tc, test_retry_overtaken);
	tcase_add_test(tc, test_nothing_waits_for_what_is_gone);
	tcase_add_loop_test(tc, test_nothing_waits_for_what_is_purged, 0, 2);
	tcase_add_test(tc, test_reject);
	tcase_add_test(tc, test_hold);
	tcase_add_test(tc, test_link_flaps);
	tcase_add_test(tc, test_link_that_gets_on);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_parked);
	tcase_add_test(tc, test_sinks_do_not_wait);
	tcase_add_test(tc, test_equal_is_left_alone);
	tcase_add_test(tc, test_changed_is_drained);
	tcase_add_test(tc, test_changed_that_never_drains);
	tcase_add_test(tc, test_gone_and_back);
	tcase_add_test(tc, test_changes_mind);
	tcase_add_test(tc, test_refresh);
	tcase_add_test(tc, test_stop);
	tcase_add_test(tc, test_stop_loses_patience);
	tcase_add_test(tc, test_stop_without_sinks);
	tcase_add_test(tc, test_idle);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
