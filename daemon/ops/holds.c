/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/holds.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "daemon/ops/members.h"
#include "daemon/ops/moment.h"
#include "lib/base/alloc.h"
#include "lib/base/log.h"

#define LINES_MOST 3000 /* of one answer: what a client must be able to take */

/* What the journal answers to; it may outlive who asked. */
struct asked {
	LIST_ENTRY(asked) link;
	struct holds *holds; /* NULL: gone */
	uint64_t number;
	char *id; /* of a cancel, for the log */
};

struct holds {
	struct engine *engine;
	LIST_HEAD(, asked) asked;
	uint64_t number; /* of the newest look */
	json_t *result;  /* of that one; NULL: not there yet, or err */
	struct err err;
};

/* ---- results ------------------------------------------------------------------ */

static json_t *
line_object(const struct held_line *l)
{
	char *id = xasprintf("%s:%s:%s", l->sink, l->what, l->customer);
	json_t *out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:o}", "id", id, "sink", l->sink,
	    "rule", l->what, "customer", l->customer, "why", l->why, "events", (json_int_t)l->n, "due",
	    moment(l->due), "oldest", moment(l->oldest));

	free(id);
	return out;
}

static json_t *
result_object(const struct held_answer *a)
{
	json_t *lines = json_array();

	for (size_t i = 0; i < a->n && i < LINES_MOST; i++)
		json_array_append_new(lines, line_object(&a->lines[i]));
	return json_pack("{s:b, s:b, s:I, s:o}", "ready", 1, "more", a->is_cut || a->n > LINES_MOST,
	    "cancelled", (json_int_t)a->cancelled, "held", lines);
}

static void
on_answer(void *arg, const struct held_answer *a)
{
	struct asked *asked = arg;
	struct holds *h = asked->holds;

	if (asked->id != NULL && a->err == NULL)
		log_warn(NULL, "what was held as %s is taken back by an operator and not sent entries=%zu",
		    asked->id, a->cancelled);
	if (h != NULL && asked->number == h->number) {
		h->result = a->err == NULL ? result_object(a) : NULL;
		h->err = a->err != NULL ? *a->err : (struct err){ 0 };
	}
	if (h != NULL)
		LIST_REMOVE(asked, link);
	free(asked->id);
	free(asked);
}

/* ---- asking -------------------------------------------------------------------------- */

static struct asked *
begin(struct holds *h, const char *id)
{
	struct asked *asked = xcalloc(1, sizeof(*asked));

	json_decref(h->result);
	h->result = NULL;
	h->err = (struct err){ 0 };
	*asked = (struct asked){ .holds = h, .number = ++h->number,
		.id = id != NULL ? xstrdup(id) : NULL };
	LIST_INSERT_HEAD(&h->asked, asked, link);
	return asked;
}

/* Of one that never began. */
static json_t *
give_up(struct asked *asked)
{
	LIST_REMOVE(asked, link);
	free(asked->id);
	free(asked);
	return NULL;
}

static json_t *
number_of(const struct holds *h)
{
	return json_pack("{s:I}", "look", (json_int_t)h->number);
}

json_t *
holds_look(struct holds *h, const json_t *request, struct err *err)
{
	struct asked *asked = begin(h, NULL);

	return engine_look_at_held(h->engine, members_text(request, "sink"), on_answer, asked, err) ?
	    number_of(h) : give_up(asked);
}

/* "SINK:RULE:CUSTOMER". Names of sinks and customers have no colon (settings_names.c), so that all
 * between the first and the last is the rule's, whatever is in it. */
json_t *
holds_cancel(struct holds *h, const json_t *request, struct err *err)
{
	const char *id = members_text(request, "id");
	char *text = xstrdup(id != NULL ? id : "");
	char *rule = strchr(text, ':'), *customer = strrchr(text, ':');
	json_t *out = NULL;
	struct asked *asked;

	if (rule != NULL && rule != customer) {
		*rule++ = *customer++ = '\0';
		asked = begin(h, id);
		out = engine_cancel_held(h->engine, &(struct held_which){ text, rule, customer }, on_answer,
		    asked, err) ? number_of(h) : give_up(asked);
	} else {
		err_set(err, ERR_PERM, "'%.200s' is no id of what is held: msspctl held shows them, as "
		    "SINK:RULE:CUSTOMER", id != NULL ? id : "");
	}
	free(text);
	return out;
}

json_t *
holds_result(struct holds *h, const json_t *request, struct err *err)
{
	uint64_t number = members_number(request, "look");

	if (number == 0 || number != h->number) {
		err_set(err, ERR_TEMP, "somebody else has looked meanwhile; ask again");
		return NULL;
	}
	if (h->err.kind != ERR_NONE) {
		*err = h->err;
		return NULL;
	}
	return h->result != NULL ? json_incref(h->result) : json_pack("{s:b}", "ready", 0);
}

/* ---- life --------------------------------------------------------------------------------- */

struct holds *
holds_new(struct engine *e)
{
	struct holds *h = xcalloc(1, sizeof(*h));

	h->engine = e;
	LIST_INIT(&h->asked);
	return h;
}

void
holds_free(struct holds *h)
{
	struct asked *a;

	if (h == NULL)
		return;
	while (!LIST_EMPTY(&h->asked)) {
		a = LIST_FIRST(&h->asked);
		LIST_REMOVE(a, link);
		a->holds = NULL;
	}
	json_decref(h->result);
	free(h);
}
