/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/policy/expiry.h"

#include <stddef.h>

#include "lib/base/str.h"
#include "lib/base/ticks.h"

#define DAY (86400 * TICKS_SEC)

static const struct {
	int64_t ahead; /* ticks before the end */
	enum expiry_stage stage;
} stages[] = {
	{ 0, EXPIRY_OVER },
	{ 1 * DAY, EXPIRY_DAY },
	{ 7 * DAY, EXPIRY_WEEK },
	{ 30 * DAY, EXPIRY_MONTH },
};

enum expiry_stage
expiry_stage(int64_t now, int64_t ends)
{
	if (ends == 0)
		return EXPIRY_FAR;
	for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
		if (ends - now <= stages[i].ahead)
			return stages[i].stage;
	}
	return EXPIRY_FAR;
}

int64_t
expiry_days(int64_t now, int64_t ends)
{
	return ends <= now ? 0 : (ends - now + DAY - 1) / DAY;
}
