#include <check.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/delivery/sink.h"
#include "daemon/intake/poller.h"
#include "daemon/intake/streams.h"
#include "daemon/journal/journal_mem_test.h"
#include "daemon/loop.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"
#include "tests/unit/small_graph.h"

#define HOUR (3600 * TICKS_SEC)
#define SEC  1000

static const struct sink_kind everything = { .name = "test", .default_kinds = ~0u };
static const struct sink_conf sink = { .name = (char *)"out", .kind = &everything };
static const struct sink_conf *sinks[] = { &sink };

/* The machine's clock, and as far ahead of it as a test turns it. */
static int64_t ahead_ms;

static int64_t
turned_mono(const struct clock *c)
{
	(void)c;
	return clock_mono(&clock_system) + ahead_ms;
}

static int64_t
turned_wall(const struct clock *c)
{
	(void)c;
	return clock_wall(&clock_system) + ticks_from_ms(ahead_ms);
}

static const struct clock turned = { .mono = turned_mono, .wall = turned_wall };
static struct engine_env env;
static struct fetcher *f;
static struct tokens *ts;
static struct journal *j;
static struct intake *in;
static struct small_graph g;
static struct app app;
static struct tenant tenants[SG_TENANTS];
static struct tenant_stream streams[SG_TENANTS];
static struct settings settings;
static char dir[] = "/tmp/check_intake.XXXXXX", secret[64], url[128];
static const struct credential secrets[] = { { .kind = CREDENTIAL_SECRET, .file = secret } };
static char logged[65536];
static uint32_t out;

static void
keep_log(const struct log_event *e, void *arg)
{
	size_t used = strlen(logged);

	(void)arg;
	(void)snprintf(logged + used, sizeof(logged) - used, "%.*s\n", STR_ARG(e->line));
}

static void
on_note(void *arg, enum journal_note note, enum journal_state state, const char *text)
{
	(void)arg;
	(void)text;
	if (note == JOURNAL_NOTE_STATE && in != NULL)
		intake_journal_state(in, state);
}

static void
write_secret(void)
{
	FILE *file;

	(void)snprintf(secret, sizeof(secret), "%s/secret", dir);
	file = fopen(secret, "w");
	ck_assert_ptr_nonnull(file);
	(void)fputs("fake", file);
	(void)fclose(file);
	(void)chmod(secret, 0600);
}

static void
make_tenant(unsigned i)
{
	struct tenant *t = &tenants[i];

	*t = (struct tenant){
		.name = xasprintf("t%u", i),
		.id = xstrdup(sg_tenant_id(i)),
		.app = &app,
		.key = xasprintf("custom:x/%s", sg_tenant_id(i)),
		.streams = &streams[i],
		.nstreams = 1,
		.sinks = sinks,
		.nsinks = 1,
		.poll_interval_ms = 60,
		.overlap_ms = 600 * SEC,
		.first_lookback_ms = 24 * 3600 * SEC,
		.page_size = 10,
		.budget_per_min = 100000,
	};
	t->log = (struct log_ctx){ "tenant", t->name };
	streams[i] = (struct tenant_stream){ .log = t->log,
		.kind = &stream_kinds[STREAM_ALERTS],
		.key = xasprintf("%s/alerts", t->key) };
	t->origin = streams[i].origin = origin_new(&(struct origin){ .tenant_id = t->id,
	    .tenant = t->name,
	    .customer = t->name,
	    .customer_name = t->name,
	    .cloud = (char *)"custom",
	    .portal_host = (char *)"p",
	    .stream = (char *)"alerts",
	    .instance = (char *)"" });
}

static void
free_tenant(struct tenant *t)
{
	free(t->name);
	free(t->id);
	free(t->key);
	free(t->streams->key);
	origin_unref(t->streams->origin);
}

static void
open_journal(void)
{
	const struct journal_opts opts = { .dir = dir,
		.max_size = 1u << 30,
		.remember_ms = INT64_C(190) * 86400 * SEC,
		.clock = env.clock,
		.base = env.base,
		.forget_sink_ms = 86400 * SEC };
	const char *names[] = { sink.name };
	struct err err;

	j = journal_open(&journal_mem, &opts, on_note, NULL, &err);
	ck_assert_msg(j != NULL, "%s", err.text);
	journal_sinks_declare(j, names, 1);
	out = journal_sink(j, sink.name);
}

static void
setup(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	log_set_writer(keep_log, NULL);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	write_secret();
	env = (struct engine_env){ .base = event_base_new(), .clock = &turned };
	env.loop = loop_new(env.base);
	env.timers = timers_new(env.base, env.clock);
	open_journal();
	f = fetcher_new(&env);
	ts = tokens_new(&env, f);
	in = intake_new(&env, f, ts, j);
	sg_init(&g, env.base);
	(void)snprintf(url, sizeof(url), "%s", web_url(g.web, "127.0.0.1"));
	app = (struct app){ .name = (char *)"soc",
		.cloud = CLOUD_CUSTOM,
		.client_id = (char *)"6f0c8a5e-0000-4000-8000-000000000001",
		.credentials = secrets,
		.ncredentials = 1,
		.login_url = url,
		.graph_url = url,
		.resource = { url, url },
		.portal_url = url };
	for (unsigned i = 0; i < SG_TENANTS; i++)
		make_tenant(i);
	settings = (struct settings){ .refs = 1000,
		.max_requests = 64,
		.request_timeout_ms = 1500,
		.max_body = 100000,
		.remember_ms = INT64_C(190) * 86400 * SEC,
		.tenants = tenants,
		.ntenants = 1 };
}

