/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_H
#define SIM_H

#include <check.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/delivery/sink.h"
#include "daemon/intake/poller.h"
#include "daemon/loop.h"
#include "lib/base/alloc.h"

/*
 * sim: the whole intake over a journal, with a clock that jumps to whatever is
 * due next, so that a year passes in seconds. In the place of HTTP there is a list
 * of alerts in this process, which shows each version when it is told to.
 *
 * In a header because what it defines (fetch.h's functions) must not reach other
 * tests.
 */
#define SIM_SEC      INT64_C(1000)
#define SIM_HOUR     (3600 * SIM_SEC)
#define SIM_DAY      (24 * SIM_HOUR)
#define SIM_EPOCH    (INT64_C(1770000000) * TICKS_SEC) /* of the wall clock at mono 0 */
#define SIM_VERSIONS 6

/* ---- the clock -------------------------------------------------------------------- */

static _Atomic int64_t sim_now = SIM_DAY; /* ms */

static int64_t
sim_mono(const struct clock *c)
{
	(void)c;
	return sim_now;
}

static int64_t
sim_wall(const struct clock *c)
{
	(void)c;
	return SIM_EPOCH + ticks_from_ms(sim_now);
}

static const struct clock sim_clock = { .mono = sim_mono, .wall = sim_wall };

static inline int64_t
sim_stamp(int64_t ms)
{
	return SIM_EPOCH + ticks_from_ms(ms);
}

/* ---- the world ---------------------------------------------------------------------- */

struct sim_version {
	int64_t at, visible; /* ms: its lastUpdateDateTime, and since when it is listed */
	bool is_foreign;     /* names another tenant */
	unsigned delivered;
	int kind;
};

struct sim_alert {
	int64_t created; /* ms */
	struct sim_version v[SIM_VERSIONS];
	unsigned n;
};

struct sim_world {
	struct sim_alert *a;
	size_t n, room;
	unsigned clamp; /* longest page that it gives, without a link; 0: any */
	bool is_failing_sweeps; /* HTTP 500 for what is bounded above or far back */
	void (*on_page)(struct sim_world *w, size_t last); /* while a full page goes out */
	uint64_t requests, strangers;
};

static struct sim_world sim_w;

static inline struct sim_alert *
sim_add(int64_t at, int64_t visible)
{
	struct sim_alert *a;

	if (sim_w.n == sim_w.room) {
		sim_w.room = sim_w.room != 0 ? sim_w.room * 2 : 64;
		sim_w.a = xreallocarray(sim_w.a, sim_w.room, sizeof(*sim_w.a));
	}
	a = &sim_w.a[sim_w.n++];
	*a = (struct sim_alert){ .created = at, .n = 1, .v = { { .at = at, .visible = visible } } };
	return a;
}

static inline void
sim_update(struct sim_alert *a, int64_t at, int64_t visible)
{
	if (a->n < SIM_VERSIONS)
		a->v[a->n++] = (struct sim_version){ .at = at, .visible = visible };
}

/* What is listed of it now; NULL: nothing. */
static inline struct sim_version *
sim_listed(struct sim_alert *a)
{
	struct sim_version *found = NULL;

	for (unsigned i = 0; i < a->n; i++) {
		if (a->v[i].visible <= sim_now && (found == NULL || a->v[i].at > found->at))
			found = &a->v[i];
	}
	return found;
}

/* ---- in the place of HTTP ------------------------------------------------------------- */

struct fetcher {
	const struct engine_env *env;
};

struct fetch {
	struct fetcher *f;
	struct fetch_req req;
	char *url;
};

static inline int64_t
bound_of(const char *url, const char *op, int64_t none)
{
	char *word = xasprintf("%%20%s%%20", op);
	const char *at = strstr(url, word);
	int64_t ticks = none;

	if (at != NULL) {
		at += strlen(word);
		ck_assert(ticks_parse((struct str){ at, strcspn(at, "&%") }, &ticks));
	}
	free(word);
	return ticks;
}

static inline int64_t
number_of(const char *url, const char *name, int64_t none)
{
	const char *at = strstr(url, name);

	return at != NULL ? strtoll(at + strlen(name), NULL, 10) : none;
}

struct sim_row {
	int64_t at;
	size_t i, v;
};

