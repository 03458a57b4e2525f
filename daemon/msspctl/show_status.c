/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "daemon/msspctl/ages.h"
#include "daemon/msspctl/fields.h"
#include "daemon/msspctl/paint.h"
#include "daemon/msspctl/show_status.h"
#include "lib/base/duration.h"
#include "lib/format/wrap.h"

static void
print_duration(FILE *out, int64_t sec)
{
	struct buf b = BUF_INIT(64);

	duration_write(&b, sec);
	fputs(b.p, out);
	buf_release(&b);
}

static void
print_age(FILE *out, int64_t now, int64_t then)
{
	struct buf b = BUF_INIT(64);

	add_age(&b, now, then);
	fputs(b.p, out);
	buf_release(&b);
}

/* How long it has been wrong, and what happens next; next, in ms: null where nothing does by itself. */
static void
print_wait(FILE *out, const char *what, int64_t now, int64_t since, const json_t *next)
{
	int64_t next_ms = json_is_integer(next) ? (int64_t)json_integer_value(next) : -1;

	fprintf(out, "    %s for ", what);
	print_age(out, now, since);
	if (next_ms >= 0) {
		fputs(", tried again in ", out);
		print_duration(out, (next_ms + 999) / 1000);
	}
	fputc('\n', out);
}

/* Text of any length, indented by 4. */
static void
print_wrapped(FILE *out, const char *s)
{
	struct buf page = BUF_INIT(16 * 1024 * 1024);

	if (s[0] != '\0')
		wrap_put(&page, "    ", "    ", s);
	fwrite(buf_peek(&page).s, 1, page.n, out);
	buf_release(&page);
}

static void
print_head(FILE *out, const json_t *status, int64_t now)
{
	const json_t *j = json_object_get(status, "journal");

	fprintf(out, "msspd %s, running for ", get_text(status, "version"));
	print_age(out, now, get_time(status, "started"));
	fprintf(out, "\nconfiguration %s\n", get_text(status, "config"));
	if (get_text(status, "reload_error")[0] != '\0') {
		fputs("  the last reload failed, the old configuration is in use:\n", out);
		print_wrapped(out, get_text(status, "reload_error"));
	}
	fprintf(out, "journal %s: %" PRId64 " entries, %.1f of %.1f MiB, %" PRId64
	    " alerts remembered\n", get_text(j, "state"), get_int(j, "entries"),
	    (double)get_int(j, "bytes") / 1048576, (double)get_int(j, "max_bytes") / 1048576,
	    get_int(j, "remembered"));
	if (get_int(j, "quarantine") != 0 || get_int(j, "dead_letters") != 0 || get_int(j, "gaps") != 0)
		fprintf(out, "  quarantined %" PRId64 ", dead letters %" PRId64 ", gaps %" PRId64 "\n",
		    get_int(j, "quarantine"), get_int(j, "dead_letters"), get_int(j, "gaps"));
}

/* Of a read that found nothing new the journal knows nothing: after a start it has but the place. */
static void
print_last_read(FILE *out, const json_t *t, int64_t now)
{
	const char *cursor = get_text(t, "cursor");

	if (get_time(t, "last_success") != TICKS_NONE) {
		fputs(" last read ", out);
		print_age(out, now, get_time(t, "last_success"));
		fputs(" ago\n", out);
	} else if (cursor[0] != '\0') {
		fprintf(out, " not read since the start\n    what it has was read up to %.19sZ before\n",
		    cursor);
	} else {
		fputs(" never read\n", out);
	}
}

static void
print_tenant(FILE *out, const json_t *t, int64_t now)
{
	fprintf(out, "  %-28.28s ", get_text(t, "tenant"));
	paint_state(out, get_text(t, "state"), 14);
	print_last_read(out, t, now);
	if (get_text(t, "trouble")[0] != '\0')
		print_wait(out, "so", now, get_time(t, "since"), json_object_get(t, "next_poll_ms"));
	print_wrapped(out, get_text(t, "trouble"));
	if (get_text(t, "do")[0] != '\0')
		fputs("    what to do:\n", out);
	print_wrapped(out, get_text(t, "do"));
}

