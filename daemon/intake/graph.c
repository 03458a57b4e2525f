/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <strings.h>
#include <sys/random.h>

#include "daemon/intake/graph.h"
#include "lib/base/alloc.h"

/* Shorter than any token is, longer than the words that people write. */
#define TOKEN_LEAST 20

void
graph_root(struct buf *out, const struct app *app, enum api api)
{
	buf_printf(out, "%s%s", api_url(app, api), api_kinds[api].root);
}

static void
add_bound(struct buf *out, const char *field, const char *op, int64_t ticks)
{
	buf_printf(out, "%s%%20%s%%20", field, op);
	ticks_write(out, ticks, 7);
}

/* Names and values hold nothing that would need more encoding than the blanks. */
static void
put_query(struct buf *out, const char *field, const struct paging_ask *ask)
{
	if (ask->with_order)
		buf_printf(out, "&$orderby=%s%%20asc", field);
	buf_puts(out, "&$filter=");
	add_bound(out, field, "ge", ask->from);
	if (ask->before != PAGING_FOREVER) {
		buf_puts(out, "%20and%20");
		add_bound(out, field, "lt", ask->before);
	}
	if (ask->mode == PAGING_SKIP)
		buf_printf(out, "&$skip=%u", ask->skip);
}

void
graph_url(struct buf *out, const struct app *app, const struct stream_kind *kind,
    const struct paging_ask *ask)
{
	graph_root(out, app, kind->api);
	buf_printf(out, "%s?$top=%u%s", kind->path, ask->top, kind->more);
	put_query(out, kind->time_field, ask);
}

void
graph_created_url(struct buf *out, const struct app *app, const struct stream_kind *kind,
    const struct paging_ask *ask)
{
	graph_root(out, app, kind->api);
	buf_printf(out, "%s?$top=%u", kind->path, ask->top);
	put_query(out, kind->created_field, ask);
}

/* What it says is shown to people and put into JSON: controls, what deceives and what is no UTF-8
 * become blanks. */
static void
clean(char *text, size_t n)
{
	uint32_t cp = 0, before;
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		before = cp;
		len = utf8_next(text + i, n - i, &cp);
		if (len == 0 || utf8_is_control(cp) || utf8_is_deceiving(cp, before)) {
			len = len == 0 ? 1 : len;
			memset(text + i, ' ', len);
		}
	}
}

static bool
is_of_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
	    || (c != '\0' && strchr("-._~+/=", c) != NULL);
}

/* A JSON Web Token by how its parts begin, any other by the word before it. */
static bool
is_token(const struct buf *text, size_t at, size_t n)
{
	return n >= TOKEN_LEAST && (memmem(text->p + at, n, "eyJ", 3) != NULL
	    || (at >= 7 && strncasecmp(text->p + at - 7, "bearer ", 7) == 0));
}

/* Some proxies tell in their errors what they were asked, our token too. */
static void
hide_tokens(struct buf *text)
{
	size_t to = 0;

	for (size_t i = 0, n = 0; i < text->n; i += n) {
		for (n = 0; i + n < text->n && is_of_token(text->p[i + n]); n++)
			;
		if (is_token(text, i, n)) {
			memset(text->p + to, '*', 3);
			to += 3;
			continue;
		}
		n += n == 0;
		memmove(text->p + to, text->p + i, n);
		to += n;
	}
	buf_cut(text, to);
}

/* "code: message" of an OData error body; the body's beginning where it is none. */
static void
read_error(struct str body, struct buf *out)
{
	json_t *root = json_loadb(body.s != NULL ? body.s : "", body.n, JSON_ALLOW_NUL, NULL);
	json_t *e = json_object_get(root, "error");
	const char *code = json_string_value(json_object_get(e, "code"));
	const char *message = json_string_value(json_object_get(e, "message"));

	if (code != NULL && *code != '\0')
		buf_printf(out, "%.100s", code);
	if (message != NULL && *message != '\0')
		buf_printf(out, "%s%.300s", out->n != 0 ? ": " : "", message);
	while (out->n > 0 && out->p[out->n - 1] == '.')
		buf_cut(out, out->n - 1); /* the sentence goes on */
	if (out->n == 0 && e == NULL && body.n != 0)
		buf_add(out, body.s, body.n < 120 ? body.n : 120);
	if (out->n > 0) {
		clean(out->p, out->n);
		hide_tokens(out);
	}
	buf_byte(out, '\0');
	json_decref(root);
}

static bool
speaks_of(struct str body, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= body.n; i++) {
		if (str_same_nocase((struct str){ body.s + i, n }, (struct str){ word, n }))
			return true;
	}
	return false;
}

static const struct {
	int status;
	enum graph_answer answer;
} answers[] = {
	{ 400, GRAPH_BAD_REQUEST },
	{ 401, GRAPH_UNAUTHORIZED },
	{ 403, GRAPH_FORBIDDEN },
	{ 429, GRAPH_THROTTLED },
	{ 500, GRAPH_BROKEN },
	{ 504, GRAPH_BROKEN },
};

static enum graph_answer
answer_of(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		if (answers[i].status == status)
			return answers[i].answer;
	}
	return status >= 500 ? GRAPH_DOWN : GRAPH_ODD;
}

static bool
explain_odd(const struct fetch_reply *r, struct err *why)
{
	if (r->status == 206)
		return err_set(why, ERR_TEMP, "HTTP 206: the API says that the answer is partial");
	if (r->status >= 200 && r->status < 300)
		return err_set(why, ERR_TEMP, "HTTP %d with %s is no page of alerts", r->status,
		    r->content_type[0] != '\0' ? r->content_type : "no content");
	if (r->status >= 300 && r->status < 400)
		return err_set(why, ERR_TEMP,
		    "HTTP %d redirects to %s, which is not followed; "
		    "is a proxy in between?",
		    r->status, r->location);
	return err_set(why, ERR_TEMP, "HTTP %d", r->status);
}

/* application/json and application/anything+json. */
static bool
is_json(const char *type)
{
	struct str t = str_of(type);

	return t.n >= 4 && str_same((struct str){ t.s + t.n - 4, 4 }, STR("json"));
}

enum graph_answer
graph_judge(
    const struct fetch_reply *r, struct str body, const struct paging_ask *ask, struct err *why)
{
	enum graph_answer answer = answer_of(r->status);
	struct buf text = BUF_INIT(600);

	if (r->is_too_large) {
		*why = r->err;
		return GRAPH_TOO_LARGE;
	}
	if (r->status == 0) {
		*why = r->err;
		return GRAPH_DOWN;
	}
	if (r->status == 200 && is_json(r->content_type))
		return GRAPH_PAGE;
	if (answer == GRAPH_ODD) {
		explain_odd(r, why);
		return answer;
	}
	read_error(body, &text);
	err_set(why, ERR_TEMP, "HTTP %d%s%s", r->status,
	    text.p != NULL && *text.p != '\0' ? ": " : "", text.p != NULL ? text.p : "");
	buf_release(&text);
	if (answer == GRAPH_BAD_REQUEST && ask->with_order && speaks_of(body, "orderby"))
		return GRAPH_ORDER_REFUSED;
	return answer;
}

void
graph_request_id(char out[37])
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		BUG("no random numbers");
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
	    b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
	    b[14], b[15]);
}
