/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_kafka_topics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/policy/backoff.h"

#define UNPROVEN_MAX      64    /* entries of a topic that has taken none yet */
#define UNPROVEN_MS       1000  /* how long the sink waits for such a topic's first answer */
#define STUCK_MS          5000  /* and for a further one */
#define BURST_MS          250   /* and for one to a burst that is full */
#define BACKOFF_MS        1000
#define BACKOFF_CAP       60000
#define HASH_DIGITS       16

/* ---- names --------------------------------------------------------------------------- */

static bool
is_legal(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.'
	    || c == '_' || c == '-';
}

static void
make_legal(char out[KAFKA_TOPIC_NAME + 1], struct str name)
{
	size_t n = name.n < KAFKA_TOPIC_NAME ? name.n : KAFKA_TOPIC_NAME;

	for (size_t i = 0; i < n; i++)
		out[i] = is_legal(name.s[i]) ? name.s[i] : '_';
	if (name.n > KAFKA_TOPIC_NAME) {
		n = KAFKA_TOPIC_NAME - HASH_DIGITS;
		(void)snprintf(out + n, HASH_DIGITS + 1, "%016" PRIx64, str_hash(name.s, name.n));
		n += HASH_DIGITS;
	}
	out[n] = '\0';
	if (n == 0 || strcmp(out, ".") == 0 || strcmp(out, "..") == 0)
		(void)snprintf(out, KAFKA_TOPIC_NAME + 1, "_");
}

/* ---- the table ----------------------------------------------------------------------- */

static void
topic_free(struct kafka_topics *ts, struct kafka_topic *t)
{
	LIST_REMOVE(t, same);
	TAILQ_REMOVE(&ts->ages, t, age);
	ts->n--;
	if (t->handle != NULL)
		rd_kafka_topic_destroy(t->handle);
	free(t->why);
	free(t->name);
	free(t);
}

static bool
make_room(struct kafka_topics *ts)
{
	struct kafka_topic *t;

	if (ts->n < KAFKA_TOPICS_MAX)
		return true;
	TAILQ_FOREACH(t, &ts->ages, age) {
		if (t->in_flight > 0)
			continue;
		topic_free(ts, t);
		return true;
	}
	return false;
}

static struct kafka_topic *
topic_new(struct kafka_topics *ts, struct kafka_topic_place *place, const char *name)
{
	struct kafka_topic *t;

	if (!make_room(ts))
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->name = xstrdup(name);
	LIST_INSERT_HEAD(place, t, same);
	TAILQ_INSERT_TAIL(&ts->ages, t, age);
	ts->n++;
	return t;
}

struct kafka_topic *
kafka_topics_get(struct kafka_topics *ts, struct str name)
{
	char legal[KAFKA_TOPIC_NAME + 1];
	struct kafka_topic_place *place;
	struct kafka_topic *t;

	make_legal(legal, name);
	place = &ts->places[str_hash(legal, strlen(legal)) % KAFKA_TOPIC_PLACES];
	LIST_FOREACH(t, place, same) {
		if (strcmp(t->name, legal) != 0)
			continue;
		TAILQ_REMOVE(&ts->ages, t, age);
		TAILQ_INSERT_TAIL(&ts->ages, t, age);
		return t;
	}
	return topic_new(ts, place, legal);
}

void
kafka_topics_init(struct kafka_topics *ts, size_t max_bytes, size_t burst_bytes)
{
	*ts = (struct kafka_topics) { .max_bytes = max_bytes, .burst_bytes = burst_bytes };
	TAILQ_INIT(&ts->ages);
}

void
kafka_topics_release(struct kafka_topics *ts)
{
	while (!TAILQ_EMPTY(&ts->ages))
		topic_free(ts, TAILQ_FIRST(&ts->ages));
}

/* ---- how much of each ---------------------------------------------------------------- */

enum kafka_room
kafka_topics_room(const struct kafka_topics *ts, const struct kafka_topic *t, int64_t now)
{
	size_t free_bytes = ts->max_bytes > ts->bytes ? ts->max_bytes - ts->bytes : 0;
	bool is_over = t->is_proven ? t->bytes >= free_bytes : t->in_flight >= UNPROVEN_MAX;

	if (t->fails > 0)
		return now >= t->again_at && t->in_flight == 0 ? KAFKA_ROOM : KAFKA_ROOM_LATER;
	/* Without answers its rest waits for one partition, and other partitions go on. */
	is_over |= t->is_full && now - t->progress_at < BURST_MS;
	if (!is_over && free_bytes > 0)
		return KAFKA_ROOM;
	if (t->in_flight == 0)
		return KAFKA_ROOM_SOON;
	return now - t->progress_at > (t->is_proven ? STUCK_MS : UNPROVEN_MS) ? KAFKA_ROOM_LATER :
	    KAFKA_ROOM_SOON;
}

void
kafka_topics_sent(struct kafka_topics *ts, struct kafka_topic *t, size_t bytes, int64_t now)
{
	if (t->in_flight++ == 0)
		t->progress_at = now;
	t->bytes += bytes;
	ts->bytes += bytes;
	t->is_full = t->is_full || t->bytes >= ts->burst_bytes;
}

void
kafka_topics_back(struct kafka_topics *ts, struct kafka_topic *t, size_t bytes, int64_t now)
{
	BUG_IF(t->in_flight == 0 || t->bytes < bytes || ts->bytes < bytes);
	t->in_flight--;
	t->bytes -= bytes;
	ts->bytes -= bytes;
	t->is_full = t->is_full && t->in_flight > 0;
	t->progress_at = now;
}

void
kafka_topics_reset(struct kafka_topics *ts)
{
	struct kafka_topic *t;

	ts->bytes = 0;
	TAILQ_FOREACH(t, &ts->ages, age) {
		if (t->handle != NULL)
			rd_kafka_topic_destroy(t->handle);
		t->handle = NULL;
		t->in_flight = t->bytes = 0;
		t->is_proven = t->is_full = false;
	}
}

/* ---- failing ------------------------------------------------------------------------- */

bool
kafka_topic_worked(struct kafka_topic *t)
{
	bool had_failed = t->fails > 0;

	t->is_proven = true;
	t->fails = 0;
	free(t->why);
	t->why = NULL;
	return had_failed;
}

/* The entries that were on their way together fail together: that is one failure. */
bool
kafka_topic_failed(struct kafka_topic *t, const char *why, int64_t now, uint32_t random)
{
	bool is_first = t->fails == 0 || now >= t->again_at;

	t->is_proven = false;
	if (!is_first)
		return false;
	t->fails++;
	t->again_at = now + backoff_jitter(backoff_delay(t->fails, BACKOFF_MS, BACKOFF_CAP, 0), random);
	free(t->why);
	t->why = xstrdup(why);
	return true;
}
