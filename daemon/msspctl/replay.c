/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/msspctl/replay.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/msspctl/call.h"
#include "daemon/msspctl/each.h"
#include "daemon/msspctl/fields.h"

static bool
has_ended(const json_t *replay)
{
	const char *state = get_text(replay, "state");

	return strcmp(state, "done") == 0 || strcmp(state, "cancelled") == 0;
}

/* Times are cut to the minute: "2026-11-01T08:00". */
static void
print_one(const json_t *r)
{
	const char *sink = get_text(r, "sink");

	printf("%6" PRId64 "  %-16s %3" PRId64 " %%  %s/%s  %.16s to %.16s", get_int(r, "number"),
	    get_text(r, "state"), get_int(r, "percent"), get_text(r, "tenant"),
	    get_text(r, "stream"), get_text(r, "from"), get_text(r, "to"));
	if (*sink != '\0')
		printf("  for %s", sink);
	printf("%s  read %" PRId64 ", delivered %" PRId64 "\n",
	    strcmp(get_text(r, "why"), "gap") == 0 ? " (what it missed)" : "", get_int(r, "read"),
	    get_int(r, "delivered"));
}

int
do_replays(const struct args *a)
{
	int status = EX_OK;
	json_t *result = call(a->socket, json_pack("{s:s}", "verb", "replays"), &status);
	const json_t *list = json_object_get(result, "replays");

	if (result == NULL)
		return status;
	if (a->is_json) {
		json_dumpf(result, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (json_array_size(list) == 0) {
		puts("nothing is read again");
	}
	for (size_t i = 0; !a->is_json && i < json_array_size(list); i++)
		print_one(json_array_get(list, i));
	json_decref(result);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int
cancel_one(const struct args *a, int64_t number, const void *unused)
{
	int status = EX_OK;
	json_t *result = call(a->socket, json_pack("{s:s, s:I}", "verb", "replay-cancel", "number",
	    (json_int_t)number), &status);

	(void)unused;
	if (result == NULL)
		return status;
	json_decref(result);
	printf("replay %" PRId64 " is cancelled; what it delivered stays delivered\n", number);
	return EX_OK;
}

int
do_replay_cancel(const struct args *a)
{
	return for_each_number(a, "a replay", cancel_one, NULL);
}

/* ---- following ---------------------------------------------------------------- */

static volatile sig_atomic_t is_interrupted;

static void
on_interrupt(int number)
{
	(void)number;
	is_interrupted = 1;
}

static const json_t *
find(const json_t *list, const json_t *number)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *r = json_array_get(list, i);

		if (json_equal((json_t *)json_object_get(r, "number"), (json_t *)number))
			return r;
	}
	return NULL;
}

static void
print_all(const json_t *list, const json_t *numbers)
{
	for (size_t i = 0; i < json_array_size(numbers); i++) {
		const json_t *r = find(list, json_array_get(numbers, i));

		if (r != NULL)
			print_one(r);
	}
	fflush(stdout);
}

static bool
have_ended(const json_t *list, const json_t *numbers)
{
	for (size_t i = 0; i < json_array_size(numbers); i++) {
		const json_t *r = find(list, json_array_get(numbers, i));

		if (r != NULL && !has_ended(r))
			return false;
	}
	return true;
}

static int
ended_well(const json_t *list, const json_t *numbers)
{
	for (size_t i = 0; i < json_array_size(numbers); i++) {
		const json_t *r = find(list, json_array_get(numbers, i));

		if (r != NULL && strcmp(get_text(r, "state"), "done") != 0)
			return EXIT_FAILURE;
	}
	return EX_OK;
}

/* A line each two seconds for who looks; for a file only the end. */
static int
follow(const struct args *a, const json_t *numbers)
{
	/* Once: whoever does not want to wait for the answer that is under way says it again. */
	const struct sigaction sa = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART | SA_RESETHAND };
	int status = EX_OK;

	sigaction(SIGINT, &sa, NULL);
	for (unsigned n = 1; !is_interrupted; n++) {
		json_t *result =
		    call(a->socket, json_pack("{s:s}", "verb", "replays"), &status);
		const json_t *list = json_object_get(result, "replays");
		bool is_over;

		if (result == NULL)
			return status;
		is_over = have_ended(list, numbers);
		if (is_over || (n % 4 == 0 && isatty(STDOUT_FILENO)))
			print_all(list, numbers);
		if (is_over)
			status = ended_well(list, numbers);
		json_decref(result);
		if (is_over)
			return status;
		usleep(500000);
	}
	puts("it goes on without you: 'msspctl replays' shows it, 'msspctl replay-cancel' ends it");
	return EX_OK;
}

static void
add(json_t *request, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(request, key, json_string(value));
}

int
do_replay(const struct args *a)
{
	json_t *request = json_pack("{s:s, s:b}", "verb", "replay", "all", a->wants_all), *result;
	const json_t *numbers;
	int status = EX_OK;

	if (a->tenant == NULL || a->from == NULL) {
		json_decref(request);
		fputs("msspctl: replay needs --tenant and --from\nTry 'msspctl --help'.\n", stderr);
		return EX_USAGE;
	}
	add(request, "tenant", a->tenant);
	add(request, "from", a->from);
	add(request, "to", a->to);
	add(request, "sink", a->sink);
	result = call(a->socket, request, &status);
	if (result == NULL)
		return status;
	numbers = json_object_get(result, "numbers");
	for (size_t i = 0; i < json_array_size(numbers); i++)
		printf("replay %lld has begun\n",
		    (long long)json_integer_value(json_array_get(numbers, i)));
	fflush(stdout);
	if (!a->is_detached)
		status = follow(a, numbers);
	json_decref(result);
	return status;
}

int
do_resend(const struct args *a)
{
	json_t *request, *result;
	int status = EX_OK;

	if (a->sink == NULL || a->from == NULL || a->tenant != NULL || a->to != NULL ||
	    a->is_detached) {
		fputs("msspctl: resend takes --sink and --from, both of them and no more\n"
		      "Try 'msspctl --help'.\n", stderr);
		return EX_USAGE;
	}
	request = json_pack("{s:s}", "verb", "resend");
	add(request, "sink", a->sink);
	add(request, "from", a->from);
	result = call(a->socket, request, &status);
	if (result == NULL)
		return status;
	printf("what sink %s was given since then is sent again, %" PRId64 " stream%s; "
	       "'msspctl replays' shows how far it is\n",
	    a->sink, get_int(result, "streams"), get_int(result, "streams") == 1 ? "" : "s");
	json_decref(result);
	return EX_OK;
}
