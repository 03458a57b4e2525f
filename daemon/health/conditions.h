/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONDITIONS_H
#define CONDITIONS_H

#include "daemon/delivery/delivery.h"
#include "lib/record/health.h"

/*
 * conditions: how the journal and the link of a sink can be, each with its name, how bad that is, and
 * what a person can do: the one place for status, metrics, health records and the page.
 *
 * Knows nothing of how it is found out, or told. Tables that never change; any thread.
 */
struct words {
	const char *name;
	enum health_level level;
	const char *remedy;
};

enum link_condition {
	LINK_UP,
	LINK_DOWN,
	LINK_REFUSED,
	LINK_PARKED, /* the sink cannot be opened */
	LINK_PAUSED, /* by an operator */
	LINK_CONDITIONS,
	LINK_GONE = LINK_CONDITIONS, /* it is not configured any more */
};

extern const struct words link_conditions[LINK_CONDITIONS + 1];
/* By enum journal_state. */
extern const struct words journal_conditions[JOURNAL_FAILED + 1];

enum link_condition link_condition(bool is_parked, bool is_held, enum sink_link_state link);

#endif
