/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_SMTP_POST_H
#define SINK_SMTP_POST_H

#include "daemon/delivery/sink_smtp_lane.h"
#include "lib/base/buf.h"

/*
 * post: mails on their way to one server: a queue that is fair between
 * customers, and a bounded number of lanes.
 *
 * It knows nothing of alerts and rules, and decides nothing: it says how each mail
 * ended. One customer's thousand mails delay another's by the mails that are
 * under way, no more; and a recipient that is slow never has the last of several lanes.
 */
struct post;

/* letter: as post_add() was given it. err: NULL with ACCEPTED. */
typedef void post_end_cb(void *arg, void *letter, enum lane_end end, const struct err *err);
/* How a probe ended; note as lane's. */
typedef void post_probe_cb(void *arg, enum lane_end end, const char *note, const struct err *err);

struct post_user {
	post_end_cb *ended;
	post_probe_cb *probed;
	void *arg;
};

/* opts and from (a bare address) outlive it. Begins nothing before post_go(). */
struct post *post_new(const struct engine_env *env, const struct lane_opts *opts, size_t nlanes,
    const char *from, const struct post_user *user);
/* Not from inside a callback, and when it is clear. */
void post_free(struct post *p);

/* Only while it stands still and none is under way. */
void post_probe(struct post *p);
/* Begins mails, and the next as those end; or no more, and those under way end. */
void post_go(struct post *p);
void post_stand(struct post *p);

/* to: a bare address; message: its memory moves to the post. */
void post_add(struct post *p, const char *customer, struct str to, struct buf *message,
    void *letter);

bool post_is_idle(const struct post *p); /* nothing is under way */
size_t post_letters(const struct post *p); /* waiting or under way */
size_t post_bytes(const struct post *p);
size_t post_of_customer(const struct post *p, const char *customer); /* waiting */

/* Forgets all of them, also what is under way; no callback comes, each letter is given to forget. */
void post_clear(struct post *p, void (*forget)(void *letter));

#endif
