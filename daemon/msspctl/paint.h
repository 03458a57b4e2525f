/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAINT_H
#define PAINT_H

#include <stdbool.h>
#include <stdio.h>

/*
 * paint: colours where a person looks at a terminal, and nothing anywhere else
 * (nor where NO_COLOR is set, no-color.org). What is said never depends on them.
 */
bool has_colours(FILE *out);
/* The state of a tenant, the link of a sink: at least width columns, to the left. */
void paint_state(FILE *out, const char *state, int width);
void paint_link(FILE *out, const char *link, int width);

#endif
