/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/given.h"

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
	return place_in(g, sink) < g->n;
}

void
given_add(struct given *g, uint32_t sink)
{
	if (g->n < GIVEN_MOST && !given_has(g, sink))
		g->sink[g->n++] = sink;
}

void
given_drop(struct given *g, uint32_t sink)
{
	unsigned i = place_in(g, sink);

	if (i < g->n)
		g->sink[i] = g->sink[--g->n];
}

/* Seven bits a byte, the least first; the last byte of a number has its eighth bit unset. */
size_t
given_write(const struct given *g, unsigned char out[GIVEN_BYTES])
{
	size_t n = 0;

	for (unsigned i = 0; i < g->n; i++) {
		uint32_t left = g->sink[i];

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
		if (number != 0 && number <= UINT32_MAX)
			given_add(g, (uint32_t)number);
		number = 0;
		shift = 0;
	}
}
