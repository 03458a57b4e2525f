/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEMBERS_H
#define MEMBERS_H

#include <jansson.h>
#include <stdint.h>

#include "lib/base/err.h"

/*
 * members: what a verb of the control socket takes, whether a request has that and nothing else, and
 * what it has.
 *
 * Knows nothing of what a verb does with them, or which it needs. Promise: what is there by another
 * name, of another type or below 0 is never taken for absent, for that may mean more than was asked
 * for: all tenants instead of one. null is absent. Pure.
 */
struct members {
	const char *texts[5], *numbers[6], *bools[2]; /* each NULL-ended; besides "verb" */
};

bool members_check(const json_t *request, const char *verb, const struct members *takes,
    struct err *err) MUST_CHECK;

/* What it has by that name; NULL where that is absent or no text. Lives as long as the request. */
const char *members_text(const json_t *request, const char *key);
/* Likewise; 0 where that is absent, no number or below 0. */
uint64_t members_number(const json_t *request, const char *key);

#endif
