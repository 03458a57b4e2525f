/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/delivery/sink_smtp_bundle.h"
#include "daemon/delivery/sink_smtp_crowd.h"
#include "daemon/delivery/sink_smtp_entry.h"
#include "daemon/delivery/sink_smtp_lane.h"
#include "daemon/delivery/sink_smtp_told.h"
#include "daemon/timer.h"
#include "lib/base/ticks.h"
#include "tests/unit/make_record.h"

/* ---- what an end means ------------------------------------------------------------- */

static const struct {
	const char *says;
	struct lane_facts facts;
	enum lane_end want;
} ends[] = {
	{ "all was said and accepted", { PHASE_BODY, 250, .is_done = true }, LANE_ACCEPTED },
	{ "a recipient that is put off", { PHASE_RCPT, 451 }, LANE_LATER },
	{ "a recipient that is not known", { PHASE_RCPT, 550 }, LANE_NEVER },
	{ "no room for the message now", { PHASE_DATA, 452 }, LANE_LATER },
	{ "the message is not wanted", { PHASE_BODY, 554 }, LANE_NEVER },
	{ "the message is put off", { PHASE_BODY, 451 }, LANE_LATER },
	{ "our sender is refused: nobody's fault but ours", { PHASE_MAIL, 550 }, LANE_REFUSED },
	{ "the message is too large, said of the sender", { PHASE_MAIL, 552 }, LANE_NEVER },
	{ "the sender is put off", { PHASE_MAIL, 452 }, LANE_LATER },
	{ "authentication is required", { PHASE_RCPT, 530 }, LANE_REFUSED },
	{ "a wrong password", { PHASE_AUTH, 535, .is_login_refused = true }, LANE_REFUSED },
	{ "no authentication now", { PHASE_AUTH, 454, .is_login_refused = true }, LANE_DOWN },
	{ "no mechanism that both know", { PHASE_HELLO, 250, .is_login_refused = true }, LANE_REFUSED },
	{ "no STARTTLS", { PHASE_HELLO, 250, .is_tls_refused = true }, LANE_REFUSED },
	{ "no STARTTLS now", { PHASE_STARTTLS, 454, .is_tls_refused = true }, LANE_DOWN },
	{ "a certificate of nobody", { PHASE_STARTTLS, 220, .is_tls_refused = true }, LANE_REFUSED },
	{ "no service for us", { PHASE_CONNECT, 554 }, LANE_REFUSED },
	{ "no service now", { PHASE_CONNECT, 450 }, LANE_DOWN },
	{ "no connection", { PHASE_CONNECT, 0 }, LANE_DOWN },
	{ "closing, at a greeting", { PHASE_CONNECT, 421 }, LANE_DOWN },
	{ "closing, in the middle of a mail", { PHASE_RCPT, 421 }, LANE_CUT },
	{ "ended, in the middle of a mail", { PHASE_BODY, 0 }, LANE_CUT },
	{ "ended before any", { PHASE_NOOP, 0 }, LANE_DOWN },
};

START_TEST(test_ends)
{
	enum lane_end got = lane_judge(&ends[_i].facts);

	ck_assert_msg(got == ends[_i].want, "%s: %d, not %d", ends[_i].says, got, ends[_i].want);
}
END_TEST

/* ---- what cannot even begin -------------------------------------------------------- */

struct ended {
	struct event_base *base;
	unsigned n;
	enum lane_end end;
	char text[ERR_TEXT];
};

static void
on_ended(void *arg, struct lane *l, enum lane_end end, const char *note, const struct err *err)
{
	struct ended *e = arg;

	(void)l;
	(void)note;
	e->n++;
	e->end = end;
	snprintf(e->text, sizeof(e->text), "%s", err->text);
	(void)event_base_loopexit(e->base, &(struct timeval){ .tv_usec = 20000 });
}

