/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUDGET_H
#define BUDGET_H

#include <stdint.h>

/*
 * budget: how many requests may still be made, as a bucket that fills steadily.
 *
 * Pure: the time is passed in. In no span of time are more than `most` taken: a
 * tenth of them may come in one burst, the rest flows in evenly.
 */
#define BUDGET_MINUTE INT64_C(60000)
#define BUDGET_HOUR   INT64_C(3600000)

struct budget {
	int64_t most;
	int64_t span_ms;
	int64_t level; /* thousandths of a request, times the span's seconds */
	int64_t at;    /* mono ms of level */
};

void budget_init(struct budget *b, int64_t most, int64_t span_ms, int64_t now);
/* Milliseconds until it is full, when nothing is taken; to be remembered. */
int64_t budget_full_in(struct budget *b, int64_t now);
/* A new one goes on from what was remembered. */
void budget_resume(struct budget *b, int64_t full_in_ms);
/* Keeps what was taken; a smaller budget holds at once. */
void budget_change(struct budget *b, int64_t most, int64_t now);
/* Milliseconds until it is worth asking again; 0: one may be taken while `reserve` hundredths of
 * the burst stay for others (0 to 100). */
int64_t budget_wait(struct budget *b, unsigned reserve, int64_t now);
/* The same, and takes one where that is 0. */
int64_t budget_take(struct budget *b, unsigned reserve, int64_t now);

#endif
