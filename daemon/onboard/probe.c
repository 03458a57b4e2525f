/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/onboard/probe.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "daemon/intake/graph.h"
#include "daemon/intake/state.h"
#include "daemon/loop.h"
#include "daemon/onboard/probe_parts.h"
#include "lib/base/alloc.h"
#include "lib/config/url.h"
#include "lib/policy/no_proxy.h"

const char *const probe_outcomes[] = { "ok", "failed", "skipped" };

/* ---- steps ---------------------------------------------------------------------- */

static void
add_step(struct probe *p, const char *name, enum probe_outcome outcome, int status, char *taken_text,
    char *taken_todo)
{
	BUG_IF(p->nsteps == PROBE_STEPS_MAX);
	p->steps[p->nsteps++] =
	    (struct probe_step){ name, outcome, taken_text, taken_todo, status };
	p->moved(p->arg);
}

void
probe_ok(struct probe *p, const char *name, char *taken_text)
{
	add_step(p, name, PROBE_OK, 0, taken_text, xstrdup(""));
}

void
probe_advise(struct probe *p, const char *name, char *taken_text, char *taken_todo)
{
	add_step(p, name, PROBE_OK, 0, taken_text, taken_todo);
}

void
probe_skip(struct probe *p, const char *name, char *taken_text)
{
	add_step(p, name, PROBE_SKIPPED, 0, taken_text, xstrdup(""));
}

void
probe_fail(struct probe *p, const char *name, int status, char *taken_text, char *taken_todo)
{
	add_step(p, name, PROBE_FAILED, status, taken_text, taken_todo);
}

/* By what kind of trouble the daemon would call it. */
static int
status_of(enum tenant_state state)
{
	switch (state) {
	case TENANT_BLOCKED:
	case TENANT_NO_LICENCE:
	case TENANT_NOT_ONBOARDED:
	case TENANT_CONSENT_WITHDRAWN:
		return EX_NOPERM;
	case TENANT_WRONG_CLOUD:
	case TENANT_REFUSED:
		return EX_CONFIG;
	case TENANT_UNREACHABLE:
		return EX_UNAVAILABLE;
	case TENANT_GARBLED:
		return EX_PROTOCOL;
	case TENANT_STARTING:
	case TENANT_HEALTHY:
	case TENANT_BEHIND:
	case TENANT_PAUSED:
	case TENANT_THROTTLED:
	case TENANT_CLOCK_OFF:
	case TENANT_NOT_READ:
	case TENANT_STATES:
		return EX_TEMPFAIL;
	}
	return EX_TEMPFAIL;
}

void
probe_fail_as(struct probe *p, const char *name, enum tenant_state state, char *taken_text)
{
	probe_fail(p, name, status_of(state), taken_text, xstrdup(tenant_states[state].remedy));
}

/* ---- names -------------------------------------------------------------------------- */

static bool
is_proxied(const struct probe *p, const struct probe_host *h)
{
	const struct proxy_conf *proxy = &p->t->app->proxy;

	return proxy->url != NULL && !no_proxy_covers(proxy->no_proxy.v, proxy->no_proxy.n, h->name);
}

static void
name_on_resolved(void *arg, const struct addrinfo *ai, const struct err *err)
{
	struct probe *p = arg;
	struct probe_host *h = &p->hosts[p->now.index];
	char address[INET6_ADDRSTRLEN] = "";
	size_t n = 0;

	p->resolving = NULL;
	h->is_bad = ai == NULL;
	if (ai == NULL) {
		probe_fail(p, "name", EX_UNAVAILABLE, xstrdup(err->text),
		    xasprintf("Look at the DNS of this machine: getent ahosts %s; /etc/resolv.conf; a "
			      "firewall that stops port 53. Behind a proxy that resolves names, set "
			      "proxy.",
			h->name));
		probe_next(p);
		return;
	}
	(void)getnameinfo(ai->ai_addr, ai->ai_addrlen, address, sizeof(address), NULL, 0,
	    NI_NUMERICHOST);
	for (const struct addrinfo *a = ai; a != NULL; a = a->ai_next)
		n++;
	probe_ok(p, "name",
	    strcmp(address, h->name) == 0
		? xasprintf("%s is an address", h->name)
		: xasprintf("%s is %s%s", h->name, address, n > 1 ? " and others" : ""));
	probe_next(p);
}