static void
teardown(void)
{
	intake_free(in);
	in = NULL;
	tokens_free(ts);
	fetcher_free(f);
	journal_close(j);
	sg_release(&g);
	timers_free(env.timers);
	loop_free(env.loop);
	event_base_free(env.base);
	for (unsigned i = 0; i < SG_TENANTS; i++)
		free_tenant(&tenants[i]);
	(void)unlink(secret);
	(void)rmdir(dir);
}

/* ---- what tests ask ------------------------------------------------------------------------ */

static struct intake_figures
figures(unsigned i)
{
	struct intake_figures all[SG_TENANTS];
	size_t n = intake_figures(in, all, SG_TENANTS);

	for (size_t k = 0; k < n; k++) {
		if (strcmp(all[k].id, sg_tenant_id(i)) == 0)
			return all[k];
	}
	ck_abort_msg("no such tenant");
}

/* Runs the loop until is_done(arg) or ms have passed. */
static bool
run_until(bool (*is_done)(void *arg), void *arg, int ms)
{
	int64_t end = clock_mono(env.clock) + ms;
	const struct timeval tick = { 0, 5000 };

	while (!is_done(arg)) {
		if (clock_mono(env.clock) > end)
			return false;
		(void)event_base_loopexit(env.base, &tick);
		(void)event_base_dispatch(env.base);
	}
	return true;
}

static bool
never(void *arg)
{
	(void)arg;
	return false;
}

struct wanted {
	unsigned tenant;
	enum tenant_state state;
	uint64_t polls;
};

static bool
is_in_state(void *arg)
{
	const struct wanted *w = arg;

	return figures(w->tenant).state == w->state;
}

static bool
has_polled(void *arg)
{
	const struct wanted *w = arg;

	return figures(w->tenant).polls >= w->polls &&
	       figures(w->tenant).last_success != TICKS_NONE;
}

static void
wait_state(unsigned tenant, enum tenant_state state)
{
	struct wanted w = { .tenant = tenant, .state = state };

	ck_assert_msg(run_until(is_in_state, &w, 5000), "tenant %u is %s: %s\n%s", tenant,
	    tenant_states[figures(tenant).state].name, figures(tenant).trouble, logged);
}

static void
wait_polls(unsigned tenant, uint64_t polls)
{
	struct wanted w = { .tenant = tenant, .polls = polls };

	ck_assert_msg(run_until(has_polled, &w, 5000), "tenant %u is %s: %s\n%s", tenant,
	    tenant_states[figures(tenant).state].name, figures(tenant).trouble, logged);
}

struct answer {
	struct journal_batch *batch;
};

static void
on_read(void *arg, struct journal_batch *taken, const struct err *err)
{
	ck_assert_ptr_null(err);
	((struct answer *)arg)->batch = taken;
}

static bool
has_batch(void *arg)
{
	return ((struct answer *)arg)->batch != NULL;
}

/* Everything for the sink, from the beginning. The caller frees it. */
static struct journal_batch *
read_all(void)
{
	struct answer a = { NULL };

	journal_rewind(j, out);
	journal_read(j, out, 100000, 1u << 30, on_read, &a);
	ck_assert(run_until(has_batch, &a, 2000));
	return a.batch;
}

static size_t
stored(void)
{
	struct journal_batch *b = read_all();
	size_t n = b->n;

	journal_batch_free(b);
	return n;
}

static uint64_t
appends(void)
{
	struct journal_stats s;

	journal_stats(j, &s);
	return s.appends;
}

static void
start(size_t n)
{
	settings.ntenants = n;
	intake_configure(in, &settings);
}

static int64_t
now(void)
{
	return clock_wall(env.clock);
}

/* ---- reading ------------------------------------------------------------------------------- */

START_TEST(test_alerts_are_read_once)
{
	uint64_t before;

	for (int i = 0; i < 3; i++)
		sg_add(&g, 0, now() - HOUR + i);
	start(1);
	wait_polls(0, 3);
	ck_assert_uint_eq(stored(), 3);
	ck_assert_int_eq(figures(0).state, TENANT_HEALTHY);
	ck_assert_int_eq(figures(0).cursor, g.t[0].alerts[2].at);
	before = appends();
	wait_polls(0, 8);
	ck_assert_uint_eq(appends(), before);
	ck_assert_uint_eq(g.t[0].tokens, 1);
}
END_TEST

START_TEST(test_what_a_request_says)
{
	char want[64] = "";
	struct buf b = BUF_INIT(64);

	sg_add(&g, 0, now() - HOUR);
	start(1);
	wait_polls(0, 3);
	buf_puts(&b, "ge%20");
	ticks_write(&b, g.t[0].alerts[0].at - 600 * TICKS_SEC, 7);
	(void)snprintf(want, sizeof(want), "%s", b.p);
	buf_release(&b);
	ck_assert_msg(strstr(g.t[0].last_url, want) != NULL, "%s", g.t[0].last_url);
	ck_assert_ptr_nonnull(strstr(g.t[0].last_url,
	    "/v1.0/security/alerts_v2?$top=10&"
	    "$orderby=lastUpdateDateTime%20asc&$filter=lastUpdateDateTime%20ge%20"));
	ck_assert_ptr_nonnull(strstr(web_last(g.web), "Prefer: include-unknown-enum-members"));
	ck_assert_ptr_nonnull(strstr(web_last(g.web), "client-request-id: "));
}
END_TEST

