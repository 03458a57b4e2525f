/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/nap.h"

#include <event2/event.h>

#include "daemon/env.h"
#include "lib/base/alloc.h"

#define TICK_MS INT64_C(1000)

static void
set_tick(struct nap *n)
{
	struct timeval tv = { .tv_sec = TICK_MS / 1000 };

	n->is_looking = evtimer_add(n->tick, &tv) == 0;
}

static void
nap_on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct nap *n = arg;

	(void)fd;
	(void)what;
	(void)nap_look(n);
	n->is_looking = false;
	if (n->is_wanted(n->arg))
		set_tick(n);
}

void
nap_init(struct nap *n, const struct engine_env *env)
{
	n->env = env;
	n->is_looking = false;
	n->tick = evtimer_new(env->base, nap_on_tick, n);
	BUG_IF(n->tick == NULL);
}

void
nap_release(struct nap *n)
{
	event_free(n->tick);
}

void
nap_watch(struct nap *n)
{
	if (n->is_looking)
		return;
	n->seen = clock_mono(n->env->clock);
	set_tick(n);
}

bool
nap_look(struct nap *n)
{
	int64_t now = clock_mono(n->env->clock), passed = now - n->seen;

	if (!n->is_looking)
		return false;
	n->seen = now;
	if (passed < NAP_MS + TICK_MS)
		return false;
	n->woke(n->arg, passed);
	return true;
}
