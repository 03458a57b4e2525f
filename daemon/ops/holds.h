/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOLDS_H
#define HOLDS_H

#include <jansson.h>

#include "daemon/engine.h"

/*
 * holds: the verbs about what sinks hold back, for the control socket. The journal answers
 * later, so a look is begun, and its result asked for until it is there. The results are in
 * docs/CONTROL.md.
 *
 * Knows nothing of sockets, or of why a sink holds something back. Promises: there is one look at a
 * time, the newest; a result can be asked for again. NULL on failure, with the reason in
 * err; else the caller's.
 *
 * Loop's thread only; nothing blocks. A look costs the reading of 20,000 entries of a sink at most.
 */
struct holds;

struct holds *holds_new(struct engine *e);
void holds_free(struct holds *h);

json_t *holds_look(struct holds *h, const json_t *request, struct err *err);
json_t *holds_cancel(struct holds *h, const json_t *request, struct err *err);
json_t *holds_result(struct holds *h, const json_t *request, struct err *err);

#endif
