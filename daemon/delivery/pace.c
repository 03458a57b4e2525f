/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/pace.h"

#define BARREN 3 /* links that may end so before it is anything but an accident */
#define GROWTH 4

void
pace_init(struct pace *p)
{
	*p = (struct pace) { .limit = PACE_ANY };
}

size_t
pace_room(const struct pace *p, size_t in_doubt)
{
	if (p->limit == PACE_ANY)
		return PACE_ANY;
	return in_doubt < p->limit ? p->limit - in_doubt : 0;
}

void
pace_accepted(struct pace *p)
{
	p->barren = 0;
	p->limit = p->limit < PACE_ANY / GROWTH ? p->limit * GROWTH : PACE_ANY;
}

void
pace_barren(struct pace *p, size_t in_doubt)
{
	if (in_doubt == 0)
		return;
	p->barren++;
	if (p->limit == PACE_ANY && p->barren < BARREN)
		return;
	p->limit = in_doubt > 1 ? in_doubt / 2 : 1;
}
