/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/expiries.h"
#include "daemon/timer.h"
#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "lib/base/ticks.h"

#define DAY  (86400 * TICKS_SEC)
#define HOUR INT64_C(3600000)

/* A clock that tests turn; mono and wall go alike. */
static struct {
	struct clock clock;
	int64_t ms;
} turned;
static struct engine_env env;
static struct expiries *x;
static struct buf said;
static int64_t ends;

static int64_t
mono(const struct clock *c)
{
	(void)c;
	return turned.ms;
}

static int64_t
wall(const struct clock *c)
{
	(void)c;
	return ticks_from_ms(turned.ms) + 20000 * DAY;
}

static void
on_log(const struct log_event *e, void *arg)
{
	(void)arg;
	buf_printf(&said, "%d %.*s\n", e->level, STR_ARG(e->line));
}

static void
on_tell(void *arg, const struct expiry *e, enum expiry_stage stage, int64_t days)
{
	(void)arg;
	buf_printf(&said, "told %s %s %d %lld\n", e->name, e->what, stage, (long long)days);
}

static void
setup(void)
{
	turned.clock = (struct clock){ mono, wall };
	turned.ms = 0;
	env.clock = &turned.clock;
	env.timers = timers_new(NULL, &turned.clock);
	x = expiries_new(&env);
	buf_init(&said, 1 << 20);
	log_set_writer(on_log, NULL);
	ends = wall(NULL) + 40 * DAY;
}

static void
teardown(void)
{
	expiries_free(x);
	timers_free(env.timers);
	log_set_writer(NULL, NULL);
	buf_release(&said);
}

static void
set(const char *name, int64_t when)
{
	expiries_set(x, &(struct expiry){ "customer", name, "access", "extend it", when });
}

/* Hour by hour, as a daemon that runs. */
static void
run_days(int days)
{
	for (int i = 0; i < days * 24; i++) {
		(void)timers_run(env.timers);
		turned.ms += HOUR;
	}
	(void)timers_run(env.timers);
}

static void
expect(const char *says, const char *want)
{
	ck_assert_msg(str_is(buf_peek(&said), want), "%s: said:\n%.*s", says, STR_ARG(buf_peek(&said)));
	buf_clear(&said);
}

START_TEST(test_each_stage_once)
{
	set("contoso", ends);
	ck_assert_uint_eq(said.n, 0);
	run_days(9);
	expect("31 days ahead", "");
	run_days(15);
	expect("a month", "1 warning: customer contoso: access ends in 30 days; extend it date=2024-11-13\n");
	run_days(14);
	expect("a week", "1 warning: customer contoso: access ends in 7 days; extend it date=2024-11-13\n");
	set("contoso", ends);
	run_days(0);
	expect("a reload tells nothing again", "");
	run_days(1);
	expect("a day",
	    "1 warning: customer contoso: access ends in 1 day; extend it date=2024-11-13\n");
	run_days(400);
	expect("over", "0 error: customer contoso: access has ended; extend it date=2024-11-13\n");
}
END_TEST

START_TEST(test_a_start_tells_where_it_is)
{
	set("contoso", wall(NULL) + 3 * DAY);
	run_days(0);
	expect("within the week",
	    "1 warning: customer contoso: access ends in 3 days; extend it date=2024-10-07\n");
}
END_TEST

START_TEST(test_a_new_end_begins_anew)
{
	set("contoso", wall(NULL) + DAY / 2);
	run_days(0);
	buf_clear(&said);
	set("contoso", wall(NULL) + 400 * DAY);
	run_days(300);
	expect("far away again", "");
	run_days(71);
	expect("and told again",
	    "1 warning: customer contoso: access ends in 30 days; extend it date=2025-11-08\n");
}
END_TEST

START_TEST(test_who_is_gone_is_forgotten)
{
	set("contoso", ends);
	set("fabrikam", ends - DAY);
	expiries_begin(x, "customer");
	set("contoso", ends);
	expiries_end(x, "customer");
	ck_assert_str_eq(expiries_at(x, 0)->name, "contoso");
	ck_assert_ptr_null(expiries_at(x, 1));
	set("contoso", 0);
	ck_assert_ptr_null(expiries_at(x, 0));
	run_days(50);
	expect("nothing is left", "");
}
END_TEST

START_TEST(test_other_kinds_stay)
{
	expiries_set(x, &(struct expiry){ "app", "soc", "secret", "renew it", ends });
	expiries_begin(x, "customer");
	expiries_end(x, "customer");
	ck_assert_str_eq(expiries_at(x, 0)->kind, "app");
}
END_TEST

START_TEST(test_what_is_well_again_is_told_to_listeners)
{
	expiries_listen(x, on_tell, NULL);
	log_set_writer(NULL, NULL);
	log_set_level(LOG_LEVEL_ERROR);
	set("a", wall(NULL) + 5 * DAY);
	set("b", wall(NULL) + 5 * DAY);
	set("c", wall(NULL) + 100 * DAY);
	run_days(0);
	expect("a week", "told a access 2 5\ntold b access 2 5\n");
	set("a", wall(NULL) + 365 * DAY);
	set("c", wall(NULL) + 365 * DAY);
	run_days(2);
	expect("it was renewed", "told a access 0 365\n");
	expiries_begin(x, "customer");
	set("c", wall(NULL) + 365 * DAY);
	expiries_end(x, "customer");
	ck_assert_str_eq(expiries_at(x, 0)->name, "c");
	ck_assert_ptr_null(expiries_at(x, 1));
	run_days(0);
	expect("what was told of is gone", "told b access 0 3\n");
	log_set_level(LOG_LEVEL_INFO);
}
END_TEST

START_TEST(test_sorted_and_listened_to)
{
	expiries_listen(x, on_tell, NULL);
	log_set_writer(NULL, NULL);
	log_set_level(LOG_LEVEL_ERROR);
	set("b", wall(NULL) + 5 * DAY);
	set("a", wall(NULL) + DAY);
	run_days(0);
	expect("the first to end first", "told a access 3 1\ntold b access 2 5\n");
	log_set_level(LOG_LEVEL_INFO);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("expiries");
	TCase *tc = tcase_create("telling");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_each_stage_once);
	tcase_add_test(tc, test_a_start_tells_where_it_is);
	tcase_add_test(tc, test_a_new_end_begins_anew);
	tcase_add_test(tc, test_who_is_gone_is_forgotten);
	tcase_add_test(tc, test_other_kinds_stay);
	tcase_add_test(tc, test_what_is_well_again_is_told_to_listeners);
	tcase_add_test(tc, test_sorted_and_listened_to);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
