#ifndef HOLDS_H
#define HOLDS_H

#include <jansson.h>

#include "daemon/engine.h"

/*
 * holds: the verbs about what sinks hold back, for the control socket. The journal answers
 * later, so a look is begun, and its result asked for until it is there; one at a time, the
 * newest. The results are in docs/CONTROL.md. NULL on failure, with the reason in err.
 */
struct holds;

struct holds *holds_new(struct engine *e);
void holds_free(struct holds *h);

json_t *holds_look(struct holds *h, const json_t *request, struct err *err);
json_t *holds_cancel(struct holds *h, const json_t *request, struct err *err);
json_t *holds_result(struct holds *h, const json_t *request, struct err *err);

#endif
