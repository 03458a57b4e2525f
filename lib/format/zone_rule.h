/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_RULE_H
#define ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"

/*
 * zone_rule: "CET-1CEST,M3.5.0,M10.5.0/3", the rule by which a time zone goes on
 * after the last change that tzdata lists (POSIX TZ, with the hours that RFC 8536
 * section 3.3.1 adds). Pure.
 */
struct zone_day {
	enum zone_day_kind { DAY_JULIAN, DAY_OF_YEAR, DAY_OF_MONTH } kind;
	int day;               /* DAY_JULIAN 1 to 365 without leap days, DAY_OF_YEAR 0 to 365 */
	int month, week, wday; /* DAY_OF_MONTH: week 5 is the last one, wday 0 is Sunday */
	int time;              /* local seconds after that day's midnight; may be negative */
};

struct zone_rule {
	int std, dst; /* seconds east of UTC */
	bool has_dst;
	struct zone_day start, end; /* of daylight saving time; end before start in the south */
};

bool zone_rule_parse(struct str text, struct zone_rule *out);
int zone_rule_offset(const struct zone_rule *r, int64_t sec);

#endif
