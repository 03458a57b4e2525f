/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_PAGE_H
#define FAKE_GRAPH_PAGE_H

#include "lib/base/buf.h"
#include "tests/fake_graph/query.h"
#include "tests/fake_graph/world.h"

/*
 * page: the alerts that answer a query, and the JSON around them.
 */

struct page {
	struct version **v; /* shown versions, owned by their alerts */
	size_t n, total;    /* total: with $count */
	bool has_more;
};

/* What faults do to a page. */
struct bend {
	const char *next;      /* said instead of the true nextLink */
	const char *tenant_id; /* raw JSON in place of the alerts' own */
	bool only_first;       /* only in the first alert */
	bool is_empty;         /* nothing, but a link to the true first page */
	size_t fat;            /* bytes added to each alert */
};

/* How the page is to be said. */
struct page_view {
	const char *url;  /* http://host:port */
	const char *path; /* of the request */
	struct str query; /* of the request, as it came */
	enum paging paging;
	const char *list; /* "alerts_v2", for the context */
	bool has_newer_enums, is_bench;
	bool link_first; /* nextLink before value, as Graph mostly does */
	const struct bend *bend;
};

void page_select(struct page *p, const struct tenant *t, const struct query *q);
void page_release(struct page *p);
/* One of the page's, the i-th, as the bend wants it; tenant_key: which member names its tenant. */
void page_put_bent(
    struct buf *b, struct str body, const char *tenant_key, size_t i, const struct bend *bend);
void page_render(
    struct buf *b, const struct page *p, const struct query *q, const struct page_view *view);

#endif
