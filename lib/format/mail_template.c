/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/format/mail_parts.h"

#define DEPTH_MAX  8
#define PIECES_MAX 4096

enum piece_kind { PIECE_TEXT, PIECE_VALUE, PIECE_LABEL, PIECE_IF };

/* In order; what belongs to an IF follows it, up to the piece `end`. */
struct piece {
	enum piece_kind kind;
	enum mail_value v;
	struct str s; /* the text; the label's key */
	size_t end;
};

struct mail_template {
	enum mail_escape escape;
	char *text;
	size_t n;
	struct piece pieces[];
};

static const struct {
	enum mail_escape escape;
	unsigned where;
	bool is_subject;
} kinds[] = {
	[MAIL_SUBJECT] = { MAIL_AS_LINE, MV_ONE, true },
	[MAIL_TEXT] = { MAIL_AS_TEXT, MV_ONE, false },
	[MAIL_HTML] = { MAIL_AS_HTML, MV_ONE, false },
	[MAIL_DIGEST_SUBJECT] = { MAIL_AS_LINE, MV_MANY, true },
	[MAIL_DIGEST_TEXT] = { MAIL_AS_TEXT, MV_MANY, false },
	[MAIL_DIGEST_HTML] = { MAIL_AS_HTML, MV_MANY, false },
};

/* A template being read. */
struct reading {
	enum mail_template_kind kind;
	struct mail_template *t;
	struct str in;
	size_t at;
	size_t open[DEPTH_MAX], depth; /* IFs that are not closed */
	struct err *err;
};

/* ---- reading ---------------------------------------------------------------------------- */

static bool
fail(const struct reading *rd, size_t at, const char *why)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < at; i++) {
		column = rd->in.s[i] == '\n' ? 1 : column + ((rd->in.s[i] & 0xc0) != 0x80);
		line += rd->in.s[i] == '\n';
	}
	return err_set(rd->err, ERR_CONF, "line %zu, column %zu: %s", line, column, why);
}

static bool PRINTF_LIKE(3, 4) failf(const struct reading *rd, size_t at, const char *format, ...)
{
	struct buf why = BUF_INIT(ERR_TEXT);
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&why, format, ap);
	va_end(ap);
	(void)fail(rd, at, why.p != NULL ? why.p : "");
	buf_release(&why);
	return false;
}

static bool
is_offered(const struct reading *rd, enum mail_value v)
{
	bool is_block = v == MV_SUBJECT || v == MV_DETAILS || v == MV_TABLE;

	return (mail_values[v].where & kinds[rd->kind].where) != 0 &&
	       !(is_block && kinds[rd->kind].is_subject);
}

static enum mail_value
find(const struct reading *rd, struct str name)
{
	for (unsigned v = 0; v < MV_VALUES; v++) {
		if (is_offered(rd, v) && str_is(name, mail_values[v].name))
			return v;
	}
	return MV_VALUES;
}

static const char *
nearest(const struct reading *rd, struct str name)
{
	const char *best = NULL;
	unsigned least = 4;

	for (unsigned v = 0; v < MV_VALUES; v++) {
		unsigned d = str_distance(name, str_of(mail_values[v].name), least);

		if (!is_offered(rd, v) || d >= least)
			continue;
		least = d;
		best = mail_values[v].name;
	}
	return best;
}

static bool
refuse_name(const struct reading *rd, size_t at, struct str name)
{
	const char *near = nearest(rd, name);

	if (near != NULL)
		return failf(rd, at, "unknown variable {%.*s}; did you mean {%s}?",
		    (int)(name.n < 60 ? name.n : 60), name.s, near);
	return failf(rd, at,
	    "unknown variable {%.*s}; docs/FORMATS.md lists those of a %s, and {{ is a brace",
	    (int)(name.n < 60 ? name.n : 60), name.s,
	    kinds[rd->kind].where == MV_MANY ? "digest" : "mail");
}

static bool
add(struct reading *rd, struct piece p)
{
	struct mail_template *t = rd->t;

	if (t->n == PIECES_MAX)
		return failf(rd, rd->at, "more than %d pieces of text and variables", PIECES_MAX);
	t->pieces[t->n++] = p;
	return true;
}