/* Twice: the second time is as the first. */
static void
assert_refused(const struct lane_opts *opts, const char *why)
{
	struct ended e = { .base = event_base_new() };
	const struct engine_env env = { .base = e.base, .clock = &clock_system,
		.timers = timers_new(e.base, &clock_system) };
	struct lane *l = lane_new(&env, opts, on_ended, &e);

	for (unsigned i = 1; i <= 2; i++) {
		lane_probe(l);
		ck_assert_uint_eq(e.n, i - 1);
		(void)event_base_dispatch(e.base);
		ck_assert_uint_eq(e.n, i);
		ck_assert_int_eq(e.end, LANE_REFUSED);
		ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
		ck_assert(!lane_is_busy(l));
	}
	lane_free(l);
	timers_free(env.timers);
	event_base_free(e.base);
}

START_TEST(test_a_password_that_is_gone_is_a_refusal)
{
	const struct tls_opts tls = { .verify = true };
	const struct lane_opts opts = { .host = "127.0.0.1", .port = 9, .username = "u",
		.password_file = "/nowhere/password", .tls = &tls, .connect_timeout_ms = 1000,
		.timeout_ms = 1000 };

	assert_refused(&opts, "password_file");
}
END_TEST

START_TEST(test_a_key_that_others_may_read_is_a_refusal)
{
	char path[] = "/tmp/check-smtp-key-XXXXXX", *files[] = { path };
	int fd = mkstemp(path);
	struct tls_opts tls = { .verify = true, .certificate_file = path, .key_file = { files, 1 } };
	const struct lane_opts opts = { .host = "127.0.0.1", .port = 9, .tls = &tls,
		.connect_timeout_ms = 1000, .timeout_ms = 1000 };

	ck_assert_int_eq(fchmod(fd, 0644), 0);
	assert_refused(&opts, "open to everybody");
	close(fd);
	unlink(path);
}
END_TEST

/* ---- memos ------------------------------------------------------------------------------- */

static char *
written(const struct memo *m)
{
	struct buf b = BUF_INIT(MEMO_BYTES);

	memo_write(&b, m);
	ck_assert(buf_ok(&b));
	return buf_take(&b);
}

START_TEST(test_memo_comes_back)
{
	struct memo m, back;
	char *text;

	memo_read(&m, NULL);
	m.tries = 7;
	memo_add_done(&m, UINT64_MAX);
	memo_add_done(&m, 1);
	memo_add_done(&m, 1);
	memo_hold(&m, &(struct memo_held){ 5, HOLD_LIMIT, -1, INT64_MAX });
	memo_hold(&m, &(struct memo_held){ 5, HOLD_PERIOD, 3, 4 });
	memo_add_why(&m, "x@y: 550 no such user: d1 t9 h3:p:1:2");
	memo_add_why(&m, "another");
	text = written(&m);
	memo_read(&back, text);
	ck_assert_uint_eq(back.tries, 7);
	ck_assert_uint_eq(back.ndone, 2);
	ck_assert(memo_is_done(&back, UINT64_MAX) && memo_is_done(&back, 1) && !memo_is_done(&back, 2));
	ck_assert_uint_eq(back.nheld, 1);
	ck_assert_int_eq(memo_held(&back, 5)->why, HOLD_PERIOD);
	ck_assert_int_eq(memo_held(&back, 5)->since, 3);
	ck_assert_int_eq(memo_held(&back, 5)->due, 4);
	ck_assert_ptr_null(memo_held(&back, 6));
	ck_assert_str_eq(back.why, "x@y: 550 no such user: d1 t9 h3:p:1:2");
	free(text);
}
END_TEST

START_TEST(test_what_is_taken_back_stays_so)
{
	struct memo m;
	char *text;

	memo_read(&m, "t0 h5:p:1:2 h6:p:1:2");
	memo_cancel(&m, 5);
	memo_cancel(&m, 7);
	text = written(&m);
	memo_read(&m, text);
	ck_assert_ptr_null(memo_held(&m, 5));
	ck_assert_ptr_nonnull(memo_held(&m, 6));
	ck_assert(memo_is_cancelled(&m, 5) && memo_is_cancelled(&m, 7) && !memo_is_cancelled(&m, 6));
	free(text);
}
END_TEST

