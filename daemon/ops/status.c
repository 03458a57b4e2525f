/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "daemon/expiries.h"
#include "daemon/health/canaries.h"
#include "daemon/health/conditions.h"
#include "daemon/intake/streams.h"
#include "daemon/ops/chronicle.h"
#include "daemon/ops/ready.h"
#include "daemon/ops/status.h"
#include "lib/base/alloc.h"
#include "lib/base/version.h"
#include "lib/json/writer.h"

static void
put_text(struct jw *w, const char *key, const char *s)
{
	jw_plain_name(w, key);
	jw_text(w, s != NULL ? s : "");
}

static void
put_int(struct jw *w, const char *key, int64_t v)
{
	jw_plain_name(w, key);
	jw_int(w, v);
}

static void
put_count(struct jw *w, const char *key, uint64_t v)
{
	put_int(w, key, (int64_t)v);
}

static void
put_bool(struct jw *w, const char *key, bool v)
{
	jw_plain_name(w, key);
	jw_bool(w, v);
}

static void
put_moment(struct jw *w, const char *key, int64_t ticks)
{
	struct buf b = BUF_INIT(64);

	jw_plain_name(w, key);
	if (ticks == TICKS_NONE) {
		jw_null(w);
		return;
	}
	ticks_write(&b, ticks, 3);
	jw_str(w, buf_peek(&b));
	buf_release(&b);
}

static void
put_next_poll(struct jw *w, const struct intake_figures *f)
{
	if (!f->is_held) {
		put_int(w, "next_poll_ms", f->next_poll_ms);
		return;
	}
	jw_plain_name(w, "next_poll_ms");
	jw_null(w);
}

/* With the stream that has it, where a tenant has several. */
static void
put_trouble(struct jw *w, const struct intake_figures *f)
{
	char *whole;

	if (f->trouble[0] == '\0' || f->stream[0] == '\0') {
		put_text(w, "trouble", f->trouble);
		return;
	}
	whole = xasprintf("%s: %s", f->stream, f->trouble);
	put_text(w, "trouble", whole);
	free(whole);
}

static void
put_tenant(struct jw *w, const struct intake_figures *f)
{
	put_text(w, "tenant", f->tenant);
	put_text(w, "customer", f->customer);
	put_text(w, "customer_name", f->customer_name);
	put_text(w, "id", f->id);
	put_text(w, "stream", f->stream);
	put_text(w, "state", tenant_states[f->state].name);
	put_trouble(w, f);
	put_text(w, "level", health_level_names[tenant_states[f->state].level]);
	put_bool(w, "parked", f->is_parked);
	put_text(w, "do", f->remedy);
	put_moment(w, "since", f->since);
	put_moment(w, "last_success", f->last_success);
	put_moment(w, "complete", f->complete);
	put_moment(w, "cursor", f->cursor);
	put_next_poll(w, f);
	put_count(w, "polls", f->polls);
	put_count(w, "pages", f->pages);
	put_count(w, "alerts", f->alerts);
	put_count(w, "repeats", f->repeats);
	put_count(w, "forwarded", f->forwarded);
	put_count(w, "throttled", f->throttled);
	put_count(w, "failures", f->failures);
	put_count(w, "quarantined", f->quarantined);
	put_count(w, "sweep_found", f->sweep_found);
	put_count(w, "gaps", f->gaps);
	put_int(w, "max_late_ms", f->max_late_ms);
}

static void
put_stream(struct jw *w, const struct intake_figures *f)
{
	jw_object(w);
	put_text(w, "stream", f->stream);
	put_text(w, "state", tenant_states[f->state].name);
	put_text(w, "trouble", f->trouble);
	put_moment(w, "since", f->since);
	put_moment(w, "last_success", f->last_success);
	put_moment(w, "cursor", f->cursor);
	put_next_poll(w, f);
	put_count(w, "pages", f->pages);
	put_count(w, "forwarded", f->forwarded);
	jw_object_end(w);
}

