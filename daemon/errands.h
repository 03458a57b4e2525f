/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ERRANDS_H
#define ERRANDS_H

#include "daemon/env.h"
#include "daemon/journal/letters.h"

/*
 * errands: what an operator asks of the journal and is not answered at once: a look at letters, and
 * work on them that takes many steps.
 *
 * It knows nothing of who asks: it gives a number, under which the errand can be seen until
 * ERRANDS_MOST newer ones have begun. Work goes on whether anybody looks or not.
 *
 * Work that waits for what sinks have just now looks again every ERRANDS_WAIT_MS, and has what they
 * keep longer than ERRANDS_PATIENCE_MS taken from them.
 *
 * Nothing blocks. Freed after the journal is closed, whose callbacks come to it.
 */
#define ERRANDS_MOST        32
#define ERRANDS_WAIT_MS     100
#define ERRANDS_PATIENCE_MS 30000

struct errands;

struct errands *errands_new(const struct engine_env *env, struct journal *j);
void errands_free(struct errands *e);

/* Numbers; 0: too many are under way. */
uint64_t errands_look(struct errands *e, const struct journal_letters_ask *ask);
/* done, where it is not NULL: when it is over, once, from the loop. */
typedef void errand_done_cb(void *arg, const struct journal_task *task, const struct err *err);
uint64_t errands_work(struct errands *e, const struct journal_task *task, errand_done_cb *done,
    void *arg);

struct errand_view {
	bool is_done;
	const struct journal_batch *letters; /* of a look that is done */
	const struct journal_task *task;     /* of work: how far it is */
	const struct err *err;               /* of what failed; else NULL */
};
/* Valid until the loop runs again. False: there is none of that number any more. */
bool errands_see(const struct errands *e, uint64_t number, struct errand_view *out);
/* One that is done was seen for good: its letters need not stay in memory. */
void errands_forget(struct errands *e, uint64_t number);

#endif
