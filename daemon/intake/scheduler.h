/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCHEDULER_H
#define SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct loop;

/*
 * scheduler: who of many may make a request now.
 *
 * It knows nothing of tenants, HTTP and time: it hands out places.
 *
 * Promises
 *  - at most max places are out; those who were slow last time share a quarter, and
 *    so do, while others wait, those who turn out slow.
 *  - pages that are on their way or not stored yet hold at most max_bytes and one
 *    page more: that of one who found no room while many others were started.
 *  - who is due goes before who reads a backlog, but for one start in four, and those
 *    before sweeps; within a lane it is first come, first served, so a backlog takes its
 *    pages in turn.
 *  - nobody is started whom the one to be asked first does not allow; who waits keeps its turn.
 *  - start() is called from the loop, never from inside these functions.
 */
enum lane { LANE_DUE, LANE_MORE, LANE_SWEEP, LANE_COUNT };

/* Embedded in whoever wants a place. */
struct place {
	TAILQ_ENTRY(place) link;
	enum lane lane;
	bool is_queued, is_out;
	bool is_slow; /* said by the owner, before it asks */
	bool took_slow;
	size_t expected; /* bytes of the page, likewise */
	size_t held;
	uint64_t asked; /* starts before it asked */
	bool is_extra;  /* beyond max_bytes: may grow, too */
};
TAILQ_HEAD(place_list, place);

struct scheduler {
	struct loop *loop;
	struct place_list lanes[LANE_COUNT];
	size_t max, max_bytes;
	size_t out, out_slow, bytes;
	uint64_t starts;
	bool is_shut, is_asked;
	void (*start)(struct place *p);
	bool (*allows)(void *arg); /* NULL: always */
	void *allows_arg;
};

void scheduler_init(struct scheduler *s, struct loop *loop, void (*start)(struct place *p));
void scheduler_release(struct scheduler *s);
/* Nothing is started while it is shut (the journal takes nothing). */
void scheduler_shut(struct scheduler *s, bool is_shut);
/* Asked before each start. False: not now, and scheduler_go_on() is called when it may be. */
void scheduler_ask_first(struct scheduler *s, bool (*allows)(void *arg), void *arg);
void scheduler_go_on(struct scheduler *s);
void scheduler_resize(struct scheduler *s, size_t max);

void scheduler_ask(struct scheduler *s, struct place *p, enum lane lane);
/* Gives the place back; also out of the queue. What it holds stays held. */
void scheduler_leave(struct scheduler *s, struct place *p);

/*
 * Who has the place turns out slow. True: it keeps the place, as one of the slow; false:
 * all places are out, others wait, and the slow have their share: it shall leave, and
 * may ask again. To be asked again while it is slow.
 */
bool scheduler_keeps_slow(struct scheduler *s, struct place *p);

/* The page has grown to n bytes. False: there is no room for more than was expected. */
bool scheduler_grow(struct scheduler *s, struct place *p, size_t n);
/* The page holds n bytes so far and others may have what was expected beside them. */
void scheduler_shrink(struct scheduler *s, struct place *p, size_t n);
/* What p holds is now somebody else's to give back: n bytes of it are, the rest is free. */
void scheduler_hand_over(struct scheduler *s, struct place *p, size_t n);
void scheduler_give_back(struct scheduler *s, size_t n);

#endif
