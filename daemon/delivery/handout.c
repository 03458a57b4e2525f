/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/owner.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

#define BATCH_ITEMS   1024
#define BATCH_BYTES   (768 * 1024)
#define READ_AGAIN_MS 1000 /* after a read that failed */

/* A read under way; it outlives an owner that cannot wait for it. */
struct reading {
	LIST_ENTRY(reading) link;
	struct sink_owner *owner; /* NULL: gone */
};

static uint64_t
alert_key(const struct journal_item *item)
{
	return str_hash(item->id.s, item->id.n) ^ (item->stream + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

/* ---- the window ---------------------------------------------------------------- */

/* Of an entry that is still in memory it is the one that intake made. */
static struct record *
record_of(const struct journal_item *item)
{
	if (item->user != NULL)
		return record_ref(item->user);
	return record_from_entry(item->type, item->id, item->version, item->body);
}

/* What was asked for again, or was old when a tenant was first read, is late on purpose. Canaries are
 * told apart by theirs. */
static int64_t
version_of(const struct journal_item *item)
{
	bool is_told = item->type == RECORD_ALERT || item->type == RECORD_INCIDENT;

	if (item->type == RECORD_CANARY)
		return item->version;
	return is_told && (item->flags & EVENT_ORIGINS) == 0 ? item->version : TICKS_NONE;
}

static bool
is_left_out(const struct sink_owner *o, uint32_t stream)
{
	const struct journal_filter *f = &o->d->left_out;

	return f->nstreams > 0 && journal_filter_has(f, stream);
}

static void
window_add(struct sink_owner *o, const struct journal_item *item)
{
	struct window *w = &o->window;
	struct ticket t = { .stream = item->stream, .pos = item->pos, .key = alert_key(item),
		.tries = item->tries, .is_canary = item->type == RECORD_CANARY,
		.version = version_of(item), .journalled = item->journalled };
	int64_t due;

	if (is_left_out(o, item->stream)) {
		owner_let_go(o, item->pos);
		return;
	}
	if (order_blocks(&o->order, t.key, t.pos.seq, &due)) {
		owner_put_behind(o, &t, due, item->memo);
		return;
	}
	w->records[w->n] = record_of(item);
	w->streams[w->n] = item->stream;
	w->items[w->n] = (struct sink_item) {
		.ticket = tickets_issue(&o->tickets, &t),
		.event = {
			.record = w->records[w->n],
			.kind = item->kind,
			.changed = item->changed,
			.flags = item->flags,
			.journalled = item->journalled,
		},
		.tries = item->tries,
		.memo = item->memo,
	};
	w->n++;
}

static void
window_fill(struct sink_owner *o)
{
	const struct journal_batch *b = o->batch;

	while (b != NULL && o->next_item < b->n && o->window.n < WINDOW_MAX) {
		o->is_capped = tickets_is_full(&o->tickets);
		if (o->is_capped)
			break;
		window_add(o, &b->items[o->next_item++]);
	}
	/* Looked up late: a reload may have replaced the origins since the last try. */
	for (size_t i = 0; i < o->window.n; i++) {
		o->window.items[i].event.origin =
		    o->d->origin(o->d->origin_arg, o->window.streams[i]);
	}
}

/* The first n were taken. */
static void
window_shift(struct window *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		record_unref(w->records[i]);
	w->n -= n;
	memmove(w->items, w->items + n, w->n * sizeof(w->items[0]));
	memmove(w->records, w->records + n, w->n * sizeof(w->records[0]));
	memmove(w->streams, w->streams + n, w->n * sizeof(w->streams[0]));
}

static void
window_leave_out(struct sink_owner *o)
{
	struct window *w = &o->window;
	struct ticket t;
	size_t kept = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (!is_left_out(o, w->streams[i])) {
			w->items[kept] = w->items[i];
			w->records[kept] = w->records[i];
			w->streams[kept++] = w->streams[i];
			continue;
		}
		if (tickets_redeem(&o->tickets, w->items[i].ticket, &t))
			owner_let_go(o, t.pos);
		record_unref(w->records[i]);
	}
	w->n = kept;
}

void
owner_leave_out(struct sink_owner *o)
{
	struct journal_batch *b = o->batch;
	size_t kept = o->next_item;

	window_leave_out(o);
	for (size_t i = o->next_item; b != NULL && i < b->n; i++) {
		if (is_left_out(o, b->items[i].stream))
			owner_let_go(o, b->items[i].pos);
		else
			b->items[kept++] = b->items[i];
	}
	if (b != NULL)
		b->n = kept;
	owner_wake(o);
}

static void
drop_batch(struct sink_owner *o)
{
	journal_batch_free(o->batch);
	o->batch = NULL;
	o->next_item = 0;
}

void
owner_drop_window(struct sink_owner *o)
{
	struct ticket unused;

	for (size_t i = 0; i < o->window.n; i++)
		(void)tickets_redeem(&o->tickets, o->window.items[i].ticket, &unused);
	window_shift(&o->window, o->window.n);
	drop_batch(o);
}

/* ---- reading ---------------------------------------------------------------------- */

static void
owner_take_batch(struct sink_owner *o, struct journal_batch *b, const struct err *err)
{
	if (err != NULL) {
		journal_batch_free(b);
		o->has_more = true;
		log_warn(&o->log, "cannot read the journal: %s; tried again in %ds", err->text,
		    READ_AGAIN_MS / 1000);
		timer_set(o->d->env->timers, &o->read_again, READ_AGAIN_MS);
		return;
	}
	o->batch = b;
	o->next_item = 0;
	/* |=: what was committed since the read began has been announced already. */
	o->has_more |= b->has_more;
	o->d->was_busy = true; /* an empty batch too: what it would have held may be damaged and gone */
	owner_wake(o);
}

static void
owner_on_read(void *arg, struct journal_batch *taken, const struct err *err)
{
	struct reading *r = arg;
	struct sink_owner *o = r->owner;

	LIST_REMOVE(r, link);
	free(r);
	if (o == NULL) {
		journal_batch_free(taken);
		return;
	}
	o->reading = NULL;
	if (o->must_rewind) {
		journal_batch_free(taken);
		owner_rewind(o);
		owner_wake(o);
	} else {
		owner_take_batch(o, taken, err);
	}
	if (o->state == OWNER_READING)
		owner_on_closed(o);
}

static void
owner_read(struct sink_owner *o)
{
	if (o->reading != NULL || !o->has_more || timer_is_set(&o->read_again))
		return;
	o->has_more = false;
	o->reading = xmalloc(sizeof(*o->reading));
	o->reading->owner = o;
	LIST_INSERT_HEAD(&o->d->readings, o->reading, link);
	journal_read(o->d->journal, o->number, BATCH_ITEMS, BATCH_BYTES, owner_on_read, o->reading);
}

void
owner_orphan_reading(struct sink_owner *o)
{
	if (o->reading != NULL)
		o->reading->owner = NULL;
	o->reading = NULL;
}

void
delivery_free_readings(struct delivery *d)
{
	struct reading *r;

	while (!LIST_EMPTY(&d->readings)) {
		r = LIST_FIRST(&d->readings);
		LIST_REMOVE(r, link);
		free(r);
	}
}

/*
 * A read under way may have been answered before or after a rewind that is asked
 * for now; so the rewind waits until it is back.
 */
void
owner_rewind(struct sink_owner *o)
{
	owner_drop_window(o);
	tickets_void(&o->tickets);
	owner_settle_now(o);
	o->is_full = o->is_capped = false;
	o->must_rewind = o->reading != NULL;
	if (o->must_rewind)
		return;
	journal_rewind(o->d->journal, o->number);
	o->has_more = true;
}

/* ---- handing out -------------------------------------------------------------------- */

void
owner_wake(struct sink_owner *o)
{
	if (o->is_runnable)
		return;
	o->is_runnable = true;
	TAILQ_INSERT_TAIL(&o->d->runnable, o, run_link);
	if (!timer_is_set(&o->d->work))
		timer_set(o->d->env->timers, &o->d->work, 0);
}

bool
owner_hand_out(struct sink_owner *o)
{
	struct window *w = &o->window;
	size_t offered, taken;

	if (o->state != OWNER_UP || o->is_full || o->must_rewind || o->is_held)
		return false;
	o->is_full = !trial_hand_out(o);
	if (o->is_full)
		return false;
	window_fill(o);
	offered = w->n;
	if (offered == 0) {
		if (o->is_capped)
			return false;
		if (o->batch != NULL && o->next_item < o->batch->n)
			return true; /* all of this piece wait behind others */
		drop_batch(o);
		owner_read(o);
		return false;
	}
	taken = o->conf->kind->send(o->sink, w->items, offered);
	BUG_IF(taken > offered);
	window_shift(w, taken);
	o->is_full = taken < offered;
	return !o->is_full;
}

void
sink_ready(struct sink_owner *o)
{
	o->is_full = false;
	owner_wake(o);
}
