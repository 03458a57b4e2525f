/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_TOKEN_H
#define FAKE_GRAPH_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/str.h"

/*
 * token: what Entra's token endpoint hands out, and what Graph reads in it.
 *
 * JWT-shaped and as long as the real ones (about 1.7 KB). The third part is an
 * HMAC of the first two under the server's key, so nothing is remembered.
 */
#define TOKEN_KEY 32

struct token_claims {
	char tid[37];
	int64_t issued, expires; /* Unix seconds */
	bool has_role;          /* to read alerts */
	bool may_read_incidents;
	bool is_mde;            /* for Defender for Endpoint's API, by its audience */
	bool may_change;        /* alerts: more than a reader needs */
};

void token_make(struct buf *b, const unsigned char key[TOKEN_KEY], const struct token_claims *c,
    const char *client_id, const char *audience);
/* False when it is none of ours; expiry is for the caller to judge. */
bool token_read(struct str token, const unsigned char key[TOKEN_KEY], struct token_claims *c);

/* Returns the length, or -1. */
int token_base64url(struct str s, unsigned char *to, size_t room);

/* What the endpoint answers where it gives none. */
struct token_error {
	int code; /* AADSTS… */
	int status;
	const char *error, *text;
};

/* NULL when there is no such code here. */
const struct token_error *token_error(int code);
void token_error_body(struct buf *b, const struct token_error *e, const char *correlation_id);

#endif
