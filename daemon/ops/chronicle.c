/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/chronicle.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"

struct chronicle {
	pthread_mutex_t lock;
	const struct clock *clock;
	struct chronicle_event events[CHRONICLE_MOST]; /* a ring */
	size_t n, next;
	uint64_t counts[LOG_LEVEL_DEBUG + 1];
};

static void
put(char *out, size_t room, const char *s, size_t n)
{
	size_t cut = utf8_cut(s, n, room - 1);

	memcpy(out, s, cut);
	out[cut] = '\0';
}

static void
on_line(const struct log_event *line, void *arg)
{
	const struct log_ctx *c = line->ctx;
	struct chronicle *r = arg;
	struct chronicle_event *e;

	pthread_mutex_lock(&r->lock);
	r->counts[line->level]++;
	if (line->level != LOG_LEVEL_DEBUG) {
		e = &r->events[r->next];
		*e = (struct chronicle_event) { .at = clock_wall(r->clock), .level = line->level };
		put(e->text, sizeof(e->text), line->text.s, line->text.n);
		if (c != NULL && c->name != NULL) {
			put(e->kind, sizeof(e->kind), c->kind, strlen(c->kind));
			put(e->name, sizeof(e->name), c->name, strlen(c->name));
		}
		r->next = (r->next + 1) % CHRONICLE_MOST;
		r->n += r->n < CHRONICLE_MOST;
	}
	pthread_mutex_unlock(&r->lock);
}

struct chronicle *
chronicle_new(const struct clock *clock)
{
	struct chronicle *r = xcalloc(1, sizeof(*r));

	pthread_mutex_init(&r->lock, NULL);
	r->clock = clock;
	log_set_listener(on_line, r);
	return r;
}

void
chronicle_free(struct chronicle *r)
{
	if (r == NULL)
		return;
	log_set_listener(NULL, NULL);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

bool
chronicle_at(struct chronicle *r, size_t i, struct chronicle_event *out)
{
	bool is_there;

	pthread_mutex_lock(&r->lock);
	is_there = i < r->n;
	if (is_there)
		*out = r->events[(r->next + CHRONICLE_MOST - 1 - i) % CHRONICLE_MOST];
	pthread_mutex_unlock(&r->lock);
	return is_there;
}

uint64_t
chronicle_count(struct chronicle *r, enum log_level level)
{
	uint64_t n;

	pthread_mutex_lock(&r->lock);
	n = r->counts[level];
	pthread_mutex_unlock(&r->lock);
	return n;
}
