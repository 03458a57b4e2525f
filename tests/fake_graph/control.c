/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <jansson.h>

#include "lib/base/alloc.h"
#include "tests/fake_graph/control.h"
#include "tests/fake_graph/hostile.h"
#include "tests/fake_graph/json_out.h"
#include "tests/fake_graph/reply.h"
#include "tests/fake_graph/server.h"

#define MAX_REPLY (1u << 30)
#define MAX_MAKE  100000

static void
reply_text(struct ask *a, int status, struct str body)
{
	reply_header(a, "Content-Type", "application/json");
	reply_body(a, status, body);
}

static void
reply_error(struct ask *a, const char *text)
{
	struct buf b = BUF_INIT(4096);

	buf_byte(&b, '{');
	j_strs(&b, "error", text);
	buf_byte(&b, '}');
	reply_text(a, 400, buf_peek(&b));
	buf_release(&b);
}

static void
reply_done(struct ask *a, long long n)
{
	struct buf b = BUF_INIT(64);

	buf_printf(&b, "{\"done\":%lld}", n);
	reply_text(a, 200, buf_peek(&b));
	buf_release(&b);
}

/* The request's JSON object, or NULL. */
static json_t *
read_body(struct ask *a)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(a->req);
	size_t n = evbuffer_get_length(in);
	json_t *root = n != 0 ? json_loadb((char *)evbuffer_pullup(in, -1), n, 0, NULL) : NULL;

	if (json_is_object(root))
		return root;
	json_decref(root);
	return NULL;
}

/* A tenant by index, GUID or name; NULL when there is none such. */
static struct tenant *
tenant_of(struct server *s, const json_t *who)
{
	char text[24];

	if (json_is_string(who))
		return world_find(&s->world, str_of(json_string_value(who)));
	snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(who));
	return world_find(&s->world, str_of(text));
}

static bool
add_fault(struct server *s, const json_t *spec, struct err *err)
{
	if (!json_is_string(spec))
		return err_set(err, ERR_CONF, "a fault is a string");
	return faults_add(&s->faults, json_string_value(spec), server_resolve_tenant, s, err);
}

static void
control_fault(struct ask *a, const json_t *root)
{
	struct server *s = a->server;
	const json_t *add = json_object_get(root, "add");
	const char *remove = json_string_value(json_object_get(root, "remove"));
	struct err err = { 0 };
	long long n = 0;
	bool is_sound = true;

	if (json_is_true(json_object_get(root, "clear")))
		n += (long long)faults_remove(&s->faults, NULL);
	if (remove != NULL)
		n += (long long)faults_remove(&s->faults, remove);
	if (json_is_array(add)) {
		for (size_t i = 0; i < json_array_size(add) && is_sound; i++, n++)
			is_sound = add_fault(s, json_array_get(add, i), &err);
	} else if (add != NULL) {
		is_sound = add_fault(s, add, &err);
		n++;
	}
	if (is_sound)
		reply_done(a, n);
	else
		reply_error(a, err.text);
}

static void
story_hostile(struct story *s, struct tenant *t, unsigned n)
{
	story_make_hostile(s, t, n, NULL);
}

static const struct {
	const char *name;
	void (*make)(struct story *s, struct tenant *t, unsigned n);
} makers[] = {
	{ "make", story_make },
	{ "change", story_change },
	{ "hostile", story_hostile },
	{ "same_stamp", story_make_same_stamp },
	{ "future", story_make_future },
};

/* {"tenant":T,"key":ID,"do":CHANGE} */
static long long
do_one(struct server *s, struct tenant *t, const json_t *root)
{
	const char *what = json_string_value(json_object_get(root, "do"));
	const char *key = json_string_value(json_object_get(root, "key"));
	struct alert *alert = key != NULL ? world_alert(t, str_of(key)) : NULL;

	for (int i = 0; alert != NULL && what != NULL && i < NCHANGES; i++) {
		if (strcmp(change_name((enum change)i), what) == 0)
			return story_do(&s->story, alert, (enum change)i);
	}
	return 0;
}

static long long
make_for(struct server *s, struct tenant *of, const json_t *root)
{
	const char *stream = json_string_value(json_object_get(root, "stream"));
	struct tenant *t = stream != NULL && strcmp(stream, "incidents") == 0 ? of->incidents : of;
	const char *class = json_string_value(json_object_get(root, "class"));
	const struct hostile *h = class != NULL ? hostile_find(class) : NULL;
	long long done = do_one(s, t, root);

	for (size_t i = 0; i < ARRAY_LEN(makers); i++) {
		long long n = json_integer_value(json_object_get(root, makers[i].name));

		if (n <= 0 || n > MAX_MAKE)
			continue;
		if (makers[i].make == story_hostile && h != NULL)
			story_make_hostile(&s->story, t, (unsigned)n, h);
		else
			makers[i].make(&s->story, t, (unsigned)n);
		done += n;
	}
	return done;
}

