/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H
#define HTTP_H

#include "daemon/engine.h"

/*
 * http: what is told of msspd over HTTP, to Prometheus, to whoever asks whether it is
 * well, and to people with a browser. The paths are the rows of a table in http.c.
 *
 * It changes nothing, and knows nothing of how things are found out. Promises
 *  - GET and HEAD only; a body, a header over 8 KiB and a Host that is not ours are refused
 *    (host.h); connections are few and not for ever (guests.h).
 *  - each answer is made at most once a second, however many ask, and sent from the one
 *    copy; who reads slowly delays nobody. At most BODIES_MOST copies are held.
 *  - an address that is taken stops nothing: it is reported and tried again.
 *
 * Cost: what the answer costs to be made, on the loop: some ms with a thousand tenants.
 */
struct http;

/* Listens nowhere yet. */
struct http *http_new(struct engine *e);
/* Before the engine is closed. NULL is fine. */
void http_free(struct http *h);
/* Listens where s says; connections to an address that stays live on. Keeps a reference. */
void http_configure(struct http *h, const struct settings *s);

#endif
