/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_SMTP_CONF_H
#define SINK_SMTP_CONF_H

#include "daemon/delivery/sink_smtp_lane.h"
#include "daemon/delivery/sink_smtp_rules.h"
#include "lib/config/option.h"
#include "lib/format/mail.h"

/*
 * sink_smtp_conf: the options of the mail sink, and what they mean together.
 * It knows nothing of connections.
 */
struct smtp_tls {
	int mode; /* enum lane_tls */
	struct tls_opts opts;
};

/* Templates of the user's own, by enum mail_template_kind: text here, or the name of a file. */
#define MAIL_TEMPLATES (MAIL_DIGEST_HTML + 1)

struct sink_smtp_conf {
	char *server, *username, *helo;
	struct conf_list password_file, oauth_token_file;
	int auth;
	struct smtp_tls tls;
	char *from, *list_id, *limit;
	char *templates[MAIL_TEMPLATES]; /* NULL: ours */
	const struct node *rules_tree;   /* gone after read() */
	struct smtp_rules rules;
	int64_t connections, connect_timeout_ms, timeout_ms, replay_digest_ms;
};

extern const struct conf_opt sink_smtp_options[];

/* Members of the sink's kind. */
void sink_smtp_read(void *conf, const struct sink_reading *r);
const struct match *const *sink_smtp_wants(const void *conf, size_t *n);
bool sink_smtp_check(const void *conf, void (*warn)(void *arg, const char *text), void *arg,
    struct err *err);

void sink_smtp_check_origin(const void *conf, const struct origin *o,
    void (*warn)(void *arg, const char *text), void *arg);

/* ---- sink_smtp_held.c: what waits for a digest, for people ---- */

void sink_smtp_held(const void *conf, const char *memo, sink_held_cb *say, void *arg);
bool sink_smtp_cancel_held(const void *conf, const char *memo, const char *what, struct buf *out,
    bool *is_left);

/* ---- for the sink ---- */

/* Where the server is, as lanes want it. o->host, from malloc, is the caller's. */
bool sink_smtp_server(const struct sink_smtp_conf *c, const char *hostname, struct lane_opts *o,
    char **host, struct err *err) MUST_CHECK;

/* Reads the templates; NULL where there is none. False and nothing kept when one is wrong. */
bool sink_smtp_templates(const struct sink_smtp_conf *c, struct mail_template *out[MAIL_TEMPLATES],
    struct err *err) MUST_CHECK;

#endif
