/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/msspctl/errand.h"

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/msspctl/call.h"
#include "daemon/msspctl/fields.h"

#define LOOK_MS 20
#define MOST_MS 200

/* By enum errand_kind. What is due and does not come is late, as a person is told. */
static const struct {
	const char *number, *verb; /* its member, and who is asked by it */
	int64_t due_ms;            /* besides the time that was given; of what is never late, 0 */
	const char *late;
} kinds[] = {
	[ERRAND_JOURNAL] = { "errand", "errand", 0, NULL },
	[ERRAND_HELD] = { "look", "held-result", 30000, "the journal does not answer" },
	[ERRAND_TEST] = { "test", "test-sink-result", 5000,
	    "msspd does not say what became of the test" },
};

static bool
is_late(const struct errand *e, int64_t waited_ms)
{
	int64_t due_ms = kinds[e->kind].due_ms;

	return due_ms != 0 && waited_ms >= e->timeout_ms + due_ms;
}

static json_t *
await(const struct args *a, int64_t number, const struct errand *e, int *status)
{
	const char *key = kinds[e->kind].number, *verb = kinds[e->kind].verb;
	int64_t waited_ms = 0, pause_ms = LOOK_MS;
	json_t *result;

	for (;;) {
		result = call(a->socket, json_pack("{s:s, s:I}", "verb", verb, key, (json_int_t)number),
		    status);
		if (result == NULL || json_is_true(json_object_get(result, "ready")))
			return result;
		if (e->show != NULL)
			e->show(result);
		json_decref(result);
		if (is_late(e, waited_ms))
			break;
		usleep((useconds_t)pause_ms * 1000);
		waited_ms += pause_ms;
		pause_ms = pause_ms * 2 < MOST_MS ? pause_ms * 2 : MOST_MS;
	}
	fprintf(stderr, "msspctl: %s\n", kinds[e->kind].late);
	*status = EX_TEMPFAIL;
	return NULL;
}

json_t *
errand_run(const struct args *a, json_t *taken_request, const struct errand *e, int *status)
{
	json_t *begun = call(a->socket, taken_request, status);
	int64_t number = get_int(begun, kinds[e->kind].number);

	if (begun == NULL)
		return NULL;
	json_decref(begun);
	return await(a, number, e, status);
}
