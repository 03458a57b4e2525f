#include <stdlib.h>

#include "daemon/expiries.h"
#include "daemon/intake/streams.h"
#include "daemon/ops/moment.h"
#include "daemon/ops/chronicle.h"
#include "daemon/ops/ready.h"
#include "daemon/ops/status.h"
#include "lib/base/alloc.h"
#include "lib/base/version.h"

/* Names come from the configuration, which is UTF-8; texts may have been cut. */
static json_t *
text(const char *s)
{
	json_t *v = json_string(s != NULL ? s : "");

	return v != NULL ? v : json_string("?");
}

static void
set(json_t *o, const char *key, json_t *v)
{
	json_object_set_new(o, key, v);
}

static void
set_count(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

/* With the stream that has it, where a tenant has several. */
static void
set_trouble(json_t *o, const struct intake_figures *f)
{
	char *whole;

	if (f->trouble[0] == '\0' || f->stream[0] == '\0') {
		set(o, "trouble", text(f->trouble));
		return;
	}
	whole = xasprintf("%s: %s", f->stream, f->trouble);
	set(o, "trouble", text(whole));
	free(whole);
}

static json_t *
tenant_object(const struct intake_figures *f)
{
	json_t *o = json_object();

	set(o, "tenant", text(f->tenant));
	set(o, "customer", text(f->customer));
	set(o, "customer_name", text(f->customer_name));
	set(o, "id", text(f->id));
	set(o, "stream", text(f->stream));
	set(o, "state", text(tenant_states[f->state].name));
	set_trouble(o, f);
	set(o, "level", text(health_level_names[tenant_states[f->state].level]));
	set(o, "parked", json_boolean(f->is_parked));
	set(o, "do", text(tenant_states[f->state].remedy));
	set(o, "since", moment(f->since));
	set(o, "last_success", moment(f->last_success));
	set(o, "complete", moment(f->complete));
	set(o, "cursor", moment(f->cursor));
	set(o, "next_poll_ms", json_integer(f->next_poll_ms));
	set_count(o, "polls", f->polls);
	set_count(o, "pages", f->pages);
	set_count(o, "alerts", f->alerts);
	set_count(o, "repeats", f->repeats);
	set_count(o, "forwarded", f->forwarded);
	set_count(o, "throttled", f->throttled);
	set_count(o, "failures", f->failures);
	set_count(o, "quarantined", f->quarantined);
	set_count(o, "sweep_found", f->sweep_found);
	set_count(o, "gaps", f->gaps);
	set(o, "max_late_ms", json_integer(f->max_late_ms));
	return o;
}

static json_t *
stream_object(const struct intake_figures *f)
{
	json_t *o = json_object();

	set(o, "stream", text(f->stream));
	set(o, "state", text(tenant_states[f->state].name));
	set(o, "trouble", text(f->trouble));
	set(o, "since", moment(f->since));
	set(o, "last_success", moment(f->last_success));
	set(o, "cursor", moment(f->cursor));
	set(o, "next_poll_ms", json_integer(f->next_poll_ms));
	set_count(o, "pages", f->pages);
	set_count(o, "forwarded", f->forwarded);
	return o;
}

/* The streams stand in the order of their tenants. */
static json_t *
tenants_array(const struct engine_view *v)
{
	size_t max = v->settings->ntenants, at = 0;
	struct intake_figures *f = xcalloc(max, sizeof(*f));
	struct intake_figures *s = xcalloc(max * STREAM_COUNT, sizeof(*s));
	size_t n = intake_figures(v->intake, f, max);
	size_t nstreams = intake_stream_figures(v->intake, s, max * STREAM_COUNT);
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *o = tenant_object(&f[i]), *streams = json_array();

		for (; at < nstreams && s[at].id == f[i].id; at++)
			json_array_append_new(streams, stream_object(&s[at]));
		set(o, "streams", streams);
		json_array_append_new(a, o);
	}
	free(f);
	free(s);
	return a;
}

/* What a person can do about a sink, by the word for its link. */
static const struct {
	const char *link, *remedy;
} remedies[] = {
	{ "down", "Look at the receiver and at the way to it. Nothing is lost: what waits is kept "
		  "and sent when it is up again." },
	{ "refused", "Look at the certificates and names of both sides. Nothing is lost: what "
		     "waits is kept and sent when it is accepted." },
	{ "parked", "Mend what the reason names: a folder, a file, a right. What waits is kept." },
	{ "not configured", "Nothing, if it left on purpose: what waits for it is let go after "
			    "forget_after. If not, configure it again by the same name." },
};

static const char *
remedy_of(const char *link, bool is_over_backlog)
{
	if (is_over_backlog)
		return "More waited than its backlog allows. It keeps the oldest entries; when it "
		       "has taken them, what it missed is read from Microsoft again, by itself.";
	for (size_t i = 0; i < ARRAY_LEN(remedies); i++) {
		if (strcmp(remedies[i].link, link) == 0)
			return remedies[i].remedy;
	}
	return "";
}

static const char *
link_word(const struct delivery_figures *f)
{
	if (f->is_parked)
		return "parked";
	if (f->is_held)
		return "paused";
	switch (f->link) {
	case SINK_UP:
		return "up";
	case SINK_DOWN:
		return "down";
	case SINK_REFUSED:
		return "refused";
	}
	return "?";
}

static void
add_backlog(json_t *o, const struct journal_backlog *b)
{
	set_count(o, "backlog", b->entries);
	set_count(o, "backlog_bytes", b->bytes);
	set(o, "oldest", moment(b->oldest));
	set_count(o, "dead_letters", b->dead);
	set(o, "over_backlog", json_boolean(b->is_parked));
	set(o, "do", text(remedy_of(json_string_value(json_object_get(o, "link")), b->is_parked)));
}

