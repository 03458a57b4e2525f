/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OPS_REPORTS_H
#define OPS_REPORTS_H

#include <jansson.h>

#include "daemon/engine.h"

/* reports: the verbs of the control socket for the proof of a day; see daemon/report.h and
 * docs/CONTROL.md. Each answers with its result, or NULL and err. */
json_t *reports_ask(struct engine *e, const json_t *request, struct err *err);
json_t *reports_result(struct engine *e, const json_t *request, struct err *err);
json_t *reports_end(struct engine *e, const json_t *request, struct err *err);

#endif