START_TEST(test_new_version_is_forwarded)
{
	struct sg_alert *a = sg_add(&g, 0, now() - HOUR);

	start(1);
	wait_polls(0, 2);
	a->at += HOUR / 2;
	a->severity = "low";
	wait_polls(0, figures(0).polls + 2);
	ck_assert_uint_eq(stored(), 2);
}
END_TEST

START_TEST(test_backlog_is_read_page_by_page)
{
	for (int i = 0; i < 1000; i++)
		sg_add(&g, 0, now() - 10 * HOUR + i / 3);
	start(1);
	wait_polls(0, 1);
	ck_assert_uint_eq(stored(), 1000);
	ck_assert_int_eq(figures(0).state, TENANT_HEALTHY);
	ck_assert_ptr_nonnull(strstr(logged, "backlog"));
}
END_TEST

START_TEST(test_a_page_on_one_stamp)
{
	for (int i = 0; i < 45; i++)
		sg_add(&g, 0, now() - HOUR + (i < 5 || i > 40 ? i : 5));
	start(1);
	wait_polls(0, 2);
	ck_assert_uint_eq(stored(), 45);
}
END_TEST

START_TEST(test_refused_order)
{
	g.t[0].mood = SG_NO_ORDER;
	for (int i = 0; i < 45; i++)
		sg_add(&g, 0, now() - HOUR + i);
	start(1);
	wait_polls(0, 2);
	ck_assert_uint_eq(stored(), 45);
	ck_assert_int_eq(figures(0).state, TENANT_HEALTHY);
}
END_TEST

START_TEST(test_huge_page_is_halved)
{
	g.t[0].mood = SG_HUGE;
	for (int i = 0; i < 12; i++)
		sg_add(&g, 0, now() - HOUR + i);
	start(1);
	wait_polls(0, 1);
	ck_assert_uint_eq(stored(), 12);
}
END_TEST

START_TEST(test_stamps_of_the_future)
{
	int64_t late = now() - HOUR;
	uint64_t before;

	sg_add(&g, 0, late);
	sg_add(&g, 0, now() + 70 * 365 * 24 * HOUR);
	start(1);
	wait_polls(0, 3);
	ck_assert_uint_eq(stored(), 2);
	ck_assert_int_eq(figures(0).cursor, late);
	before = appends();
	wait_polls(0, 6);
	ck_assert_uint_eq(appends(), before);
	sg_add(&g, 0, now() - 2 * SEC * TICKS_MS);
	wait_polls(0, figures(0).polls + 2);
	ck_assert_uint_eq(stored(), 3);
}
END_TEST

START_TEST(test_older_than_first_lookback_is_left_alone)
{
	sg_add(&g, 0, now() - 30 * HOUR);
	start(1);
	wait_polls(0, 2);
	ck_assert_uint_eq(stored(), 0);
	/* a quiet tenant keeps its place, so that a restart does not begin later */
	ck_assert_int_ne(figures(0).cursor, TICKS_NONE);
}
END_TEST

/* ---- what does not belong, or cannot be read ----------------------------------------------- */

START_TEST(test_foreign_alert_is_shown_to_nobody)
{
	struct journal_stats s;

	sg_add(&g, 0, now() - HOUR)->tenant_id = sg_tenant_id(5);
	sg_add(&g, 0, now() - HOUR + 1)->tenant_id = NULL;
	start(1);
	wait_polls(0, 5);
	ck_assert_uint_eq(stored(), 1);
	ck_assert_uint_eq(figures(0).quarantined, 1);
	journal_stats(j, &s);
	ck_assert_uint_eq(s.quarantine, 1);
	ck_assert_ptr_nonnull(strstr(logged, "another tenant"));
}
END_TEST

/* An answer that is wholly somebody else's moves nothing: what is ours is read when it comes. */
START_TEST(test_an_answer_that_is_all_foreign)
{
	uint64_t before;

	for (int i = 0; i < 45; i++)
		sg_add(&g, 0, now() - 20 * HOUR + i * HOUR / 6)->tenant_id = sg_tenant_id(5);
	start(1);
	wait_polls(0, 3);
	ck_assert_int_eq(figures(0).state, TENANT_GARBLED);
	ck_assert_uint_eq(figures(0).quarantined, 45);
	ck_assert_uint_eq(stored(), 0);
	before = appends();
	wait_polls(0, figures(0).polls + 2);
	ck_assert_uint_eq(appends(), before);
	for (unsigned i = 0; i < 45; i++)
		g.t[0].alerts[i].tenant_id = sg_tenant_id(0);
	wait_polls(0, figures(0).polls + 2);
	ck_assert_uint_eq(stored(), 45);
	ck_assert_int_eq(figures(0).state, TENANT_HEALTHY);
}
END_TEST

