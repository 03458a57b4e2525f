/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/small_graph.h"

#include <check.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/ticks.h"
#include "lib/base/base64.h"

#define BODY_MAX (16u << 20)
#define OK_HEAD  "HTTP/1.1 200 OK\r\nContent-Type: application/json; odata.metadata=minimal\r\n"

static const char ids[SG_TENANTS][40] = {
	"00000000-0000-4000-8000-000000000001",
	"00000000-0000-4000-8000-000000000002",
	"00000000-0000-4000-8000-000000000003",
	"00000000-0000-4000-8000-000000000004",
	"00000000-0000-4000-8000-000000000005",
	"00000000-0000-4000-8000-000000000006",
	"00000000-0000-4000-8000-000000000007",
	"00000000-0000-4000-8000-000000000008",
};

const char *
sg_tenant_id(unsigned i)
{
	return ids[i];
}

struct sg_alert *
sg_add(struct small_graph *g, unsigned tenant, int64_t at)
{
	struct sg_tenant *t = &g->t[tenant];
	unsigned i = t->n++;

	ck_assert_uint_lt(i, SG_ALERTS);
	for (; i > 0 && t->alerts[i - 1].at > at; i--)
		t->alerts[i] = t->alerts[i - 1];
	t->alerts[i] = (struct sg_alert){ .at = at, .tenant_id = ids[tenant], .severity = "high" };
	(void)snprintf(t->alerts[i].id, sizeof(t->alerts[i].id), "da%u-%u", tenant, t->n);
	return &t->alerts[i];
}

/* ---- answers ----------------------------------------------------------------------- */

