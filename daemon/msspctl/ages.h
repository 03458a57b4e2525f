/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGES_H
#define AGES_H

#include <jansson.h>

#include "lib/base/buf.h"
#include "lib/base/ticks.h"

/* ages: times of the daemon's answers, as people say them. Pure. */
int64_t get_time(const json_t *o, const char *key); /* ticks; TICKS_NONE */
/* How long before now; "never". */
void add_age(struct buf *out, int64_t now, int64_t then);

#endif
