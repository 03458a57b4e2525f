/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHOW_PROBE_H
#define SHOW_PROBE_H

#include <jansson.h>
#include <stdio.h>

#include "daemon/onboard/probe.h"

/*
 * show_probe: the steps of a probe for a person, in 80 columns and, on a terminal,
 * coloured; or as JSON.
 */
void show_probe_head(FILE *out, const struct tenant *t);
void show_probe_step(FILE *out, const struct probe_step *step, bool is_coloured);

/* {"tenant", "customer", "id", "ok", "steps": [{"step", "outcome", "text", "todo"}]}; the
 * caller's. */
json_t *probe_json(const struct probe *p);

#endif
