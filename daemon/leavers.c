/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/leavers.h"

#include <inttypes.h>
#include <stdlib.h>

#include "daemon/journal/journal_waiting.h"
#include "lib/base/alloc.h"
#include "lib/config/unit.h"

struct check {
	const struct settings *settings;
	problems_cb *cb;
	void *arg;
};

static void
leavers_on_sink(void *arg, const char *sink, uint64_t entries)
{
	const struct check *k = arg;
	struct buf kept = BUF_INIT(64);
	char *line;

	if (settings_sink(k->settings, sink) != NULL)
		return;
	unit_put_time(&kept, k->settings->forget_after_ms);
	line = xasprintf("%s: there is no sink %s any more, for which %" PRIu64 " entr%s; they are kept for"
	    " %.*s (forget_after), and then let go", k->settings->file, sink, entries,
	    entries == 1 ? "y waits" : "ies wait", STR_ARG(buf_peek(&kept)));
	k->cb(k->arg, false, line);
	free(line);
	buf_release(&kept);
}

void
leavers_check(const struct settings *s, problems_cb *cb, void *arg)
{
	struct check k = { s, cb, arg };

	journal_waiting(s->state_dir, leavers_on_sink, &k);
}
