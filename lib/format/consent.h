/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONSENT_H
#define CONSENT_H

#include "lib/base/buf.h"

/*
 * consent: the link by which an administrator of a customer's tenant lets an app in:
 * application permissions, all that the registration asks for (Microsoft identity
 * platform: "Request the permissions from a directory admin"). Pure.
 *
 * What comes back on the redirect proves nothing: `tenant` in it must not be believed,
 * state only tells which link was opened. Whether consent is there, a token says.
 */
struct consent {
	const char *login_url, *tenant_id, *client_id;
	const char *redirect_uri; /* NULL: the one that is registered */
	const char *state;        /* NULL: none */
};

void consent_put(struct buf *out, const struct consent *c);

#endif
