/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/msspctl/letters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/msspctl/each.h"
#include "daemon/msspctl/errand.h"
#include "daemon/msspctl/fields.h"
#include "daemon/msspctl/safe.h"
#include "lib/base/base64.h"

#define PAGE      200
#define BODY_MAX  ((size_t)256 << 20)
#define COLUMNS   68
#define AGAIN     "(tried again) "

static struct str
bytes_of(const json_t *o, const char *key)
{
	const json_t *text = json_object_get(o, key);

	return (struct str){ get_text(o, key), json_string_length(text) };
}

static void
set_text(json_t *o, const char *key, const char *text)
{
	if (text != NULL)
		json_object_set_new(o, key, json_string(text));
}

static int
done(int status)
{
	return fflush(stdout) == 0 ? status : EX_IOERR;
}

/* ---- lists ---------------------------------------------------------------------- */

static void
print_line(const json_t *l)
{
	bool is_retried = json_is_true(json_object_get(l, "retried"));

	printf("%8" PRId64 "  ", get_int(l, "number"));
	if (json_object_get(l, "sink") != NULL)
		printf("%-16.16s  ", get_text(l, "sink"));
	printf("%-18.18s  %.19s %9" PRId64 "\n          ", get_text(l, "tenant"), get_text(l, "at"),
	    get_int(l, "size"));
	put_safe(stdout, bytes_of(l, "id"), COLUMNS);
	fputs("\n          ", stdout);
	if (is_retried)
		fputs(AGAIN, stdout);
	put_safe(stdout, bytes_of(l, "why"), is_retried ? COLUMNS - strlen(AGAIN) : COLUMNS);
	putchar('\n');
}

static json_t *
ask_page(const struct args *a, const char *verb, int64_t after, int *status)
{
	json_t *request = json_pack("{s:s, s:I, s:i}", "verb", verb, "after", (json_int_t)after, "max",
	    PAGE);

	set_text(request, "sink", a->sink);
	set_text(request, "tenant", a->tenant);
	return errand_run(a, request, &(struct errand){ .kind = ERRAND_JOURNAL }, status);
}

/* Prints a page, or keeps it for later; the number to go on after. */
static int64_t
take_page(const json_t *page, json_t *all, bool is_first, const char *head)
{
	const json_t *list = json_object_get(page, "letters");
	int64_t last = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_array_get(list, i);

		last = get_int(one, "number");
		if (all != NULL) {
			json_array_append(all, one);
			continue;
		}
		if (is_first && i == 0)
			puts(head);
		print_line(one);
	}
	return last;
}

