/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "lib/base/ticks.h"
#include "tests/fake_graph/json_out.h"
#include "tests/fake_graph/reply.h"

#define MAX_RAW      (256u << 20)
#define ERROR_ROOM   8192
#define DEFAULT_WAIT 10

static const struct {
	int status;
	const char *reason, *code, *message;
} statuses[] = {
	{ 200, "OK", "", "" },
	{ 204, "No Content", "", "" },
	{ 206, "Partial Content", "", "" },
	{ 302, "Found", "", "" },
	{ 400, "Bad Request", "BadRequest", "The request is malformed or incorrect." },
	{ 401, "Unauthorized", "InvalidAuthenticationToken", "Access token is empty." },
	{ 403, "Forbidden", "Forbidden",
	    "Missing application roles. API required roles: "
	    "SecurityAlert.Read.All,SecurityAlert.ReadWrite.All, application roles: ." },
	{ 404, "Not Found", "ResourceNotFound", "Resource not found for the segment." },
	{ 405, "Method Not Allowed", "MethodNotAllowed", "The method is not allowed." },
	{ 429, "Too Many Requests", "TooManyRequests", "Too many requests." },
	{ 500, "Internal Server Error", "UnknownError", "" },
	{ 502, "Bad Gateway", "BadGateway", "Failed to reach the backend." },
	{ 503, "Service Unavailable", "serviceNotAvailable", "The service is busy." },
	{ 504, "Gateway Timeout", "GatewayTimeout", "The backend did not answer in time." },
};

static size_t
status_row(int status)
{
	size_t i = 0;

	while (i < ARRAY_LEN(statuses) - 1 && statuses[i].status != status)
		i++;
	return i;
}

void
reply_header(struct ask *a, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(a->req), name, value);
}

static void
put_head(struct buf *b, struct ask *a, int status, uint64_t length)
{
	struct evkeyval *h;
	struct evkeyvalq *headers = evhttp_request_get_output_headers(a->req);

	buf_printf(b, "HTTP/1.1 %d %s\r\n", status, statuses[status_row(status)].reason);
	for (h = headers->tqh_first; h != NULL; h = h->next.tqe_next)
		buf_printf(b, "%s: %s\r\n", h->key, h->value);
	buf_printf(b, "Content-Length: %llu\r\n\r\n", (unsigned long long)length);
}

static void
count(struct ask *a, int status, size_t bytes)
{
	if (a->tenant == NULL)
		return;
	a->tenant->counters.bytes += bytes;
	a->tenant->counters.status[status / 100 < 6 ? status / 100 : 0]++;
}

static void
start_raw(struct ask *a, struct raw_script *script)
{
	struct server *s = a->server;

	raw_start(&s->raws, s->base, a->req, script);
	ask_done(a);
}

/* Cuts or drips the body, as the plan wants. */
static void
reply_badly(
    struct ask *a, int status, struct str body, const struct fault *cut, const struct fault *slow)
{
	struct raw_script script = { .bytes = BUF_INIT(MAX_RAW) };
	size_t n = body.n;

	put_head(&script.bytes, a, status, body.n);
	if (cut != NULL && n > 0) {
		n = cut->arg != NULL ? (size_t)fault_number(cut, 0)
		                     : rng_below(&a->server->rng, (uint32_t)n);
		n = n < body.n ? n : body.n - 1;
	}
	buf_add(&script.bytes, body.s, n);
	if (slow != NULL)
		script.drip_ms = (int)fault_number(slow, 100);
	start_raw(a, &script);
}

static void
put_http_date(struct buf *b, int64_t sec)
{
	time_t t = (time_t)sec;
	struct tm tm;
	char text[64];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	buf_puts(b, text);
}

/* A clock that is not ours. */
static void
shift_clock(struct ask *a)
{
	long long ahead = plan_clock_ahead(&a->plan);
	struct buf b = BUF_INIT(128);

	if (ahead == 0)
		return;
	put_http_date(&b, wall_ms() / 1000 + ahead);
	reply_header(a, "Date", b.p);
	buf_release(&b);
}

void
reply_body(struct ask *a, int status, struct str body)
{
	const struct fault *cut = plan_bend(&a->plan, FX_CUT), *slow = plan_bend(&a->plan, FX_SLOW);
	struct evbuffer *out;

	count(a, status, body.n);
	shift_clock(a);
	if (cut != NULL || slow != NULL) {
		reply_badly(a, status, body, cut, slow);
		return;
	}
	out = evbuffer_new();
	evbuffer_add(out, body.s, body.n);
	evhttp_send_reply(a->req, status, statuses[status_row(status)].reason, out);
	evbuffer_free(out);
	ask_done(a);
}

void
reply_json(struct ask *a, int status, struct str body)
{
	reply_header(a, "Content-Type",
	    "application/json;odata.metadata=minimal;odata.streaming=true;"
	    "IEEE754Compatible=false;charset=utf-8");
	reply_body(a, status, body);
}

