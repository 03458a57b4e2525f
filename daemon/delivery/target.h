/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/config/option.h"

/*
 * target: the servers of a syslog sink, read from "tls://siem.example:6514".
 *
 * It knows nothing of sockets. All servers of one sink make the same promise:
 * streams (tcp, tls) or datagrams (udp, unix), never both.
 */
enum transport { TRANSPORT_UDP, TRANSPORT_UNIX, TRANSPORT_TCP, TRANSPORT_TLS };

struct target {
	enum transport transport;
	char *text; /* as it is written in the configuration */
	char *host; /* name or address without brackets; unix: the path */
	char *port; /* unix: NULL */
};

struct targets {
	struct target *v;
	size_t n;
};

static inline bool
transport_is_stream(enum transport t)
{
	return t == TRANSPORT_TCP || t == TRANSPORT_TLS;
}

/* Nothing is left behind on failure. */
bool targets_parse(struct targets *ts, const struct conf_list *servers, struct err *err) MUST_CHECK;
void targets_release(struct targets *ts);

#endif
