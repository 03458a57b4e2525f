/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/policy/quota.h"

#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/config/unit.h"

#define SECOND INT64_C(1000)
#define DAY    (86400 * SECOND)

/* "h", "10m": a bare unit stands for one of it. */
static bool
parse_per(const char *text, int64_t *ms)
{
	char one[8];

	if (strlen(text) == 1 && strchr("smhd", text[0]) != NULL) {
		snprintf(one, sizeof(one), "1%s", text);
		text = one;
	}
	return unit_time(str_of(text), ms) && *ms >= SECOND && *ms <= 7 * DAY;
}

bool
quota_parse(const char *text, struct quota_limit *limit, struct err *err)
{
	const char *slash = strchr(text, '/');
	size_t digits = strspn(text, "0123456789");
	long n = strtol(text, NULL, 10);

	*limit = (struct quota_limit){ .per_ms = 0 };
	if (strcmp(text, "none") == 0)
		return true;
	if (slash == NULL || digits == 0 || digits > 4 || text + digits != slash || n < 1 ||
	    n > QUOTA_MOST || !parse_per(slash + 1, &limit->per_ms))
		return err_set(err, ERR_CONF,
		    "\"%.40s\" is no limit; write 1 to %d mails in a time, as 60/h or 5/10m (1s to "
		    "7d), or none",
		    text, QUOTA_MOST);
	limit->n = (unsigned)n;
	return true;
}

bool
quota_check(const char *text, struct err *err)
{
	struct quota_limit unused;

	return quota_parse(text, &unused, err);
}

/* How many of the limit are digests. A limit of one has room for one of each. */
static unsigned
digests_of(const struct quota_limit *limit)
{
	return (limit->n + 9) / 10;
}

static unsigned
singles_of(const struct quota_limit *limit)
{
	return limit->n > 1 ? limit->n - digests_of(limit) : 1;
}

void
quota_release(struct quota *q)
{
	free(q->sent);
	*q = (struct quota){ .n = 0 };
}

bool
quota_take(struct quota *q, const struct quota_limit *limit, int64_t now)
{
	unsigned singles = singles_of(limit);

	if (limit->n == 0)
		return true;
	if (q->room != singles) {
		quota_release(q);
		q->sent = xcalloc(singles, sizeof(*q->sent));
		q->room = singles;
	}
	/* A clock that was set back would make those of the future count for ever. */
	while (q->n > 0 && (q->sent[q->at] <= now - limit->per_ms || q->sent[q->at] > now)) {
		q->at = (q->at + 1) % q->room;
		q->n--;
	}
	if (q->n == q->room)
		return false;
	q->sent[(q->at + q->n++) % q->room] = now;
	return true;
}

void
quota_give_back(struct quota *q)
{
	if (q->n > 0)
		q->n--;
}

int64_t
quota_next(int64_t period_ms, int64_t now)
{
	return (now / period_ms + 1) * period_ms;
}

int64_t
quota_due(const struct quota_limit *limit, int64_t now)
{
	return limit->n == 0 ? now + 1 : quota_next(limit->per_ms / digests_of(limit), now);
}
