/* SPDX-License-Identifier: Apache-2.0 */
#ifndef METRICS_ROWS_H
#define METRICS_ROWS_H

#include "daemon/engine.h"
#include "lib/base/buf.h"

/*
 * metrics_rows: what is known at one moment, as plain numbers that the table of
 * metrics names by their place. Inside of metrics*.c only.
 *
 * Members are whole numbers, or thousandths of seconds where their name ends in _ms;
 * TICKS_NONE: there is none.
 */
struct daemon_row {
	int64_t start_ms, ready, left_tenants, left_sinks;
	int64_t reloads, reload_failures, reload_good, reload_ms;
	int64_t file_bytes, max_bytes, entries, remembered, quarantine, dead, gaps, appends, commits,
	    oldest_ms;
	int64_t wire_bytes, errors, warnings;
	int64_t cpu_ms, resident_bytes, fds, max_fds;
};

struct tenant_row {
	int64_t health, parked, success_ms, lag_ms;
	int64_t polls, pages, alerts, repeats, forwarded, throttled, failures, quarantined,
	    sweep_found, gaps;
};

struct sink_row {
	int64_t up, parked, paused, stops, entries, bytes, oldest_ms, dead, in_flight, accepted_ms;
	int64_t accepted, retried, rejected;
	int64_t canary_overdue, canary_made, canary_accepted, canary_age_ms, canary_ms;
};

struct facts {
	struct engine_view view;
	struct daemon_row daemon;
	size_t ntenants, nsinks; /* that have series */
	struct intake_figures *intake; /* of all tenants */
	size_t nintake;
	struct tenant_row *tenants;
	struct delivery_figures *delivery; /* of all sinks that are configured */
	size_t ndelivery;
	struct sink_row *sinks; /* those, then those that left something behind */
	struct buf *tenant_labels, *sink_labels;
};

void facts_init(struct facts *f, const struct engine *e);
void facts_release(struct facts *f);

#endif
