/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <netdb.h>

#include "lib/base/err.h"

struct event_base;
struct resolver;
struct resolve_job;

/*
 * resolve: names to addresses without stopping the loop: getaddrinfo(3) on threads
 * of its own (for sinks; curl has its own), of which there are none while nobody asks.
 * A name that hangs keeps one thread and delays no other name (until dozens hang) and
 * never the loop; stopping does not wait for it.
 */
struct resolver *resolver_new(struct event_base *base);
/* Also from inside a resolve_cb; no callback comes any more. NULL is allowed. */
void resolver_free(struct resolver *r);

/* Exactly once, later. ai is freed by the resolver after the callback; NULL: err says why. */
typedef void resolve_cb(void *arg, const struct addrinfo *ai, const struct err *err);
struct resolve_job *resolve_start(struct resolver *r, const char *host, const char *port,
    int socktype, resolve_cb *cb, void *arg);
/* No callback any more. */
void resolve_cancel(struct resolve_job *job);

#endif
