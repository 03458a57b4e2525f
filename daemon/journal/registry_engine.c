/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "daemon/journal/registry_inner.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"

void
registry_load_stream(struct registry *r, uint32_t stream, const char *key, const char *about,
    int64_t begin)
{
	struct stream *st;

	pthread_mutex_lock(&r->lock);
	while (r->nstreams < stream)
		registry_stream_add(r);
	st = r->streams[stream - 1];
	if (st->key == NULL) {
		st->key = xstrdup(key);
		st->about = xstrdup(about);
		st->begin = begin;
		registry_index_add(r, stream);
	}
	pthread_mutex_unlock(&r->lock);
}

void
registry_load_reader(struct registry *r, uint32_t stream, const char *name, int64_t at)
{
	struct stream *st;

	pthread_mutex_lock(&r->lock);
	st = registry_stream_at(r, stream);
	if (st != NULL)
		registry_reader_get(st, name)->at = at;
	pthread_mutex_unlock(&r->lock);
}

void
registry_load_sink(struct registry *r, uint32_t sink, const char *name, int64_t undeclared_since,
    bool is_forgotten, bool is_parked)
{
	struct sink *s;

	pthread_mutex_lock(&r->lock);
	while (r->nsinks < sink)
		registry_sink_add(r);
	s = r->sinks[sink - 1];
	if (s->name == NULL) {
		s->name = xstrdup(name);
		s->undeclared_since = undeclared_since;
		s->is_forgotten = is_forgotten;
		s->is_parked = is_parked;
	}
	pthread_mutex_unlock(&r->lock);
}

bool
registry_unsaved_stream(struct registry *r, uint32_t after, struct registry_name *out)
{
	bool found = false;

	pthread_mutex_lock(&r->lock);
	for (size_t i = after; r->has_unsaved_streams && i < r->nstreams && !found; i++) {
		const struct stream *st = r->streams[i];

		if (st->key == NULL || st->is_purged || st->edit == st->saved)
			continue;
		*out = (struct registry_name) { .number = (uint32_t)i + 1, .edit = st->edit,
			.name = xstrdup(st->key), .about = xstrdup(st->about), .begin = st->begin };
		found = true;
	}
	if (!found && after == 0)
		r->has_unsaved_streams = false;
	pthread_mutex_unlock(&r->lock);
	return found;
}

bool
registry_unsaved_sink(struct registry *r, uint32_t after, struct registry_name *out)
{
	bool found = false;

	pthread_mutex_lock(&r->lock);
	for (size_t i = after; r->has_unsaved_sinks && i < r->nsinks && !found; i++) {
		const struct sink *s = r->sinks[i];

		if (s->name == NULL || s->edit == s->saved)
			continue;
		*out = (struct registry_name) { .number = (uint32_t)i + 1, .edit = s->edit,
			.name = xstrdup(s->name), .undeclared_since = s->undeclared_since,
			.is_forgotten = s->is_forgotten, .is_parked = s->is_parked };
		found = true;
	}
	if (!found && after == 0)
		r->has_unsaved_sinks = false;
	pthread_mutex_unlock(&r->lock);
	return found;
}

void
registry_saved_stream(struct registry *r, uint32_t stream, uint64_t edit)
{
	pthread_mutex_lock(&r->lock);
	registry_stream_at(r, stream)->saved = edit;
	pthread_mutex_unlock(&r->lock);
}

void
registry_saved_sink(struct registry *r, uint32_t sink, uint64_t edit)
{
	pthread_mutex_lock(&r->lock);
	registry_sink_at(r, sink)->saved = edit;
	pthread_mutex_unlock(&r->lock);
}

void
registry_unsave_all(struct registry *r)
{
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->nstreams; i++)
		registry_stream_edited(r, r->streams[i]);
	for (size_t i = 0; i < r->nsinks; i++)
		registry_sink_edited(r, r->sinks[i]);
	pthread_mutex_unlock(&r->lock);
	periods_unsave_all(r->periods);
}

void
registry_page_done(struct registry *r, uint32_t stream, const char *reader, int64_t at,
    int64_t begin, int64_t window)
{
	struct stream *st;

	pthread_mutex_lock(&r->lock);
	st = registry_stream_at(r, stream);
	if (at != TICKS_NONE)
		registry_reader_get(st, reader)->at = at;
	if (st->begin == TICKS_NONE)
		st->begin = begin;
	if (window != TICKS_NONE)
		st->window = window;
	pthread_mutex_unlock(&r->lock);
}

void
registry_say_window(struct registry *r, uint32_t stream, int64_t window)
{
	pthread_mutex_lock(&r->lock);
	registry_stream_at(r, stream)->window = window;
	pthread_mutex_unlock(&r->lock);
}

int64_t
registry_window(struct registry *r, uint32_t stream)
{
	struct stream *st;
	int64_t window;

	pthread_mutex_lock(&r->lock);
	st = registry_stream_at(r, stream);
	window = st == NULL ? TICKS_NONE : st->window;
	pthread_mutex_unlock(&r->lock);
	return window;
}

