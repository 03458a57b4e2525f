/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <zlib.h>

#include "lib/base/alloc.h"
#include "tests/fake_graph/gzip.h"

#define GZIP_WINDOW (15 + 16)
#define RAW_WINDOW  (-15)
/* A power of two; a page takes the slot of its key, whoever was there. */
#define SLOTS      65536
#define BOMB_BLOCK (1u << 20)

struct slot {
	uint64_t key;
	char *p;
	size_t n;
};

struct gzip_cache {
	struct slot *slots;
	size_t used, max_bytes;
	int level;
};

struct gzip_cache *
gzip_cache_new(size_t max_bytes, int level)
{
	struct gzip_cache *c = xcalloc(1, sizeof(*c));

	c->slots = xcalloc(SLOTS, sizeof(*c->slots));
	c->max_bytes = max_bytes;
	c->level = level;
	return c;
}

static void
slot_clear(struct gzip_cache *c, struct slot *s)
{
	c->used -= s->n;
	free(s->p);
	*s = (struct slot){ 0 };
}

void
gzip_cache_free(struct gzip_cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		slot_clear(c, &c->slots[i]);
	free(c->slots);
	free(c);
}

struct str
gzip_cached(const struct gzip_cache *c, uint64_t key)
{
	const struct slot *s = &c->slots[key & (SLOTS - 1)];

	return key != 0 && s->key == key ? (struct str){ s->p, s->n } : (struct str){ NULL, 0 };
}

static void
remember(struct gzip_cache *c, uint64_t key, struct str packed)
{
	struct slot *s = &c->slots[key & (SLOTS - 1)];

	slot_clear(c, s);
	/* Slots around the new one go first when there is no room: as good as any. */
	for (size_t i = 1; i < SLOTS && c->used + packed.n > c->max_bytes; i++)
		slot_clear(c, &c->slots[(key + i) & (SLOTS - 1)]);
	if (c->used + packed.n > c->max_bytes)
		return;
	*s = (struct slot){ key, xmemdup(packed.s, packed.n), packed.n };
	c->used += packed.n;
}

/* One call of deflate() over all of in. */
static bool
pack(struct buf *out, struct str in, int level, int window, int flush)
{
	z_stream z = { 0 };
	uLong room;
	bool is_done;

	if (deflateInit2(&z, level, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	room = deflateBound(&z, (uLong)in.n) + 64;
	if (!buf_room(out, room)) {
		deflateEnd(&z);
		return false;
	}
	z.next_in = (Bytef *)(uintptr_t)in.s;
	z.avail_in = (uInt)in.n;
	z.next_out = (Bytef *)out->p + out->n;
	z.avail_out = (uInt)room;
	is_done = deflate(&z, flush) == (flush == Z_FINISH ? Z_STREAM_END : Z_OK);
	is_done = is_done && z.avail_in == 0;
	out->n += z.total_out;
	deflateEnd(&z);
	return is_done;
}

bool
gzip_page(struct gzip_cache *c, uint64_t key, struct str body, struct buf *out)
{
	if (body.n > UINT32_MAX / 2)
		return false;
	if (!pack(out, body, c->level, GZIP_WINDOW, Z_FINISH))
		return false;
	if (key != 0)
		remember(c, key, buf_peek(out));
	return true;
}

static void
put_le32(struct buf *b, uint32_t v)
{
	for (int i = 0; i < 4; i++, v >>= 8)
		buf_byte(b, (char)(v & 255));
}

bool
gzip_bomb(struct buf *out, uint64_t n)
{
	static const char head[] = "\x1f\x8b\x08\0\0\0\0\0\0\xff";
	struct buf block = BUF_INIT(2 * BOMB_BLOCK);
	char *spaces = xmalloc(BOMB_BLOCK);
	uLong crc, all = 0;

	memset(spaces, ' ', BOMB_BLOCK);
	/* Flushed blocks stand alone, so that one can be repeated. */
	if (!pack(&block, (struct str){ spaces, BOMB_BLOCK }, 9, RAW_WINDOW, Z_FULL_FLUSH)) {
		buf_release(&block);
		free(spaces);
		return false;
	}
	crc = crc32(0, (const Bytef *)spaces, BOMB_BLOCK);
	buf_add(out, head, sizeof(head) - 1);
	for (uint64_t done = 0; done < n; done += BOMB_BLOCK) {
		buf_str(out, buf_peek(&block));
		all = done == 0 ? crc : crc32_combine(all, crc, BOMB_BLOCK);
	}
	buf_add(out, "\x03\0", 2); /* an empty last block */
	put_le32(out, (uint32_t)all);
	put_le32(out, (uint32_t)((n + BOMB_BLOCK - 1) / BOMB_BLOCK * BOMB_BLOCK));
	buf_release(&block);
	free(spaces);
	return buf_ok(out);
}
