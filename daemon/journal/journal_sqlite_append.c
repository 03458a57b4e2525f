/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "daemon/journal/crc32c.h"
#include "daemon/journal/giving.h"
#include "daemon/journal/journal_sqlite.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

/* ---- memory -------------------------------------------------------------- */

int64_t
memory_hour(int64_t key)
{
	return key >> 43;
}

int64_t
memory_first(int64_t hour, uint32_t stream)
{
	return hour << 43 | (int64_t)(stream & 0xffff) << 27;
}

/* Rows that share a key lie behind it. */
int64_t
memory_last(int64_t first)
{
	return first + (INT64_C(1) << 27) + MEMORY_PROBES;
}

/*
 * In order of time, so that what is read now lies together: by the hour in which
 * the alert was created; within it by stream, so that a page of one tenant's
 * backlog touches few pages of the file although all tenants' backlogs cover
 * the same hours; then by id. 20, 16 and 27 bits: hours until 2089.
 */
static int64_t
memory_key(uint32_t stream, const struct journal_entry *e)
{
	int64_t hour = e->now.created == TICKS_NONE ? 0 : ticks_to_sec(e->now.created) / 3600;
	uint64_t hash = str_hash(e->id.s, e->id.n);

	if (hour < 0)
		hour = 0;
	if (hour >= INT64_C(1) << 20)
		hour = (INT64_C(1) << 20) - 1;
	return memory_first(hour, stream) | (int64_t)(hash >> 37);
}

void
memory_slot_read(sqlite3_stmt *st, struct memory_slot *slot)
{
	struct str seen = column_bytes(st, 3);

	slot->is_known = seen.n == sizeof(slot->was);
	if (!slot->is_known)
		return;
	memcpy(&slot->was, seen.s, sizeof(slot->was));
	slot->key = sqlite3_column_int64(st, 0);
	slot->journalled = sqlite3_column_int64(st, 4);
	slot->is_said = sqlite3_column_type(st, 5) != SQLITE_NULL;
	given_read(&slot->given, column_bytes(st, 5));
}

/* Looks at all neighbours, so that a row that was forgotten between two leaves no hole. */
static bool
find_slot(struct store *s, uint32_t stream, const struct journal_entry *e, struct memory_slot *slot,
    struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_MEMORY_FIND);
	int64_t first = memory_key(stream, e), free_key = first;
	int rc;

	slot->is_known = false;
	sqlite3_bind_int64(st, 1, first);
	sqlite3_bind_int64(st, 2, first + MEMORY_PROBES - 1);
	while ((rc = db_row(s, st, err)) == 1) {
		int64_t key = sqlite3_column_int64(st, 0);

		if (key == free_key && free_key < first + MEMORY_PROBES - 1)
			free_key++;
		if (sqlite3_column_int64(st, 1) != stream || !str_same(column_bytes(st, 2), e->id))
			continue;
		memory_slot_read(st, slot);
		if (!slot->is_known)
			continue;
		sqlite3_reset(st);
		return true;
	}
	slot->key = free_key;
	return rc == 0;
}

static bool
remember(struct store *s, uint32_t stream, const struct journal_entry *e,
    const struct memory_slot *slot, const struct given *given, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_MEMORY_PUT);
	unsigned char bytes[GIVEN_BYTES];
	struct seen seen;

	/* Member by member: what lies between them goes to disk too. */
	memset(&seen, 0, sizeof(seen));
	seen.created = e->now.created;
	seen.version = e->now.version;
	memcpy(seen.part, e->now.part, sizeof(seen.part));
	seen.rev = e->now.rev;
	seen.severity = e->now.severity;
	seen.status = e->now.status;
	sqlite3_bind_int64(st, 1, slot->key);
	sqlite3_bind_int64(st, 2, stream);
	sqlite3_bind_int64(st, 3, s->now);
	bind_blob(st, 4, e->id.s, e->id.n);
	bind_blob(st, 5, &seen, sizeof(seen));
	bind_blob(st, 6, bytes, given_write(given, bytes));
	if (!slot->is_known)
		s->counts.memory++;
	return db_run(s, st, err);
}

/* ---- entries ------------------------------------------------------------- */

uint32_t
entry_crc(uint64_t seq, uint32_t stream, const struct journal_item *item)
{
	const uint64_t head[] = { seq, stream, item->type, item->kind, item->flags, item->changed,
		(uint64_t)item->version, (uint64_t)item->journalled, item->id.n, item->body.n };
	uint32_t crc = crc32c(0, head, sizeof(head));

	crc = crc32c(crc, item->id.s, item->id.n);
	return crc32c(crc, item->body.s, item->body.n);
}

/* With a checksum of their own: an entry must not come to a sink that it was not for. */
uint32_t
routes_crc(uint64_t seq, const void *routes, size_t n)
{
	return crc32c(crc32c(0, &seq, sizeof(seq)), routes, n);
}

