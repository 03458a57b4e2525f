/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOKEN_ANSWER_H
#define TOKEN_ANSWER_H

#include "daemon/intake/token.h"

/*
 * token_answer: what the token endpoint's answer means. Inside token only.
 *
 * Classified by HTTP status and `error`; `error_codes` choose the words for a
 * person and the name of a trouble that parks; error_description is never looked at.
 * Pure; any bytes may come in.
 */
#define TOKEN_BEARER_MAX (32 * 1024)

/* Who asked, for the words. */
struct token_question {
	const char *login_url, *client_id, *tenant_id;
	const char *redirect_uri; /* NULL: as registered */
	const struct credential *credential;
	enum api api; /* that the token is for */
};

struct token_answer {
	enum token_trouble trouble;
	bool is_credential_refused; /* another one may work */
	char *bearer;           /* TOKEN_OK: from malloc, the caller's; else NULL */
	int64_t lifetime_ms;
	unsigned roles; /* bits of enum token_role */
	bool is_foreign; /* a token came, and is another tenant's */
	struct err err;
};

void token_read_answer(const struct token_question *q, const struct fetch_reply *reply,
    struct str body, struct token_answer *out);

#endif
