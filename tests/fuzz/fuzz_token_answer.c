/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever the sign-in service answers, with any status and to any credential: a
 * usable token and a life within bounds, or a reason in words that hold no control
 * character and nothing of a token.
 */
#include <stdlib.h>

#include "daemon/intake/token_answer.h"
#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/base/ticks.h"

#define TENANT "11111111-2222-3333-4444-555555555555"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int statuses[] = { 200, 400, 401, 403, 404, 408, 429, 500, 503, 204, 302, 0 };
static const struct credential credentials[] = {
	{ .kind = CREDENTIAL_FEDERATED, .file = "/token" },
	{ .kind = CREDENTIAL_CERTIFICATE, .file = "/soc.crt" },
	{ .kind = CREDENTIAL_SECRET, .file = "secret" },
};

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

static void
check(const struct token_answer *a)
{
	if (a->trouble != TOKEN_OK) {
		BUG_IF(a->bearer != NULL || a->err.kind == ERR_NONE);
		check_words(a->err.text);
		return;
	}
	BUG_IF(a->bearer == NULL || a->err.kind != ERR_NONE || a->is_credential_refused);
	BUG_IF(a->lifetime_ms < 1000 || a->lifetime_ms > 86400 * 1000);
	BUG_IF(a->bearer[0] == '\0' || strlen(a->bearer) > TOKEN_BEARER_MAX);
	for (const char *p = a->bearer; *p != '\0'; p++)
		BUG_IF(*p <= ' ' || *p > '~');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fetch_reply reply = { .retry_after_ms = -1, .server_date = TICKS_NONE };
	struct token_question q = { "https://login.example", "client", TENANT, NULL };
	struct token_answer a;
	char *body;

	if (size == 0)
		return 0;
	reply.status = statuses[data[0] % ARRAY_LEN(statuses)];
	q.credential = &credentials[data[0] / 16 % ARRAY_LEN(credentials)];
	q.api = data[0] / 8 % 2 == 0 ? API_GRAPH : API_MDE;
	reply.is_too_large = data[0] == 255;
	if (reply.status == 0 || reply.is_too_large)
		(void)err_set(&reply.err, ERR_TEMP, "no connection");
	body = xmemdup(data + 1, size - 1); /* so that reading behind it is seen */
	token_read_answer(&q, &reply, (struct str){ body, size - 1 }, &a);
	check(&a);
	free(a.bearer);
	free(body);
	return 0;
}
