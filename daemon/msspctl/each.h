/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EACH_H
#define EACH_H

#include <stdint.h>

#include "daemon/msspctl/args.h"

/*
 * each: a command for each name or number of its command line, in their order. One that fails
 * keeps none of the others from its turn; what is no number keeps all of them.
 */
typedef int each_name(const struct args *a, const char *name, const void *how);
typedef int each_number(const struct args *a, int64_t number, const void *how);

/* The last exit status that was not 0. */
int for_each_name(const struct args *a, each_name *one, const void *how);
/* of: what they are numbers of, for a person: "a letter". */
int for_each_number(const struct args *a, const char *of, each_number *one, const void *how);

#endif
