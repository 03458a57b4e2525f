/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/msspctl/ages.h"
#include "daemon/msspctl/fields.h"
#include "lib/base/duration.h"

int64_t
get_time(const json_t *o, const char *key)
{
	int64_t t;

	return ticks_parse(str_of(get_text(o, key)), &t) ? t : TICKS_NONE;
}

void
add_age(struct buf *out, int64_t now, int64_t then)
{
	if (now == TICKS_NONE || then == TICKS_NONE)
		buf_puts(out, "never");
	else
		duration_write(out, now > then ? (now - then) / TICKS_SEC : 0);
}
