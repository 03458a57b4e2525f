/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-journal.h>
#endif

#include "daemon/hush.h"
#include "daemon/logging.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "lib/base/ticks.h"

#define FIELDS_MOST 16
/* Kinds of events that are counted at a time; a further one takes the place of another. */
#define KINDS 256
#define WAYS  4 /* places that a kind may have */

/* One phrase about one tenant, sink or the whole. */
struct kind {
	uint64_t hash; /* 0: free */
	struct hush hush;
	char said[160]; /* how it began */
};

struct logging {
	const struct clock *clock;
	atomic_int format;
	bool has_journal;
	pthread_mutex_t mutex;
	struct kind kinds[KINDS];
};

/* Whether standard error is the stream that the journal gave us (systemd.exec(5), JOURNAL_STREAM). */
static bool
is_journal_stream(void)
{
	const char *named = getenv("JOURNAL_STREAM");
	struct stat st;
	uintmax_t dev, ino;

	if (named == NULL || sscanf(named, "%ju:%ju", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) != 0)
		return false;
	return (uintmax_t)st.st_dev == dev && (uintmax_t)st.st_ino == ino;
}

static void
set_value(json_t *o, struct str key, struct str value)
{
	char *name = xstrndup(key.s, key.n), *text = xstrndup(value.s, value.n), *end;
	json_int_t number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (end != text && *end == '\0' && errno == 0)
		json_object_set_new(o, name, json_integer(number));
	else
		json_object_set_new(o, name, json_string(text));
	free(name);
	free(text);
}

static void
write_json(struct logging *l, const struct log_event *e)
{
	struct log_field fields[FIELDS_MOST];
	struct buf when = BUF_INIT(64);
	struct str phrase;
	size_t n = log_fields(e, fields, FIELDS_MOST, &phrase);
	json_t *o = json_object();
	char *line;

	ticks_write(&when, clock_wall(l->clock), 3);
	json_object_set_new(o, "time", json_stringn(when.p, when.n));
	json_object_set_new(o, "level", json_string(log_level_word(e->level)));
	if (e->ctx != NULL && e->ctx->name != NULL)
		json_object_set_new(o, e->ctx->kind, json_string(e->ctx->name));
	json_object_set_new(o, "message", json_stringn(phrase.s, phrase.n));
	for (size_t i = 0; i < n; i++)
		set_value(o, fields[i].key, fields[i].value);
	line = json_dumps(o, JSON_COMPACT);
	log_put_line(line != NULL ? str_of(line) : e->line);
	free(line);
	json_decref(o);
	buf_release(&when);
}

#ifdef HAVE_LIBSYSTEMD
/* MSSPD_KEY=value; the journal wants capitals. */
static char *
journal_field(struct str key, struct str value)
{
	char *s = xasprintf("MSSPD_%.*s=%.*s", STR_ARG(key), STR_ARG(value));

	for (char *p = s; *p != '='; p++)
		*p = (char)toupper((unsigned char)*p);
	return s;
}

static bool
write_journal(const struct log_event *e)
{
	static const int priorities[] = { 3, 4, 6, 7 };
	struct log_field fields[FIELDS_MOST];
	struct iovec parts[FIELDS_MOST + 4];
	char *texts[FIELDS_MOST + 4];
	struct str phrase;
	size_t n = log_fields(e, fields, FIELDS_MOST, &phrase), k = 0;
	bool has_name = e->ctx != NULL && e->ctx->name != NULL;
	int rc;

	texts[k++] = xasprintf("MESSAGE=%.*s", STR_ARG(e->said));
	texts[k++] = xasprintf("PRIORITY=%d", priorities[e->level]);
	texts[k++] = xasprintf("SYSLOG_IDENTIFIER=msspd");
	if (has_name)
		texts[k++] = journal_field(str_of(e->ctx->kind), str_of(e->ctx->name));
	for (size_t i = 0; i < n; i++)
		texts[k++] = journal_field(fields[i].key, fields[i].value);
	for (size_t i = 0; i < k; i++)
		parts[i] = (struct iovec) { texts[i], strlen(texts[i]) };
	rc = sd_journal_sendv(parts, (int)k);
	for (size_t i = 0; i < k; i++)
		free(texts[i]);
	return rc == 0;
}
#else
static bool
write_journal(const struct log_event *e)
{
	(void)e;
	return false;
}
#endif

