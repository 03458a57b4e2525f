/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fake_graph/json_out.h"

static void
escaped(struct buf *b, uint32_t c)
{
	static const char shorts[] = "btn\0fr";

	if (c >= 8 && c <= 13 && shorts[c - 8] != '\0') {
		buf_byte(b, '\\');
		buf_byte(b, shorts[c - 8]);
	} else {
		buf_printf(b, "\\u%04x", (unsigned)c);
	}
}

void
j_text(struct buf *b, struct str s)
{
	buf_byte(b, '"');
	for (size_t i = 0, n; i < s.n; i += n) {
		uint32_t c;

		n = utf8_next(s.s + i, s.n - i, &c);
		if (n == 0) {
			buf_puts(b, "\xef\xbf\xbd");
			n = 1;
		} else if (c < 0x20) {
			escaped(b, c);
		} else {
			if (c == '"' || c == '\\')
				buf_byte(b, '\\');
			buf_add(b, s.s + i, n);
		}
	}
	buf_byte(b, '"');
}

void
j_comma(struct buf *b)
{
	if (b->n > 0 && b->p[b->n - 1] != '{' && b->p[b->n - 1] != '[')
		buf_byte(b, ',');
}

void
j_key(struct buf *b, const char *name)
{
	j_comma(b);
	buf_byte(b, '"');
	buf_puts(b, name);
	buf_puts(b, "\":");
}

void
j_strs(struct buf *b, const char *name, const char *value)
{
	j_key(b, name);
	if (value == NULL)
		buf_puts(b, "null");
	else
		j_text(b, str_of(value));
}

void
j_int(struct buf *b, const char *name, int64_t value)
{
	j_key(b, name);
	buf_int(b, value);
}

void
j_bool(struct buf *b, const char *name, bool value)
{
	j_raw(b, name, value ? "true" : "false");
}

void
j_raw(struct buf *b, const char *name, const char *json)
{
	j_key(b, name);
	buf_puts(b, json);
}
