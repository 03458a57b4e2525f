/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/buf.h"
#include "lib/json/repair.h"
#include "lib/json/scan.h"
#include "lib/json/unescape.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define GROWTH_MAX  (1u << 20)     /* bytes: with more than that it is no text at all */

/* How many bytes at p, inside a string, are right as they are; 0: none. */
static size_t
sound(const char *p, const char *end)
{
	uint32_t cp;

	if (*p == '\\')
		return jr_escape(p, end, &cp);
	return (unsigned char)*p < 0x20 ? 0 : utf8_next(p, (size_t)(end - p), NULL);
}

/* Writes what stands for the wrong thing at p; returns how much of it that was. */
static size_t
mend(struct buf *out, const char *p, const char *end)
{
	if ((unsigned char)*p < 0x20)
		buf_printf(out, "\\u%04x", (unsigned)*p);
	else
		buf_puts(out, REPLACEMENT);
	return jr_code_unit(p, end) >= 0 ? 6 : 1;
}

/* Goes through the inside of a string, whose first byte is at p, to behind its closing quote. */
static const char *
mend_string(struct buf *out, const char *p, const char *end)
{
	for (;;) {
		const char *from = p;
		size_t n = 1;

		while (p < end && *p != '"' && n != 0) {
			p = scan_plain(p, end);
			if (p < end && *p != '"') {
				n = sound(p, end);
				p += n;
			}
		}
		if (p < end && *p == '"')
			p++, n = 1;
		buf_add(out, from, (size_t)(p - from));
		if (n != 0)
			return p;
		p += mend(out, p, end);
	}
}

struct str
jr_repair(struct str text, struct arena *arena)
{
	const char *p = text.s, *end = text.s + text.n;
	struct buf out = BUF_INIT(text.n + GROWTH_MAX);
	struct str mended = text;

	while (p < end) {
		const char *quote = memchr(p, '"', (size_t)(end - p));
		const char *next = quote != NULL ? quote + 1 : end;

		buf_add(&out, p, (size_t)(next - p));
		p = quote != NULL ? mend_string(&out, next, end) : end;
	}
	if (buf_ok(&out) && !str_same(buf_peek(&out), text))
		mended = arena_copy(arena, buf_peek(&out));
	buf_release(&out);
	return mended;
}
