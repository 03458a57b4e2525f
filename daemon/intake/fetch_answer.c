/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/fetch_answer.h"

#include "lib/base/ticks.h"

#define ERROR_BODY_MAX (64 * 1024)
/* The answer to a form may hold a token. */
#define SECRET_BODY (16 * 1024)

static void
read_status(struct fetch_answer *a)
{
	long status = 0;

	(void)curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE, &status);
	a->reply.status = (int)status;
}

static size_t
fetch_on_header(char *p, size_t size, size_t n, void *arg)
{
	struct fetch_answer *a = arg;

	/* What comes after the body (trailers) says nothing that we ask for. */
	if (a->into != NULL || fetch_head_line(&a->head, (struct str){ p, n }, &a->reply))
		return n * size;
	a->stop = STOP_HEAD;
	return 0;
}

/* The head is complete: where does the body go, and how does it come? */
static bool
begin_body(struct fetch_answer *a)
{
	read_status(a);
	a->into = &a->body;
	if (a->req->on_body != NULL && a->reply.status == 200)
		a->into = a->req->on_body(a->req->arg);
	if (a->head.coding == CODING_ODD)
		a->stop = STOP_CODING;
	if (a->head.coding == CODING_GZIP)
		a->z = fetch_spares_decoder(a->spares);
	return a->stop == STOP_NONE;
}

/* Whoever is told may cancel the request. */
static bool
fetch_on_more(void *arg)
{
	struct fetch_answer *a = arg;

	return a->into == &a->body || (a->req->on_more(a->req->arg) && !a->is_unwanted);
}

static enum fetch_stop
add_body(struct fetch_answer *a, struct str piece)
{
	/* Of an error only the beginning is of interest. */
	bool is_error = a->into == &a->body && a->req->on_body != NULL;

	/* What decodes to nothing is not taken for ever, either. */
	a->came += piece.n;
	if (a->came / 2 > a->into->max)
		return is_error ? STOP_ENOUGH : STOP_TOO_LARGE;
	if (a->z != NULL && a->into != &a->body && a->req->on_packed != NULL)
		a->req->on_packed(a->req->arg, piece);
	switch (fetch_body_add(a->into, a->z, piece, fetch_on_more, a)) {
	case BODY_GOES_ON:
		return STOP_NONE;
	case BODY_FULL:
		return is_error ? STOP_ENOUGH : STOP_TOO_LARGE;
	case BODY_DAMAGED:
		return STOP_DAMAGED;
	case BODY_REFUSED:
		return STOP_REFUSED;
	}
	return STOP_DAMAGED;
}

static size_t
fetch_on_body(char *p, size_t size, size_t n, void *arg)
{
	struct fetch_answer *a = arg;

	if (a->is_unwanted || (a->into == NULL && !begin_body(a)))
		return 0;
	a->stop = add_body(a, (struct str){ p, n * size });
	return a->stop == STOP_NONE ? n * size : 0;
}

/* ---- how it ended ---------------------------------------------------------------------- */

/* There is no answer that could be used. */
static void
no_answer(struct fetch_answer *a, const char *host, const char *why)
{
	a->reply.status = 0;
	(void)err_set(&a->reply.err, ERR_TEMP, "%s: %s", host, why);
}

/* It is what its head says, and a part of its body is missing. */
static void
too_large(struct fetch_answer *a, const char *host, const char *than_what)
{
	a->reply.is_too_large = true;
	(void)err_set(
	    &a->reply.err, ERR_TEMP, "%s: the answer is larger than %s", host, than_what);
}

/* curl's own end. */
static void
conclude_end(struct fetch_answer *a, const struct fetch_trouble *end)
{
	struct fetch_trouble trouble = *end;

	a->reply.status = 0;
	if (end->code == CURLE_OK && a->z != NULL && !inflate_may_end(a->z)) {
		no_answer(a, end->host, "answer cut short (its compressed body has no end)");
		return;
	}
	if (end->code == CURLE_OK)
		read_status(a);
	if (a->reply.status != 0)
		return;
	if (end->code == CURLE_OK)
		trouble.code = CURLE_WEIRD_SERVER_REPLY;
	fetch_explain(&trouble, &a->reply);
}

static void
conclude(struct fetch_answer *a, const struct fetch_trouble *end)
{
	char limit[32];

	switch (a->stop) {
	case STOP_NONE:
		conclude_end(a, end);
		break;
	case STOP_HEAD:
		no_answer(a, end->host, "the answer's header is too large");
		break;
	case STOP_CODING:
		no_answer(a, end->host, "the body comes in an encoding that was not asked for");
		break;
	case STOP_DAMAGED:
		no_answer(a, end->host, "compressed body is damaged");
		break;
	case STOP_TOO_LARGE:
		(void)snprintf(limit, sizeof(limit), "%zu bytes", a->into->max);
		too_large(a, end->host, limit);
		break;
	case STOP_REFUSED:
		too_large(a, end->host, "can be taken");
		break;
	case STOP_ENOUGH:
		break;
	}
}

static void
measure(struct fetch_answer *a)
{
	curl_off_t body = 0;
	long head = 0;

	(void)curl_easy_getinfo(a->easy, CURLINFO_SIZE_DOWNLOAD_T, &body);
	(void)curl_easy_getinfo(a->easy, CURLINFO_HEADER_SIZE, &head);
	a->reply.wire_bytes = (uint64_t)body + (uint64_t)head;
}

/* ---- life ------------------------------------------------------------------------------- */

void
fetch_answer_init(struct fetch_answer *a, const struct fetch_req *req, struct fetch_spares *spares)
{
	*a = (struct fetch_answer){ .req = req, .spares = spares };
	a->reply.server_date = TICKS_NONE;
	a->reply.retry_after_ms = -1;
	buf_init(&a->body, req->on_body != NULL ? ERROR_BODY_MAX : req->max_body);
	if (req->post != NULL && req->max_body > SECRET_BODY) /* no copies by growing */
		(void)buf_room(&a->body, SECRET_BODY);
}

void
fetch_answer_release(struct fetch_answer *a)
{
	fetch_spares_take_decoder(a->spares, a->z);
	buf_wipe(&a->body);
}

void
fetch_answer_watch(struct fetch_answer *a, CURL *easy)
{
	a->easy = easy;
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, fetch_on_header);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, a);
	(void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, fetch_on_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, a);
}

void
fetch_answer_end(struct fetch_answer *a, const struct fetch_trouble *end, int64_t now)
{
	conclude(a, end);
	fetch_head_end(&a->head, &a->reply, now);
	measure(a);
}
