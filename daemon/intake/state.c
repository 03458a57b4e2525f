/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/state.h"

#include "lib/base/ticks.h"

#define SEC  INT64_C(1000)
#define MIN  (60 * SEC)
#define HOUR (60 * MIN)

#define CONSENT \
	"Have an administrator of the customer open the consent link and agree. It is tried " \
	"again by itself within the hour, or at once after msspctl reload."

const struct tenant_state_kind tenant_states[TENANT_STATES] = {
	[TENANT_STARTING] = { "starting", HEALTH_WELL, 0, 0, "" },
	[TENANT_HEALTHY] = { "healthy", HEALTH_WELL, 0, 0, "" },
	[TENANT_BEHIND] = { "behind", HEALTH_NOTICE, 0, 0,
	    "Nothing, while it catches up; where it does not, raise the tenant's budget or "
	    "page_size." },
	[TENANT_PAUSED] = { "paused", HEALTH_NOTICE, 5 * SEC, 5 * SEC,
	    "See what the journal and the sinks say: sinks have to take their backlog, or the disk "
	    "needs room." },
	[TENANT_THROTTLED] = { "throttled", HEALTH_NOTICE, 10 * SEC, MIN,
	    "Nothing, while it passes; where it lasts, look who else reads this tenant with the "
	    "same app, or lower the tenant's budget." },
	[TENANT_CLOCK_OFF] = { "clock off", HEALTH_PROBLEM, 0, 0,
	    "Set the clock of this machine by NTP: with many tenants at once it is ours that is "
	    "wrong." },
	[TENANT_UNREACHABLE] = { "unreachable", HEALTH_PROBLEM, 5 * SEC, 5 * MIN,
	    "Look at the network, the DNS, the proxy and the firewall of this machine, then at "
	    "Microsoft's service health." },
	[TENANT_GARBLED] = { "garbled", HEALTH_PROBLEM, 5 * SEC, 5 * MIN,
	    "Look for a proxy that answers in Microsoft's place; else ask Microsoft, with the "
	    "request-id from the log." },
	[TENANT_NOT_READ] = { "not read", HEALTH_PROBLEM, 0, 0,
	    "See msspctl status and the log of msspd for what keeps this tenant from being "
	    "read." },
	[TENANT_BLOCKED] = { "blocked by conditional access", HEALTH_PROBLEM, 5 * MIN, HOUR,
	    "Have the customer allow the app in its Conditional Access policies for workload "
	    "identities, with the address that msspd comes from." },
	[TENANT_NO_LICENCE] = { "no licence", HEALTH_PROBLEM, 5 * MIN, HOUR,
	    "Ask the customer whether its licence for Microsoft Defender ended or was never "
	    "there." },
	[TENANT_NOT_ONBOARDED] = { "not onboarded", HEALTH_PROBLEM, 5 * MIN, HOUR, CONSENT },
	[TENANT_CONSENT_WITHDRAWN] = { "consent withdrawn", HEALTH_PROBLEM, 5 * MIN, HOUR,
	    "Ask the customer whether that is meant. If it is, take the tenant out of the "
	    "configuration. If not, an administrator of the customer opens the consent link and "
	    "agrees." },
	[TENANT_WRONG_CLOUD] = { "wrong cloud", HEALTH_PROBLEM, 5 * MIN, HOUR,
	    "Compare the tenant's id with the customer's, and the cloud of the tenant's app: each "
	    "national cloud needs an app of its own." },
	[TENANT_REFUSED] = { "credentials refused", HEALTH_PROBLEM, 5 * MIN, HOUR,
	    "Put a valid credential of the app where the configuration says; then msspctl "
	    "reload." },
};

bool
state_is_ill(enum tenant_state state)
{
	return tenant_states[state].level != HEALTH_WELL;
}

bool
state_is_read(enum tenant_state state)
{
	return state <= TENANT_PAUSED || state == TENANT_CLOCK_OFF;
}

bool
state_is_parked(enum tenant_state state)
{
	return state >= TENANT_BLOCKED;
}

enum tenant_state
state_of_token(enum token_trouble trouble, bool was_read)
{
	switch (trouble) {
	case TOKEN_OK:
	case TOKEN_UNREACHABLE:
		return TENANT_UNREACHABLE;
	case TOKEN_REFUSED:
		return TENANT_REFUSED;
	case TOKEN_NOT_ONBOARDED:
		return was_read ? TENANT_CONSENT_WITHDRAWN : TENANT_NOT_ONBOARDED;
	case TOKEN_WRONG_CLOUD:
		return TENANT_WRONG_CLOUD;
	case TOKEN_NO_LICENCE:
		return TENANT_NO_LICENCE;
	case TOKEN_BLOCKED:
		return TENANT_BLOCKED;
	case TOKEN_GARBLED:
		return TENANT_GARBLED;
	}
	return TENANT_GARBLED;
}

enum tenant_state
state_of_forbidden(bool has_role, bool was_read)
{
	if (has_role)
		return TENANT_NO_LICENCE;
	return was_read ? TENANT_CONSENT_WITHDRAWN : TENANT_NOT_ONBOARDED;
}

int64_t
state_clock_off(int64_t date, int64_t began, int64_t now)
{
	int64_t ahead, behind;

	if (date == TICKS_NONE)
		return 0;
	ahead = (date - now) / TICKS_SEC;
	behind = (began - (date + TICKS_SEC)) / TICKS_SEC;
	if (ahead > CLOCK_OFF_SEC)
		return ahead;
	return behind > CLOCK_OFF_SEC ? -behind : 0;
}
