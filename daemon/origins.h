/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ORIGINS_H
#define ORIGINS_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/journal/journal.h"
#include "lib/record/origin.h"

/*
 * origins: whose the journal's streams are, by their numbers.
 *
 * Those that are configured are set; of others it is known who they were when
 * their entries were read, as the journal keeps it. There is an answer for any
 * number. Never blocks.
 */
struct origins {
	struct journal *journal;
	struct origin **by_stream; /* NULL where not made yet */
	size_t n;
};

void origins_init(struct origins *o, struct journal *j);
void origins_release(struct origins *o);

void origins_set(struct origins *o, uint32_t stream, struct origin *taken);
/* What was made of what the journal keeps may have changed there. */
void origins_forget(struct origins *o);
/* Never NULL; lives until it is set or forgotten. */
const struct origin *origins_find(struct origins *o, uint32_t stream);

#endif
