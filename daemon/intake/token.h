/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOKEN_H
#define TOKEN_H

#include "daemon/intake/fetch.h"
#include "daemon/settings.h"

/*
 * token: bearer tokens of an app in a customer's tenant (OAuth 2.0 client
 * credentials at Microsoft Entra, v2.0 endpoint).
 *
 * One refresh serves all who wait; a token is renewed ahead of its expiry with
 * jitter. Several credentials are tried in their order, the one that worked first
 * next time. `tid` and `roles` of the token are looked at for diagnosis; a token
 * whose tid is another tenant's is refused.
 *
 * Tokens, secrets and keys never reach a log. Key: (app, tenant GUID, API):
 * the token of one API is refused by another.
 */
struct tokens;
struct token_wait;

/* Why there is no token, so that a person knows what to do. Decided by HTTP status and
 * `error` only; error_codes give the hint, and tell the parking ones apart. */
enum token_trouble {
	TOKEN_OK,
	TOKEN_UNREACHABLE,   /* network, TLS, 5xx, throttled: try again with backoff */
	TOKEN_REFUSED,       /* credentials wrong or expired */
	TOKEN_NOT_ONBOARDED, /* no consent, app unknown in that tenant */
	TOKEN_WRONG_CLOUD,   /* no such tenant, or no Graph, where this app's cloud is */
	TOKEN_NO_LICENCE,    /* the tenant has not got what the API belongs to */
	TOKEN_BLOCKED,       /* conditional access */
	TOKEN_GARBLED,       /* the answer makes no sense */
};

/* What the token lets read, by its `roles`; all of them where it cannot be told. */
enum token_role {
	TOKEN_MAY_ALERTS = 1,     /* SecurityAlert.Read.All or ReadWrite.All, of Graph */
	TOKEN_MAY_INCIDENTS = 2,  /* SecurityIncident.Read.All or ReadWrite.All, of Graph */
	TOKEN_MAY_MDE_ALERTS = 4, /* Alert.Read.All or ReadWrite.All, of Defender for Endpoint */
};

struct token_reply {
	enum token_trouble trouble;
	const char *bearer; /* TOKEN_OK; valid during the call: copy into the request */
	unsigned roles;     /* bits of enum token_role */
	bool is_foreign;    /* TOKEN_GARBLED: a token came, and is another tenant's */
	int64_t retry_after_ms; /* -1: none */
	struct err err;         /* complete sentence with the hint and what to do */
	int64_t server_date;    /* ticks; TICKS_NONE */
};
typedef void token_cb(void *arg, const struct token_reply *reply);

struct tokens *tokens_new(const struct engine_env *env, struct fetcher *f);
void tokens_free(struct tokens *ts);

/* Later, exactly once. timeout as settings' request_timeout_ms. */
struct token_wait *token_get(struct tokens *ts, const struct settings *s, const struct tenant *t,
    enum api api, token_cb *cb, void *arg);
void token_cancel(struct token_wait *w);
/* The API answered 401 to this bearer: it is not handed out again, and is freed now. */
void token_reject(
    struct tokens *ts, const struct tenant *t, enum api api, const char *bearer);
/* It is good, but may be older than a right that was granted since: the next who asks gets another
 * one, or the same again. Freed now. */
void token_forget(
    struct tokens *ts, const struct tenant *t, enum api api, const char *bearer);

#endif
