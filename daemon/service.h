/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVICE_H
#define SERVICE_H

#include "daemon/logging.h"
#include "daemon/options.h"
#include "daemon/settings.h"

/*
 * service: an engine on a loop of its own, with signals, the control socket and
 * the service manager: what makes it a daemon. Returns the exit code, after the
 * stop (sysexits.h). Blocks, of course. logging is told how lines are to be written.
 */
int service_run(const struct options *o, struct settings *s, struct logging *logging);

#endif
