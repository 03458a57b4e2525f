/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/msspctl/report.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/msspctl/call.h"
#include "daemon/msspctl/fields.h"
#include "daemon/msspctl/safe.h"
#include "lib/base/str.h"

#define LOOK_US 50000
#define MOST_US 500000

static volatile sig_atomic_t is_interrupted;

static void
on_interrupt(int number)
{
	(void)number;
	is_interrupted = 1;
}

/* ---- text -------------------------------------------------------------------------- */

static void
print_text(const char *text)
{
	put_safe(stdout, str_of(text), 200);
}

static void
print_ids(const json_t *count, const char *before)
{
	const json_t *ids = json_object_get(count, "ids");
	int64_t n = get_int(count, "count"), named = (int64_t)json_array_size(ids);

	for (size_t i = 0; i < json_array_size(ids); i++) {
		fputs(before, stdout);
		print_text(json_string_value(json_array_get(ids, i)));
		putchar('\n');
	}
	if (n > named)
		printf("%sand %" PRId64 " more\n", before, n - named);
}

/* What an alert that is listed and not accepted can be; the first that a row has none of is passed. */
static const struct {
	const char *key, *says;
} fates[] = {
	{ "waiting", "waiting" },
	{ "refused", "refused (dead letters, also those dropped since)" },
	{ "let_go", "let go while the sink was parked (msspctl replays)" },
	{ "not_there", "stored before there was this sink" },
	{ "unknown", "unknown (stored by an older msspd)" },
};

static void
print_sink(const json_t *s)
{
	fputs("    ", stdout);
	print_text(get_text(s, "sink"));
	printf(": accepted %" PRId64, get_int(s, "accepted"));
	for (size_t i = 0; i < ARRAY_LEN(fates); i++) {
		const json_t *count = json_object_get(s, fates[i].key);

		if (get_int(count, "count") > 0)
			printf(", %" PRId64 " %s", get_int(count, "count"), fates[i].says);
	}
	if (get_int(s, "left_out") > 0)
		printf(", %" PRId64 " left out by filters or routing", get_int(s, "left_out"));
	if (!json_is_true(json_object_get(s, "routed")))
		fputs(" (not routed to it any more)", stdout);
	putchar('\n');
	for (size_t i = 0; i < 3; i++)
		print_ids(json_object_get(s, fates[i].key), "      ");
}

static const struct {
	const char *key, *says;
} absences[] = {
	{ "missing", "NOT in the journal" },
	{ "not_read_yet", "not read yet" },
	{ "before", "last updated before msspd knew the tenant" },
	{ "forgotten", "older than what msspd remembers" },
	{ "not_listed", "in the journal, which Microsoft does not list (any more)" },
};

static void
print_row(const json_t *row)
{
	fputs("  ", stdout);
	print_text(get_text(row, "tenant"));
	fputs(", ", stdout);
	print_text(get_text(row, "streams"));
	if (json_is_string(json_object_get(row, "error"))) {
		fputs(": could not be counted: ", stdout);
		print_text(get_text(row, "error"));
		putchar('\n');
		return;
	}
	printf(": Microsoft %" PRId64 ", journalled %" PRId64 "%s\n", get_int(row, "microsoft"),
	    get_int(row, "journalled"),
	    json_is_true(json_object_get(row, "even")) ? ", no difference" : "");
	for (size_t i = 0; i < ARRAY_LEN(absences); i++) {
		const json_t *count = json_object_get(row, absences[i].key);

		if (get_int(count, "count") == 0)
			continue;
		printf("    %" PRId64 " %s:\n", get_int(count, "count"), absences[i].says);
		print_ids(count, "      ");
	}
	for (size_t i = 0; i < json_array_size(json_object_get(row, "sinks")); i++)
		print_sink(json_array_get(json_object_get(row, "sinks"), i));
	if (get_int(row, "unreadable") > 0)
		printf("    %" PRId64 " of them cannot be read, and go out as unreadable\n",
		    get_int(row, "unreadable"));
	if (get_int(row, "foreign") > 0)
		printf("    %" PRId64 " that name another tenant are not counted\n",
		    get_int(row, "foreign"));
	if (json_is_true(json_object_get(row, "known_late")))
		printf("    msspd knows this tenant since %.19sZ only\n", get_text(row, "known_since"));
}

