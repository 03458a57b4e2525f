/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PURGE_H
#define PURGE_H

#include "daemon/delivery/delivery.h"
#include "daemon/errands.h"
#include "daemon/intake/intake.h"
#include "daemon/origins.h"

/*
 * purge: a customer leaves, and with it all that is kept of one of its tenants.
 *
 * Meanwhile that tenant is not read, and nothing of it is given to a sink; what a sink has just
 * now is waited for. One at a time. It knows nothing of where things are kept.
 *
 * Never blocks; goes on whether anybody looks or not, and after a restart from where it was.
 */
struct purge {
	struct origins *origins;
	struct errands *errands;
	struct journal *journal;
	struct intake *intake;
	struct delivery *delivery;
	void (*over)(void *arg); /* its streams may be said again */
	void *arg;
	bool is_under_way;
	char *key;               /* whose: "global/GUID" */
	struct journal_filter which;
};

struct purge_ask {
	const char *tenant;  /* as belongings_find() takes it */
	bool is_sure;        /* although it is configured */
};

/* Returns the number of its errand; 0: not begun, err says why. s: of now. */
uint64_t purge_begin(struct purge *p, const struct settings *s, const struct purge_ask *ask,
    struct err *err);
/* What was under way when msspd ended. The intake and the delivery are configured. */
void purge_resume(struct purge *p);
void purge_release(struct purge *p);

#endif
