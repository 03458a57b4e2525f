/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/delivery/sink.h"
#include "daemon/health/ends.h"
#include "daemon/health/watch.h"
#include "daemon/journal/journal_mem_test.h"
#include "daemon/loop.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"

/* Figures that a test writes, a clock that it turns, and what reaches the sinks. */

#define TENANTS 40
#define MIN     60

static const struct sink_kind everything = { .name = "test", .default_kinds = ~0u };
static struct sink_conf confs[] = {
	{ .name = (char *)"siem", .kind = &everything, .health = SINK_HEALTH_DAEMON },
	{ .name = (char *)"customer", .kind = &everything },
};
static const struct sink_conf *both[] = { &confs[0], &confs[1] };

static int64_t now_ms;

static int64_t
turned_mono(const struct clock *c)
{
	(void)c;
	return now_ms;
}

static int64_t
turned_wall(const struct clock *c)
{
	(void)c;
	return 1795320000 * TICKS_SEC + ticks_from_ms(now_ms);
}

static const struct clock turned = { .mono = turned_mono, .wall = turned_wall };
static struct engine_env env;
static struct journal *j;
static struct watch *w;
static struct tenant tenants[TENANTS];
static struct customer customer = { .name = (char *)"c" };
static struct settings settings;
static struct intake_figures seen[TENANTS];
static struct delivery_figures links[2];
static size_t ntenants;

static size_t
see_tenants(void *arg, struct intake_figures *out, size_t max)
{
	size_t n = ntenants < max ? ntenants : max;

	(void)arg;
	memcpy(out, seen, n * sizeof(*out));
	return n;
}

static size_t
see_sinks(void *arg, struct delivery_figures *out, size_t max)
{
	(void)arg;
	ck_assert_uint_ge(max, 2);
	memcpy(out, links, sizeof(links));
	return 2;
}

static const struct watch_eyes eyes = { see_tenants, see_sinks, NULL };

static void
set(size_t i, enum tenant_state state, const char *trouble)
{
	seen[i].state = state;
	seen[i].trouble = trouble;
	seen[i].since = clock_wall(&turned);
	if (state == TENANT_HEALTHY || state == TENANT_CLOCK_OFF)
		seen[i].last_success = clock_wall(&turned);
}

/* Those that are well are read all the time. */
static void
keep_reading(void)
{
	for (size_t i = 0; i < ntenants; i++) {
		if (seen[i].state == TENANT_HEALTHY && seen[i].polls == 0)
			seen[i].last_success = clock_wall(&turned);
	}
}

static bool is_settled;

static void
on_settled(void *arg, const struct journal_page *page, const struct journal_appended *result)
{
	(void)arg;
	(void)page;
	(void)result;
}

static void
release_settled(struct journal_page *page)
{
	free(page);
	is_settled = true;
}

