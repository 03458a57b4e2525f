/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GIVEN_H
#define GIVEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/str.h"

/*
 * given: the sinks that an alert's remembered version was given to, by their numbers; and
 * those that it was meant for and that have not got it after all, with the reason.
 *
 * It knows nothing of where it is kept. Written as bytes it takes one for each sink, mostly; five
 * for one that has not got it, which an msspd that knows no reasons takes for not given.
 * Where there are too many, the last ones are left out: they count as not given.
 */
#define GIVEN_MOST  64
#define GIVEN_BYTES (GIVEN_MOST * 5)

enum given_how {
	GIVEN,         /* it has it, or will have it: the entry waits */
	GIVEN_REFUSED, /* it will never take it: a dead letter */
	GIVEN_MISSED,  /* it was let go of before it was sent: the sink was parked, say */
};

struct given {
	uint32_t sink[GIVEN_MOST];
	uint8_t how[GIVEN_MOST]; /* enum given_how */
	unsigned n;
};

bool given_has(const struct given *g, uint32_t sink);
void given_add(struct given *g, uint32_t sink);
void given_set(struct given *g, uint32_t sink, enum given_how how);
/* What `from` says of that sink, if it says anything. */
void given_copy(struct given *g, const struct given *from, uint32_t sink);

/* Returns how many bytes it took. */
size_t given_write(const struct given *g, unsigned char out[GIVEN_BYTES]);
/* What is damaged is left out. */
void given_read(struct given *g, struct str bytes);

#endif
