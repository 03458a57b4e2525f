/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/delivery/sink.h"
#include "daemon/health/canaries.h"
#include "daemon/journal/journal_mem_test.h"
#include "daemon/timer.h"
#include "lib/record/record.h"
#include "tests/unit/journal_kit.h"

/* A journal, a clock that the test turns, and what is said. */
#define EVERY_MS  (15 * 60 * 1000)
#define WITHIN_MS (5 * 60 * 1000)

static const struct journal_engine *const engines[] = { &journal_mem, &journal_sqlite };

static struct kit k;
static struct engine_env env;
static struct canaries *c;
static struct sink_conf sinks[2];
static struct settings settings;
static uint32_t siem, other;
static bool is_refusing;
static struct {
	unsigned n;
	char sink[20], state[20], what[200];
	bool is_well;
} said;

static void
say(void *arg, const struct canary_word *w)
{
	(void)arg;
	said.n++;
	said.is_well = w->is_well;
	snprintf(said.sink, sizeof(said.sink), "%s", w->sink);
	snprintf(said.state, sizeof(said.state), "%s", w->state);
	snprintf(said.what, sizeof(said.what), "%s", w->what);
}

static void
begin(void)
{
	kit_must_open(&k);
	env = (struct engine_env){ .base = k.base, .clock = &k.clock.clock,
		.timers = timers_new(NULL, &k.clock.clock), .instance = "" };
	siem = journal_sink(k.j, "siem");
	other = journal_sink(k.j, "other");
	journal_sinks_declare(k.j, (const char *const[]){ "siem", "other" }, 2);
	c = canaries_new(&env, k.j, say, NULL);
	canaries_configure(c, &settings);
}

static void
end(void)
{
	canaries_free(c);
	kit_close(&k);
	timers_free(env.timers);
}

static void
setup(int i)
{
	memset(&said, 0, sizeof(said));
	sinks[0] = (struct sink_conf){ .name = (char *)"siem", .canary_ms = EVERY_MS,
		.canary_within_ms = WITHIN_MS };
	sinks[1] = (struct sink_conf){ .name = (char *)"other" };
	settings = (struct settings){ .refs = 1, .sinks = sinks, .nsinks = 2 };
	kit_init(&k, engines[i]);
	begin();
}

static void
teardown(void)
{
	end();
	kit_release(&k);
}

/* What was made is stored; nothing is waited for where the journal takes nothing. */
static bool
is_stored(struct kit *kit)
{
	struct canary_figures f;

	(void)kit;
	return is_refusing || !canaries_figures(c, "siem", &f) || f.open_since == TICKS_NONE ||
	       f.is_stored;
}

/* Time passes, in steps as small as what is looked at. */
static void
pass(int64_t ms)
{
	for (int64_t step; ms > 0; ms -= step) {
		step = ms < 12000 ? ms : 12000;
		k.clock.wall += ticks_from_ms(step);
		k.clock.ahead += step;
		timers_run(env.timers);
		kit_run(&k, 1);
		ck_assert(kit_wait(&k, is_stored, 30000));
	}
}

static struct canary_figures
figures(void)
{
	struct canary_figures f;

	ck_assert(canaries_figures(c, "siem", &f));
	return f;
}

/* Takes what waits for the sink, and settles it. Returns how many canaries it was. */
static size_t
take(bool is_accepted)
{
	struct journal_batch *b = kit_read(&k, siem, 100, 1 << 20, NULL);
	struct err err;
	size_t n = 0;

	(void)err_set(&err, ERR_PERM, "not of this world");
	for (size_t i = 0; i < b->n; i++) {
		kit_settle(&k, siem, &b->items[i], MARK_OK, 0, NULL);
		if (b->items[i].type != RECORD_CANARY)
			continue;
		canaries_settled(c, "siem", b->items[i].version, is_accepted ? NULL : &err);
		n++;
	}
	journal_batch_free(b);
	kit_wait_backlog(&k, siem, 0);
	return n;
}

static void
assert_said(unsigned n, const char *state)
{
	ck_assert_uint_eq(said.n, n);
	ck_assert_str_eq(said.state, state);
	ck_assert_str_eq(said.sink, "siem");
}

START_TEST(test_the_whole_way)
{
	struct journal_batch *b;
	struct record *r;

	setup(_i);
	pass(1000);
	b = kit_read(&k, siem, 100, 1 << 20, NULL);
	ck_assert_uint_eq(b->n, 1);
	ck_assert_int_eq(b->items[0].type, RECORD_CANARY);
	ck_assert_int_eq(b->items[0].kind, KIND_CANARY);
	r = record_from_entry(RECORD_CANARY, b->items[0].id, b->items[0].version, b->items[0].body);
	ck_assert(str_is(r->id, "siem") && str_is(r->canary.sink, "siem"));
	ck_assert(str_is(r->canary.purpose, "canary"));
	record_unref(r);
	ck_assert_uint_eq(kit_backlog(&k, other).entries, 0);
	pass(2000);
	kit_settle(&k, siem, &b->items[0], MARK_OK, 0, NULL);
	canaries_settled(c, "siem", b->items[0].version, NULL);
	journal_batch_free(b);
	ck_assert_str_eq(figures().state, "accepted");
	ck_assert(figures().took_ms >= 2000 && figures().took_ms < 10000);
	teardown();
}
END_TEST

