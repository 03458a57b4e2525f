/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/delivery/owner.h"
#include "daemon/delivery/trial.h"
#include "lib/base/str.h"
#include "tests/unit/fake_sink.h"
#include "tests/unit/rig.h"

#define SOON_MS 30000 /* a limit, never a wait */

static struct rig rig;
static struct fake_far far;
static struct fake_conf conf;

/* What was answered. */
static struct {
	unsigned n;
	enum trial_end end;
	char why[200], to[80], event_id[200], means[80];
	bool is_acknowledged, is_parked;
	int64_t took_ms;
} said;

static const char *
means(const struct sink *s, bool *is_acknowledged)
{
	(void)s;
	*is_acknowledged = true;
	return "the fake has it";
}

static void
recipients(const void *unused, const struct origin *o, void (*say)(void *arg, const char *to), void *arg)
{
	(void)unused;
	say(arg, strcmp(o->tenant, "msspd") == 0 ? "Soc <soc@mssp.example>" : "it@t0.example");
}

static struct sink_kind plain, mailing;

static void
setup(void)
{
	memset(&said, 0, sizeof(said));
	rig_init(&rig);
	fake_far_init(&far);
	conf.far = &far;
	plain = mailing = fake_sink;
	plain.means = mailing.means = means;
	mailing.recipients = recipients;
}

static void
teardown(void)
{
	rig_release(&rig);
	ck_assert_uint_eq(far.opened, far.closed);
	fake_far_release(&far);
}

static void
start(const struct sink_kind *kind)
{
	rig_sink(&rig, "one", kind, &conf, "one");
	rig_apply(&rig);
}

static void
on_answer(void *arg, const struct trial_answer *a)
{
	(void)arg;
	said.n++;
	said.end = a->end;
	said.is_acknowledged = a->is_acknowledged;
	said.is_parked = a->is_parked;
	said.took_ms = a->took_ms;
	snprintf(said.why, sizeof(said.why), "%s", a->why);
	snprintf(said.to, sizeof(said.to), "%s", a->to != NULL ? a->to : "");
	snprintf(said.event_id, sizeof(said.event_id), "%s", a->event_id);
	snprintf(said.means, sizeof(said.means), "%s", a->means);
}

static bool
ask(const char *to, int64_t timeout_ms, struct err *err)
{
	const struct trial_ask what = { "one", to, timeout_ms };
	bool ok = delivery_try(rig.delivery, &what, on_answer, NULL, err);

	ck_assert_uint_eq(said.n, 0); /* never from inside the call */
	return ok;
}

static bool
is_answered(void *arg)
{
	(void)arg;
	return said.n > 0;
}

static void
expect(enum trial_end end)
{
	ck_assert(rig_run(&rig, SOON_MS, is_answered, NULL));
	ck_assert_uint_eq(said.n, 1);
	ck_assert_msg(said.end == end, "%d, not %d: %s", said.end, end, said.why);
}

/* No entry, no order and no figure knows of it. */
static void
assert_untouched(void)
{
	struct delivery_figures f = rig_figures(&rig, "one");

	ck_assert_uint_eq(f.accepted + f.retried + f.rejected + f.dead, 0);
	ck_assert(f.last_accepted == TICKS_NONE);
	ck_assert_uint_eq(rig_backlog(&rig, "one") + rig_dead(&rig, "one"), 0);
}

static bool
has_state(void *arg)
{
	return TAILQ_FIRST(&rig.delivery->owners)->state == *(enum owner_state *)arg;
}

static void
until(enum owner_state state)
{
	ck_assert(rig_run(&rig, SOON_MS, has_state, &state));
}

START_TEST(test_accepted)
{
	struct err err;

	start(&plain);
	ck_assert(ask(NULL, SOON_MS, &err));
	expect(TRIAL_ACCEPTED);
	ck_assert(said.is_acknowledged && said.took_ms >= 0);
	ck_assert_str_eq(said.means, "the fake has it");
	ck_assert(str_starts(str_of(said.event_id), "msspd/canary:one:test/"));
	ck_assert_uint_eq(far.ngot, 1);
	ck_assert_str_eq(far.got[0].id, "one:test");
	ck_assert_str_eq(far.got[0].tenant, "msspd");
	assert_untouched();
}
END_TEST

static enum sink_verdict
as_told(void *arg, const struct fake_got *got, int64_t *due, const char **memo)
{
	(void)due;
	(void)memo;
	return strcmp(got->id, "one:test") == 0 ? *(enum sink_verdict *)arg : SINK_OK;
}

static const struct {
	enum sink_verdict verdict;
	enum trial_end end;
} verdicts[] = {
	{ SINK_REJECT, TRIAL_REJECTED },
	{ SINK_RETRY, TRIAL_NOT_NOW },
	{ SINK_HOLD, TRIAL_NOT_NOW },
};