START_TEST(test_the_largest_memo_fits_the_journal)
{
	struct memo m;
	char why[MEMO_WHY + 100], *text;

	memset(why, 'w', sizeof(why));
	why[sizeof(why) - 1] = '\0';
	memo_read(&m, NULL);
	m.tries = UINT32_MAX;
	for (uint64_t i = 0; i < MEMO_DONE + 5; i++)
		memo_add_done(&m, UINT64_MAX - i);
	for (uint64_t i = 0; i < MEMO_HELD + 5; i++)
		memo_hold(&m, &(struct memo_held){ UINT64_MAX - i, HOLD_REPLAY, INT64_C(99999999999999999),
		    INT64_C(99999999999999999) });
	memo_add_why(&m, why);
	text = written(&m);
	ck_assert_uint_lt(strlen(text), MEMO_BYTES);
	memo_read(&m, text);
	ck_assert_uint_eq(m.ndone, MEMO_DONE);
	ck_assert_uint_eq(m.nheld, MEMO_HELD);
	ck_assert_uint_eq(strlen(m.why), MEMO_WHY);
	free(text);
}
END_TEST

static const char *const odd_memos[] = { "", " ", "t", "tx", "d", "dg", "h", "h1", "h1:", "h1:q:1:2", "h1:p:",
	"h1:p:1", "h1:p:x:y", "zzz", "t3  d5", "\xff\xfe" };

START_TEST(test_odd_memos_say_nothing)
{
	struct memo m;

	memo_read(&m, odd_memos[_i]);
	ck_assert_uint_le(m.ndone, 1);
	ck_assert_uint_eq(m.nheld, 0);
}
END_TEST

/* ---- desks ---------------------------------------------------------------------------------- */

#define MINUTE (INT64_C(60) * TICKS_SEC)
#define NOON   INT64_C(18000000000000000)

static const struct smtp_rule alone = { .key = 1, .limit = { 2, 3600000 } };
static const struct smtp_rule periodic = { .key = 2, .digest_ms = 900000, .limit = { 2, 3600000 } };

static const struct {
	const char *says, *memo;
	const struct smtp_rule *rule;
	bool is_replay, was_admitted;
	enum desk_fate fate;
	enum memo_hold why;
	int64_t due; /* after NOON */
} desk_cases[] = {
	{ "a first mail goes out", "", &alone, false, false, DESK_SEND, 0, 0 },
	{ "a rule with a digest gathers", "", &periodic, false, false, DESK_HOLD, HOLD_PERIOD, 15 * MINUTE },
	{ "what is read again gathers, whatever the rule", "", &alone, true, false, DESK_HOLD, HOLD_REPLAY,
	    10 * MINUTE },
	{ "what was let through before is tried again", "t1", &alone, false, true, DESK_SEND, 0, 0 },
	{ "also of what is read again", "t1", &alone, true, true, DESK_SEND, 0, 0 },
	{ "what is held waits on", "h1:l:18000000000000000:18000000000000001", &alone, false, true, DESK_HOLD,
	    HOLD_LIMIT, 1 },
	{ "and goes into a digest when it is due", "h1:l:17999999999999000:18000000000000000", &alone, false, true,
	    DESK_BUNDLE, HOLD_LIMIT, 0 },
	{ "the clock was set back: what waits does not wait for a time that was wrong",
	    "h1:p:18100000000000000:18100000000000001", &alone, false, true, DESK_BUNDLE, HOLD_PERIOD,
	    INT64_C(100000000000001) },
	{ "held by another rule is not held by this", "h7:l:18000000000000000:18000000000000001", &alone, false,
	    false, DESK_SEND, 0, 0 },
};

