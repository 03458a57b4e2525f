/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/escape.h"

/*
 * What a byte needs. PLAIN ones are copied in runs, as most text is nothing else;
 * LEAD is the first byte of a sequence, or no UTF-8 at all.
 */
enum need { PLAIN, SPACE, LINE_END, BACKSLASH, EQUALS, BAR, LEAD };

static const unsigned char needs[256] = {
	[0x00 ... 0x09] = SPACE,
	['\n'] = LINE_END,
	[0x0b ... 0x0c] = SPACE,
	['\r'] = LINE_END,
	[0x0e ... 0x1f] = SPACE,
	['\\'] = BACKSLASH,
	['='] = EQUALS,
	['|'] = BAR,
	[0x7f] = SPACE,
	[0x80 ... 0xff] = LEAD,
};

/* How each need is written; NULL: as it is. */
struct style {
	struct str with[LEAD];
};

static const struct style value_style = { .with = {
					      [SPACE] = STR(" "),
					      [LINE_END] = STR("\\n"),
					      [BACKSLASH] = STR("\\\\"),
					      [EQUALS] = STR("\\="),
					      [BAR] = STR("|"),
					  } };
static const struct style header_style = { .with = {
					       [SPACE] = STR(" "),
					       [LINE_END] = STR(" "),
					       [BACKSLASH] = STR("\\\\"),
					       [EQUALS] = STR("="),
					       [BAR] = STR("\\|"),
					   } };
static const struct style plain_header_style = { .with = {
						     [SPACE] = STR(" "),
						     [LINE_END] = STR(" "),
						     [BACKSLASH] = STR("/"),
						     [EQUALS] = STR(":"),
						     [BAR] = STR("/"),
						 } };
static const struct style plain_style = { .with = {
					      [SPACE] = STR(" "),
					      [LINE_END] = STR(" "),
					      [BACKSLASH] = STR("\\"),
					      [EQUALS] = STR("="),
					      [BAR] = STR("|"),
					  } };

/* Length of the character that ends at s[n - 1], as far as it may be a control. */
static size_t
last_length(const char *s, size_t n)
{
	for (size_t len = 1; len <= 3 && len <= n; len++) {
		if (utf8_next(s + n - len, len, NULL) == len)
			return len;
	}
	return 1;
}

/* Without spaces, and controls that would become one, at both ends. */
static struct str
trimmed(struct str t)
{
	size_t len;
	uint32_t cp;

	for (; t.n > 0; t = (struct str){ t.s + len, t.n - len }) {
		len = utf8_next(t.s, t.n, &cp);
		if (len == 0 || (cp != ' ' && !utf8_is_control(cp)))
			break;
	}
	for (; t.n > 0; t.n -= len) {
		len = last_length(t.s, t.n);
		if (utf8_next(t.s + t.n - len, len, &cp) == 0 ||
		    (cp != ' ' && !utf8_is_control(cp)))
			break;
	}
	return t;
}

/* One step: how many bytes of text (n at least 1) it takes, and what is written for them. */
static size_t
step(const char *s, size_t n, const struct style *style, struct str *written)
{
	enum need need = needs[(unsigned char)s[0]];
	size_t len = 1;
	uint32_t cp;

	if (need == PLAIN) {
		while (len < n && needs[(unsigned char)s[len]] == PLAIN)
			len++;
		*written = (struct str){ s, len };
		return len;
	}
	if (need != LEAD) {
		*written = style->with[need];
		return need == LINE_END && n > 1 && s[0] == '\r' && s[1] == '\n' ? 2 : 1;
	}
	len = utf8_next(s, n, &cp);
	if (len == 0) {
		*written = STR("\xef\xbf\xbd");
		return 1;
	}
	*written = utf8_is_control(cp) ? STR(" ") : (struct str){ s, len };
	return len;
}

static void
write_styled(struct buf *out, struct str text, size_t limit, const struct style *style)
{
	static const size_t dots = 3;
	size_t start = out->n, used = 0, safe = 0, len;

	for (size_t i = 0; i < text.n; i += len) {
		struct str w;

		len = step(text.s + i, text.n - i, style, &w);
		/* safe: how much may stay where dots are needed; plain bytes are cut anywhere. */
		if (used + w.n <= limit - dots)
			safe = used + w.n;
		else if (w.s == text.s + i && needs[(unsigned char)w.s[0]] == PLAIN &&
			 used < limit - dots)
			safe = limit - dots;
		if (used + w.n > limit) {
			buf_add(out, w.s, safe > used ? safe - used : 0);
			buf_cut(out, start + safe);
			buf_add(out, "...", dots);
			return;
		}
		buf_add(out, w.s, w.n);
		used += w.n;
	}
}

void
escape_value(struct buf *out, struct str text, size_t limit)
{
	write_styled(out, trimmed(text), limit, &value_style);
}

void
escape_header(struct buf *out, struct str text, size_t limit, bool plain)
{
	text = trimmed(text);
	while (text.n > 0 && text.s[text.n - 1] == '\\')
		text = trimmed((struct str){ text.s, text.n - 1 });
	write_styled(out, text, limit, plain ? &plain_header_style : &header_style);
}

void
escape_plain(struct buf *out, struct str text, size_t limit)
{
	write_styled(out, trimmed(text), limit, &plain_style);
}

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool
escape_name(struct buf *out, struct str text, size_t limit)
{
	size_t start = out->n, len;
	bool has_alnum = false;

	text = trimmed(text);
	for (size_t i = 0; i < text.n && i < limit; i += len) {
		char c = text.s[i];

		len = utf8_next(text.s + i, text.n - i, NULL);
		len = len != 0 ? len : 1;
		has_alnum = has_alnum || is_alnum(c);
		buf_byte(out, is_alnum(c) || (c != '\0' && strchr(" ._-", c) != NULL) ? c : '-');
	}
	while (buf_ok(out) && out->n > start && (!has_alnum || out->p[out->n - 1] == ' '))
		buf_cut(out, out->n - 1);
	return has_alnum;
}
