/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/msspctl/safe.h"

#include <string.h>

/* The next character as it may be shown; returns how many bytes of s it is. */
static size_t
next(struct str s, char out[16])
{
	uint32_t cp;
	size_t n = utf8_next(s.s, s.n, &cp);

	if (n == 0)
		snprintf(out, 16, "\\x%02x", (unsigned)(unsigned char)s.s[0]);
	else if (utf8_is_control(cp) && cp < 0x80)
		snprintf(out, 16, "\\x%02x", (unsigned)cp);
	else if (utf8_is_control(cp) || utf8_is_deceiving(cp, 0))
		snprintf(out, 16, "\\u{%x}", (unsigned)cp);
	else
		snprintf(out, 16, "%.*s", (int)n, s.s);
	return n > 0 ? n : 1;
}

/* Wide characters take two columns, most of them from here on. */
static size_t
width(const char *shown)
{
	uint32_t cp = 0;
	size_t n = strlen(shown);

	if (n == 0 || utf8_next(shown, n, &cp) != n)
		return n;
	return cp >= 0x1100 ? 2 : 1;
}

void
put_safe(FILE *out, struct str bytes, size_t columns)
{
	size_t used = 0;
	char shown[16];

	for (size_t i = 0; i < bytes.n;) {
		struct str rest = { bytes.s + i, bytes.n - i };
		size_t n = next(rest, shown), w = width(shown);

		if (used + w > columns || (used + w > columns - 3 && rest.n > 3)) {
			fputs("...", out);
			return;
		}
		fputs(shown, out);
		used += w;
		i += n;
	}
}

void
put_safe_lines(FILE *out, struct str bytes, const char *before, size_t columns)
{
	size_t used = 0;
	char shown[16];

	for (size_t i = 0; i < bytes.n;) {
		size_t n = next((struct str){ bytes.s + i, bytes.n - i }, shown), w = width(shown);

		if (used == 0)
			fputs(before, out);
		if (used > 0 && used + w > columns) {
			fprintf(out, "\n%s", before);
			used = 0;
		}
		fputs(shown, out);
		used += w;
		i += n;
	}
	if (bytes.n > 0)
		fputc('\n', out);
}
