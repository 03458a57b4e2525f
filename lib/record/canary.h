/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CANARY_H
#define CANARY_H

#include "lib/base/buf.h"
#include "lib/base/str.h"

/*
 * canary: a record that says nothing but that the way to a sink is open: sent now and then by
 * itself, or once because a person asked for it. What it holds, and the JSON that the
 * journal keeps of it, which is also what the raw format shows.
 *
 * It knows nothing of sinks, of when one is sent and of what follows.
 */

/* Absent texts are { NULL, 0 }. */
struct canary {
	struct str sink;    /* that it is for, as configured */
	struct str purpose; /* "canary": by itself; "test": a person asked for it */
	struct str summary; /* a line of its own for people */
};

#define CANARY_PURPOSE_CANARY STR("canary")
#define CANARY_PURPOSE_TEST   STR("test")

/* Appends the JSON object of c. */
void canary_write(struct buf *out, const struct canary *c);

#endif
