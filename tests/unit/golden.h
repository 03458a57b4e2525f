/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <jansson.h>

#include "lib/format/format.h"
#include "tests/unit/make_record.h"

/*
 * golden: events that lie in tests/data/FORMAT/CASE as input.json, and what a format
 * is expected to make of them in `expected`.
 *
 * input.json: {"kind": …, "changed": […], "flags": n, "max_bytes": n,
 * "alert": {…} or "broken text"}, or "incident" for "alert"; what is missing has its usual value.
 */
struct golden {
	struct made made;
	struct record *record;
	struct format_opts opts;
	struct str want;
};

/* Calls each with every case below the folder; returns how many there were. */
unsigned golden_each(const char *folder, void (*each)(const char *name, const struct golden *g));
/* For formats that are JSON: top, which it takes, says what is expected, in whatever order. */
void golden_assert_json(const char *name, const struct golden *g, json_t *taken_top);

#endif