START_TEST(test_unreadable_slice_is_delivered_once)
{
	struct journal_batch *b;
	uint64_t before;

	sg_add(&g, 0, now() - HOUR);
	g.t[0].extra = "{\"id\":\"odd-1\",\"id\":\"odd-2\",\"title\":\"?\"}";
	start(1);
	wait_polls(0, 3);
	b = read_all();
	ck_assert_uint_eq(b->n, 2);
	ck_assert_int_eq(b->items[1].type, RECORD_UNREADABLE);
	journal_batch_free(b);
	ck_assert_uint_eq(figures(0).quarantined, 1);
	before = appends();
	wait_polls(0, 6);
	ck_assert_uint_eq(appends(), before);
}
END_TEST

/* Nor does somebody else's pass because it cannot be read. */
START_TEST(test_unreadable_and_foreign)
{
	static const char slice[] = "{\"id\":\"odd-1\",\"title\":\"secret\",\"tenantId\":"
				    "\"00000000-0000-4000-8000-000000000006\"}";
	uint64_t before;

	sg_add(&g, 0, now() - HOUR);
	g.t[0].extra = slice;
	start(1);
	wait_polls(0, 3);
	ck_assert_uint_eq(stored(), 1);
	ck_assert_uint_eq(figures(0).quarantined, 1);
	before = appends();
	wait_polls(0, 6);
	ck_assert_uint_eq(appends(), before);
}
END_TEST

static void
turn_clock(int64_t ms)
{
	ahead_ms += ms;
	(void)timers_run(env.timers);
}

/* ---- trouble ------------------------------------------------------------------------------- */

static const struct {
	const char *says;
	enum sg_mood mood;
	enum tenant_state state;
	int least_s, most_s; /* until the next try */
	const char *words;
	unsigned tokens; /* 0: any */
} troubles[] = {
	{ "401 for ever: one new token, then parked", SG_401, TENANT_REFUSED, 290, 370,
	    "fresh token", 2 },
	{ "403 with a new token, too: parked", SG_403, TENANT_NO_LICENCE, 290, 370, "licence", 2 },
	{ "403 without roles: what to grant", SG_NO_ROLES, TENANT_NOT_ONBOARDED, 290, 370,
	    "SecurityAlert.Read.All", 1 },
	{ "no consent: parked", SG_NO_CONSENT, TENANT_NOT_ONBOARDED, 290, 370, "", 1 },
	{ "a wrong secret: parked", SG_BAD_SECRET, TENANT_REFUSED, 290, 370, "", 1 },
	{ "429 waits as long as it is told", SG_429, TENANT_THROTTLED, 29, 37, "429", 0 },
	{ "429 without a word waits too", SG_429_SILENT, TENANT_THROTTLED, 9, 13, "429", 0 },
	{ "503 backs off", SG_503, TENANT_UNREACHABLE, 4, 7, "503", 0 },
	{ "500 backs off", SG_500, TENANT_UNREACHABLE, 4, 7, "500", 0 },
	{ "a web page is no page", SG_HTML, TENANT_GARBLED, 4, 7, "text/html", 0 },
	{ "206 is no page", SG_PARTIAL, TENANT_GARBLED, 4, 7, "partial", 0 },
	{ "204 is no page", SG_NOTHING, TENANT_GARBLED, 4, 7, "204", 0 },
	{ "value null is no page", SG_NO_VALUE, TENANT_GARBLED, 4, 7, "no page", 0 },
	{ "half a body is no page", SG_TORN, TENANT_GARBLED, 4, 7, "no page", 0 },
	{ "a redirect is not followed", SG_REDIRECT, TENANT_GARBLED, 4, 7, "evil.example", 0 },
	{ "a hanging server runs into the timeout", SG_HANG, TENANT_UNREACHABLE, 4, 7, "", 0 },
	{ "an empty page whose link leads elsewhere", SG_FOREIGN_LINK, TENANT_GARBLED, 4, 7, "link",
	    0 },
	{ "a link to itself", SG_LOOP, TENANT_GARBLED, 4, 7, "circle", 0 },
};

START_TEST(test_trouble)
{
	const struct intake_figures *fig;
	struct intake_figures all;
	unsigned reads;

	/* one of two, and the other one is well all the time */
	g.t[0].mood = troubles[_i].mood;
	sg_add(&g, 1, now() - HOUR);
	start(2);
	wait_state(0, troubles[_i].state);
	reads = g.t[0].reads;
	wait_polls(1, 4);
	all = figures(0);
	fig = &all;
	ck_assert_msg(fig->next_poll_ms >= troubles[_i].least_s * SEC - 3000 &&
			  fig->next_poll_ms <= troubles[_i].most_s * SEC,
	    "%s: next in %d ms", troubles[_i].says, (int)fig->next_poll_ms);
	ck_assert_msg(strstr(fig->trouble, troubles[_i].words) != NULL, "%s: %s", troubles[_i].says,
	    fig->trouble);
	ck_assert_msg(strstr(logged, "next try in") != NULL, "%s: %s", troubles[_i].says, logged);
	ck_assert_msg(troubles[_i].tokens == 0 || g.t[0].tokens == troubles[_i].tokens,
	    "%s: %u tokens", troubles[_i].says, g.t[0].tokens);
	ck_assert_msg(g.t[0].reads == reads, "%s: asked again at once", troubles[_i].says);
	ck_assert_uint_ge(fig->failures, 1);
	ck_assert_int_eq(fig->last_success, TICKS_NONE);
	ck_assert_ptr_null(strstr(logged, "sig-"));
	/* It is well again by itself, once what was wrong is mended. */
	g.t[0].mood = SG_WELL;
	turn_clock(troubles[_i].most_s * SEC);
	wait_state(0, TENANT_HEALTHY);
	ck_assert_str_eq(figures(0).trouble, "");
}
END_TEST

