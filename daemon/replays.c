/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/replays.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/intake/streams.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "lib/config/unit.h"

#define DAY (INT64_C(86400) * TICKS_SEC)

/* ---- moments --------------------------------------------------------------- */

bool
replays_day(const char *text, int64_t *ticks)
{
	char moment[32];

	if (strlen(text) != 10)
		return false;
	snprintf(moment, sizeof(moment), "%.10sT00:00:00Z", text);
	return ticks_parse(str_of(moment), ticks);
}

bool
replays_moment(const char *text, int64_t now, int64_t *ticks, struct err *err)
{
	int64_t ms;

	if (strcmp(text, "now") == 0) {
		*ticks = now;
		return true;
	}
	if (ticks_parse(str_of(text), ticks) || replays_day(text, ticks))
		return true;
	if (!unit_time(str_of(text), &ms) || ms > INT64_C(86400000) * 36500)
		return err_set(err, ERR_CONF, "\"%.60s\" is no time; write one like 2026-11-01, "
		    "2026-11-01T08:00:00Z, or 36h for so long ago", text);
	*ticks = now - ticks_from_ms(ms);
	return true;
}

/* ---- what is asked for ------------------------------------------------------- */

static bool
check_sink(const struct settings *s, const struct tenant *t, const char *name, struct err *err)
{
	if (name == NULL || tenant_sink(t, name) != NULL)
		return true;
	if (settings_sink(s, name) == NULL)
		return err_set(err, ERR_CONF, "there is no sink \"%.80s\"", name);
	return err_set(err, ERR_CONF, "tenant %s is not routed to sink %s, so that sink must not "
	    "be shown its alerts", t->name, name);
}

static bool
read_times(const struct replay_ask *ask, int64_t now, struct journal_period *p, struct err *err)
{
	const char *to = ask->to != NULL ? ask->to : "now";

	if (!replays_moment(ask->from, now, &p->from, err) || !replays_moment(to, now, &p->to, err))
		return false;
	if (p->from >= p->to)
		return err_set(err, ERR_CONF, "the time ends before it begins");
	if (p->to > now)
		return err_set(err, ERR_CONF, "the time ends in the future");
	/* An hour of grace for who counts the days by hand. */
	return p->from >= now - REPLAYS_DAYS * DAY - DAY / 24
	    || err_set(err, ERR_CONF, "the time begins more than %d days ago: Microsoft keeps "
	    "alerts for so long", REPLAYS_DAYS);
}

/* A stream before it has the same place in the journal, and the same periods. */
static bool
is_shared(const struct tenant *t, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (strcmp(t->streams[k].key, t->streams[i].key) == 0)
			return true;
	}
	return false;
}

bool
replays_ask(struct journal *j, const struct settings *s, const struct replay_ask *ask, int64_t now,
    uint64_t out[REPLAYS_MOST], size_t *n, struct err *err)
{
	const struct tenant *t = settings_tenant(s, ask->tenant);
	struct journal_period p = { .at = TICKS_NONE, .made = now };

	*n = 0;
	if (t == NULL)
		return err_set(err, ERR_CONF, "there is no tenant \"%.80s\"", ask->tenant);
	if (t->nsinks == 0)
		return err_set(err, ERR_CONF, "tenant %s is routed to no sink", t->name);
	if (!check_sink(s, t, ask->sink, err) || !read_times(ask, now, &p, err))
		return false;
	p.flags = ask->is_all ? JOURNAL_PERIOD_ALL : 0;
	p.sink = ask->sink != NULL ? journal_sink(j, ask->sink) : 0;
	for (size_t i = 0; i < t->nstreams && i < REPLAYS_MOST; i++) {
		char *about;

		if (is_shared(t, i))
			continue;
		about = origin_about(t->streams[i].origin);

		p.stream = journal_stream(j, t->streams[i].key, about);
		free(about);
		out[(*n)++] = journal_period_add(j, &p);
	}
	return true;
}

/* ---- new sinks ----------------------------------------------------------------- */

struct wanted {
	struct journal_period *v;
	size_t n;
};

