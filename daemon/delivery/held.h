/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HELD_H
#define HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/delivery/delivery.h"

/*
 * held: what sinks have put off until a time, like mails that wait for a digest:
 * looked at, and let go of.
 *
 * It knows nothing of what a memo says (the sink's kind does). Nothing of it is kept
 * in memory: the journal is asked, so that it is the same after a restart.
 */
#define HELD_MOST 20000 /* entries of one sink that are looked at */

/* The entries of one customer that wait for the same. */
struct held_line {
	char *sink, *what, *customer, *why;
	int64_t due, oldest; /* ticks: the first that is due; when the oldest came in */
	size_t n;
};

struct held_answer {
	const struct held_line *lines;
	size_t n;
	bool is_cut;      /* there are more than were looked at */
	size_t cancelled; /* entries that were let go of */
	const struct err *err; /* NULL: all went well */
};
/* Once, later; also, with an err, when delivery goes before the journal answered. */
typedef void held_cb(void *arg, const struct held_answer *a);

/* sink: of that one only; NULL: of all. False: there is none of that name, or it holds nothing ever. */
bool delivery_look_at_held(struct delivery *d, const char *sink, held_cb *cb, void *arg,
    struct err *err) MUST_CHECK;

/* Lets go of what waits for that, of that customer: who has not got it does not get it. */
struct held_which {
	const char *sink, *what, *customer;
};
bool delivery_cancel_held(struct delivery *d, const struct held_which *which, held_cb *cb, void *arg,
    struct err *err) MUST_CHECK;

/* ---- delivery.c ---- */
void delivery_free_looks(struct delivery *d);

#endif
