/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/metrics.h"

#include "daemon/expiries.h"
#include "daemon/health/conditions.h"
#include "daemon/intake/fetch.h"
#include "daemon/ops/exposition.h"
#include "daemon/ops/metrics_rows.h"
#include "lib/base/version.h"

struct metric;
typedef void metric_writer(struct buf *out, const struct metric *m, const struct facts *f);

enum metric_of { OF_DAEMON, OF_TENANT, OF_SINK, OF_OTHERS };

/* Of others: what writes it; else the place of the number in the row. */
struct metric {
	const char *name;
	enum exposition_type type;
	enum metric_of of;
	bool is_ms;
	size_t off;
	metric_writer *write;
	const char *labels; /* of others, for the manual */
	const char *help;
};

/* ---- those that are more than a number a row ---------------------------------------- */

static void
write_build(struct buf *out, const struct metric *m, const struct facts *f)
{
	struct buf labels = BUF_INIT(1024);

	exposition_label(&labels, "version", msspd_version);
	exposition_label(&labels, "instance_name",
	    f->view.settings->instance != NULL ? f->view.settings->instance : "");
	exposition_number(out, m->name, buf_peek(&labels), 1);
	buf_release(&labels);
}

/* One sample for each word, with how many are that. */
static void
write_counts(
    struct buf *out, const struct metric *m, const char *label, const char *word, int64_t n)
{
	struct buf labels = BUF_INIT(1024);

	exposition_label(&labels, label, word);
	exposition_number(out, m->name, buf_peek(&labels), n);
	buf_release(&labels);
}

static void
write_tenants(struct buf *out, const struct metric *m, const struct facts *f)
{
	int64_t n[TENANT_STATES] = { 0 };

	for (size_t i = 0; i < f->nintake; i++)
		n[f->intake[i].state]++;
	for (int s = 0; s < TENANT_STATES; s++)
		write_counts(out, m, "state", tenant_states[s].name, n[s]);
}

static void
write_sinks(struct buf *out, const struct metric *m, const struct facts *f)
{
	int64_t n[LINK_CONDITIONS] = { 0 };

	for (size_t i = 0; i < f->ndelivery; i++) {
		const struct delivery_figures *d = &f->delivery[i];

		n[link_condition(d->is_parked, d->is_held, d->link)]++;
	}
	for (size_t i = 0; i < ARRAY_LEN(n); i++)
		write_counts(out, m, "link", link_conditions[i].name, n[i]);
}

static void
write_journal_state(struct buf *out, const struct metric *m, const struct facts *f)
{
	for (size_t i = 0; i < ARRAY_LEN(journal_conditions); i++)
		write_counts(
		    out, m, "state", journal_conditions[i].name, journal_state(f->view.journal) == i);
}

static void
write_requests(struct buf *out, const struct metric *m, const struct facts *f)
{
	static const char *const words[FETCH_CLASSES] = { [FETCH_2XX] = "2xx", [FETCH_3XX] = "3xx",
		[FETCH_4XX] = "4xx", [FETCH_429] = "429", [FETCH_5XX] = "5xx",
		[FETCH_FAILED] = "failed" };
	const struct fetch_figures *ff = fetcher_figures(f->view.fetcher);

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		write_counts(out, m, "class", words[i], (int64_t)ff->answers[i]);
}

static void
write_poll_times(struct buf *out, const struct metric *m, const struct facts *f)
{
	struct buf labels = BUF_INIT(256);

	for (int i = 0; i < STREAM_COUNT; i++) {
		buf_clear(&labels);
		exposition_label(&labels, "stream", stream_kinds[i].name);
		exposition_histogram(
		    out, m->name, buf_peek(&labels), intake_poll_times(f->view.intake, i));
	}
	buf_release(&labels);
}

/* Only the state that it is in: what is gone, Prometheus notes by itself. */
static void
write_state(struct buf *out, const struct metric *m, const struct facts *f)
{
	struct buf labels = BUF_INIT(8192);

	for (size_t i = 0; i < f->ntenants; i++) {
		buf_clear(&labels);
		buf_str(&labels, buf_peek(&f->tenant_labels[i]));
		exposition_label(&labels, "state", tenant_states[f->intake[i].state].name);
		exposition_number(out, m->name, buf_peek(&labels), 1);
	}
	buf_release(&labels);
}

static void
write_delays(struct buf *out, const struct metric *m, const struct facts *f)
{
	for (size_t i = 0; i < f->ndelivery && i < METRICS_SINKS; i++)
		exposition_histogram(
		    out, m->name, buf_peek(&f->sink_labels[i]), f->delivery[i].delay);
}