bool
registry_each_reader(struct registry *r, size_t *i, uint32_t *stream, const char **name,
    int64_t *at)
{
	size_t k = *i;
	bool found = false;

	pthread_mutex_lock(&r->lock);
	for (size_t s = 0; s < r->nstreams && !found; s++) {
		const struct stream *st = r->streams[s];

		while (k < st->nreaders && st->readers[k]->at == TICKS_NONE) {
			k++;
			*i += 1;
		}
		if (k >= st->nreaders) {
			k -= st->nreaders;
			continue;
		}
		*stream = (uint32_t)s + 1;
		*name = st->readers[k]->name;
		*at = st->readers[k]->at;
		found = true;
	}
	pthread_mutex_unlock(&r->lock);
	*i += 1;
	return found;
}

/* As the file has it: numbers with blanks between them. NULL: there is none. */
void
registry_load_purge(struct registry *r, const char *streams)
{
	pthread_mutex_lock(&r->lock);
	r->has_purge_left = streams != NULL;
	r->npurge_left = 0;
	while (streams != NULL && r->npurge_left < JOURNAL_STREAMS) {
		char *end;
		unsigned long number = strtoul(streams, &end, 10);

		if (end == streams)
			break;
		if (number > 0 && number <= UINT32_MAX)
			r->purge_left[r->npurge_left++] = (uint32_t)number;
		streams = end;
	}
	pthread_mutex_unlock(&r->lock);
}

bool
registry_is_purged(struct registry *r, uint32_t stream)
{
	const struct stream *st;
	bool is_purged;

	pthread_mutex_lock(&r->lock);
	st = registry_stream_at(r, stream);
	is_purged = st != NULL && st->is_purged;
	pthread_mutex_unlock(&r->lock);
	return is_purged;
}

/* Names of readers stay: others may hold them. */
void
registry_forget_cursors(struct registry *r, uint32_t stream)
{
	struct stream *st;

	pthread_mutex_lock(&r->lock);
	st = registry_stream_at(r, stream);
	if (st != NULL) {
		st->begin = st->window = TICKS_NONE;
		for (size_t i = 0; i < st->nreaders; i++)
			st->readers[i]->at = TICKS_NONE;
	}
	pthread_mutex_unlock(&r->lock);
}

void
registry_set_cursor(struct registry *r, uint32_t stream, const char *reader, int64_t at)
{
	registry_page_done(r, stream, reader, at, TICKS_NONE, TICKS_NONE);
}

bool
registry_each_sink(struct registry *r, size_t *i, uint32_t *sink, bool *is_forgotten,
    int64_t *undeclared_since)
{
	bool found = false;

	pthread_mutex_lock(&r->lock);
	while (*i < r->nsinks && r->sinks[*i]->name == NULL)
		*i += 1;
	if (*i < r->nsinks) {
		const struct sink *s = r->sinks[*i];

		*sink = (uint32_t)*i + 1;
		*is_forgotten = s->is_forgotten;
		*undeclared_since = s->is_declared ? TICKS_NONE : s->undeclared_since;
		*i += 1;
		found = true;
	}
	pthread_mutex_unlock(&r->lock);
	return found;
}

const char *
registry_sink_name(struct registry *r, uint32_t sink)
{
	struct sink *s;

	pthread_mutex_lock(&r->lock);
	s = registry_sink_at(r, sink);
	pthread_mutex_unlock(&r->lock);
	return s == NULL ? NULL : s->name;
}

bool
registry_is_sink(struct registry *r, uint32_t sink)
{
	const struct sink *s;
	bool is;

	pthread_mutex_lock(&r->lock);
	s = registry_sink_at(r, sink);
	is = s != NULL && s->name != NULL && !s->is_forgotten;
	pthread_mutex_unlock(&r->lock);
	return is;
}

bool
registry_is_parked(struct registry *r, uint32_t sink)
{
	const struct sink *s;
	bool is_parked;

	pthread_mutex_lock(&r->lock);
	s = registry_sink_at(r, sink);
	is_parked = s != NULL && s->is_parked;
	pthread_mutex_unlock(&r->lock);
	return is_parked;
}

void
registry_sink_figures(struct registry *r, uint32_t sink, uint64_t entries, uint64_t bytes,
    int64_t oldest, uint64_t dead)
{
	struct sink *s;

	pthread_mutex_lock(&r->lock);
	s = registry_sink_at(r, sink);
	if (s != NULL) {
		s->entries = entries;
		s->bytes = bytes;
		s->oldest = oldest;
		s->dead = dead;
	}
	pthread_mutex_unlock(&r->lock);
}

void
registry_set_stats(struct registry *r, const struct journal_stats *stats)
{
	pthread_mutex_lock(&r->lock);
	r->stats = *stats;
	pthread_mutex_unlock(&r->lock);
}
