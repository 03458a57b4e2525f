/* SPDX-License-Identifier: Apache-2.0 */
#ifndef QUOTA_H
#define QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

/*
 * quota: how many mails people get in a time, and when those that are over go
 * out together.
 *
 * Of n in a time, most go out one by one; the last tenth (at least one) is kept
 * for digests, which come in equal distances on the clock. So a storm fills no
 * mailbox and nobody waits longer than one distance for what is over.
 *
 * Pure: times are passed in, milliseconds since 1970. It knows nothing of mails.
 */
#define QUOTA_MOST 1000

struct quota_limit {
	unsigned n;     /* 0: no limit */
	int64_t per_ms;
};

/* "60/h", "5/10m", "none". The time is at least a second. */
bool quota_parse(const char *text, struct quota_limit *limit, struct err *err) MUST_CHECK;
/* For option tables. */
bool quota_check(const char *text, struct err *err) MUST_CHECK;

struct quota {
	int64_t *sent; /* a ring of the last ones that went out alone */
	size_t room, at, n;
};

void quota_release(struct quota *q);
/* True: one may go out alone, and is counted. */
bool quota_take(struct quota *q, const struct quota_limit *limit, int64_t now);
/* The last that was taken did not go out after all. */
void quota_give_back(struct quota *q);
/* When the next digest of what is over goes out; always later than now. */
int64_t quota_due(const struct quota_limit *limit, int64_t now);

/* The next time on the clock that is a multiple of period: later than now. */
int64_t quota_next(int64_t period_ms, int64_t now);

#endif
