/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/reports.h"

#include <string.h>

#include "daemon/ops/members.h"
#include "daemon/ops/moment.h"
#include "daemon/ops/safe_text.h"
#include "daemon/replays.h"
#include "lib/base/ticks.h"

#define DAY       (INT64_C(86400) * TICKS_SEC)
#define ROWS_MOST 20  /* of one answer */
#define IDS_MOST  400 /* likewise, after which no more rows are begun */

/* ---- asking ---------------------------------------------------------------------- */

/* Where that day begins, in UTC. */
static bool
find_day(const char *text, int64_t now, int64_t *from, struct err *err)
{
	int64_t today = now - now % DAY;

	if (text == NULL || strcmp(text, "yesterday") == 0)
		*from = today - DAY;
	else if (strcmp(text, "today") == 0)
		*from = today;
	else if (!replays_day(text, from))
		return err_set(err, ERR_CONF, "\"%.60s\" is no day; write one like 2026-11-20, or yesterday",
		    text);
	if (*from > now)
		return err_set(err, ERR_CONF, "that day is still to come");
	return *from >= today - REPLAYS_DAYS * DAY ||
	       err_set(err, ERR_CONF, "that day is more than %d days ago: Microsoft keeps alerts for so long",
	           REPLAYS_DAYS);
}

json_t *
reports_ask(struct engine *e, const json_t *request, struct err *err)
{
	struct report_ask ask = {
		.tenant = members_text(request, "tenant"),
		.customer = members_text(request, "customer"),
	};
	struct engine_view v;
	uint64_t number;

	engine_view(e, &v);
	if (!find_day(members_text(request, "day"), v.now, &ask.from, err))
		return NULL;
	ask.to = ask.from + DAY;
	number = reports_begin(engine_reports(e), v.settings, &ask, err);
	if (number == 0)
		return NULL;
	return json_pack("{s:I, s:o, s:o}", "report", (json_int_t)number, "from", moment(ask.from), "to",
	    moment(ask.to));
}

/* ---- what came of it -------------------------------------------------------------- */

static json_t *
count_object(const struct report_count *c, size_t *nids)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < c->nids; i++)
		json_array_append_new(ids, safe_text(str_of(c->ids[i])));
	*nids += c->nids;
	return json_pack("{s:I, s:o}", "count", (json_int_t)c->n, "ids", ids);
}

static json_t *
sink_object(const struct report_sink *s, size_t *nids)
{
	static const char *const names[FATE_COUNT] = { [FATE_WAITING] = "waiting",
		[FATE_REFUSED] = "refused", [FATE_MISSED] = "let_go", [FATE_NOT_THERE] = "not_there",
		[FATE_UNKNOWN] = "unknown" };
	json_t *out = json_pack("{s:s, s:b, s:I, s:I}", "sink", s->name, "routed", s->is_routed,
	    "accepted", (json_int_t)s->fates[FATE_ACCEPTED].n, "left_out",
	    (json_int_t)s->fates[FATE_LEFT_OUT].n);

	for (int f = 0; f < FATE_COUNT; f++)
		if (names[f] != NULL)
			json_object_set_new(out, names[f], count_object(&s->fates[f], nids));
	return out;
}

static json_t *
row_object(const struct report_row *r, size_t *nids)
{
	json_t *sinks = json_array(), *out;

	for (size_t i = 0; i < r->nsinks; i++)
		json_array_append_new(sinks, sink_object(&r->sinks[i], nids));
	out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:I, s:I, s:I, s:I, s:b}", "tenant", r->tenant,
	    "tenant_id", r->tenant_id, "customer", r->customer, "customer_name", r->customer_name,
	    "streams", r->streams, "error", r->error != NULL ? safe_text(str_of(r->error)) : json_null(),
	    "even", report_is_even(r), "microsoft",
	    (json_int_t)r->listed, "unreadable", (json_int_t)r->unreadable, "foreign",
	    (json_int_t)r->foreign, "journalled", (json_int_t)r->journalled, "known_late",
	    r->is_begun_late);
	if (out == NULL)
		out = json_object();
	json_object_set_new(out, "known_since", moment(r->begin));
	json_object_set_new(out, "missing", count_object(&r->missing, nids));
	json_object_set_new(out, "not_read_yet", count_object(&r->unread, nids));
	json_object_set_new(out, "before", count_object(&r->before, nids));
	json_object_set_new(out, "forgotten", count_object(&r->forgotten, nids));
	json_object_set_new(out, "not_listed", count_object(&r->extra, nids));
	json_object_set_new(out, "sinks", sinks);
	return out;
}

json_t *
reports_result(struct engine *e, const json_t *request, struct err *err)
{
	size_t at = (size_t)members_number(request, "after"), nids = 0, n = 0;
	json_t *rows, *out;
	struct report_view v;

	if (!reports_see(engine_reports(e), members_number(request, "report"), &v)) {
		err_set(err, ERR_PERM, "nothing is known of that report (any more)");
		return NULL;
	}
	rows = json_array();
	for (; at < v.nrows && n < ROWS_MOST && nids < IDS_MOST; at++, n++)
		json_array_append_new(rows, row_object(v.rows[at], &nids));
	out = json_pack("{s:b, s:b, s:I, s:I, s:I, s:I, s:b, s:o}", "over", v.is_over && at >= v.nrows,
	    "cancelled", v.is_cancelled, "tenants", (json_int_t)v.tenants, "done", (json_int_t)v.done,
	    "listed", (json_int_t)v.listed, "next", (json_int_t)at, "day_is_over", v.now >= v.to, "rows",
	    rows);
	json_object_set_new(out, "from", moment(v.from));
	json_object_set_new(out, "to", moment(v.to));
	json_object_set_new(out, "remembered_since",
	    moment(v.now - ticks_from_ms(v.remember_ms)));
	return out;
}

json_t *
reports_end(struct engine *e, const json_t *request, struct err *err)
{
	if (reports_cancel(engine_reports(e), members_number(request, "report")))
		return json_object();
	err_set(err, ERR_PERM, "there is no report of that number that is not over");
	return NULL;
}
