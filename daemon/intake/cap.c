/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/cap.h"

static void
cap_on_timer(void *arg)
{
	struct cap *c = arg;

	scheduler_go_on(c->scheduler);
}

static bool
cap_allows(void *arg)
{
	struct cap *c = arg;
	int64_t ms;

	if (c->budget.most == 0)
		return true;
	ms = budget_take(&c->budget, 0, clock_mono(c->env->clock));
	if (ms > 0)
		timer_set(c->env->timers, &c->timer, ms);
	return ms == 0;
}

void
cap_init(struct cap *c, const struct engine_env *env, struct scheduler *s)
{
	*c = (struct cap){ .env = env, .scheduler = s };
	timer_init(&c->timer, cap_on_timer, c);
	scheduler_ask_first(s, cap_allows, c);
}

void
cap_release(struct cap *c)
{
	timer_unset(c->env->timers, &c->timer);
}

void
cap_configure(struct cap *c, int64_t per_minute)
{
	int64_t now = clock_mono(c->env->clock);

	if (c->budget.most == 0 && per_minute != 0)
		budget_init(&c->budget, per_minute, BUDGET_MINUTE, now);
	else if (c->budget.most != 0 && per_minute != 0)
		budget_change(&c->budget, per_minute, now);
	else
		c->budget.most = 0;
	timer_unset(c->env->timers, &c->timer);
	scheduler_go_on(c->scheduler);
}
