/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <stdbool.h>
#include <sys/queue.h>

#include "daemon/journal/journal_engine.h"
#include "daemon/journal/recent.h"

/*
 * outbox: what the journal's thread has to tell the loop, in order.
 *
 * Any thread puts in; the loop is woken through an eventfd and takes out.
 */
enum told_what { TOLD_APPENDED, TOLD_READ, TOLD_NOTE, TOLD_READY, TOLD_LET_GO,
	TOLD_WORKED };

struct told {
	STAILQ_ENTRY(told) link;
	enum told_what what;
	struct kept_page *kept; /* to be let go; of an append: where the page stays behind it */
	union {
		struct page_job page;
		struct {
			journal_read_cb *cb;
			void *arg;
			struct journal_batch *batch;
			struct err err; /* kind ERR_NONE: none */
		} read;
		struct {
			enum journal_note note;
			enum journal_state state;
			char *text;
		} note;
		uint32_t ready; /* the sink */
		struct {
			journal_task_cb *cb;
			void *arg;
			struct journal_task *task;
			struct err err; /* kind ERR_NONE: none */
		} worked;
	};
};

struct outbox *outbox_new(struct err *err) MUST_CHECK;
/* Frees what was not taken; pages are given back to whoever made them. */
void outbox_free(struct outbox *o);

/* Readable when there is something to take. */
int outbox_fd(const struct outbox *o);

void outbox_put(struct outbox *o, struct told *taken);

/* The oldest, the receiver's to free with told_free(); NULL: nothing left. */
struct told *outbox_take(struct outbox *o);
void told_free(struct told *t);

#endif