static void
control_story(struct ask *a, const json_t *root)
{
	struct server *s = a->server;
	const json_t *rate = json_object_get(root, "rate"), *who = json_object_get(root, "tenant");
	struct tenant *t = who != NULL ? tenant_of(s, who) : NULL;
	long long done = 0;

	if (who != NULL && t == NULL &&
	    strcmp(json_is_string(who) ? json_string_value(who) : "", "*") != 0) {
		reply_error(a, "no such tenant");
		return;
	}
	if (json_is_true(json_object_get(root, "stop")))
		s->story.is_stopped = true, done++;
	if (json_is_true(json_object_get(root, "start")))
		s->story.is_stopped = false, s->story.stop_ms = INT64_MAX, done++;
	if (json_is_number(rate))
		s->story.rate = json_number_value(rate), done++;
	for (size_t i = 0; who != NULL && i < s->world.ntenants; i++) {
		if (t == NULL || t->index == i + 1)
			done += make_for(s, &s->world.tenants[i], root);
	}
	truth_flush(s->truth);
	reply_done(a, done);
}

static void
control_policy(struct ask *a, const json_t *root)
{
	static const char *const options[] = { "paging", "orderby", "filter" };
	struct server *s = a->server;
	struct tenant *t = tenant_of(s, json_object_get(root, "tenant"));
	long long top = json_integer_value(json_object_get(root, "max_top")), done = 0;
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const char *value = json_string_value(json_object_get(root, options[i]));
		char text[128];

		if (value == NULL)
			continue;
		snprintf(
		    text, sizeof(text), "%s:%s=%s", t != NULL ? t->guid : "*", options[i], value);
		if (!server_set_policy(s, text, &err)) {
			reply_error(a, err.text);
			return;
		}
		done++;
	}
	for (size_t i = 0; top > 0 && i < s->world.ntenants; i++) {
		if (t == NULL || t->index == i + 1)
			s->policies[i].max_top = (unsigned)top, done++;
	}
	reply_done(a, done);
}

static void
put_polls(struct buf *b, const struct counters *c)
{
	uint64_t first = c->npolls > POLL_TIMES ? c->npolls - POLL_TIMES : 0;

	j_key(b, "polls");
	buf_byte(b, '[');
	for (uint64_t i = first; i < c->npolls; i++) {
		j_comma(b);
		buf_int(b, c->poll_ms[i % POLL_TIMES]);
	}
	buf_byte(b, ']');
}

static void
put_tenant(struct buf *b, const struct tenant *t, bool with_polls)
{
	const struct counters *c = &t->counters;

	j_comma(b);
	buf_byte(b, '{');
	j_int(b, "index", t->index);
	j_strs(b, "tenant", t->guid);
	j_strs(b, "name", t->name);
	j_int(b, "requests", (int64_t)c->requests);
	j_int(b, "mde_requests", (int64_t)c->mde_requests);
	j_int(b, "pages", (int64_t)c->pages);
	j_int(b, "tokens", (int64_t)c->tokens);
	j_int(b, "by_certificate", (int64_t)c->by_certificate);
	j_int(b, "by_federation", (int64_t)c->by_federation);
	j_int(b, "token_errors", (int64_t)c->token_errors);
	j_int(b, "bytes", (int64_t)c->bytes);
	j_int(b, "faults", (int64_t)c->faults);
	j_int(b, "limited", (int64_t)c->limited);
	j_int(b, "bearer_elsewhere", (int64_t)c->bearer_elsewhere);
	j_key(b, "status");
	buf_printf(b, "{\"2xx\":%llu,\"3xx\":%llu,\"4xx\":%llu,\"5xx\":%llu}",
	    (unsigned long long)c->status[2], (unsigned long long)c->status[3],
	    (unsigned long long)c->status[4], (unsigned long long)c->status[5]);
	j_int(b, "first_ms", c->first_ms);
	j_int(b, "last_ms", c->last_ms);
	j_int(b, "alerts", (int64_t)t->nalerts);
	j_int(b, "incidents", (int64_t)t->incidents->nalerts);
	if (with_polls)
		put_polls(b, c);
	buf_byte(b, '}');
}

/* The query's tenant, and whether it says polls=0. */
static struct tenant *
read_query(struct ask *a, bool *with_polls)
{
	struct arena arena;
	struct str rest = a->query, name, value;
	struct tenant *t = NULL;

	*with_polls = true;
	arena_init(&arena);
	while (query_next(&rest, &arena, &name, &value)) {
		if (str_is(name, "tenant"))
			t = world_find(&a->server->world, value);
		else if (str_is(name, "polls"))
			*with_polls = !str_is(value, "0");
	}
	arena_release(&arena);
	return t;
}

