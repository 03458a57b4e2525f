/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENV_H
#define ENV_H

#include "lib/base/clock.h"

struct event_base;
struct loop;
struct timers;
struct resolver;

/*
 * env: what everything that waits is given at birth: the loop, the timers, the
 * clock, the resolver. Owned by the engine, outlives all who hold it. Tests make
 * their own with a clock that they turn.
 */
struct engine_env {
	struct event_base *base;
	struct loop *loop;         /* daemon/loop.h: deferred calls and frees */
	struct timers *timers;     /* daemon/timer.h */
	struct resolver *resolver; /* daemon/resolve.h */
	const struct clock *clock;
	const char *hostname;      /* of this machine, for templates */
	const char *instance;      /* of this msspd, may be "" or NULL */
};

#endif
