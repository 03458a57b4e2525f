/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OPS_LETTERS_H
#define OPS_LETTERS_H

#include <jansson.h>

#include "daemon/engine.h"

/*
 * letters: the verbs about dead letters, quarantine and tenants that leave, for the control socket.
 * The journal answers later, so an errand is begun, and its result asked for until it is there.
 * The results are in docs/CONTROL.md. NULL on failure, with the reason in err.
 */
json_t *letters_list(struct engine *e, enum journal_box box, const json_t *request, struct err *err);
json_t *letters_work(struct engine *e, enum journal_deed what, const json_t *request,
    struct err *err);
json_t *letters_purge(struct engine *e, const json_t *request, struct err *err);
json_t *letters_result(struct engine *e, const json_t *request, struct err *err);

#endif
