/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_RAW_H
#define FAKE_GRAPH_RAW_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/http.h>

#include "lib/base/buf.h"

/*
 * raw: an answer that bends the rules of HTTP, and ends its connection.
 *
 * It takes a connection away from evhttp: sends bytes (dripping, if asked), then
 * fill spaces, then the tail, then closes; or keeps silent until the client goes.
 */
struct raw;

struct raw_set {
	struct raw *first;
};

struct raw_script {
	struct buf bytes; /* taken */
	struct buf tail;  /* taken */
	uint64_t fill;
	int drip_ms;       /* per byte; 0: all at once */
	bool never_closes; /* hangs behind the last byte */
	bool resets;       /* ends with a TCP reset */
};

/* Takes the request, its connection and what script holds. */
void raw_start(struct raw_set *set, struct event_base *base, struct evhttp_request *req,
    struct raw_script *script);
/* Forgets them; the connections are evhttp's to free. */
void raw_set_release(struct raw_set *set);

#endif
