/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/duration.h"

#include <inttypes.h>

void
duration_write(struct buf *out, int64_t sec)
{
	static const struct {
		int64_t below, divide;
		const char *unit;
	} steps[] = { { 120, 1, "s" }, { 7200, 60, "min" }, { 172800, 3600, "h" },
		{ INT64_MAX, 86400, "d" } };
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(steps) && sec >= steps[i].below)
		i++;
	buf_printf(out, "%" PRId64 " %s", sec / steps[i].divide, steps[i].unit);
}
