/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACE_H
#define PACE_H

#include <stddef.h>

/*
 * pace: how many entries may be in doubt on one link at a time.
 *
 * Usually any number. A receiver, or something in between, that ends one link
 * after the other before anything on them counts as accepted would be sent the
 * same for ever; so after some such links it gets half of what was in doubt, and
 * half again, down to one entry, and more again with all that it accepts. Pure.
 */
struct pace {
	size_t limit;    /* PACE_ANY: no limit */
	unsigned barren; /* links in a row on which nothing was accepted */
};

#define PACE_ANY ((size_t)1 << 20)

void pace_init(struct pace *p);
/* How many more may be sent while in_doubt are. */
size_t pace_room(const struct pace *p, size_t in_doubt);
void pace_accepted(struct pace *p);
/* A link ended and nothing on it was accepted; in_doubt: of what was sent on it. */
void pace_barren(struct pace *p, size_t in_doubt);

#endif
