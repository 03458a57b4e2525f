/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/ready.h"

#include <stdlib.h>

#include "lib/base/alloc.h"

static void
say_journal(const struct engine_view *v, struct buf *why)
{
	switch (journal_state(v->journal)) {
	case JOURNAL_OK:
		return;
	case JOURNAL_PAUSED:
		buf_puts(why, "the journal is full: nothing is read until sinks have taken their backlog\n");
		return;
	case JOURNAL_FAILED:
		buf_puts(why, "the journal cannot be written; see the log for the reason\n");
		return;
	}
}

static void
say_tenants(const struct engine_view *v, struct buf *why)
{
	size_t max = v->settings->ntenants;
	struct intake_figures *f = xcalloc(max + 1, sizeof(*f));
	size_t n = intake_figures(v->intake, f, max), read = 0, starting = 0;

	for (size_t i = 0; i < n; i++) {
		read += f[i].last_success != TICKS_NONE && state_is_read(f[i].state);
		starting += f[i].state == TENANT_STARTING;
	}
	free(f);
	if (n == 0 || read != 0)
		return;
	if (starting != 0)
		buf_puts(why, "no tenant was read yet\n");
	else
		buf_puts(why, "no tenant can be read; see the status page for the reasons\n");
}

static void
say_sinks(const struct engine_view *v, struct buf *why)
{
	size_t max = v->settings->nsinks;
	struct delivery_figures *f = xcalloc(max + 1, sizeof(*f));
	size_t n = delivery_figures(v->delivery, f, max), up = 0;

	for (size_t i = 0; i < n; i++)
		up += !f[i].is_parked && f[i].link == SINK_UP;
	free(f);
	if (n != 0 && up == 0)
		buf_puts(why, "no sink can be reached; see the status page for the reasons\n");
}

bool
ready_is(const struct engine *e, struct buf *why)
{
	struct engine_view v;
	size_t before = why->n;

	engine_view(e, &v);
	if (v.is_stopping)
		buf_puts(why, "msspd is stopping\n");
	say_journal(&v, why);
	say_tenants(&v, why);
	say_sinks(&v, why);
	return why->n == before;
}
