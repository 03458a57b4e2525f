/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIALS_H
#define TRIALS_H

#include <jansson.h>

#include "daemon/engine.h"

/*
 * trials: the verbs about test records, for the control socket. A far side answers later, so
 * a test is begun, and its result asked for until it is there; the newest TRIALS_KEPT are kept.
 * The results are in docs/CONTROL.md. NULL on failure, with the reason in err.
 */
#define TRIALS_KEPT 32

struct trials;

struct trials *trials_new(struct engine *e);
void trials_free(struct trials *t);

json_t *trials_begin(struct trials *t, const json_t *request, struct err *err);
json_t *trials_result(struct trials *t, const json_t *request, struct err *err);

#endif
