/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/ticks.h"
#include "lib/format/moment.h"

int64_t
moment_ms(int64_t ticks)
{
	return ticks == TICKS_NONE || ticks < 0 ? -1 : ticks_to_ms(ticks);
}

/* In the order of preference for this event. */
static void
candidates(const struct event *ev, int64_t out[4])
{
	const struct record *r = ev->record;
	bool is_unreadable = r->type == RECORD_UNREADABLE;
	const struct alert *a = r->type == RECORD_ALERT ? &r->alert : NULL;
	int64_t created = TICKS_NONE;

	if (a != NULL)
		created = a->created;
	else if (is_unreadable)
		created = r->unreadable.created;
	else if (r->type == RECORD_INCIDENT)
		created = r->incident.created;
	out[0] = r->version;
	out[1] = created;
	out[2] = ev->journalled;
	out[3] = TICKS_NONE;
	if (r->type == RECORD_INCIDENT && ev->kind == KIND_NEW) {
		out[0] = created;
		out[1] = r->version;
	}
	if (a == NULL)
		return;
	out[0] = a->updated;
	if (ev->kind == KIND_NEW) {
		out[0] = created;
		out[1] = a->updated;
	} else if (ev->kind == KIND_RESOLVED && moment_ms(a->resolved) >= 0) {
		out[0] = a->resolved;
	}
}

int64_t
moment_of(const struct event *ev)
{
	int64_t t[4];

	candidates(ev, t);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		if (moment_ms(t[i]) >= 0)
			return t[i];
	}
	return 0;
}
