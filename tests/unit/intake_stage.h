/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INTAKE_STAGE_H
#define INTAKE_STAGE_H

#include <check.h>
#include <dirent.h>
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
#include "tests/unit/kept_log.h"
#include "tests/unit/small_graph.h"

/*
 * intake_stage: an intake with a journal in memory, its log, and a small Graph that it reads, under a
 * clock that a test turns. One a program, and of the program; setup() and teardown() are its fixture.
 */
#define HOUR (3600 * TICKS_SEC)
#define SEC  1000

static const struct sink_kind everything = { .name = "test", .default_kinds = ~0u };
static const struct sink_conf sink = { .name = (char *)"out", .kind = &everything };
static const struct sink_conf *sinks[] = { &sink };

/* The machine's clock, and as far ahead of it as a test turns it. The machine was switched on an
 * hour before: what falls due at points of that clock (sweeps) does so at the same point of a test,
 * whenever it runs. */
static int64_t ahead_ms;

static inline int64_t
turned_mono(const struct clock *c)
{
	static int64_t on = -1;
	int64_t ms = clock_mono(&clock_system);

	(void)c;
	if (on < 0)
		on = ms - 3600 * SEC;
	return ms - on + ahead_ms;
}

static inline int64_t
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
static const struct journal_engine *engine = &journal_mem;
static struct intake *in;
static struct small_graph g;
static struct app app;
static struct tenant tenants[SG_TENANTS];
static struct tenant_stream streams[SG_TENANTS];
static struct settings settings;
static char dir[] = "/tmp/check_intake.XXXXXX", secret[64], url[128];
static const struct credential secrets[] = { { .kind = CREDENTIAL_SECRET, .file = secret } };
static uint32_t out;

static inline void
on_note(void *arg, enum journal_note note, enum journal_state state, const char *text)
{
	(void)arg;
	(void)text;
	if (note == JOURNAL_NOTE_STATE && in != NULL)
		intake_journal_state(in, state);
}

static inline void
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

static inline void
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

static inline void
free_tenant(struct tenant *t)
{
	free(t->name);
	free(t->id);
	free(t->key);
	free(t->streams->key);
	origin_unref(t->streams->origin);
}

static inline void
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

	j = journal_open(engine, &opts, on_note, NULL, &err);
	ck_assert_msg(j != NULL, "%s", err.text);
	journal_sinks_declare(j, names, 1);
	out = journal_sink(j, sink.name);
}

static inline void
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

/* Of an engine that has files. */
static inline void
remove_journal(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char name[400];

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL) {
		(void)snprintf(name, sizeof(name), "%s/%s", dir, e->d_name);
		(void)unlink(name);
	}
	closedir(d);
}

static inline void
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
	remove_journal();
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
static inline bool
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

static inline bool
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

static inline bool
is_in_state(void *arg)
{
	const struct wanted *w = arg;

	return figures(w->tenant).state == w->state;
}

static inline bool
has_polled(void *arg)
{
	const struct wanted *w = arg;

	return figures(w->tenant).polls >= w->polls &&
	       figures(w->tenant).last_success != TICKS_NONE;
}

static inline void
wait_state(unsigned tenant, enum tenant_state state)
{
	struct wanted w = { .tenant = tenant, .state = state };

	ck_assert_msg(run_until(is_in_state, &w, 5000), "tenant %u is %s: %s\n%s", tenant,
	    tenant_states[figures(tenant).state].name, figures(tenant).trouble, logged);
}

static inline void
wait_polls(unsigned tenant, uint64_t polls)
{
	struct wanted w = { .tenant = tenant, .polls = polls };

	ck_assert_msg(run_until(has_polled, &w, 5000), "tenant %u is %s: %s\n%s", tenant,
	    tenant_states[figures(tenant).state].name, figures(tenant).trouble, logged);
}

struct answer {
	struct journal_batch *batch;
};

static inline void
on_read(void *arg, struct journal_batch *taken, const struct err *err)
{
	ck_assert_ptr_null(err);
	((struct answer *)arg)->batch = taken;
}

static inline bool
has_batch(void *arg)
{
	return ((struct answer *)arg)->batch != NULL;
}

/* Everything for the sink, from the beginning. The caller frees it. */
static inline struct journal_batch *
read_all(void)
{
	struct answer a = { NULL };

	journal_rewind(j, out);
	journal_read(j, out, 100000, 1u << 30, on_read, &a);
	ck_assert(run_until(has_batch, &a, 2000));
	return a.batch;
}

static inline size_t
stored(void)
{
	struct journal_batch *b = read_all();
	size_t n = b->n;

	journal_batch_free(b);
	return n;
}

static inline uint64_t
appends(void)
{
	struct journal_stats s;

	journal_stats(j, &s);
	return s.appends;
}

static inline void
start(size_t n)
{
	settings.ntenants = n;
	intake_configure(in, &settings);
}

static inline int64_t
now(void)
{
	return clock_wall(env.clock);
}

static inline void
turn_clock(int64_t ms)
{
	ahead_ms += ms;
	(void)timers_run(env.timers);
}

#endif
