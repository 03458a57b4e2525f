#ifndef STATUS_H
#define STATUS_H

#include <jansson.h>

#include "daemon/engine.h"

/*
 * status: how the daemon is, as the object that `msspctl status --json` prints.
 * Only reads figures, never waits. The caller owns the result.
 */
json_t *status_object(const struct engine *e);

#endif
