/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_REPORT_H
#define CTL_REPORT_H

#include "daemon/msspctl/args.h"

/* report: what Microsoft lists of a day beside what was delivered: the proof for a customer. Exits 0
 * where there is no difference, 1 where there is one, 75 where a tenant could not be counted. */
int do_report(const struct args *a);

#endif