/* The tenant's number is in the signature, so that a read shows whose token it has. */
static void
give_token(struct small_graph *g, unsigned i, struct buf *b)
{
	char claims[200];

	(void)snprintf(claims, sizeof(claims), "{\"tid\":\"%s\"%s}", ids[i],
	    g->t[i].mood == SG_NO_ROLES ? "" : ",\"roles\":[\"SecurityAlert.Read.All\"]");
	buf_puts(b, "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"");
	base64url(b, STR("{\"alg\":\"none\"}"));
	buf_byte(b, '.');
	base64url(b, str_of(claims));
	buf_printf(b, ".sig-%u-%u\"}", i, g->t[i].tokens);
}

static void
deny_token(struct web_answer *out, const char *error, const char *code, struct buf *b)
{
	out->head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n";
	buf_printf(b, "{\"error\":\"%s\",\"error_description\":\"AADSTS%s\",\"error_codes\":[%s]}",
	    error, code, code);
}

static void
on_token(struct small_graph *g, unsigned i, struct web_answer *out, struct buf *b)
{
	g->t[i].tokens++;
	out->delay_ms = g->t[i].delay_ms;
	if (g->t[i].mood == SG_NO_CONSENT)
		deny_token(out, "unauthorized_client", "700016", b);
	else if (g->t[i].mood == SG_BAD_SECRET)
		deny_token(out, "invalid_client", "7000215", b);
	else
		give_token(g, i, b);
}

static void
put_alert(struct buf *b, const struct sg_alert *a)
{
	buf_printf(b,
	    "{\"id\":\"%s\",\"title\":\"%*s\",\"severity\":\"%s\",\"status\":\"new\",\"tenantId\":",
	    a->id, a->is_huge ? 200000 : 1, "T", a->severity);
	if (a->tenant_id != NULL)
		buf_printf(b, "\"%s\"", a->tenant_id);
	else
		buf_puts(b, "null");
	buf_puts(b, ",\"createdDateTime\":\"");
	ticks_write(b, a->at, 7);
	buf_puts(b, "\",\"lastUpdateDateTime\":\"");
	ticks_write(b, a->at, 7);
	buf_puts(b, "\"}");
}

static unsigned
parameter(const char *url, const char *name, unsigned absent)
{
	const char *at = strstr(url, name);

	return at != NULL ? (unsigned)strtoul(at + strlen(name), NULL, 10) : absent;
}

/* By position, from the same bound. */
static void
put_link(struct small_graph *g, const char *url, unsigned top, unsigned skip, struct buf *b)
{
	const char *ge = strstr(url, "%20ge%20");

	ck_assert_ptr_nonnull(ge);
	buf_printf(b, ",\"@odata.nextLink\":\"%s/v1.0/security/alerts_v2?$top=%u&$skip=%u&"
		      "$filter=lastUpdateDateTime%.36s\"",
	    web_url(g->web, "127.0.0.1"), top, skip, ge);
}

static void
put_page(struct small_graph *g, unsigned i, const char *url, struct buf *b)
{
	const struct sg_tenant *t = &g->t[i];
	const char *ge = strstr(url, "%20ge%20");
	unsigned top = parameter(url, "$top=", 50), skip = parameter(url, "$skip=", 0), n = 0;
	const char *lt = strstr(url, "%20lt%20");
	int64_t from = 0, before = INT64_MAX;

	if (ge != NULL)
		(void)ticks_parse((struct str){ ge + 8, 28 }, &from);
	if (lt != NULL)
		(void)ticks_parse((struct str){ lt + 8, 28 }, &before);
	buf_puts(b, "{\"@odata.context\":\"x\",\"value\":[");
	for (unsigned k = 0; k < t->n; k++) {
		if (t->alerts[k].at < from || t->alerts[k].at >= before || skip-- > 0)
			continue;
		skip = 0;
		if (n == top)
			break;
		buf_puts(b, n++ != 0 ? "," : "");
		put_alert(b, &t->alerts[k]);
	}
	if (t->extra != NULL)
		buf_printf(b, "%s%s", n != 0 ? "," : "", t->extra);
	buf_byte(b, ']');
	if (t->mood == SG_FOREIGN_LINK)
		buf_puts(
		    b, ",\"@odata.nextLink\":\"https://evil.example/v1.0/security/alerts_v2\"");
	if (t->mood == SG_LOOP)
		buf_printf(b, ",\"@odata.nextLink\":\"%s/v1.0/security/alerts_v2?$skiptoken=x\"",
		    web_url(g->web, "127.0.0.1"));
	if (t->mood == SG_LINKS && n == top)
		put_link(g, url, top, parameter(url, "$skip=", 0) + n, b);
	buf_byte(b, '}');
}

static const struct {
	enum sg_mood mood;
	const char *head, *body;
	enum web_end end;
} moods[] = {
	{ SG_401, "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n",
	    "{\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"no\"}}", WEB_KEEP },
	{ SG_403, "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n",
	    "{\"error\":{\"code\":\"Forbidden\",\"message\":\"no\"}}", WEB_KEEP },
	{ SG_NO_ROLES, "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n", "{}",
	    WEB_KEEP },
	{ SG_429, "HTTP/1.1 429 Too Many\r\nRetry-After: 30\r\nContent-Type: application/json\r\n",
	    "{}", WEB_KEEP },
	{ SG_429_SILENT, "HTTP/1.1 429 Too Many\r\nContent-Type: application/json\r\n", "{}",
	    WEB_KEEP },
	{ SG_503, "HTTP/1.1 503 Down\r\nContent-Type: application/json\r\n", "{}", WEB_KEEP },
	{ SG_500, "HTTP/1.1 500 Oh\r\nContent-Type: application/json\r\n", "{}", WEB_KEEP },
	{ SG_HTML, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", "<html>sign in</html>",
	    WEB_KEEP },
	{ SG_PARTIAL, "HTTP/1.1 206 Partial\r\nContent-Type: application/json\r\n",
	    "{\"value\":[]}", WEB_KEEP },
	{ SG_NOTHING, "HTTP/1.1 204 No Content\r\n", NULL, WEB_KEEP },
	{ SG_NO_VALUE, OK_HEAD, "{\"value\":null}", WEB_KEEP },
	{ SG_TORN, OK_HEAD, "{\"value\":[{\"id\":\"x\"", WEB_KEEP },
	{ SG_REDIRECT, "HTTP/1.1 302 Found\r\nLocation: https://evil.example/x\r\n", NULL,
	    WEB_KEEP },
	{ SG_HANG, NULL, NULL, WEB_HANG },
};

static bool
misbehaves(struct sg_tenant *t, const char *url, struct web_answer *out)
{
	enum sg_mood mood = t->mood;

	if (mood == SG_401_ONCE) {
		t->mood = SG_WELL;
		mood = SG_401;
	}
	if ((mood == SG_NO_ORDER || mood == SG_LINKS) && strstr(url, "orderby") != NULL) {
		out->head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n";
		out->body = STR("{\"error\":{\"code\":\"BadRequest\",\"message\":\"$OrderBy is not "
				"supported\"}}");
		return true;
	}
	if (t->gone != 0 && parameter(url, "$skip=", 0) == t->gone) {
		t->is_gone = true;
		out->head = "HTTP/1.1 410 Gone\r\nContent-Type: application/json\r\n";
		out->body = STR("{\"error\":{\"code\":\"Gone\",\"message\":\"The token is too old\"}}");
		return true;
	}
	if (t->is_gone && strstr(url, "$skip=") == NULL)
		t->gone = 0;
	for (size_t i = 0; i < ARRAY_LEN(moods); i++) {
		if (moods[i].mood != mood)
			continue;
		out->head = moods[i].head;
		out->body = str_of(moods[i].body);
		out->end = moods[i].end;
		return true;
	}
	return false;
}

static void
echo(const char *request, bool is_json, struct web_answer *out, struct buf *b)
{
	const char *at = strstr(request, "Authorization: ");
	int n = at != NULL ? (int)strcspn(at, "\r\n") : 0;

	out->head = is_json ? "HTTP/1.1 502 Bad\r\nContent-Type: application/json\r\n"
			    : "HTTP/1.1 502 Bad\r\nContent-Type: text/plain\r\n";
	buf_printf(b, is_json ? "{\"error\":{\"code\":\"x\",\"message\":\"I got %.*s, and no more\"}}"
			      : "I got %.*s, and no more", n, at);
}

static void
on_read(
    struct small_graph *g, unsigned i, const char *request, struct web_answer *out, struct buf *b)
{
	struct sg_tenant *t = &g->t[i];
	const char *end = strchr(request + 4, ' ');

	t->reads++;
	out->delay_ms = t->delay_ms;
	(void)snprintf(t->last_url, sizeof(t->last_url), "%.*s",
	    end != NULL ? (int)(end - request) - 4 : 0, request + 4);
	if (misbehaves(t, t->last_url, out))
		return;
	if (t->mood == SG_ECHO || t->mood == SG_ECHO_JSON)
		echo(request, t->mood == SG_ECHO_JSON, out, b);
	else if (t->mood == SG_HUGE && parameter(t->last_url, "$top=", 0) > 2)
		buf_printf(b, "{\"value\":[\"%*s\"]}", 200000, "x");
	else
		put_page(g, i, t->last_url, b);
}

/* Whose: by the path of the token endpoint, by the signature of the token. */
static unsigned
tenant_of(const char *request, bool is_token)
{
	const char *at = strstr(request, is_token ? "-000000000" : ".sig-");

	ck_assert_ptr_nonnull(at);
	return is_token ? (unsigned)strtoul(at + 1, NULL, 10) - 1 : (unsigned)(at[5] - '0');
}

static void
answer(void *arg, const char *request, struct web_answer *out)
{
	struct small_graph *g = arg;
	bool is_token = strstr(request, "/oauth2/v2.0/token") != NULL;
	unsigned i = tenant_of(request, is_token);
	struct buf b = BUF_INIT(BODY_MAX);
	char **keep;

	ck_assert_uint_lt(i, SG_TENANTS);
	*out = (struct web_answer){ .head = g->t[i].head != NULL ? g->t[i].head : OK_HEAD };
	if (is_token)
		on_token(g, i, out, &b);
	else
		on_read(g, i, request, out, &b);
	keep = &g->answers[g->nanswers++ % ARRAY_LEN(g->answers)];
	free(*keep);
	if (b.n != 0)
		out->body = (struct str){ b.p, b.n };
	*keep = buf_take(&b);
}

void
sg_init(struct small_graph *g, struct event_base *base)
{
	*g = (struct small_graph){ 0 };
	g->web = web_new(base, NULL, answer, g);
}

void
sg_release(struct small_graph *g)
{
	web_free(g->web);
	for (size_t i = 0; i < ARRAY_LEN(g->answers); i++)
		free(g->answers[i]);
}
