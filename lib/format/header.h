/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEADER_H
#define HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/format/zone.h"
#include "lib/record/event.h"

/*
 * header: what stands before the message in a syslog line, and the framing
 * around it: RFC 5424, RFC 3164, RFC 6587.
 */
enum header_kind { HEADER_RFC5424, HEADER_RFC3164 };
enum framing { FRAMING_OCTET, FRAMING_LF, FRAMING_NONE /* a datagram each */ };

struct header_opts {
	enum header_kind kind;
	unsigned facility;    /* 0 to 23; 20 is local4 */
	const char *hostname; /* templates, see template.h */
	const char *app_name;
	const char *sd_id; /* RFC 5424 only: of the structured data; NULL: none */
	const char *host;  /* this machine's name, for {host}; NULL: none */
	unsigned pid;
	const struct zone *zone; /* RFC 3164 only; NULL: UTC */
};

/* "msspd@32473": a name of letters, digits, - and _, and a private enterprise number. */
bool header_sd_id_check(const char *text, struct err *err) MUST_CHECK;

/* Syslog severity by the event: high 3, medium 4, low 5, informational and unknown 6; a word of
 * next year, health and unreadable 4. */
unsigned header_severity(const struct event *ev);

/*
 * RFC 5424: "<164>1 2026-11-22T04:40:00.123456Z host app pid msgid - ", msgid
 * being the event's kind; at most six digits of fraction; where there is an sd_id, for the
 * dash [sd_id tenant="…" tenant_id="…" customer="…" stream="…" kind="…" severity="…"
 * event_id="…"], each only where it has a value. RFC 3164:
 * "<164>Nov 22 05:40:00 host " without a tag. The time is the event's
 * (as CEF's rt). Values are cut and cleaned to what the RFC allows; "-" (5424)
 * or the machine-safe "msspd" (3164) when nothing is left.
 */
void header_write(struct buf *out, const struct event *ev, const struct header_opts *opts);

/* One frame: octet counting "123 <message>", LF "<message>\n". The message has no LF in it. */
void frame_write(struct buf *out, struct str message, enum framing framing);

#endif
