/* SPDX-License-Identifier: Apache-2.0 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine.h"
#include "daemon/notify.h"
#include "daemon/pulse.h"
#include "lib/base/alloc.h"

/* How often the line is written anew. */
#define LINE_EVERY_MS 10000

struct pulse {
	const struct engine *engine;
	struct event *alive, *look; /* alive: NULL where there is no watchdog */
	char line[200];
};

static size_t
troubled_tenants(const struct engine_view *v)
{
	struct intake_figures *f = xcalloc(v->settings->ntenants, sizeof(*f));
	size_t n = intake_figures(v->intake, f, v->settings->ntenants), bad = 0;

	for (size_t i = 0; i < n; i++)
		bad += f[i].state > TENANT_PAUSED;
	free(f);
	return bad;
}

static size_t
troubled_sinks(const struct engine_view *v)
{
	struct delivery_figures *f = xcalloc(v->settings->nsinks, sizeof(*f));
	size_t n = delivery_figures(v->delivery, f, v->settings->nsinks), bad = 0;

	for (size_t i = 0; i < n; i++)
		bad += f[i].trouble[0] != '\0';
	free(f);
	return bad;
}

static const char *
plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void
write_line(char *out, size_t size, const struct engine_view *v)
{
	static const char *const journal[] = { "", "; the journal is full, no new alerts are taken",
		"; the journal cannot be written" };
	size_t tenants = troubled_tenants(v), sinks = troubled_sinks(v);
	struct journal_stats st;
	char trouble[64] = "";

	if (tenants != 0 || sinks != 0)
		snprintf(trouble, sizeof(trouble), "; in trouble: %zu tenant%s, %zu sink%s", tenants,
		    plural(tenants), sinks, plural(sinks));
	journal_stats(v->journal, &st);
	snprintf(out, size, "Reading %zu tenant%s into %zu sink%s%s%s%s", v->settings->ntenants,
	    plural(v->settings->ntenants), v->settings->nsinks, plural(v->settings->nsinks), trouble,
	    journal[st.state],
	    v->reload_error[0] != '\0' ? "; the last reload failed, see the log" : "");
}

/* True: it has changed. */
static bool
pulse_renew(struct pulse *p)
{
	struct engine_view view;
	char line[sizeof(p->line)];

	engine_view(p->engine, &view);
	write_line(line, sizeof(line), &view);
	if (strcmp(line, p->line) == 0)
		return false;
	memcpy(p->line, line, sizeof(line));
	return true;
}

static void
on_alive(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	notify_alive();
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct pulse *p = arg;

	(void)fd;
	(void)what;
	if (pulse_renew(p))
		notify_status(p->line);
}

static struct event *
every(struct event_base *base, int64_t ms, event_callback_fn fn, void *arg)
{
	struct event *ev = event_new(base, -1, EV_PERSIST, fn, arg);
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (ev != NULL)
		event_add(ev, &tv);
	return ev;
}

struct pulse *
pulse_start(struct event_base *base, const struct engine *e)
{
	struct pulse *p = xcalloc(1, sizeof(*p));
	int64_t watchdog_ms = notify_watchdog_ms();

	p->engine = e;
	if (watchdog_ms > 1)
		p->alive = every(base, watchdog_ms / 2, on_alive, p);
	p->look = every(base, LINE_EVERY_MS, on_look, p);
	pulse_ready(p);
	return p;
}

void
pulse_ready(struct pulse *p)
{
	pulse_renew(p);
	notify_ready(p->line);
}

void
pulse_stop(struct pulse *p)
{
	if (p == NULL)
		return;
	if (p->alive != NULL)
		event_free(p->alive);
	if (p->look != NULL)
		event_free(p->look);
	free(p);
}
