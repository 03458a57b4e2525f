/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FETCH_NAP_H
#define FETCH_NAP_H

#include <stdbool.h>
#include <stdint.h>

struct event;
struct engine_env;

/*
 * fetch_nap: notices that the machine slept, or that the process stood still, for so long that
 * whoever is on the way may have forgotten its connections. Inside fetch only.
 *
 * It knows nothing of requests. It looks once a second while it is wanted, by a clock that goes
 * on while the machine sleeps.
 */
#define FETCH_NAP_MS INT64_C(4000) /* less is a busy machine */

struct fetch_nap {
	struct event *tick;
	const struct engine_env *env;
	int64_t seen; /* mono ms: the last look */
	void (*woke)(void *arg, int64_t ms);
	bool (*is_wanted)(void *arg);
	void *arg;
	bool is_looking;
};

void fetch_nap_init(struct fetch_nap *n, const struct engine_env *env);
void fetch_nap_release(struct fetch_nap *n);
/* From now on, until it is not wanted any more. */
void fetch_nap_watch(struct fetch_nap *n);
/* A look at once. True: it was one, and woke() was told. */
bool fetch_nap_look(struct fetch_nap *n);

#endif