START_TEST(test_desk)
{
	struct desks *all = desks_new();
	struct memo m;
	struct memo_held held = { .rule = 0 };
	const struct desk_question q = { &m, desk_cases[_i].is_replay, desk_cases[_i].was_admitted, 600000,
		NOON };
	enum desk_fate fate;

	memo_read(&m, desk_cases[_i].memo);
	fate = desk_decide(desk_of(all, desk_cases[_i].rule, "c"), &q, &held);
	ck_assert_msg(fate == desk_cases[_i].fate, "%s: %d", desk_cases[_i].says, fate);
	if (fate != DESK_SEND) {
		ck_assert_int_eq(held.why, desk_cases[_i].why);
		ck_assert_int_eq(held.due, NOON + desk_cases[_i].due);
	}
	desks_free(all);
}
END_TEST

START_TEST(test_desks_are_of_a_rule_and_a_customer)
{
	static const struct smtp_rule mixed = { .key = 3, .mix_customers = true };
	struct desks *all = desks_new();
	struct memo m;
	struct memo_held held;
	const struct desk_question q = { &m, false, false, 600000, NOON };

	memo_read(&m, NULL);
	ck_assert_ptr_eq(desk_of(all, &alone, "a"), desk_of(all, &alone, "a"));
	ck_assert_ptr_ne(desk_of(all, &alone, "a"), desk_of(all, &alone, "b"));
	ck_assert_ptr_ne(desk_of(all, &alone, "a"), desk_of(all, &periodic, "a"));
	ck_assert_ptr_eq(desk_of(all, &mixed, "a"), desk_of(all, &mixed, "b"));
	ck_assert_int_eq(desk_decide(desk_of(all, &alone, "a"), &q, &held), DESK_SEND);
	ck_assert_int_eq(desk_decide(desk_of(all, &alone, "a"), &q, &held), DESK_HOLD);
	ck_assert_int_eq(held.why, HOLD_LIMIT);
	ck_assert_int_eq(desk_decide(desk_of(all, &alone, "b"), &q, &held), DESK_SEND);
	desk_take_back(desk_of(all, &alone, "a"));
	ck_assert_int_eq(desk_decide(desk_of(all, &alone, "a"), &q, &held), DESK_SEND);
	desks_free(all);
}
END_TEST

START_TEST(test_a_replay_that_goes_on_is_waited_for)
{
	struct desks *all = desks_new();
	struct desk *d = desk_of(all, &alone, "a");
	struct memo none, first;
	struct memo_held held, more;
	struct desk_question q = { &none, true, false, 600000, NOON };

	memo_read(&none, NULL);
	memo_read(&first, NULL);
	ck_assert_int_eq(desk_decide(d, &q, &held), DESK_HOLD);
	memo_hold(&first, &held);
	q.now = NOON + 9 * MINUTE;
	ck_assert_int_eq(desk_decide(d, &q, &more), DESK_HOLD);
	q.memo = &first;
	q.now = NOON + 10 * MINUTE;
	ck_assert_int_eq(desk_decide(d, &q, &more), DESK_HOLD);
	ck_assert_int_eq(more.due, NOON + 19 * MINUTE);
	memo_hold(&first, &more);
	q.now = NOON + 19 * MINUTE;
	ck_assert_int_eq(desk_decide(d, &q, &more), DESK_BUNDLE);
	desks_free(all);
}
END_TEST

START_TEST(test_a_replay_before_the_clock_was_set_back_is_not_waited_for)
{
	struct desks *all = desks_new();
	struct desk *d = desk_of(all, &alone, "a");
	struct memo first;
	struct memo_held held;
	struct desk_question q = { &first, true, false, 600000, NOON + 9999 * MINUTE };

	memo_read(&first, NULL);
	ck_assert_int_eq(desk_decide(d, &q, &held), DESK_HOLD);
	memo_hold(&first, &held);
	q.now = NOON;
	ck_assert_int_eq(desk_decide(d, &q, &held), DESK_BUNDLE);
	desks_free(all);
}
END_TEST

