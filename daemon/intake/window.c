/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/random.h>

#include "daemon/intake/window.h"
#include "lib/base/alloc.h"

#define ROOM_LEAST 16
#define ROOM_MOST  (1u << 18)
#define EMPTY      0 /* no key is 0 */
#define SAMPLE     1023 /* the middle is met within two in a hundred */

void
window_pool_init(struct window_pool *pool, size_t max)
{
	*pool = (struct window_pool){ .max = max };
	if (getrandom(pool->secret, sizeof(pool->secret), 0) != (ssize_t)sizeof(pool->secret))
		BUG("no random numbers");
}

void
window_init(struct window *w, struct window_pool *pool)
{
	*w = (struct window){ .pool = pool, .from = INT64_MIN };
}

static void
set_room(struct window *w, size_t room)
{
	w->pool->bytes -= w->room * sizeof(*w->v);
	w->pool->bytes += room * sizeof(*w->v);
	w->v = room != 0 ? xcalloc(room, sizeof(*w->v)) : NULL;
	w->room = room;
	w->n = 0;
}

void
window_release(struct window *w)
{
	free(w->v);
	set_room(w, 0);
}

/* ---- keys --------------------------------------------------------------------- */

static inline uint64_t
word(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Both halves of the product: every bit of a and b moves about half of the bits. */
static inline uint64_t
mix(uint64_t a, uint64_t b)
{
	unsigned __int128 r = (unsigned __int128)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

/* Four chains side by side, each of products that the secret goes into. */
uint64_t
window_hash(const struct window_pool *pool, struct str s)
{
	const uint64_t *k = pool->secret;
	uint64_t h[4] = { k[0], k[1], k[2], k[3] };
	char tail[64] = { 0 };
	const char *p = s.s;
	size_t n = s.n;

	for (; n >= sizeof(tail); p += sizeof(tail), n -= sizeof(tail)) {
		for (size_t i = 0; i < 4; i++)
			h[i] = mix(word(p + 16 * i) ^ k[i], word(p + 16 * i + 8) ^ h[i]);
	}
	memcpy(tail, n != 0 ? p : tail, n);
	for (size_t i = 0; i < 4; i++)
		h[i] = mix(word(tail + 16 * i) ^ k[i], word(tail + 16 * i + 8) ^ h[i]);
	h[0] = mix(h[0] ^ k[2], h[1] ^ k[3]) + mix(h[2] ^ k[0], h[3] ^ (k[1] + s.n));
	h[0] = mix(h[0] ^ k[1], k[2]);
	return h[0] != EMPTY ? h[0] : 1;
}

static uint64_t
key_of(const struct window *w, struct str id, int64_t version)
{
	const uint64_t *k = w->pool->secret;
	uint64_t key = mix(window_hash(w->pool, id) ^ k[3], (uint64_t)version ^ k[2]);

	return key != EMPTY ? key : 1;
}

/* ---- the table ------------------------------------------------------------------ */

/* Where an entry is, or would be put. */
static struct window_entry *
place(const struct window *w, uint64_t key)
{
	size_t i = (size_t)key & (w->room - 1);

	while (w->v[i].key != EMPTY && w->v[i].key != key)
		i = (i + 1) & (w->room - 1);
	return &w->v[i];
}

bool
window_knows_slice(const struct window *w, uint64_t hash, int64_t *version)
{
	const struct window_entry *e;

	if (w->room == 0)
		return false;
	e = place(w, hash);
	*version = e->version;
	return e->key != EMPTY;
}

bool
window_knows(const struct window *w, struct str id, int64_t version)
{
	return w->room != 0 && place(w, key_of(w, id, version))->key != EMPTY;
}

static void
insert(struct window *w, uint64_t key, int64_t version)
{
	struct window_entry *e = place(w, key);

	w->n += e->key == EMPTY;
	*e = (struct window_entry){ key, version };
}

static void
rebuild(struct window *w, size_t room)
{
	struct window_entry *old = w->v;
	size_t n = w->room;

	set_room(w, room);
	for (size_t i = 0; i < n; i++) {
		if (old[i].key != EMPTY && old[i].version >= w->from)
			insert(w, old[i].key, old[i].version);
	}
	free(old);
}

static size_t
count_from(const struct window *w, int64_t from)
{
	size_t n = 0;

	for (size_t i = 0; i < w->room; i++)
		n += w->v[i].key != EMPTY && w->v[i].version >= from;
	return n;
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* About the middle one, by a sample: a few stamps of the far future do not move it. */
static int64_t
middle_version(const struct window *w)
{
	int64_t sample[SAMPLE];
	size_t n = 0, step = w->room / SAMPLE | 1; /* odd: it comes by everywhere */

	for (size_t i = 0, at = 0; i < w->room && n < SAMPLE; i++, at = (at + step) % w->room) {
		if (w->v[at].key != EMPTY)
			sample[n++] = w->v[at].version;
	}
	qsort(sample, n, sizeof(sample[0]), compare);
	return sample[n / 2];
}

/* Grows where that is allowed, else forgets: what is out of the window, then the older half. */
static void
make_room(struct window *w)
{
	size_t kept = count_from(w, w->from), room = w->room != 0 ? w->room : ROOM_LEAST;
	bool may_grow;

	while (kept * 2 > room)
		room *= 2;
	while (room > ROOM_LEAST && kept * 8 < room)
		room /= 2;
	may_grow = room <= ROOM_MOST && w->pool->bytes + room * sizeof(*w->v) <= w->pool->max;
	if (!may_grow && room > w->room) {
		room = w->room != 0 ? w->room : ROOM_LEAST;
		if (w->n != 0)
			w->from = middle_version(w) + 1;
	}
	rebuild(w, room);
	/* All on one version: there is no older half. */
	if (w->n * 4 >= w->room * 3) {
		free(w->v);
		set_room(w, w->room);
	}
}

static void
put(struct window *w, uint64_t key, int64_t version)
{
	if (version < w->from)
		return;
	if (w->room == 0 || (w->n + 1) * 4 > w->room * 3)
		make_room(w);
	if (version >= w->from)
		insert(w, key, version);
}

void
window_put(struct window *w, struct str id, int64_t version, uint64_t hash)
{
	put(w, key_of(w, id, version), version);
	put(w, hash, version);
}

void
window_put_slice(struct window *w, uint64_t hash, int64_t version)
{
	put(w, hash, version);
}

void
window_begins(struct window *w, int64_t from)
{
	if (from > w->from)
		w->from = from;
}