/* Of a tenant that was read once, what says "no consent" says more. */
START_TEST(test_consent_withdrawn)
{
	sg_add(&g, 0, now() - HOUR);
	start(1);
	wait_state(0, TENANT_HEALTHY);
	g.t[0].mood = SG_NO_ROLES;
	wait_state(0, TENANT_CONSENT_WITHDRAWN);
	turn_clock(370 * SEC);
	g.t[0].mood = SG_NO_CONSENT;
	wait_state(0, TENANT_CONSENT_WITHDRAWN);
}
END_TEST

/* Pages that never come hold no room: seven such would be three times what there is. */
START_TEST(test_the_hanging_do_not_stop_the_others)
{
	settings.request_timeout_ms = 60 * SEC;
	for (unsigned i = 0; i < SG_TENANTS; i++) {
		g.t[i].mood = i + 1 < SG_TENANTS ? SG_HANG : SG_WELL;
		tenants[i].page_size = 1000;
		tenants[i].poll_interval_ms = 500;
	}
	sg_add(&g, SG_TENANTS - 1, now() - HOUR);
	start(SG_TENANTS);
	wait_polls(SG_TENANTS - 1, 6);
	ck_assert_uint_eq(stored(), 1);
	for (unsigned i = 0; i + 1 < SG_TENANTS; i++)
		ck_assert_uint_eq(g.t[i].reads, 1);
}
END_TEST

START_TEST(test_401_once_renews_the_token)
{
	sg_add(&g, 0, now() - HOUR);
	g.t[0].mood = SG_401_ONCE;
	start(1);
	wait_polls(0, 2);
	ck_assert_uint_eq(g.t[0].tokens, 2);
	ck_assert_uint_eq(stored(), 1);
	ck_assert_int_eq(figures(0).state, TENANT_HEALTHY);
}
END_TEST

START_TEST(test_a_full_journal_pauses_polling)
{
	unsigned reads;

	start(1);
	wait_polls(0, 2);
	journal_mem_force(j, JOURNAL_PAUSED);
	wait_state(0, TENANT_PAUSED);
	sg_add(&g, 0, now() - HOUR);
	(void)run_until(never, NULL, 200);
	reads = g.t[0].reads;
	(void)run_until(never, NULL, 300);
	ck_assert_uint_eq(g.t[0].reads, reads);
	journal_mem_force(j, JOURNAL_OK);
	wait_state(0, TENANT_HEALTHY);
	wait_polls(0, figures(0).polls + 2);
	ck_assert_uint_eq(stored(), 1);
}
END_TEST

/* The journal says no to a page before it says that it is full. */
START_TEST(test_a_refused_page_is_read_again)
{
	start(1);
	wait_polls(0, 1);
	for (int i = 0; i < 35; i++)
		sg_add(&g, 0, now() - HOUR + i);
	journal_mem_force(j, JOURNAL_FAILED);
	(void)run_until(never, NULL, 1500);
	journal_mem_force(j, JOURNAL_OK);
	(void)run_until(never, NULL, 7000);
	ck_assert_uint_eq(stored(), 35);
	ck_assert_int_eq(figures(0).cursor, g.t[0].alerts[34].at);
}
END_TEST

/* ---- many, and changes --------------------------------------------------------------------- */

START_TEST(test_tenants_do_not_mix)
{
	for (unsigned i = 0; i < SG_TENANTS; i++) {
		for (int k = 0; k < 30; k++)
			sg_add(&g, i, now() - HOUR + k);
	}
	settings.max_requests = 2;
	start(SG_TENANTS);
	for (unsigned i = 0; i < SG_TENANTS; i++)
		wait_polls(i, 2);
	ck_assert_uint_eq(stored(), SG_TENANTS * 30);
}
END_TEST

START_TEST(test_a_rename_keeps_the_place)
{
	uint64_t before;

	sg_add(&g, 0, now() - HOUR);
	sg_add(&g, 1, now() - HOUR);
	start(2);
	wait_polls(0, 2);
	wait_polls(1, 2);
	before = figures(0).polls;
	free(tenants[0].name);
	tenants[0].name = xstrdup("renamed");
	tenants[0].log.name = tenants[0].name;
	start(1);
	ck_assert_str_eq(figures(0).tenant, "renamed");
	ck_assert_uint_eq(figures(0).polls, before);
	wait_polls(0, before + 2);
	ck_assert_uint_eq(stored(), 2);
}
END_TEST

struct once {
	bool is_done;
	size_t failed;
};

static void
on_once(void *arg, size_t failed)
{
	*(struct once *)arg = (struct once){ true, failed };
}

static bool
is_once_done(void *arg)
{
	return ((struct once *)arg)->is_done;
}

