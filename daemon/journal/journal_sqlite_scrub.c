/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"

/*
 * What SQLite leaves of rows in pages that are in use: it moves rows from page to page, and what
 * they were stays in the space that no row uses now. It is written over here, in place, where
 * "Database File Format" (sqlite.org) says that nothing is. Nothing that means something is
 * written, so a power loss in the middle of it damages nothing.
 *
 * The log must be empty, and no page in SQLite's cache, which would bring back what was there.
 */
#define MAP_ENTRY   5
#define MAP_STRIDE  (PAGE_SIZE / MAP_ENTRY + 1) /* a page that maps, and those that it maps */
#define LOCK_PAGE   (0x40000000 / PAGE_SIZE + 1)
#define TRUNKS_MOST 100000
#define LOCAL_MIN   ((PAGE_SIZE - 12) * 32 / 255 - 23)
#define LOCAL_INDEX ((PAGE_SIZE - 12) * 64 / 255 - 23)
#define LOCAL_TABLE (PAGE_SIZE - 35)

enum { MAP_NONE = -1, MAP_ROOT = 1, MAP_FREE, MAP_OVERFLOW_1, MAP_OVERFLOW_2, MAP_TREE };
enum { INDEX_INNER = 2, TABLE_INNER = 5, INDEX_LEAF = 10, TABLE_LEAF = 13 };

struct scrub {
	sqlite3_file *file;
	int rc;
	bool is_odd;        /* a page is not as it should be, and is left alone */
	uint32_t pages;
	uint32_t map_page;  /* that is in `map`; 0: none */
	uint32_t *trunks;   /* of the list of free pages */
	size_t ntrunks;
	unsigned char map[PAGE_SIZE], page[PAGE_SIZE];
	bool used[PAGE_SIZE];
};

static uint32_t
be16(const unsigned char *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t
be32(const unsigned char *p)
{
	return be16(p) << 16 | be16(p + 2);
}

static bool
read_at(struct scrub *x, uint32_t page, void *to, int n)
{
	x->rc = x->file->pMethods->xRead(x->file, to, n, (sqlite3_int64)(page - 1) * PAGE_SIZE);
	return x->rc == SQLITE_OK;
}

/* Zeros over what is in the page from first to end, where it is not zeros already. */
static bool
wipe(struct scrub *x, uint32_t page, const unsigned char *was, size_t first, size_t end)
{
	static const unsigned char zeros[PAGE_SIZE];

	while (first < end && was[first] == 0)
		first++;
	if (first >= end)
		return true;
	x->rc = x->file->pMethods->xWrite(x->file, zeros, (int)(end - first),
	    (sqlite3_int64)(page - 1) * PAGE_SIZE + (sqlite3_int64)first);
	return x->rc == SQLITE_OK;
}

static bool
odd(struct scrub *x)
{
	x->is_odd = true;
	return false;
}

/* ---- pages of rows -------------------------------------------------------------- */

/* No byte may be of two things. */
static bool
use(struct scrub *x, size_t first, size_t n)
{
	if (first > PAGE_SIZE || n > PAGE_SIZE - first)
		return odd(x);
	for (size_t i = first; i < first + n; i++) {
		if (x->used[i])
			return odd(x);
		x->used[i] = true;
	}
	return true;
}

/* *at: behind it. */
static bool
varint(struct scrub *x, size_t *at, uint64_t *out)
{
	*out = 0;
	for (int i = 0; i < 9 && *at < PAGE_SIZE; i++) {
		unsigned char c = x->page[(*at)++];

		*out = i == 8 ? *out << 8 | c : *out << 7 | (c & 0x7f);
		if (i == 8 || c < 0x80)
			return true;
	}
	return odd(x);
}

/* What the map says that a page is; MAP_NONE: it is a map, or locked. */
static bool
kind_of(struct scrub *x, uint32_t page, int *kind)
{
	uint32_t map = (page - 2) / MAP_STRIDE * MAP_STRIDE + 2;

	*kind = MAP_NONE;
	map += map == LOCK_PAGE;
	if (page == LOCK_PAGE || page == map)
		return true;
	if (map != x->map_page && !read_at(x, map, x->map, PAGE_SIZE))
		return false;
	x->map_page = map;
	*kind = x->map[(size_t)(page - map - 1) * MAP_ENTRY];
	return true;
}

/* The last page of what did not fit beside others is seldom full. */
static bool
wipe_tail(struct scrub *x, uint32_t page, uint64_t left)
{
	unsigned char text[PAGE_SIZE];
	int kind;

	for (; left > PAGE_SIZE - 4; left -= PAGE_SIZE - 4) {
		if (page < 2 || page > x->pages)
			return odd(x);
		if (!read_at(x, page, text, 4))
			return false;
		page = be32(text);
	}
	if (page < 2 || page > x->pages)
		return odd(x);
	if (!kind_of(x, page, &kind))
		return false;
	if (kind != MAP_OVERFLOW_1 && kind != MAP_OVERFLOW_2)
		return odd(x); /* a damaged row must not do harm to others */
	return read_at(x, page, text, PAGE_SIZE) &&
	       wipe(x, page, text, 4 + (size_t)left, PAGE_SIZE);
}

static bool
use_cell(struct scrub *x, int kind, size_t at)
{
	uint64_t payload, rowid, local, most = kind == TABLE_LEAF ? LOCAL_TABLE : LOCAL_INDEX;
	size_t p = at + (kind == INDEX_INNER || kind == TABLE_INNER ? 4 : 0);

	if (!varint(x, &p, &payload))
		return false;
	if (kind == TABLE_INNER)
		return use(x, at, p - at);
	if (kind == TABLE_LEAF && !varint(x, &p, &rowid))
		return false;
	if (payload <= most) {
		p += (size_t)payload;
		return use(x, at, p - at < 4 ? 4 : p - at);
	}
	local = LOCAL_MIN + (payload - LOCAL_MIN) % (PAGE_SIZE - 4);
	local = local <= most ? local : LOCAL_MIN;
	p += (size_t)local;
	if (payload > INT32_MAX || !use(x, at, p + 4 - at))
		return odd(x);
	return wipe_tail(x, be32(x->page + p), payload - local);
}

static bool
use_free_blocks(struct scrub *x, size_t at)
{
	while (at != 0) {
		if (!use(x, at, 4))
			return false;
		at = be16(x->page + at);
	}
	return true;
}

static bool
wipe_unused(struct scrub *x, uint32_t page)
{
	for (size_t i = 0, end; i < PAGE_SIZE; i = end) {
		for (end = i; end < PAGE_SIZE && !x->used[end]; end++)
			;
		if (end > i && !wipe(x, page, x->page, i, end))
			return false;
		for (; end < PAGE_SIZE && x->used[end]; end++)
			;
	}
	return true;
}

static bool
scrub_tree(struct scrub *x, uint32_t page)
{
	size_t head = page == 1 ? 100 : 0, cells, n;
	int kind;

	if (!read_at(x, page, x->page, PAGE_SIZE))
		return false;
	memset(x->used, 0, sizeof(x->used));
	kind = x->page[head];
	if (kind != INDEX_INNER && kind != TABLE_INNER && kind != INDEX_LEAF && kind != TABLE_LEAF)
		return odd(x);
	n = be16(x->page + head + 3);
	cells = head + (kind == INDEX_INNER || kind == TABLE_INNER ? 12 : 8);
	if (!use(x, 0, cells + 2 * n) || !use_free_blocks(x, be16(x->page + head + 1)))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!use_cell(x, kind, be16(x->page + cells + 2 * i)))
			return false;
	}
	return wipe_unused(x, page);
}

