/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LEAVERS_H
#define LEAVERS_H

#include "daemon/settings.h"
#include "lib/config/problems.h"

/*
 * leavers: sinks that a configuration has no more, and for which something waits still.
 *
 * For `msspd -n`: who is about to use that configuration is told first what would be let go.
 * Looks into the journal, whether msspd runs or not; may block for as long as that takes.
 */

/* A warning for each. */
void leavers_check(const struct settings *s, problems_cb *cb, void *arg);

#endif
