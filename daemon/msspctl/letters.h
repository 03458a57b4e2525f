/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSSPCTL_LETTERS_H
#define MSSPCTL_LETTERS_H

#include "daemon/msspctl/args.h"

/*
 * letters: the commands about what goes nowhere by itself: dead letters and quarantine.
 * Return an exit code.
 */
int do_dead(const struct args *a);
int do_dead_show(const struct args *a);
int do_dead_retry(const struct args *a);
int do_dead_drop(const struct args *a);
int do_quarantine(const struct args *a);
int do_quarantine_show(const struct args *a);

#endif
