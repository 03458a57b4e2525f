/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOKEN_ASSERTION_H
#define TOKEN_ASSERTION_H

#include "daemon/keypair.h"
#include "daemon/settings.h"

/*
 * token_assertion: the signed statement by which an app shows that it has its
 * certificate's key (RFC 7523; Microsoft identity platform: certificate
 * credentials). Inside token only.
 *
 * A JWT for one token endpoint, good for five minutes, with an id that is never
 * used again. Costs one signature of daemon/keypair.h.
 */
struct assertion {
	const char *audience;  /* URL of the token endpoint */
	const char *client_id;
	int64_t now;           /* Unix seconds */
	enum signature signature;
};

/* Appended to out. */
bool assertion_sign(const struct assertion *a, const struct keypair *k, struct buf *out,
    struct err *err) MUST_CHECK;

#endif
