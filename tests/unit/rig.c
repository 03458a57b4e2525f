/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/rig.h"

#include <check.h>
#include <signal.h>
#include <stdlib.h>

#include <event2/event.h>

#include "daemon/clock.h"
#include "daemon/loop.h"
#include "daemon/resolve.h"
#include "daemon/timer.h"
#include "lib/base/alloc.h"
#include "lib/record/event.h"

/* ---- appending -------------------------------------------------------------------- */

struct page {
	struct journal_page page;
	struct rig *rig;
	uint32_t route[RIG_SINKS];
	size_t nroutes;
};

static enum journal_act
forward(const struct seen *was, struct journal_entry *e, const void *ctx)
{
	const struct page *p = ctx;

	(void)was;
	e->kind = was == NULL ? KIND_NEW : KIND_UPDATED;
	e->nroutes = (uint8_t)p->nroutes;
	for (size_t i = 0; i < p->nroutes; i++)
		e->route[i] = p->route[i];
	return JOURNAL_FORWARD;
}

static void
page_free(struct journal_page *page)
{
	struct page *p = (struct page *)page;

	for (size_t i = 0; i < page->n; i++) {
		free((char *)page->entries[i].id.s);
		free((void *)page->entries[i].body);
	}
	free(page->entries);
	p->rig->appending--;
	free(p);
}

static void
on_appended(void *arg, const struct journal_page *page, const struct journal_appended *result)
{
	(void)arg;
	ck_assert_msg(result->ok, "append: %s", result->err.text);
	ck_assert_uint_eq(result->forwarded, page->n);
}

static void
write_time(struct buf *b, const char *name, int64_t ticks)
{
	buf_printf(b, ",\"%s\":\"", name);
	ticks_write(b, ticks, 7);
	buf_byte(b, '"');
}

static void
fill_entry(struct journal_entry *e, const char *id, int64_t version, size_t size)
{
	struct buf b = BUF_INIT(1024 * 1024);
	int64_t at = TICKS_SEC * 1700000000 + version;

	buf_printf(&b, "{\"id\":\"%s\",\"title\":\"An alert\",\"severity\":\"high\"", id);
	write_time(&b, "lastUpdateDateTime", at);
	write_time(&b, "createdDateTime", TICKS_SEC * 1700000000);
	buf_puts(&b, ",\"description\":\"");
	for (size_t i = 0; i < size; i++)
		buf_byte(&b, (char)('a' + i % 26));
	buf_puts(&b, "\"}");
	*e = (struct journal_entry) {
		.id = { xstrdup(id), strlen(id) },
		.now = { .created = TICKS_SEC * 1700000000, .version = at },
		.type = RECORD_ALERT,
		.len = b.n,
	};
	e->body = buf_take(&b);
}

static struct page *
page_new(struct rig *r, size_t tenant, size_t n)
{
	struct page *p = xcalloc(1, sizeof(*p));

	p->rig = r;
	p->page = (struct journal_page) {
		.stream = r->streams[tenant],
		.reader = "live",
		.cursor = TICKS_NONE,
		.memory_begin = TICKS_NONE,
		.window_from = TICKS_NONE,
		.judge = forward,
		.ctx = p,
		.entries = xcalloc(n, sizeof(struct journal_entry)),
		.n = n,
		.is_full = true,
		.release = page_free,
	};
	for (size_t i = 0; i < r->nsinks; i++)
		p->route[p->nroutes++] = journal_sink(r->journal, r->sinks[i].name);
	r->appending++;
	return p;
}

void
rig_append(struct rig *r, size_t tenant, const char *id, int64_t version, size_t size)
{
	struct page *p = page_new(r, tenant, 1);

	fill_entry(&p->page.entries[0], id, version, size);
	journal_append(r->journal, &p->page, on_appended, r);
}

void
rig_append_many(struct rig *r, size_t tenant, const char *prefix, size_t nalerts, size_t n)
{
	char id[48];

	for (size_t done = 0, piece; done < n; done += piece) {
		struct page *p;

		piece = n - done < 200 ? n - done : 200;
		p = page_new(r, tenant, piece);
		for (size_t i = 0; i < piece; i++) {
			snprintf(id, sizeof(id), "%s%zu", prefix, (done + i) % nalerts);
			fill_entry(&p->page.entries[i], id, (int64_t)(done + i + 1), 100);
		}
		journal_append(r->journal, &p->page, on_appended, r);
	}
}

/* ---- running ------------------------------------------------------------------------ */

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

bool
rig_run(struct rig *r, int64_t ms, bool (*is_done)(void *arg), void *arg)
{
	const struct timeval often = { 0, 2000 };
	struct event *tick = event_new(r->env.base, -1, EV_PERSIST, on_tick, NULL);
	int64_t end = clock_mono(r->env.clock) + ms;
	bool done = false;

	(void)event_add(tick, &often);
	while (!done && clock_mono(r->env.clock) < end) {
		(void)event_base_loop(r->env.base, EVLOOP_ONCE);
		done = is_done != NULL && is_done(arg);
	}
	event_free(tick);
	return done;
}

static bool
is_idle(void *arg)
{
	struct rig *r = arg;

	return r->appending == 0 && delivery_is_idle(r->delivery);
}

