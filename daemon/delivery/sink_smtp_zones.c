/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_zones.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/alloc.h"

struct zones_one {
	char *name;
	struct zone *zone; /* NULL: there is none of that name */
};

static const struct zone *
add(struct zones *z, const char *name, const struct log_ctx *log)
{
	struct err err;
	struct zone *zone;

	if (z->n == ZONES_MAX)
		return NULL;
	zone = zone_open(name, &err);
	if (zone == NULL)
		log_warn(log, "%s; times are written in UTC", err.text);
	if (z->n == z->room) {
		z->room = z->room == 0 ? 4 : z->room * 2;
		z->v = xreallocarray(z->v, z->room, sizeof(*z->v));
	}
	z->v[z->n++] = (struct zones_one){ xstrdup(name), zone };
	return zone;
}

const struct zone *
zones_find(struct zones *z, const char *name, const struct log_ctx *log)
{
	if (name == NULL || name[0] == '\0')
		return NULL;
	for (size_t i = 0; i < z->n; i++) {
		if (strcmp(z->v[i].name, name) == 0)
			return z->v[i].zone;
	}
	return add(z, name, log);
}

void
zones_release(struct zones *z)
{
	for (size_t i = 0; i < z->n; i++) {
		free(z->v[i].name);
		zone_close(z->v[i].zone);
	}
	free(z->v);
	*z = (struct zones){ .n = 0 };
}
