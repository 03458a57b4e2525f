/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPLAYS_H
#define REPLAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/journal/journal.h"
#include "daemon/settings.h"

/*
 * replays: what an operator asks to be read again, and what new sinks want of the time
 * before them, as periods of the journal.
 *
 * It knows nothing of how they are read.
 */
#define REPLAYS_DAYS 180 /* as long as Microsoft keeps alerts by default */
#define REPLAYS_MOST 8   /* streams of one tenant */

struct replay_ask {
	const char *tenant, *sink; /* names; sink NULL: all that the tenant is routed to */
	const char *from, *to;     /* moments; to NULL: now */
	bool is_all;               /* what is known, too */
};

/* "2026-11-01": where that day begins, in UTC. */
bool replays_day(const char *text, int64_t *ticks);
/* A moment as people write it: RFC 3339, a day ("2026-11-01"), "now", or so long ago ("36h"). */
bool replays_moment(const char *text, int64_t now, int64_t *ticks, struct err *err) MUST_CHECK;

/* One period for each stream of the tenant; their numbers, *n of them, are put into out. */
bool replays_ask(struct journal *j, const struct settings *s, const struct replay_ask *ask,
    int64_t now, uint64_t out[REPLAYS_MOST], size_t *n, struct err *err) MUST_CHECK;

/*
 * That sink lost what it got since `from`: what the journal still keeps is delivered again, and
 * the time before that, of each stream that is routed to it, is read again. *n: streams.
 */
bool replays_resend(struct journal *j, const struct settings *s, const char *sink,
    const char *from, int64_t now, size_t *n, struct err *err) MUST_CHECK;

/*
 * Before the sinks of s are made known to the journal: those that it does not know and that
 * say `from` get the periods of what is routed to them. A stream that was never read
 * brings its first_lookback by itself.
 */
void replays_of_new_sinks(struct journal *j, const struct settings *s, int64_t now);

#endif
