#ifndef BUDGET_H
#define BUDGET_H

#include <stdint.h>

/*
 * budget: how many requests may still be made, as a bucket that fills steadily.
 *
 * Pure: the time is passed in. In no span of a minute are more than per_min
 * taken: a tenth of them may come in one burst, the rest flows in evenly.
 */
struct budget {
	int64_t per_min;
	int64_t level; /* thousandths of a request, times 60 */
	int64_t at;    /* mono ms of level */
};

void budget_init(struct budget *b, int64_t per_min, int64_t now);
/* Keeps what was taken; a smaller budget holds at once. */
void budget_change(struct budget *b, int64_t per_min, int64_t now);
/* Takes one while `reserve` hundredths of the burst stay for others (0 to 100). Returns 0,
 * or milliseconds until it is worth asking again. */
int64_t budget_take(struct budget *b, unsigned reserve, int64_t now);

#endif
