/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "daemon/journal/registry_inner.h"
#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/base/ticks.h"

struct registry *
registry_new(void)
{
	struct registry *r = xcalloc(1, sizeof(*r));

	pthread_mutex_init(&r->lock, NULL);
	r->stats.oldest_open = TICKS_NONE;
	r->periods = periods_new();
	return r;
}

static void
stream_free(struct stream *st)
{
	for (size_t i = 0; i < st->nreaders; i++) {
		free(st->readers[i]->name);
		free(st->readers[i]);
	}
	free(st->readers);
	free(st->key);
	free(st->about);
	free(st);
}

void
registry_free(struct registry *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->nstreams; i++)
		stream_free(r->streams[i]);
	for (size_t i = 0; i < r->nsinks; i++) {
		free(r->sinks[i]->name);
		free(r->sinks[i]);
	}
	free(r->streams);
	free(r->sinks);
	free(r->index);
	periods_free(r->periods);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* ---- streams ------------------------------------------------------------- */

struct stream *
registry_stream_at(struct registry *r, uint32_t number)
{
	return number >= 1 && number <= r->nstreams ? r->streams[number - 1] : NULL;
}

/* The slot of that key, or the free one where it would go. */
static size_t
probe(const struct registry *r, const char *key)
{
	size_t i = (size_t)str_hash(key, strlen(key)) & (r->nindex - 1);

	while (r->index[i] != 0 && strcmp(r->streams[r->index[i] - 1]->key, key) != 0)
		i = (i + 1) & (r->nindex - 1);
	return i;
}

void
registry_index_add(struct registry *r, uint32_t number)
{
	if (r->nindex >= 2 * r->nstreams + 2) {
		r->index[probe(r, r->streams[number - 1]->key)] = number;
		return;
	}
	r->nindex = r->nindex == 0 ? 64 : r->nindex * 2;
	free(r->index);
	r->index = xcalloc(r->nindex, sizeof(*r->index));
	for (size_t i = 0; i < r->nstreams; i++)
		if (r->streams[i]->key != NULL)
			r->index[probe(r, r->streams[i]->key)] = (uint32_t)i + 1;
}

struct stream *
registry_stream_add(struct registry *r)
{
	struct stream *st = xcalloc(1, sizeof(*st));

	st->begin = st->window = TICKS_NONE;
	r->streams = xreallocarray(r->streams, r->nstreams + 1, sizeof(*r->streams));
	r->streams[r->nstreams++] = st;
	return st;
}

void
registry_stream_edited(struct registry *r, struct stream *st)
{
	st->edit++;
	r->has_unsaved_streams = true;
}

uint32_t
registry_stream(struct registry *r, const char *key, const char *about)
{
	struct stream *st;
	uint32_t number = 0;

	pthread_mutex_lock(&r->lock);
	if (r->nindex > 0)
		number = r->index[probe(r, key)];
	if (number == 0) {
		st = registry_stream_add(r);
		st->key = xstrdup(key);
		number = (uint32_t)r->nstreams;
		registry_index_add(r, number);
	}
	st = r->streams[number - 1];
	if (st->about == NULL || st->is_purged || strcmp(st->about, about) != 0) {
		st->is_purged = false;
		free(st->about);
		st->about = xstrdup(about);
		registry_stream_edited(r, st);
	}
	pthread_mutex_unlock(&r->lock);
	return number;
}

uint32_t
registry_stream_find(struct registry *r, const char *key)
{
	uint32_t number;

	pthread_mutex_lock(&r->lock);
	number = r->nindex > 0 ? r->index[probe(r, key)] : 0;
	if (number != 0 && r->streams[number - 1]->is_purged)
		number = 0;
	pthread_mutex_unlock(&r->lock);
	return number;
}

const char *
registry_stream_key(struct registry *r, uint32_t stream)
{
	const char *key = NULL;
	struct stream *st;

	pthread_mutex_lock(&r->lock);
	st = registry_stream_at(r, stream);
	if (st != NULL && !st->is_purged)
		key = st->key;
	pthread_mutex_unlock(&r->lock);
	return key;
}

uint32_t
registry_streams(struct registry *r)
{
	uint32_t n;

	pthread_mutex_lock(&r->lock);
	n = (uint32_t)r->nstreams;
	pthread_mutex_unlock(&r->lock);
	return n;
}

