/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECEIVER_H
#define RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "lib/base/buf.h"

struct event_base;

/*
 * receiver: a syslog receiver on loopback, in the test's own loop: it reads frames
 * as a real one does, and does what real ones do to us: close in the middle of a
 * frame, stop reading, vanish, refuse certificates.
 *
 * What it was sent and had not read when it vanished is lost, as in a real one
 * that is killed. A frame counts when it is whole and has been read.
 */
enum receiver_framing { RECEIVE_LF, RECEIVE_OCTET };

struct receiver {
	struct event_base *base;
	SSL_CTX *tls;                  /* NULL: plain. The receiver's */
	enum receiver_framing framing;
	unsigned port;
	int room;                      /* SO_RCVBUF, before it listens; 0: the system's */
	const char *unix_path;

	/* What it shall do; a test changes it while it runs. */
	int64_t close_after;           /* bytes of a connection, then it vanishes; -1: never */
	bool is_stopped;               /* reads nothing */
	bool closes_at_once;           /* accepts and closes */

	/* What came. */
	size_t connections, now;       /* ever, and open */
	size_t frames, torn;           /* whole ones; ones that are not one whole message */
	char why_torn[200];
	char last[2048];               /* the last whole frame */
	uint8_t *seen;                 /* by version number of the rig's entries */
	size_t nseen, max_seen;        /* different ones */
	size_t ends_in_order;          /* connections that we closed and it had read to the end */
	void *connections_list;
	int fd;
	struct event *on_accept;
};

void receiver_init(struct receiver *r, struct event_base *base, enum receiver_framing framing,
    SSL_CTX *taken_tls, size_t max_seen);
void receiver_release(struct receiver *r);
/* Listens on 127.0.0.1; port 0: any free one. False: in use. */
bool receiver_listen(struct receiver *r, unsigned port);
void receiver_listen_udp(struct receiver *r);
void receiver_listen_unix(struct receiver *r, const char *path);
/* No new connections any more (they are refused). */
void receiver_deaf(struct receiver *r);
/* All connections vanish now, with what they have not read. */
void receiver_vanish(struct receiver *r);
/* After is_stopped was unset. */
void receiver_go_on(struct receiver *r);

#endif
