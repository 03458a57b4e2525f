/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/msspctl/ages.h"
#include "daemon/msspctl/call.h"
#include "daemon/msspctl/fields.h"
#include "daemon/msspctl/look.h"
#include "daemon/msspctl/show_list.h"
#include "daemon/msspctl/show_status.h"

#define TOP_EVERY_S 2

static json_t *
get_status(const struct args *a, int *status)
{
	return call(a->socket, json_pack("{s:s}", "verb", "status"), status);
}

static int
done(FILE *out)
{
	return fflush(out) == 0 ? EX_OK : EX_IOERR;
}

static void
put_json(const json_t *o)
{
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
}

/* All of it, or only an array of it as JSON. */
static int
show_all(const struct args *a, const char *array, void (*show)(FILE *out, const json_t *status))
{
	int status = EX_OK;
	json_t *result = get_status(a, &status);

	if (result == NULL)
		return status;
	if (a->is_json)
		put_json(array != NULL ? json_object_get(result, array) : result);
	else
		show(stdout, result);
	json_decref(result);
	return done(stdout);
}

int
do_status(const struct args *a)
{
	return show_all(a, NULL, show_status);
}

int
do_tenants(const struct args *a)
{
	return show_all(a, "tenants", show_tenants);
}

int
do_sinks(const struct args *a)
{
	return show_all(a, "sinks", show_sinks);
}

/* Nor is there one that is called like what can be done to it: that wants a name. */
static void
say_unknown(const char *array, const char *key, const char *act, const char *name)
{
	if (strcmp(name, act) == 0)
		fprintf(stderr, "msspctl: %s which %s? %s %s NAME\n", act, key, key, act);
	else
		fprintf(stderr, "msspctl: there is no %s '%s'; msspctl %s lists them\n", key, name, array);
}

/* Each that is named; a name that there is not is said, and the others are shown all the same. */
static int
show_named(const struct args *a, const char *array, const char *key, const char *act,
    void (*show)(FILE *out, const json_t *one, const json_t *status))
{
	int status = EX_OK;
	json_t *result = get_status(a, &status);

	if (result == NULL)
		return status;
	for (size_t i = 0; i < a->nnames; i++) {
		const json_t *one = find_named(result, array, key, a->names[i]);

		if (one == NULL) {
			say_unknown(array, key, act, a->names[i]);
			status = EX_USAGE;
		} else if (a->is_json) {
			put_json(one);
		} else {
			show(stdout, one, result);
		}
	}
	json_decref(result);
	return status != EX_OK ? status : done(stdout);
}

int
do_tenant(const struct args *a)
{
	return show_named(a, "tenants", "tenant", "purge", show_tenant);
}

int
do_sink(const struct args *a)
{
	return show_named(a, "sinks", "sink", "forget", show_sink);
}

/* ---- top --------------------------------------------------------------------------- */

/* Accepted a second, by each sink, since the status before. */
static void
show_rates(FILE *out, const json_t *before, const json_t *now)
{
	const json_t *sinks = json_object_get(now, "sinks"), *s;
	int64_t ticks = get_time(now, "now") - get_time(before, "now");
	size_t i;

	if (ticks <= 0)
		return;
	fputs("\naccepted a second:", out);
	json_array_foreach((json_t *)sinks, i, s) {
		const json_t *old = find_named(before, "sinks", "sink", get_text(s, "sink"));
		int64_t n = get_int(s, "accepted") - (old != NULL ? get_int(old, "accepted") : 0);

		fprintf(out, "\n  %-30.30s %8.1f", get_text(s, "sink"),
		    (double)n * TICKS_SEC / (double)ticks);
	}
	fputc('\n', out);
}

int
do_top(const struct args *a)
{
	json_t *before = NULL, *now;
	int status = EX_OK;

	for (;;) {
		now = get_status(a, &status);
		if (now == NULL)
			break;
		if (isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout);
		show_status(stdout, now);
		if (before != NULL)
			show_rates(stdout, before, now);
		json_decref(before);
		before = now;
		if (done(stdout) != EX_OK)
			break;
		sleep(TOP_EVERY_S);
	}
	json_decref(before);
	return status;
}