/* Tenants of one customer stand together, in the order in which each came first. */
static void
print_customer(const json_t *rows, size_t first)
{
	const json_t *row = json_array_get(rows, first);
	const char *customer = get_text(row, "customer"), *name = get_text(row, "customer_name");

	for (size_t i = 0; i < first; i++) {
		if (strcmp(get_text(json_array_get(rows, i), "customer"), customer) == 0)
			return;
	}
	putchar('\n');
	print_text(*name != '\0' ? name : customer);
	putchar('\n');
	for (size_t i = first; i < json_array_size(rows); i++) {
		row = json_array_get(rows, i);
		if (strcmp(get_text(row, "customer"), customer) == 0)
			print_row(row);
	}
}

static void
print_report(const json_t *report)
{
	const json_t *rows = json_object_get(report, "rows");

	printf("Alerts and incidents created on %.10s (UTC)\n", get_text(report, "from"));
	if (json_is_true(json_object_get(report, "cancelled")))
		printf("NOT WHOLE: the report was ended after %" PRId64 " of %" PRId64 " tenants.\n",
		    get_int(report, "done"), get_int(report, "tenants"));
	if (!json_is_true(json_object_get(report, "day_is_over")))
		puts("The day is not over yet.");
	if (strcmp(get_text(report, "remembered_since"), get_text(report, "from")) > 0)
		puts("The day lies before what msspd remembers: journal.remember");
	for (size_t i = 0; i < json_array_size(rows); i++)
		print_customer(rows, i);
}

/* ---- asking ---------------------------------------------------------------------------- */

static void
show_progress(const json_t *so_far)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%" PRId64 " of %" PRId64 " tenants, %" PRId64 " listed   ",
		    get_int(so_far, "done"), get_int(so_far, "tenants"), get_int(so_far, "listed"));
}

static void
cancel(const struct args *a, int64_t number)
{
	int status = EX_OK;

	json_decref(call(a->socket,
	    json_pack("{s:s, s:I}", "verb", "report-cancel", "report", (json_int_t)number), &status));
	fputs("msspctl: the report is cancelled\n", stderr);
}

/* The last answer, with the rows of all. NULL: *status says why. */
static json_t *
wait_for(const struct args *a, int64_t number, int *status)
{
	json_t *rows = json_array();
	useconds_t wait = LOOK_US;

	for (;;) {
		json_t *part = call(a->socket, json_pack("{s:s, s:I, s:I}", "verb", "report-result",
		    "report", (json_int_t)number, "after", (json_int_t)json_array_size(rows)), status);
		size_t n = json_array_size(json_object_get(part, "rows"));

		json_array_extend(rows, json_object_get(part, "rows"));
		if (part == NULL) {
			json_decref(rows);
			return NULL;
		}
		show_progress(part);
		if (json_is_true(json_object_get(part, "over"))) {
			json_object_set_new(part, "rows", rows);
			return part;
		}
		json_decref(part);
		if (is_interrupted) {
			cancel(a, number);
			json_decref(rows);
			*status = EX_TEMPFAIL;
			return NULL;
		}
		wait = n > 0 ? LOOK_US : wait * 2 < MOST_US ? wait * 2 : MOST_US;
		usleep(wait);
	}
}

static int
judge(const json_t *report)
{
	const json_t *rows = json_object_get(report, "rows");
	int status = json_is_true(json_object_get(report, "cancelled")) ? EX_TEMPFAIL : EX_OK;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (json_is_true(json_object_get(row, "even")))
			continue;
		if (!json_is_string(json_object_get(row, "error")))
			return EXIT_FAILURE;
		status = EX_TEMPFAIL;
	}
	return status;
}

static void
print_json(json_t *report)
{
	json_object_del(report, "over");
	json_object_del(report, "next");
	json_dumpf(report, stdout, JSON_INDENT(2));
	putchar('\n');
}

int
do_report(const struct args *a)
{
	/* Once: whoever does not want to wait for its end says it again. */
	const struct sigaction sa = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART | SA_RESETHAND };
	int status = EX_OK;
	json_t *begun, *report;

	if (a->sink != NULL) {
		fputs("msspctl: report takes --tenant and --customer, no --sink\n", stderr);
		return EX_USAGE;
	}
	begun = call(a->socket, json_pack("{s:s, s:s*, s:s*, s:s*}", "verb", "report", "day", a->day,
	    "tenant", a->tenant, "customer", a->customer), &status);
	if (begun == NULL)
		return status;
	sigaction(SIGINT, &sa, NULL);
	report = wait_for(a, get_int(begun, "report"), &status);
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	json_decref(begun);
	if (report == NULL)
		return status;
	status = judge(report);
	if (a->is_json)
		print_json(report);
	else
		print_report(report);
	json_decref(report);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}
