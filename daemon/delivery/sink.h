/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_H
#define SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/config/option.h"
#include "lib/record/event.h"

/*
 * sink: one place that alerts are delivered to. A kind of sink is one file that
 * exports one const struct sink_kind and nothing else; a sink says what happened,
 * delivery.c alone decides what to do about it: backoff, order, dead letters, metrics.
 *
 * All calls in both directions are on the loop's thread and never wait. What a
 * sink reports (sink_result, sink_link, sink_ready) may come from inside none of
 * the calls made to it: it is always later.
 */
struct sink;
struct sink_owner; /* delivery's side */
struct conf;
struct node;
struct match;
struct engine_env; /* loop, timers, clock: daemon/env.h */

enum sink_verdict {
	SINK_OK,     /* accepted by the far side, as this transport can know it */
	SINK_RETRY,  /* not now: this entry and later ones of its alert wait, others go on */
	SINK_REJECT, /* never: dead letter, with the reason */
	SINK_HOLD,   /* kept by the journal until due, with the sink's memo; holds back nothing */
};

enum sink_link_state {
	SINK_DOWN,    /* the connection ended or could not be made: tried again with backoff */
	SINK_UP,      /* send() may be called */
	SINK_REFUSED, /* like down, but it is our certificate, name or right that is refused: an alarm */
};

struct sink_item {
	uint64_t ticket; /* names the item in sink_result(); unique for the life of the sink */
	struct event event; /* valid during send(), with all it points to; copy what is needed longer */
	unsigned tries;
	const char *memo; /* of an earlier HOLD; NULL */
	const char *only_to; /* of a test: to this recipient, whatever the rules say; NULL */
};

/* What a sink reads trees with; what it makes of them lives in conf->arena. */
struct sink_reading {
	const struct conf *conf;
	const struct match *(*read_match)(void *arg, const struct node *n); /* NULL: wrong, reported */
	void *arg;
};

/* what: by which people know it; why: in words; due: ticks. */
typedef void sink_held_cb(void *arg, const char *what, const char *why, int64_t due);

struct sink_kind {
	const char *name, *help;
	const struct conf_opt *opts; /* its own options, stored into a struct of conf_size */
	size_t conf_size;
	unsigned default_kinds;      /* bits 1 << enum event_kind that it takes when match does not say */

	/* Reads its options of type TREE into conf, after all others; what is wrong is reported by
	 * conf_error(). The trees go when the configuration is made. NULL: it has none. */
	void (*read)(void *conf, const struct sink_reading *r);

	/* The matches of which an event must pass one to be routed here, besides the sink's own; from
	 * what read() made, and as long as conf lives. NULL: every event may come. */
	const struct match *const *(*wants)(const void *conf, size_t *n);

	/* Checks what one option alone cannot show. Called by -n as well. Warnings (a
	 * transport without a promise) go through warn, any number. NULL: nothing to check. */
	bool (*check)(const void *conf, void (*warn)(void *arg, const char *text), void *arg,
	    struct err *err);

	/* Warns where an event of that origin could find nobody to go to. NULL: it always does. */
	void (*check_origin)(const void *conf, const struct origin *o,
	    void (*warn)(void *arg, const char *text), void *arg);

	/* Makes the sink; conf lives as long as it does. No network yet. ERR_CONF when
	 * a file it names cannot be used. */
	struct sink *(*open)(const struct engine_env *env, struct sink_owner *owner, const char *name,
	    const void *conf, struct err *err);

	/* Bring the link up: exactly one sink_link() answers. Called once after open and,
	 * with backoff, after each DOWN or REFUSED. */
	void (*start)(struct sink *s);

	/* Takes a prefix of the items (their count is returned); 0: full, sink_ready() later.
	 * Each item taken gets exactly one sink_result(), unless the link goes down or cancel comes. */
	size_t (*send)(struct sink *s, const struct sink_item *items, size_t n);

	/* Stopping: finish what can be finished at once (close in order so that the far
	 * side confirms); then sink_drained(). No more send(). At most until delivery loses patience. */
	void (*drain)(struct sink *s);

	/* No more reports of any kind; what has no result was not sent. NULL: nothing to do. */
	void (*cancel)(struct sink *s);

	/* What an entry of such a memo waits for, one by one: for people. NULL: it never holds. */
	void (*held)(const void *conf, const char *memo, sink_held_cb *say, void *arg);
	/* The memo without that (`what` as held() says it) into out. False: it was not in it. *is_left:
	 * the entry waits for something else, or somebody else. Where held() is. */
	bool (*cancel_held)(const void *conf, const char *memo, const char *what, struct buf *out,
	    bool *is_left);

	/* What SINK_OK is worth on the link as it is: a sentence. *is_acknowledged: the far side has
	 * said it itself. NULL: nothing is known of that. */
	const char *(*means)(const struct sink *s, bool *is_acknowledged);

	/* Says all recipients that it knows for events of that origin, as configured. NULL: it sends to
	 * one place. */
	void (*recipients)(const void *conf, const struct origin *o,
	    void (*say)(void *arg, const char *to), void *arg);

	/* Re-open files, re-read certificates and secrets (SIGHUP). NULL: nothing to do. */
	void (*refresh)(struct sink *s);

	/* Frees it; called after cancel or drained, never from inside its own report. */
	void (*close)(struct sink *s);
};

/* What a sink tells delivery. sink_link(DOWN or REFUSED) voids every ticket without a
 * result: delivery hands those entries out again, in order, after the next UP.
 * err says why; with UP it may name the far side ("connected to …"), or be NULL; NULL
 * with DOWN: no fault, the sink ended the link itself and wants start() at once. */
void sink_result(struct sink_owner *o, uint64_t ticket, enum sink_verdict v, int64_t due,
    const char *memo, const struct err *err);
/* Many tickets at once, all OK: the common case. */
void sink_accepted(struct sink_owner *o, const uint64_t *tickets, size_t n);
void sink_link(struct sink_owner *o, enum sink_link_state state, const struct err *err);
void sink_ready(struct sink_owner *o);
void sink_drained(struct sink_owner *o);
const struct log_ctx *sink_log(const struct sink_owner *o);

extern const struct sink_kind sink_syslog, sink_kafka, sink_smtp, sink_file;
/* NULL-ended. Registering a kind is one line here. */
extern const struct sink_kind *const sink_kinds[];

#endif