void
reply_graph_error(struct ask *a, int status, const char *code, const char *message)
{
	const char *client_id =
	    evhttp_find_header(evhttp_request_get_input_headers(a->req), "client-request-id");
	struct buf b = BUF_INIT(ERROR_ROOM), when = BUF_INIT(64);

	ticks_write(&when, ticks_from_ms(wall_ms()), 0);
	buf_cut(&when, when.n - 1);
	buf_puts(&b, "{\"error\":{");
	j_strs(&b, "code", code);
	j_strs(&b, "message", message);
	j_key(&b, a->server->requests % 2 == 0 ? "innerError" : "innererror");
	buf_byte(&b, '{');
	j_strs(&b, "date", when.p);
	j_strs(&b, "request-id", a->request_id);
	j_strs(&b, "client-request-id", client_id != NULL ? client_id : a->request_id);
	buf_puts(&b, "}}}");
	reply_json(a, status, buf_ok(&b) ? buf_peek(&b) : STR("{}"));
	buf_release(&b);
	buf_release(&when);
}

void
reply_unauthorized(struct ask *a, const char *message, bool claims)
{
	reply_header(a, "WWW-Authenticate",
	    claims
		? "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/"
		  "oauth2/authorize\", error=\"insufficient_claims\", "
		  "claims=\"eyJhY2Nlc3NfdG9rZW4iOns"
		  "ibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxIn19fQ==\""
		: "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/"
		  "oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"");
	reply_graph_error(a, 401, "InvalidAuthenticationToken", message);
}

void
reply_token_error(struct ask *a, int code)
{
	const struct token_error *e = token_error(code);
	struct buf b = BUF_INIT(ERROR_ROOM);

	if (e == NULL)
		e = token_error(90006);
	if (a->tenant != NULL)
		a->tenant->counters.token_errors++;
	token_error_body(&b, e, a->request_id);
	reply_header(a, "Content-Type", "application/json; charset=utf-8");
	reply_header(a, "Cache-Control", "no-store, no-cache");
	reply_body(a, e->status, buf_peek(&b));
	buf_release(&b);
}

/* What a Retry-After can look like. */
static void
add_retry_after(struct ask *a, const struct fault *f)
{
	struct buf b = BUF_INIT(128);
	const char *arg = f->arg != NULL ? f->arg : f->status == 429 ? "" : "none";

	if (strcmp(arg, "none") == 0)
		return;
	if (strcmp(arg, "date") == 0)
		put_http_date(&b, wall_ms() / 1000 + 15);
	else if (strcmp(arg, "date-past") == 0)
		put_http_date(&b, wall_ms() / 1000 - 100);
	else if (strcmp(arg, "absurd") == 0)
		buf_puts(&b, "99999999999999999999");
	else if (strcmp(arg, "negative") == 0)
		buf_puts(&b, "-7");
	else if (strcmp(arg, "text") == 0)
		buf_puts(&b, "soon");
	else
		buf_int(&b, fault_number(f, DEFAULT_WAIT));
	reply_header(a, "Retry-After", b.p);
	buf_release(&b);
}

static void
reply_status(struct ask *a, const struct fault *f, enum fault_scope scope)
{
	size_t row = status_row(f->status);

	if (f->status == 429 || f->status == 503)
		add_retry_after(a, f);
	if (scope == FAULT_TOKEN)
		reply_token_error(a, f->status == 429   ? 90055
				     : f->status == 400 ? 900144
				     : f->status == 503 ? 90033
							: 90006);
	else if (f->status == 401)
		reply_unauthorized(a, "Lifetime validation failed, the token is expired.", false);
	else if (f->status == 502 || f->status == 504)
		reply_body(a, f->status, STR("<html><body>upstream</body></html>"));
	else
		reply_graph_error(a, f->status, statuses[row].code, statuses[row].message);
}

static void
reply_huge(struct ask *a, const struct fault *f)
{
	static const char head[] = "{\"@odata.context\":\"\",\"value\":[";
	struct raw_script script = { .bytes = BUF_INIT(ERROR_ROOM), .tail = BUF_INIT(16) };

	script.fill = (uint64_t)fault_number(f, 64) << 20;
	reply_header(a, "Content-Type", "application/json");
	put_head(&script.bytes, a, 200, sizeof(head) - 1 + script.fill + 2);
	buf_puts(&script.bytes, head);
	buf_puts(&script.tail, "]}");
	count(a, 200, script.fill);
	start_raw(a, &script);
}

static void
reply_bomb(struct ask *a, const struct fault *f)
{
	struct buf b = BUF_INIT(MAX_RAW);

	reply_header(a, "Content-Type", "application/json");
	if (gzip_bomb(&b, (uint64_t)fault_number(f, 1024) << 20))
		reply_header(a, "Content-Encoding", "gzip");
	reply_body(a, 200, buf_peek(&b));
	buf_release(&b);
}

static void
reply_garbage(struct ask *a)
{
	struct buf b = BUF_INIT(4096);

	for (unsigned i = 0; i < 2000; i++)
		buf_byte(&b, (char)rng_below(&a->server->rng, 256));
	reply_header(a, "Content-Type", "application/json");
	reply_body(a, 200, buf_peek(&b));
	buf_release(&b);
}

static void
reply_not_json_value(struct ask *a, const struct fault *f)
{
	static const char *const bodies[] = { "{\"@odata.context\":\"x\",\"values\":[]}", "[]",
		"null", "{\"value\":null}", "{\"value\":{}}", "", "{\"value\":[}" };
	size_t which = (size_t)fault_number(f, (long long)f->hits) % ARRAY_LEN(bodies);

	reply_json(a, 200, str_of(bodies[which]));
}

static void
reply_redirect(struct ask *a, const struct fault *f)
{
	struct buf b = BUF_INIT(ERROR_ROOM);

	if (f->arg != NULL)
		buf_puts(&b, f->arg);
	else
		buf_printf(&b, "%s://localhost:%u%s", a->server->tls != NULL ? "https" : "http",
		    a->server->port, a->path);
	reply_header(a, "Location", b.p);
	reply_body(a, 302, STR(""));
	buf_release(&b);
}

static void
reply_silence(struct ask *a, bool resets)
{
	struct raw_script script = { .never_closes = !resets, .resets = resets };

	start_raw(a, &script);
}

static void
reply_html(struct ask *a)
{
	reply_header(a, "Content-Type", "text/html; charset=utf-8");
	reply_body(a, 200,
	    STR("<!DOCTYPE html><html><head><title>Hotel Wi-Fi</title></head>"
		"<body><h1>Please sign in</h1></body></html>\n"));
}

/* As debugging proxies do; what matters stands first. */
static void
reply_echo(struct ask *a)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(a->req);
	const char *bearer =
	    evhttp_find_header(evhttp_request_get_input_headers(a->req), "Authorization");
	struct buf b = BUF_INIT(MAX_RAW);
	size_t n = evbuffer_get_length(input);

	buf_printf(&b, "Authorization: %s; ", bearer != NULL ? bearer : "none");
	if (n > 0)
		buf_add(&b, (const char *)evbuffer_pullup(input, -1), n);
	reply_header(a, "Content-Type", "text/plain");
	reply_body(a, 502, buf_peek(&b));
	buf_release(&b);
}

