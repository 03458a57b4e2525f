/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/letters.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ops/members.h"
#include "daemon/ops/moment.h"
#include "daemon/ops/safe_text.h"
#include "lib/base/base64.h"
#include "lib/base/log.h"
#include "lib/record/event.h"

#define LIST_MOST 200           /* letters of one answer */
#define BODY_MOST (192u * 1024) /* bytes of a body in one answer */

static json_t *
begun(uint64_t number, struct err *err)
{
	if (number != 0)
		return json_pack("{s:I}", "errand", (json_int_t)number);
	err_set(err, ERR_TEMP, "too much is asked of the journal already; try again in a while");
	return NULL;
}

/* ---- which --------------------------------------------------------------------- */

static bool
find_sink(struct engine *e, const char *name, uint32_t *sink, struct err *err)
{
	struct engine_view v;

	if (name == NULL)
		return true;
	engine_view(e, &v);
	*sink = journal_sink_find(v.journal, name);
	return *sink != 0 || err_set(err, ERR_PERM, "nothing is known of a sink '%.80s'", name);
}

static bool
find_which(struct engine *e, const json_t *request, struct journal_filter *f, struct err *err)
{
	const char *tenant = members_text(request, "tenant");

	f->number = members_number(request, "number");
	return find_sink(e, members_text(request, "sink"), &f->sink, err) &&
	       (tenant == NULL || engine_streams_of(e, tenant, f, err));
}

json_t *
letters_list(struct engine *e, enum journal_box box, const json_t *request, struct err *err)
{
	struct journal_letters_ask ask = { .which = { .box = box },
		.after = members_number(request, "after"), .from = members_number(request, "from"),
		.max = members_number(request, "max") };

	if (!find_which(e, request, &ask.which, err))
		return NULL;
	if (ask.max == 0 || ask.max > LIST_MOST)
		ask.max = LIST_MOST;
	if (ask.which.number != 0)
		ask.max_bytes = BODY_MOST;
	return begun(errands_look(engine_errands(e), &ask), err);
}

json_t *
letters_work(struct engine *e, enum journal_deed what, const json_t *request, struct err *err)
{
	const char *sink = members_text(request, "sink"), *tenant = members_text(request, "tenant");
	struct journal_task task = { .what = what };

	if (!find_which(e, request, &task.which, err))
		return NULL;
	if (task.which.number == 0 && task.which.sink == 0 && task.which.nstreams == 0 &&
	    !json_is_true(json_object_get(request, "all"))) {
		err_set(err, ERR_PERM, "say which: \"number\", \"sink\", \"tenant\", or \"all\"");
		return NULL;
	}
	log_info(NULL, "dead letters are %s by an operator sink=%s tenant=%s number=%" PRIu64,
	    what == JOURNAL_RETRY ? "tried again" : "dropped",
	    sink != NULL ? sink : "", tenant != NULL ? tenant : "", task.which.number);
	return begun(errands_work(engine_errands(e), &task, NULL, NULL), err);
}

json_t *
letters_purge(struct engine *e, const json_t *request, struct err *err)
{
	struct purge_ask ask = { .tenant = members_text(request, "tenant"),
		.is_sure = json_is_true(json_object_get(request, "sure")) };
	uint64_t number;

	if (ask.tenant == NULL) {
		err_set(err, ERR_PERM, "\"tenant\" is needed: its name, or its GUID");
		return NULL;
	}
	number = engine_purge(e, &ask, err);
	return number != 0 ? begun(number, err) : NULL;
}

/* ---- what came of it -------------------------------------------------------------- */

static const char *
sink_name(const struct engine *e, uint32_t sink)
{
	struct engine_view v;
	const char *name;

	engine_view(e, &v);
	name = journal_sink_name(v.journal, sink);
	return name != NULL ? name : "?";
}

/* All that is known of a dead letter and not of what is in quarantine. */
static void
add_dead(json_t *out, const struct engine *e, const struct journal_item *item)
{
	json_object_set_new(out, "sink", json_string(sink_name(e, item->letter->sink)));
	json_object_set_new(out, "event",
	    json_string(item->kind < KIND_COUNT ? kind_names[item->kind] : "?"));
	json_object_set_new(out, "version", moment(item->version));
	json_object_set_new(out, "journalled", moment(item->journalled));
	json_object_set_new(out, "retried", json_boolean(item->letter->is_retried));
}

static void
add_body(json_t *out, struct str body)
{
	struct buf b = BUF_INIT(2 * BODY_MOST);

	base64(&b, body);
	json_object_set_new(out, "body", json_stringn(b.p != NULL ? b.p : "", b.n));
	buf_release(&b);
}

static json_t *
letter_object(struct engine *e, const struct journal_item *item)
{
	const struct journal_letter *l = item->letter;
	const struct origin *o = engine_origin(e, item->stream);
	json_t *out = json_pack("{s:I, s:o, s:I, s:o, s:o, s:s, s:s, s:s, s:s}", "number",
	    (json_int_t)l->number, "at", moment(l->at), "size", (json_int_t)l->size, "why",
	    safe_text(str_of(l->why)), "id", safe_text(item->id), "tenant", o->tenant, "tenant_id",
	    o->tenant_id, "customer", o->customer, "stream", o->stream);

	if (out == NULL)
		return json_object();
	if (l->sink != 0)
		add_dead(out, e, item);
	return out;
}

static json_t *
list_object(struct engine *e, const struct journal_batch *b)
{
	json_t *list = json_array(), *one;

	for (size_t i = 0; i < b->n; i++) {
		one = letter_object(e, &b->items[i]);
		if (b->items[i].body.n > 0)
			add_body(one, b->items[i].body);
		json_array_append_new(list, one);
	}
	return json_pack("{s:b, s:b, s:o}", "ready", 1, "more", b->has_more, "letters", list);
}

static json_t *
task_object(const struct journal_task *t, bool is_done)
{
	const struct journal_purged *p = &t->purged;

	if (t->what != JOURNAL_PURGE)
		return json_pack("{s:b, s:I, s:I}", "ready", is_done, "done", (json_int_t)t->done,
		    "passed", (json_int_t)t->passed);
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "ready", is_done,
	    "waiting", (json_int_t)t->waiting, "entries", (json_int_t)p->entries, "dead_letters",
	    (json_int_t)p->dead, "quarantine", (json_int_t)p->quarantine, "remembered",
	    (json_int_t)p->remembered, "cursors", (json_int_t)p->readers, "gaps", (json_int_t)p->gaps,
	    "replays", (json_int_t)p->periods, "scrubbed", t->is_scrubbed);
}

json_t *
letters_result(struct engine *e, const json_t *request, struct err *err)
{
	uint64_t number = members_number(request, "errand");
	struct errand_view v;
	json_t *out;

	if (!errands_see(engine_errands(e), number, &v)) {
		err_set(err, ERR_PERM, "nothing is known of that errand (any more)");
		return NULL;
	}
	if (v.err != NULL) {
		*err = *v.err;
		return NULL;
	}
	if (v.task != NULL)
		return task_object(v.task, v.is_done);
	if (!v.is_done)
		return json_pack("{s:b}", "ready", 0);
	out = list_object(e, v.letters);
	errands_forget(engine_errands(e), number);
	return out;
}