START_TEST(test_verdicts)
{
	enum sink_verdict v = verdicts[_i].verdict;
	struct err err;

	far.judge = as_told;
	far.judge_arg = &v;
	start(&plain);
	ck_assert(ask(NULL, SOON_MS, &err));
	expect(verdicts[_i].end);
	ck_assert_str_eq(said.why, "the fake says so");
	assert_untouched();
	rig_append_many(&rig, 0, "a", 3, 20); /* and nothing waits behind it */
	ck_assert(rig_run_idle(&rig, SOON_MS));
	ck_assert_uint_eq(rig_figures(&rig, "one").accepted, 20);
	ck_assert_uint_eq(far.ngot, 21);
}
END_TEST

/* It does not wait for what waits: it is the first that goes when there is room. */
START_TEST(test_before_the_backlog)
{
	struct err err;

	far.room = 10;
	far.answer_after_ms = 20;
	start(&plain);
	rig_append_many(&rig, 0, "a", 7, 2000);
	until(OWNER_UP);
	rig_run(&rig, 100, NULL, NULL);
	ck_assert(ask(NULL, SOON_MS, &err));
	expect(TRIAL_ACCEPTED);
	ck_assert_uint_lt(far.ngot, 1900);
	far.answer_after_ms = 0;
	far.room = 0;
	ck_assert(rig_run_idle(&rig, SOON_MS));
	ck_assert_uint_eq(far.ngot, 2001);
	for (size_t i = 1, last = 0; i < far.ngot; i++) {
		if (strcmp(far.got[i].id, "one:test") == 0)
			continue;
		ck_assert(far.got[i].version > far.got[last].version);
		last = i;
	}
	ck_assert_uint_eq(rig_figures(&rig, "one").accepted, 2000);
}
END_TEST

START_TEST(test_no_room)
{
	struct err err;

	far.room = 1;
	far.answer_after_ms = -1;
	start(&plain);
	rig_append(&rig, 0, "a", 1, 10);
	until(OWNER_UP);
	rig_run(&rig, 50, NULL, NULL);
	ck_assert(ask(NULL, 100, &err));
	expect(TRIAL_BUSY);
	ck_assert_str_eq(said.event_id, "");
	ck_assert_int_eq(said.took_ms, -1);
	ck_assert_uint_eq(far.ngot, 1);
}
END_TEST

/* An answer that comes too late is nobody's. */
START_TEST(test_late_answer)
{
	struct err err;

	far.answer_after_ms = 400;
	start(&plain);
	ck_assert(ask(NULL, 50, &err));
	expect(TRIAL_UNANSWERED);
	rig_run(&rig, 600, NULL, NULL);
	ck_assert_uint_eq(said.n, 1);
	assert_untouched();
	ck_assert_uint_eq(rig_figures(&rig, "one").in_flight, 0);
}
END_TEST

START_TEST(test_down)
{
	struct err err;

	far.answer = SINK_REFUSED;
	start(&plain);
	until(OWNER_WAITING);
	ck_assert(ask(NULL, SOON_MS, &err));
	expect(TRIAL_NO_LINK);
	ck_assert_str_eq(said.why, "the fake is away");
	ck_assert_uint_eq(far.ngot, 0);
}
END_TEST

START_TEST(test_parked)
{
	struct err err;

	far.refuses_open = true;
	start(&plain);
	until(OWNER_PARKED);
	ck_assert(ask(NULL, SOON_MS, &err));
	expect(TRIAL_NO_LINK);
	ck_assert(said.is_parked);
	ck_assert_ptr_nonnull(strstr(said.why, "refuses to open"));
}
END_TEST

/* What was mended is tried at once, not when the backoff is over. */
START_TEST(test_mended)
{
	struct sink_owner *o;
	struct err err;

	far.answer = SINK_DOWN;
	start(&plain);
	until(OWNER_WAITING);
	o = TAILQ_FIRST(&rig.delivery->owners);
	timer_set(rig.env.timers, &o->again, 3600 * 1000);
	far.answer = SINK_UP;
	ck_assert(ask(NULL, SOON_MS, &err));
	expect(TRIAL_ACCEPTED);
}
END_TEST

START_TEST(test_cut)
{
	struct err err;

	far.answer_after_ms = -1;
	start(&plain);
	until(OWNER_UP);
	ck_assert(ask(NULL, SOON_MS, &err));
	rig_run(&rig, 100, NULL, NULL);
	ck_assert_uint_eq(far.ngot, 1);
	fake_far_cut(&far, SINK_DOWN);
	expect(TRIAL_CUT);
	ck_assert_str_eq(said.why, "the fake cut the link");
	rig_run(&rig, 300, NULL, NULL);
	ck_assert_uint_eq(far.ngot, 1); /* never again by itself */
}
END_TEST

