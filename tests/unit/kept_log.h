/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEPT_LOG_H
#define KEPT_LOG_H

#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"

/* kept_log: what was logged, a line after the other, for log_set_writer(keep_log, NULL). What is too
 * much for it is left out. One a program; a test may empty it. */
static char logged[65536];

static inline void
keep_log(const struct log_event *e, void *arg)
{
	size_t used = strlen(logged);

	(void)arg;
	(void)snprintf(logged + used, sizeof(logged) - used, "%.*s\n", STR_ARG(e->line));
}

#endif
