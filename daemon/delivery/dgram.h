/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DGRAM_H
#define DGRAM_H

#include <stddef.h>

#include "daemon/env.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * dgram: a UDP or unix datagram socket connected to one receiver.
 *
 * It knows nothing of syslog. It promises no delivery: a datagram that the kernel
 * took is gone. Nothing waits in it.
 */
struct dgram;

struct dgram_user {
	void (*up)(void *arg, const char *note);
	void (*down)(void *arg, const struct err *err); /* could not be made; close it */
	void (*writable)(void *arg);                    /* after DGRAM_FULL */
};

enum dgram_sent {
	DGRAM_SENT,
	DGRAM_FULL,    /* the kernel has no room: `writable` comes */
	DGRAM_TOO_BIG, /* never in this size */
	DGRAM_FAILED,  /* the receiver is gone: close it */
};

/* port NULL: host is the path of a unix socket. Both are needed until it is up. Callbacks come later. */
struct dgram *dgram_open(const struct engine_env *env, const char *host, const char *port,
    const struct dgram_user *user, void *arg);
/* No more callbacks. NULL is allowed. May be called from a callback. */
void dgram_close(struct dgram *g);

enum dgram_sent dgram_send(struct dgram *g, struct str bytes, struct err *err);

#endif
