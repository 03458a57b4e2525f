/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/ocsf_parts.h"
#include "lib/format/shape_table.h"

/* Events that are no alerts one could read: unreadable ones, health, canaries. */

/* ---- a finding of which too little is known ---------------------------------------- */

#define S struct unreadable
const struct shape_row ocsf_unreadable_rows[] = {
	CONST("severity", "High"),
	NUMBER("severity_id", 4),
	CONST("message", "An alert that msspd could not read, and keeps in quarantine"),
	CONST("status", "Unknown"),
	NUMBER("status_id", 0),
	OPEN("finding_info"),
	WHOLE("uid", id, "the alert's id where it was found, else the text's SHA-256"),
	TEXT("title", title, "title, where it was found"),
	CONST("title", "Unreadable alert"),
	TEXT("desc", why, "what is wrong with it"),
	TIME("created_time", created, "createdDateTime, where it was found"),
	TIME("modified_time", updated, "lastUpdateDateTime, where it was found"),
	CALL("src_url", ocsf_link, "made of tenant and id"),
	CLOSE,
	END,
};

const struct shape_row ocsf_unreadable_least_rows[] = {
	CONST("severity", "High"),
	NUMBER("severity_id", 4),
	OPEN("finding_info"),
	WHOLE("uid", id, NULL),
	TEXT("title", title, NULL),
	CONST("title", "Unreadable alert"),
	CLOSE,
	END,
};
#undef S

/* ---- health ---------------------------------------- */

static const struct ocsf_word severities[] = {
	[HEALTH_WELL] = { 1, STR_INIT("Informational") },
	[HEALTH_NOTICE] = { 2, STR_INIT("Low") },
	[HEALTH_PROBLEM] = { 3, STR_INIT("Medium") },
	[HEALTH_ALARM] = { 4, STR_INIT("High") },
};

static void
put_severity(struct shape *s, const struct shape_row *row, const void *base)
{
	ocsf_word(s, shape_row_name(row), STR("severity"),
	    severities[((const struct health *)base)->level]);
}

static void
put_status(struct shape *s, const struct shape_row *row, const void *base)
{
	bool is_well = ((const struct health *)base)->level == HEALTH_WELL;

	ocsf_word(s, shape_row_name(row), STR("status"),
	    is_well ? (struct ocsf_word){ 1, STR("Success") }
		    : (struct ocsf_word){ 2, STR("Failure") });
}

static void
put_raw(struct shape *s, const struct shape_row *row, const void *base)
{
	(void)base;
	shape_put_json(s, shape_row_name(row), ocsf_of(s)->ev->record->raw);
}

#define S struct health
const struct shape_row ocsf_health_rows[] = {
	CALL("severity_id", put_severity, "the level: well 1, notice 2, problem 3, alarm 4"),
	TEXT("message", summary, "what happened, in a line"),
	CONST("message", "msspd health"),
	CALL("status_id", put_status, "well: 1 Success, else 2 Failure"),
	TEXT("status_code", state, "the state"),
	TEXT("status_detail", what, "what happened, and why"),
	TIME("start_time", since, "since when"),
	END,
};

const struct shape_row ocsf_health_unmapped_rows[] = {
	TEXT("remedy", remedy, "what to do"),
	TEXT("was", was, "the state before"),
	CALL("health", put_raw, "all of it, as the raw format shows it"),
	END,
};
#undef S

/* ---- canaries ---------------------------------------- */

#define S struct canary
const struct shape_row ocsf_canary_rows[] = {
	CONST("severity", "Informational"),
	NUMBER("severity_id", 1),
	TEXT("message", summary, "which sink it is for, and why it was sent"),
	CONST("message", "msspd canary"),
	TEXT("status_detail", purpose, "canary: by itself; test: a person asked for it"),
	END,
};
#undef S