static void
try_name(struct probe *p, size_t index)
{
	struct probe_host *h = &p->hosts[index];

	if (is_proxied(p, h)) {
		probe_ok(p, "name", xasprintf("%s is left to the proxy %s", h->name,
		    p->t->app->proxy.url));
		probe_next(p);
		return;
	}
	p->resolving = resolve_start(p->needs.env->resolver, h->name, h->port, SOCK_STREAM,
	    name_on_resolved, p);
}

/* ---- TLS ------------------------------------------------------------------------------ */

static void
say_connected(struct probe *p, const struct probe_host *h)
{
	const char *ca = p->t->app->ca_file;

	if (!h->is_https)
		probe_ok(p, "TLS", xasprintf("%s answers by plain http, on this machine", h->name));
	else
		probe_ok(p, "TLS", xasprintf("%s answers, its certificate is good by %s", h->name,
		    ca != NULL ? ca : "the system's authorities"));
}

static void
tls_on_done(void *arg, const struct fetch_reply *reply, struct str body)
{
	struct probe *p = arg;
	struct probe_host *h = &p->hosts[p->now.index];

	(void)body;
	p->fetch = NULL;
	probe_note_date(p, reply->server_date);
	h->is_bad = reply->status == 0 && !reply->is_too_large;
	if (!h->is_bad)
		say_connected(p, h);
	else if (reply->is_refused_tls)
		probe_fail(p, "TLS", EX_UNAVAILABLE, xstrdup(reply->err.text),
		    xasprintf("Find out who is between this machine and %s. Where your network "
			      "inspects TLS and that is meant, write the authority that it signs with "
			      "(PEM) to a file and name it as ca_file of app %s.",
			h->name, p->t->app->name));
	else
		probe_fail_as(p, "TLS", TENANT_UNREACHABLE, xstrdup(reply->err.text));
	probe_next(p);
}

/* Any answer to a bare request shows that the way there is good. */
static void
try_tls(struct probe *p, size_t index)
{
	struct probe_host *h = &p->hosts[index];
	char *url;

	if (h->is_bad) {
		probe_skip(p, "TLS", xasprintf("%s has no address", h->name));
		probe_next(p);
		return;
	}
	url = xasprintf("%s/", h->base);
	p->fetch = probe_get(p, url, NULL, NULL, NULL, tls_on_done);
	free(url);
}

/* ---- the clock ---------------------------------------------------------------------------- */

/* The answer that is off the most is told of. */
void
probe_note_date(struct probe *p, int64_t date)
{
	int64_t off = state_clock_off(date, p->began, clock_wall(p->needs.env->clock));

	p->has_date |= date != TICKS_NONE;
	if (llabs(off) > llabs(p->clock_off_sec))
		p->clock_off_sec = off;
}

static void
try_clock(struct probe *p, size_t index)
{
	int64_t off = p->clock_off_sec;

	(void)index;
	if (!p->has_date)
		probe_skip(p, "clock", xstrdup("no answer showed Microsoft's time"));
	else if (off == 0)
		probe_ok(p, "clock", xasprintf("within %d s of Microsoft's", CLOCK_OFF_SEC));
	else
		probe_fail_as(p, "clock", TENANT_CLOCK_OFF,
		    xasprintf("the clock of this machine is %" PRId64 " s %s Microsoft's",
			off > 0 ? off : -off, off > 0 ? "behind" : "ahead of"));
	probe_next(p);
}

/* ---- the sinks ------------------------------------------------------------------------------ */

/* Where a sink leads, out of its canonical text; absent for a kind without a place. */
static struct str
place_of(const struct sink_conf *s)
{
	static const char *const places[] = { "\nservers: ", "\nserver: ", "\nbrokers: ", "\npath: " };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const char *at = strstr(s->text, places[i]);

		if (at != NULL) {
			at += strlen(places[i]);
			return (struct str){ at, strcspn(at, "\n") };
		}
	}
	return (struct str){ NULL, 0 };
}

/* As people write it: without the brackets of a list and the quotes. */
static char *
plain_place(const struct sink_conf *s)
{
	struct str place = place_of(s);
	bool is_list = place.n > 1 && place.s[0] == '[';
	struct buf out = BUF_INIT(place.n + 64);

	for (size_t i = is_list; i < place.n - is_list; i++) {
		if (place.s[i] != '"')
			buf_add(&out, place.s + i, 1);
	}
	return buf_take(&out);
}

