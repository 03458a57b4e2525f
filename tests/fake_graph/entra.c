/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "tests/fake_graph/json_out.h"
#include "tests/fake_graph/reply.h"
#include "tests/fake_graph/server.h"

/* Entra's token endpoint: /{tenant}/oauth2/v2.0/token, client credentials. */

#define MAX_FORM 65536

struct form {
	struct arena arena;
	struct str client_id, secret, scope, grant, assertion_type, assertion;
};

static void
form_read(struct form *f, struct evhttp_request *req)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	size_t n = evbuffer_get_length(in);
	struct str text, name, value;

	*f = (struct form){ 0 };
	arena_init(&f->arena);
	if (n == 0 || n > MAX_FORM)
		return;
	text = (struct str){ (const char *)evbuffer_pullup(in, -1), n };
	while (query_next(&text, &f->arena, &name, &value)) {
		if (str_is(name, "client_id"))
			f->client_id = value;
		else if (str_is(name, "client_secret"))
			f->secret = value;
		else if (str_is(name, "client_assertion_type"))
			f->assertion_type = value;
		else if (str_is(name, "client_assertion"))
			f->assertion = value;
		else if (str_is(name, "scope"))
			f->scope = value;
		else if (str_is(name, "grant_type"))
			f->grant = value;
	}
}

static bool
scope_is_sound(struct str scope)
{
	static const char end[] = "/.default";
	size_t n = sizeof(end) - 1;

	return scope.n > n && memcmp(scope.s + scope.n - n, end, n) == 0 &&
	       memchr(scope.s, ' ', scope.n) == NULL &&
	       (str_starts(scope, "https://") || str_starts(scope, "http://"));
}

/* The AADSTS code of what is wrong with how the app signs in, or 0. */
static int
credential_check(const struct ask *a, const struct form *f)
{
	struct server *s = a->server;
	int64_t now = wall_ms() / 1000 + plan_clock_ahead(&a->plan);
	struct buf url = BUF_INIT(4096);
	int wrong;

	if (f->assertion.n == 0 && f->secret.n == 0)
		return 7000218;
	if (f->assertion.n == 0)
		return str_is(f->secret, s->opt->client_secret) ? 0 : 7000215;
	if (!str_is(f->assertion_type, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
		return 7000218;
	buf_printf(&url, "%s%s", s->url, a->path);
	wrong = assertion_check(&s->assertions, s->opt, f->assertion, url.p, now);
	buf_release(&url);
	return wrong;
}

/* The same of the whole form. */
static int
form_check(const struct ask *a, const struct form *f)
{
	const struct options *opt = a->server->opt;
	int wrong;

	if (f->grant.n == 0 || f->client_id.n == 0 || f->scope.n == 0)
		return 900144;
	if (!str_is(f->grant, "client_credentials"))
		return 70003;
	if (!str_same_nocase(f->client_id, str_of(opt->client_id)))
		return 700016;
	wrong = credential_check(a, f);
	if (wrong != 0)
		return wrong;
	return scope_is_sound(f->scope) ? 0 : 70011;
}

static void
give_token(struct ask *a, const struct form *f)
{
	const struct options *opt = a->server->opt;
	const struct world *w = &a->server->world;
	const struct tenant *t = a->tenant;
	struct token_claims c = { .issued = wall_ms() / 1000, .has_role = !a->plan.has_no_roles,
		.may_read_incidents = !opt->is_alerts_only,
		.may_change = a->plan.has_more_roles };
	struct buf token = BUF_INIT(16384), b = BUF_INIT(32768), audience = BUF_INIT(4096);

	if (a->plan.has_foreign_tid)
		t = &w->tenants[t->index % w->ntenants];
	memcpy(c.tid, t->guid, sizeof(c.tid));
	if (a->plan.has_foreign_tid && w->ntenants == 1)
		c.tid[0] = c.tid[0] == 'f' ? 'e' : 'f';
	c.expires = c.issued + opt->token_lifetime;
	buf_add(&audience, f->scope.s, f->scope.n - strlen("/.default"));
	token_make(&token, a->server->key, &c, opt->client_id, audience.p);
	buf_byte(&b, '{');
	j_strs(&b, "token_type", "Bearer");
	j_int(&b, "expires_in", opt->token_lifetime);
	j_int(&b, "ext_expires_in", opt->token_lifetime);
	j_strs(&b, "access_token", token.p);
	buf_byte(&b, '}');
	a->tenant->counters.tokens++;
	if (f->assertion.n != 0 && assertion_is_federated(opt, f->assertion))
		a->tenant->counters.by_federation++;
	else if (f->assertion.n != 0)
		a->tenant->counters.by_certificate++;
	reply_header(a, "Content-Type", "application/json; charset=utf-8");
	reply_header(a, "Cache-Control", "no-store, no-cache");
	reply_body(a, 200, buf_peek(&b));
	buf_release(&token);
	buf_release(&b);
	buf_release(&audience);
}

static void
entra_go_on(struct ask *a)
{
	struct form f;
	int wrong;

	if (a->plan.answer != NULL) {
		reply_fault(a, FAULT_TOKEN);
		return;
	}
	form_read(&f, a->req);
	wrong = form_check(a, &f);
	if (wrong != 0)
		reply_token_error(a, wrong);
	else
		give_token(a, &f);
	arena_release(&f.arena);
}

void
entra_ask(struct ask *a, struct str tenant)
{
	if (evhttp_request_get_command(a->req) != EVHTTP_REQ_POST) {
		reply_token_error(a, 900144);
		return;
	}
	a->tenant = world_find(&a->server->world, tenant);
	if (a->tenant == NULL) {
		reply_token_error(a, 90002);
		return;
	}
	ask_plan(a, FAULT_TOKEN, entra_go_on);
}
