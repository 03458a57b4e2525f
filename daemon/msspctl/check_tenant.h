/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHECK_TENANT_H
#define CHECK_TENANT_H

#include "daemon/msspctl/args.h"

/*
 * check_tenant: the verb that tries tenants from this machine, without a daemon, and says
 * step by step how it went, for a person or as JSON. Secrets are read by whoever calls, so
 * mostly by root; those that systemd gives a running msspd.service are found by themselves,
 * and while it does not run those beside the configuration.
 *
 * Returns 0 when all is well, else the greatest exit code among what failed (sysexits.h):
 * 69 a host is not reached, 75 passing trouble, 76 answers that make no sense, 77 a
 * permission is missing, 78 the configuration is wrong.
 */
int do_check_tenant(const struct args *a);

#endif