static void
put(struct logging *l, const struct log_event *e)
{
	int format = atomic_load(&l->format);

	if (format == LOGGING_JSON)
		write_json(l, e);
	else if (format == LOGGING_TEXT || !l->has_journal || !write_journal(e))
		log_put_line(e->line);
}

/* FNV-1a of what makes two events the same: context and phrase, whatever their pairs say. */
static uint64_t
hash_of(const struct log_event *e, struct str phrase)
{
	size_t head = (size_t)(phrase.s - e->line.s) + phrase.n;
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < head; i++)
		h = (h ^ (unsigned char)e->line.s[i]) * UINT64_C(0x100000001b3);
	return h != 0 ? h : 1;
}

static void
say_left_out(const struct kind *k)
{
	if (k->hash != 0 && k->hush.kept != 0)
		log_info(NULL, "was said again and again: %s repeated=%u", k->said, k->hush.kept);
}

/* Its own place, or that of the one in its places that has been quiet for the longest. */
static struct kind *
place_of(struct logging *l, uint64_t hash)
{
	struct kind *places = &l->kinds[hash % (KINDS / WAYS) * WAYS], *oldest = places;

	for (size_t i = 0; i < WAYS; i++) {
		if (places[i].hash == hash)
			return &places[i];
		if (places[i].hush.since < oldest->hush.since)
			oldest = &places[i];
	}
	return oldest;
}

/* Under the mutex. False: it is one of too many, and counted. */
static bool
may_say(struct logging *l, const struct log_event *e, unsigned *kept)
{
	struct log_field fields[FIELDS_MOST];
	struct str phrase;
	struct kind *k;
	uint64_t hash;

	log_fields(e, fields, FIELDS_MOST, &phrase);
	hash = hash_of(e, phrase);
	k = place_of(l, hash);
	if (k->hash != hash) {
		say_left_out(k);
		*k = (struct kind) { .hash = hash };
		snprintf(k->said, sizeof(k->said), "%.*s", STR_ARG(e->said));
	}
	return hush_allows(&k->hush, clock_mono(l->clock), kept);
}

/* The same with how many were left out since the last one. */
static void
put_with_count(struct logging *l, const struct log_event *e, unsigned kept)
{
	struct log_event more = *e;
	char *fmt = xasprintf("%s repeated=%%u", e->fmt);
	char *line = xasprintf("%.*s repeated=%u", STR_ARG(e->line), kept);
	size_t said = (size_t)(e->said.s - e->line.s), text = (size_t)(e->text.s - e->line.s);

	more.fmt = fmt;
	more.line = str_of(line);
	more.said = (struct str) { line + said, more.line.n - said };
	more.text = (struct str) { line + text, more.line.n - text };
	put(l, &more);
	free(fmt);
	free(line);
}

static void
on_event(const struct log_event *e, void *arg)
{
	struct logging *l = arg;
	unsigned kept = 0;
	bool may = true;

	if (e->level <= LOG_LEVEL_WARN) {
		pthread_mutex_lock(&l->mutex);
		may = may_say(l, e, &kept);
		pthread_mutex_unlock(&l->mutex);
	}
	if (may && kept > 0)
		put_with_count(l, e, kept);
	else if (may)
		put(l, e);
}

struct logging *
logging_start(const struct clock *clock)
{
	struct logging *l = xcalloc(1, sizeof(*l));

	l->clock = clock;
	l->has_journal = is_journal_stream();
	pthread_mutex_init(&l->mutex, NULL);
	log_set_prefixes(l->has_journal);
	log_set_writer(on_event, l);
	return l;
}

void
logging_use(struct logging *l, enum logging_format format)
{
	atomic_store(&l->format, (int)format);
}

void
logging_stop(struct logging *l)
{
	for (size_t i = 0; i < KINDS; i++)
		say_left_out(&l->kinds[i]);
	log_set_writer(NULL, NULL);
	pthread_mutex_destroy(&l->mutex);
	free(l);
}
