/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEMBERS_H
#define MEMBERS_H

#include <jansson.h>

#include "lib/base/err.h"

/*
 * members: what the members of a request on the control socket are, by their names, whatever the verb.
 *
 * Knows nothing of what a verb does with them, or which it needs. Promise: what is there and of another
 * type is never taken for absent, for that may mean more than was asked for: all tenants instead of
 * one. null is absent. Pure.
 */
bool members_are_typed(const json_t *request, struct err *err) MUST_CHECK;

#endif
