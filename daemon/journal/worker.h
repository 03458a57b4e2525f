/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WORKER_H
#define WORKER_H

#include "daemon/journal/outbox.h"

/*
 * worker: the journal's thread, the queue of what it has to do, and what it
 * does together.
 *
 * Promises
 *  - a full page is stored at once; others wait for company, at most 10 ms, and
 *    marks at most a quarter of a second.
 *  - while a sink has much to read that is still in memory, the next page waits for it as
 *    readers.h says, at most half a second for the quickest.
 *  - what was asked before a rewind is stored before it.
 *  - marks that could not be stored are kept and tried again.
 *
 * All functions are called on the loop's thread and return at once, but
 * worker_stop(), which waits until everything asked is done.
 */
struct worker;

struct worker *worker_start(const struct journal_engine *engine, struct store *store,
    struct outbox *out, struct err *err) MUST_CHECK;
void worker_stop(struct worker *w);

void worker_append(struct worker *w, struct journal_page *taken, journal_appended_cb *cb,
    void *arg);
void worker_settle(struct worker *w, uint32_t sink, const struct journal_mark *marks, size_t n);
void worker_read(struct worker *w, uint32_t sink, size_t max, size_t max_bytes,
    journal_read_cb *cb, void *arg);
void worker_look(struct worker *w, uint32_t sink, size_t max, journal_read_cb *cb, void *arg);
void worker_rewind(struct worker *w, uint32_t sink);
void worker_letters(struct worker *w, const struct journal_letters_ask *ask, journal_read_cb *cb,
    void *arg);
/* After the pages that were given before it. */
void worker_work(struct worker *w, struct journal_task *taken, journal_task_cb *cb, void *arg);
/* Names changed: have them saved soon. */
void worker_save(struct worker *w);

#endif
