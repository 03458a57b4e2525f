/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>

#include "daemon/delivery/sink_syslog_conf.h"
#include "lib/base/buf.h"
#include "lib/format/format.h"
#include "lib/format/header.h"

/*
 * line: an event as the bytes of one syslog message: header, format, framing.
 * Knows nothing of connections.
 */
struct line {
	const struct format *format;
	struct format_opts format_opts;
	struct header_opts header;
	enum framing framing;
	size_t max; /* of the message, without framing */
	struct zone *zone;
	struct buf message; /* reused */
};

#define LINE_MIN      480   /* what every receiver takes: RFC 5424 section 6.1 */
#define LINE_MAX_UDP  65487 /* a UDP datagram over IPv6, and so over IPv4 */

/* host: this machine's name. ERR_CONF: a value that is not usable. */
bool line_init(struct line *l, const struct sink_syslog_conf *c, const char *host,
    enum transport transport, struct err *err) MUST_CHECK;
void line_release(struct line *l);
/* Appends one frame of at most max bytes (plus framing) to out; nothing on failure (ERR_PERM). */
bool line_write(struct line *l, struct buf *out, const struct event *ev, size_t max,
    struct err *err) MUST_CHECK;

#endif
