/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOOK_H
#define LOOK_H

#include "daemon/msspctl/args.h"

/* look: the commands that show the daemon's status, whole or in part, once or again and again. */
int do_status(const struct args *a);
int do_tenants(const struct args *a);
int do_tenant(const struct args *a);
int do_sinks(const struct args *a);
int do_sink(const struct args *a);
int do_top(const struct args *a); /* until it is interrupted */

#endif