static void
write_journal_delays(struct buf *out, const struct metric *m, const struct facts *f)
{
	for (size_t i = 0; i < f->ndelivery && i < METRICS_SINKS; i++)
		exposition_histogram(
		    out, m->name, buf_peek(&f->sink_labels[i]), f->delivery[i].journal_delay);
}

static void
write_expiries(struct buf *out, const struct metric *m, const struct facts *f)
{
	const struct expiry *e = expiries_at(f->view.expiries, 0);
	struct buf labels = BUF_INIT(8192);

	for (size_t i = 0; i < METRICS_EXPIRIES && e != NULL; e = expiries_at(f->view.expiries, ++i)) {
		buf_clear(&labels);
		exposition_label(&labels, "kind", e->kind);
		exposition_label(&labels, "name", e->name);
		exposition_label(&labels, "what", e->what);
		exposition_thousandths(
		    out, m->name, buf_peek(&labels), ticks_to_ms(e->ends - f->view.now));
	}
	buf_release(&labels);
}

static void
write_left_out(struct buf *out, const struct metric *m, const struct facts *f)
{
	write_counts(out, m, "of", "tenants", f->daemon.left_tenants);
	write_counts(out, m, "of", "sinks", f->daemon.left_sinks);
}

static void
write_log_lines(struct buf *out, const struct metric *m, const struct facts *f)
{
	if (f->daemon.errors == TICKS_NONE)
		return;
	write_counts(out, m, "level", "error", f->daemon.errors);
	write_counts(out, m, "level", "warning", f->daemon.warnings);
}

/* ---- the table ------------------------------------------------------------------------ */

