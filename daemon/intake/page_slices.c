/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "daemon/intake/page_inner.h"
#include "lib/base/alloc.h"
#include "lib/base/digest.h"
#include "lib/record/record.h"

#define COST_READ 64
#define FOREIGN   UINT64_C(0xf0e1d2c3b4a59687) /* into the hash of what is somebody else's */
#define WAITING   UINT64_C(0x8796a5b4c3d2e1f0) /* likewise of what is not taken yet */
#define FAR_AHEAD (3600 * TICKS_SEC)

static const char foreign_why[] = "tenantId names another tenant";

/* ---- what was seen before ------------------------------------------------------------------ */

/* Unreadable slices have no version of their own to be known by. */
static bool
odd_knows(const struct poller *p, uint64_t hash)
{
	for (unsigned i = 0; i < p->nodd && i < ODD_MAX; i++) {
		if (p->odd[i] == hash)
			return true;
	}
	return false;
}

static void
odd_put(struct poller *p, uint64_t hash)
{
	p->odd[p->nodd % ODD_MAX] = hash;
	p->nodd = p->nodd + 1 < 2 * ODD_MAX ? p->nodd + 1 : ODD_MAX;
}

/* What this way through the stream has stored. A replay must see what the others know. */
static struct window *
window_of(struct poller *p)
{
	return replay_is_at_it(p) ? &p->replay.window : &p->window;
}

static bool
is_known_to(struct poller *p, const struct record *r, uint64_t hash)
{
	if (r->type != RECORD_UNREADABLE)
		return window_knows(window_of(p), r->id, r->version);
	return !replay_is_at_it(p) && odd_knows(p, hash);
}

void
page_remember(struct page *pg)
{
	struct poller *p = pg->p;
	struct window *w = window_of(p);

	for (size_t i = 0; i < pg->n; i++) {
		const struct journal_entry *e = &pg->entries[i];
		uint64_t hash = pg->hashes[i];

		if (e->user == NULL)
			window_put_slice(w, hash ^ FOREIGN, pg->facts.limit);
		else if (e->type != RECORD_UNREADABLE)
			window_put(w, e->id, e->now.version, hash);
		else if (replay_is_at_it(p))
			window_put_slice(w, hash, pg->facts.limit);
		else
			odd_put(p, hash);
		p->figures.sweep_found +=
		    p->r->every_ms != 0 && e->is_forwarded && e->now.version < p->r->paging.until;
	}
}

/* ---- entries ------------------------------------------------------------------------------- */

static struct journal_entry *
add_entry(struct page *pg, uint64_t hash)
{
	if (pg->n == pg->room) {
		pg->room = pg->room != 0 ? pg->room * 2 : 16;
		pg->entries = xreallocarray(pg->entries, pg->room, sizeof(*pg->entries));
		pg->hashes = xreallocarray(pg->hashes, pg->room, sizeof(*pg->hashes));
	}
	pg->entries[pg->n] = (struct journal_entry){ 0 };
	pg->hashes[pg->n] = hash;
	return &pg->entries[pg->n++];
}

/* Kept for the operator, shown to nobody: not whose it says it is, nor whose answer it came in. */
static void
add_foreign(struct page *pg, struct str slice, uint64_t hash)
{
	struct journal_entry *e = add_entry(pg, hash);
	char sum[65], id[80];
	int n;

	digest_sha256(slice, sum);
	n = snprintf(id, sizeof(id), "foreign:%s", sum);
	*e = (struct journal_entry){
		.id = { xstrndup(id, (size_t)n), (size_t)n },
		.now = { .created = TICKS_NONE, .version = pg->facts.limit, .rev = SEEN_REVISION },
		.type = RECORD_UNREADABLE,
		.quarantine = true,
		.why = xstrdup(foreign_why),
		.body = slice.s,
		.len = slice.n,
	};
	pg->new_foreign++;
}

static void
add_record(struct page *pg, struct str slice, uint64_t hash, struct record *taken)
{
	struct journal_entry *e = add_entry(pg, hash);

	*e = (struct journal_entry){
		.id = taken->id,
		.now = taken->seen,
		.type = (uint8_t)taken->type,
		.body = slice.s,
		.len = slice.n,
		.user = taken,
	};
	pg->keeps += sizeof(*taken) + taken->arena.used;
	if (taken->type != RECORD_UNREADABLE)
		return;
	e->quarantine = true;
	e->why = xstrndup(taken->unreadable.why.s != NULL ? taken->unreadable.why.s : "",
	    taken->unreadable.why.n);
}

