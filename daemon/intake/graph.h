/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAPH_H
#define GRAPH_H

#include "daemon/intake/fetch.h"
#include "daemon/intake/streams.h"
#include "lib/policy/paging.h"

/*
 * graph: how an API of Microsoft's is asked for a stream, and what its answers mean.
 *
 * It knows URLs, status codes and error bodies; nothing of tenants, of waiting
 * and of paging's reasons. Pure.
 */

/* The API's root, that links must stay below: "https://graph.microsoft.com/v1.0/security/". */
void graph_root(struct buf *out, const struct app *app, enum api api);
/* The URL of a request that is not a link. */
void graph_url(struct buf *out, const struct app *app, const struct stream_kind *kind,
    const struct paging_ask *ask);
/* Likewise, by when its items were created, and without what only forwarding needs. */
void graph_created_url(struct buf *out, const struct app *app, const struct stream_kind *kind,
    const struct paging_ask *ask);

enum graph_answer {
	GRAPH_PAGE, /* 200 with JSON: let the splitter judge */
	GRAPH_TOO_LARGE,
	GRAPH_ORDER_REFUSED, /* 400 that speaks of orderby */
	GRAPH_BAD_REQUEST,   /* another 400 */
	GRAPH_UNAUTHORIZED,  /* 401: the token */
	GRAPH_FORBIDDEN,     /* 403: consent, licence */
	GRAPH_THROTTLED,     /* 429 */
	GRAPH_BROKEN,        /* 500, 504, cut short: the server, or this place of the list */
	GRAPH_DOWN,          /* no answer, 502, 503 and others */
	GRAPH_ODD,           /* 2xx that is no page, a redirect, 404 */
};
/* why: a sentence part with code and message of the error body, for people, without tokens. */
enum graph_answer graph_judge(const struct fetch_reply *reply, struct str body,
    const struct paging_ask *ask, struct err *why);

/* A fresh random GUID, as for client-request-id; out has room for 37. */
void graph_request_id(char out[37]);

#endif
