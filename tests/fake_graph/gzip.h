/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_GZIP_H
#define FAKE_GRAPH_GZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

/*
 * gzip: compressed bodies, the newest of them remembered.
 *
 * Clients that read the same pages again (benchmarks, sweeps) cost one
 * compression. The cache knows a page by a key that its maker vouches for.
 */
struct gzip_cache;

struct gzip_cache *gzip_cache_new(size_t max_bytes, int level);
void gzip_cache_free(struct gzip_cache *c);
/* Appends the body compressed; key 0: do not remember it. False when it
 * is too large; out holds nothing of use then. */
bool gzip_page(struct gzip_cache *c, uint64_t key, struct str body, struct buf *out);
/* What the cache has for key; { NULL, 0 } for nothing. Good until the next call. */
struct str gzip_cached(const struct gzip_cache *c, uint64_t key);

/* Appends a gzip stream of about n / 1000 bytes that unpacks to n bytes of space. */
bool gzip_bomb(struct buf *out, uint64_t n);

#endif
