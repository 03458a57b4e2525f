/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/policy/outage.h"

static bool
are_many(size_t n, size_t all)
{
	return n >= OUTAGE_LEAST && n * 10 > all;
}

bool
outage_begins(struct outage *o, size_t fresh, size_t all)
{
	if (o->is_on || !are_many(fresh, all))
		return false;
	*o = (struct outage){ .is_on = true, .few_since = -1, .most = fresh };
	return true;
}

bool
outage_ends(struct outage *o, size_t members, size_t all, int64_t now)
{
	if (!o->is_on)
		return false;
	if (members > o->most)
		o->most = members;
	if (are_many(members, all))
		o->few_since = -1;
	else if (o->few_since < 0)
		o->few_since = now;
	if (members > 0 && (o->few_since < 0 || now - o->few_since < OUTAGE_TAIL_MS))
		return false;
	o->is_on = false;
	return true;
}
