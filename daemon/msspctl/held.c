/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/msspctl/held.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "daemon/msspctl/each.h"
#include "daemon/msspctl/errand.h"
#include "daemon/msspctl/fields.h"

static json_t *
ask(const struct args *a, json_t *taken_request, int *status)
{
	return errand_run(a, taken_request, &(struct errand){ .kind = ERRAND_HELD }, status);
}

/* Times are cut to the second: "2026-11-01T08:00:00". */
static void
print_one(const json_t *h)
{
	printf("%6" PRId64 "  due %.19s  %-10s  %s\n", get_int(h, "events"), get_text(h, "due"),
	    get_text(h, "why"), get_text(h, "id"));
}

int
do_held(const struct args *a)
{
	int status = EX_OK;
	json_t *request = json_pack("{s:s}", "verb", "held"), *result;
	const json_t *list;

	if (a->nnames > 1) {
		json_decref(request);
		fputs("msspctl: held wants one sink, or none for all\n", stderr);
		return EX_USAGE;
	}
	if (a->nnames == 1)
		json_object_set_new(request, "sink", json_string(a->names[0]));
	result = ask(a, request, &status);
	if (result == NULL)
		return status;
	list = json_object_get(result, "held");
	if (a->is_json) {
		json_dumpf(result, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (json_array_size(list) == 0) {
		puts("nothing is held");
	}
	for (size_t i = 0; !a->is_json && i < json_array_size(list); i++)
		print_one(json_array_get(list, i));
	if (!a->is_json && json_is_true(json_object_get(result, "more")))
		puts("and more than is looked at");
	json_decref(result);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int
cancel_one(const struct args *a, const char *id, const void *unused)
{
	int status = EX_OK;
	json_t *result = ask(a, json_pack("{s:s, s:s}", "verb", "held-cancel", "id", id), &status);

	(void)unused;
	if (result == NULL)
		return status;
	printf("%s: %" PRId64 " taken back\n", id, get_int(result, "cancelled"));
	status = get_int(result, "cancelled") == 0 ? EX_DATAERR : EX_OK;
	json_decref(result);
	return status;
}

int
do_held_cancel(const struct args *a)
{
	return for_each_name(a, cancel_one, NULL);
}
