/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "daemon/msspctl/ages.h"
#include "daemon/msspctl/fields.h"
#include "daemon/msspctl/paint.h"
#include "daemon/msspctl/show_list.h"
#include "lib/base/alloc.h"
#include "lib/format/wrap.h"

/* none: in place of a time that there is not. */
static void
put_age(FILE *out, int64_t now, int64_t then, int width, const char *none)
{
	struct buf b = BUF_INIT(64);

	if (then == TICKS_NONE)
		buf_puts(&b, none);
	else
		add_age(&b, now, then);
	fprintf(out, "%*.*s", width, STR_ARG(buf_peek(&b)));
	buf_release(&b);
}

void
show_tenants(FILE *out, const json_t *status)
{
	const json_t *tenants = json_object_get(status, "tenants"), *t;
	int64_t now = get_time(status, "now");
	size_t i;

	fprintf(out, "%-24s %-18s %-27s %8s\n", "TENANT", "CUSTOMER", "STATE", "READ");
	json_array_foreach((json_t *)tenants, i, t) {
		fprintf(out, "%-24.24s %-18.18s ", get_text(t, "tenant"), get_text(t, "customer"));
		paint_state(out, get_text(t, "state"), 27);
		/* One with a place was read before this msspd started. */
		put_age(out, now, get_time(t, "last_success"), 9,
		    get_text(t, "cursor")[0] != '\0' ? "not yet" : "never");
		fputc('\n', out);
	}
}

void
show_sinks(FILE *out, const json_t *status)
{
	const json_t *sinks = json_object_get(status, "sinks"), *s;
	int64_t now = get_time(status, "now");
	size_t i;

	fprintf(out, "%-24s %-7s %-14s %9s %12s %8s\n", "SINK", "TYPE", "LINK", "BACKLOG", "ACCEPTED",
	    "LAST");
	json_array_foreach((json_t *)sinks, i, s) {
		fprintf(out, "%-24.24s %-7.7s ", get_text(s, "sink"), get_text(s, "type"));
		paint_link(out, get_text(s, "link"), 14);
		fprintf(out, " %9" PRId64 " %12" PRId64, get_int(s, "backlog"), get_int(s, "accepted"));
		put_age(out, now, get_time(s, "last_accepted"), 9, "not yet");
		fputc('\n', out);
	}
}

const json_t *
find_named(const json_t *status, const char *array, const char *key, const char *name)
{
	const json_t *all = json_object_get(status, array), *one;
	size_t i;

	json_array_foreach((json_t *)all, i, one) {
		if (strcmp(get_text(one, key), name) == 0)
			return one;
	}
	return NULL;
}

/* ---- one ------------------------------------------------------------------------ */

/* Members as "name    value", in the order of the table; what is not there is left out. */
struct row {
	const char *key, *name;
	enum { ROW_TEXT, ROW_COUNT, ROW_AGO } what;
};

static const struct row tenant_rows[] = {
	{ "customer", "customer", ROW_TEXT },
	{ "id", "ID", ROW_TEXT },
	{ "state", "state", ROW_TEXT },
	{ "since", "since", ROW_AGO },
	{ "last_success", "last read", ROW_AGO },
	{ "cursor", "read up to", ROW_TEXT },
	{ "polls", "polls", ROW_COUNT },
	{ "pages", "pages", ROW_COUNT },
	{ "alerts", "alerts read", ROW_COUNT },
	{ "forwarded", "forwarded", ROW_COUNT },
	{ "throttled", "throttled", ROW_COUNT },
	{ "failures", "failures", ROW_COUNT },
	{ "quarantined", "quarantined", ROW_COUNT },
	{ "sweep_found", "found by sweeps", ROW_COUNT },
	{ "gaps", "gaps", ROW_COUNT },
};

static const struct row stream_rows[] = {
	{ "state", "state", ROW_TEXT },
	{ "last_success", "last read", ROW_AGO },
	{ "cursor", "read up to", ROW_TEXT },
	{ "forwarded", "forwarded", ROW_COUNT },
};

