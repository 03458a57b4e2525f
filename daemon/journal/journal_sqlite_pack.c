/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"

/* A page that is larger when unpacked is stored entry by entry: a reader has one in memory. */
#define PLAIN_MOST ((size_t)4 << 20)

/* ---- storing ------------------------------------------------------------- */

/* Does that body lie in what the page brought packed, too? *at: where. */
bool
pack_has(const struct journal_page *page, const struct journal_entry *e, uint64_t *at)
{
	uintptr_t start = (uintptr_t)page->plain.s, body = (uintptr_t)e->body;

	if (page->packed.n == 0 || page->plain.n > PLAIN_MOST || body < start)
		return false;
	*at = body - start;
	return *at <= page->plain.n && e->len <= page->plain.n - *at;
}

uint64_t
pack_most(const struct journal_page *page)
{
	uint64_t inside = 0, outside = 0, at;

	for (size_t i = 0; i < page->n; i++) {
		const struct journal_entry *e = &page->entries[i];

		*(pack_has(page, e, &at) ? &inside : &outside) += e->len;
	}
	return outside + (inside < page->packed.n + PAGE_SIZE ? inside : page->packed.n + PAGE_SIZE);
}

bool
pack_put(struct store *s, const struct journal_page *page, uint64_t *first, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_PACK_PUT);
	uint64_t entries = 0, bytes = 0, at;

	*first = 0;
	for (size_t i = 0; i < page->n; i++) {
		const struct journal_entry *e = &page->entries[i];

		entries += e->is_forwarded;
		bytes += e->is_forwarded && pack_has(page, e, &at) ? e->len : 0;
	}
	if (bytes < page->packed.n + PAGE_SIZE)
		return true;
	*first = s->next_seq;
	sqlite3_bind_int64(st, 1, (int64_t)*first);
	sqlite3_bind_int64(st, 2, (int64_t)(*first + entries - 1));
	sqlite3_bind_int64(st, 3, (int64_t)page->plain.n);
	bind_blob(st, 4, page->packed.s, page->packed.n);
	return db_run(s, st, err);
}

bool
pack_drop(struct store *s, uint64_t first, uint64_t last, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_PACK_DROP);

	sqlite3_bind_int64(st, 1, (int64_t)first);
	sqlite3_bind_int64(st, 2, (int64_t)last);
	return db_run(s, st, err);
}

/* ---- reading ------------------------------------------------------------- */

/* The one that was unpacked last: entries are mostly read one after the other. */
struct unpacked {
	sqlite3 *db;
	journal_unpack *unpack;
	int64_t first; /* 0: none */
	char *plain;
	size_t n;      /* less than its size where it is damaged */
};

static void
unpack(struct unpacked *u, sqlite3_stmt *st)
{
	int64_t size = sqlite3_column_int64(st, 0);
	struct str packed = column_bytes(st, 1);

	free(u->plain);
	u->plain = NULL;
	u->n = 0;
	if (u->unpack == NULL || size <= 0 || size > (int64_t)PLAIN_MOST)
		return;
	u->plain = xmalloc((size_t)size);
	u->n = u->unpack(packed, u->plain, (size_t)size);
}

static int
get(struct unpacked *u, int64_t first)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(u->db, "SELECT size, body FROM pack WHERE first = ?1", -1, &st,
	    NULL);

	if (rc != SQLITE_OK)
		return rc;
	u->first = 0;
	u->n = 0;
	sqlite3_bind_int64(st, 1, first);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		unpack(u, st);
		u->first = first;
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* slice(pack, at, len): NULL where it is damaged, which the entry's checksum tells then. A file
 * that cannot be read now is no damage. */
static void
slice(sqlite3_context *out, int n, sqlite3_value **v)
{
	struct unpacked *u = sqlite3_user_data(out);
	int64_t first = sqlite3_value_int64(v[0]), at = sqlite3_value_int64(v[1]);
	int64_t len = sqlite3_value_int64(v[2]);
	int rc = first == 0 || first == u->first ? SQLITE_OK : get(u, first);

	(void)n;
	if (rc != SQLITE_OK)
		sqlite3_result_error_code(out, rc);
	else if (first == 0 || first != u->first || at < 0 || len < 0 || at > (int64_t)u->n
	    || len > (int64_t)u->n - at)
		sqlite3_result_null(out);
	else
		sqlite3_result_blob64(out, u->plain + at, (uint64_t)len, SQLITE_TRANSIENT);
}

static void
unpacked_free(void *arg)
{
	struct unpacked *u = arg;

	free(u->plain);
	free(u);
}

int
pack_teach(sqlite3 *db, journal_unpack *how)
{
	struct unpacked *u = xcalloc(1, sizeof(*u));

	u->db = db;
	u->unpack = how;
	/* Frees it where it fails, too. */
	return sqlite3_create_function_v2(db, "slice", 3, SQLITE_UTF8 | SQLITE_DIRECTONLY, u, slice,
	    NULL, NULL, unpacked_free);
}
