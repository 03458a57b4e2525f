#ifndef TOKEN_SECRET_H
#define TOKEN_SECRET_H

#include <sys/queue.h>

#include "daemon/secret.h"
#include "daemon/settings.h"

/*
 * token_secret: which of an app's secrets to try, in which order, and the form
 * that asks for a token with one of them. Inside token only.
 *
 * Remembers by name which secret worked last, for all tenants of an app; what is
 * in it is read at each use. Blocks for a small read.
 */
#define TOKEN_FORM_MAX (4 * SECRET_MAX)

struct token_secrets {
	LIST_HEAD(, good_secret) good;
};
void token_secrets_init(struct token_secrets *m);
void token_secrets_release(struct token_secrets *m);

/* What an app is, apart from its name: from malloc. */
char *token_app_key(const struct app *app);

void token_secrets_remember(struct token_secrets *m, const struct app *app, const char *name);
/* The index of the one that worked last; 0 when none did. */
size_t token_secrets_first(const struct token_secrets *m, const struct app *app);
/* Attempt 0 is first, then come the others in their order. */
const char *token_secrets_name(const struct app *app, size_t first, size_t attempt);

/* Into form, empty and with room for TOKEN_FORM_MAX; the caller wipes it. */
bool token_form(const struct app *app, enum api api, const char *secret_name, struct buf *form,
    struct err *err) MUST_CHECK;

#endif
