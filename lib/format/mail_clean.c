/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/mail_clean.h"
#include "lib/format/mail_links.h"

struct cleaner {
	struct buf *out;
	struct str in;
	size_t start; /* in out */
	size_t at;
	size_t word_end; /* before it, nothing is looked for */
	size_t name_end; /* before it, dots and @ are broken */
	size_t host;     /* where the host of a share begins */
	uint32_t last;   /* code point written before */
	unsigned newlines;
	unsigned flags;
};

static size_t
run_end(struct str in, size_t at)
{
	while (at < in.n && links_is_word_byte((unsigned char)in.s[at]))
		at++;
	return at;
}

/* ---- words ------------------------------------------------------------------------------ */

static bool
follows(const struct cleaner *c, size_t at, const char *what)
{
	size_t n = strlen(what);

	return c->in.n - at >= n && memcmp(c->in.s + at, what, n) == 0;
}

static bool
is_plain_ascii(struct str word)
{
	for (size_t i = 0; i < word.n; i++) {
		if ((unsigned char)word.s[i] >= 0x80)
			return false;
	}
	return word.n > 0 && word.n <= 40;
}

static enum links_place
place_of(const struct cleaner *c)
{
	bool is_in_path = c->at > 0 && c->in.s[c->at - 1] == '\\' && c->at != c->host;

	if (is_in_path || (c->flags & MAIL_PATH) != 0)
		return LINKS_PATH;
	return (c->flags & MAIL_PERSON) != 0 ? LINKS_PERSON : LINKS_TEXT;
}

/* Judges the word that begins here; its scheme, or the beginning of a share, is written at once. */
static void
begin_word(struct cleaner *c)
{
	size_t end;
	struct str word, behind;

	if (links_is_share(c->in, c->at)) {
		buf_puts(c->out, "[\\\\]");
		c->at += 2;
		c->host = c->at;
		c->last = ']';
	}
	end = run_end(c->in, c->at);
	word = (struct str){ c->in.s + c->at, end - c->at };
	behind = (struct str){ c->in.s + end, c->in.n - end };
	c->word_end = end;
	if (is_plain_ascii(word) && follows(c, end, "://")) {
		links_break_scheme(c->out, word);
		c->at = end + 3;
		c->last = '/';
		for (end = c->at; end < c->in.n && !links_ends_url((unsigned char)c->in.s[end]);)
			end++;
		c->word_end = c->name_end = end;
	} else if (links_is_name(word, place_of(c)) || links_is_address(word, behind)) {
		c->name_end = end;
	}
}

/* ---- characters ------------------------------------------------------------------------- */

static bool
is_line_end(uint32_t cp)
{
	return cp == '\n' || cp == '\r' || cp == 0x85 || cp == 0x2028 || cp == 0x2029 ||
	       cp == 0x0b || cp == 0x0c;
}

static void
put_line_end(struct cleaner *c)
{
	/* Blanks at a line's end go. */
	while (c->out->n > c->start && c->out->p[c->out->n - 1] == ' ')
		buf_cut(c->out, c->out->n - 1);
	if (c->out->n == c->start)
		return;
	if ((c->flags & MAIL_LINES) == 0) {
		buf_byte(c->out, ' ');
	} else if (c->newlines < 2) {
		buf_byte(c->out, '\n');
		c->newlines++;
	}
}

static void
put_visible(struct cleaner *c, const char *s, size_t len, uint32_t cp)
{
	bool is_broken = c->at < c->name_end && c->at + 1 < c->name_end;

	c->newlines = 0;
	if (len == 0)
		buf_puts(c->out, "\xef\xbf\xbd");
	else if (utf8_is_control(cp) || utf8_is_deceiving(cp, c->last))
		buf_printf(c->out, "[U+%04X]", (unsigned)cp);
	else if (is_broken && (cp == '.' || cp == '@'))
		buf_printf(c->out, "[%c]", (int)cp);
	else
		buf_add(c->out, s, len);
}

static void
put_next(struct cleaner *c)
{
	const char *s = c->in.s + c->at;
	uint32_t cp = 0;
	size_t len = utf8_next(s, c->in.n - c->at, &cp);

	if (len != 0 && is_line_end(cp)) {
		bool is_pair = cp == '\r' && follows(c, c->at + 1, "\n");

		put_line_end(c);
		c->at += is_pair ? 2 : len;
	} else if (len != 0 && (cp == ' ' || cp == '\t')) {
		if (c->out->n > c->start && c->newlines == 0)
			buf_byte(c->out, ' ');
		c->at += len;
	} else {
		put_visible(c, s, len, cp);
		c->at += len != 0 ? len : 1;
	}
	c->last = cp;
}

void
mail_clean(struct buf *out, struct str text, size_t limit, unsigned flags)
{
	struct cleaner c = { .out = out, .in = text, .start = out->n, .flags = flags };

	if ((flags & (MAIL_PERSON | MAIL_DEVICE)) != 0 && links_is_plain_name(text))
		c.word_end = text.n;
	while (c.at < text.n && out->n - c.start < limit && buf_ok(out)) {
		if (c.at >= c.word_end && (flags & MAIL_TRUSTED) == 0)
			begin_word(&c);
		if (c.at < text.n)
			put_next(&c);
	}
	while (out->n > c.start && strchr(" \n", out->p[out->n - 1]) != NULL)
		buf_cut(out, out->n - 1);
	if (c.at < text.n)
		buf_printf(out, "… [cut: %zu more bytes]", text.n - c.at);
}
