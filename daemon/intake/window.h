/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WINDOW_H
#define WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/str.h"

/*
 * window: which versions of which alerts of one stream the journal holds for
 * certain, so that a slice that comes again, as most do, is not looked into again.
 *
 * It is asked with the bytes of a slice first, for the same bytes are the same
 * alert; then, where they differ, with id and version. A cache and nothing more:
 * what it does not know costs a parse and the journal decides; what it knows was
 * stored. It knows nothing of JSON.
 *
 * Two entries of 16 bytes an alert, at most three quarters full; all windows
 * together stay below their pool's limit, and where there is no room the oldest
 * versions are forgotten. Keys are 64-bit hashes under a random secret, so that
 * nobody can make a slice that passes for another one.
 */
struct window_entry {
	uint64_t key;
	int64_t version;
};

struct window_pool {
	size_t bytes, max; /* of all windows */
	uint64_t secret[4];
};
void window_pool_init(struct window_pool *pool, size_t max);

struct window {
	struct window_pool *pool;
	struct window_entry *v; /* NULL while empty */
	size_t room, n;         /* room: a power of two, or 0 */
	int64_t from;           /* older versions are not kept */
};

void window_init(struct window *w, struct window_pool *pool);
void window_release(struct window *w);

/* Of a slice's bytes; a quarter of a nanosecond a byte. */
uint64_t window_hash(const struct window_pool *pool, struct str slice);

/* Are these the bytes of a version that is known? Which? */
bool window_knows_slice(const struct window *w, uint64_t hash, int64_t *version);
bool window_knows(const struct window *w, struct str id, int64_t version);
/* hash: of the slice that it came in. */
void window_put(struct window *w, struct str id, int64_t version, uint64_t hash);
/* The bytes alone, under any hash that is not that of another slice. */
void window_put_slice(struct window *w, uint64_t hash, int64_t version);
/* Versions before it will not be asked for any more; they go when room is needed. */
void window_begins(struct window *w, int64_t from);

#endif