/* The streams stand in the order of their tenants. */
static void
put_tenants(struct jw *w, const struct engine_view *v)
{
	size_t max = v->settings->ntenants, at = 0;
	struct intake_figures *f = xcalloc(max, sizeof(*f));
	struct intake_figures *s = xcalloc(max * STREAM_COUNT, sizeof(*s));
	size_t n = intake_figures(v->intake, f, max);
	size_t nstreams = intake_stream_figures(v->intake, s, max * STREAM_COUNT);

	jw_array(w);
	for (size_t i = 0; i < n; i++) {
		jw_object(w);
		put_tenant(w, &f[i]);
		jw_plain_name(w, "streams");
		jw_array(w);
		for (; at < nstreams && s[at].id == f[i].id; at++)
			put_stream(w, &s[at]);
		jw_array_end(w);
		jw_object_end(w);
	}
	jw_array_end(w);
	free(f);
	free(s);
}

static const char *
remedy_of(enum link_condition link, bool is_over_backlog)
{
	if (is_over_backlog)
		return "More waited than its backlog allows. It keeps the oldest entries; when it "
		       "has taken them, what it missed is read from Microsoft again, by itself.";
	return link_conditions[link].remedy;
}

static void
put_backlog(struct jw *w, const struct journal_backlog *b, enum link_condition link)
{
	put_count(w, "backlog", b->entries);
	put_count(w, "backlog_bytes", b->bytes);
	put_moment(w, "oldest", b->oldest);
	put_count(w, "dead_letters", b->dead);
	put_bool(w, "over_backlog", b->is_parked);
	put_text(w, "do", remedy_of(link, b->is_parked));
}

static enum link_condition
condition_of(const struct delivery_figures *f)
{
	return link_condition(f->is_parked, f->is_held, f->link);
}

static void
put_sink(struct jw *w, const struct delivery_figures *f)
{
	put_text(w, "sink", f->sink);
	put_text(w, "type", f->kind);
	put_text(w, "link", link_conditions[condition_of(f)].name);
	put_bool(w, "pauses_polling", f->pauses_polling);
	put_text(w, "trouble", f->trouble);
	put_moment(w, "trouble_since", f->trouble_since);
	put_int(w, "next_try_ms", f->next_try_ms);
	put_count(w, "accepted", f->accepted);
	put_count(w, "retried", f->retried);
	put_count(w, "rejected", f->rejected);
	put_count(w, "in_flight", f->in_flight);
	put_moment(w, "last_accepted", f->last_accepted);
}

/* null: it gets none. */
static void
put_canary(struct jw *w, const struct canaries *c, const char *sink)
{
	struct canary_figures f;

	jw_plain_name(w, "canary");
	if (!canaries_figures(c, sink, &f)) {
		jw_null(w);
		return;
	}
	jw_object(w);
	put_text(w, "state", f.state);
	put_bool(w, "ok", f.is_well);
	put_text(w, "what", f.what);
	put_int(w, "interval_ms", f.interval_ms);
	put_int(w, "within_ms", f.within_ms);
	put_moment(w, "open_since", f.open_since);
	put_moment(w, "last_accepted", f.last_accepted);
	put_int(w, "took_ms", f.took_ms);
	put_count(w, "made", f.made);
	put_count(w, "accepted", f.accepted);
	jw_object_end(w);
}

static void
put_leaver(struct jw *w, const struct journal_backlog *b)
{
	jw_object(w);
	put_text(w, "sink", b->sink);
	put_text(w, "link", link_conditions[LINK_GONE].name);
	put_moment(w, "since", b->undeclared_since);
	put_backlog(w, b, LINK_GONE);
	jw_object_end(w);
}

/* Sinks that are configured, then those that left entries behind. */
static void
put_sinks(struct jw *w, const struct engine_view *v)
{
	size_t max = v->settings->nsinks;
	struct delivery_figures *f = xcalloc(max, sizeof(*f));
	struct journal_backlog logs[1024];
	size_t n = delivery_figures(v->delivery, f, max);
	size_t nlogs = journal_backlogs(v->journal, logs, ARRAY_LEN(logs));

	jw_array(w);
	for (size_t i = 0; i < n; i++) {
		jw_object(w);
		put_sink(w, &f[i]);
		put_canary(w, v->canaries, f[i].sink);
		for (size_t k = 0; k < nlogs; k++) {
			if (strcmp(logs[k].sink, f[i].sink) == 0)
				put_backlog(w, &logs[k], condition_of(&f[i]));
		}
		jw_object_end(w);
	}
	for (size_t k = 0; k < nlogs; k++) {
		if (!logs[k].is_declared && logs[k].entries != 0)
			put_leaver(w, &logs[k]);
	}
	jw_array_end(w);
	free(f);
}

