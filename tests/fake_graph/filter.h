/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_FILTER_H
#define FAKE_GRAPH_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "tests/fake_graph/world.h"

/*
 * filter: OData's $filter as far as clients of alerts_v2 use it.
 *
 * lastUpdateDateTime and createdDateTime with eq ne gt ge lt le and a bare
 * date-time; severity and status with eq ne and a quoted word; and, or, not,
 * parentheses. Everything else is an error, as with Graph.
 */
struct expr;

/* In the arena; NULL: err is a message for the 400. */
const struct expr *filter_read(struct str text, struct arena *arena, struct err *err);
bool filter_matches(const struct expr *e, const struct version *v);
/* Narrows [*lo, *hi] to where matches can lie by one of the two times. */
void filter_bounds(const struct expr *e, bool by_created, int64_t *lo, int64_t *hi);

#endif
