/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/policy/jwt_look.h"

#include <jansson.h>

#include "lib/base/alloc.h"

/* Value of a character of base64url (RFC 4648 §5), or -1. */
static int
sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

/* Into out, with room for s.n bytes; false for anything that is not base64url without padding. */
static bool
decode(struct str s, char *out, size_t *n)
{
	uint32_t bits = 0;
	unsigned have = 0;

	*n = 0;
	if (s.n % 4 == 1)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int v = sextet(s.s[i]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		out[(*n)++] = (char)(bits >> have & 0xff);
	}
	return true;
}

/* What lies between the two dots; empty when there are not two. */
static struct str
payload_of(struct str token)
{
	const char *end = token.s + token.n, *first, *second;

	first = memchr(token.s, '.', token.n);
	if (first == NULL)
		return (struct str){ NULL, 0 };
	first++;
	second = memchr(first, '.', (size_t)(end - first));
	return (struct str){ first, second != NULL ? (size_t)(second - first) : 0 };
}

static json_t *
parse_payload(struct str token)
{
	struct str payload;
	json_t *root = NULL;
	char *text;
	size_t n;

	if (token.n == 0 || token.n > JWT_MAX)
		return NULL;
	payload = payload_of(token);
	if (payload.n == 0)
		return NULL;
	text = xmalloc(payload.n);
	if (decode(payload, text, &n))
		root = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	return root;
}

static void
read_roles(const json_t *roles, struct jwt_look *out)
{
	for (size_t i = 0; i < json_array_size(roles); i++) {
		const json_t *role = json_array_get(roles, i);
		size_t n = json_string_length(role);

		if (!json_is_string(role))
			continue;
		if (out->nroles == JWT_ROLES_MAX || n >= JWT_ROLE_LEN) {
			out->has_more_roles = true;
			continue;
		}
		memcpy(out->roles[out->nroles++], json_string_value(role), n + 1);
	}
}

bool
jwt_look(struct str token, struct jwt_look *out)
{
	json_t *root = parse_payload(token);
	const json_t *tid = json_object_get(root, "tid");
	bool is_object = json_is_object(root);
	int64_t exp;

	*out = (struct jwt_look){ .tid = "" };
	if (json_is_string(tid) &&
	    !guid_parse((struct str){ json_string_value(tid), json_string_length(tid) }, out->tid))
		out->tid[0] = '\0';
	exp = (int64_t)json_integer_value(json_object_get(root, "exp"));
	out->exp = exp > 0 && exp < JWT_EXP_MOST ? exp : 0;
	read_roles(json_object_get(root, "roles"), out);
	json_decref(root);
	return is_object;
}

bool
jwt_has_role(const struct jwt_look *jwt, const char *role)
{
	for (size_t i = 0; i < jwt->nroles; i++) {
		if (strcmp(jwt->roles[i], role) == 0)
			return true;
	}
	return jwt->has_more_roles;
}