START_TEST(test_one_each_interval)
{
	setup(_i);
	pass(1000);
	ck_assert_uint_eq(take(true), 1);
	pass(EVERY_MS - 120000);
	ck_assert_uint_eq(take(true), 0);
	pass(240000);
	ck_assert_uint_eq(take(true), 1);
	ck_assert_uint_eq(figures().made, 2);
	ck_assert_uint_eq(figures().accepted, 2);
	ck_assert(said.is_well);
	assert_said(1, "accepted"); /* the first one; nobody is told of what was never ill */
	teardown();
}
END_TEST

START_TEST(test_never_two)
{
	setup(_i);
	pass(1000);
	pass(WITHIN_MS - 60000);
	ck_assert_uint_eq(said.n, 0);
	pass(120000);
	assert_said(1, "overdue");
	ck_assert(!said.is_well);
	ck_assert_ptr_nonnull(strstr(said.what, "within 5m; the last accepted one: none since"));
	pass(10 * EVERY_MS);
	ck_assert_uint_eq(kit_backlog(&k, siem).entries, 1);
	assert_said(1, "overdue"); /* once */
	ck_assert_uint_eq(take(true), 1);
	assert_said(2, "accepted");
	ck_assert(said.is_well);
	pass(60000);
	ck_assert_uint_eq(take(true), 1); /* it was due long ago */
	ck_assert_uint_eq(figures().made, 2);
	teardown();
}
END_TEST

/* The machine slept: its sink had no time to accept it. */
START_TEST(test_slept)
{
	setup(_i);
	pass(1000);
	k.clock.wall += ticks_from_ms(INT64_C(4) * EVERY_MS);
	k.clock.ahead += INT64_C(4) * EVERY_MS;
	pass(WITHIN_MS - 60000);
	ck_assert_uint_eq(said.n, 0);
	pass(120000);
	assert_said(1, "overdue");
	ck_assert_uint_eq(take(true), 1);
	assert_said(2, "accepted");
	teardown();
}
END_TEST

/* A resend brings old ones again, and a kill the one before: what becomes of them says nothing of the newer. */
START_TEST(test_an_older_one)
{
	struct err err;
	int64_t older;

	(void)err_set(&err, ERR_PERM, "not of this world");
	setup(_i);
	pass(1000);
	older = figures().open_since;
	ck_assert_uint_eq(take(true), 1);
	pass(EVERY_MS + 60000);
	ck_assert_uint_eq(figures().made, 2);
	canaries_settled(c, "siem", older, &err);
	ck_assert_str_eq(figures().state, "accepted");
	pass(WITHIN_MS);
	assert_said(2, "overdue");
	canaries_settled(c, "siem", older, NULL);
	assert_said(2, "overdue");
	ck_assert_str_eq(figures().state, "overdue");
	ck_assert(figures().open_since > older);
	ck_assert_uint_eq(figures().accepted, 1);
	pass(EVERY_MS);
	ck_assert_uint_eq(figures().made, 2); /* it is open still */
	ck_assert_uint_eq(take(true), 1);
	assert_said(3, "accepted");
	canaries_settled(c, "siem", older, &err);
	canaries_settled(c, "siem", older, NULL);
	assert_said(3, "accepted");
	ck_assert_uint_eq(figures().accepted, 2);
	teardown();
}
END_TEST

START_TEST(test_refused)
{
	setup(_i);
	pass(1000);
	ck_assert_uint_eq(take(false), 1);
	assert_said(1, "refused");
	ck_assert_str_eq(said.what, "it is refused for good: not of this world");
	pass(EVERY_MS + 60000);
	ck_assert_uint_eq(take(false), 1);
	assert_said(1, "refused");
	pass(EVERY_MS + 60000);
	ck_assert_uint_eq(take(true), 1);
	assert_said(2, "accepted");
	teardown();
}
END_TEST

START_TEST(test_off)
{
	setup(_i);
	pass(1000);
	pass(WITHIN_MS + 60000);
	assert_said(1, "overdue");
	sinks[0].canary_ms = 0;
	canaries_configure(c, &settings);
	assert_said(2, "off");
	ck_assert(said.is_well);
	canaries_configure(c, &settings);
	assert_said(2, "off"); /* a reload that changes nothing says nothing */
	pass(10 * EVERY_MS);
	ck_assert_uint_eq(kit_backlog(&k, siem).entries, 1);
	ck_assert_uint_eq(take(true), 1); /* late, and of no interest */
	sinks[0].canary_ms = EVERY_MS;
	canaries_configure(c, &settings);
	pass(1000);
	ck_assert_uint_eq(take(true), 1);
	teardown();
}
END_TEST

START_TEST(test_its_sink_leaves)
{
	setup(_i);
	pass(1000);
	pass(WITHIN_MS + 60000);
	assert_said(1, "overdue");
	settings.nsinks = 0;
	canaries_configure(c, &settings);
	assert_said(2, "off");
	ck_assert(said.is_well);
	teardown();
}
END_TEST

