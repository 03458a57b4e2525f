/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSSPCTL_PURGE_H
#define MSSPCTL_PURGE_H

#include "daemon/msspctl/args.h"

/* purge: the command by which a tenant leaves. Returns an exit code. */
int do_tenant_purge(const struct args *a);

#endif
