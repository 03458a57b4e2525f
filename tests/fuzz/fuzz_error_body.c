/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever an API sends instead of a page: it is sorted by its status, and what is
 * said of it is well-formed and within bounds. What was asked has a URL below the
 * API's root.
 */
#include <stdlib.h>

#include "daemon/intake/graph.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int statuses[] = { 400, 401, 403, 404, 429, 500, 502, 503, 504, 200, 206, 204, 302, 0 };
static const char *const types[] = { "application/json", "text/html", "", "application/problem+json" };
static char url[] = "https://graph.example";

static void
check_url(const struct paging_ask *ask)
{
	const struct app app = { .graph_url = url };
	struct buf root = BUF_INIT(256), whole = BUF_INIT(1024);
	char id[37], same[37];

	graph_root(&root, &app, API_GRAPH);
	graph_url(&whole, &app, stream_find("alerts"), ask);
	BUG_IF(!buf_ok(&whole) || !str_starts(buf_peek(&whole), root.p));
	BUG_IF(strpbrk(whole.p, " \"<>") != NULL);
	graph_request_id(id);
	BUG_IF(!guid_parse(str_of(id), same) || strcmp(id, same) != 0);
	buf_release(&root);
	buf_release(&whole);
}

static void
check_words(const char *text)
{
	uint32_t cp;

	BUG_IF(text[0] == '\0');
	for (size_t i = 0, n = strlen(text), len; i < n; i += len) {
		len = utf8_next(text + i, n - i, &cp);
		BUG_IF(len == 0 || utf8_is_control(cp));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct paging_ask ask = { .from = 0, .before = PAGING_FOREVER, .top = 200 };
	struct fetch_reply reply = { .retry_after_ms = -1 };
	enum graph_answer answer;
	struct err why = { .kind = ERR_NONE };
	char *body;

	if (size < 2)
		return 0;
	reply.status = statuses[data[0] % ARRAY_LEN(statuses)];
	reply.is_too_large = data[1] == 255;
	(void)snprintf(reply.content_type, sizeof(reply.content_type), "%s",
	    types[data[1] % ARRAY_LEN(types)]);
	(void)snprintf(reply.location, sizeof(reply.location), "elsewhere.example");
	if (reply.status == 0 || reply.is_too_large)
		(void)err_set(&reply.err, ERR_TEMP, "no connection");
	ask.with_order = (data[1] & 4) != 0;
	ask.mode = (data[1] & 8) != 0 ? PAGING_SKIP : PAGING_KEYSET;
	ask.before = (data[1] & 16) != 0 ? 1 : PAGING_FOREVER;
	body = xmemdup(data + 2, size - 2);
	answer = graph_judge(&reply, (struct str){ body, size - 2 }, &ask, &why);
	BUG_IF((answer == GRAPH_PAGE) != (why.kind == ERR_NONE));
	BUG_IF(answer == GRAPH_PAGE && reply.status != 200);
	BUG_IF(answer == GRAPH_ORDER_REFUSED && (!ask.with_order || reply.status != 400));
	if (answer != GRAPH_PAGE)
		check_words(why.text);
	check_url(&ask);
	free(body);
	return 0;
}
