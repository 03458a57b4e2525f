/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JWT_LOOK_H
#define JWT_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/str.h"

/*
 * jwt_look: what an access token says of itself (RFC 7519), to tell a person what
 * is missing.
 *
 * A diagnosis, never a proof: no signature is checked, and Microsoft may change
 * what is inside. Where it cannot be read, nothing is known. Pure; bounded.
 */
#define JWT_MAX       (64 * 1024)
#define JWT_ROLES_MAX 64
#define JWT_ROLE_LEN  64
#define JWT_EXP_MOST  INT64_C(253402300800) /* the year 10000 */

struct jwt_look {
	char tid[37];        /* lower case; "" when absent or no GUID */
	int64_t exp;         /* seconds since 1970; 0 when absent or absurd */
	bool has_more_roles; /* than fit here */
	size_t nroles;
	char roles[JWT_ROLES_MAX][JWT_ROLE_LEN];
};

/* False when token is no JWT with a JSON object as payload; out is then empty. */
bool jwt_look(struct str token, struct jwt_look *out);
/* True also when it cannot be told because not all roles fitted. */
bool jwt_has_role(const struct jwt_look *jwt, const char *role);

#endif
