/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "lib/base/log.h"

static bool
is_key(char c)
{
	return (c >= 'a' && c <= 'z') || c == '_';
}

/* The last word of a format's first n bytes, when it is key=...: where it begins; else n. */
static size_t
last_pair(const char *fmt, size_t n, struct str *key)
{
	size_t at = n, len = 0;

	while (at > 0 && fmt[at - 1] != ' ')
		at--;
	while (at + len < n && is_key(fmt[at + len]))
		len++;
	if (at == 0 || len == 0 || at + len == n || fmt[at + len] != '=')
		return n;
	*key = (struct str) { fmt + at, len };
	return at;
}

/* Where " key=" is for the last time before end; false: nowhere. */
static bool
find_pair(struct str text, size_t end, struct str key, size_t *where)
{
	for (size_t at = end; at-- > 0;) {
		const char *p = text.s + at;

		if (*p == ' ' && end - at > key.n + 1 && memcmp(p + 1, key.s, key.n) == 0 &&
		    p[1 + key.n] == '=') {
			*where = at;
			return true;
		}
	}
	return false;
}

size_t
log_fields(const struct log_event *e, struct log_field *out, size_t max, struct str *phrase)
{
	size_t left = strlen(e->fmt), end = e->text.n, n = 0, at, where;
	struct str key;

	while (n < max) {
		at = last_pair(e->fmt, left, &key);
		if (at == left || !find_pair(e->text, end, key, &where))
			break;
		memmove(out + 1, out, n * sizeof(*out));
		out[0] = (struct log_field) { key,
			{ e->text.s + where + key.n + 2, end - where - key.n - 2 } };
		n++;
		end = where;
		left = at - 1;
	}
	*phrase = (struct str) { e->text.s, end };
	return n;
}