/* The journal found it damaged, say: no sink will ever settle it. */
START_TEST(test_gone)
{
	setup(_i);
	pass(1000);
	kit_drain(&k, siem, true);
	kit_wait_backlog(&k, siem, 0);
	pass(WITHIN_MS + 60000);
	assert_said(1, "overdue");
	pass(EVERY_MS);
	ck_assert_uint_eq(take(true), 1);
	assert_said(2, "accepted");
	teardown();
}
END_TEST

/* What a run before this made and is still open is the one; what was settled meanwhile is not waited for. */
START_TEST(test_restart)
{
	setup(1);
	pass(1000);
	ck_assert_uint_eq(kit_backlog(&k, siem).entries, 1);
	end();
	begin();
	pass(WITHIN_MS + 60000);
	ck_assert_uint_eq(kit_backlog(&k, siem).entries, 1);
	assert_said(1, "overdue");
	pass(EVERY_MS);
	ck_assert_uint_eq(kit_backlog(&k, siem).entries, 1);
	ck_assert_uint_eq(take(true), 1);
	assert_said(2, "accepted");
	pass(60000);
	ck_assert_uint_eq(kit_backlog(&k, siem).entries, 1);
	kit_drain(&k, siem, true); /* settled, and nobody was told: msspd was killed */
	kit_wait_backlog(&k, siem, 0);
	end();
	begin();
	pass(1000);
	ck_assert_uint_eq(take(true), 1);
	ck_assert_uint_eq(said.n, 3);
	teardown();
}
END_TEST

static void
put_off_an_alert(void)
{
	struct kit_page *p = kit_page(&k, journal_stream(k.j, "t0/alerts", "{}"), "a", 1, 100, KIT_START);
	struct journal_batch *b;

	kit_route(p, siem);
	kit_must_append(&k, p);
	b = kit_read(&k, siem, 100, 1 << 20, NULL);
	ck_assert_uint_eq(b->n, 1);
	kit_settle(&k, siem, &b->items[0], MARK_LATER, KIT_START + ticks_from_ms(INT64_C(48) * EVERY_MS), "digest");
	journal_batch_free(b);
}

/* Accepts the one that is there, beside so many entries that wait. */
static void
take_beside(uint64_t others)
{
	struct journal_batch *b = kit_read(&k, siem, 100, 1 << 20, NULL);

	ck_assert_uint_eq(b->n, 1);
	ck_assert_int_eq(b->items[0].type, RECORD_CANARY);
	kit_settle(&k, siem, &b->items[0], MARK_OK, 0, NULL);
	canaries_settled(c, "siem", b->items[0].version, NULL);
	journal_batch_free(b);
	kit_wait_backlog(&k, siem, others);
}

/* One that was accepted is not waited for after a restart, whatever older waits for its sink: a mail for its
 * digest, or what a topic does not take. */
START_TEST(test_restart_beside_what_waits)
{
	setup(1);
	put_off_an_alert();
	pass(1000);
	take_beside(1);
	assert_said(1, "accepted");
	pass(60000);
	end();
	begin();
	pass(1000);
	take_beside(1);
	assert_said(2, "accepted");
	pass(WITHIN_MS + 60000);
	assert_said(2, "accepted");
	sinks[0].canary_ms = 0;
	end();
	begin();
	assert_said(3, "off");
	teardown();
}
END_TEST

/* Nobody can know whether the way is open while the journal takes nothing; so that is told, too. */
START_TEST(test_journal_takes_nothing)
{
	setup(0);
	pass(1000);
	ck_assert_uint_eq(take(true), 1);
	journal_mem_force(k.j, JOURNAL_FAILED);
	is_refusing = true;
	pass(EVERY_MS + WITHIN_MS + 60000);
	assert_said(2, "overdue");
	ck_assert_ptr_nonnull(strstr(said.what, "the journal did not take it for 5m"));
	ck_assert_uint_eq(kit_backlog(&k, siem).entries, 0);
	journal_mem_force(k.j, JOURNAL_OK);
	is_refusing = false;
	pass(60000);
	ck_assert_uint_eq(take(true), 1);
	assert_said(3, "accepted");
	teardown();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("canaries");
	TCase *tc = tcase_create("canaries");
	SRunner *sr = srunner_create(s);
	int failed, n = (int)ARRAY_LEN(engines);

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_the_whole_way, 0, n);
	tcase_add_loop_test(tc, test_one_each_interval, 0, n);
	tcase_add_loop_test(tc, test_never_two, 0, n);
	tcase_add_loop_test(tc, test_slept, 0, n);
	tcase_add_loop_test(tc, test_an_older_one, 0, n);
	tcase_add_loop_test(tc, test_refused, 0, n);
	tcase_add_loop_test(tc, test_off, 0, n);
	tcase_add_loop_test(tc, test_its_sink_leaves, 0, n);
	tcase_add_loop_test(tc, test_gone, 0, n);
	tcase_add_test(tc, test_restart);
	tcase_add_test(tc, test_restart_beside_what_waits);
	tcase_add_test(tc, test_journal_takes_nothing);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
