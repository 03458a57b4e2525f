/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sysexits.h>

#include "daemon/intake/graph.h"
#include "daemon/onboard/probe_parts.h"
#include "lib/base/alloc.h"
#include "lib/format/consent.h"
#include "lib/policy/jwt_look.h"

#define URL_MAX    4096
#define SLICES_MAX 100
#define TITLE_MAX  120

/* ---- the token -------------------------------------------------------------------- */

static void
keep_bearer(struct probe_api *a, const struct token_reply *reply)
{
	a->bearer = xstrdup(reply->bearer);
	a->roles = reply->roles;
}

static void
forget_bearer(struct probe_api *a)
{
	if (a->bearer != NULL)
		explicit_bzero(a->bearer, strlen(a->bearer));
	free(a->bearer);
	a->bearer = NULL;
}

static bool
is_needed_by_some_stream(const char *role)
{
	for (size_t i = 0; i < STREAM_COUNT; i++) {
		if (strcmp(stream_kinds[i].role, role) == 0)
			return true;
	}
	return false;
}

/* More than is needed is well for reading, and a risk without use. */
static void
say_excess(struct probe *p, const struct jwt_look *jwt)
{
	struct buf b = BUF_INIT(JWT_ROLES_MAX * (JWT_ROLE_LEN + 2) + 100);

	for (size_t i = 0; i < jwt->nroles; i++) {
		if (!is_needed_by_some_stream(jwt->roles[i]))
			buf_printf(&b, "%s%s", b.n != 0 ? ", " : "", jwt->roles[i]);
	}
	if (b.n != 0)
		probe_advise(p, "role", xasprintf("the token may do more than msspd needs: %s", b.p),
		    xasprintf("Take these permissions from the app registration %s, and have them "
			      "revoked at the customer's enterprise application.",
			p->t->app->client_id));
	buf_release(&b);
}

static void
say_tid(struct probe *p, const char *bearer)
{
	struct jwt_look *jwt = xmalloc(sizeof(*jwt));

	if (jwt_look(str_of(bearer), jwt) && jwt->tid[0] != '\0')
		probe_ok(p, "tid", xasprintf("the token is for the tenant %s", jwt->tid));
	else
		probe_ok(p, "tid", xstrdup("the token does not say whose it is; the API judges it"));
	say_excess(p, jwt);
	free(jwt);
}

static void
token_on_reply(void *arg, const struct token_reply *reply)
{
	struct probe *p = arg;
	enum api api = (enum api)p->now.index;
	char *got = xasprintf("%s gave one for %s", p->hosts[p->login].name, api_kinds[api].name);

	p->wait = NULL;
	probe_note_date(p, reply->server_date);
	if (reply->trouble == TOKEN_OK) {
		probe_ok(p, "token", got);
		say_tid(p, reply->bearer);
		keep_bearer(&p->apis[api], reply);
	} else if (reply->is_foreign) {
		probe_ok(p, "token", got);
		probe_fail_as(p, "tid", TENANT_WRONG_CLOUD, xstrdup(reply->err.text));
	} else {
		free(got);
		probe_fail_as(
		    p, "token", state_of_token(reply->trouble, false), xstrdup(reply->err.text));
	}
	probe_next(p);
}

void
probe_try_token(struct probe *p, size_t index)
{
	if (p->hosts[p->login].is_bad) {
		probe_skip(p, "token", xasprintf("for %s: %s cannot be reached",
		    api_kinds[index].name, p->hosts[p->login].name));
		probe_next(p);
		return;
	}
	p->wait = token_get(p->needs.tokens, p->needs.settings, p->t, (enum api)index,
	    token_on_reply, p);
}

/* ---- roles -------------------------------------------------------------------------- */

static char *
how_to_grant(const struct probe *p, const struct stream_kind *kind)
{
	const struct app *app = p->t->app;
	struct buf b = BUF_INIT(URL_MAX * 2);

	buf_printf(&b, "Add the application permission %s of %s to the app registration %s, then have "
	    "an administrator of the customer open this link and agree: ", kind->role,
	    api_kinds[kind->api].name, app->client_id);
	consent_put(&b, &(struct consent){ app->login_url, p->t->id, app->client_id,
			    app->redirect_uri, NULL });
	return buf_take(&b);
}

