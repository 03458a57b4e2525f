/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FETCH_BODY_H
#define FETCH_BODY_H

#include "lib/base/buf.h"
#include "lib/base/inflate.h"

/*
 * fetch_body: pieces of an answer's body as they come from the network, decoded
 * into the memory of whoever wants it. Inside fetch only; knows nothing of curl.
 */
enum fetch_coding {
	CODING_NONE,
	CODING_GZIP,
	CODING_ODD, /* one that was not asked for */
};

enum fetch_body_says {
	BODY_GOES_ON,
	BODY_FULL, /* there is more of it than `into` takes */
	BODY_DAMAGED,
	BODY_REFUSED, /* by on_more */
};

/*
 * Appends to into what piece says; z: NULL where it is not encoded. on_more, which may
 * be NULL, is called when something was appended: again and again for a piece that
 * decodes to much, so that it is never far behind.
 */
enum fetch_body_says fetch_body_add(struct buf *into, struct inflate *z, struct str piece,
    bool (*on_more)(void *arg), void *arg);

#endif
