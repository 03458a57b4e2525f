/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INCIDENT_H
#define INCIDENT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/str.h"
#include "lib/record/seen.h"

/*
 * incident: what Microsoft puts alerts together to: microsoft.graph.security.incident,
 * by its names in Graph. A record of its own; its alerts are not in it, they name it
 * themselves (alert.incident_id), and may name another one when it was merged.
 *
 * It knows nothing of JSON, and of which incidents there were before.
 */
enum incident_status {
	INCIDENT_UNKNOWN,
	INCIDENT_ACTIVE,
	INCIDENT_IN_PROGRESS,
	INCIDENT_AWAITING_ACTION,
	INCIDENT_RESOLVED,
	INCIDENT_REDIRECTED, /* merged into redirect_id */
	INCIDENT_OTHER,
};

struct alert_comment;

struct incident {
	struct str id, name, description, summary;
	struct str assigned_to, classification, determination;
	struct str tenant_id, web_url, redirect_id, resolving_comment, last_modified_by;
	struct str severity_text, status_text; /* as they came */
	enum severity severity;
	enum incident_status status;
	int64_t priority;          /* RECORD_NO_NUMBER: none */
	int64_t created, updated;  /* ticks */
	const struct str *custom_tags, *system_tags;
	size_t ncustom_tags, nsystem_tags;
	const struct alert_comment *comments;
	size_t ncomments;
};

#endif
