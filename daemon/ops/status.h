/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STATUS_H
#define STATUS_H

#include "daemon/engine.h"
#include "lib/base/buf.h"

/*
 * status: how the daemon is, as the JSON object that `msspctl status --json` prints and
 * /status.json is.
 *
 * Only reads figures, never waits. Costs some µs a tenant, which is why it is written
 * straight to text.
 */
#define STATUS_MOST (64u << 20) /* bytes, whatever is configured */

/* Appends it. */
void status_write(struct buf *out, const struct engine *e);

#endif
