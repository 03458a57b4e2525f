/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/record/event.h"

/* How configurations, formats and Graph spell what we number. */

const char *const severity_names[] = {
	[SEVERITY_UNKNOWN] = "unknown",
	[SEVERITY_INFORMATIONAL] = "informational",
	[SEVERITY_LOW] = "low",
	[SEVERITY_MEDIUM] = "medium",
	[SEVERITY_HIGH] = "high",
	[SEVERITY_OTHER] = "other",
	NULL,
};

const char *const status_names[] = {
	[STATUS_UNKNOWN] = "unknown",
	[STATUS_NEW] = "new",
	[STATUS_IN_PROGRESS] = "inProgress",
	[STATUS_RESOLVED] = "resolved",
	[STATUS_OTHER] = "other",
	NULL,
};

const char *const part_names[PART_COUNT + 1] = {
	[PART_SEVERITY] = "severity",
	[PART_STATUS] = "status",
	[PART_VERDICT] = "verdict",
	[PART_ASSIGNEE] = "assignee",
	[PART_INCIDENT] = "incident",
	[PART_EVIDENCE] = "evidence",
	[PART_REMEDIATION] = "remediation",
	[PART_COMMENT] = "comment",
	[PART_OTHER] = "other",
};

const char *const kind_names[KIND_COUNT + 1] = {
	[KIND_NEW] = "new",
	[KIND_ESCALATED] = "escalated",
	[KIND_UPDATED] = "updated",
	[KIND_RESOLVED] = "resolved",
	[KIND_REOPENED] = "reopened",
	[KIND_HEALTH] = "health",
	[KIND_CANARY] = "canary",
	[KIND_UNREADABLE] = "unreadable",
};
