/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/delivery/dial.h"
#include "daemon/delivery/tls.h"
#include "daemon/env.h"

/*
 * stream: one TCP or TLS connection to one server, to which bytes are written
 * and from which nothing but its end is awaited.
 *
 * It knows nothing of syslog, frames or entries.
 *
 * Promises
 *  - up is reported when bytes may be written: after TLS's handshake, and with a
 *    certificate of ours only when the server has answered it (a session ticket)
 *    or kept silent for half a second: TLS 1.3 servers refuse it after a good handshake.
 *  - reading is always on: an end by the peer is noticed at once.
 *  - stream_acknowledged() never says more than the peer's TCP has.
 *
 * All callbacks come later, from the loop, never from inside a call made here.
 */
struct stream;

struct stream_opts {
	struct dial_opts dial;
	SSL_CTX *tls; /* NULL: plain TCP. A reference is taken */
	const struct tls_opts *tls_opts;
	size_t low;   /* `writable` comes when no more bytes than this wait */
};

struct stream_user {
	/* note: "10.0.0.1:6514, TLSv1.3". */
	void (*up)(void *arg, const char *note);
	/* It could not be made or has ended, also while finishing; close it. */
	void (*down)(void *arg, bool is_refused, const struct err *err);
	void (*writable)(void *arg);
	/* After stream_finish(): the peer has read everything and closed after us. */
	void (*finished)(void *arg);
};

/* opts (but not what tls points to) and user are needed until stream_close(). */
struct stream *stream_open(const struct engine_env *env, const struct stream_opts *opts,
    const struct stream_user *user, void *arg);
/* At once; no more callbacks. NULL is allowed. May be called from a callback. */
void stream_close(struct stream *s);

/* Only while up. */
void stream_write(struct stream *s, const void *p, size_t n);
/* Bytes that wait in this process. */
size_t stream_pending(const struct stream *s);
/* Offset in what was written up to which the peer's TCP has it. */
uint64_t stream_acknowledged(const struct stream *s);
/* Nothing is known against it now. False also while something unread is there: ask again. */
bool stream_is_healthy(const struct stream *s);

/* Writes what waits, closes our side in order, and waits for the peer to do the same. */
void stream_finish(struct stream *s);

#endif