void
page_drop_entries(struct page *pg)
{
	for (size_t i = 0; i < pg->n; i++) {
		record_unref(pg->entries[i].user);
		free((char *)(uintptr_t)pg->entries[i].why);
		if (pg->entries[i].user == NULL)
			free((char *)(uintptr_t)pg->entries[i].id.s);
	}
	free(pg->entries);
	free(pg->hashes);
}

/* ---- one slice ----------------------------------------------------------------------------- */

static bool
is_foreign(const struct poller *p, struct str tenant_id)
{
	return tenant_id.n != 0 && !str_same_nocase(tenant_id, str_of(p->t->id));
}

/* A time that is far ahead is none to wait for. */
static bool
is_waiting(const struct page *pg, const struct record *r)
{
	const struct poller *p = pg->p;

	return p->s->kind->waits && r->seen.created > pg->facts.limit &&
	       r->seen.created <= poller_server_now(p) + FAR_AHEAD;
}

/* It comes again, as the cursor does not pass it. */
static void
leave_waiting(struct page *pg, struct record *taken, uint64_t hash)
{
	struct window *w = &pg->p->window;
	int64_t version;
	bool is_known = window_knows_slice(w, hash ^ WAITING, &version);

	paging_page_add(&pg->facts, taken->version, !is_known);
	if (!is_known)
		window_put_slice(w, hash ^ WAITING, taken->version);
	record_unref(taken);
}

/* Of a time that this read is not for. */
static bool
is_outside(struct page *pg, const struct record *r, bool is_read)
{
	const struct poller *p = pg->p;

	if (replay_is_at_it(p))
		return !replay_wants(p, is_read ? r->version : r->unreadable.updated);
	if (!is_read || r->version >= p->begin)
		return false;
	pg->before_begin++;
	return true;
}

/* What no earlier answer brought, byte for byte: read whole, and judged by what it says. */
static void
read_slice(struct page *pg, struct str slice, uint64_t hash)
{
	struct poller *p = pg->p;
	struct record *r = p->s->kind->read(slice, false, pg->facts.limit);
	bool is_read = r->type != RECORD_UNREADABLE;
	bool is_others = is_foreign(p, record_tenant_id(r));
	bool is_known;
	int64_t version;

	if (!is_others && is_waiting(pg, r)) {
		leave_waiting(pg, r, hash);
		return;
	}

	pg->foreign += is_others;
	if (is_others)
		is_known = window_knows_slice(window_of(p), hash ^ FOREIGN, &version);
	else
		is_known = is_known_to(p, r, hash);
	paging_page_add(&pg->facts, is_read ? r->version : r->unreadable.updated, !is_known);
	if (!is_known && is_others && is_read)
		reader_doubt(p, r->version);
	if (is_known && is_read && !is_others)
		window_put(window_of(p), r->id, r->version, hash);
	if (!is_known && is_others) {
		add_foreign(pg, slice, hash);
	} else if (!is_known && !is_outside(pg, r, is_read)) {
		add_record(pg, slice, hash, r);
		return;
	}
	record_unref(r);
}

/* Told to who counts, by when it was created. */
static void
list_slice(struct page *pg, struct str slice)
{
	struct poller *p = pg->p;
	struct record *r = p->s->kind->read(slice, false, pg->facts.limit);
	const struct intake_listed listed = { .id = r->id,
		.created = r->seen.created,
		.version = r->version,
		.is_unreadable = r->type == RECORD_UNREADABLE,
		.is_foreign = is_foreign(p, record_tenant_id(r)) };

	paging_page_add(&pg->facts, listed.created, listing_take(p, &listed));
	record_unref(r);
}

/* Returns what it cost. */
unsigned
page_look_at(struct page *pg)
{
	struct str slice = split_slice(&pg->split, pg->at++);
	uint64_t hash;
	int64_t version;

	if (pg->is_listing) {
		list_slice(pg, slice);
		return COST_READ;
	}
	hash = window_hash(&pg->p->in->windows, slice);

	if (window_knows_slice(window_of(pg->p), hash, &version)) {
		paging_page_add(&pg->facts, version, false);
		return 1;
	}
	read_slice(pg, slice, hash);
	return COST_READ;
}
