/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_QUERY_H
#define FAKE_GRAPH_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "tests/fake_graph/options.h"
#include "tests/fake_graph/world.h"

/*
 * query: what a client asks of alerts_v2, read from the query string.
 *
 * $filter (filter.h); $orderby of either time, asc or desc; $top, $skip, $count;
 * $skiptoken as this server made it; $select is not heeded. Other options that
 * begin with $ are an error.
 */
struct expr;

/* Where the last page ended. */
struct place {
	int64_t stamp;
	uint64_t tie;
};

struct query {
	struct arena arena;
	const struct expr *filter; /* NULL: all */
	bool by_created, is_descending;
	unsigned top, skip;
	bool has_top, wants_count, has_place, wants_evidence;
	bool is_mde; /* of Defender for Endpoint's list */
	struct place place; /* of the $skiptoken */
};

/* How one tenant's endpoint behaves. */
struct policy {
	enum paging paging;
	enum obey orderby, filter;
	unsigned max_top;
	bool is_mde; /* of Defender for Endpoint: no $orderby, any $skip */
};

/* text: the query string as it came. False: err is a message for the 400. */
bool query_parse(struct query *q, struct str text, const struct policy *p, struct err *err);
void query_release(struct query *q);

bool query_matches(const struct query *q, const struct version *v);
/* All that matches lies in [*lo, *hi] by the time that the query orders by. */
void query_bounds(const struct query *q, int64_t *lo, int64_t *hi);

/* The next "name=value" of a query string or form, decoded into a; false at the end. */
bool query_next(struct str *rest, struct arena *a, struct str *name, struct str *value);

#endif
