/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/mail_parse.h"

static const char *const fields[] = { "Date", "From", "To", "Subject", "Message-ID", "In-Reply-To",
	"References", "Thread-Index", "List-Id", "Auto-Submitted", "X-Auto-Response-Suppress",
	"Importance", "X-Msspd-Type", "X-Msspd-Kind", "X-Msspd-Customer", "X-Msspd-Tenant",
	"X-Msspd-Tenant-Id", "X-Msspd-Stream", "X-Msspd-Severity", "X-Msspd-Status",
	"X-Msspd-Incident-Id", "X-Msspd-Event-Id", "X-Msspd-Count", "X-Msspd-Rule",
	"X-Msspd-Instance", "MIME-Version", "Content-Type" };

static const char *const tags[] = { "!DOCTYPE html>", "!--[if mso]>", "![endif]-->", "html ",
	"/html>", "head>", "/head>", "meta ", "title>", "/title>", "style>", "/style>", "body ",
	"/body>", "div ", "/div>", "table ", "/table>", "tr>", "/tr>", "td ", "/td>", "td>",
	"span ", "/span>", "a ", "/a>", "b>", "b ", "/b>", "br>" };

static bool
begins(struct str s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && memcmp(s.s, with, n) == 0;
}

static struct str
skip(struct str s, size_t n)
{
	return (struct str){ s.s + n, s.n - n };
}

static struct str
line_of(struct str s)
{
	const char *end = memmem(s.s, s.n, "\r\n", 2);

	return (struct str){ s.s, end != NULL ? (size_t)(end - s.s) : s.n };
}

/* ---- lines and fields -------------------------------------------------------------------- */

static const char *
lines_fault(struct str m)
{
	size_t width = 0;

	if (m.n < 2 || memcmp(m.s + m.n - 2, "\r\n", 2) != 0)
		return "the last line has no end";
	for (size_t i = 0; i < m.n; i++) {
		unsigned char c = (unsigned char)m.s[i];

		if (c == '\r' && i + 1 < m.n && m.s[i + 1] == '\n') {
			width = 0;
			i++;
			continue;
		}
		if (c < ' ' || c > '~')
			return "a byte that is no printable ASCII, or half a line end";
		if (++width > 998)
			return "a line of more than 998 bytes";
	}
	return NULL;
}

static const char *
field_fault(struct str line, bool seen[])
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		size_t n = strlen(fields[i]);

		if (!begins(line, fields[i]) || line.n < n + 3 || line.s[n] != ':' ||
		    line.s[n + 1] != ' ')
			continue;
		if (seen[i])
			return "a field that comes twice";
		seen[i] = true;
		return NULL;
	}
	return "a field that is not ours";
}

static const char *
fields_fault(struct str m)
{
	bool seen[ARRAY_LEN(fields)] = { false };

	for (;;) {
		struct str line = line_of(m);
		const char *fault = NULL;

		if (line.n == 0)
			break;
		if (line.s[0] != ' ')
			fault = field_fault(line, seen);
		else if (strspn(line.s, " ") >= line.n)
			fault = "a folded line of nothing but blanks";
		if (fault != NULL)
			return fault;
		m = skip(m, line.n + 2);
	}
	return seen[0] && seen[1] && seen[2] && seen[3] && seen[4] ? NULL : "a field is missing";
}

bool
mail_header(struct buf *out, struct str m, const char *name)
{
	size_t n = strlen(name);

	for (struct str line = line_of(m); line.n > 0; line = line_of(m)) {
		bool is_it = begins(line, name) && line.n > n && line.s[n] == ':';

		m = skip(m, line.n + 2);
		if (!is_it)
			continue;
		buf_add(out, line.s + n + 2, line.n - n - 2);
		while (begins(m, " ")) {
			line = line_of(m);
			buf_str(out, line);
			m = skip(m, line.n + 2);
		}
		return true;
	}
	return false;
}

/* ---- parts ------------------------------------------------------------------------------- */

