/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAP_H
#define CAP_H

#include "daemon/env.h"
#include "daemon/intake/scheduler.h"
#include "daemon/timer.h"
#include "lib/policy/budget.h"

/*
 * cap: how many requests a minute are started for all tenants together, at most.
 *
 * It stands before the scheduler's places, so that where it holds requests back those who
 * are due still go before backlogs, and those before sweeps. It knows nothing of tenants,
 * APIs and what is asked. Inside the intake only; from the loop only.
 */
struct cap {
	const struct engine_env *env;
	struct scheduler *scheduler;
	struct timer timer;
	struct budget budget; /* most 0: no cap */
};

void cap_init(struct cap *c, const struct engine_env *env, struct scheduler *s);
void cap_release(struct cap *c);
/* 0: as many as the tenants' own budgets allow. */
void cap_configure(struct cap *c, int64_t per_minute);

#endif
