/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_SMTP_PARTS_H
#define SINK_SMTP_PARTS_H

#include "daemon/delivery/fifo.h"
#include "daemon/delivery/sink_smtp_bundle.h"
#include "daemon/delivery/sink_smtp_conf.h"
#include "daemon/delivery/sink_smtp_crowd.h"
#include "daemon/delivery/sink_smtp_post.h"
#include "daemon/delivery/sink_smtp_told.h"
#include "daemon/delivery/sink_smtp_zones.h"
#include "daemon/hush.h"

/*
 * sink_smtp_parts: what the files of the mail sink share; private to them.
 *
 *   sink_smtp.c         its life
 *   sink_smtp_take.c    entries that are handed to it: which rules, which recipients, now or later
 *   sink_smtp_write.c   mails and digests, as they are made
 *   sink_smtp_link.c    how mails end, and the link with them
 *   sink_smtp_settle.c  what is said of each entry when all of it has come to something
 *
 * Promises
 *  - what is in memory is bounded: mails by number and bytes, digests that are made by number,
 *    entries and their recipients by SMTP_CROWD_MAX, half of it for one customer. What is
 *    over stays in the journal, and comes when there is room: nothing is dropped.
 */
#define SMTP_LETTERS_MAX 1024 /* that wait for a lane: no more is taken meanwhile */
#define SMTP_BYTES_MAX   (8 * 1024 * 1024)
#define SMTP_CROWD_MAX   65536 /* an entry counts one, and one for each of its recipients */
#define SMTP_BUNDLES_MAX 1024
#define SMTP_SUSPECTS    64

/* An entry that is looked at again later, as it came. */
struct smtp_aside {
	uint64_t ticket;
	char *memo; /* NULL: none */
};

struct sink {
	const struct engine_env *env;
	struct sink_owner *owner;
	const struct sink_smtp_conf *conf;
	char *host, *from;
	struct lane_opts lane_opts;
	struct mail_template *templates[MAIL_TEMPLATES];
	struct mail_style *styles; /* by rule */
	struct zones zones;
	struct post *post;
	struct desks *desks;
	struct bundles bundles;
	struct told_set told;

	struct entries entries;  /* with open legs */
	struct entries complete; /* to be reported in the next turn */
	struct fifo aside;       /* struct smtp_aside: likewise */
	struct crowd crowd;      /* of all entries above */
	bool is_up, is_draining, wants_ready;

	/* The link is going down: when nothing is under way any more. */
	bool is_ending, is_refused;
	struct err why;

	/* Mails in the middle of which a connection ended: the second time it is the mail's own fault. */
	uint64_t suspects[SMTP_SUSPECTS];
	size_t next_suspect;
	struct memo memo; /* of the entry that is looked at */
	struct hush hush;
};

/* ---- sink_smtp_take.c ---- */
size_t smtp_take(struct sink *s, const struct sink_item *items, size_t n);

/* ---- sink_smtp_write.c ---- */
size_t smtp_rule_number(const struct sink *s, const struct smtp_rule *rule);
struct mail_item smtp_item_of(struct sink *s, const struct event *ev);
void smtp_send_alone(struct sink *s, const struct smtp_leg *to, const struct event *ev,
    struct entry *e, size_t leg);
/* A bundle is complete; it is not called from inside send(). */
bundle_full_cb smtp_on_bundle;

/* ---- sink_smtp_link.c ---- */
post_end_cb smtp_on_ended;
post_probe_cb smtp_on_probed;
/* When the last mail that is under way has ended, so that none is sent twice. */
void smtp_finish_ending(struct sink *s);

/* ---- sink_smtp_settle.c ---- */

/* There is room again, where somebody waits for it. */
void smtp_tell_ready(struct sink *s);
/* What is complete, in the next turn. */
void smtp_report_later(struct sink *s);
void smtp_put_aside(struct sink *s, const struct sink_item *item);
/* After its last leg came to something. */
void smtp_end_leg(struct sink *s, const struct letter_leg *at, enum leg_state state,
    const char *why);
/* All of its legs. err: of LATER and DEAD. */
void smtp_end_letter(struct sink *s, struct letter *l, enum leg_state state,
    const struct err *err);
/* Nothing is under way or waits any more. */
void smtp_clear(struct sink *s, bool may_report);

#endif
