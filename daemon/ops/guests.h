/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUESTS_H
#define GUESTS_H

#include <stddef.h>

#include "daemon/env.h"

/*
 * guests: the connections of one evhttp, of which there are never more than GUESTS_MOST,
 * and none for ever: evhttp itself has no such limits.
 *
 * It knows nothing of what is asked for. Promises
 *  - where GUESTS_MOST are connected nobody is accepted, and who comes waits in the kernel.
 *  - a guest that completes no request in GUESTS_PATIENCE_MS is shown the door: one that
 *    sends its header a byte at a time, one that does not read, one that is idle.
 *  - where nobody can be accepted (no descriptor is left) that is tried once a second.
 *
 * Loop's thread only. Looks at its guests once a second.
 */
struct guests;
struct evhttp;
struct evconnlistener;
struct evhttp_request;

#define GUESTS_MOST        32
#define GUESTS_PATIENCE_MS 75000

/* From now on; freed after the evhttp. */
struct guests *guests_new(const struct engine_env *env, struct evhttp *http, struct evconnlistener *l);
void guests_free(struct guests *g);

/* A whole request has come: its answer is written, or the guest's time is over. */
void guests_serve(struct guests *g, struct evhttp_request *req);

#endif