void
registry_purge_stream(struct registry *r, uint32_t stream)
{
	struct stream *st;

	pthread_mutex_lock(&r->lock);
	st = registry_stream_at(r, stream);
	if (st != NULL)
		st->is_purged = true;
	pthread_mutex_unlock(&r->lock);
}

bool
registry_purge_left(struct registry *r, struct journal_filter *which)
{
	bool has_one;

	*which = (struct journal_filter){ .nstreams = 0 };
	pthread_mutex_lock(&r->lock);
	has_one = r->has_purge_left;
	for (size_t i = 0; i < r->npurge_left; i++) {
		const struct stream *st = registry_stream_at(r, r->purge_left[i]);

		if (st != NULL && st->key != NULL)
			which->streams[which->nstreams++] = r->purge_left[i];
	}
	pthread_mutex_unlock(&r->lock);
	return has_one;
}

const char *
registry_stream_about(struct registry *r, uint32_t stream)
{
	const char *about = NULL;
	struct stream *st;

	pthread_mutex_lock(&r->lock);
	st = registry_stream_at(r, stream);
	if (st != NULL && !st->is_purged)
		about = st->about;
	pthread_mutex_unlock(&r->lock);
	return about;
}

static struct reader *
reader_find(struct stream *st, const char *name)
{
	for (size_t i = 0; st != NULL && i < st->nreaders; i++)
		if (strcmp(st->readers[i]->name, name) == 0)
			return st->readers[i];
	return NULL;
}

struct reader *
registry_reader_get(struct stream *st, const char *name)
{
	struct reader *rd = reader_find(st, name);

	if (rd != NULL)
		return rd;
	rd = xcalloc(1, sizeof(*rd));
	rd->name = xstrdup(name);
	st->readers = xreallocarray(st->readers, st->nreaders + 1, sizeof(*st->readers));
	st->readers[st->nreaders++] = rd;
	return rd;
}

bool
registry_cursor(struct registry *r, uint32_t stream, const char *reader, struct journal_cursor *c)
{
	const struct reader *rd;
	struct stream *st;

	pthread_mutex_lock(&r->lock);
	st = registry_stream_at(r, stream);
	rd = reader_find(st, reader);
	c->begin = st == NULL ? TICKS_NONE : st->begin;
	c->at = rd == NULL ? TICKS_NONE : rd->at;
	pthread_mutex_unlock(&r->lock);
	return c->at != TICKS_NONE;
}

/* ---- sinks --------------------------------------------------------------- */

struct sink *
registry_sink_at(struct registry *r, uint32_t number)
{
	return number >= 1 && number <= r->nsinks ? r->sinks[number - 1] : NULL;
}

struct sink *
registry_sink_add(struct registry *r)
{
	struct sink *s = xcalloc(1, sizeof(*s));

	s->oldest = s->undeclared_since = TICKS_NONE;
	r->sinks = xreallocarray(r->sinks, r->nsinks + 1, sizeof(*r->sinks));
	r->sinks[r->nsinks++] = s;
	return s;
}

void
registry_sink_edited(struct registry *r, struct sink *s)
{
	s->edit++;
	r->has_unsaved_sinks = true;
}

/* 0: none of that name. */
static uint32_t
sink_find(const struct registry *r, const char *name)
{
	for (size_t i = 0; i < r->nsinks; i++)
		if (r->sinks[i]->name != NULL && !r->sinks[i]->is_forgotten
		    && strcmp(r->sinks[i]->name, name) == 0)
			return (uint32_t)i + 1;
	return 0;
}

/* Another may have had its number once: what that one was to get is nothing for this one. */
static uint32_t
sink_new(struct registry *r, const char *name, const struct journal_period *periods, size_t n)
{
	struct sink *s = registry_sink_add(r);
	uint32_t number = (uint32_t)r->nsinks;

	s->name = xstrdup(name);
	registry_sink_edited(r, s);
	periods_forget_sink(r->periods, number);
	for (size_t i = 0; i < n; i++) {
		struct journal_period p = periods[i];

		p.sink = number;
		(void)periods_add(r->periods, &p);
	}
	return number;
}

uint32_t
registry_sink_since(struct registry *r, const char *name, const struct journal_period *periods,
    size_t n)
{
	uint32_t number;

	pthread_mutex_lock(&r->lock);
	number = sink_find(r, name);
	if (number == 0)
		number = sink_new(r, name, periods, n);
	pthread_mutex_unlock(&r->lock);
	return number;
}

uint32_t
registry_sink(struct registry *r, const char *name)
{
	return registry_sink_since(r, name, NULL, 0);
}

