#include <inttypes.h>

#include "daemon/msspctl/ages.h"
#include "daemon/msspctl/fields.h"

int64_t
get_time(const json_t *o, const char *key)
{
	int64_t t;

	return ticks_parse(str_of(get_text(o, key)), &t) ? t : TICKS_NONE;
}

void
add_duration(struct buf *out, int64_t sec)
{
	static const struct {
		int64_t below, divide;
		const char *unit;
	} steps[] = { { 120, 1, "s" }, { 7200, 60, "min" }, { 172800, 3600, "h" },
		{ INT64_MAX, 86400, "d" } };
	size_t i = 0;

	while (sec >= steps[i].below)
		i++;
	buf_printf(out, "%" PRId64 " %s", sec / steps[i].divide, steps[i].unit);
}

void
add_age(struct buf *out, int64_t now, int64_t then)
{
	if (now == TICKS_NONE || then == TICKS_NONE)
		buf_puts(out, "never");
	else
		add_duration(out, now > then ? (now - then) / TICKS_SEC : 0);
}