static void
control_requests(struct ask *a)
{
	struct server *s = a->server;
	struct buf b = BUF_INIT(MAX_REPLY);
	bool with_polls;
	const struct tenant *t = read_query(a, &with_polls);

	buf_byte(&b, '{');
	j_int(&b, "now_ms", mono_ms());
	j_int(&b, "start_ms", s->start_ms);
	j_int(&b, "requests", (int64_t)s->requests);
	j_int(&b, "changes", (int64_t)s->story.nchanges);
	j_int(&b, "bearer_elsewhere", (int64_t)s->nstrays);
	j_key(&b, "strays");
	buf_byte(&b, '[');
	for (size_t i = 0; i < MAX_STRAYS && s->strays[i] != NULL; i++) {
		j_comma(&b);
		j_text(&b, str_of(s->strays[i]));
	}
	buf_puts(&b, "]");
	j_key(&b, "tenants");
	buf_byte(&b, '[');
	for (size_t i = 0; i < s->world.ntenants; i++) {
		if (t == NULL || t->index == i + 1)
			put_tenant(&b, &s->world.tenants[i], with_polls);
	}
	buf_puts(&b, "]}");
	reply_text(a, 200, buf_peek(&b));
	buf_release(&b);
}

static void
put_newest(struct buf *b, const struct tenant *t)
{
	for (size_t n = 0; n < t->nalerts; n++) {
		const struct alert *alert = t->alerts[n];

		truth_line(b, alert->pending != NULL ? alert->pending : alert->shown);
	}
}

static void
control_truth(struct ask *a)
{
	struct server *s = a->server;
	struct buf b = BUF_INIT(MAX_REPLY);
	bool unused;
	const struct tenant *only = read_query(a, &unused);

	world_catch_up(&s->world, wall_ms());
	for (size_t i = 0; i < s->world.ntenants; i++) {
		const struct tenant *t = &s->world.tenants[i];

		if (only != NULL && only != t)
			continue;
		put_newest(&b, t);
		put_newest(&b, t->incidents);
	}
	reply_header(a, "Content-Type", "application/jsonl");
	reply_body(a, 200, buf_peek(&b));
	buf_release(&b);
}

static const struct {
	const char *path;
	void (*get)(struct ask *a);
	void (*post)(struct ask *a, const json_t *root);
} places[] = {
	{ "/_control/fault", NULL, control_fault },
	{ "/_control/story", NULL, control_story },
	{ "/_control/policy", NULL, control_policy },
	{ "/_control/requests", control_requests, NULL },
	{ "/_control/truth", control_truth, NULL },
};

void
control_ask(struct ask *a)
{
	bool is_post = evhttp_request_get_command(a->req) == EVHTTP_REQ_POST;
	json_t *root;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (strcmp(a->path, places[i].path) != 0 || is_post != (places[i].post != NULL))
			continue;
		if (!is_post) {
			places[i].get(a);
			return;
		}
		root = read_body(a);
		if (root != NULL)
			places[i].post(a, root);
		else
			reply_error(a, "a JSON object is wanted");
		json_decref(root);
		return;
	}
	reply_error(a, "no such control");
}

void
control_help(void)
{
	printf(
	    "The control endpoint, for tests (T: index, GUID, name; \"*\" for all where it makes "
	    "sense):\n"
	    "  POST /_control/fault    {\"add\":SPEC|[SPEC…]} {\"remove\":SPEC} {\"clear\":true}\n"
	    "  POST /_control/story    {\"stop\":true} {\"start\":true} {\"rate\":R}\n"
	    "       "
	    "{\"tenant\":T,\"make\":N,\"change\":N,\"same_stamp\":N,\"future\":N,\"hostile\":N,"
	    "\"class\":C}\n"
	    "       {\"tenant\":T,\"key\":KEY,\"do\":CHANGE}, KEY and CHANGE as in the truth\n"
	    "       and {\"stream\":\"incidents\"} with any of these\n"
	    "  POST /_control/policy   "
	    "{\"tenant\":T,\"paging\":…,\"orderby\":…,\"filter\":…,\"max_top\":N}\n"
	    "  each answers {\"done\":N}, or 400 and {\"error\":TEXT}\n"
	    "  GET  /_control/requests [?tenant=T][&polls=0]: counters, and the monotonic ms of "
	    "each tenant's\n"
	    "       last reads of alerts_v2; bearer_elsewhere counts tokens at another host name "
	    "or path\n"
	    "  GET  /_control/truth    [?tenant=T]: the v line of each alert's newest version\n\n");
}