static void
put_journal(struct jw *w, const struct journal *j)
{
	struct journal_stats st;

	journal_stats(j, &st);
	jw_object(w);
	put_text(w, "state", journal_conditions[st.state].name);
	put_count(w, "bytes", st.file_bytes);
	put_count(w, "max_bytes", st.max_bytes);
	put_count(w, "entries", st.entries);
	put_count(w, "remembered", st.remembered);
	put_count(w, "quarantine", st.quarantine);
	put_count(w, "dead_letters", st.dead);
	put_count(w, "gaps", st.gaps);
	put_moment(w, "oldest_open", st.oldest_open);
	put_text(w, "do", journal_conditions[st.state].remedy);
	jw_object_end(w);
}

/* Can it do its work, and if not, why. */
static void
put_ready(struct jw *w, const struct engine *e)
{
	struct buf why = BUF_INIT(4096);

	put_bool(w, "ready", ready_is(e, &why));
	jw_plain_name(w, "not_ready");
	jw_array(w);
	for (const char *at = buf_peek(&why).s, *end; *at != '\0'; at = end + 1) {
		end = strchr(at, '\n');
		jw_str(w, (struct str) { at, (size_t)(end - at) });
	}
	jw_array_end(w);
	buf_release(&why);
}

/* The newest first. */
static void
put_recent(struct jw *w, const struct engine_view *v)
{
	struct chronicle_event e;

	jw_array(w);
	for (size_t i = 0; v->chronicle != NULL && chronicle_at(v->chronicle, i, &e); i++) {
		jw_object(w);
		put_moment(w, "at", e.at);
		put_text(w, "level", log_level_word(e.level));
		put_text(w, "kind", e.kind);
		put_text(w, "name", e.name);
		put_text(w, "text", e.text);
		jw_object_end(w);
	}
	jw_array_end(w);
}

/* The first to end first. */
static void
put_expiries(struct jw *w, const struct engine_view *v)
{
	static const char *const stages[] = { "far", "month", "week", "day", "over" };
	size_t i = 0;

	jw_array(w);
	for (const struct expiry *e = expiries_at(v->expiries, i); e != NULL;
	     e = expiries_at(v->expiries, ++i)) {
		jw_object(w);
		put_text(w, "kind", e->kind);
		put_text(w, "name", e->name);
		put_text(w, "what", e->what);
		put_text(w, "remedy", e->remedy);
		put_moment(w, "ends", e->ends);
		put_int(w, "days", expiry_days(v->now, e->ends));
		put_text(w, "stage", stages[expiry_stage(v->now, e->ends)]);
		jw_object_end(w);
	}
	jw_array_end(w);
}

void
status_write(struct buf *out, const struct engine *e)
{
	struct engine_view v;
	struct jw writer, *w = &writer;

	engine_view(e, &v);
	jw_init(w, out);
	jw_object(w);
	put_text(w, "version", msspd_version);
	put_text(w, "instance", v.settings->instance);
	put_ready(w, e);
	put_text(w, "config", v.settings->file);
	put_moment(w, "now", v.now);
	put_moment(w, "started", v.started);
	put_moment(w, "reloaded", v.reloaded);
	put_text(w, "reload_error", v.reload_error);
	jw_plain_name(w, "journal");
	put_journal(w, v.journal);
	jw_plain_name(w, "tenants");
	put_tenants(w, &v);
	jw_plain_name(w, "sinks");
	put_sinks(w, &v);
	jw_plain_name(w, "expiries");
	put_expiries(w, &v);
	jw_plain_name(w, "recent");
	put_recent(w, &v);
	jw_object_end(w);
}
