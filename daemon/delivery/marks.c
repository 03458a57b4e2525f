/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/marks.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

void
marks_init(struct marks *m)
{
	*m = (struct marks) { 0 };
	arena_init(&m->texts);
}

void
marks_release(struct marks *m)
{
	free(m->v);
	arena_release(&m->texts);
	marks_init(m);
}

static const char *
marks_keep(struct marks *m, const char *text)
{
	return text != NULL ? arena_strdup(&m->texts, text) : NULL;
}

void
marks_add(struct marks *m, const struct journal_mark *mark)
{
	struct journal_mark *kept;

	BUG_IF(m->n == MARKS_MAX);
	if (m->v == NULL)
		m->v = xcalloc(MARKS_MAX, sizeof(*m->v));
	kept = &m->v[m->n++];
	*kept = *mark;
	kept->why = marks_keep(m, mark->why);
	kept->memo = marks_keep(m, mark->memo);
}

void
marks_flush(struct marks *m, struct journal *j, uint32_t sink)
{
	if (m->n == 0)
		return;
	journal_settle(j, sink, m->v, m->n);
	marks_release(m);
}