/* clang-format off */
#define ROW(t, name, of, is_ms, place, labels, help) \
	{ name, EXPOSITION_##t, of, is_ms, place, NULL, labels, help }
#define AT(kind, field) offsetof(struct kind##_row, field)
#define WHOSE "tenant, customer"
#define WHICH "sink, type"

#define D(t, name, field, help)  ROW(t, name, OF_DAEMON, false, AT(daemon, field), "", help)
#define DS(t, name, field, help) ROW(t, name, OF_DAEMON, true, AT(daemon, field), "", help)
#define T(t, name, field, help)  ROW(t, name, OF_TENANT, false, AT(tenant, field), WHOSE, help)
#define TS(t, name, field, help) ROW(t, name, OF_TENANT, true, AT(tenant, field), WHOSE, help)
#define S(t, name, field, help)  ROW(t, name, OF_SINK, false, AT(sink, field), WHICH, help)
#define SS(t, name, field, help) ROW(t, name, OF_SINK, true, AT(sink, field), WHICH, help)
#define X(t, name, writer, labels, help) \
	{ name, EXPOSITION_##t, OF_OTHERS, false, 0, writer, labels, help }

/* In the order in which they are served. */
static const struct metric metrics[] = {
	X(GAUGE, "msspd_build_info", write_build, "version, instance_name",
	    "Always 1; which msspd this is, and the name that its configuration gives it."),
	DS(GAUGE, "msspd_start_time_seconds", start_ms,
	    "When this msspd was started, in seconds since 1970."),
	D(GAUGE, "msspd_ready", ready,
	    "1 when msspd can do its work as a whole, as /readyz says; else 0."),
	D(COUNTER, "msspd_reloads_total", reloads,
	    "Reloads of the configuration that were asked for."),
	D(COUNTER, "msspd_reload_failures_total", reload_failures,
	    "Reloads that failed; the configuration before stays in use."),
	D(GAUGE, "msspd_config_good", reload_good,
	    "1 when the configuration on disk was good when it was read last; else 0."),
	DS(GAUGE, "msspd_config_read_time_seconds", reload_ms,
	    "When the configuration was read last, in seconds since 1970."),
	X(COUNTER, "msspd_log_lines_total", write_log_lines, "level",
	    "Lines of the log that are warnings or errors."),
	X(GAUGE, "msspd_left_out", write_left_out, "of",
	    "Tenants (above 2000) and sinks (above 200) that have no series of their own."),

	X(GAUGE, "msspd_tenants", write_tenants, "state",
	    "Tenants in each state; of all tenants, also those without series."),
	X(GAUGE, "msspd_sinks", write_sinks, "link",
	    "Configured sinks by how their link is: up, down, refused, parked (cannot be opened) or "
	    "paused."),
	X(GAUGE, "msspd_expiry_remaining_seconds", write_expiries, "kind, name, what",
	    "Time until a credential or an access ends; negative when it has."),

	X(COUNTER, "msspd_requests_total", write_requests, "class",
	    "Requests to Microsoft by class of the answer's status; failed: there was no answer."),
	D(COUNTER, "msspd_received_bytes_total", wire_bytes,
	    "Bytes of answers from Microsoft, as they came (mostly compressed)."),
	X(HISTOGRAM, "msspd_poll_duration_seconds", write_poll_times, "stream",
	    "How long polls took, from the first request until the last page was journalled."),

	X(GAUGE, "msspd_tenant_state", write_state, "tenant, customer, state",
	    "Always 1, for the state that the tenant is in; docs/TROUBLESHOOTING.md explains each."),
	T(GAUGE, "msspd_tenant_health", health,
	    "How bad that state is: 0 well, 1 passes by itself, 2 somebody has to do something."),
	T(GAUGE, "msspd_tenant_parked", parked,
	    "1 when nothing gets better before a person does something (consent, licence, credentials)."),
	TS(GAUGE, "msspd_tenant_last_success_age_seconds", success_ms,
	    "Time since the tenant was last read to the end; since the start where it was not yet."),
	TS(GAUGE, "msspd_tenant_lag_seconds", lag_ms,
	    "Age of the moment up to which everything that Microsoft listed has been read."),
	T(COUNTER, "msspd_tenant_polls_total", polls, "Polls of the tenant that were begun."),
	T(COUNTER, "msspd_tenant_pages_total", pages, "Pages that were read and journalled."),
	T(COUNTER, "msspd_tenant_alerts_total", alerts,
	    "Alerts and incidents that were looked at: new ones, new versions, and once after each start "
	    "those of the read window."),
	T(COUNTER, "msspd_tenant_repeats_total", repeats,
	    "Alerts that were listed again and known already; nothing is sent for them."),
	T(COUNTER, "msspd_tenant_forwarded_total", forwarded,
	    "Alerts, incidents and new versions of them that were put into the journal for sinks."),
	T(COUNTER, "msspd_tenant_throttled_total", throttled, "Answers 429 from Microsoft."),
	T(COUNTER, "msspd_tenant_failures_total", failures, "Troubles with reading, of any kind."),
	T(COUNTER, "msspd_tenant_quarantined_total", quarantined,
	    "Slices of answers that went to quarantine: unreadable, or of another tenant."),
	T(COUNTER, "msspd_tenant_gaps_total", gaps,
	    "Times on record for which alerts may be missing."),
	T(COUNTER, "msspd_sweep_found_total", sweep_found,
	    "Late alerts that only a sweep found; when it grows steadily, raise overlap."),

	S(GAUGE, "msspd_sink_up", up, "1 when the sink takes entries now; else 0."),
	S(GAUGE, "msspd_sink_parked", parked,
	    "1 when the sink cannot be opened, or more waits for it than its backlog allows."),
	S(GAUGE, "msspd_sink_paused", paused,
	    "1 when an operator paused the sink; what waits for it is kept."),
	S(GAUGE, "msspd_sink_stops_polling", stops,
	    "1 when so much waits for the sink that its tenants are not read (when_full)."),
	S(GAUGE, "msspd_sink_backlog_entries", entries, "Entries that wait for the sink."),
	S(GAUGE, "msspd_sink_backlog_bytes", bytes, "Size of what waits for the sink."),
	SS(GAUGE, "msspd_sink_backlog_age_seconds", oldest_ms,
	    "How long the oldest entry has been waiting for the sink; 0 when none waits."),
	S(GAUGE, "msspd_sink_in_flight", in_flight,
	    "Entries that were handed to the sink and are not accepted yet."),
	SS(GAUGE, "msspd_sink_last_accepted_age_seconds", accepted_ms,
	    "Time since the sink last accepted something; absent before it did."),
	S(COUNTER, "msspd_sink_accepted_total", accepted, "Entries that the sink accepted."),
	S(COUNTER, "msspd_sink_retried_total", retried, "Entries that have to be tried again."),
	S(COUNTER, "msspd_sink_rejected_total", rejected,
	    "Entries that can never be delivered; they are kept as dead letters."),
	S(GAUGE, "msspd_sink_dead_letters", dead, "Dead letters of the sink that are kept."),
	S(GAUGE, "msspd_canary_overdue", canary_overdue,
	    "1 when the sink's canary is not accepted within canary_within, or is refused; absent "
	    "where it gets none."),
	S(COUNTER, "msspd_canary_made_total", canary_made, "Canaries that were made for the sink."),
	S(COUNTER, "msspd_canary_accepted_total", canary_accepted, "Canaries that the sink accepted."),
	SS(GAUGE, "msspd_canary_last_accepted_age_seconds", canary_age_ms,
	    "Time since the sink last accepted a canary; absent before it did."),
	SS(GAUGE, "msspd_canary_seconds", canary_ms,
	    "How long the last accepted canary took from being made on; absent before one was."),
	X(HISTOGRAM, "msspd_sink_alert_delay_seconds", write_delays, "sink, type",
	    "From Microsoft's lastUpdateDateTime to acceptance, without replays and old alerts."),
	X(HISTOGRAM, "msspd_sink_delivery_delay_seconds", write_journal_delays, "sink, type",
	    "From the journal to acceptance; on tcp and tls confirm_after is part of it."),

	X(GAUGE, "msspd_journal_state", write_journal_state, "state",
	    "1 for the state that the journal is in: ok, paused (full) or failed; else 0."),
	D(GAUGE, "msspd_journal_size_bytes", file_bytes, "Size of the journal's file."),
	D(GAUGE, "msspd_journal_limit_bytes", max_bytes,
	    "Largest size of the journal; at nine tenths of it polling pauses."),
	D(GAUGE, "msspd_journal_entries", entries, "Entries in the journal, delivered ones too."),
	D(GAUGE, "msspd_journal_remembered", remembered, "Alerts that are remembered."),
	DS(GAUGE, "msspd_journal_oldest_open_age_seconds", oldest_ms,
	    "Age of the oldest entry that some sink has not settled; 0 when there is none."),
	D(GAUGE, "msspd_journal_dead_letters", dead, "Dead letters of all sinks."),
	D(GAUGE, "msspd_journal_quarantine", quarantine, "Pieces in quarantine."),
	D(GAUGE, "msspd_journal_gaps", gaps, "Gaps on record."),
	D(COUNTER, "msspd_journal_appends_total", appends, "Pages that were stored."),
	D(COUNTER, "msspd_journal_commits_total", commits, "Transactions that were written."),

	DS(COUNTER, "process_cpu_seconds_total", cpu_ms, "CPU time of msspd, all threads."),
	D(GAUGE, "process_resident_memory_bytes", resident_bytes, "Resident memory."),
	D(GAUGE, "process_open_fds", fds, "Open file descriptors."),
	D(GAUGE, "process_max_fds", max_fds, "File descriptors that may be open."),
	DS(GAUGE, "process_start_time_seconds", start_ms, "The same as msspd_start_time_seconds."),
};
/* clang-format on */

/* ---- writing ---------------------------------------------------------------------------- */

static void
put(struct buf *out, const struct metric *m, struct str labels, const void *row)
{
	int64_t value;

	memcpy(&value, (const char *)row + m->off, sizeof(value));
	if (value == TICKS_NONE)
		return;
	if (m->is_ms)
		exposition_thousandths(out, m->name, labels, value);
	else
		exposition_number(out, m->name, labels, value);
}

static void
write_metric(struct buf *out, const struct metric *m, const struct facts *f)
{
	switch (m->of) {
	case OF_DAEMON:
		put(out, m, (struct str) { NULL, 0 }, &f->daemon);
		break;
	case OF_TENANT:
		for (size_t i = 0; i < f->ntenants; i++)
			put(out, m, buf_peek(&f->tenant_labels[i]), &f->tenants[i]);
		break;
	case OF_SINK:
		for (size_t i = 0; i < f->nsinks; i++)
			put(out, m, buf_peek(&f->sink_labels[i]), &f->sinks[i]);
		break;
	case OF_OTHERS:
		m->write(out, m, f);
		break;
	}
}

void
metrics_write(struct buf *out, const struct engine *e)
{
	struct facts f;

	facts_init(&f, e);
	for (size_t i = 0; i < ARRAY_LEN(metrics); i++) {
		exposition_head(out, metrics[i].name, metrics[i].type, metrics[i].help);
		write_metric(out, &metrics[i], &f);
	}
	facts_release(&f);
}

void
metrics_manual(struct buf *out)
{
	buf_puts(out, "# Metrics\n\n"
	    "What `/metrics` serves (see OPERATIONS.md for how to switch it on), made by `make docs` "
	    "from the program's table.\nCounters begin at 0 with each start. At most 2000 tenants "
	    "and 200 sinks have series of their own; `msspd_left_out` says how many have none.\n\n"
	    "| metric | type | labels | meaning |\n|---|---|---|---|\n");
	for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
		buf_printf(out, "| `%s` | %s | %s | %s |\n", metrics[i].name,
		    exposition_types[metrics[i].type], metrics[i].labels, metrics[i].help);
}
