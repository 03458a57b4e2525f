/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FETCH_ANSWER_H
#define FETCH_ANSWER_H

#include <curl/curl.h>

#include "daemon/intake/fetch.h"
#include "daemon/intake/fetch_head.h"
#include "daemon/intake/fetch_spares.h"
#include "daemon/intake/fetch_trouble.h"

/*
 * fetch_answer: the answer to one request, from its first line to what is told
 * of it: head, decoding, limits, and why it ended. Inside fetch only.
 *
 * It knows nothing of when a request begins, of other requests, or of how it is
 * cancelled. What comes goes to the callbacks of the request while it comes.
 */
/* Why we ended a transfer ourselves. */
enum fetch_stop {
	STOP_NONE,
	STOP_HEAD,
	STOP_CODING,
	STOP_DAMAGED,
	STOP_TOO_LARGE,
	STOP_REFUSED,
	STOP_ENOUGH
};

struct fetch_answer {
	const struct fetch_req *req; /* lives as long */
	struct fetch_spares *spares;
	CURL *easy;
	bool is_unwanted; /* set by the owner: nothing more of it is told */
	struct fetch_reply reply;
	struct buf body; /* for on_done */
	/* While it comes. */
	struct fetch_head head;
	enum fetch_stop stop;
	struct buf *into;  /* where the body goes; NULL: it has not begun */
	struct inflate *z; /* NULL: it comes as it is */
	uint64_t came;     /* of the body, as it is on the wire */
};

void fetch_answer_init(struct fetch_answer *a, const struct fetch_req *req, struct fetch_spares *spares);
/* Wipes what it holds. */
void fetch_answer_release(struct fetch_answer *a);

/* Has the handle give what comes to a, which stays where it is. */
void fetch_answer_watch(struct fetch_answer *a, CURL *easy);
/* It came to its end as curl says in `end`; now: ticks. Completes reply, but for took_ms. */
void fetch_answer_end(struct fetch_answer *a, const struct fetch_trouble *end, int64_t now);

#endif