static void
reply_partial(struct ask *a, const struct fault *f)
{
	reply_header(a, "Warning", "199 - \"Microsoft/WDATP/504/10000\"");
	reply_json(a, f->status, f->status == 204 ? STR("") : STR("{\"value\":[]}"));
}

void
reply_fault(struct ask *a, enum fault_scope scope)
{
	const struct fault *f = a->plan.answer;

	if (a->tenant != NULL)
		a->tenant->counters.faults++;
	switch (f->effect) {
	case FX_TOKEN_ERROR:
		reply_token_error(a, f->status);
		return;
	case FX_STATUS:
		reply_status(a, f, scope);
		return;
	case FX_CHALLENGE:
		reply_unauthorized(a, "Continuous access evaluation resulted in challenge.", true);
		return;
	case FX_NO_LICENCE:
		reply_graph_error(a, f->status, "Forbidden",
		    "The tenant has no valid licence for the requested service.");
		return;
	case FX_PARTIAL:
		reply_partial(a, f);
		return;
	case FX_HTML:
		reply_html(a);
		return;
	case FX_ECHO:
		reply_echo(a);
		return;
	case FX_GARBAGE:
		reply_garbage(a);
		return;
	case FX_NOT_JSON_VALUE:
		reply_not_json_value(a, f);
		return;
	case FX_HUGE:
		reply_huge(a, f);
		return;
	case FX_BOMB:
		reply_bomb(a, f);
		return;
	case FX_REDIRECT:
		reply_redirect(a, f);
		return;
	case FX_HANG:
	case FX_RESET:
		reply_silence(a, f->effect == FX_RESET);
		return;
	case FX_NO_ROLES:
	case FX_MORE_ROLES:
	case FX_FOREIGN_TID:
	case FX_CUT:
	case FX_SLOW:
	case FX_CLOCK:
	case FX_FOREIGN_NEXT:
	case FX_SAME_NEXT:
	case FX_EMPTY_NEXT:
	case FX_WRONG_TENANT:
	case FX_FOREIGN_ALERT:
	case FX_NULL_TENANT:
	case FX_FAT:
	case FX_BORDER:
	case FX_LATENCY:
		break; /* never an answer: faults_plan() */
	}
	reply_silence(a, true);
}
