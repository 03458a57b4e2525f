/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NAP_H
#define NAP_H

#include <stdbool.h>
#include <stdint.h>

struct event;
struct engine_env;

/*
 * nap: notices that the machine slept, or that the process stood still, for so long that
 * whoever is on the way may have forgotten its connections.
 *
 * It knows nothing of connections. It looks once a second while it is wanted, by a clock that goes
 * on while the machine sleeps.
 */
#define NAP_MS INT64_C(4000) /* less is a busy machine */

struct nap {
	struct event *tick;
	const struct engine_env *env;
	int64_t seen; /* mono ms: the last look */
	void (*woke)(void *arg, int64_t ms);
	bool (*is_wanted)(void *arg);
	void *arg;
	bool is_looking;
};

void nap_init(struct nap *n, const struct engine_env *env);
void nap_release(struct nap *n);
/* From now on, until it is not wanted any more. */
void nap_watch(struct nap *n);
/* A look at once. True: it was one, and woke() was told. */
bool nap_look(struct nap *n);

#endif
