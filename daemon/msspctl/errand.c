/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/msspctl/errand.h"

#include <stdint.h>
#include <unistd.h>

#include "daemon/msspctl/call.h"
#include "daemon/msspctl/fields.h"

#define LOOK_US 20000
#define MOST_US 500000

json_t *
errand_run(const struct args *a, json_t *taken_request, errand_progress *show, int *status)
{
	json_t *begun = call(a->socket, taken_request, status), *result;
	int64_t number = get_int(begun, "errand");
	useconds_t wait = LOOK_US;

	if (begun == NULL)
		return NULL;
	json_decref(begun);
	for (;;) {
		result = call(a->socket, json_pack("{s:s, s:I}", "verb", "errand", "errand",
		    (json_int_t)number), status);
		if (result == NULL || json_is_true(json_object_get(result, "ready")))
			return result;
		if (show != NULL)
			show(result);
		json_decref(result);
		usleep(wait);
		wait = wait * 2 < MOST_US ? wait * 2 : MOST_US;
	}
}