static inline int
compare_rows(const void *a, const void *b)
{
	const struct sim_row *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->i < y->i ? -1 : x->i > y->i;
}

static inline size_t
sim_rows(int64_t from, int64_t before, struct sim_row **out)
{
	struct sim_row *rows = xcalloc(sim_w.n + 1, sizeof(*rows));
	size_t n = 0;

	for (size_t i = 0; i < sim_w.n; i++) {
		const struct sim_version *v = sim_listed(&sim_w.a[i]);

		if (v != NULL && sim_stamp(v->at) >= from && sim_stamp(v->at) < before)
			rows[n++] = (struct sim_row){ v->at, i, (size_t)(v - sim_w.a[i].v) };
	}
	qsort(rows, n, sizeof(*rows), compare_rows);
	*out = rows;
	return n;
}

static inline void
write_alert(struct buf *b, const struct sim_row *r)
{
	const struct sim_alert *a = &sim_w.a[r->i];

	buf_printf(b,
	    "{\"id\":\"a%zu\",\"tenantId\":%s,\"title\":\"version %zu\","
	    "\"severity\":\"medium\","
	    "\"status\":\"new\",\"createdDateTime\":\"",
	    r->i, a->v[r->v].is_foreign ? "\"99999999-0000-4000-8000-000000000000\"" : "null", r->v);
	ticks_write(b, sim_stamp(a->created), 7);
	buf_puts(b, "\",\"lastUpdateDateTime\":\"");
	ticks_write(b, sim_stamp(r->at), 7);
	buf_puts(b, "\"}");
}

static inline void
write_page(struct buf *b, const char *url)
{
	size_t top = (size_t)number_of(url, "$top=", 200), n, first;
	struct sim_row *rows;
	size_t skip = (size_t)number_of(url, "$skip=", 0), end;

	n = sim_rows(bound_of(url, "ge", INT64_MIN), bound_of(url, "lt", INT64_MAX), &rows);
	if (sim_w.clamp != 0 && top > sim_w.clamp)
		top = sim_w.clamp;
	first = skip < n ? skip : n;
	end = n - first < top ? n : first + top;
	buf_puts(b, "{\"value\":[");
	for (size_t i = first; i < end; i++) {
		buf_puts(b, i > first ? "," : "");
		write_alert(b, &rows[i]);
	}
	buf_puts(b, "]}");
	if (end > first && end - first == top && sim_w.on_page != NULL)
		sim_w.on_page(&sim_w, rows[end - 1].i);
	free(rows);
}

static void
sim_answer(void *arg)
{
	struct fetch *x = arg;
	struct buf body = BUF_INIT(64 << 20);
	struct fetch_reply reply = { .status = 200,
		.retry_after_ms = -1,
		.server_date = sim_wall(NULL) / TICKS_SEC * TICKS_SEC,
		.content_type = "application/json" };

	if (x->req.post != NULL) {
		buf_puts(&body, "{\"token_type\":\"Bearer\",\"expires_in\":3599,"
				"\"access_token\":\"opaque\"}");
	} else {
		sim_w.requests++;
		if (sim_w.is_failing_sweeps && strstr(x->url, "ge") != NULL &&
		    sim_wall(NULL) - bound_of(x->url, "ge", 0) > ticks_from_ms(SIM_HOUR * 2))
			reply.status = 500;
		else
			write_page(&body, x->url);
	}
	if (x->req.on_body != NULL && reply.status == 200) {
		buf_str(x->req.on_body(x->req.arg), buf_peek(&body));
		ck_assert(x->req.on_more(x->req.arg));
		buf_clear(&body);
	}
	x->req.on_done(x->req.arg, &reply, buf_peek(&body));
	buf_release(&body);
	free(x->url);
	free(x);
}

struct fetcher *
fetcher_new(const struct engine_env *env)
{
	struct fetcher *f = xcalloc(1, sizeof(*f));

	f->env = env;
	return f;
}

void
fetcher_free(struct fetcher *f)
{
	free(f);
}

void
fetcher_refresh(struct fetcher *f)
{
	(void)f;
}

struct fetch *
fetch_start(struct fetcher *f, const struct fetch_req *req)
{
	struct fetch *x = xcalloc(1, sizeof(*x));

	x->f = f;
	x->req = *req;
	x->url = xstrdup(req->url);
	loop_defer(f->env->loop, sim_answer, x);
	return x;
}