void
probe_try_role(struct probe *p, size_t index)
{
	const struct stream_kind *kind = p->t->streams[index].kind;
	const struct probe_api *a = &p->apis[kind->api];

	if (a->bearer == NULL)
		probe_skip(p, "role", xasprintf("%s: there is no token", kind->name));
	else if ((a->roles & kind->may) != 0)
		probe_ok(p, "role", xasprintf("%s: the token may read them (%s)", kind->name,
		    kind->role));
	else
		probe_fail(p, "role", EX_NOPERM, xasprintf("%s: the token has no role %s", kind->name,
		    kind->role), how_to_grant(p, kind));
	probe_next(p);
}

/* ---- a read of one item ----------------------------------------------------------------- */

static char *
one_read(const struct stream_kind *kind, enum severity severity, struct str title)
{
	size_t n = title.n > TITLE_MAX ? utf8_cut(title.s, title.n, TITLE_MAX) : title.n;

	return xasprintf("%s: one read: %s, \"%.*s\"", kind->name, severity_names[severity], (int)n,
	    n != 0 ? title.s : "");
}

/* What came, in a person's words. False: it is another tenant's. */
static bool
describe(struct probe *p, const struct stream_kind *kind, struct str slice, char **text)
{
	struct record *r = kind->read(slice, true, p->began);
	struct str tid = { NULL, 0 };
	bool is_ours;

	if (r->type == RECORD_ALERT) {
		tid = r->alert.tenant_id;
		*text = one_read(kind, r->alert.severity, r->alert.title);
	} else if (r->type == RECORD_INCIDENT) {
		tid = r->incident.tenant_id;
		*text = one_read(kind, r->incident.severity, r->incident.name);
	} else if (r->type == RECORD_UNREADABLE) {
		tid = r->unreadable.tenant_id;
		*text = xasprintf("%s: one read that msspd will forward as unreadable: %.*s", kind->name,
		    STR_ARG(r->unreadable.why));
	} else {
		*text = xasprintf("%s: one read", kind->name);
	}
	is_ours = tid.n == 0 || str_same_nocase(tid, str_of(p->t->id));
	record_unref(r);
	return is_ours;
}

static void
say_page(struct probe *p, const struct stream_kind *kind, const struct split_page *page)
{
	char *text;

	if (page->n == 0)
		probe_ok(p, "read", xasprintf("%s: allowed; there is nothing new to read", kind->name));
	else if (describe(p, kind, split_slice(page, 0), &text))
		probe_ok(p, "read", text);
	else {
		free(text);
		probe_fail(p, "read", EX_PROTOCOL,
		    xasprintf("%s: the answer is about another tenant", kind->name),
		    xstrdup("msspd forwards none of it. Look for a proxy or cache that mixes answers; "
			    "else ask Microsoft."));
	}
}

/* Microsoft's support asks for the id. */
static char *
trouble_text(const struct stream_kind *kind, const struct err *why, const char *request_id)
{
	if (request_id[0] == '\0')
		return xasprintf("%s: %s", kind->name, why->text);
	return xasprintf("%s: %s (request-id %s)", kind->name, why->text, request_id);
}

static enum tenant_state
state_of_answer(const struct probe *p, const struct stream_kind *kind, enum graph_answer answer)
{
	switch (answer) {
	case GRAPH_UNAUTHORIZED:
		return TENANT_REFUSED;
	case GRAPH_FORBIDDEN:
		return state_of_forbidden((p->apis[kind->api].roles & kind->may) != 0, false);
	case GRAPH_THROTTLED:
		return TENANT_THROTTLED;
	case GRAPH_BROKEN:
	case GRAPH_DOWN:
		return TENANT_UNREACHABLE;
	case GRAPH_PAGE:
	case GRAPH_TOO_LARGE:
	case GRAPH_ORDER_REFUSED:
	case GRAPH_BAD_REQUEST:
	case GRAPH_ODD:
		return TENANT_GARBLED;
	}
	return TENANT_GARBLED;
}

static void send_read(struct probe *p);