bool
entry_was_for(struct str routes, uint64_t seq, uint32_t sink)
{
	size_t n = routes.n / sizeof(uint32_t);
	uint32_t v[JOURNAL_ROUTES + 1];

	if (n < 2 || n > ARRAY_LEN(v) || routes.n % sizeof(uint32_t) != 0)
		return false;
	memcpy(v, routes.s, routes.n);
	if (v[n - 1] != routes_crc(seq, v, (n - 1) * sizeof(*v)))
		return false;
	for (size_t i = 0; i + 1 < n; i++) {
		if (v[i] == sink)
			return true;
	}
	return false;
}

/* Those that it is given to: not to a sink that was forgotten meanwhile, or is parked. */
static unsigned
pick_routes(const struct store *s, const struct journal_entry *e, uint64_t seq,
    uint32_t out[JOURNAL_ROUTES + 1])
{
	unsigned n = 0;

	for (unsigned i = 0; i < e->nroutes && i < JOURNAL_ROUTES; i++) {
		const struct place *p = place_of(s, e->route[i]);

		if (p != NULL && !p->is_forgotten && place_takes(p, s->own_types, e->type))
			out[n++] = e->route[i];
	}
	if (n > 0)
		out[n] = routes_crc(seq, out, n * sizeof(*out));
	return n;
}

/* The body itself, or where it is in the page's pack. */
static void
bind_body(sqlite3_stmt *st, const struct journal_entry *e, uint64_t pack, uint64_t at)
{
	if (pack == 0) {
		bind_blob(st, 11, e->body, e->len);
		for (int i = 13; i <= 15; i++)
			sqlite3_bind_null(st, i);
		return;
	}
	sqlite3_bind_null(st, 11);
	sqlite3_bind_int64(st, 13, (int64_t)pack);
	sqlite3_bind_int64(st, 14, (int64_t)at);
	sqlite3_bind_int64(st, 15, (int64_t)e->len);
}

static bool
put_entry(struct store *s, const struct journal_page *page, const struct journal_entry *e,
    uint64_t seq, uint64_t pack, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_ENTRY_PUT);
	const struct journal_item item = {
		.type = e->type, .kind = e->kind, .flags = e->flags, .changed = e->changed,
		.version = e->now.version, .journalled = s->now, .id = e->id,
		.body = { e->body, e->len },
	};
	uint32_t stream = page->stream;
	uint64_t at = 0;
	bool is_packed = pack != 0 && pack_has(page, e, &at);
	const int64_t columns[] = { (int64_t)seq, stream, e->type, e->kind, e->flags, e->changed,
		e->now.version, s->now, entry_crc(seq, stream, &item) };
	uint32_t routes[JOURNAL_ROUTES + 1];
	unsigned n;

	for (int i = 0; i < (int)ARRAY_LEN(columns); i++)
		sqlite3_bind_int64(st, i + 1, columns[i]);
	bind_blob(st, 10, e->id.s, e->id.n);
	bind_body(st, e, is_packed ? pack : 0, at);
	n = pick_routes(s, e, seq, routes);
	bind_blob(st, 12, routes, n > 0 ? (n + 1) * sizeof(*routes) : 0);
	if (e->remembered != NO_ROWID)
		sqlite3_bind_int64(st, 16, e->remembered);
	else
		sqlite3_bind_null(st, 16);
	return db_run(s, st, err);
}

/* A sink that was forgotten meanwhile, or is named twice, gets nothing (more). */
static bool
put_todo(struct store *s, uint32_t sink, uint64_t seq, const struct journal_entry *e,
    uint32_t stream, unsigned *waiting, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_TODO_PUT);
	const struct place *p = place_of(s, sink);

	if (p == NULL || p->is_forgotten)
		return true;
	if (!place_takes(p, s->own_types, e->type)) {
		period_grow(s, sink, stream, e->now.version);
		return true;
	}
	sqlite3_bind_int64(st, 1, sink);
	sqlite3_bind_int64(st, 2, (int64_t)seq);
	sqlite3_bind_int64(st, 3, (int64_t)e->len);
	if (!db_run(s, st, err))
		return false;
	if (sqlite3_changes(s->db) == 0)
		return true;
	*waiting += 1;
	change_add(s, (struct change) { CHANGE_TODO, .sink = sink, .seq = seq, .n = e->len });
	return true;
}

static bool
forward(struct store *s, const struct journal_page *page, struct journal_entry *e, uint64_t pack,
    struct err *err)
{
	uint64_t seq = s->next_seq;
	unsigned waiting = 0;

	if (!put_entry(s, page, e, seq, pack, err))
		return false;
	for (unsigned i = 0; i < e->nroutes && i < JOURNAL_ROUTES; i++)
		if (!put_todo(s, e->route[i], seq, e, page->stream, &waiting, err))
			return false;
	change_add(s, (struct change) { CHANGE_ADDED, .seq = seq, .n = waiting });
	s->next_seq++;
	s->counts.entries++;
	s->inserted++;
	e->pos = (struct journal_pos) { .shard = 0, .seq = seq };
	e->journalled = s->now;
	return true;
}

