/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ACT_H
#define ACT_H

#include "daemon/msspctl/args.h"

/* act: the commands by which an operator has the daemon do something at once. */
int do_reload(const struct args *a);
int do_poll(const struct args *a);
int do_pause_tenant(const struct args *a);
int do_pause_sink(const struct args *a);
int do_resume_tenant(const struct args *a);
int do_resume_sink(const struct args *a);
int do_log_level(const struct args *a);
int do_sink_forget(const struct args *a);

#endif