START_TEST(test_held)
{
	struct err err;

	start(&plain);
	until(OWNER_UP);
	ck_assert(delivery_hold(rig.delivery, "one", true));
	ck_assert(ask(NULL, SOON_MS, &err));
	expect(TRIAL_PAUSED);
	ck_assert_uint_eq(far.ngot, 0);
}
END_TEST

/* Paused while it waits: so it is told, at once. */
START_TEST(test_held_meanwhile)
{
	struct err err;

	far.room = 1;
	far.answer_after_ms = -1;
	start(&plain);
	rig_append(&rig, 0, "a", 1, 10);
	until(OWNER_UP);
	rig_run(&rig, 50, NULL, NULL);
	ck_assert(ask(NULL, 10 * SOON_MS, &err));
	rig_run(&rig, 50, NULL, NULL);
	ck_assert(delivery_hold(rig.delivery, "one", true));
	if (_i == 1) { /* and goes on before anybody looked: nothing happened */
		ck_assert(delivery_hold(rig.delivery, "one", false));
		rig_run(&rig, 100, NULL, NULL);
		ck_assert_uint_eq(said.n, 0);
		ck_assert(delivery_hold(rig.delivery, "one", true));
	}
	expect(TRIAL_PAUSED);
	ck_assert_uint_eq(far.ngot, 1);
}
END_TEST

/* What was handed out before has its time still. */
START_TEST(test_held_after_it_was_sent)
{
	struct err err;

	far.answer_after_ms = 300;
	start(&plain);
	until(OWNER_UP);
	ck_assert(ask(NULL, SOON_MS, &err));
	rig_run(&rig, 100, NULL, NULL);
	ck_assert_uint_eq(far.ngot, 1);
	ck_assert(delivery_hold(rig.delivery, "one", true));
	expect(TRIAL_ACCEPTED);
}
END_TEST

START_TEST(test_gone)
{
	struct err err;

	far.answer_after_ms = -1;
	start(&plain);
	until(OWNER_UP);
	ck_assert(ask(NULL, SOON_MS, &err));
	if (_i == 1)
		rig_run(&rig, 100, NULL, NULL);
	rig_no_sinks(&rig);
	rig_apply(&rig);
	expect(_i == 1 ? TRIAL_CUT : TRIAL_GONE);
}
END_TEST

/* An answer comes also when delivery goes first. */
START_TEST(test_stopped)
{
	struct err err;

	far.answer_after_ms = -1;
	start(&plain);
	until(OWNER_UP);
	ck_assert(ask(NULL, SOON_MS, &err));
	ck_assert(rig_stop(&rig, 100));
	delivery_free(rig.delivery);
	rig.delivery = NULL;
	ck_assert_uint_eq(said.n, 1);
}
END_TEST

START_TEST(test_refusals)
{
	const struct trial_ask other = { "two", NULL, 100 };
	struct err err;

	start(&plain);
	ck_assert(!delivery_try(rig.delivery, &other, on_answer, NULL, &err));
	ck_assert_str_eq(err.text, "there is no sink 'two'");
	ck_assert(!ask("a@b.example", 100, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "no recipients"));
	ck_assert(ask(NULL, SOON_MS, &err));
	ck_assert(!ask(NULL, SOON_MS, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "under way"));
	expect(TRIAL_ACCEPTED);
}
END_TEST

START_TEST(test_recipients)
{
	struct err err;

	start(&mailing);
	ck_assert(!ask(NULL, SOON_MS, &err));
	ck_assert_str_eq(err.text, "say to whom sink 'one' shall send its test, with --to; its rules know: "
	                           "soc@mssp.example");
	ck_assert(!ask("somebody@else.example", SOON_MS, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "know no recipient somebody@else.example"));
	ck_assert(ask("SOC@mssp.example", SOON_MS, &err));
	expect(TRIAL_ACCEPTED);
	ck_assert_str_eq(said.to, "Soc <soc@mssp.example>");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("trial");
	TCase *tc = tcase_create("trial");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_accepted);
	tcase_add_loop_test(tc, test_verdicts, 0, (int)ARRAY_LEN(verdicts));
	tcase_add_test(tc, test_before_the_backlog);
	tcase_add_test(tc, test_no_room);
	tcase_add_test(tc, test_late_answer);
	tcase_add_test(tc, test_down);
	tcase_add_test(tc, test_parked);
	tcase_add_test(tc, test_mended);
	tcase_add_test(tc, test_cut);
	tcase_add_test(tc, test_held);
	tcase_add_loop_test(tc, test_held_meanwhile, 0, 2);
	tcase_add_test(tc, test_held_after_it_was_sent);
	tcase_add_loop_test(tc, test_gone, 0, 2);
	tcase_add_test(tc, test_stopped);
	tcase_add_test(tc, test_refusals);
	tcase_add_test(tc, test_recipients);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
