/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/json_line.h"
#include "lib/json/scan.h"

static void
write_escape(struct buf *out, uint32_t cp)
{
	static const char hex[] = "0123456789abcdef";
	char text[] = { '\\', 'u', hex[cp >> 12 & 15], hex[cp >> 8 & 15], hex[cp >> 4 & 15],
		hex[cp & 15] };

	buf_add(out, text, sizeof(text));
}

/* Of JSON, C0 stands between tokens only, every other control in strings only. */
static size_t
copy_char(struct buf *out, const char *s, size_t n)
{
	uint32_t cp;
	size_t len = utf8_next(s, n, &cp);

	if (len == 0) {
		buf_puts(out, "\xef\xbf\xbd");
		return 1;
	}
	if (cp < 0x20)
		buf_byte(out, ' ');
	else if (utf8_is_control(cp))
		write_escape(out, cp);
	else
		buf_add(out, s, len);
	return len;
}

void
json_line(struct buf *out, struct str json)
{
	const char *p = json.s, *end = json.s + json.n;

	while (p < end) {
		const char *stop = scan_printable(p, end);

		buf_add(out, p, (size_t)(stop - p));
		p = stop;
		if (p < end)
			p += copy_char(out, p, (size_t)(end - p));
	}
}

/* As deep as there are opening brackets, at most. */
static bool
has_few(struct str json, char bracket, size_t max)
{
	const char *p = json.s, *end = json.s + json.n;

	for (size_t n = 0; n <= max && p != NULL; n++) {
		p = memchr(p, bracket, (size_t)(end - p));
		p = p != NULL ? p + 1 : NULL;
	}
	return p == NULL;
}

bool
json_is_flat(struct str json, size_t max)
{
	size_t depth = 0;
	bool in_string = false;

	if (json.n / 2 <= max || (has_few(json, '{', max / 2) && has_few(json, '[', max / 2)))
		return true;
	for (size_t i = 0; i < json.n; i++) {
		char c = json.s[i];

		if (c == '"')
			in_string = !in_string;
		else if (c == '\\')
			i++;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && (c == '}' || c == ']'))
			depth--;
		if (depth > max)
			return false;
	}
	return true;
}
