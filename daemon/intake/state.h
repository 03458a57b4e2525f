/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/intake/token.h"
#include "lib/record/health.h"

/*
 * state: the states that reading a tenant can be in, in words that an analyst can
 * act on, and what follows from each: how bad it is, how soon it is tried again,
 * what a person can do.
 *
 * It knows nothing of pollers, of requests and of who is told. Pure.
 *
 * In rising order: of a tenant that is read for several streams the state is that
 * of the stream with the highest.
 */
enum tenant_state {
	TENANT_STARTING, /* not read yet */
	TENANT_HEALTHY,
	TENANT_BEHIND,      /* reading a backlog */
	TENANT_PAUSED,      /* the journal is full or failed: nobody's fault at the tenant */
	TENANT_THROTTLED,   /* 429 */
	TENANT_CLOCK_OFF,   /* read, but the clocks are more than CLOCK_OFF_SEC apart */
	TENANT_UNREACHABLE, /* network, TLS, 5xx */
	TENANT_GARBLED,     /* answers that make no sense */
	TENANT_NOT_READ,    /* for too long, whatever the reason */
	/* Parked: nothing gets better before a person does something. */
	TENANT_BLOCKED,    /* by the tenant's Conditional Access */
	TENANT_NO_LICENCE, /* for what is asked of the API */
	TENANT_NOT_ONBOARDED,
	TENANT_CONSENT_WITHDRAWN, /* as before, but it was read once */
	TENANT_WRONG_CLOUD,       /* no such tenant in this cloud */
	TENANT_REFUSED,           /* credentials */
	TENANT_STATES,
};

struct tenant_state_kind {
	const char *name;
	enum health_level level;
	int64_t base_ms, cap_ms; /* of the backoff; 0: it is not trouble that backs off */
	const char *remedy;      /* a sentence for people; "" when there is nothing to do */
};
extern const struct tenant_state_kind tenant_states[TENANT_STATES];

/* What is not well, and so worth a record when it lasts. */
bool state_is_ill(enum tenant_state state);
/* It is read, or will be as soon as msspd itself can: worth waiting for. */
bool state_is_read(enum tenant_state state);
/* Tried again slowly; a change of the configuration tries it at once. */
bool state_is_parked(enum tenant_state state);

/* was_read: some page of it was stored, in this run or an earlier one. */
enum tenant_state state_of_token(enum token_trouble trouble, bool was_read);
/* The API answered 403. has_role: its token names the right, or cannot be looked into. */
enum tenant_state state_of_forbidden(bool has_role, bool was_read);

#define CLOCK_OFF_SEC 60
/*
 * How many seconds the server's clock is ahead of ours (negative: behind) beyond
 * doubt, 0 when it is at most CLOCK_OFF_SEC. date: the answer's, which has whole
 * seconds and was made some time between the request's start and now; all in ticks.
 */
int64_t state_clock_off(int64_t date, int64_t began, int64_t now);

#endif
