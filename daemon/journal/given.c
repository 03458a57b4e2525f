/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/given.h"

#define HOW_SHIFT 32

static unsigned
place_in(const struct given *g, uint32_t sink)
{
	unsigned i = 0;

	while (i < g->n && g->sink[i] != sink)
		i++;
	return i;
}

bool
given_has(const struct given *g, uint32_t sink)
{
	unsigned i = place_in(g, sink);

	return i < g->n && g->how[i] == GIVEN;
}

void
given_set(struct given *g, uint32_t sink, enum given_how how)
{
	unsigned i = place_in(g, sink);

	if (i == GIVEN_MOST)
		return;
	g->n += i == g->n;
	g->sink[i] = sink;
	g->how[i] = (uint8_t)how;
}

void
given_add(struct given *g, uint32_t sink)
{
	given_set(g, sink, GIVEN);
}

void
given_copy(struct given *g, const struct given *from, uint32_t sink)
{
	unsigned i = place_in(from, sink);

	if (i < from->n)
		given_set(g, sink, from->how[i]);
}

/* Seven bits a byte, the least first; the last byte of a number has its eighth bit unset. Above
 * the 32 bits of the sink is how. */
size_t
given_write(const struct given *g, unsigned char out[GIVEN_BYTES])
{
	size_t n = 0;

	for (unsigned i = 0; i < g->n; i++) {
		uint64_t left = (uint64_t)g->how[i] << HOW_SHIFT | g->sink[i];

		for (; left >= 0x80; left >>= 7)
			out[n++] = (unsigned char)(left | 0x80);
		out[n++] = (unsigned char)left;
	}
	return n;
}

void
given_read(struct given *g, struct str bytes)
{
	uint64_t number = 0;
	unsigned shift = 0;

	g->n = 0;
	for (size_t i = 0; i < bytes.n && shift < 35; i++) {
		unsigned char c = (unsigned char)bytes.s[i];

		number |= (uint64_t)(c & 0x7f) << shift;
		shift += 7;
		if ((c & 0x80) != 0)
			continue;
		if ((uint32_t)number != 0 && number >> HOW_SHIFT <= GIVEN_MISSED)
			given_set(g, (uint32_t)number, (enum given_how)(number >> HOW_SHIFT));
		number = 0;
		shift = 0;
	}
}