static bool
is_listed(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

void
registry_declare(struct registry *r, const char *const *names, size_t n, int64_t now)
{
	for (size_t i = 0; i < n; i++)
		registry_sink(r, names[i]);
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->nsinks; i++) {
		struct sink *s = r->sinks[i];
		int64_t since = s->undeclared_since == TICKS_NONE ? now : s->undeclared_since;

		if (s->name == NULL || s->is_forgotten)
			continue;
		s->is_declared = is_listed(s->name, names, n);
		if (s->is_declared)
			since = TICKS_NONE;
		if (since != s->undeclared_since)
			registry_sink_edited(r, s);
		s->undeclared_since = since;
	}
	pthread_mutex_unlock(&r->lock);
}

bool
registry_forget(struct registry *r, const char *name)
{
	uint32_t number;
	struct sink *s;
	bool is_free;

	pthread_mutex_lock(&r->lock);
	number = sink_find(r, name);
	s = registry_sink_at(r, number);
	is_free = s != NULL && !s->is_declared;
	if (is_free) {
		s->is_forgotten = true;
		registry_sink_edited(r, s);
	}
	pthread_mutex_unlock(&r->lock);
	return is_free;
}

void
registry_forget_number(struct registry *r, uint32_t sink)
{
	struct sink *s;

	pthread_mutex_lock(&r->lock);
	s = registry_sink_at(r, sink);
	if (s != NULL && !s->is_declared && !s->is_forgotten) {
		s->is_forgotten = true;
		registry_sink_edited(r, s);
	}
	pthread_mutex_unlock(&r->lock);
}

uint32_t
registry_sink_find(struct registry *r, const char *name)
{
	uint32_t number;

	pthread_mutex_lock(&r->lock);
	number = sink_find(r, name);
	for (size_t i = r->nsinks; number == 0 && i > 0; i--)
		if (r->sinks[i - 1]->name != NULL && strcmp(r->sinks[i - 1]->name, name) == 0)
			number = (uint32_t)i;
	pthread_mutex_unlock(&r->lock);
	return number;
}

bool
registry_is_known(struct registry *r, const char *name)
{
	bool is_known;

	pthread_mutex_lock(&r->lock);
	is_known = sink_find(r, name) != 0;
	pthread_mutex_unlock(&r->lock);
	return is_known;
}

void
registry_park(struct registry *r, uint32_t sink, bool is_parked)
{
	struct sink *s;

	pthread_mutex_lock(&r->lock);
	s = registry_sink_at(r, sink);
	if (s != NULL && s->is_parked != is_parked) {
		s->is_parked = is_parked;
		registry_sink_edited(r, s);
	}
	pthread_mutex_unlock(&r->lock);
}

struct periods *
registry_periods(struct registry *r)
{
	return r->periods;
}

/* False: nothing there, or let go. */
static bool
fill_backlog(const struct registry *r, size_t i, struct journal_backlog *out)
{
	const struct sink *s = r->sinks[i];

	if (s->name == NULL || s->is_forgotten)
		return false;
	*out = (struct journal_backlog) {
		.sink = s->name,
		.number = (uint32_t)i + 1,
		.is_declared = s->is_declared,
		.is_parked = s->is_parked,
		.undeclared_since = s->undeclared_since,
		.entries = s->entries,
		.bytes = s->bytes,
		.oldest = s->oldest,
		.dead = s->dead,
	};
	return true;
}

bool
registry_backlog_of(struct registry *r, uint32_t sink, struct journal_backlog *out)
{
	bool is_known;

	pthread_mutex_lock(&r->lock);
	is_known = sink >= 1 && sink <= r->nsinks && fill_backlog(r, sink - 1, out);
	pthread_mutex_unlock(&r->lock);
	return is_known;
}

size_t
registry_backlogs(struct registry *r, struct journal_backlog *out, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->nsinks && n < max; i++)
		n += fill_backlog(r, i, &out[n]);
	pthread_mutex_unlock(&r->lock);
	return n;
}

void
registry_stats(struct registry *r, struct journal_stats *out)
{
	pthread_mutex_lock(&r->lock);
	*out = r->stats;
	pthread_mutex_unlock(&r->lock);
}

enum journal_state
registry_state(struct registry *r)
{
	enum journal_state state;

	pthread_mutex_lock(&r->lock);
	state = r->stats.state;
	pthread_mutex_unlock(&r->lock);
	return state;
}
