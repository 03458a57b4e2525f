#include <stdlib.h>

#include "daemon/intake/window.h"
#include "lib/base/alloc.h"

#define ROOM_LEAST 16
#define ROOM_MOST  (1u << 17)
#define EMPTY      0 /* no key is 0 */
#define SAMPLE     63

void
window_init(struct window *w, struct window_pool *pool)
{
	*w = (struct window) { .pool = pool, .from = INT64_MIN };
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

static uint64_t
key_of(struct str id)
{
	uint64_t key = str_hash(id.s, id.n);

	return key != EMPTY ? key : 1;
}

/* Where an entry is, or would be put. */
static struct window_entry *
place(const struct window *w, uint64_t key, int64_t version)
{
	uint64_t h = key ^ ((uint64_t)version * UINT64_C(0x9e3779b97f4a7c15));
	size_t i = (size_t)(h >> 20) & (w->room - 1);

	while (w->v[i].key != EMPTY && (w->v[i].key != key || w->v[i].version != version))
		i = (i + 1) & (w->room - 1);
	return &w->v[i];
}

bool
window_knows(const struct window *w, struct str id, int64_t version)
{
	return w->room != 0 && place(w, key_of(id), version)->key != EMPTY;
}

static void
insert(struct window *w, uint64_t key, int64_t version)
{
	struct window_entry *e = place(w, key, version);

	w->n += e->key == EMPTY;
	*e = (struct window_entry) { key, version };
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

/* Grows where that is allowed, else forgets: first what is out of the window, then the older half. */
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

void
window_put(struct window *w, struct str id, int64_t version)
{
	if (version < w->from)
		return;
	if (w->room == 0 || (w->n + 1) * 4 > w->room * 3)
		make_room(w);
	if (version >= w->from)
		insert(w, key_of(id), version);
}

void
window_begins(struct window *w, int64_t from)
{
	if (from > w->from)
		w->from = from;
}