static void
want_stream(struct journal *j, const struct tenant *t, const struct tenant_stream *st,
    struct journal_period p, struct wanted *out)
{
	struct journal_cursor c;
	char *about = origin_about(st->origin);

	p.stream = journal_stream(j, st->key, about);
	free(about);
	if (!journal_cursor(j, p.stream, st->kind->live, &c))
		p.to -= ticks_from_ms(t->first_lookback_ms);
	if (p.from >= p.to)
		return;
	out->v = xreallocarray(out->v, out->n + 1, sizeof(*out->v));
	out->v[out->n++] = p;
}

static void
want_tenant(struct journal *j, const struct tenant *t, const char *sink,
    const struct journal_period *p, struct wanted *out)
{
	for (size_t i = 0; i < t->nstreams && tenant_sink(t, sink) != NULL; i++) {
		if (!is_shared(t, i))
			want_stream(j, t, &t->streams[i], *p, out);
	}
}

static void
add_sink(struct journal *j, const struct settings *s, const struct sink_conf *sink, int64_t now)
{
	struct journal_period p = { .to = now, .at = TICKS_NONE, .made = now,
		.flags = JOURNAL_PERIOD_ALL | JOURNAL_PERIOD_GAP };
	struct log_ctx log = { "sink", sink->name };
	struct wanted wanted = { NULL, 0 };
	struct err err = { 0 };

	if (!replays_moment(sink->from, now, &p.from, &err)) {
		log_error(&log, "from: %s", err.text);
		return;
	}
	if (p.from < now - REPLAYS_DAYS * DAY)
		p.from = now - REPLAYS_DAYS * DAY;
	for (size_t i = 0; i < s->ntenants && p.from < now; i++)
		want_tenant(j, &s->tenants[i], sink->name, &p, &wanted);
	if (wanted.n > 0)
		log_info(&log, "is new, and gets what came since %s", sink->from);
	(void)journal_sink_since(j, sink->name, wanted.v, wanted.n);
	free(wanted.v);
}

void
replays_of_new_sinks(struct journal *j, const struct settings *s, int64_t now)
{
	for (size_t i = 0; i < s->nsinks; i++) {
		const struct sink_conf *sink = &s->sinks[i];

		if (sink->from != NULL && !journal_sink_is_known(j, sink->name))
			add_sink(j, s, sink, now);
	}
}

/* ---- sinks that lost what they had ------------------------------------------------ */

/* What was listed late was updated a little before it was delivered. */
static void
begin_earlier(const struct settings *s, const char *sink, struct wanted *w)
{
	int64_t most = 0;

	for (size_t i = 0; i < s->ntenants; i++) {
		if (tenant_sink(&s->tenants[i], sink) != NULL && s->tenants[i].overlap_ms > most)
			most = s->tenants[i].overlap_ms;
	}
	for (size_t i = 0; i < w->n; i++)
		w->v[i].from -= ticks_from_ms(most);
}

bool
replays_resend(struct journal *j, const struct settings *s, const char *sink, const char *from,
    int64_t now, size_t *n, struct err *err)
{
	struct replay_ask ask = { .from = from };
	struct journal_period p = { .at = TICKS_NONE, .made = now,
		.flags = JOURNAL_PERIOD_ALL | JOURNAL_PERIOD_GAP };
	struct wanted wanted = { NULL, 0 };

	if (settings_sink(s, sink) == NULL)
		return err_set(err, ERR_CONF, "there is no sink \"%.80s\"", sink);
	if (!read_times(&ask, now, &p, err))
		return false;
	for (size_t i = 0; i < s->ntenants; i++)
		want_tenant(j, &s->tenants[i], sink, &p, &wanted);
	*n = wanted.n;
	if (wanted.n == 0)
		return err_set(err, ERR_CONF, "no tenant is routed to sink %s that was read before "
		    "that time", sink);
	begin_earlier(s, sink, &wanted);
	journal_sink_resend(j, journal_sink(j, sink), wanted.v, wanted.n);
	free(wanted.v);
	return true;
}
