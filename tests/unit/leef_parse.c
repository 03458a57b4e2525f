/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/leef_parse.h"

/* Up to the next c, which *rest begins behind; all of it where there is none. */
static struct str
cut_at(struct str *rest, char c)
{
	const char *at = rest->n != 0 ? memchr(rest->s, c, rest->n) : NULL;
	struct str head = { rest->s, at != NULL ? (size_t)(at - rest->s) : rest->n };
	size_t skip = head.n + (at != NULL);

	*rest = (struct str){ rest->s + skip, rest->n - skip };
	return head;
}

static bool
is_key(struct str key)
{
	for (size_t i = 0; i < key.n; i++) {
		char c = key.s[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
			return false;
	}
	return key.n != 0;
}

static const char *
text_fault(struct str line)
{
	for (size_t i = 0, len; i < line.n; i += len) {
		uint32_t cp;

		len = utf8_next(line.s + i, line.n - i, &cp);
		if (len == 0)
			return "a byte that is not UTF-8";
		if (utf8_is_control(cp) && cp != '\t')
			return "a control character";
	}
	return NULL;
}

static const char *
take_pair(struct leef_parsed *out, struct str pair)
{
	struct str key = cut_at(&pair, '=');

	if (!is_key(key))
		return "a key that is none";
	if (out->n == LEEF_PAIRS_MAX)
		return "too many pairs";
	for (size_t i = 0; i < out->n; i++) {
		if (str_same(out->pair[i].key, key))
			return "a key given twice";
	}
	if (pair.n == 0 || pair.s[0] == ' ' || pair.s[pair.n - 1] == ' ')
		return "an empty value, or one with spaces around it";
	out->pair[out->n].key = key;
	out->pair[out->n++].value = pair;
	return NULL;
}

const char *
leef_parse(struct leef_parsed *out, struct str line)
{
	const char *wrong = text_fault(line);

	out->n = 0;
	for (size_t i = 0; i < ARRAY_LEN(out->header) && wrong == NULL; i++) {
		out->header[i] = cut_at(&line, '|');
		if (out->header[i].n == 0)
			wrong = "an empty header field";
	}
	if (wrong == NULL &&
	    (!str_is(out->header[0], "LEEF:2.0") || !str_is(out->header[5], "x09")))
		wrong = "no LEEF:2.0 with tabs";
	while (wrong == NULL && line.n != 0)
		wrong = take_pair(out, cut_at(&line, '\t'));
	return wrong;
}

struct str
leef_get(const struct leef_parsed *p, const char *key)
{
	for (size_t i = 0; i < p->n; i++) {
		if (str_is(p->pair[i].key, key))
			return p->pair[i].value;
	}
	return (struct str){ NULL, 0 };
}