static int
hex(char c)
{
	const char *digits = "0123456789ABCDEF", *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

static bool
unquote(struct buf *out, struct str line, bool *is_soft)
{
	*is_soft = false;
	for (size_t i = 0; i < line.n; i++) {
		if (line.s[i] != '=') {
			buf_byte(out, line.s[i]);
			continue;
		}
		if (i + 1 == line.n) {
			*is_soft = true;
			return true;
		}
		if (i + 2 >= line.n || hex(line.s[i + 1]) < 0 || hex(line.s[i + 2]) < 0)
			return false;
		buf_byte(out, (char)(hex(line.s[i + 1]) << 4 | hex(line.s[i + 2])));
		i += 2;
	}
	return line.n <= 76 && (line.n == 0 || line.s[line.n - 1] != ' ');
}

bool
mail_part(struct buf *out, struct str m, const char *type)
{
	/* A subject may have it, too, but no line end. */
	static const char field[] = "\r\nContent-Type: multipart/alternative;\r\n boundary=\"";
	char boundary[64], head[300];
	const char *at = memmem(m.s, m.n, field, sizeof(field) - 1), *begin;
	bool is_soft = false;

	if (at == NULL)
		return false;
	snprintf(boundary, sizeof(boundary), "\r\n--%.34s", at + sizeof(field) - 1);
	snprintf(head, sizeof(head),
	    "%s\r\nContent-Type: %s; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
	    boundary, type);
	begin = memmem(m.s, m.n, head, strlen(head));
	if (begin == NULL)
		return false;
	m = skip(m, (size_t)(begin - m.s) + strlen(head));
	at = memmem(m.s, m.n, boundary, strlen(boundary));
	if (at == NULL)
		return false;
	m.n = (size_t)(at - m.s);
	while (m.n > 0) {
		struct str line = line_of(m);

		if (!unquote(out, line, &is_soft))
			return false;
		if (!is_soft)
			buf_byte(out, '\n');
		m = skip(m, line.n + 2 < m.n ? line.n + 2 : m.n);
	}
	return !is_soft;
}

/* ---- what people see ----------------------------------------------------------------------- */

static const char *
text_fault(struct str text)
{
	for (size_t i = 0; i < text.n;) {
		uint32_t cp = 0;
		size_t len = utf8_next(text.s + i, text.n - i, &cp);

		if (len == 0)
			return "a part is no UTF-8";
		if (utf8_is_control(cp) && cp != '\n')
			return "a control in a part";
		if (cp == 0x200b || cp == 0x200e || cp == 0x200f || cp == 0xfeff || cp == 0x61c ||
		    (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f))
			return "a part has a mark that turns or hides text";
		i += len;
	}
	return NULL;
}

static const char *
tag_fault(struct str html, const char *portal)
{
	const char *end = memchr(html.s, '>', html.n), *attribute;
	struct str tag = { html.s, end != NULL ? (size_t)(end - html.s) : html.n };
	bool is_ours = false;

	for (size_t i = 0; i < ARRAY_LEN(tags); i++)
		is_ours = is_ours || begins(html, tags[i]);
	if (!is_ours || end == NULL)
		return "a tag that is not ours";
	attribute = memmem(tag.s, tag.n, " href=\"", 7);
	if (attribute != NULL && (!begins(skip(tag, (size_t)(attribute - tag.s) + 7), "https://") ||
				     !begins(skip(tag, (size_t)(attribute - tag.s) + 15), portal) ||
				     attribute[15 + strlen(portal)] != '/'))
		return "a link to somewhere else";
	if (memmem(tag.s, tag.n, " src=", 5) != NULL || memmem(tag.s, tag.n, " on", 3) != NULL)
		return "an attribute that does something";
	return NULL;
}

static const char *
html_fault(struct str html, const char *portal)
{
	const char *fault = text_fault(html), *at;

	if (fault != NULL)
		return fault;
	while (html.n > 0) {
		at = memchr(html.s, '<', html.n);
		if (at == NULL)
			return NULL;
		html = skip(html, (size_t)(at - html.s) + 1);
		fault = tag_fault(html, portal);
		if (fault != NULL)
			return fault;
	}
	return NULL;
}

const char *
mail_fault(struct str m, const char *portal)
{
	struct buf text = BUF_INIT(8 << 20), html = BUF_INIT(8 << 20);
	const char *fault = lines_fault(m);

	if (fault == NULL)
		fault = fields_fault(m);
	if (fault == NULL &&
	    (!mail_part(&text, m, "text/plain") || !mail_part(&html, m, "text/html")))
		fault = "a part is missing, or no quoted-printable";
	if (fault == NULL)
		fault = text_fault(buf_peek(&text));
	if (fault == NULL)
		fault = html_fault(buf_peek(&html), portal);
	buf_release(&text);
	buf_release(&html);
	return fault;
}