static void
judge_read(struct probe *p, const struct fetch_reply *reply, struct str body)
{
	const struct stream_kind *kind = p->t->streams[p->now.index].kind;
	struct fetch_reply seen = *reply;
	struct split_page page;
	enum graph_answer answer;
	struct err why = { .kind = ERR_NONE };

	if (p->split.fault != SPLIT_FINE)
		seen.is_too_large = false;
	answer = graph_judge(&seen, body, &p->ask, &why);
	if (answer == GRAPH_ORDER_REFUSED && p->ask.with_order) {
		p->ask.with_order = false;
		send_read(p);
		return;
	}
	if (answer == GRAPH_PAGE) {
		p->is_splitting = false;
		if (split_finish(&p->split, &page, &why)) {
			say_page(p, kind, &page);
			split_page_release(&page);
			probe_next(p);
			return;
		}
	}
	probe_fail_as(p, "read", state_of_answer(p, kind, answer),
	    trouble_text(kind, &why, reply->request_id));
	probe_next(p);
}

static void
forget_split(struct probe *p)
{
	if (p->is_splitting)
		split_release(&p->split);
	p->is_splitting = false;
}

static void
read_on_done(void *arg, const struct fetch_reply *reply, struct str body)
{
	struct probe *p = arg;

	p->fetch = NULL;
	probe_note_date(p, reply->server_date);
	judge_read(p, reply, body);
	if (p->fetch == NULL)
		forget_split(p);
}

static struct buf *
read_on_body(void *arg)
{
	struct probe *p = arg;

	return &p->split.page.body;
}

static bool
read_on_more(void *arg)
{
	struct probe *p = arg;

	return split_go_on(&p->split);
}

static void
send_read(struct probe *p)
{
	const struct stream_kind *kind = p->t->streams[p->now.index].kind;
	struct buf url = BUF_INIT(URL_MAX);

	forget_split(p);
	split_init(&p->split, (size_t)p->needs.settings->max_body, SLICES_MAX);
	p->is_splitting = true;
	graph_url(&url, p->t->app, kind, &p->ask);
	p->fetch = probe_get(p, url.p, p->apis[kind->api].bearer, api_kinds[kind->api].prefer,
	    read_on_body, read_on_done);
	buf_release(&url);
}

void
probe_try_read(struct probe *p, size_t index)
{
	const struct stream_kind *kind = p->t->streams[index].kind;
	const struct probe_api *a = &p->apis[kind->api];

	if (a->bearer != NULL && (a->roles & kind->may) != 0 && !p->hosts[a->host].is_bad) {
		p->ask = (struct paging_ask){ .mode = PAGING_KEYSET,
			.from = p->began - ticks_from_ms(p->t->first_lookback_ms),
			.before = PAGING_FOREVER,
			.top = 1,
			.with_order = true };
		send_read(p);
		return;
	}
	probe_skip(p, "read", xasprintf("%s: %s", kind->name, a->bearer == NULL ? "there is no token"
	    : p->hosts[a->host].is_bad ? "the API cannot be reached" : "the role is missing"));
	probe_next(p);
}

/* ---- requests --------------------------------------------------------------------------- */

struct fetch *
probe_get(struct probe *p, const char *url, const char *bearer, const char *prefer,
    struct buf *(*on_body)(void *arg),
    void (*on_done)(void *arg, const struct fetch_reply *reply, struct str body))
{
	const struct app *app = p->t->app;
	char id[37];

	graph_request_id(id);
	return fetch_start(p->needs.fetcher, &(struct fetch_req){ .url = url,
						 .bearer = bearer,
						 .prefer = prefer,
						 .client_request_id = id,
						 .ca_file = app->ca_file,
						 .proxy = &app->proxy,
						 .timeout_ms = p->needs.settings->request_timeout_ms,
						 .max_body = (size_t)p->needs.settings->max_body,
						 .on_body = on_body,
						 .on_more = read_on_more,
						 .on_done = on_done,
						 .arg = p });
}

void
probe_reading_release(struct probe *p)
{
	if (p->wait != NULL)
		token_cancel(p->wait);
	forget_split(p);
	for (size_t i = 0; i < API_COUNT; i++)
		forget_bearer(&p->apis[i]);
}