/* A journal that cannot be written, from the beginning or in the midst: it ends all the same. */
START_TEST(test_once_without_journal)
{
	struct once once = { .is_done = false };

	if (_i == 0) {
		journal_mem_force(j, JOURNAL_FAILED);
		(void)run_until(never, NULL, 1200);
	}
	g.t[0].mood = SG_HANG;
	settings.ntenants = 2;
	intake_configure(in, &settings);
	intake_once(in, on_once, &once);
	if (_i == 1) {
		(void)run_until(never, NULL, 50);
		journal_mem_force(j, JOURNAL_FAILED);
	}
	ck_assert(run_until(is_once_done, &once, 5000));
	ck_assert_uint_eq(once.failed, _i == 0 ? 2 : 1);
	journal_mem_force(j, JOURNAL_OK);
}
END_TEST

START_TEST(test_once)
{
	struct once once = { .is_done = false };
	unsigned reads;

	for (int k = 0; k < 35; k++)
		sg_add(&g, 0, now() - HOUR + k);
	g.t[1].mood = SG_503;
	g.t[2].mood = SG_401_ONCE;
	if (_i == 0)
		intake_once(in, on_once, &once);
	start(3);
	if (_i == 1)
		intake_once(in, on_once, &once);
	ck_assert(run_until(is_once_done, &once, 5000));
	ck_assert_uint_eq(once.failed, 1);
	ck_assert_uint_eq(stored(), 35);
	reads = g.t[0].reads + g.t[1].reads + g.t[2].reads;
	(void)run_until(never, NULL, 200);
	ck_assert_uint_eq(g.t[0].reads + g.t[1].reads + g.t[2].reads, reads);
}
END_TEST

static void
on_stopped(void *arg)
{
	*(bool *)arg = true;
}

static bool
is_true(void *arg)
{
	return *(bool *)arg;
}

START_TEST(test_stop)
{
	bool is_stopped = false;
	unsigned reads;

	g.t[0].mood = SG_HANG;
	for (int k = 0; k < 900; k++)
		sg_add(&g, 1, now() - HOUR + k);
	start(2);
	(void)run_until(never, NULL, 30 + 10 * _i);
	intake_stop(in, on_stopped, &is_stopped);
	ck_assert(!is_stopped);
	ck_assert(run_until(is_true, &is_stopped, 1000));
	reads = g.t[1].reads;
	(void)run_until(never, NULL, 100);
	ck_assert_uint_eq(g.t[1].reads, reads);
}
END_TEST

/* ---- late arrivals ------------------------------------------------------------------------- */

/* Half an hour late, an hour, a day: by which sweep they are found. */
static const struct {
	const char *says;
	int64_t late; /* ticks behind the cursor */
	int64_t turn_ms;
	uint64_t found;
} sweeps[] = {
	{ "inside the overlap: no sweep needed", HOUR / 12, 1000, 0 },
	{ "two hours late: found by the hourly sweep", HOUR, 3660 * SEC, 1 },
	{ "five hours late: not by the hourly sweep", 5 * HOUR, 3660 * SEC, 0 },
	{ "five hours late: found by the daily sweep", 5 * HOUR, 24 * 3660 * SEC, 1 },
	{ "from before the beginning: never", 26 * HOUR, 24 * 3660 * SEC, 0 },
};

START_TEST(test_sweep)
{
	int64_t cursor = now() - HOUR / 60;
	size_t before;
	uint64_t polls;

	for (int i = 0; i < 25; i++)
		sg_add(&g, 0, cursor - (24 - i) * TICKS_SEC);
	start(1);
	wait_polls(0, 2);
	before = stored();
	sg_add(&g, 0, cursor - sweeps[_i].late);
	turn_clock(sweeps[_i].turn_ms);
	polls = figures(0).polls;
	wait_polls(0, polls + 4);
	ck_assert_msg(figures(0).sweep_found == sweeps[_i].found, "%s: found %d", sweeps[_i].says,
	    (int)figures(0).sweep_found);
	ck_assert_msg(stored() == before + (sweeps[_i].found != 0 || sweeps[_i].late < HOUR / 6),
	    "%s: %zu", sweeps[_i].says, stored());
	ck_assert_int_eq(figures(0).state, TENANT_HEALTHY);
}
END_TEST

/* A daily sweep that was due while msspd was away is made up for within the hour. */
START_TEST(test_missed_daily_sweep)
{
	int64_t cursor = now() - HOUR / 60;

	sg_add(&g, 0, cursor);
	start(1);
	wait_polls(0, 2);
	turn_clock(24 * 3660 * SEC);
	wait_polls(0, figures(0).polls + 3);
	intake_free(in);
	in = intake_new(&env, f, ts, j);
	turn_clock(30 * 3600 * SEC);
	sg_add(&g, 0, cursor - 5 * HOUR);
	start(1);
	wait_polls(0, 2);
	ck_assert_uint_eq(figures(0).sweep_found, 0);
	turn_clock(3600 * SEC);
	wait_polls(0, figures(0).polls + 4);
	ck_assert_uint_eq(figures(0).sweep_found, 1);
}
END_TEST

/*
 * Whoever waited for the budget did not oversleep: a sweep that waits for each of its pages
 * must not put off the next live read. Time goes on to when something is due, never beyond.
 */
