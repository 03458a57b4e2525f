/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/wrap.h"

static size_t
columns(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)s[i] & 0xc0) != 0x80;
	return count;
}

void
wrap_clean(struct buf *out, const char *text)
{
	size_t n = strlen(text);
	uint32_t cp = 0, before;

	for (size_t i = 0, len; i < n; i += len) {
		before = cp;
		len = utf8_next(text + i, n - i, &cp);
		if (len == 0)
			buf_byte(out, '?');
		else if (utf8_is_control(cp))
			buf_byte(out, ' ');
		else if (utf8_is_deceiving(cp, before))
			buf_printf(out, "\\u{%x}", (unsigned)cp);
		else
			buf_add(out, text + i, len);
		len = len != 0 ? len : 1;
	}
}

void
wrap_put(struct buf *out, const char *first, const char *rest, const char *text)
{
	struct buf clean = BUF_INIT(1 << 20);
	size_t column = columns(first, strlen(first)), words = 0, width;
	const char *at;

	wrap_clean(&clean, text);
	buf_byte(&clean, '\0');
	buf_puts(out, first);
	for (at = clean.p + strspn(clean.p, " "); *at != '\0'; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		width = columns(at, n);
		if (words++ == 0) {
			column += width;
		} else if (column + 1 + width > WRAP_WIDTH) {
			buf_printf(out, "\n%s", rest);
			column = columns(rest, strlen(rest)) + width;
		} else {
			buf_byte(out, ' ');
			column += 1 + width;
		}
		buf_add(out, at, n);
		at += n;
	}
	buf_byte(out, '\n');
	buf_release(&clean);
}