/* ---- what becomes of an entry ------------------------------------------------------------------ */

static const struct {
	const char *says, *memo;
	const char *legs; /* a letter each: o open, d done, x dead, l later, h held */
	bool cut;
	enum sink_verdict want;
	const char *text; /* what the memo, or the reason, begins with; NULL: none */
} entry_cases[] = {
	{ "everybody has it", NULL, "dd", false, SINK_OK, NULL },
	{ "nobody was to get it", NULL, "", false, SINK_OK, NULL },
	{ "one never gets it", NULL, "dx", false, SINK_REJECT, "never 1" },
	{ "nobody has it yet: its alert waits behind it", NULL, "ll", false, SINK_RETRY, "later 0" },
	{ "one is put off: remembered who has it", NULL, "dl", false, SINK_HOLD, "t1 d1" },
	{ "and tried again more slowly", "t4", "dl", false, SINK_HOLD, "t5 d1" },
	{ "one is put off, another never gets it", NULL, "xl", false, SINK_HOLD, "t1 d1 xnever 0" },
	{ "which is said when all are through", "t1 d2 xnever 0", "d", false, SINK_REJECT, "never 0" },
	{ "held for a digest", NULL, "h", false, SINK_HOLD, "t0 h9:p:1:77" },
	{ "held, and others have it", NULL, "dh", false, SINK_HOLD, "t0 d1 h9:p:1:77" },
	{ "the link ended: what is done is remembered", NULL, "do", true, SINK_HOLD, "t0 d1" },
	{ "and that somebody is still to get it, who waits for no digest", NULL, "doh", true, SINK_HOLD,
	    "t1 d1 h9:p:1:77" },
	{ "a rule that was taken back stays so, however often the rest is tried", "t1 c9", "l", false, SINK_RETRY,
	    "t1 c9" },
};

START_TEST(test_entries)
{
	const char *legs = entry_cases[_i].legs;
	struct entry *e = entry_new(1, entry_cases[_i].memo, strlen(legs));
	struct buf memo = BUF_INIT(MEMO_BYTES);
	struct entry_end end;
	struct memo m;
	const char *got;

	for (size_t i = 0; legs[i] != '\0'; i++) {
		char why[32];

		e->legs[i].address = i + 1;
		e->legs[i].held = (struct memo_held){ 9, HOLD_PERIOD, 1, 77 };
		e->open++;
		snprintf(why, sizeof(why), "%s %zu", legs[i] == 'x' ? "never" : "later", i);
		if (legs[i] != 'o')
			entry_leg(e, i, legs[i] == 'd' ? LEG_DONE : legs[i] == 'x' ? LEG_DEAD :
			    legs[i] == 'l' ? LEG_LATER : LEG_HELD, why);
	}
	entry_judge(e, 50, 0, entry_cases[_i].cut, &m, &memo, &end);
	ck_assert_msg(end.verdict == entry_cases[_i].want, "%s: %d", entry_cases[_i].says, end.verdict);
	got = end.has_memo ? memo.p : end.why;
	if (entry_cases[_i].text != NULL)
		ck_assert_msg(str_starts(str_of(got), entry_cases[_i].text), "%s: %s", entry_cases[_i].says, got);
	else
		ck_assert_ptr_null(got);
	buf_release(&memo);
	entry_free(e);
}
END_TEST

/* ---- rules ------------------------------------------------------------------------------------------ */

static const struct match high = { .severities = 1u << SEVERITY_HIGH, .kinds = 1u << KIND_NEW };
static const struct match high_first = { .severities = 1u << SEVERITY_HIGH,
	.kinds = 1u << KIND_NEW | 1u << KIND_ESCALATED | 1u << KIND_UPDATED };

