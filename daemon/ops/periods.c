/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/periods.h"

#include <stdlib.h>

#include "daemon/ops/members.h"
#include "daemon/ops/moment.h"
#include "lib/base/alloc.h"

#define PERIODS_MOST 3000 /* rows of one answer: what a client must be able to take */

static const char *
state_of(const struct journal_period *p)
{
	if ((p->flags & JOURNAL_PERIOD_CANCELLED) != 0)
		return "cancelled";
	if ((p->flags & JOURNAL_PERIOD_DONE) != 0)
		return "done";
	if ((p->flags & JOURNAL_PERIOD_GROWS) != 0)
		return "sink parked";
	if ((p->flags & JOURNAL_PERIOD_HELD) != 0)
		return "from the journal";
	return p->at == TICKS_NONE ? "waiting" : "reading";
}

/* How much of it was read, by time, in percent. */
static int
share(const struct journal_period *p)
{
	if ((p->flags & JOURNAL_PERIOD_DONE) != 0)
		return 100;
	if (p->at == TICKS_NONE || p->to <= p->from)
		return 0;
	return (int)((double)(p->at - p->from) / (double)(p->to - p->from) * 100);
}

static const char *
sink_name(const struct engine_view *v, uint32_t sink)
{
	struct journal_backlog log;

	return journal_backlog_of(v->journal, sink, &log) ? log.sink : "?";
}

static json_t *
period_object(struct engine *e, const struct engine_view *v, const struct journal_period *p)
{
	const struct origin *o = engine_origin(e, p->stream);
	json_t *out = json_pack("{s:I, s:s, s:s, s:s, s:i, s:b, s:s, s:I, s:I}", "number",
	    (json_int_t)p->number, "tenant", o->tenant, "stream", o->stream, "state", state_of(p),
	    "percent", share(p), "all", (p->flags & JOURNAL_PERIOD_ALL) != 0, "why",
	    (p->flags & JOURNAL_PERIOD_GAP) != 0 ? "gap" : "asked", "read", (json_int_t)p->seen,
	    "delivered", (json_int_t)p->told);

	if (out == NULL)
		return json_object();
	json_object_set_new(out, "sink",
	    p->sink != 0 ? json_string(sink_name(v, p->sink)) : json_null());
	json_object_set_new(out, "from", moment(p->from));
	json_object_set_new(out, "to", moment(p->to));
	json_object_set_new(out, "at", moment(p->at));
	json_object_set_new(out, "made", moment(p->made));
	return out;
}

json_t *
periods_list_all(struct engine *e)
{
	struct journal_period *all = xcalloc(PERIODS_MOST, sizeof(*all));
	json_t *list = json_array();
	struct engine_view v;
	size_t n;

	engine_view(e, &v);
	n = journal_periods(v.journal, all, PERIODS_MOST);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, period_object(e, &v, &all[i]));
	free(all);
	return json_pack("{s:o}", "replays", list);
}

json_t *
periods_ask(struct engine *e, const json_t *request, struct err *err)
{
	uint64_t numbers[REPLAYS_MOST];
	struct replay_ask ask = {
		.tenant = members_text(request, "tenant"),
		.sink = members_text(request, "sink"),
		.from = members_text(request, "from"),
		.to = members_text(request, "to"),
		.is_all = json_is_true(json_object_get(request, "all")),
	};
	json_t *list;
	size_t n;

	if (ask.tenant == NULL || ask.from == NULL) {
		err_set(err, ERR_CONF, "\"tenant\" and \"from\" are needed, each a text");
		return NULL;
	}
	if (!engine_replay(e, &ask, numbers, &n, err))
		return NULL;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_integer((json_int_t)numbers[i]));
	return json_pack("{s:o}", "numbers", list);
}

json_t *
periods_resend(struct engine *e, const json_t *request, struct err *err)
{
	const char *sink = members_text(request, "sink");
	const char *from = members_text(request, "from");
	size_t n;

	if (sink == NULL || from == NULL) {
		err_set(err, ERR_CONF, "\"sink\" and \"from\" are needed, each a text");
		return NULL;
	}
	if (!engine_resend(e, sink, from, &n, err))
		return NULL;
	return json_pack("{s:I}", "streams", (json_int_t)n);
}

json_t *
periods_end(struct engine *e, const json_t *request, struct err *err)
{
	const json_t *number = json_object_get(request, "number");

	if (!json_is_integer(number)) {
		err_set(err, ERR_CONF, "\"number\" is needed, as msspctl replays shows it");
		return NULL;
	}
	if (engine_replay_cancel(e, (uint64_t)json_integer_value(number)))
		return json_object();
	err_set(err, ERR_CONF, "there is no replay %lld that has not ended",
	    (long long)json_integer_value(number));
	return NULL;
}
