/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_SINK_H
#define TEST_SINK_H

#include "daemon/msspctl/args.h"

/* test_sink: the verb test-sink: one test record through a sink. The exit status of the program. */
int do_test_sink(const struct args *a);

#endif
