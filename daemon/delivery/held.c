/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/held.h"

#include <stdlib.h>

#include "daemon/delivery/owner.h"
#include "lib/base/alloc.h"

/* A look under way: at one sink after the other. */
struct look {
	LIST_ENTRY(look) link;
	struct delivery *d;
	char *sink; /* NULL: all of them */
	uint32_t at; /* the sink that is looked at, by number */
	bool is_cancel, is_cut;
	bool is_saving; /* the marks of a cancel are on their way to the disk */
	char *what, *customer; /* of a cancel */
	size_t cancelled;
	struct held_line *lines;
	size_t n, room;
	const struct journal_item *item; /* that is looked at */
	held_cb *cb;
	void *arg;
};

static void
look_free(struct look *l)
{
	LIST_REMOVE(l, link);
	for (size_t i = 0; i < l->n; i++) {
		free(l->lines[i].sink);
		free(l->lines[i].what);
		free(l->lines[i].customer);
		free(l->lines[i].why);
	}
	free(l->lines);
	free(l->sink);
	free(l->what);
	free(l->customer);
	free(l);
}

static void
answer(struct look *l, const struct err *err)
{
	const struct held_answer a = { l->lines, l->n, l->is_cut, l->cancelled, err };

	l->cb(l->arg, &a);
	look_free(l);
}

/* The next sink that holds, number above `after`; NULL: no more. */
static struct sink_owner *
next_owner(const struct look *l, uint32_t after)
{
	struct sink_owner *o, *best = NULL;

	TAILQ_FOREACH(o, &l->d->owners, link) {
		if (o->conf->kind->held == NULL || o->number <= after ||
		    (l->sink != NULL && strcmp(o->name, l->sink) != 0))
			continue;
		if (best == NULL || o->number < best->number)
			best = o;
	}
	return best;
}

static struct sink_owner *
owner_of(const struct look *l, uint32_t number)
{
	struct sink_owner *o;

	TAILQ_FOREACH(o, &l->d->owners, link) {
		if (o->number == number)
			return o;
	}
	return NULL;
}

static const char *
customer_of(const struct look *l)
{
	return l->d->origin(l->d->origin_arg, l->item->stream)->customer;
}

/* ---- counting --------------------------------------------------------------------- */

static struct held_line *
line_of(struct look *l, const char *what, const char *why)
{
	const char *sink = owner_of(l, l->at)->name, *customer = customer_of(l);
	struct held_line *line;

	for (size_t i = l->n; i-- > 0;) {
		line = &l->lines[i];
		if (strcmp(line->what, what) == 0 && strcmp(line->why, why) == 0 &&
		    strcmp(line->customer, customer) == 0 && strcmp(line->sink, sink) == 0)
			return line;
	}
	if (l->n == l->room) {
		l->room = l->room == 0 ? 8 : l->room * 2;
		l->lines = xreallocarray(l->lines, l->room, sizeof(*l->lines));
	}
	line = &l->lines[l->n++];
	*line = (struct held_line){ xstrdup(sink), xstrdup(what), xstrdup(customer), xstrdup(why),
		INT64_MAX, INT64_MAX, 0 };
	return line;
}

static void
count_one(void *arg, const char *what, const char *why, int64_t due)
{
	struct look *l = arg;
	struct held_line *line = line_of(l, what, why);

	line->n++;
	if (due < line->due)
		line->due = due;
	if (l->item->journalled < line->oldest)
		line->oldest = l->item->journalled;
}

/* ---- letting go --------------------------------------------------------------------- */

static void
cancel_one(struct look *l, struct sink_owner *o)
{
	struct buf memo = BUF_INIT(4096);
	struct journal_mark mark = { .pos = l->item->pos, .what = MARK_OK };
	bool is_left;

	if (strcmp(customer_of(l), l->customer) == 0 &&
	    o->conf->kind->cancel_held(o->conf->conf, l->item->memo, l->what, &memo, &is_left)) {
		if (is_left)
			mark = (struct journal_mark){ .pos = l->item->pos, .what = MARK_LATER,
				.due = l->item->due, .tries = l->item->tries, .memo = memo.p };
		journal_settle(l->d->journal, o->number, &mark, 1);
		l->cancelled++;
	}
	buf_release(&memo);
}

/* ---- one sink after the other ------------------------------------------------------------ */

static void look_on_read(void *arg, struct journal_batch *taken, const struct err *err);

static void
look_at_next(struct look *l)
{
	struct sink_owner *o = next_owner(l, l->at);

	if (o == NULL) {
		answer(l, NULL);
		return;
	}
	l->at = o->number;
	owner_settle_now(o);
	journal_look(l->d->journal, o->number, HELD_MOST, look_on_read, l);
}

static void
look_on_read(void *arg, struct journal_batch *taken, const struct err *err)
{
	struct look *l = arg;
	struct sink_owner *o = owner_of(l, l->at);

	l->is_cut |= taken->n == HELD_MOST;
	for (size_t i = 0; o != NULL && err == NULL && !l->is_saving && i < taken->n; i++) {
		l->item = &taken->items[i];
		if (l->is_cancel)
			cancel_one(l, o);
		else
			o->conf->kind->held(o->conf->conf, l->item->memo, count_one, l);
	}
	journal_batch_free(taken);
	/* A second look comes when what was settled before it is stored. */
	l->is_saving = l->is_cancel && !l->is_saving && err == NULL;
	if (l->is_saving)
		journal_look(l->d->journal, l->at, 1, look_on_read, l);
	else if (err != NULL)
		answer(l, err);
	else
		look_at_next(l);
}

static struct look *
look_new(struct delivery *d, const char *sink, held_cb *cb, void *arg, struct err *err)
{
	struct look *l = xcalloc(1, sizeof(*l));

	*l = (struct look){ .d = d, .sink = sink != NULL ? xstrdup(sink) : NULL, .cb = cb, .arg = arg };
	LIST_INSERT_HEAD(&d->looks, l, link);
	if (next_owner(l, 0) != NULL)
		return l;
	if (sink != NULL)
		(void)err_set(err, ERR_PERM, "there is no sink '%.80s' that holds anything back", sink);
	else
		(void)err_set(err, ERR_PERM, "there is no sink that holds anything back");
	look_free(l);
	return NULL;
}

bool
delivery_look_at_held(struct delivery *d, const char *sink, held_cb *cb, void *arg, struct err *err)
{
	struct look *l = look_new(d, sink, cb, arg, err);

	if (l == NULL)
		return false;
	look_at_next(l);
	return true;
}

bool
delivery_cancel_held(struct delivery *d, const struct held_which *which, held_cb *cb, void *arg,
    struct err *err)
{
	struct look *l = look_new(d, which->sink, cb, arg, err);

	if (l == NULL)
		return false;
	l->is_cancel = true;
	l->what = xstrdup(which->what);
	l->customer = xstrdup(which->customer);
	look_at_next(l);
	return true;
}

void
delivery_free_looks(struct delivery *d)
{
	struct err err;

	(void)err_set(&err, ERR_TEMP, "msspd is stopping");
	while (!LIST_EMPTY(&d->looks))
		answer(LIST_FIRST(&d->looks), &err);
}
