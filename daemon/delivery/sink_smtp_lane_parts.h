/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_SMTP_LANE_PARTS_H
#define SINK_SMTP_LANE_PARTS_H

#include <curl/curl.h>

#include "daemon/delivery/sink_smtp_lane.h"
#include "daemon/intake/fetch_pool.h"
#include "daemon/nap.h"
#include "daemon/timer.h"
#include "lib/base/buf.h"

/*
 * lane_parts: what the files of a lane share; private to them.
 *
 *   sink_smtp_lane.c     its life, and what is said of each mail
 *   sink_smtp_connect.c  curl: connecting, TLS, authentication
 *   sink_smtp_judge.c    what an end means, and its words
 */
#define LANE_SOCKETS 8 /* that curl tries at a time, for a name with many addresses */

struct lane {
	const struct engine_env *env;
	const struct lane_opts *opts;
	lane_end_cb *cb;
	void *arg;
	struct fetch_pool *pool;
	CURL *easy;
	char *url;
	struct curl_slist *connect_to;
	int sockets[LANE_SOCKETS];
	size_t nsockets;
	bool is_in_pool;
	bool is_connected;
	struct event *io;      /* of the connection, when it is ours */
	bool wants_write;
	bool needs_reset;      /* the last mail was not told to its end */
	struct timer timeout;  /* of a mail, or of being idle */
	struct nap nap;

	/* Of the mail that is under way: */
	bool is_busy, is_probe;
	bool is_fresh;         /* its connection was made for it */
	bool has_slept;        /* the machine, since it began */
	const char *from, *to;
	struct str message;
	enum lane_phase phase;
	struct buf out;        /* what is being said */
	size_t sent;

	unsigned reply;        /* the last; 0: none since the last command */
	unsigned replies;      /* to this mail */
	unsigned lines;        /* of the reply that is coming */
	bool is_reply_over;    /* the next line begins another */
	struct buf line, text; /* text: of the last reply */
	char detail[CURL_ERROR_SIZE];
};

/* ---- sink_smtp_connect.c ---- */

/* Sets the handle up for connecting; what curl and the server say is noted in l. */
bool connect_set_up(struct lane *l, struct err *err) MUST_CHECK;
/* Once the connection is gone: credentials, of which curl has copies, go as well. */
void connect_forget(struct lane *l);
void connect_write_url(struct lane *l);
/* From here on curl finds the connection ended, whatever it wants to wait for. */
void connect_cut(struct lane *l);
/* One line of a reply: "250-SIZE", "550 5.1.1 no such user". */
void connect_note_reply(struct lane *l, const char *p, size_t n);

/* ---- sink_smtp_judge.c ---- */

bool lane_is_tls_refusal(CURLcode code);
const char *lane_phase_text(enum lane_phase phase);
void lane_explain(const struct lane *l, CURLcode code, struct err *err);

#endif
