/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBE_H
#define PROBE_H

#include "daemon/env.h"
#include "daemon/intake/token.h"
#include "daemon/settings.h"

/*
 * probe: whether one tenant can be read, step by step: names, TLS, token, whose token it
 * is, roles, a read of one item of each stream, the clock, the sinks. For each step what
 * was seen, and where it failed what to do next.
 *
 * It asks by the modules that the daemon asks by (fetch, token, graph, split, streams), so
 * that what works here works there. Nothing is stored, nothing is sent to a sink. What a
 * failed step makes pointless is skipped.
 *
 * Asynchronous; each request has the configuration's request_timeout.
 */
enum probe_outcome { PROBE_OK, PROBE_FAILED, PROBE_SKIPPED };
extern const char *const probe_outcomes[]; /* by enum */

struct probe_step {
	const char *name; /* "name", "TLS", "token", "tid", "role", "read", "clock", "sinks" */
	enum probe_outcome outcome;
	char *text;       /* what was seen */
	char *todo;       /* what to do next; "" */
	int status;       /* a failed one's exit code: sysexits.h */
};

struct probe_needs {
	const struct engine_env *env;
	struct fetcher *fetcher;
	struct tokens *tokens;
	const struct settings *settings;
};

struct probe;

/* moved comes after each step and once after the last; then the probe is over. From inside
 * it nothing may be freed. */
struct probe *probe_start(const struct probe_needs *needs, const struct tenant *t,
    void (*moved)(void *arg), void *arg);
/* Ends what is under way. NULL is allowed. */
void probe_free(struct probe *p);

const struct tenant *probe_tenant(const struct probe *p);
bool probe_is_over(const struct probe *p);
const struct probe_step *probe_step(const struct probe *p, size_t i); /* NULL behind the last */
/* The greatest status of its failed steps, 0 when there is none. */
int probe_status(const struct probe *p);

#endif
