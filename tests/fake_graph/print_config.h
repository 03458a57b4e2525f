/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_PRINT_CONFIG_H
#define FAKE_GRAPH_PRINT_CONFIG_H

#include <stdio.h>

#include "lib/base/err.h"
#include "tests/fake_graph/options.h"
#include "tests/fake_graph/world.h"

/*
 * print_config: what msspd.yaml must say to read from this server.
 */
void print_config(FILE *to, const struct options *opt, const struct world *w, const char *url);
/* The same to a file, and the secret to its own. */
bool write_config(
    const struct options *opt, const struct world *w, const char *url, struct err *err) MUST_CHECK;

#endif
