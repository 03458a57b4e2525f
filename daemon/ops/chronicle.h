/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHRONICLE_H
#define CHRONICLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

/*
 * chronicle: the last lines of the log, for people who look at the status page and
 * do not want to open the log for it. And how many there were of each level.
 *
 * It knows nothing of what they mean. Debug lines are not kept, so they push nothing
 * out. At most CHRONICLE_MOST events of CHRONICLE_TEXT bytes each; fixed memory.
 *
 * Threads: lines come from any of them; all else is for the loop's. chronicle_new() begins
 * to listen to the log, chronicle_free() ends it.
 */
#define CHRONICLE_MOST 50
#define CHRONICLE_TEXT 360

struct chronicle;

struct chronicle *chronicle_new(const struct clock *clock);
void chronicle_free(struct chronicle *r);

struct chronicle_event {
	int64_t at; /* ticks */
	enum log_level level;
	char kind[16], name[128]; /* "tenant", its name; "" for msspd itself */
	char text[CHRONICLE_TEXT];   /* cut where it was longer, between characters */
};

/* A copy of the i-th, the newest being 0. False behind the last. */
bool chronicle_at(struct chronicle *r, size_t i, struct chronicle_event *out);
/* Lines of that level since the start, those that were not kept, too. */
uint64_t chronicle_count(struct chronicle *r, enum log_level level);

#endif
