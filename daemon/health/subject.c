/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/health/subject.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/duration.h"

#define TALLY_EVERY_MS (10 * 60 * 1000)

struct subject *
subject_new(const char *key)
{
	struct subject *s = xcalloc(1, sizeof(*s));

	s->key = xstrdup(key);
	s->outage = NO_OUTAGE;
	s->since = s->told_since = s->last_success = TICKS_NONE;
	steady_init(&s->steady);
	return s;
}

void
subject_free(struct subject *s)
{
	if (s == NULL)
		return;
	free(s->key);
	free(s);
}

static void
write_summary(struct buf *out, const char *title, const struct words *is, const struct words *was,
    int64_t lasted_sec)
{
	bool is_again = was != NULL && is->level == HEALTH_WELL;

	buf_printf(out, "%s: %s%s", title, is->name, is_again ? " again" : "");
	if (was == NULL || was->level == HEALTH_WELL)
		return;
	buf_printf(out, ", was %s", was->name);
	if (lasted_sec < 0)
		return;
	buf_puts(out, " for ");
	duration_write(out, lasted_sec);
}

void
subject_tell(struct teller *t, struct subject *s, const struct subject_name *name,
    const struct words *is, const struct words *was, int64_t now, struct telling *to)
{
	struct buf summary = BUF_INIT(1024);
	struct health *h = &to->h;
	int64_t since = s->since != TICKS_NONE ? s->since : now;

	*h = (struct health)HEALTH_INIT;
	if (was != NULL && s->told_since != TICKS_NONE && since >= s->told_since)
		h->lasted_sec = (since - s->told_since) / TICKS_SEC;
	write_summary(&summary, name->title, is, was, h->lasted_sec);
	h->about = str_of(name->about);
	h->name = str_of(name->name);
	h->state = str_of(is->name);
	h->was = str_of(was != NULL ? was->name : NULL);
	h->level = is->level;
	h->since = since;
	h->summary = buf_peek(&summary);
	h->what = str_of(s->what);
	h->remedy = str_of(is->remedy);
	teller_tell(t, to);
	s->told_since = since;
	buf_release(&summary);
}

bool
tally_grew(struct tally *t, uint64_t seen, int64_t now_ms, uint64_t *by)
{
	if (seen < t->told)
		t->told = 0; /* counted anew */
	if (seen == t->told || (t->told_at != 0 && now_ms - t->told_at < TALLY_EVERY_MS))
		return false;
	*by = seen - t->told;
	t->told = seen;
	t->told_at = now_ms != 0 ? now_ms : 1;
	return true;
}