static const struct row sink_rows[] = {
	{ "type", "type", ROW_TEXT },
	{ "link", "link", ROW_TEXT },
	{ "trouble_since", "not delivering", ROW_AGO },
	{ "last_accepted", "last accepted", ROW_AGO },
	{ "backlog", "backlog", ROW_COUNT },
	{ "backlog_bytes", "bytes of it", ROW_COUNT },
	{ "oldest", "oldest", ROW_AGO },
	{ "in_flight", "in flight", ROW_COUNT },
	{ "accepted", "accepted", ROW_COUNT },
	{ "retried", "retried", ROW_COUNT },
	{ "rejected", "rejected", ROW_COUNT },
	{ "dead_letters", "dead letters", ROW_COUNT },
};

static const struct row canary_rows[] = {
	{ "last_accepted", "  accepted", ROW_AGO },
	{ "open_since", "  open since", ROW_AGO },
};

static void
put_row(FILE *out, const struct row *r, const json_t *o, int64_t now)
{
	const json_t *v = json_object_get(o, r->key);

	if (v == NULL || json_is_null(v))
		return;
	fprintf(out, "  %-16s ", r->name);
	switch (r->what) {
	case ROW_TEXT:
		fputs(get_text(o, r->key), out);
		break;
	case ROW_COUNT:
		fprintf(out, "%" PRId64, get_int(o, r->key));
		break;
	case ROW_AGO:
		put_age(out, now, get_time(o, r->key), 0, "never");
		fputs(" ago", out);
		break;
	}
	fputc('\n', out);
}

static void
put_wrapped(FILE *out, const char *head, const char *text)
{
	struct buf page = BUF_INIT(1 << 20);

	if (text[0] == '\0')
		return;
	wrap_put(&page, "    ", "    ", text);
	fprintf(out, "  %s\n%.*s", head, STR_ARG(buf_peek(&page)));
	buf_release(&page);
}

static void
put_rows(FILE *out, const struct row *rows, size_t n, const json_t *o, int64_t now)
{
	for (size_t i = 0; i < n; i++)
		put_row(out, &rows[i], o, now);
}

void
show_tenant(FILE *out, const json_t *tenant, const json_t *status)
{
	const json_t *streams = json_object_get(tenant, "streams"), *s;
	int64_t now = get_time(status, "now");
	size_t i;

	fprintf(out, "tenant %s\n", get_text(tenant, "tenant"));
	put_rows(out, tenant_rows, ARRAY_LEN(tenant_rows), tenant, now);
	put_wrapped(out, "trouble", get_text(tenant, "trouble"));
	put_wrapped(out, "what to do", get_text(tenant, "do"));
	if (json_array_size(streams) < 2)
		return;
	json_array_foreach((json_t *)streams, i, s) {
		fprintf(out, "stream %s\n", get_text(s, "stream"));
		put_rows(out, stream_rows, ARRAY_LEN(stream_rows), s, now);
		put_wrapped(out, "trouble", get_text(s, "trouble"));
	}
}

void
show_sink(FILE *out, const json_t *sink, const json_t *status)
{
	const json_t *canary = json_object_get(sink, "canary");

	fprintf(out, "sink %s\n", get_text(sink, "sink"));
	put_rows(out, sink_rows, ARRAY_LEN(sink_rows), sink, get_time(status, "now"));
	put_wrapped(out, "trouble", get_text(sink, "trouble"));
	if (json_is_object(canary)) {
		fprintf(out, "  %-16s %s\n", "canary", get_text(canary, "state"));
		put_rows(out, canary_rows, ARRAY_LEN(canary_rows), canary, get_time(status, "now"));
		put_wrapped(out, "its trouble", get_text(canary, "what"));
	}
	if (json_is_true(json_object_get(sink, "over_backlog")))
		put_wrapped(out, "parked", "more waited for it than its backlog allows; what it missed is "
		    "read again when it takes what it has (msspctl replays)");
}
