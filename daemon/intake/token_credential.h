/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOKEN_CREDENTIAL_H
#define TOKEN_CREDENTIAL_H

#include <sys/queue.h>

#include "daemon/secret.h"
#include "daemon/settings.h"

/*
 * token_credential: which of an app's credentials to try, in which order, and the
 * form that asks for a token with one of them. Inside token only.
 *
 * Remembers by name which one worked last, for all tenants of an app. Files are
 * read at each use. While a certificate and its key do not fit together, as
 * between the replacement of the one and of the other, the pair that was read
 * before stays in use. Blocks for small reads and, with a certificate, for one
 * signature (daemon/keypair.h).
 */
#define TOKEN_FORM_MAX (4 * SECRET_MAX)

struct token_credentials {
	LIST_HEAD(, good_credential) good;
	LIST_HEAD(, kept_pair) pairs;
};
void token_credentials_init(struct token_credentials *m);
void token_credentials_release(struct token_credentials *m);

/* What an app is, apart from its name: from malloc. */
char *token_app_key(const struct app *app);

void token_credentials_remember(
    struct token_credentials *m, const struct app *app, const struct credential *c);
/* The index of the one that worked last; 0 when none did. */
size_t token_credentials_first(const struct token_credentials *m, const struct app *app);
/* Attempt 0 is first, then come the others in their order. */
const struct credential *token_credentials_at(
    const struct app *app, size_t first, size_t attempt);

/* What a token is asked for. */
struct token_request {
	const struct app *app;
	const struct credential *credential;
	enum api api;
	const char *url; /* of the token endpoint */
	int64_t now;     /* Unix seconds, of an assertion */
};

/* Into form, empty and with room for TOKEN_FORM_MAX; the caller wipes it. */
bool token_form(struct token_credentials *m, const struct token_request *q, struct buf *form,
    struct err *err) MUST_CHECK;

#endif
