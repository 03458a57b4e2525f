/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ERRAND_H
#define ERRAND_H

#include <jansson.h>

#include "daemon/msspctl/args.h"

/*
 * errand: a request that the daemon answers later, by the number of an errand.
 */

/* Called now and then while it is not done. */
typedef void errand_progress(const json_t *so_far);

/* Asks until it is done. NULL: *status says why, and so was a person told. */
json_t *errand_run(const struct args *a, json_t *taken_request, errand_progress *show, int *status);

#endif
