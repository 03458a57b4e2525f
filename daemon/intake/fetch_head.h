/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FETCH_HEAD_H
#define FETCH_HEAD_H

#include "daemon/intake/fetch.h"
#include "daemon/intake/fetch_body.h"

/*
 * fetch_head: the head of an answer, line by line, into a fetch_reply. Inside
 * fetch only; knows nothing of curl. Pure; lines and their number are bounded.
 */
#define FETCH_HEAD_LINES 200
#define FETCH_HEAD_BYTES (64 * 1024)

struct fetch_head {
	unsigned lines;
	size_t bytes;
	char retry_after[64]; /* as it came: Date may come after it */
	enum fetch_coding coding;
};

/* One line with or without its end. False: the head is too large. A status line starts anew. */
bool fetch_head_line(struct fetch_head *h, struct str line, struct fetch_reply *reply) MUST_CHECK;
/* The head is complete: what needs several fields. now: ticks, where there is no Date. */
void fetch_head_end(const struct fetch_head *h, struct fetch_reply *reply, int64_t now);

#endif