bool
quarantine_put(struct store *s, uint32_t stream, struct str id, const char *why, const void *body,
    size_t n, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_QUARANTINE_PUT);

	sqlite3_bind_int64(st, 1, s->now);
	sqlite3_bind_int64(st, 2, stream);
	bind_blob(st, 3, id.s, id.n);
	bind_text(st, 4, why != NULL ? why : "");
	sqlite3_bind_int64(st, 5, (int64_t)n);
	bind_blob(st, 6, body, n);
	sqlite3_bind_int64(st, 7, (int64_t)++s->counts.letters);
	if (!db_run(s, st, err))
		return false;
	s->counts.quarantine++;
	s->counts.quarantine_bytes += n;
	return true;
}

/* What is not remembered, as this version or at all, is left so. */
static bool
put_memory(struct store *s, const struct journal_page *page, struct journal_entry *e,
    const struct memory_slot *slot, enum journal_act act, struct err *err)
{
	bool is_same = slot->is_known && slot->was.version == e->now.version;
	struct given given;

	e->remembered = act != JOURNAL_REPEAT || is_same ? slot->key : NO_ROWID;
	if (e->remembered == NO_ROWID)
		return true;
	given_of_entry(s, page, e, slot, act, &given);
	if (act == JOURNAL_REPEAT)
		return given_put(s, slot->key, s->now, &given, err);
	return remember(s, page->stream, e, slot, &given, err);
}

static enum journal_act
leave_missing(const struct store *s, const struct memory_slot *slot, struct journal_entry *e)
{
	struct given was;

	given_of_slot(s, slot, &was);
	return giving_leave_missing(&was, e);
}

/* Whether it is forwarded, which happens once that is known of all of the page. */
static bool
look_at(struct store *s, const struct journal_page *page, struct journal_entry *e,
    struct journal_appended *result, struct err *err)
{
	struct memory_slot slot;
	enum journal_act act;

	e->is_forwarded = false;
	if (!find_slot(s, page->stream, e, &slot, err))
		return false;
	act = page->judge(slot.is_known ? &slot.was : NULL, e, page->ctx);
	if (act == JOURNAL_MISSING)
		act = leave_missing(s, &slot, e);
	if (act == JOURNAL_SKIP) {
		result->skipped++;
		return true;
	}
	if (!put_memory(s, page, e, &slot, act, err))
		return false;
	if (e->quarantine && act != JOURNAL_REPEAT) {
		result->quarantined++;
		if (!quarantine_put(s, page->stream, e->id, e->why, e->body, e->len, err))
			return false;
	}
	if (act == JOURNAL_REMEMBER) {
		result->remembered++;
		return true;
	}
	result->forwarded++;
	e->is_forwarded = true;
	return true;
}

/* ---- pages --------------------------------------------------------------- */

static bool
put_cursor(struct store *s, uint32_t stream, const char *reader, int64_t at, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_READER_PUT);

	if (at == TICKS_NONE)
		return true;
	sqlite3_bind_int64(st, 1, stream);
	bind_text(st, 2, reader);
	sqlite3_bind_int64(st, 3, at);
	return db_run(s, st, err);
}

static bool
put_readers(struct store *s, const struct journal_page *page, struct err *err)
{
	return put_cursor(s, page->stream, page->reader, page->cursor, err)
	    && (page->beside == NULL
	        || put_cursor(s, page->stream, page->beside, page->beside_cursor, err));
}

static bool
put_begin(struct store *s, const struct journal_page *page, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_STREAM_BEGIN);
	struct journal_cursor c;

	registry_cursor(s->reg, page->stream, page->reader, &c);
	if (page->memory_begin == TICKS_NONE || c.begin != TICKS_NONE)
		return true;
	sqlite3_bind_int64(st, 1, page->stream);
	sqlite3_bind_int64(st, 2, page->memory_begin);
	return db_run(s, st, err);
}

static bool
put_gap(struct store *s, const struct journal_page *page, struct err *err)
{
	sqlite3_stmt *st = db_use(s, ST_GAP_PUT);

	if (page->gap == NULL)
		return true;
	sqlite3_bind_int64(st, 1, s->now);
	sqlite3_bind_int64(st, 2, page->stream);
	bind_text(st, 3, page->reader);
	bind_ticks(st, 4, page->gap->from);
	bind_ticks(st, 5, page->gap->to);
	bind_text(st, 6, page->gap->why);
	s->counts.gaps++;
	return db_run(s, st, err);
}

bool
append_page(struct store *s, struct page_job *job, struct err *err)
{
	struct journal_page *page = job->page;
	uint64_t pack;

	for (size_t i = 0; i < page->n; i++)
		if (!look_at(s, page, &page->entries[i], &job->result, err))
			return false;
	if (!pack_put(s, page, &pack, err))
		return false;
	for (size_t i = 0; i < page->n; i++)
		if (page->entries[i].is_forwarded && !forward(s, page, &page->entries[i], pack, err))
			return false;
	period_page(s, job);
	return put_begin(s, page, err) && put_readers(s, page, err) && put_gap(s, page, err);
}
