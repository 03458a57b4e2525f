/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GIVEN_H
#define GIVEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/str.h"

/*
 * given: the sinks that an alert's remembered version was given to, by their numbers.
 *
 * It knows nothing of where it is kept. Written as bytes it takes one for each sink, mostly.
 * Where there are too many, the last ones are left out: they count as not given.
 */
#define GIVEN_MOST  64
#define GIVEN_BYTES (GIVEN_MOST * 5)

struct given {
	uint32_t sink[GIVEN_MOST];
	unsigned n;
};

bool given_has(const struct given *g, uint32_t sink);
void given_add(struct given *g, uint32_t sink);
void given_drop(struct given *g, uint32_t sink);

/* Returns how many bytes it took. */
size_t given_write(const struct given *g, unsigned char out[GIVEN_BYTES]);
/* What is damaged is left out. */
void given_read(struct given *g, struct str bytes);

#endif
