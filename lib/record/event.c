/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/record/event.h"

void
event_id(struct buf *out, const struct event *ev)
{
	static const char *const words[] = {
		[RECORD_ALERT] = "alert",
		[RECORD_INCIDENT] = "incident",
		[RECORD_HEALTH] = "health",
		[RECORD_CANARY] = "canary",
		[RECORD_UNREADABLE] = "unreadable",
	};
	const struct record *r = ev->record;

	buf_puts(out, ev->origin->tenant_id);
	buf_byte(out, '/');
	buf_puts(out, words[r->type]);
	buf_byte(out, ':');
	buf_str(out, r->id);
	buf_byte(out, '/');
	ticks_write(out, r->version, 7);
}
