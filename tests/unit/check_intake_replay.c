/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/intake_stage.h"

/* Periods that are read again, and what a reload does to one that is under way. */

static const struct sink_conf second = { .name = (char *)"second", .kind = &everything };
static const struct sink_conf *both[] = { &sink, &second };

static uint64_t
ask(uint32_t to, int64_t from)
{
	return journal_period_add(j, &(struct journal_period){ .stream = 1,
					 .sink = to,
					 .from = from,
					 .to = from + HOUR,
					 .at = TICKS_NONE,
					 .made = now(),
					 .flags = JOURNAL_PERIOD_ALL });
}

struct asked {
	uint64_t number, seen;
};

static bool
has_seen(void *arg)
{
	const struct asked *a = arg;
	struct journal_period p;

	return journal_period_find(j, a->number, &p) && p.seen >= a->seen;
}

static bool
has_ended(void *arg)
{
	const struct asked *a = arg;
	struct journal_period p;

	return !journal_period_find(j, a->number, &p) ||
	       (p.flags & (JOURNAL_PERIOD_DONE | JOURNAL_PERIOD_CANCELLED)) != 0;
}

/* The sink is not routed to any more while a page for it is on its way: that page goes nowhere,
 * and what is asked for later is read from its own beginning. */
START_TEST(test_routed_otherwise_meanwhile)
{
	int64_t from = now() - 3 * HOUR;
	struct journal_period p;
	struct asked a;
	uint32_t to;

	for (int i = 0; i < 25; i++)
		sg_add(&g, 0, from + i * TICKS_SEC);
	tenants[0].sinks = both;
	tenants[0].nsinks = 2;
	tenants[0].poll_interval_ms = 60 * SEC;
	to = journal_sink(j, second.name);
	start(1);
	wait_polls(0, 1);
	ck_assert_str_eq(journal_stream_key(j, 1), streams[0].key);
	g.t[0].delay_ms = 200;
	a = (struct asked){ ask(to, from), 10 };
	intake_look_for_periods(in);
	ck_assert(run_until(has_seen, &a, 30000));

	/* The next page is on its way, or about to be. */
	(void)run_until(never, NULL, 50);
	tenants[0].nsinks = 1;
	start(1);
	(void)run_until(never, NULL, 500);
	ck_assert(has_ended(&a));
	ck_assert(journal_period_find(j, a.number, &p));
	ck_assert_uint_ne(p.flags & JOURNAL_PERIOD_CANCELLED, 0);

	g.t[0].delay_ms = 0;
	tenants[0].nsinks = 2;
	start(1);
	a = (struct asked){ ask(to, from), 0 };
	intake_look_for_periods(in);
	ck_assert(run_until(has_ended, &a, 30000));
	ck_assert(journal_period_find(j, a.number, &p));
	ck_assert_uint_eq(p.seen, 25);
	ck_assert_int_eq(figures(0).state, TENANT_HEALTHY);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("intake_replay");
	TCase *tc = tcase_create("intake_replay");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_routed_otherwise_meanwhile);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
