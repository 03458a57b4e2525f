/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/journal/crc32c.h"
#include "daemon/journal/journal_sqlite.h"

/* Of what type and how long it is goes in, too: what moves from one column to the next is no
 * longer the same. */
static uint32_t
add(uint32_t crc, sqlite3_value *v)
{
	uint64_t head[2] = { (unsigned)sqlite3_value_type(v), 0 };

	switch (head[0]) {
	case SQLITE_NULL:
		return crc32c(crc, head, sizeof(head));
	case SQLITE_INTEGER:
		head[1] = (uint64_t)sqlite3_value_int64(v);
		return crc32c(crc, head, sizeof(head));
	}
	head[0] = SQLITE_BLOB; /* no row of ours has numbers with a fraction */
	head[1] = (uint64_t)sqlite3_value_bytes(v);
	crc = crc32c(crc, head, sizeof(head));
	return crc32c(crc, sqlite3_value_blob(v), (size_t)head[1]);
}

/* letter_sum(…): over all that it is given. */
static void
letter_sum(sqlite3_context *out, int n, sqlite3_value **v)
{
	uint32_t crc = 0;

	for (int i = 0; i < n; i++)
		crc = add(crc, v[i]);
	sqlite3_result_int64(out, crc);
}

int
sum_teach(sqlite3 *db)
{
	return sqlite3_create_function_v2(db, "letter_sum", -1,
	    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL, letter_sum, NULL, NULL,
	    NULL);
}
