/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/msspctl/test_sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "daemon/msspctl/each.h"
#include "daemon/msspctl/errand.h"
#include "daemon/msspctl/fields.h"
#include "daemon/msspctl/safe.h"
#include "lib/config/unit.h"

#define TIMEOUT_MS 30000
#define TEXT_COLUMNS 2000 /* never cut in earnest */

static json_t *
ask(const struct args *a, const char *sink, int64_t timeout_ms, int *status)
{
	json_t *request = json_pack("{s:s, s:s, s:s*, s:I}", "verb", "test-sink", "sink", sink, "to", a->to,
	    "timeout_ms", (json_int_t)timeout_ms);

	return errand_run(a, request, &(struct errand){ ERRAND_TEST, timeout_ms, NULL }, status);
}

static int
status_of(const json_t *r)
{
	static const struct {
		const char *result;
		int status;
	} of[] = { { "accepted", EX_OK }, { "rejected", EX_PROTOCOL }, { "no-link", EX_UNAVAILABLE },
		{ "paused", EX_UNAVAILABLE }, { "gone", EX_UNAVAILABLE } };

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		if (strcmp(of[i].result, get_text(r, "result")) == 0)
			return of[i].status;
	}
	return EX_TEMPFAIL; /* not now, cut, busy, no answer */
}

/* What it says may be the far side's words. */
static void
print_line(const char *head, const char *text)
{
	printf("  %-10s", head);
	put_safe(stdout, str_of(text), TEXT_COLUMNS);
	putchar('\n');
}

static void
print_head(const json_t *r, bool is_accepted, bool is_sent)
{
	const char *to = get_text(r, "to");

	printf("%s: %s", get_text(r, "sink"),
	    is_accepted ? "accepted" : is_sent ? "NOT accepted" : "NOT sent");
	if (to[0] != '\0') {
		fputs(", to ", stdout);
		put_safe(stdout, str_of(to), TEXT_COLUMNS);
	}
	if (is_accepted && !json_is_true(json_object_get(r, "acknowledged")))
		fputs(", without acknowledgement", stdout);
	if (is_sent)
		printf(", after %" PRId64 " ms", get_int(r, "took_ms"));
	putchar('\n');
}

static void
print_result(const json_t *r)
{
	bool is_accepted = json_is_true(json_object_get(r, "accepted"));
	const char *event_id = get_text(r, "event_id"), *remedy = get_text(r, "do");

	print_head(r, is_accepted, json_is_integer(json_object_get(r, "took_ms")));
	print_line(is_accepted ? "means:" : "why:", get_text(r, is_accepted ? "means" : "why"));
	if (event_id[0] != '\0')
		print_line("event id:", event_id);
	print_line("link:", get_text(r, "link"));
	if (remedy[0] != '\0')
		print_line("to do:", remedy);
}

static int
test_one(const struct args *a, const char *sink, const void *how)
{
	const int64_t *timeout_ms = how;
	int status = EX_OK;
	json_t *r = ask(a, sink, *timeout_ms, &status);

	if (r == NULL)
		return status;
	if (a->is_json) {
		json_dumpf(r, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		print_result(r);
	}
	status = status_of(r);
	json_decref(r);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}

int
do_test_sink(const struct args *a)
{
	int64_t timeout_ms = TIMEOUT_MS;

	if (a->timeout != NULL && (!unit_time(str_of(a->timeout), &timeout_ms) || timeout_ms <= 0)) {
		fprintf(stderr, "msspctl: --timeout is a time like 30s, not %s\n", a->timeout);
		return EX_USAGE;
	}
	if (a->to != NULL && a->nnames > 1) {
		fputs("msspctl: --to goes with one sink\n", stderr);
		return EX_USAGE;
	}
	return for_each_name(a, test_one, &timeout_ms);
}