static const struct {
	const char *says;
	enum severity severity;
	enum event_kind kind;
	bool is_first, want;
} fire_cases[] = {
	{ "a new alert that matches", SEVERITY_HIGH, KIND_NEW, true, true },
	{ "one that does not", SEVERITY_LOW, KIND_NEW, true, false },
	{ "one that became what the rule is for", SEVERITY_HIGH, KIND_ESCALATED, true, true },
	{ "another version of one that was told", SEVERITY_HIGH, KIND_UPDATED, false, false },
	{ "a kind that is no version", SEVERITY_HIGH, KIND_RESOLVED, true, false },
};

START_TEST(test_fires)
{
	const struct smtp_rule rule = { .match = &high, .first = &high_first };
	struct made m;

	make_alert(&m);
	m.record.alert.severity = fire_cases[_i].severity;
	m.event.kind = fire_cases[_i].kind;
	ck_assert_msg(smtp_rule_fires(&rule, &m.event, fire_cases[_i].is_first) == fire_cases[_i].want, "%s",
	    fire_cases[_i].says);
}
END_TEST

static const char *one_group[] = { "servers" };
static const struct match grouped = { .severities = 1u << SEVERITY_HIGH, .device_groups = { one_group, 1 } };
#define CHANGED(part) (1u << PART_##part)
#define WAS(severity) ((SEVERITY_##severity + 1u) << EVENT_WAS_SHIFT)

static const struct {
	const char *says;
	const struct match *match;
	enum event_kind kind;
	unsigned flags, changed;
	enum smtp_first want;
} first_cases[] = {
	{ "a new alert", &high, KIND_NEW, 0, 0, FIRST_SURELY },
	{ "the first sight of an old one", &high, KIND_UPDATED, EVENT_BACKFILL, 0, FIRST_SURELY },
	{ "one that was not what the rule is for", &high, KIND_ESCALATED, WAS(LOW), CHANGED(SEVERITY),
	    FIRST_SURELY },
	{ "one that was", &high, KIND_UPDATED, WAS(HIGH), CHANGED(COMMENT), FIRST_NEVER },
	{ "one whose severity was none that we know: it was told", &high, KIND_ESCALATED, WAS(OTHER),
	    CHANGED(SEVERITY), FIRST_NEVER },
	{ "a device of the group may be new in it", &grouped, KIND_UPDATED, WAS(HIGH), CHANGED(EVIDENCE),
	    FIRST_MAYBE },
	{ "a comment brings no device", &grouped, KIND_UPDATED, WAS(HIGH), CHANGED(COMMENT), FIRST_NEVER },
	{ "nothing is known of what was before", &high, KIND_UPDATED, 0, CHANGED(OTHER), FIRST_NEVER },
	{ "what is read again is judged by its kind", &grouped, KIND_UPDATED, EVENT_REPLAY | WAS(LOW), 0,
	    FIRST_NEVER },
};

START_TEST(test_first)
{
	const struct smtp_rule rule = { .match = first_cases[_i].match };
	struct made m;

	make_alert(&m);
	m.event.kind = first_cases[_i].kind;
	m.event.flags = first_cases[_i].flags;
	m.event.changed = first_cases[_i].changed;
	ck_assert_msg(smtp_rule_first(&rule, &m.event) == first_cases[_i].want, "%s", first_cases[_i].says);
}
END_TEST

START_TEST(test_told)
{
	struct told_set t = { NULL };

	ck_assert(!told_before(&t, 7, 100));
	told_add(&t, 7, 100);
	ck_assert_msg(!told_before(&t, 7, 100), "the same version comes again");
	ck_assert(told_before(&t, 7, 101));
	told_add(&t, 7, 200);
	ck_assert(told_before(&t, 7, 101));
	told_add(&t, 7, 50);
	ck_assert(!told_before(&t, 7, 50));
	for (uint64_t i = 0; i < 3 * TOLD_SLOTS; i++)
		told_add(&t, i * 0x9e3779b97f4a7c15 | 1, (int64_t)i);
	ck_assert_msg(told_before(&t, (3 * TOLD_SLOTS - 1) * 0x9e3779b97f4a7c15 | 1, INT64_MAX),
	    "the newest is there");
	told_release(&t);
}
END_TEST

