/*
 * A token that is anything: what is told of it is bounded and well-formed. With
 * a payload of its own making the fuzzer gets behind base64url at once.
 */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/policy/jwt_look.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
encode(struct buf *b, const uint8_t *data, size_t n)
{
	static const char set[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | data[i];
		for (have += 8; have >= 6; have -= 6)
			buf_byte(b, set[bits >> (have - 6) & 63]);
	}
	if (have > 0)
		buf_byte(b, set[bits << (6 - have) & 63]);
}

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
	encode(&token, data, size);
	buf_puts(&token, ".c2ln");
	look(buf_peek(&token));
	buf_release(&token);
	return 0;
}
