/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/health/conditions.h"

const struct words link_conditions[LINK_CONDITIONS + 1] = {
	[LINK_UP] = { "up", HEALTH_WELL, "" },
	[LINK_DOWN] = { "down", HEALTH_ALARM,
	    "Look at the receiver and at the way to it. Nothing is lost: what waits is kept and "
	    "sent when it is up again." },
	[LINK_REFUSED] = { "refused", HEALTH_ALARM,
	    "Look at the certificates and names of both sides. Nothing is lost: what waits is "
	    "kept and sent when it is accepted." },
	[LINK_PARKED] = { "parked", HEALTH_ALARM,
	    "Mend what the reason names: a folder, a file, a right. What waits is kept." },
	[LINK_PAUSED] = { "paused", HEALTH_NOTICE,
	    "An operator paused it; msspctl resume sink has it go on. What waits is kept." },
	[LINK_GONE] = { "not configured", HEALTH_NOTICE,
	    "Nothing, if it left on purpose: what waits for it is let go after forget_after. If not, "
	    "configure it again by the same name." },
};

const struct words journal_conditions[JOURNAL_FAILED + 1] = {
	[JOURNAL_OK] = { "ok", HEALTH_WELL, "" },
	[JOURNAL_PAUSED] = { "paused", HEALTH_ALARM,
	    "See which sink has not taken its backlog, make room on the disk, or give the journal more "
	    "(journal.max_size). No alert is lost while Microsoft keeps it; reading goes on by itself." },
	[JOURNAL_FAILED] = { "failed", HEALTH_ALARM,
	    "Look at the disk of state_dir (room, rights, errors) and at the log of msspd. It is tried "
	    "again by itself." },
};

enum link_condition
link_condition(bool is_parked, bool is_held, enum sink_link_state link)
{
	if (is_parked)
		return LINK_PARKED;
	if (is_held)
		return LINK_PAUSED;
	switch (link) {
	case SINK_UP:
		return LINK_UP;
	case SINK_DOWN:
		return LINK_DOWN;
	case SINK_REFUSED:
		return LINK_REFUSED;
	}
	return LINK_DOWN;
}