static json_t *
sink_object(const struct delivery_figures *f)
{
	json_t *o = json_object();

	set(o, "sink", text(f->sink));
	set(o, "type", text(f->kind));
	set(o, "link", text(link_word(f)));
	set(o, "pauses_polling", json_boolean(f->pauses_polling));
	set(o, "trouble", text(f->trouble));
	set(o, "trouble_since", moment(f->trouble_since));
	set(o, "next_try_ms", json_integer(f->next_try_ms));
	set_count(o, "accepted", f->accepted);
	set_count(o, "retried", f->retried);
	set_count(o, "rejected", f->rejected);
	set_count(o, "in_flight", f->in_flight);
	set(o, "last_accepted", moment(f->last_accepted));
	return o;
}

/* Sinks that are configured, then those that left entries behind. */
static json_t *
sinks_array(const struct engine_view *v)
{
	size_t max = v->settings->nsinks;
	struct delivery_figures *f = xcalloc(max, sizeof(*f));
	struct journal_backlog logs[1024];
	size_t n = delivery_figures(v->delivery, f, max);
	size_t nlogs = journal_backlogs(v->journal, logs, ARRAY_LEN(logs));
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *o = sink_object(&f[i]);

		for (size_t k = 0; k < nlogs; k++) {
			if (strcmp(logs[k].sink, f[i].sink) == 0)
				add_backlog(o, &logs[k]);
		}
		json_array_append_new(a, o);
	}
	for (size_t k = 0; k < nlogs; k++) {
		json_t *o;

		if (logs[k].is_declared || logs[k].entries == 0)
			continue;
		o = json_object();
		set(o, "sink", text(logs[k].sink));
		set(o, "link", text("not configured"));
		set(o, "since", moment(logs[k].undeclared_since));
		add_backlog(o, &logs[k]);
		json_array_append_new(a, o);
	}
	free(f);
	return a;
}

static json_t *
journal_object(const struct journal *j)
{
	static const char *const states[] = { "ok", "paused", "failed" };
	static const char *const todo[] = { "",
		"See to it that the sinks take their backlog, or give the journal more room "
		"(journal.max_size): nothing is read meanwhile.",
		"Look at the disk of state_dir: room, rights, errors. It is tried again by itself." };
	struct journal_stats st;
	json_t *o = json_object();

	journal_stats(j, &st);
	set(o, "state", text(states[st.state]));
	set_count(o, "bytes", st.file_bytes);
	set_count(o, "max_bytes", st.max_bytes);
	set_count(o, "entries", st.entries);
	set_count(o, "remembered", st.remembered);
	set_count(o, "quarantine", st.quarantine);
	set_count(o, "dead_letters", st.dead);
	set_count(o, "gaps", st.gaps);
	set(o, "oldest_open", moment(st.oldest_open));
	set(o, "do", text(todo[st.state]));
	return o;
}

/* Can it do its work, and if not, why. */
static void
set_ready(json_t *o, const struct engine *e)
{
	struct buf why = BUF_INIT(4096);
	json_t *reasons = json_array();
	bool is_ready = ready_is(e, &why);

	for (const char *at = buf_peek(&why).s, *end; *at != '\0'; at = end + 1) {
		end = strchr(at, '\n');
		json_array_append_new(reasons, json_stringn(at, (size_t)(end - at)));
	}
	set(o, "ready", json_boolean(is_ready));
	set(o, "not_ready", reasons);
	buf_release(&why);
}

/* The newest first. */
static json_t *
recent_array(const struct engine_view *v)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };
	struct chronicle_event e;
	json_t *a = json_array();

	for (size_t i = 0; v->chronicle != NULL && chronicle_at(v->chronicle, i, &e); i++) {
		json_t *o = json_object();

		set(o, "at", moment(e.at));
		set(o, "level", text(levels[e.level]));
		set(o, "kind", text(e.kind));
		set(o, "name", text(e.name));
		set(o, "text", text(e.text));
		json_array_append_new(a, o);
	}
	return a;
}

/* The first to end first. */
static json_t *
expiries_array(const struct engine_view *v)
{
	static const char *const stages[] = { "far", "month", "week", "day", "over" };
	json_t *a = json_array();
	size_t i = 0;

	for (const struct expiry *e = expiries_at(v->expiries, i); e != NULL;
	     e = expiries_at(v->expiries, ++i)) {
		json_t *o = json_object();

		set(o, "kind", text(e->kind));
		set(o, "name", text(e->name));
		set(o, "what", text(e->what));
		set(o, "remedy", text(e->remedy));
		set(o, "ends", moment(e->ends));
		set(o, "days", json_integer(expiry_days(v->now, e->ends)));
		set(o, "stage", text(stages[expiry_stage(v->now, e->ends)]));
		json_array_append_new(a, o);
	}
	return a;
}

json_t *
status_object(const struct engine *e)
{
	struct engine_view v;
	json_t *o = json_object();

	engine_view(e, &v);
	set(o, "version", text(msspd_version));
	set(o, "instance", text(v.settings->instance));
	set_ready(o, e);
	set(o, "config", text(v.settings->file));
	set(o, "now", moment(v.now));
	set(o, "started", moment(v.started));
	set(o, "reloaded", moment(v.reloaded));
	set(o, "reload_error", text(v.reload_error));
	set(o, "journal", journal_object(v.journal));
	set(o, "tenants", tenants_array(&v));
	set(o, "sinks", sinks_array(&v));
	set(o, "expiries", expiries_array(&v));
	set(o, "recent", recent_array(&v));
	return o;
}
