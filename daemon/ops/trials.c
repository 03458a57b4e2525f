/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/trials.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "daemon/health/conditions.h"
#include "daemon/ops/members.h"
#include "daemon/ops/safe_text.h"
#include "lib/base/alloc.h"

#define TIMEOUT_MS 30000

/* A test whose result may outlive who asked. */
struct tried {
	LIST_ENTRY(tried) link;
	struct trials *trials; /* NULL: gone */
	size_t slot;
	uint64_t number;
};

struct trials {
	struct engine *engine;
	LIST_HEAD(, tried) under_way;
	uint64_t number; /* of the newest */
	struct {
		uint64_t number;
		json_t *result; /* NULL: not there yet */
	} kept[TRIALS_KEPT];
};

/* By enum trial_end: the word, and what a person can do. */
static const struct {
	const char *word, *remedy;
} ends[TRIAL_ENDS] = {
	[TRIAL_ACCEPTED] = { "accepted", "" },
	[TRIAL_REJECTED] = { "rejected",
	    "Mend what the reason names, on our side or the receiver's; alerts that are refused like this "
	    "become dead letters." },
	[TRIAL_NOT_NOW] = { "not-now",
	    "Try again; alerts that are put off like this wait and are tried again by themselves." },
	[TRIAL_CUT] = { "cut",
	    "Look at the receiver's log: it, or something on the way, ended the connection. Alerts are "
	    "sent again by themselves." },
	[TRIAL_NO_LINK] = { "no-link",
	    "Mend what the reason names: the receiver, the way to it, names and certificates. What waits "
	    "for the sink is kept." },
	[TRIAL_PAUSED] = { "paused", "msspctl resume sink NAME has it go on; then test it." },
	[TRIAL_BUSY] = { "busy", "Find out why the receiver takes so little: msspctl sink NAME shows what "
	                         "waits." },
	[TRIAL_UNANSWERED] = { "unanswered", "Give it longer (--timeout; a syslog receiver needs more than "
	                                     "confirm_after), or look at the receiver." },
	[TRIAL_GONE] = { "gone", "See msspctl sinks." },
};

static json_t *
result_object(const struct trial_answer *a)
{
	enum link_condition link = link_condition(a->is_parked, false, a->link);

	return json_pack("{s:b, s:s, s:s, s:s?, s:s, s:b, s:b, s:s, s:o, s:s, s:s, s:s, s:I, s:o}", "ready",
	    1, "sink", a->sink, "kind", a->kind, "to", a->to, "result", ends[a->end].word, "accepted",
	    a->end == TRIAL_ACCEPTED, "acknowledged", a->is_acknowledged, "means", a->means, "why",
	    safe_text(str_of(a->why)), "do", ends[a->end].remedy, "link",
	    link_conditions[link].name, "event_id", a->event_id, "waited_ms",
	    (json_int_t)a->waited_ms, "took_ms", a->took_ms >= 0 ? json_integer(a->took_ms) : json_null());
}

static void
on_answer(void *arg, const struct trial_answer *a)
{
	struct tried *tried = arg;
	struct trials *t = tried->trials;

	if (t != NULL) {
		LIST_REMOVE(tried, link);
		if (t->kept[tried->slot].number == tried->number)
			t->kept[tried->slot].result = result_object(a);
	}
	free(tried);
}

static struct tried *
keep(struct trials *t)
{
	struct tried *tried = xcalloc(1, sizeof(*tried));
	size_t slot;

	t->number++;
	slot = t->number % TRIALS_KEPT;
	json_decref(t->kept[slot].result);
	t->kept[slot].result = NULL;
	t->kept[slot].number = t->number;
	*tried = (struct tried){ .trials = t, .slot = slot, .number = t->number };
	LIST_INSERT_HEAD(&t->under_way, tried, link);
	return tried;
}

json_t *
trials_begin(struct trials *t, const json_t *request, struct err *err)
{
	const json_t *timeout = json_object_get(request, "timeout_ms");
	struct trial_ask ask = { .sink = members_text(request, "sink"),
		.to = members_text(request, "to"),
		.timeout_ms = json_is_integer(timeout) ? json_integer_value(timeout) : TIMEOUT_MS };
	struct tried *tried;

	if (ask.sink == NULL || ask.timeout_ms <= 0 || ask.timeout_ms > TRIAL_TIMEOUT_MAX_MS) {
		err_set(err, ERR_PERM, ask.sink == NULL ? "sink is missing"
		                                        : "timeout_ms is 1 to %d", TRIAL_TIMEOUT_MAX_MS);
		return NULL;
	}
	tried = keep(t);
	if (engine_try_sink(t->engine, &ask, on_answer, tried, err))
		return json_pack("{s:I}", "test", (json_int_t)t->number);
	LIST_REMOVE(tried, link);
	free(tried);
	return NULL;
}

json_t *
trials_result(struct trials *t, const json_t *request, struct err *err)
{
	uint64_t number = members_number(request, "test");
	size_t slot = number % TRIALS_KEPT;

	if (number == 0 || t->kept[slot].number != number) {
		err_set(err, ERR_PERM, "there is no such test any more");
		return NULL;
	}
	return t->kept[slot].result != NULL ? json_incref(t->kept[slot].result)
	                                    : json_pack("{s:b}", "ready", 0);
}

struct trials *
trials_new(struct engine *e)
{
	struct trials *t = xcalloc(1, sizeof(*t));

	t->engine = e;
	LIST_INIT(&t->under_way);
	return t;
}

void
trials_free(struct trials *t)
{
	struct tried *tried;

	if (t == NULL)
		return;
	while (!LIST_EMPTY(&t->under_way)) {
		tried = LIST_FIRST(&t->under_way);
		LIST_REMOVE(tried, link);
		tried->trials = NULL;
	}
	for (size_t i = 0; i < TRIALS_KEPT; i++)
		json_decref(t->kept[i].result);
	free(t);
}
