/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MARKS_H
#define MARKS_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/journal/journal.h"
#include "lib/base/arena.h"

/*
 * marks: what a sink has settled, gathered, so that the journal is told in
 * large pieces. Texts are copied. At most MARKS_MAX wait; the caller flushes
 * at MARKS_MAX, and now and then.
 */
#define MARKS_MAX 1000

struct marks {
	struct journal_mark *v;
	size_t n;
	struct arena texts;
};

void marks_init(struct marks *m);
void marks_release(struct marks *m);
void marks_add(struct marks *m, const struct journal_mark *mark);
/* Tells the journal and starts anew. */
void marks_flush(struct marks *m, struct journal *j, uint32_t sink);

#endif