static int
list(const struct args *a, const char *verb, const char *head, const char *none)
{
	json_t *all = a->is_json ? json_array() : NULL, *page;
	int64_t after = 0, shown = 0;
	bool has_more = true;
	int status = EX_OK;

	while (has_more && (shown == 0 || a->wants_all)) {
		page = ask_page(a, verb, after, &status);
		if (page == NULL) {
			json_decref(all);
			return status;
		}
		after = take_page(page, all, shown == 0, head);
		shown += (int64_t)json_array_size(json_object_get(page, "letters"));
		has_more = json_is_true(json_object_get(page, "more"));
		json_decref(page);
	}
	if (all != NULL) {
		page = json_pack("{s:o, s:b}", "letters", all, "more", has_more);
		json_dumpf(page, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(page);
	} else if (shown == 0) {
		puts(none);
	} else {
		printf("%" PRId64 " shown%s\n", shown, has_more ? ", and there are more: --all" : "");
	}
	return done(EX_OK);
}

int
do_dead(const struct args *a)
{
	return list(a, "dead", "  NUMBER  SINK              TENANT              SINCE"
	                       "                   BYTES", "there are no dead letters");
}

int
do_quarantine(const struct args *a)
{
	if (a->sink != NULL) {
		fputs("msspctl: what could not be read is of no sink\n", stderr);
		return EX_USAGE;
	}
	return list(a, "quarantine", "  NUMBER  TENANT              SINCE                   BYTES",
	    "nothing is in quarantine");
}

/* ---- one ------------------------------------------------------------------------- */

/* A part of it, with the body from that byte on. NULL: *status says why. */
static json_t *
ask_part(const struct args *a, const char *verb, int64_t number, size_t from, int *status)
{
	json_t *request = json_pack("{s:s, s:I, s:I}", "verb", verb, "number", (json_int_t)number, "from",
	    (json_int_t)from);
	json_t *result = errand_run(a, request, &(struct errand){ .kind = ERRAND_JOURNAL }, status);
	json_t *one = json_incref(json_array_get(json_object_get(result, "letters"), 0));

	if (result != NULL && one == NULL) {
		fprintf(stderr, "msspctl: there is no letter %" PRId64 " there (any more)\n", number);
		*status = EX_DATAERR;
	}
	json_decref(result);
	return one;
}

/* All of it, its body too. */
static json_t *
ask_whole(const struct args *a, const char *verb, int64_t number, struct buf *body, int *status)
{
	json_t *one = ask_part(a, verb, number, 0, status), *more;
	size_t size = (size_t)get_int(one, "size");
	bool ok = one != NULL && base64_read(body, bytes_of(one, "body"));

	while (ok && body->n < size) {
		size_t had = body->n;

		more = ask_part(a, verb, number, had, status);
		ok = more != NULL && base64_read(body, bytes_of(more, "body")) && body->n > had;
		json_decref(more);
	}
	if (ok && buf_ok(body))
		return one;
	if (one != NULL && *status == EX_OK) {
		fputs("msspctl: the answer makes no sense\n", stderr);
		*status = EX_SOFTWARE;
	}
	json_decref(one);
	return NULL;
}

static void
print_field(const char *label, const json_t *l, const char *key)
{
	struct str text = bytes_of(l, key);

	if (text.n == 0)
		return;
	printf("  %s\n", label);
	put_safe_lines(stdout, text, "    ", 74);
}

static void
print_whole(const json_t *l, struct str body)
{
	bool is_dead = json_object_get(l, "sink") != NULL;

	printf("%s %" PRId64 "%s\n", is_dead ? "dead letter" : "quarantine", get_int(l, "number"),
	    json_is_true(json_object_get(l, "retried")) ? ", which is tried again" : "");
	print_field("sink", l, "sink");
	print_field("reason", l, "why");
	print_field("tenant", l, "tenant");
	print_field("tenant's GUID", l, "tenant_id");
	print_field("customer", l, "customer");
	print_field("stream", l, "stream");
	print_field("id", l, "id");
	print_field("event", l, "event");
	print_field("version", l, "version");
	print_field("journalled", l, "journalled");
	print_field("here since", l, "at");
	printf("  body, %zu bytes\n", body.n);
	put_safe_lines(stdout, body, "    ", 74);
}

static int
show_one(const struct args *a, int64_t number, const void *how)
{
	const char *verb = how;
	struct buf body = BUF_INIT(BODY_MAX);
	int status = EX_OK;
	json_t *one = ask_whole(a, verb, number, &body, &status);
	struct str bytes = { body.p != NULL ? body.p : "", body.n };

	if (one != NULL && a->is_raw) {
		fwrite(bytes.s, 1, bytes.n, stdout);
	} else if (one != NULL && a->is_json) {
		struct buf text = BUF_INIT(2 * BODY_MAX);

		base64(&text, bytes);
		json_object_set_new(one, "body", json_stringn(text.p != NULL ? text.p : "", text.n));
		json_dumpf(one, stdout, JSON_INDENT(2));
		putchar('\n');
		buf_release(&text);
	} else if (one != NULL) {
		print_whole(one, bytes);
	}
	json_decref(one);
	buf_release(&body);
	return done(status);
}

static int
show(const struct args *a, const char *verb)
{
	if (a->is_raw && isatty(STDOUT_FILENO)) {
		fputs("msspctl: --raw writes bytes as they came, which is nothing for a terminal: give it"
		      " a file or a pipe\n", stderr);
		return EX_USAGE;
	}
	return for_each_number(a, "a letter", show_one, verb);
}

int
do_dead_show(const struct args *a)
{
	return show(a, "dead");
}

int
do_quarantine_show(const struct args *a)
{
	return show(a, "quarantine");
}

/* ---- retry and drop ----------------------------------------------------------------- */

/* What is said of those that were passed over. */
struct deed {
	const char *verb, *did, *passed;
};

static void
show_progress(const json_t *so_far)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%" PRId64 " ", get_int(so_far, "done"));
}

static int
work(const struct args *a, int64_t number, const void *how)
{
	const struct deed *d = how;
	int status = EX_OK;
	json_t *request = json_pack("{s:s, s:b, s:I}", "verb", d->verb, "all", a->wants_all, "number",
	    (json_int_t)number), *result;

	set_text(request, "sink", a->sink);
	set_text(request, "tenant", a->tenant);
	result = errand_run(a, request, &(struct errand){ ERRAND_JOURNAL, 0, show_progress }, &status);
	if (result == NULL)
		return status;
	if (number != 0)
		printf("%" PRId64 ": ", number);
	printf("%s: %" PRId64 "\n", d->did, get_int(result, "done"));
	if (get_int(result, "passed") > 0)
		printf("%s: %" PRId64 "\n", d->passed, get_int(result, "passed"));
	else if (number != 0 && get_int(result, "done") == 0)
		puts("there is no such one (any more), or it waits for its sink already");
	if (number != 0 && get_int(result, "done") == 0)
		status = EX_DATAERR;
	json_decref(result);
	return done(status);
}

static int
work_on(const struct args *a, const struct deed *d)
{
	bool has_which = a->sink != NULL || a->tenant != NULL || a->wants_all;

	if ((a->nnames > 0) == has_which || (a->wants_all && (a->sink != NULL || a->tenant != NULL))) {
		fputs("msspctl: say which: numbers, or --sink and --tenant, or --all\n", stderr);
		return EX_USAGE;
	}
	return has_which ? work(a, 0, d) : for_each_number(a, "a letter", work, d);
}

int
do_dead_retry(const struct args *a)
{
	return work_on(a, &(struct deed){ "dead-retry", "given to their sinks again",
	    "not, because their sink is parked, or was let go" });
}

int
do_dead_drop(const struct args *a)
{
	return work_on(a, &(struct deed){ "dead-drop", "dropped",
	    "not, because they are tried again just now, or there is no such one" });
}
