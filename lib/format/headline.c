/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/escape.h"
#include "lib/format/headline.h"
#include "lib/format/product.h"

static const struct {
	const char *vendor, *product, *class_id, *name;
} headlines[] = {
	[RECORD_ALERT] = { "Microsoft", "Microsoft Defender", "unknown",
	    "Microsoft Defender alert" },
	[RECORD_INCIDENT] = { "Microsoft", "Microsoft Defender XDR Incident", "incident",
	    "Microsoft Defender incident" },
	[RECORD_HEALTH] = { "msspd", "msspd", "health", "msspd health" },
	[RECORD_CANARY] = { "msspd", "msspd", "canary", "msspd canary" },
	[RECORD_UNREADABLE] = { "Microsoft", "Microsoft Defender", "unreadable",
	    "Unreadable alert" },
};

static const signed char severities[] = {
	[SEVERITY_UNKNOWN] = -1,
	[SEVERITY_INFORMATIONAL] = 1,
	[SEVERITY_LOW] = 3,
	[SEVERITY_MEDIUM] = 6,
	[SEVERITY_HIGH] = 8,
	[SEVERITY_OTHER] = -1,
};

static const signed char health_severities[] = {
	[HEALTH_WELL] = 2,
	[HEALTH_NOTICE] = 3,
	[HEALTH_PROBLEM] = 5,
	[HEALTH_ALARM] = 7,
};

int
headline_severity(const struct record *r)
{
	switch (r->type) {
	case RECORD_ALERT:
	case RECORD_INCIDENT:
		return severities[record_severity(r)];
	case RECORD_UNREADABLE:
		return 7;
	case RECORD_HEALTH:
		return health_severities[r->health.level];
	case RECORD_CANARY:
		return 0;
	}
	return -1;
}

const char *
headline_vendor(const struct record *r)
{
	return headlines[r->type].vendor;
}

const char *
headline_product(const struct record *r)
{
	const char *name = r->type == RECORD_ALERT ? product_name(r->alert.service_source) : NULL;

	return name != NULL ? name : headlines[r->type].product;
}

/* "health.consent-withdrawn" */
static void
write_state(struct buf *out, struct str state, size_t limit)
{
	for (size_t i = 0; i < state.n && i < limit; i++) {
		char c = state.s[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (i == 0)
			buf_byte(out, '.');
		buf_byte(out, is_plain ? c : '-');
	}
}

void
headline_class(struct buf *out, const struct record *r, struct str category, size_t limit)
{
	if (r->type == RECORD_ALERT &&
	    (escape_name(out, r->alert.detector_id, limit) || escape_name(out, category, limit)))
		return;
	buf_puts(out, headlines[r->type].class_id);
	if (r->type == RECORD_HEALTH)
		write_state(out, r->health.state, limit - sizeof("health."));
}

struct str
headline_title(const struct record *r)
{
	switch (r->type) {
	case RECORD_ALERT:
		return r->alert.title;
	case RECORD_INCIDENT:
		return r->incident.name;
	case RECORD_HEALTH:
		return r->health.summary;
	case RECORD_CANARY:
		return r->canary.summary;
	case RECORD_UNREADABLE:
		break;
	}
	return (struct str){ NULL, 0 };
}

const char *
headline_name(const struct record *r)
{
	return headlines[r->type].name;
}