/* ---- how much there is at a time ---------------------------------------------------------------- */

START_TEST(test_crowd)
{
	struct crowd c = { .size = 0 };
	struct crowd_one *a, *b;
	char name[32];

	a = crowd_enter(&c, "a", 3);
	b = crowd_enter(&c, "b", 1);
	ck_assert_ptr_eq(crowd_enter(&c, "a", 2), a);
	ck_assert_uint_eq(crowd_of(&c, "a"), 5);
	ck_assert_uint_eq(crowd_of(&c, "b"), 1);
	ck_assert_uint_eq(crowd_of(&c, "c"), 0);
	ck_assert_uint_eq(c.size, 6);
	crowd_leave(&c, a, 3);
	ck_assert_uint_eq(crowd_of(&c, "a"), 2);
	crowd_leave(&c, a, 2);
	ck_assert_msg(
	    crowd_of(&c, "a") == 0 && crowd_of(&c, "b") == 1 && c.size == 1, "one of two left");
	for (int i = 0; i < 3 * CROWD_HEADS; i++) {
		snprintf(name, sizeof(name), "customer-%d", i);
		crowd_leave(&c, crowd_enter(&c, name, 1), 1);
	}
	crowd_leave(&c, b, 1);
	ck_assert_uint_eq(c.size, 0);
}
END_TEST

/* What bundles are when they are complete. */
struct gathered {
	struct event_base *base;
	size_t bundles, legs, largest, wanted;
	bool is_mixed;
};

/* As its reader is told. */
static size_t
digest_count(const struct mail_digest *d)
{
	static const struct mail_style style = { .from = "alerts@soc.example" };
	static const struct mail_to to = { .to = "x@soc.example", .rule = "x" };
	struct buf out = BUF_INIT(MAIL_MAX);
	const char *count;
	struct err err;
	size_t n;

	ck_assert(mail_digest_write(&out, &style, &to, d, MAIL_DIGEST_PERIOD, "an hour", &err));
	count = strstr(out.p, "X-Msspd-Count: ");
	ck_assert_ptr_nonnull(count);
	n = strtoul(count + strlen("X-Msspd-Count: "), NULL, 10);
	buf_release(&out);
	return n;
}

static void
on_bundle(void *arg, struct bundle *b)
{
	struct gathered *g = arg;

	g->bundles++;
	g->legs += b->letter->n;
	if (b->letter->n > g->largest)
		g->largest = b->letter->n;
	g->is_mixed |= digest_count(b->digest) != b->letter->n;
	for (size_t i = 0; i < b->letter->n; i++)
		g->is_mixed |= b->letter->legs[i].leg != (strcmp(b->customer, "other") == 0);
	bundle_free(b);
	if (g->legs == g->wanted)
		(void)event_base_loopexit(g->base, NULL);
}

/* Every leg is in one digest, of its customer, and none of those is too large. */
START_TEST(test_a_digest_that_is_full_is_followed_by_another)
{
	static const struct smtp_rule rule = { .key = 1 };
	struct gathered g = { .base = event_base_new(), .wanted = BUNDLE_MAX + 7 };
	const struct engine_env env = {
		.base = g.base, .clock = &clock_system, .timers = timers_new(g.base, &clock_system)
	};
	const struct smtp_leg to = { .to = "a@x.example", .rule = &rule, .address = 1 };
	struct entry *e = entry_new(1, NULL, 2);
	struct bundles all;
	struct made m;
	const struct mail_item item = { .event = &m.event };

	make_alert(&m);
	bundles_init(&all, &env, on_bundle, &g);
	for (size_t i = 0; i < BUNDLE_MAX + 7; i++) {
		bool is_other = i % 4000 == 5;

		m.origin.customer = (char *)(uintptr_t)(is_other ? "other" : "one");
		bundles_add(&all, &to, HOLD_PERIOD, &item, e, is_other);
	}
	ck_assert_uint_eq(g.bundles, 0);
	ck_assert_uint_eq(all.n, 3);
	(void)event_base_dispatch(g.base);
	ck_assert_uint_eq(g.bundles, 3);
	ck_assert_uint_eq(all.n, 0);
	ck_assert_uint_eq(g.largest, BUNDLE_MAX);
	ck_assert(!g.is_mixed);
	bundles_clear(&all);
	entry_free(e);
	timers_free(env.timers);
	event_base_free(g.base);
}
END_TEST

