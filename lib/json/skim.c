/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/scan.h"
#include "lib/json/skim.h"

/* From behind the first quote to behind the last, or to the end. */
static const char *
behind_string(const char *p, const char *end)
{
	for (p = scan_quote(p, end); p < end && *p == '\\'; p = scan_quote(p, end)) {
		if (end - p < 2)
			return end;
		p += 2;
	}
	return p < end ? p + 1 : end;
}

/* From a bracket to behind the one that closes it, or to the end. */
static const char *
behind_brackets(const char *p, const char *end)
{
	size_t depth = 0;

	while (p < end) {
		char c = *p++;

		if (c == '"')
			p = behind_string(p, end);
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			break;
	}
	return p;
}

void
skim_init(struct skim *s, struct str text)
{
	const char *p = text.n != 0 ? text.s : "";

	*s = (struct skim){ p, p + text.n };
	s->p = scan_space(s->p, s->end);
	if (s->p < s->end && *s->p == '{')
		s->p++;
	else
		s->p = s->end;
}

/* The value behind a colon at p. */
static struct str
value_at(const char *p, const char *end)
{
	p = scan_space(p, end);
	if (p == end)
		return (struct str){ NULL, 0 };
	return (struct str){ p, *p == '"' ? (size_t)(behind_string(p + 1, end) - p) : 1 };
}

bool
skim_next(struct skim *s, struct skim_member *m)
{
	while (s->p < s->end) {
		const char *from = s->p, *colon;

		if (*from == '{' || *from == '[') {
			s->p = behind_brackets(from, s->end);
			continue;
		}
		if (*from != '"') {
			s->p++;
			continue;
		}
		s->p = behind_string(from + 1, s->end);
		colon = scan_space(s->p, s->end);
		if (colon == s->end || *colon != ':' || s->p - from < 2)
			continue;
		m->name = (struct str){ from + 1, (size_t)(s->p - from - 2) };
		m->value = value_at(colon + 1, s->end);
		s->p = colon + 1;
		if (m->value.n > 1)
			s->p = m->value.s + m->value.n;
		return true;
	}
	return false;
}