static void
print_tenants(FILE *out, const json_t *status, int64_t now)
{
	const json_t *tenants = json_object_get(status, "tenants"), *t;
	size_t i, healthy = 0;

	json_array_foreach((json_t *)tenants, i, t)
		healthy += strcmp(get_text(t, "state"), "healthy") == 0;
	fprintf(out, "\n%zu tenant%s, %zu healthy\n", json_array_size(tenants),
	    json_array_size(tenants) == 1 ? "" : "s", healthy);
	json_array_foreach((json_t *)tenants, i, t) {
		if (strcmp(get_text(t, "state"), "healthy") != 0)
			print_tenant(out, t, now);
	}
}

static void
print_sink(FILE *out, const json_t *s, int64_t now)
{
	fprintf(out, "  %-28.28s ", get_text(s, "sink"));
	paint_link(out, get_text(s, "link"), 14);
	fprintf(out, " backlog %" PRId64 ", accepted %" PRId64 "\n", get_int(s, "backlog"),
	    get_int(s, "accepted"));
	if (get_time(s, "oldest") != TICKS_NONE) {
		fputs("    oldest waits for ", out);
		print_age(out, now, get_time(s, "oldest"));
		fputc('\n', out);
	}
	if (json_is_true(json_object_get(s, "over_backlog")))
		fputs("    over its backlog's limit: what it misses is read again when it takes\n"
		    "    what it has; msspctl replays shows it\n", out);
	if (json_is_true(json_object_get(s, "pauses_polling")))
		fputs("    over its backlog's limit: its tenants are not polled until it has taken\n"
		    "    half of it (when_full: pause)\n", out);
	if (json_is_false(json_object_get(json_object_get(s, "canary"), "ok"))) {
		fprintf(out, "    canary %s:\n", get_text(json_object_get(s, "canary"), "state"));
		print_wrapped(out, get_text(json_object_get(s, "canary"), "what"));
	}
	if (get_int(s, "dead_letters") != 0)
		fprintf(out, "    dead letters %" PRId64 "\n", get_int(s, "dead_letters"));
	if (get_time(s, "trouble_since") != TICKS_NONE)
		print_wait(out, "not delivering", now, get_time(s, "trouble_since"),
		    json_object_get(s, "next_try_ms"));
	print_wrapped(out, get_text(s, "trouble"));
}

/* What ends within a month; the rest is fine. */
static void
print_expiries(FILE *out, const json_t *status)
{
	const json_t *all = json_object_get(status, "expiries"), *e;
	struct buf line = BUF_INIT(64 * 1024), page = BUF_INIT(16 * 1024 * 1024);
	size_t i;

	json_array_foreach((json_t *)all, i, e) {
		if (strcmp(get_text(e, "stage"), "far") == 0)
			continue;
		buf_clear(&line);
		buf_printf(&line, "%s %s: %s ", get_text(e, "kind"), get_text(e, "name"),
		    get_text(e, "what"));
		if (get_int(e, "days") == 0)
			buf_printf(&line, "has ended");
		else
			buf_printf(&line, "ends in %" PRId64 " day%s", get_int(e, "days"),
			    get_int(e, "days") == 1 ? "" : "s");
		buf_printf(&line, " (%.10s); %s", get_text(e, "ends"), get_text(e, "remedy"));
		wrap_put(&page, "  ", "    ", line.p);
	}
	if (page.n != 0)
		fprintf(out, "\nends soon\n%.*s", STR_ARG(buf_peek(&page)));
	buf_release(&line);
	buf_release(&page);
}

void
show_status(FILE *out, const json_t *status)
{
	const json_t *sinks = json_object_get(status, "sinks"), *s;
	int64_t now = get_time(status, "now");
	size_t i;

	print_head(out, status, now);
	print_tenants(out, status, now);
	fprintf(out, "\n%zu sink%s\n", json_array_size(sinks), json_array_size(sinks) == 1 ? "" : "s");
	json_array_foreach((json_t *)sinks, i, s)
		print_sink(out, s, now);
	print_expiries(out, status);
}
