/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "daemon/intake/streams.h"
#include "daemon/journal/letters.h"
#include "daemon/report_parts.h"
#include "lib/base/alloc.h"

/* ---- counts ---------------------------------------------------------------------- */

static void
count(struct report_count *c, const struct account_alert *alert)
{
	c->n++;
	if (c->nids < REPORT_IDS)
		c->ids[c->nids++] = xstrndup(alert->id, alert->n);
}

static void
count_release(struct report_count *c)
{
	for (size_t i = 0; i < c->nids; i++)
		free(c->ids[i]);
}

/* ---- what Microsoft lists and the journal has not ------------------------------------ */

static void
count_absent(struct report_row *row, const struct report_limits *l,
    const struct account_alert *alert)
{
	bool has_version = alert->version != TICKS_NONE;

	if (has_version && row->begin != TICKS_NONE && alert->version < row->begin)
		count(&row->before, alert);
	else if (has_version && alert->version < l->remembered_from)
		count(&row->forgotten, alert);
	else if (has_version && l->read_to != TICKS_NONE && alert->version > l->read_to)
		count(&row->unread, alert);
	else
		count(&row->missing, alert);
}

static void
count_alert(struct report_row *row, const struct account *a, const struct report_limits *l,
    const struct account_alert *alert)
{
	if (alert->n == 0 || !account_is_of(a, alert))
		return;
	if (!alert->is_listed) {
		if (alert->is_remembered && !alert->is_foreign && alert->journalled < l->listed_from)
			count(&row->extra, alert);
		return;
	}
	row->listed++;
	row->unreadable += alert->is_unreadable;
	if (!alert->is_remembered) {
		count_absent(row, l, alert);
		return;
	}
	row->journalled++;
	for (size_t i = 0; i < row->nsinks; i++) {
		enum account_fate fate = account_fate(a, alert, i);
		struct report_count *c = &row->sinks[i].fates[fate];

		if (fate == FATE_ACCEPTED || fate == FATE_LEFT_OUT)
			c->n++;
		else
			count(c, alert);
	}
}

/* ---- sinks ----------------------------------------------------------------------------- */

/* Columns of the account are those of the row. */
static void
name_sinks(struct report_row *row, struct journal *j, const struct tenant *t, struct account *a)
{
	row->sinks = xcalloc(a->nsinks != 0 ? a->nsinks : 1, sizeof(*row->sinks));
	row->nsinks = a->nsinks;
	for (size_t i = 0; i < a->nsinks; i++) {
		const char *name = journal_sink_name(j, a->sinks[i]);

		row->sinks[i].name = xstrdup(name != NULL ? name : "?");
		row->sinks[i].is_routed = tenant_sink(t, row->sinks[i].name) != NULL;
	}
}

/* One that the tenant is not routed to, and never was, is of no interest. */
static bool
is_shown(const struct report_sink *s)
{
	return s->is_routed || s->fates[FATE_ACCEPTED].n + s->fates[FATE_WAITING].n +
	                               s->fates[FATE_REFUSED].n + s->fates[FATE_MISSED].n > 0;
}

static void
sink_release(struct report_sink *s)
{
	for (int f = 0; f < FATE_COUNT; f++)
		count_release(&s->fates[f]);
	free(s->name);
}

static void
drop_strangers(struct report_row *row)
{
	size_t n = 0;

	for (size_t i = 0; i < row->nsinks; i++) {
		if (is_shown(&row->sinks[i]))
			row->sinks[n++] = row->sinks[i];
		else
			sink_release(&row->sinks[i]);
	}
	row->nsinks = n;
}

/* ---- rows --------------------------------------------------------------------------------- */

struct report_row *
report_row_new(const struct tenant *t)
{
	struct report_row *row = xcalloc(1, sizeof(*row));

	row->tenant = xstrdup(t->name);
	row->tenant_id = xstrdup(t->id);
	row->customer = xstrdup(t->customer != NULL ? t->customer->name : t->name);
	row->customer_name = xstrdup(
	    t->customer != NULL && t->customer->display_name != NULL ? t->customer->display_name : "");
	row->streams = xstrdup("");
	row->begin = TICKS_NONE;
	return row;
}

void
report_row_stream(struct report_row *row, const char *name)
{
	char *was = row->streams;

	row->streams = xasprintf("%s%s%s", was, *was != '\0' ? ", " : "", name);
	free(was);
}

void
report_row_sum(struct report_row *row, struct journal *j, const struct tenant *t, struct account *a,
    const struct report_limits *limits)
{
	row->foreign = a->nforeign;
	name_sinks(row, j, t, a);
	for (size_t i = 0; i < a->nslots; i++)
		count_alert(row, a, limits, &a->alerts[i]);
	drop_strangers(row);
}

void
report_row_free(struct report_row *row)
{
	if (row == NULL)
		return;
	for (size_t i = 0; i < row->nsinks; i++)
		sink_release(&row->sinks[i]);
	free(row->sinks);
	count_release(&row->missing);
	count_release(&row->unread);
	count_release(&row->before);
	count_release(&row->forgotten);
	count_release(&row->extra);
	free(row->tenant);
	free(row->tenant_id);
	free(row->customer);
	free(row->customer_name);
	free(row->streams);
	free(row->error);
	free(row);
}

bool
report_is_even(const struct report_row *row)
{
	if (row->error != NULL || row->missing.n + row->unread.n + row->forgotten.n > 0)
		return false;
	for (size_t i = 0; i < row->nsinks; i++) {
		const struct report_count *f = row->sinks[i].fates;

		if (row->sinks[i].is_routed && f[FATE_WAITING].n + f[FATE_REFUSED].n +
		    f[FATE_MISSED].n + f[FATE_UNKNOWN].n > 0)
			return false;
	}
	return true;
}
