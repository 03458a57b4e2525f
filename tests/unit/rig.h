/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RIG_H
#define RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/delivery/delivery.h"
#include "daemon/env.h"
#include "daemon/journal/journal.h"
#include "daemon/settings.h"

/*
 * rig: a loop, a journal in memory and a delivery, for tests of sinks through
 * the delivery that they live in. The clock is the machine's.
 */
#define RIG_SINKS   8
#define RIG_TENANTS 3

struct rig {
	struct engine_env env;
	struct journal *journal;
	struct delivery *delivery;
	struct origin *origins[RIG_TENANTS]; /* of stream i + 1 and so on; tenants "t0", "t1", … */
	uint32_t streams[RIG_TENANTS];
	struct sink_conf sinks[RIG_SINKS];
	size_t nsinks;
	struct settings *settings[64]; /* all that were ever applied */
	size_t nsettings;
	size_t appending;
	bool is_stopped;
};

void rig_init(struct rig *r);
void rig_release(struct rig *r);

/* Adds a sink to what rig_apply() applies; conf lives longer than the rig. Equal text, equal sink. */
void rig_sink(struct rig *r, const char *name, const struct sink_kind *kind, void *conf,
    const char *text);
void rig_no_sinks(struct rig *r);
void rig_apply(struct rig *r);

/* One entry of that tenant and alert, routed to the sinks applied last. size: bytes of its description. */
void rig_append(struct rig *r, size_t tenant, const char *id, int64_t version, size_t size);
/* Many at once: alerts "<prefix>0" …, round robin, versions counting up over all of them. */
void rig_append_many(struct rig *r, size_t tenant, const char *prefix, size_t nalerts, size_t n);

/* Runs the loop until is_done says so, or ms have passed; whether it did. NULL: for ms. */
bool rig_run(struct rig *r, int64_t ms, bool (*is_done)(void *arg), void *arg);
/* Until nothing is open in the journal for any sink. */
bool rig_run_idle(struct rig *r, int64_t ms);
/* Stops the delivery; true when it said so in time. */
bool rig_stop(struct rig *r, int64_t patience_ms);
/* What is open for a sink, and what is dead. */
uint64_t rig_backlog(const struct rig *r, const char *sink);
uint64_t rig_dead(const struct rig *r, const char *sink);
struct delivery_figures rig_figures(const struct rig *r, const char *sink);

#endif