static bool
add_value(struct reading *rd, size_t at, struct str name)
{
	static const struct str label = STR("label.");
	enum mail_value v = find(rd, name);

	if (v != MV_VALUES)
		return add(rd, (struct piece){ .kind = PIECE_VALUE, .v = v });
	if (name.n > label.n && str_starts(name, label.s))
		return add(rd, (struct piece){ .kind = PIECE_LABEL,
				   .s = { name.s + label.n, name.n - label.n } });
	return refuse_name(rd, at, name);
}

static bool
open_if(struct reading *rd, size_t at, struct str name)
{
	enum mail_value v = find(rd, name);

	if (v == MV_VALUES)
		return refuse_name(rd, at, name);
	if (rd->depth == DEPTH_MAX)
		return failf(rd, at, "more than %d parts within each other", DEPTH_MAX);
	rd->open[rd->depth++] = rd->t->n;
	return add(rd, (struct piece){ .kind = PIECE_IF, .v = v });
}

static bool
close_if(struct reading *rd, size_t at, struct str name)
{
	struct piece *p = rd->depth > 0 ? &rd->t->pieces[rd->open[rd->depth - 1]] : NULL;

	if (p == NULL)
		return failf(rd, at, "{/%.*s} closes nothing; {?%.*s} opens it",
		    (int)(name.n < 60 ? name.n : 60), name.s, (int)(name.n < 60 ? name.n : 60),
		    name.s);
	if (!str_is(name, mail_values[p->v].name))
		return failf(rd, at, "{/%.*s} where {/%s} was expected",
		    (int)(name.n < 60 ? name.n : 60), name.s, mail_values[p->v].name);
	p->end = rd->t->n;
	rd->depth--;
	return true;
}

/* A variable, by how it looks: "{", "?" or "/", letters; as CSS and plain text do not. 0: none. */
static size_t
variable_end(struct str in, size_t at)
{
	size_t i = at + 1, start;

	if (i < in.n && (in.s[i] == '?' || in.s[i] == '/'))
		i++;
	start = i;
	while (i < in.n &&
	       (in.s[i] == '_' || in.s[i] == '.' || in.s[i] == '-' || in.s[i] == ' ' ||
		   (in.s[i] >= '0' && in.s[i] <= '9') || (in.s[i] >= 'A' && in.s[i] <= 'Z') ||
		   (in.s[i] >= 'a' && in.s[i] <= 'z')))
		i++;
	return i > start && i < in.n && in.s[i] == '}' ? i + 1 : 0;
}

static bool
read_text(struct reading *rd)
{
	const char *s = rd->in.s + rd->at, *end;
	size_t n = 1;

	if (s[0] == '{') { /* one that begins no variable; a doubled one is one */
		rd->at += rd->at + 1 < rd->in.n && s[1] == '{' ? 2 : 1;
		return add(rd, (struct piece){ .kind = PIECE_TEXT, .s = { s, n } });
	}
	end = memchr(s, '{', rd->in.n - rd->at);
	n = end != NULL ? (size_t)(end - s) : rd->in.n - rd->at;
	rd->at += n;
	return add(rd, (struct piece){ .kind = PIECE_TEXT, .s = { s, n } });
}

static bool
read_piece(struct reading *rd)
{
	size_t at = rd->at, end = rd->in.s[at] == '{' ? variable_end(rd->in, at) : 0;
	struct str name;

	if (end == 0)
		return read_text(rd);
	rd->at = end;
	name = (struct str){ rd->in.s + at + 1, end - at - 2 };
	if (name.s[0] == '?')
		return open_if(rd, at, (struct str){ name.s + 1, name.n - 1 });
	if (name.s[0] == '/')
		return close_if(rd, at, (struct str){ name.s + 1, name.n - 1 });
	return add_value(rd, at, name);
}

static bool
is_line_byte(char c)
{
	return c == '\n' || c == '\r' || c == '\t';
}

static bool
read_all(struct reading *rd)
{
	for (size_t i = 0; i < rd->in.n; i++) {
		char c = rd->in.s[i];

		if ((unsigned char)c < ' ' && !(is_line_byte(c) && !kinds[rd->kind].is_subject))
			return failf(rd, i,
			    is_line_byte(c) ? "a subject is one line"
				    : "a control character; leave it out");
	}
	while (rd->at < rd->in.n) {
		if (!read_piece(rd))
			return false;
	}
	if (rd->depth > 0)
		return failf(rd, rd->in.n, "{?%s} is not closed; {/%s} does",
		    mail_values[rd->t->pieces[rd->open[rd->depth - 1]].v].name,
		    mail_values[rd->t->pieces[rd->open[rd->depth - 1]].v].name);
	return true;
}

