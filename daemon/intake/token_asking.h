/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOKEN_ASKING_H
#define TOKEN_ASKING_H

#include "daemon/intake/token_answer.h"
#include "daemon/intake/token_credential.h"

/*
 * token_asking: what the sign-in service says to an app's credentials, tried one
 * after the other until one is not refused; and once more by the service's own
 * clock, where ours is far off. Inside token only.
 *
 * It knows nothing of who waits for the token, or of tokens that are kept.
 * Asynchronous: done comes exactly once, later, and ends the asking; after
 * token_asking_cancel() nothing comes.
 */
struct token_asking;

/* All of it lives as long as the asking. */
struct token_ask {
	const struct engine_env *env;
	struct fetcher *f;
	struct token_credentials *credentials;
	const struct settings *settings;
	const struct tenant *t;
	enum api api;
};

struct token_asked {
	struct token_answer answer; /* its bearer belongs to whoever is told */
	const struct credential *credential; /* that was answered; NULL: none could be read */
	int64_t retry_after_ms; /* -1: none */
	int64_t server_date;    /* ticks; TICKS_NONE */
};
typedef void token_asked_cb(void *arg, struct token_asked *asked);

struct token_asking *token_asking_start(
    const struct token_ask *what, token_asked_cb *done, void *arg);
void token_asking_cancel(struct token_asking *q);

#endif
