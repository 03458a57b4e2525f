/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSSPCTL_HELD_H
#define MSSPCTL_HELD_H

#include "daemon/msspctl/args.h"

/* held: what sinks hold back (mails that wait for a digest), and taking it back. Exit status. */
int do_held(const struct args *a);
int do_held_cancel(const struct args *a);

#endif
