/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSSPCTL_ONBOARD_H
#define MSSPCTL_ONBOARD_H

#include "daemon/msspctl/args.h"

/*
 * onboard: the verbs that only read the configuration and need no daemon. Each prints
 * to standard output and returns an exit code (sysexits.h): 78 where the configuration
 * cannot be used, 64 where a name is neither a tenant's nor a customer's.
 */
int do_consent_url(const struct args *a);
int do_onboard(const struct args *a);

#endif
