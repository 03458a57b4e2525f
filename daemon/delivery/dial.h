/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIAL_H
#define DIAL_H

#include <stdint.h>

#include "daemon/env.h"
#include "lib/base/err.h"

/*
 * dial: a TCP connection to a name: looked up, its addresses tried in turn.
 *
 * It knows nothing of TLS or of what is said over the connection. Never blocks.
 */
struct dial;

struct dial_opts {
	const char *host, *port;
	int64_t timeout_ms;   /* for the lookup, and for each address */
	int64_t keepalive_ms; /* how soon a dead peer is noticed; 0: the system's way */
};

#define DIAL_PEER 80 /* room for "[2001:db8::1]:6514" */

/* Exactly once, later. fd is the callee's (non-blocking); -1: err says why. */
typedef void dial_cb(void *arg, int fd, const char *peer, const struct err *err);

/* opts and its strings are needed until the callback or dial_cancel(). */
struct dial *dial_start(const struct engine_env *env, const struct dial_opts *opts, dial_cb *cb,
    void *arg);
/* No callback any more. NULL is allowed. */
void dial_cancel(struct dial *d);

#endif
