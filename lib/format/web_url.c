/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/web_url.h"

/* Up to the first of some characters; the rest stays in *left. */
static struct str
up_to(struct str *left, const char *stops)
{
	struct str head = { left->s, 0 };

	while (head.n < left->n && (left->s[head.n] == '\0' || !strchr(stops, left->s[head.n])))
		head.n++;
	left->s += head.n;
	left->n -= head.n;
	return head;
}

static bool
is_scheme(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.s[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '+' || c == '-' || c == '.'))
			return false;
	}
	return s.n != 0;
}

static struct str
host_of(struct str authority)
{
	const char *at = authority.n != 0 ? memrchr(authority.s, '@', authority.n) : NULL;

	if (at != NULL) {
		authority.n -= (size_t)(at + 1 - authority.s);
		authority.s = at + 1;
	}
	if (authority.n == 0 || authority.s[0] != '[')
		return up_to(&authority, ":");
	authority = (struct str){ authority.s + 1, authority.n - 1 };
	return up_to(&authority, "]");
}

bool
web_url_split(struct str text, struct web_url *u)
{
	struct str left = text;

	*u = (struct web_url){ .scheme = { NULL, 0 } };
	if (text.n == 0)
		return false;
	u->scheme = up_to(&left, ":/?#");
	if (left.n < 3 || memcmp(left.s, "://", 3) != 0 || !is_scheme(u->scheme))
		return false;
	left = (struct str){ left.s + 3, left.n - 3 };
	u->host = host_of(up_to(&left, "/?#\\"));
	u->path = up_to(&left, "?#");
	if (left.n > 1 && left.s[0] == '?') {
		left = (struct str){ left.s + 1, left.n - 1 };
		u->query = up_to(&left, "#");
	}
	return true;
}
