/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ERRAND_H
#define ERRAND_H

#include <jansson.h>
#include <stdint.h>

#include "daemon/msspctl/args.h"

/*
 * errand: a request that the daemon answers later: it gives a number at once, and says by that what
 * came of it. Blocks meanwhile. It knows nothing of what is asked.
 */
enum errand_kind {
	ERRAND_JOURNAL, /* what the journal's thread does: letters, purges */
	ERRAND_HELD,    /* what a mail sink holds; an answer is due within half a minute */
	ERRAND_TEST,    /* a test of a sink; within its time, and a little more */
};

struct errand {
	enum errand_kind kind;
	int64_t timeout_ms; /* of a test */
	/* Called now and then while it is not done; NULL. */
	void (*show)(const json_t *so_far);
};

/* Asks until it is done. NULL: *status says why, and so was a person told. */
json_t *errand_run(const struct args *a, json_t *taken_request, const struct errand *e, int *status);

#endif