static bool
is_empty(struct str text)
{
	size_t i = 0;

	while (i < text.n && (text.s[i] == ' ' || is_line_byte(text.s[i])))
		i++;
	return i == text.n;
}

/* What is wrong with it as a whole; NULL when nothing. */
static const char *
whole_fault(struct str text)
{
	if (is_empty(text))
		return "it is empty";
	if (text.n > MAIL_TEMPLATE_MAX)
		return "it has more than 256 KiB";
	return utf8_valid(text.s, text.n) ? NULL : "it is no UTF-8; save it as that";
}

struct mail_template *
mail_template_new(enum mail_template_kind kind, struct str text, struct err *err)
{
	struct reading rd = { .kind = kind, .err = err };
	const char *fault = whole_fault(text);

	if (fault != NULL) {
		err_set(err, ERR_CONF, "%s", fault);
		return NULL;
	}
	rd.t = xcalloc(1, sizeof(*rd.t) + PIECES_MAX * sizeof(struct piece));
	rd.t->escape = kinds[kind].escape;
	rd.t->text = xmalloc(text.n + 1);
	memcpy(rd.t->text, text.s, text.n);
	rd.t->text[text.n] = '\0';
	rd.in = (struct str){ rd.t->text, text.n };
	if (!read_all(&rd)) {
		mail_template_free(rd.t);
		return NULL;
	}
	return xrealloc(rd.t, sizeof(*rd.t) + rd.t->n * sizeof(struct piece));
}

void
mail_template_free(struct mail_template *t)
{
	if (t == NULL)
		return;
	free(t->text);
	free(t);
}

static bool
check(enum mail_template_kind kind, const char *text, struct err *err)
{
	struct mail_template *t = mail_template_new(kind, str_of(text), err);

	mail_template_free(t);
	return t != NULL;
}

bool
mail_subject_check(const char *text, struct err *err)
{
	return check(MAIL_SUBJECT, text, err);
}

bool
mail_digest_subject_check(const char *text, struct err *err)
{
	return check(MAIL_DIGEST_SUBJECT, text, err);
}

/* ---- writing ---------------------------------------------------------------------------- */

void
mail_escape(struct buf *out, struct str text, enum mail_escape how)
{
	static const char *const entities[256] = {
		['&'] = "&amp;",
		['<'] = "&lt;",
		['>'] = "&gt;",
		['"'] = "&quot;",
		['\''] = "&#39;",
		['\n'] = "<br>\n",
		['\t'] = ": ",
	};

	for (size_t i = 0; i < text.n; i++) {
		const char *instead = entities[(unsigned char)text.s[i]];

		if (how == MAIL_AS_HTML && instead != NULL)
			buf_puts(out, instead);
		else if (how == MAIL_AS_LINE && (text.s[i] == '\n' || text.s[i] == '\t'))
			buf_byte(out, ' ');
		else if (text.s[i] == '\t')
			buf_puts(out, ": ");
		else
			buf_byte(out, text.s[i]);
	}
}

static void
put_label(
    struct buf *out, const struct mail_template *t, struct str key, const struct mail_sheet *s)
{
	for (size_t i = 0; s->origin != NULL && i < s->origin->nlabels; i++) {
		if (str_is(key, s->origin->labels[i].key))
			mail_escape(out, str_of(s->origin->labels[i].value), t->escape);
	}
}

/* The user's own text; line ends as ours. */
static void
put_text(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.s[i] != '\r')
			buf_byte(out, text.s[i]);
	}
}

static void
put_value(
    struct buf *out, const struct mail_template *t, enum mail_value v, const struct mail_sheet *s)
{
	if (v == MV_DETAILS || v == MV_TABLE) /* written for the part they are in */
		buf_str(out, s->v[v]);
	else
		mail_escape(out, s->v[v], t->escape);
}

void
mail_template_write(struct buf *out, const struct mail_template *t, const struct mail_sheet *s)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct piece *p = &t->pieces[i];

		switch (p->kind) {
		case PIECE_TEXT:
			put_text(out, p->s);
			break;
		case PIECE_VALUE:
			put_value(out, t, p->v, s);
			break;
		case PIECE_LABEL:
			put_label(out, t, p->s, s);
			break;
		case PIECE_IF:
			if (s->v[p->v].n == 0)
				i = p->end - 1;
			break;
		}
	}
}
