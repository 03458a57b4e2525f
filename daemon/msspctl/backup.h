/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BACKUP_CTL_H
#define BACKUP_CTL_H

#include "daemon/msspctl/args.h"

/* backup: has the daemon copy its journal, and follows it to the end. */
int do_backup(const struct args *a);

#endif