bool
rig_run_idle(struct rig *r, int64_t ms)
{
	return rig_run(r, ms, is_idle, r);
}

static void
on_stopped(void *arg)
{
	struct rig *r = arg;

	ck_assert(!r->is_stopped); /* once */
	r->is_stopped = true;
}

static bool
is_stopped(void *arg)
{
	return ((struct rig *)arg)->is_stopped;
}

bool
rig_stop(struct rig *r, int64_t patience_ms)
{
	delivery_stop(r->delivery, patience_ms, on_stopped, r);
	ck_assert(!r->is_stopped); /* later */
	return rig_run(r, patience_ms + 500, is_stopped, r);
}

/* ---- figures ---------------------------------------------------------------------------- */

static struct journal_backlog
backlog_of(const struct rig *r, const char *sink)
{
	struct journal_backlog all[32];
	size_t n = journal_backlogs(r->journal, all, 32);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i].sink, sink) == 0)
			return all[i];
	}
	return (struct journal_backlog) { 0 };
}

uint64_t
rig_backlog(const struct rig *r, const char *sink)
{
	return backlog_of(r, sink).entries;
}

uint64_t
rig_dead(const struct rig *r, const char *sink)
{
	return backlog_of(r, sink).dead;
}

struct delivery_figures
rig_figures(const struct rig *r, const char *sink)
{
	struct delivery_figures all[RIG_SINKS];
	size_t n = delivery_figures(r->delivery, all, RIG_SINKS);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i].sink, sink) == 0)
			return all[i];
	}
	return (struct delivery_figures) { 0 };
}

/* ---- configuration ------------------------------------------------------------------------ */

void
rig_no_sinks(struct rig *r)
{
	r->nsinks = 0;
}

void
rig_sink(struct rig *r, const char *name, const struct sink_kind *kind, void *conf, const char *text)
{
	ck_assert_uint_lt(r->nsinks, RIG_SINKS);
	r->sinks[r->nsinks++] = (struct sink_conf) { .name = (char *)name, .kind = kind, .conf = conf,
		.text = (char *)text };
}

/* A settings of its own each time, as a reload makes it; never freed by its last unref. */
void
rig_apply(struct rig *r)
{
	struct settings *s = xcalloc(1, sizeof(*s));

	ck_assert_uint_lt(r->nsettings, 64);
	s->refs = 1;
	s->nsinks = r->nsinks;
	s->sinks = xmemdup(r->sinks, sizeof(r->sinks));
	r->settings[r->nsettings++] = s;
	delivery_configure(r->delivery, s);
}

/* ---- life ----------------------------------------------------------------------------------- */

static const struct origin *
origin_of(void *arg, uint32_t stream)
{
	struct rig *r = arg;

	for (size_t i = 0; i < RIG_TENANTS; i++) {
		if (r->streams[i] == stream)
			return r->origins[i];
	}
	ck_abort_msg("no stream %u", stream);
	return NULL;
}

static void
on_note(void *arg, enum journal_note note, enum journal_state state, const char *text)
{
	(void)arg;
	(void)note;
	(void)state;
	(void)text;
}

static void
make_tenants(struct rig *r)
{
	char name[16], id[48], key[80];

	for (int i = 0; i < RIG_TENANTS; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		snprintf(id, sizeof(id), "%08d-2222-3333-4444-555555555555", i);
		snprintf(key, sizeof(key), "global/%s/alerts", id);
		r->origins[i] = origin_new(&(struct origin) { .tenant_id = id, .tenant = name,
		    .customer = name, .customer_name = name, .cloud = (char *)"global",
		    .portal_host = (char *)"security.microsoft.com", .stream = (char *)"alerts",
		    .instance = (char *)"" });
		r->streams[i] = journal_stream(r->journal, key, "{}");
	}
}

void
rig_init(struct rig *r)
{
	struct err err = { 0 };

	*r = (struct rig) { .env = { .clock = &clock_system, .hostname = "testhost", .instance = "" } };
	signal(SIGPIPE, SIG_IGN);
	r->env.base = event_base_new();
	r->env.loop = loop_new(r->env.base);
	r->env.timers = timers_new(r->env.base, r->env.clock);
	r->env.resolver = resolver_new(r->env.base);
	r->journal = journal_open(&journal_mem, &(struct journal_opts) { .max_size = 1u << 30,
	    .remember_ms = 86400000, .keep_delivered_ms = 0, .forget_sink_ms = 86400000,
	    .clock = r->env.clock, .base = r->env.base }, on_note, r, &err);
	ck_assert_msg(r->journal != NULL, "%s", err.text);
	make_tenants(r);
	r->delivery = delivery_new(&r->env, r->journal, origin_of, r);
}

void
rig_release(struct rig *r)
{
	delivery_free(r->delivery);
	journal_close(r->journal);
	resolver_free(r->env.resolver);
	loop_free(r->env.loop);
	timers_free(r->env.timers);
	event_base_free(r->env.base);
	for (size_t i = 0; i < RIG_TENANTS; i++)
		origin_unref(r->origins[i]);
	for (size_t i = 0; i < r->nsettings; i++) {
		ck_assert_uint_eq(r->settings[i]->refs, 1); /* delivery gave all back */
		free(r->settings[i]->sinks);
		free(r->settings[i]);
	}
}
