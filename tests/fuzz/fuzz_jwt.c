/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token that is anything: what is told of it is bounded and well-formed. With
 * a payload of its own making the fuzzer gets behind base64url at once.
 */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/policy/jwt_look.h"
#include "lib/base/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look(struct str token)
{
	struct jwt_look *jwt = xmalloc(sizeof(*jwt));
	char tid[37];
	bool ok = jwt_look(token, jwt);

	BUG_IF(jwt->nroles > JWT_ROLES_MAX);
	BUG_IF(!ok && (jwt->nroles != 0 || jwt->exp != 0 || jwt->tid[0] != '\0'));
	BUG_IF(jwt->tid[0] != '\0' &&
	       (!guid_parse(str_of(jwt->tid), tid) || strcmp(tid, jwt->tid) != 0));
	for (size_t i = 0; i < jwt->nroles; i++)
		BUG_IF(strlen(jwt->roles[i]) >= JWT_ROLE_LEN || !jwt_has_role(jwt, jwt->roles[i]));
	free(jwt);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf token = BUF_INIT(2 * size + 16);

	look((struct str){ (const char *)data, size });
	buf_puts(&token, "e30.");
	base64url(&token, (struct str){ (const char *)data, size });
	buf_puts(&token, ".c2ln");
	look(buf_peek(&token));
	buf_release(&token);
	return 0;
}