START_TEST(test_waiting_for_the_budget_is_no_sleep)
{
	int64_t end = now() + 2 * HOUR, at = now() - 2 * HOUR;

	for (int i = 0; i < 100; i++)
		sg_add(&g, 0, at + i * TICKS_SEC * 60);
	tenants[0].poll_interval_ms = 600 * SEC;
	tenants[0].budget_per_min = 6; /* one each 12 seconds */
	start(1);
	settings.ntenants = 100000; /* as many as may begin at once after a sleep */
	while (now() < end) {
		int64_t ms = figures(0).next_poll_ms;

		if (ms > 0)
			turn_clock(ms);
		(void)run_until(never, NULL, 2);
	}
	settings.ntenants = 1;
	ck_assert_uint_ge(figures(0).polls, 11);
	ck_assert_msg(figures(0).max_late_ms < 15 * SEC, "a live read came %d s late",
	    (int)(figures(0).max_late_ms / SEC));
}
END_TEST

static bool
has_failed(void *arg)
{
	(void)arg;
	return figures(0).failures != 0;
}

static bool
has_two_pages(void *arg)
{
	(void)arg;
	return appends() >= 2;
}

/* The page that comes again is the one that was refused, not the one that it links to. */
START_TEST(test_a_refused_page_of_a_chain_is_read_again)
{
	int64_t at = now() - 20 * HOUR;

	for (int i = 0; i < 1000; i++)
		sg_add(&g, 0, at + i * HOUR / 60);
	g.t[0].mood = SG_LINKS;
	start(1);
	ck_assert(run_until(has_two_pages, NULL, 3000));
	journal_mem_force(j, JOURNAL_FAILED);
	ck_assert(run_until(has_failed, NULL, 3000));
	journal_mem_force(j, JOURNAL_OK);
	turn_clock(7 * SEC);
	wait_polls(0, 2);
	ck_assert_uint_eq(stored(), 1000);
}
END_TEST

/* A clock that is far ahead somewhere on the way must not move the beginning behind all alerts. */
START_TEST(test_a_date_from_the_future_hides_nothing)
{
	g.t[0].head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		      "Date: Thu, 01 Jan 2099 00:00:00 GMT\r\n";
	sg_add(&g, 0, now() - HOUR);
	start(1);
	wait_polls(0, 1);
	g.t[0].head = NULL;
	sg_add(&g, 0, now() - HOUR / 60);
	wait_polls(0, figures(0).polls + 2);
	ck_assert_uint_eq(stored(), 2);
}
END_TEST

static bool
is_appended(void *arg)
{
	return *(bool *)arg;
}

static void
on_appended(void *arg, const struct journal_page *page, const struct journal_appended *result)
{
	(void)page;
	ck_assert(result->ok);
	*(bool *)arg = true;
}

/* What a salvaged journal does not hold any more is read again, although it was read before. */
START_TEST(test_a_salvaged_journal)
{
	int64_t cursor = now() - HOUR;
	struct journal_page back = { .reader = "live",
		.cursor = now() - 6 * HOUR,
		.memory_begin = TICKS_NONE,
		.window_from = TICKS_NONE };
	bool done = false;

	sg_add(&g, 0, cursor);
	start(1);
	wait_polls(0, 2);
	back.stream = journal_stream(j, streams[0].key, "");
	journal_append(j, &back, on_appended, &done);
	ck_assert(run_until(is_appended, &done, 2000));
	sg_add(&g, 0, now() - 5 * HOUR);
	wait_polls(0, figures(0).polls + 3);
	ck_assert_uint_eq(stored(), 1);
	intake_journal_salvaged(in);
	wait_polls(0, figures(0).polls + 3);
	ck_assert_uint_eq(stored(), 2);
	ck_assert_int_eq(figures(0).cursor, cursor);
	ck_assert_int_eq(figures(0).state, TENANT_HEALTHY);
}
END_TEST

/* What came while msspd was away is read from the place where it stopped. */
START_TEST(test_restart_goes_on)
{
	sg_add(&g, 0, now() - 23 * HOUR);
	start(1);
	wait_polls(0, 2);
	intake_free(in);
	in = intake_new(&env, f, ts, j);
	sg_add(&g, 0, now() - 22 * HOUR);
	tenants[0].first_lookback_ms = SEC;
	start(1);
	wait_polls(0, 1);
	ck_assert_uint_eq(stored(), 2);
}
END_TEST

/* ---- what waits for another stream ------------------------------------------------------ */

static const struct {
	const char *says;
	enum tenant_state state; /* of Graph's alerts */
	bool waits;              /* for the end of its read, however long that takes */
} waits[] = {
	{ "not read yet: it may have everything", TENANT_STARTING, true },
	{ "well: as far as it was read", TENANT_HEALTHY, true },
	{ "behind: its list is read to the end first", TENANT_BEHIND, true },
	{ "paused: nothing is stored of either", TENANT_PAUSED, true },
	{ "our clock is off: it is read", TENANT_CLOCK_OFF, true },
	{ "throttled: who knows how long", TENANT_THROTTLED, false },
	{ "unreachable: not waited for", TENANT_UNREACHABLE, false },
	{ "garbled: not waited for", TENANT_GARBLED, false },
	{ "no consent: not waited for", TENANT_CONSENT_WITHDRAWN, false },
};

