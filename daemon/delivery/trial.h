/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIAL_H
#define TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/delivery/delivery.h"

/*
 * trial: one marked test record through a sink's own format and its own link, because a
 * person asks whether the far side takes it.
 *
 * It is in no journal: it goes before what waits, once, and is not tried again. It knows
 * nothing of protocols, and of what a verdict means only what the sink says of itself.
 *
 * Promises
 *  - it touches no entry, no order and no figure of the sink. Of a link that is down the
 *    next try comes at once instead of later.
 *  - one answer, within timeout_ms.
 */
#define TRIAL_TIMEOUT_MAX_MS (10 * 60 * 1000)

enum trial_end {
	TRIAL_ACCEPTED,   /* as this transport can know it: `means` */
	TRIAL_REJECTED,   /* never taken, and why */
	TRIAL_NOT_NOW,    /* it has a link, and does not take this one now */
	TRIAL_CUT,        /* the link ended: whether it arrived is not known */
	TRIAL_NO_LINK,    /* not sent: there is none, and why */
	TRIAL_PAUSED,     /* not sent: an operator paused the sink */
	TRIAL_BUSY,       /* not sent: it took nothing all that time */
	TRIAL_UNANSWERED, /* sent, and no answer in that time */
	TRIAL_GONE,       /* not sent: the sink is being taken out, or msspd stops */
	TRIAL_ENDS,
};

struct trial_ask {
	const char *sink;
	const char *to; /* of a sink that sends to recipients: who; else NULL */
	int64_t timeout_ms;
};

/* Texts are valid during the call. */
struct trial_answer {
	enum trial_end end;
	const char *sink, *kind;
	const char *to;        /* as configured; NULL */
	const char *event_id;  /* by which it is found at the far side; "": not sent */
	const char *why;       /* "": all is well */
	const char *means;     /* ACCEPTED: what that is worth, a sentence */
	bool is_acknowledged;  /* ACCEPTED: the far side said so itself */
	enum sink_link_state link;
	bool is_parked;        /* could not be opened */
	int64_t waited_ms;     /* until it was handed to the sink; all of it, where it was not */
	int64_t took_ms;       /* from then on; -1: not sent */
};
typedef void trial_cb(void *arg, const struct trial_answer *a);

/* cb comes once, later. False: there is no such sink, it knows no such recipient, or one is
 * under way. */
bool delivery_try(struct delivery *d, const struct trial_ask *ask, trial_cb *cb, void *arg,
    struct err *err) MUST_CHECK;

#endif