void
fetch_cancel(struct fetch *x)
{
	if (x == NULL)
		return;
	loop_forget(x->f->env->loop, sim_answer, x);
	free(x->url);
	free(x);
}

/* ---- the intake over it ------------------------------------------------------------------ */

struct sim {
	struct engine_env env;
	struct fetcher *f;
	struct tokens *ts;
	struct journal *j;
	struct intake *in;
	const struct journal_engine *engine;
	struct app app;
	struct tenant tenant;
	struct tenant_stream stream;
	struct settings settings;
	char dir[40], secret[64];
	struct credential credential;
	uint32_t out;
	bool is_reading, has_more;
	uint64_t delivered, fresh, backfill;
};

static const struct sink_kind sim_kind = { .name = "test", .default_kinds = ~0u };
static const struct sink_conf sim_sink = { .name = (char *)"out", .kind = &sim_kind };
static const struct sink_conf *sim_sinks[] = { &sim_sink };

static void
sim_on_note(void *arg, enum journal_note note, enum journal_state state, const char *text)
{
	(void)arg;
	(void)note;
	(void)state;
	(void)text;
}

static inline void
sim_open(struct sim *s)
{
	const struct journal_opts opts = { .dir = s->dir,
		.max_size = 1u << 30,
		.remember_ms = s->settings.remember_ms,
		.clock = s->env.clock,
		.base = s->env.base,
		.forget_sink_ms = 30 * SIM_DAY };
	const char *names[] = { sim_sink.name };
	struct err err;

	s->env.timers = timers_new(NULL, &sim_clock);
	s->j = journal_open(s->engine, &opts, sim_on_note, NULL, &err);
	ck_assert_msg(s->j != NULL, "%s", err.text);
	journal_sinks_declare(s->j, names, 1);
	s->out = journal_sink(s->j, sim_sink.name);
	s->f = fetcher_new(&s->env);
	s->ts = tokens_new(&s->env, s->f);
	s->in = intake_new(&s->env, s->f, s->ts, s->j);
	s->is_reading = false;
	s->has_more = true;
	intake_configure(s->in, &s->settings);
}

static inline void
sim_close(struct sim *s)
{
	intake_free(s->in);
	tokens_free(s->ts);
	fetcher_free(s->f);
	journal_close(s->j);
	timers_free(s->env.timers);
}

static inline void
sim_write_secret(struct sim *s)
{
	FILE *file;

	(void)snprintf(s->secret, sizeof(s->secret), "%s/secret", s->dir);
	file = fopen(s->secret, "w");
	ck_assert_ptr_nonnull(file);
	(void)fputs("fake", file);
	(void)fclose(file);
	(void)chmod(s->secret, 0600);
	s->credential = (struct credential){ .kind = CREDENTIAL_SECRET, .file = s->secret };
}

static inline void
sim_init(struct sim *s, const struct journal_engine *engine)
{
	static char id[] = "00000000-0000-4000-8000-000000000001", key[] = "custom:x/1",
		    stream_key[] = "custom:x/1/alerts", url[] = "http://127.0.0.1:1", name[] = "t";

	*s = (struct sim){ .engine = engine, .dir = "/tmp/check_sim.XXXXXX" };
	ck_assert_ptr_nonnull(mkdtemp(s->dir));
	sim_write_secret(s);
	s->env = (struct engine_env){ .base = event_base_new(), .clock = &sim_clock };
	s->env.loop = loop_new(s->env.base);
	s->app = (struct app){ .name = (char *)"soc",
		.cloud = CLOUD_CUSTOM,
		.client_id = (char *)"6f0c8a5e-0000-4000-8000-000000000001",
		.credentials = &s->credential,
		.ncredentials = 1,
		.login_url = url,
		.graph_url = url,
		.resource = { url, url },
		.portal_url = url };
	s->tenant = (struct tenant){ .log = { "tenant", name },
		.name = name,
		.id = id,
		.app = &s->app,
		.key = key,
		.streams = &s->stream,
		.nstreams = 1,
		.sinks = sim_sinks,
		.nsinks = 1,
		.poll_interval_ms = 60 * SIM_SEC,
		.overlap_ms = 600 * SIM_SEC,
		.first_lookback_ms = SIM_DAY,
		.page_size = 20,
		.budget_per_min = 150 };
	s->stream = (struct tenant_stream){ .log = s->tenant.log,
		.kind = &stream_kinds[STREAM_ALERTS],
		.key = stream_key };
	s->tenant.origin = s->stream.origin = origin_new(&(struct origin){ .tenant_id = id,
	    .tenant = name,
	    .customer = name,
	    .customer_name = name,
	    .cloud = (char *)"custom",
	    .portal_host = (char *)"p",
	    .stream = (char *)"alerts",
	    .instance = (char *)"" });
	s->settings = (struct settings){ .refs = 1000,
		.max_requests = 64,
		.request_timeout_ms = 60 * SIM_SEC,
		.remember_ms = 190 * SIM_DAY,
		.max_body = 16 << 20,
		.tenants = &s->tenant,
		.ntenants = 1 };
	sim_open(s);
}