START_TEST(test_what_is_waited_for)
{
	struct tenant t = { .mde_wait_ms = 900 * SEC };
	struct tenant_stream s = { .kind = &stream_kinds[STREAM_MDE_ALERTS] };
	struct intake i = { .env = &env };
	struct poller graph = { .state = waits[_i].state, .complete = now() - HOUR };
	struct tenancy tn = { .streams = { [STREAM_ALERTS] = &graph } };
	struct poller p = { .in = &i, .t = &t, .s = &s, .tn = &tn, .begin = now() - 24 * HOUR };
	int64_t limit = poller_limit(&p) + ticks_from_ms(900 * SEC);

	ck_assert_msg((limit < now() - HOUR / 2) == waits[_i].waits, "%s", waits[_i].says);
}
END_TEST

/* The one that is read keeps going, and the other one's place must not be forgotten meanwhile. */
static const struct {
	const char *says;
	int64_t graph, mde; /* ticks ago; TICKS_NONE: not read yet */
	int64_t from;       /* the memory that both share is kept */
} windows[] = {
	{ "both: from the one that is further back", HOUR, 50 * HOUR, 50 * HOUR },
	{ "the other way round, too", 50 * HOUR, HOUR, 50 * HOUR },
	{ "one that was never read has no place", TICKS_NONE, HOUR, HOUR },
	{ "nor has the other one", HOUR, TICKS_NONE, HOUR },
	{ "neither: nothing to say", TICKS_NONE, TICKS_NONE, TICKS_NONE },
};

static struct poller
read_until(struct tenancy *tn, enum stream which, int64_t at, int64_t ago)
{
	static struct tenant t;
	static struct tenant_stream s[STREAM_COUNT];

	s[which].kind = &stream_kinds[which];
	return (struct poller){ .t = &t,
		.s = &s[which],
		.tn = tn,
		.begin = at - 1000 * HOUR,
		.readers[READER_LIVE].cursor = ago == TICKS_NONE ? TICKS_NONE : at - ago };
}

START_TEST(test_shared_memory_is_kept_for_both)
{
	struct tenancy tn = { .key = NULL };
	int64_t at = now(), want = windows[_i].from;
	struct poller graph = read_until(&tn, STREAM_ALERTS, at, windows[_i].graph);
	struct poller mde = read_until(&tn, STREAM_MDE_ALERTS, at, windows[_i].mde);
	struct poller incidents = read_until(&tn, STREAM_INCIDENTS, at, 900 * HOUR);

	tn.streams[STREAM_ALERTS] = &graph;
	tn.streams[STREAM_MDE_ALERTS] = &mde;
	tn.streams[STREAM_INCIDENTS] = &incidents;
	if (want != TICKS_NONE)
		want = at - want;
	ck_assert_msg(reader_window(&graph) == want, "%s", windows[_i].says);
	ck_assert_msg(reader_window(&mde) == want, "%s", windows[_i].says);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("intake");
	TCase *tc = tcase_create("intake");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 40);
	tcase_add_test(tc, test_alerts_are_read_once);
	tcase_add_test(tc, test_what_a_request_says);
	tcase_add_test(tc, test_new_version_is_forwarded);
	tcase_add_test(tc, test_backlog_is_read_page_by_page);
	tcase_add_test(tc, test_a_page_on_one_stamp);
	tcase_add_test(tc, test_refused_order);
	tcase_add_test(tc, test_huge_page_is_halved);
	tcase_add_test(tc, test_stamps_of_the_future);
	tcase_add_test(tc, test_older_than_first_lookback_is_left_alone);
	tcase_add_test(tc, test_foreign_alert_is_shown_to_nobody);
	tcase_add_test(tc, test_an_answer_that_is_all_foreign);
	tcase_add_test(tc, test_unreadable_slice_is_delivered_once);
	tcase_add_test(tc, test_unreadable_and_foreign);
	tcase_add_test(tc, test_consent_withdrawn);
	tcase_add_loop_test(tc, test_trouble, 0, (int)ARRAY_LEN(troubles));
	tcase_add_test(tc, test_the_hanging_do_not_stop_the_others);
	tcase_add_test(tc, test_401_once_renews_the_token);
	tcase_add_test(tc, test_a_full_journal_pauses_polling);
	tcase_add_test(tc, test_a_refused_page_is_read_again);
	tcase_add_test(tc, test_a_refused_page_of_a_chain_is_read_again);
	tcase_add_test(tc, test_a_date_from_the_future_hides_nothing);
	tcase_add_test(tc, test_a_salvaged_journal);
	tcase_add_test(tc, test_tenants_do_not_mix);
	tcase_add_test(tc, test_a_rename_keeps_the_place);
	tcase_add_loop_test(tc, test_once, 0, 2);
	tcase_add_loop_test(tc, test_once_without_journal, 0, 2);
	tcase_add_loop_test(tc, test_stop, 0, 6);
	tcase_add_test(tc, test_restart_goes_on);
	tcase_add_loop_test(tc, test_sweep, 0, (int)ARRAY_LEN(sweeps));
	tcase_add_test(tc, test_missed_daily_sweep);
	tcase_add_loop_test(tc, test_what_is_waited_for, 0, (int)ARRAY_LEN(waits));
	tcase_add_loop_test(tc, test_shared_memory_is_kept_for_both, 0, (int)ARRAY_LEN(windows));
	tcase_add_test(tc, test_waiting_for_the_budget_is_no_sleep);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
