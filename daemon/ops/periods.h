/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PERIODS_OPS_H
#define PERIODS_OPS_H

#include <jansson.h>

#include "daemon/engine.h"

/*
 * periods: the verbs about what is read again, for the control socket: replay, resend,
 * replays and replay-cancel. The results are in docs/CONTROL.md. NULL on failure, with the reason in err.
 */
json_t *periods_ask(struct engine *e, const json_t *request, struct err *err);
json_t *periods_resend(struct engine *e, const json_t *request, struct err *err);
json_t *periods_list_all(struct engine *e);
json_t *periods_end(struct engine *e, const json_t *request, struct err *err);

#endif