static inline void
sim_release(struct sim *s)
{
	char *command = xasprintf("rm -rf '%s'", s->dir);

	sim_close(s);
	loop_free(s->env.loop);
	event_base_free(s->env.base);
	origin_unref(s->stream.origin);
	ck_assert_int_eq(system(command), 0);
	free(command);
	free(sim_w.a);
	sim_w = (struct sim_world){ .n = 0 };
}

static inline struct poller *
sim_poller(const struct sim *s)
{
	return TAILQ_FIRST(&s->in->pollers);
}

/* ---- what was delivered -------------------------------------------------------------------- */

static inline struct sim_version *
sim_version_of(const struct journal_item *item)
{
	size_t i = item->id.n > 1 ? strtoul(item->id.s + 1, NULL, 10) : SIZE_MAX;

	if (item->id.s[0] != 'a' || i >= sim_w.n)
		return NULL;
	for (unsigned k = 0; k < sim_w.a[i].n; k++) {
		if (sim_stamp(sim_w.a[i].v[k].at) == item->version)
			return &sim_w.a[i].v[k];
	}
	return NULL;
}

static void
sim_on_read(void *arg, struct journal_batch *taken, const struct err *err)
{
	struct sim *s = arg;

	ck_assert_ptr_null(err);
	s->is_reading = false;
	s->has_more = taken->has_more || taken->n != 0;
	for (size_t i = 0; i < taken->n; i++) {
		const struct journal_item *item = &taken->items[i];
		struct sim_version *v = sim_version_of(item);
		struct journal_mark mark = { .pos = item->pos, .what = MARK_OK };

		s->delivered++;
		if (v != NULL) {
			v->delivered++;
			v->kind = item->kind;
		}
		sim_w.strangers += v == NULL;
		s->fresh += item->kind == KIND_NEW;
		s->backfill += (item->flags & JOURNAL_BACKFILL) != 0;
		journal_settle(s->j, s->out, &mark, 1);
	}
	journal_batch_free(taken);
}

/* Until nothing is on its way: what is due next is a timer. */
static inline void
sim_settle(struct sim *s)
{
	uint64_t forwarded = sim_poller(s)->figures.forwarded;

	for (;;) {
		const struct poller *p = sim_poller(s);

		if (p->figures.forwarded != forwarded)
			s->has_more = true;
		forwarded = p->figures.forwarded;
		if (p->at == POLLER_WAITING && s->has_more && !s->is_reading) {
			s->is_reading = true;
			journal_read(s->j, s->out, 1000, 1 << 20, sim_on_read, s);
		}
		if (p->at == POLLER_WAITING && !s->is_reading)
			return;
		(void)event_base_loop(s->env.base, EVLOOP_ONCE);
	}
}

/* Lets so much time pass. */
static inline void
sim_run(struct sim *s, int64_t ms)
{
	int64_t end = sim_now + ms, next;

	for (;;) {
		next = timers_run(s->env.timers);
		sim_settle(s);
		next = timers_run(s->env.timers);
		if (sim_poller(s)->at != POLLER_WAITING)
			continue;
		if (next < 0 || sim_now + next > end)
			break;
		sim_now = sim_now + next;
	}
	sim_now = end;
}

#endif