/* Nothing is sent to them, and so no more is said than where they lead. */
static void
name_sinks(struct probe *p, size_t index)
{
	(void)index;
	if (p->t->nsinks == 0)
		probe_ok(p, "sinks", xstrdup("nowhere: sinks: [] is written, and meant"));
	for (size_t i = 0; i < p->t->nsinks; i++) {
		const struct sink_conf *s = p->t->sinks[i];
		char *place = plain_place(s);

		probe_ok(p, "sinks",
		    xasprintf("%s%s%s%s; msspctl test-sink %s tries the way to it", s->name,
			place[0] != '\0' ? ", " : "", place,
			s->match != NULL ? ", what its match takes" : "", s->name));
		free(place);
	}
	probe_next(p);
}

/* ---- one after the other ---------------------------------------------------------------------- */

static void
add_task(struct probe *p, void (*run)(struct probe *p, size_t index), size_t index)
{
	BUG_IF(p->ntasks == PROBE_TASKS_MAX);
	p->tasks[p->ntasks++] = (struct probe_task){ run, index };
}

static void
run_next(void *arg)
{
	struct probe *p = arg;

	if (p->next == p->ntasks) {
		p->is_over = true;
		p->moved(p->arg);
		return;
	}
	p->now = p->tasks[p->next++];
	p->began = clock_wall(p->needs.env->clock);
	p->now.run(p, p->now.index);
}

void
probe_next(struct probe *p)
{
	loop_defer(p->needs.env->loop, run_next, p);
}

/* Each host once: the login service and an API may be one, in tests. */
static size_t
add_host(struct probe *p, const char *base)
{
	struct probe_host h = { .base = base };
	struct err err;
	struct url u;

	BUG_IF(!url_split(str_of(base), &u, &err));
	h.name = xstrndup(u.host.s, u.host.n);
	h.port = xasprintf("%u", u.port);
	h.is_https = u.is_https;
	for (size_t i = 0; i < p->nhosts; i++) {
		const struct probe_host *known = &p->hosts[i];

		if (strcmp(known->name, h.name) == 0 && strcmp(known->port, h.port) == 0 &&
		    known->is_https == h.is_https) {
			free(h.name);
			free(h.port);
			return i;
		}
	}
	p->hosts[p->nhosts] = h;
	return p->nhosts++;
}

static void
plan(struct probe *p)
{
	bool is_used[API_COUNT] = { false };

	p->login = add_host(p, p->t->app->login_url);
	for (size_t i = 0; i < p->t->nstreams; i++) {
		enum api api = p->t->streams[i].kind->api;

		is_used[api] = true;
		p->apis[api].host = add_host(p, api_url(p->t->app, api));
	}
	for (size_t i = 0; i < p->nhosts; i++)
		add_task(p, try_name, i);
	for (size_t i = 0; i < p->nhosts; i++)
		add_task(p, try_tls, i);
	for (size_t api = 0; api < API_COUNT; api++) {
		if (!is_used[api])
			continue;
		add_task(p, probe_try_token, api);
		for (size_t i = 0; i < p->t->nstreams; i++) {
			if (p->t->streams[i].kind->api != api)
				continue;
			add_task(p, probe_try_role, i);
			add_task(p, probe_try_read, i);
		}
	}
	add_task(p, try_clock, 0);
	add_task(p, name_sinks, 0);
}

struct probe *
probe_start(const struct probe_needs *needs, const struct tenant *t, void (*moved)(void *arg),
    void *arg)
{
	struct probe *p = xcalloc(1, sizeof(*p));

	p->needs = *needs;
	p->t = t;
	p->moved = moved;
	p->arg = arg;
	plan(p);
	probe_next(p);
	return p;
}

void
probe_free(struct probe *p)
{
	if (p == NULL)
		return;
	loop_forget(p->needs.env->loop, run_next, p);
	if (p->resolving != NULL)
		resolve_cancel(p->resolving);
	if (p->fetch != NULL)
		fetch_cancel(p->fetch);
	probe_reading_release(p);
	for (size_t i = 0; i < p->nhosts; i++) {
		free(p->hosts[i].name);
		free(p->hosts[i].port);
	}
	for (size_t i = 0; i < p->nsteps; i++) {
		free(p->steps[i].text);
		free(p->steps[i].todo);
	}
	free(p);
}

const struct tenant *
probe_tenant(const struct probe *p)
{
	return p->t;
}

bool
probe_is_over(const struct probe *p)
{
	return p->is_over;
}

const struct probe_step *
probe_step(const struct probe *p, size_t i)
{
	return i < p->nsteps ? &p->steps[i] : NULL;
}

int
probe_status(const struct probe *p)
{
	int worst = 0;

	for (size_t i = 0; i < p->nsteps; i++) {
		if (p->steps[i].status > worst)
			worst = p->steps[i].status;
	}
	return worst;
}
