/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "lib/base/str.h"

/*
 * address: IP addresses as alerts have them, in text.
 *
 * How good one is as that of a device: globally unique, then private, then any
 * other. Pure.
 */
enum address_rank { ADDRESS_NONE, ADDRESS_LOCAL, ADDRESS_PRIVATE, ADDRESS_GLOBAL };

/* AF_INET or AF_INET6, and the rank of the address; 0 when it is none. */
int address_family(struct str text, enum address_rank *rank);

/* The best of each family, the first of equals. Zeros: none yet. */
struct address_best {
	struct str v4, v6;
	enum address_rank rank4, rank6;
};

/* What is no address is passed over. */
void address_best_add(struct address_best *best, struct str text);

#endif