START_TEST(test_recipients_come_once)
{
	static char *ours[] = { (char *)"a@x.example", (char *)"{contacts.oncall}", (char *)"{contacts.nobody}" };
	static char *others[] = { (char *)"A <A@X.example>", (char *)"c@x.example" };
	static struct origin_label contacts[] = { { "oncall", "b@y.example" }, { "it", "no@y.example" },
		{ "oncall", "C <c@X.example>" } };
	const struct conf_list first = { ours, 3 }, second = { others, 2 };
	struct smtp_rule rules[] = { { .to = &first, .digest_ms = 1000 }, { .to = &second } };
	const struct smtp_rules all = { .v = rules, .n = 2 };
	struct smtp_leg legs[RECIPIENTS_MAX];
	size_t left_out;
	struct made m;

	make_alert(&m);
	m.origin.contacts = contacts;
	m.origin.ncontacts = ARRAY_LEN(contacts);
	ck_assert_uint_eq(smtp_recipients(&all, 3, &m.origin, legs, &left_out), 3);
	ck_assert_str_eq(legs[0].to, "A <A@X.example>");
	ck_assert_ptr_eq(legs[0].rule, &rules[1]);
	ck_assert_str_eq(legs[1].to, "b@y.example");
	ck_assert_ptr_eq(legs[1].rule, &rules[0]);
	ck_assert_msg(legs[2].rule == &rules[1], "who gets it at once does not wait for a digest");
	ck_assert_uint_eq(smtp_recipients(&all, 1, &m.origin, legs, &left_out), 3);
	ck_assert_uint_eq(smtp_recipients(&all, 0, &m.origin, legs, &left_out), 0);
	ck_assert_uint_eq(left_out, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sink_smtp");
	TCase *tc = tcase_create("parts");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_ends, 0, (int)ARRAY_LEN(ends));
	tcase_add_test(tc, test_a_password_that_is_gone_is_a_refusal);
	tcase_add_test(tc, test_a_key_that_others_may_read_is_a_refusal);
	tcase_add_test(tc, test_memo_comes_back);
	tcase_add_test(tc, test_what_is_taken_back_stays_so);
	tcase_add_test(tc, test_the_largest_memo_fits_the_journal);
	tcase_add_loop_test(tc, test_odd_memos_say_nothing, 0, (int)ARRAY_LEN(odd_memos));
	tcase_add_loop_test(tc, test_desk, 0, (int)ARRAY_LEN(desk_cases));
	tcase_add_test(tc, test_desks_are_of_a_rule_and_a_customer);
	tcase_add_test(tc, test_a_replay_that_goes_on_is_waited_for);
	tcase_add_test(tc, test_a_replay_before_the_clock_was_set_back_is_not_waited_for);
	tcase_add_loop_test(tc, test_entries, 0, (int)ARRAY_LEN(entry_cases));
	tcase_add_loop_test(tc, test_fires, 0, (int)ARRAY_LEN(fire_cases));
	tcase_add_loop_test(tc, test_first, 0, (int)ARRAY_LEN(first_cases));
	tcase_add_test(tc, test_told);
	tcase_add_test(tc, test_crowd);
	tcase_add_test(tc, test_a_digest_that_is_full_is_followed_by_another);
	tcase_add_test(tc, test_recipients_come_once);
	tcase_set_timeout(tc, 60);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
