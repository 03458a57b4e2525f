/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_INNER_H
#define REGISTRY_INNER_H

#include "daemon/journal/registry.h"

/*
 * registry_inner: what the two files of the registry share: registry.c, its life and the
 * loop's side, and registry_engine.c, the engine's side. For nobody else.
 *
 * All functions here are called under the lock.
 */
struct reader {
	char *name;
	int64_t at; /* TICKS_NONE: it was purged */
};

struct stream {
	char *key, *about; /* key NULL: a hole in the numbers */
	int64_t begin, window;
	bool is_purged; /* nobody has said it since */
	uint64_t edit, saved;
	struct reader **readers;
	size_t nreaders;
};

struct sink {
	char *name;
	bool is_declared, is_forgotten, is_parked;
	int64_t undeclared_since;
	uint64_t edit, saved;
	uint64_t entries, bytes, dead;
	int64_t oldest;
};

/* Numbers are index + 1. Streams and sinks stay where they are allocated. */
struct registry {
	pthread_mutex_t lock;
	struct stream **streams;
	size_t nstreams;
	uint32_t *index; /* open table of stream numbers by key */
	size_t nindex;
	struct sink **sinks;
	size_t nsinks;
	bool has_unsaved_streams, has_unsaved_sinks;
	struct journal_stats stats;
	struct periods *periods; /* with a lock of its own */
	bool has_purge_left;     /* of those streams, which may be gone */
	uint32_t purge_left[JOURNAL_STREAMS];
	size_t npurge_left;
};

/* NULL: none of that number. */
struct stream *registry_stream_at(struct registry *r, uint32_t number);
struct sink *registry_sink_at(struct registry *r, uint32_t number);
/* With the next number, and nothing else yet. */
struct stream *registry_stream_add(struct registry *r);
struct sink *registry_sink_add(struct registry *r);
/* That stream has its key now, by which it is found. */
void registry_index_add(struct registry *r, uint32_t number);
/* A new one where there is none of that name. */
struct reader *registry_reader_get(struct stream *st, const char *name);
/* What the disk has of it is old. */
void registry_stream_edited(struct registry *r, struct stream *st);
void registry_sink_edited(struct registry *r, struct sink *s);

#endif
