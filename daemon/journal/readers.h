/* SPDX-License-Identifier: Apache-2.0 */
#ifndef READERS_H
#define READERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/journal/recent.h"

/*
 * readers: how far each sink has read, and whether the next page of a storm waits for one.
 *
 * What falls out of memory before it is read is read from the file and parsed once more,
 * a quarter of what an alert costs. So a storm is stored no faster than the quickest sink
 * takes it: that one would get nothing any sooner. For others that read and are not far
 * behind it slows down, too, but to two thousand a second at the least: the slow ones
 * are what the file is for. Times are monotonic ms. It belongs to the journal's thread.
 */
struct reader {
	uint32_t sink;
	uint64_t taken;  /* it has all up to this */
	int64_t read_at; /* when it asked last */
};

struct readers {
	struct reader *v;
	size_t n, room;
	int64_t for_quickest, for_others; /* until when the next page may wait */
};

/* All zero is none. */
void readers_release(struct readers *r);

/* A sink asked, and was given all up to taken; 0: no more than it had. */
void readers_note(struct readers *r, uint32_t sink, uint64_t taken, int64_t now_ms);
/* A group of pages was stored, entries in all. */
void readers_stored(struct readers *r, size_t entries, int64_t now_ms);
/* Until when the next page waits, unless somebody reads before; 0: it does not wait. */
int64_t readers_wait(const struct readers *r, const struct recent *recent, int64_t now_ms);

#endif