/* ---- free pages ------------------------------------------------------------------- */

static bool
find_trunks(struct scrub *x)
{
	unsigned char text[36];
	uint32_t page;

	if (!read_at(x, 1, text, sizeof(text)))
		return false;
	if (be16(text + 16) != PAGE_SIZE || text[20] != 0)
		return odd(x);
	for (page = be32(text + 32); page != 0; page = be32(text)) {
		if (page > x->pages || x->ntrunks == TRUNKS_MOST)
			return odd(x);
		x->trunks = xreallocarray(x->trunks, x->ntrunks + 1, sizeof(*x->trunks));
		x->trunks[x->ntrunks++] = page;
		if (!read_at(x, page, text, 4))
			return false;
	}
	return true;
}

static bool
scrub_free(struct scrub *x, uint32_t page)
{
	size_t keep = 0;

	if (!read_at(x, page, x->page, PAGE_SIZE))
		return false;
	for (size_t i = 0; i < x->ntrunks && keep == 0; i++)
		keep = x->trunks[i] == page ? 8 + 4 * (size_t)be32(x->page + 4) : 0;
	return wipe(x, page, x->page, keep, PAGE_SIZE);
}

/* ---- all of them ------------------------------------------------------------------- */

static bool
scrub_page(struct scrub *x, uint32_t page)
{
	int kind;

	if (page == 1)
		return scrub_tree(x, page);
	if (!kind_of(x, page, &kind))
		return false;
	switch (kind) {
	case MAP_NONE:
		return true;
	case MAP_FREE:
		return scrub_free(x, page);
	case MAP_OVERFLOW_1:
	case MAP_OVERFLOW_2:
		return true; /* with the row that it is of */
	case MAP_ROOT:
	case MAP_TREE:
		return scrub_tree(x, page);
	}
	return odd(x);
}

bool
scrub_pages(struct store *s, uint32_t first, uint32_t n, bool *is_whole, struct err *err)
{
	struct scrub *x = xcalloc(1, sizeof(*x));
	uint32_t end;
	bool ok;

	sqlite3_db_release_memory(s->db);
	x->pages = (uint32_t)s->pages;
	x->rc = sqlite3_file_control(s->db, "main", SQLITE_FCNTL_FILE_POINTER, &x->file);
	end = x->pages + 1; /* the file may have become shorter since `first` was said */
	if (first < end && n < end - first)
		end = first + n;
	if (x->rc == SQLITE_OK && find_trunks(x))
		while (first < end && (scrub_page(x, first) || x->rc == SQLITE_OK))
			first++;
	if (x->rc == SQLITE_OK)
		x->rc = x->file->pMethods->xSync(x->file, SQLITE_SYNC_NORMAL);
	if (x->rc != SQLITE_OK) {
		s->rc = x->rc;
		err_set(err, ERR_TEMP, "what is left of it in the pages of the journal cannot be "
		    "written over: %s (SQLite %d)", sqlite3_errstr(x->rc), x->rc);
	}
	*is_whole = x->rc == SQLITE_OK && !x->is_odd;
	ok = x->rc == SQLITE_OK;
	free(x->trunks);
	free(x);
	return ok;
}
