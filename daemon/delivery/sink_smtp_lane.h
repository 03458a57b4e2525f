/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_SMTP_LANE_H
#define SINK_SMTP_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/delivery/tls.h"
#include "daemon/env.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

/*
 * lane: one connection to a mail server, over which one mail after the other
 * goes to one recipient each. The only part of the sink that knows curl, which
 * connects, secures and authenticates; the mails are told here (RFC 5321), since
 * curl would wait for the answer to each with the loop standing still.
 *
 * It knows nothing of alerts, rules and who is to get what.
 *
 * Promises
 *  - each mail and each probe ends once, later, never from inside the call that began it.
 *  - the connection is kept between mails and made anew when it is gone, was idle for
 *    long, or does not answer soon after the machine slept. The server is told QUIT and
 *    never waited for.
 *  - credentials are read when they are needed and are in no error.
 */
enum lane_tls { LANE_TLS_STARTTLS, LANE_TLS_OFF };

struct lane_opts {
	bool is_implicit_tls;     /* smtps:// */
	int mode;                 /* enum lane_tls, where TLS is not implicit */
	const char *host;         /* an IPv6 address without brackets */
	bool is_ipv6;
	unsigned port;
	const char *helo;         /* what we call ourselves; NULL: curl's choice */
	const char *username;     /* NULL: no authentication */
	const char *password_file, *token_file; /* daemon/secret.h; one of them */
	const char *login_options; /* curl's: "AUTH=PLAIN;AUTH=LOGIN" */
	const struct tls_opts *tls;
	int64_t connect_timeout_ms, timeout_ms;
};

enum lane_end {
	LANE_ACCEPTED, /* the server has taken the mail; of a probe: all is well */
	LANE_LATER,    /* it does not take it now (4xx) */
	LANE_NEVER,    /* it will never take it (5xx) */
	LANE_CUT,      /* the connection ended in the middle of the mail */
	LANE_DOWN,     /* no connection, or a server that has no time for us */
	LANE_REFUSED,  /* certificate, credentials or sender are not accepted */
};

struct lane;

/* err: what the server said, or what went wrong; NULL with ACCEPTED. note, with a
 * probe that is ACCEPTED: "mx.example:587 (TLSv1.3)". */
typedef void lane_end_cb(void *arg, struct lane *l, enum lane_end end, const char *note,
    const struct err *err);

/* opts, and all that it points to, outlive the lane. */
struct lane *lane_new(const struct engine_env *env, const struct lane_opts *opts, lane_end_cb *cb,
    void *arg);
/* Not from inside its callback; what is under way ends without one. */
void lane_free(struct lane *l);

bool lane_is_busy(const struct lane *l);
/* Connects, greets, authenticates. Not while busy. */
void lane_probe(struct lane *l);
/* from and to: bare addresses. message: a whole one, lines end with CRLF. All of them
 * stay until it ends. Not while busy. */
void lane_send(struct lane *l, const char *from, const char *to, struct str message);
/* Ends what is under way, without a callback, and the connection. */
void lane_cancel(struct lane *l);

/* ---- for its test ------------------------------------------------------------ */

/* What was said last when a mail ended, by RFC 5321's commands. */
enum lane_phase {
	PHASE_CONNECT, /* the server greets */
	PHASE_HELLO,
	PHASE_STARTTLS,
	PHASE_AUTH,
	PHASE_NOOP,
	PHASE_MAIL,
	PHASE_RCPT,
	PHASE_DATA,
	PHASE_BODY,
	PHASE_RSET,
	PHASE_QUIT,
};

struct lane_facts {
	enum lane_phase phase;
	unsigned reply; /* the server's last, 0: none */
	bool is_done;   /* all was said and accepted */
	bool is_tls_refused, is_login_refused;
};
enum lane_end lane_judge(const struct lane_facts *f);

#endif
