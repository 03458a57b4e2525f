/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ACTS_H
#define ACTS_H

#include <jansson.h>

#include "daemon/engine.h"

/*
 * acts: verbs by which an operator does something at once, for the control socket: poll,
 * log-level, sink-forget, pause and resume. The results are in docs/CONTROL.md.
 *
 * Knows nothing of sockets, or of who asks: who may open the socket may do all of it.
 * Promises: what is asked for is begun or refused when the call returns; a request that is no
 * sense changes nothing. NULL on failure, with the reason in err; else the caller's.
 *
 * Loop's thread only; nothing blocks.
 */
json_t *acts_poll(struct engine *e, const json_t *request, struct err *err);
json_t *acts_log_level(const json_t *request, struct err *err);
/* Of the request's tenant or sink. */
json_t *acts_hold(struct engine *e, const json_t *request, bool is_held, struct err *err);
json_t *acts_sink_forget(struct engine *e, const json_t *request, struct err *err);

#endif
