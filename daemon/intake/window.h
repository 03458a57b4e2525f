#ifndef WINDOW_H
#define WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/str.h"

/*
 * window: which versions of which alerts of one stream the journal holds for
 * certain, so that a slice that comes again, as most do, is not parsed again.
 *
 * A cache and nothing more: what it does not know costs a parse and the journal
 * decides. What it knows was stored. It knows nothing of slices and JSON.
 *
 * 16 bytes an entry (a hash of the id, the version itself), at most three
 * quarters full; all windows together stay below their pool's limit, and where
 * there is no room the oldest versions are forgotten.
 */
struct window_entry {
	uint64_t key;
	int64_t version;
};

struct window_pool {
	size_t bytes, max; /* of all windows */
};

struct window {
	struct window_pool *pool;
	struct window_entry *v; /* NULL while empty */
	size_t room, n;         /* room: a power of two, or 0 */
	int64_t from;           /* older versions are not kept */
};

void window_init(struct window *w, struct window_pool *pool);
void window_release(struct window *w);

bool window_knows(const struct window *w, struct str id, int64_t version);
void window_put(struct window *w, struct str id, int64_t version);
/* Versions before it will not be asked for any more; they go when room is needed. */
void window_begins(struct window *w, int64_t from);

#endif