/* The journal answers from a thread of its own, and in order. */
static void
answer(void)
{
	struct journal_page *page = xcalloc(1, sizeof(*page));

	*page = (struct journal_page){ .stream = journal_stream(j, "x", "{}"),
		.reader = "x",
		.cursor = TICKS_NONE,
		.memory_begin = TICKS_NONE,
		.window_from = TICKS_NONE,
		.release = release_settled };
	is_settled = false;
	journal_append(j, page, on_settled, NULL);
	for (int i = 0; i < 10000 && !is_settled; i++) {
		(void)event_base_loop(env.base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
	ck_assert(is_settled);
}

/* What is told of one subject goes one after the other. */
static void
settle_down(void)
{
	for (int i = 0; i < 3; i++)
		answer();
}

static void
pass(int64_t sec)
{
	for (int64_t end = now_ms + sec * 1000; now_ms < end; now_ms += 1000) {
		keep_reading();
		(void)timers_run(env.timers);
		(void)event_base_loop(env.base, EVLOOP_NONBLOCK);
	}
	settle_down();
}

static void
make_tenant(size_t i)
{
	struct tenant *t = &tenants[i];

	*t = (struct tenant){ .name = xasprintf("t%02zu", i),
		.id = xasprintf("00000000-0000-4000-8000-0000000000%02zu", i),
		.customer = i == 1 ? &customer : NULL,
		.sinks = both,
		.nsinks = i == 0 ? 2 : 1, /* the customer's own SIEM gets the first one only */
		.poll_interval_ms = 60000 };
	t->key = xasprintf("global/%s", t->id);
	t->log = (struct log_ctx){ "tenant", t->name };
	t->origin = origin_new(&(struct origin){ .tenant_id = t->id,
	    .tenant = t->name,
	    .customer = t->name,
	    .customer_name = t->name,
	    .cloud = (char *)"global",
	    .portal_host = (char *)"p",
	    .stream = (char *)"alerts",
	    .instance = (char *)"" });
	seen[i] = (struct intake_figures){ .tenant = t->name, .stream = "", .id = t->id };
	set(i, TENANT_HEALTHY, "");
}

static void
no_log(const struct log_event *e, void *arg)
{
	(void)e;
	(void)arg;
}

static void
on_note(void *arg, enum journal_note note, enum journal_state state, const char *text)
{
	(void)arg;
	if (w != NULL)
		watch_journal(w, note, state, text);
}

static void
start(void)
{
	w = watch_new(&env, j, &eyes);
	watch_configure(w, &settings);
}

static void
setup(void)
{
	const char *names[] = { "siem", "customer" };
	struct journal_opts opts = { .dir = "/tmp", .max_size = 1u << 30,
		.remember_ms = INT64_C(190) * 86400000, .forget_sink_ms = 86400000 };
	struct err err;

	log_set_writer(no_log, NULL);
	now_ms = 1000000;
	ntenants = TENANTS;
	env = (struct engine_env){ .base = event_base_new(), .clock = &turned, .instance = "" };
	env.loop = loop_new(env.base);
	env.timers = timers_new(NULL, &turned);
	opts.clock = &turned;
	opts.base = env.base;
	j = journal_open(&journal_mem, &opts, on_note, NULL, &err);
	ck_assert_msg(j != NULL, "%s", err.text);
	journal_sinks_declare(j, names, 2);
	for (size_t i = 0; i < TENANTS; i++)
		make_tenant(i);
	for (size_t i = 0; i < 2; i++)
		links[i] = (struct delivery_figures){ .sink = confs[i].name, .kind = "test",
			.link = SINK_UP, .trouble = "", .trouble_since = TICKS_NONE };
	settings = (struct settings){ .refs = 1000, .tenants = tenants, .ntenants = ntenants,
		.sinks = confs, .nsinks = 2, .health_settle_ms = 60000,
		.silent_after_ms = 15 * 60000 };
	start();
}

static void
teardown(void)
{
	watch_free(w);
	w = NULL;
	journal_close(j);
	timers_free(env.timers);
	loop_free(env.loop);
	event_base_free(env.base);
	for (size_t i = 0; i < TENANTS; i++) {
		free(tenants[i].name);
		free(tenants[i].id);
		free(tenants[i].key);
		origin_unref((struct origin *)(uintptr_t)tenants[i].origin);
	}
}

/* ---- what was told -------------------------------------------------------------------- */

static struct journal_batch *batch;

static void
on_read(void *arg, struct journal_batch *taken, const struct err *err)
{
	(void)arg;
	ck_assert_ptr_null(err);
	batch = taken;
}

/* "t01: unreachable; 12 of 40 tenants: …": the summaries, in order, without what comes
 * behind a comma; what is not about msspd itself with the stream it is in checked. */
static const char *
told(size_t sink)
{
	static char text[8192];
	uint32_t number = journal_sink(j, confs[sink].name);

	settle_down();
	text[0] = '\0';
	batch = NULL;
	journal_rewind(j, number);
	journal_read(j, number, 10000, 1u << 20, on_read, NULL);
	for (int i = 0; i < 5000 && batch == NULL; i++) {
		(void)event_base_loop(env.base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
	ck_assert_ptr_nonnull(batch);
	for (size_t i = 0; i < batch->n; i++) {
		const struct journal_item *item = &batch->items[i];
		struct record *r =
		    record_from_entry(RECORD_HEALTH, item->id, item->version, item->body);
		const char *key = journal_stream_key(j, item->stream);
		size_t used = strlen(text), n = strcspn(r->health.summary.s, ",");

		ck_assert_int_eq(item->kind, KIND_HEALTH);
		if (str_is(r->health.about, "tenant")) {
			ck_assert_ptr_nonnull(strstr(key, "global/0000"));
			ck_assert_str_eq(strrchr(key, '/'), "/health");
			ck_assert(memcmp(strrchr(key, '/') - 2, r->health.name.s + 1, 2) == 0);
		} else if (!str_is(r->health.about, "customer")) {
			ck_assert_str_eq(key, "msspd/health");
		}
		n = n < r->health.summary.n ? n : r->health.summary.n;
		(void)snprintf(text + used, sizeof(text) - used, "%s%.*s", used != 0 ? "; " : "",
		    (int)n, r->health.summary.s);
		record_unref(r);
	}
	journal_batch_free(batch);
	return text;
}

#define ASSERT_TOLD(sink, want) ck_assert_str_eq(told(sink), want)

/* ---- tenants --------------------------------------------------------------------------- */

START_TEST(test_well_is_no_news)
{
	pass(10 * MIN);
	ASSERT_TOLD(0, "");
	ASSERT_TOLD(1, "");
}
END_TEST

START_TEST(test_a_moment_is_no_news)
{
	pass(3 * MIN);
	set(0, TENANT_UNREACHABLE, "no route");
	pass(50);
	set(0, TENANT_HEALTHY, "");
	pass(5 * MIN);
	ASSERT_TOLD(0, "");
}
END_TEST

START_TEST(test_what_lasts)
{
	pass(3 * MIN);
	set(0, TENANT_UNREACHABLE, "no route");
	set(1, TENANT_REFUSED, "the secret is wrong");
	pass(10 * MIN);
	ASSERT_TOLD(0, "Tenant t00: unreachable; Tenant t01: credentials refused");
	ASSERT_TOLD(1, "Tenant t00: unreachable");
	set(0, TENANT_HEALTHY, "");
	pass(2 * MIN);
	ASSERT_TOLD(1, "Tenant t00: unreachable; Tenant t00: healthy again");
}
END_TEST

START_TEST(test_silence)
{
	pass(3 * MIN);
	tenants[2].poll_interval_ms = 10 * MIN * 1000;
	set(1, TENANT_THROTTLED, "429");
	seen[2].polls = seen[3].polls = 1; /* not read any more, and nothing is said of it */
	set(4, TENANT_BEHIND, "");
	set(5, TENANT_PAUSED, "");
	pass(14 * MIN);
	ASSERT_TOLD(0, "Tenant t01: throttled; Tenant t04: behind");
	pass(4 * MIN);
	ASSERT_TOLD(0, "Tenant t01: throttled; Tenant t04: behind; Tenant t01: not read; "
	               "Tenant t03: not read");
	pass(30 * MIN);
	ck_assert_ptr_null(strstr(told(0), "t02"));
	pass(6 * MIN);
	ck_assert_ptr_nonnull(strstr(told(0), "Tenant t02: not read"));
	seen[2].polls = seen[3].polls = 0;
	pass(2 * MIN);
	ck_assert_ptr_nonnull(strstr(told(0), "Tenant t02: healthy again"));
	ck_assert_ptr_nonnull(strstr(told(0), "Tenant t03: healthy again"));
	ck_assert_ptr_null(strstr(told(0), "t05"));
}
END_TEST

/* All are overdue when the machine wakes, and none is blamed for it; who stays so is. */
START_TEST(test_sleep)
{
	pass(3 * MIN);
	seen[3].polls = 1;
	now_ms += INT64_C(3 * 3600 * 1000);
	pass(10 * MIN);
	ASSERT_TOLD(0, "");
	pass(8 * MIN);
	ASSERT_TOLD(0, "Tenant t03: not read");
}
END_TEST

/* The network went before the machine slept, and comes back after: that lasted for as long as it was awake. */
START_TEST(test_sleep_amid_trouble)
{
	pass(3 * MIN);
	for (size_t i = 0; i < TENANTS; i++)
		set(i, TENANT_UNREACHABLE, "no route");
	links[1].trouble_since = clock_wall(&turned);
	links[1].trouble = "no route";
	links[1].link = SINK_DOWN;
	pass(20);
	now_ms += INT64_C(3 * 3600 * 1000);
	pass(20);
	for (size_t i = 1; i < TENANTS; i++)
		set(i, TENANT_HEALTHY, "");
	links[1].link = SINK_UP;
	links[1].trouble_since = TICKS_NONE;
	ASSERT_TOLD(0, "");
	pass(3 * MIN);
	ASSERT_TOLD(0, "Tenant t00: unreachable"); /* who stays so is told */
}
END_TEST

/* A tenant that never answers from the start on. */
START_TEST(test_never_read)
{
	set(7, TENANT_STARTING, "");
	seen[7].last_success = TICKS_NONE;
	pass(10 * MIN);
	ASSERT_TOLD(0, "");
	pass(8 * MIN);
	ASSERT_TOLD(0, "Tenant t07: not read");
}
END_TEST

START_TEST(test_growth)
{
	pass(3 * MIN);
	seen[0].quarantined = 2;
	pass(MIN);
	seen[0].quarantined = 5;
	seen[0].gaps = 1;
	pass(MIN);
	ASSERT_TOLD(1, "Tenant t00: 2 more in quarantine; Tenant t00: 1 more gaps");
	pass(10 * MIN);
	ASSERT_TOLD(1, "Tenant t00: 2 more in quarantine; Tenant t00: 1 more gaps; "
	               "Tenant t00: 3 more in quarantine");
}
END_TEST

/* ---- many at once ------------------------------------------------------------------------ */

static void
set_many(size_t from, size_t to, enum tenant_state state)
{
	for (size_t i = from; i < to; i++)
		set(i, state, state == TENANT_HEALTHY ? "" : "no route");
}

START_TEST(test_outage)
{
	pass(3 * MIN);
	set_many(0, 20, TENANT_UNREACHABLE);
	pass(2 * MIN);
	ASSERT_TOLD(0, "20 of 40 tenants: unreachable");
	ASSERT_TOLD(1, "Tenant t00: unreachable");
	set_many(20, 30, TENANT_UNREACHABLE); /* more of the same */
	pass(20 * MIN);
	ASSERT_TOLD(0, "20 of 40 tenants: unreachable");
	set_many(0, 30, TENANT_HEALTHY);
	pass(2 * MIN);
	ASSERT_TOLD(0, "20 of 40 tenants: unreachable; 30 of 40 tenants: healthy again");
	ASSERT_TOLD(1, "Tenant t00: unreachable; Tenant t00: healthy again");
}
END_TEST

/* Three are a tenth of forty at most, four are more. */
START_TEST(test_few_are_told_one_by_one)
{
	pass(3 * MIN);
	set_many(10, 13, TENANT_GARBLED);
	pass(2 * MIN);
	ASSERT_TOLD(0, "Tenant t10: garbled; Tenant t11: garbled; Tenant t12: garbled");
}
END_TEST

START_TEST(test_stragglers)
{
	pass(3 * MIN);
	set_many(0, 20, TENANT_UNREACHABLE);
	pass(2 * MIN);
	set_many(0, 18, TENANT_HEALTHY);
	pass(8 * MIN);
	ASSERT_TOLD(0, "20 of 40 tenants: unreachable");
	pass(6 * MIN);
	ASSERT_TOLD(0, "20 of 40 tenants: unreachable; 20 of 40 tenants: healthy again; "
	               "Tenant t18: unreachable; Tenant t19: unreachable");
	set_many(18, 20, TENANT_HEALTHY);
	pass(2 * MIN);
	ck_assert_ptr_nonnull(strstr(told(0), "Tenant t18: healthy again; Tenant t19: healthy again"));
}
END_TEST

/* One of them is something else than the others in the end. */
START_TEST(test_out_of_an_outage)
{
	pass(3 * MIN);
	set_many(0, 20, TENANT_UNREACHABLE);
	pass(2 * MIN);
	set(5, TENANT_REFUSED, "the secret is wrong");
	pass(2 * MIN);
	ASSERT_TOLD(0, "20 of 40 tenants: unreachable; Tenant t05: credentials refused");
	set_many(0, 20, TENANT_HEALTHY);
	pass(2 * MIN);
	ASSERT_TOLD(0, "20 of 40 tenants: unreachable; Tenant t05: credentials refused; "
	               "Tenant t05: healthy again; 20 of 40 tenants: healthy again");
}
END_TEST

/* ---- restarts ---------------------------------------------------------------------------- */

START_TEST(test_restart)
{
	pass(3 * MIN);
	set(0, TENANT_REFUSED, "the secret is wrong");
	set(1, TENANT_REFUSED, "the secret is wrong");
	set_many(10, 20, TENANT_UNREACHABLE);
	pass(3 * MIN);
	settle_down();
	watch_free(w);
	set(1, TENANT_HEALTHY, "");
	set_many(10, 20, TENANT_HEALTHY);
	start();
	pass(3 * MIN);
	ASSERT_TOLD(0, "Tenant t00: credentials refused; Tenant t01: credentials refused; "
	               "10 of 40 tenants: unreachable; Tenant t01: healthy");
	pass(10 * MIN); /* the outage of the run before is over */
	ASSERT_TOLD(0, "Tenant t00: credentials refused; Tenant t01: credentials refused; "
	               "10 of 40 tenants: unreachable; Tenant t01: healthy; "
	               "Tenants: healthy again");
	ASSERT_TOLD(1, "Tenant t00: credentials refused");
}
END_TEST

/* ---- sinks, the journal, others ------------------------------------------------------------ */

START_TEST(test_sink)
{
	pass(3 * MIN);
	links[1].trouble_since = clock_wall(&turned);
	links[1].trouble = "connection refused";
	links[1].link = SINK_DOWN;
	pass(2 * MIN);
	links[1].link = SINK_REFUSED;
	links[1].dead = 4;
	pass(2 * MIN);
	links[1].trouble_since = TICKS_NONE;
	links[1].link = SINK_UP;
	pass(2 * MIN);
	ASSERT_TOLD(0, "Sink customer: down; Sink customer: 4 more dead letters; "
	               "Sink customer: refused; Sink customer: up again");
	ASSERT_TOLD(1, ""); /* it is none of its business */
}
END_TEST

START_TEST(test_backlog)
{
	uint32_t sink = journal_sink(j, "customer");
	struct journal_period p = { .stream = journal_stream(j, "y", "{}"), .sink = sink,
		.from = 1, .to = 2, .at = TICKS_NONE };
	uint64_t number;

	pass(3 * MIN);
	journal_sink_park(j, sink, true);
	pass(2 * MIN);
	number = journal_period_add(j, &p);
	pass(2 * MIN);
	journal_sink_park(j, sink, false);
	pass(2 * MIN);
	ck_assert(journal_period_cancel(j, number));
	pass(2 * MIN);
	links[1].pauses_polling = true;
	pass(2 * MIN);
	ASSERT_TOLD(0, "Sink customer: over its backlog; Sink customer: being refilled; "
	               "Sink customer: complete again; Sink customer: holding up its tenants");
	ASSERT_TOLD(1, "");
}
END_TEST

/* Its own clock is the machine's: it says so within a second. */
static void
force(enum journal_state state)
{
	journal_mem_force(j, state);
	for (int i = 0; i < 5000 && journal_state(j) != state; i++) {
		(void)event_base_loop(env.base, EVLOOP_NONBLOCK);
		usleep(1000);
	}
	ck_assert_int_eq(journal_state(j), state);
}

/* That it is full is told while it is; what cannot be stored is told when it can. */
START_TEST(test_journal)
{
	pass(3 * MIN);
	force(JOURNAL_PAUSED);
	pass(3 * MIN);
	ASSERT_TOLD(0, "Journal: paused");
	force(JOURNAL_FAILED);
	pass(3 * MIN);
	force(JOURNAL_OK);
	pass(3 * MIN);
	ASSERT_TOLD(0, "Journal: paused; Journal: failed; Journal: ok again");
}
END_TEST

/* Down while the journal fails, and up as soon as it works again: told in that order. */
START_TEST(test_the_last_word_stays_the_last)
{
	struct watch_notice n = { .id = "link:x", .about = "link", .name = "x", .state = "down",
		.level = HEALTH_ALARM, .summary = "x: down", .what = "", .remedy = "" };

	pass(3 * MIN);
	force(JOURNAL_FAILED);
	watch_notice(w, &n);
	settle_down();
	force(JOURNAL_OK);
	n.state = "up";
	n.level = HEALTH_WELL;
	n.summary = "x: up again";
	watch_notice(w, &n);
	pass(5);
	ASSERT_TOLD(0, "x: down; x: up again");
}
END_TEST

START_TEST(test_journal_event)
{
	pass(3 * MIN);
	watch_journal(w, JOURNAL_NOTE_QUARANTINE, JOURNAL_OK, "a row is damaged");
	watch_journal(w, JOURNAL_NOTE_QUARANTINE, JOURNAL_OK, "a row is damaged");
	watch_journal(w, JOURNAL_NOTE_CHECK, JOURNAL_OK, "all is well");
	ASSERT_TOLD(0, "Journal: damaged row");
	watch_journal(w, JOURNAL_NOTE_QUARANTINE_CAP, JOURNAL_OK, "the oldest are let go");
	ASSERT_TOLD(0, "Journal: damaged row; Journal: quarantine full");
}
END_TEST

/* As the machine wakes, before anybody looked; and another time, hours later. */
START_TEST(test_journal_event_at_waking)
{
	pass(3 * MIN);
	now_ms += INT64_C(9 * 3600 * 1000);
	watch_journal(w, JOURNAL_NOTE_QUARANTINE, JOURNAL_OK, "a row is damaged");
	pass(3 * 60 * MIN);
	watch_journal(w, JOURNAL_NOTE_QUARANTINE, JOURNAL_OK, "a row is damaged");
	ASSERT_TOLD(0, "Journal: damaged row; Journal: damaged row");
}
END_TEST

START_TEST(test_ends)
{
	struct expiry app = { "app", "soc", "its secret", "make a new one",
		clock_wall(&turned) + 5 * 86400 * TICKS_SEC };
	struct expiry access = { "customer", "c", "our access", "renew it", app.ends };
	struct expiries *x = expiries_new(&env);

	ends_tell(w, &settings, &app, EXPIRY_WEEK, 5);
	ends_tell(w, &settings, &app, EXPIRY_WEEK, 4);
	ends_tell(w, &settings, &access, EXPIRY_DAY, 1);
	ASSERT_TOLD(0, "App soc: its secret ends within 7 days; "
	               "Customer c: our access ends within a day");
	app.ends += 300 * 86400 * TICKS_SEC;
	access.ends = app.ends;
	access.name = "d"; /* of which nothing was ever told */
	expiries_set(x, &app);
	expiries_set(x, &access);
	ends_clear(w, &settings, x, clock_wall(&turned));
	ASSERT_TOLD(0, "App soc: its secret ends within 7 days; "
	               "Customer c: our access ends within a day; App soc: its secret valid");
	expiries_free(x);
}
END_TEST

/* A reload keeps what is known of those that stay. */
START_TEST(test_reload)
{
	pass(3 * MIN);
	set(3, TENANT_REFUSED, "the secret is wrong");
	pass(3 * MIN);
	settings.ntenants = ntenants = 10;
	watch_configure(w, &settings);
	pass(3 * MIN);
	set(3, TENANT_HEALTHY, "");
	pass(3 * MIN);
	ASSERT_TOLD(0, "Tenant t03: credentials refused; Tenant t03: healthy again");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("watch");
	TCase *tc = tcase_create("watch");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_well_is_no_news);
	tcase_add_test(tc, test_a_moment_is_no_news);
	tcase_add_test(tc, test_what_lasts);
	tcase_add_test(tc, test_silence);
	tcase_add_test(tc, test_sleep);
	tcase_add_test(tc, test_sleep_amid_trouble);
	tcase_add_test(tc, test_never_read);
	tcase_add_test(tc, test_growth);
	tcase_add_test(tc, test_outage);
	tcase_add_test(tc, test_few_are_told_one_by_one);
	tcase_add_test(tc, test_stragglers);
	tcase_add_test(tc, test_out_of_an_outage);
	tcase_add_test(tc, test_restart);
	tcase_add_test(tc, test_sink);
	tcase_add_test(tc, test_backlog);
	tcase_add_test(tc, test_journal);
	tcase_add_test(tc, test_the_last_word_stays_the_last);
	tcase_add_test(tc, test_journal_event);
	tcase_add_test(tc, test_journal_event_at_waking);
	tcase_add_test(tc, test_ends);
	tcase_add_test(tc, test_reload);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
