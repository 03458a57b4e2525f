/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/json/scan.h"
#include "lib/json/writer.h"

static void
comma(struct jw *w, bool is_next_due)
{
	if (w->comma)
		buf_byte(w->out, ',');
	w->comma = is_next_due;
}

static void
open_with(struct jw *w, char bracket)
{
	comma(w, false);
	buf_byte(w->out, bracket);
}

static void
close_with(struct jw *w, char bracket)
{
	buf_byte(w->out, bracket);
	w->comma = true;
}

void
jw_object(struct jw *w)
{
	open_with(w, '{');
}

void
jw_object_end(struct jw *w)
{
	close_with(w, '}');
}

void
jw_array(struct jw *w)
{
	open_with(w, '[');
}

void
jw_array_end(struct jw *w)
{
	close_with(w, ']');
}

#define ESCAPE_MAX 6 /* bytes that one byte can become: \u001f */

/* Writes what does not stand for itself to *to; returns how many bytes that were. */
static size_t
escape(char **to, const char *p, const char *end)
{
	static const char from[] = "\b\f\n\r\t", as[] = "bfnrt";
	bool is_itself = *p == '"' || *p == '\\';
	const char *at = *p != '\0' && !is_itself ? strchr(from, *p) : NULL;
	uint32_t cp;
	size_t n;

	if (is_itself || at != NULL) {
		*(*to)++ = '\\';
		*(*to)++ = is_itself ? *p : as[at - from];
		return 1;
	}
	n = utf8_next(p, (size_t)(end - p), &cp);
	if (n == 0) {
		memcpy(*to, "\xef\xbf\xbd", 3);
		*to += 3;
		return 1;
	}
	if (utf8_is_control(cp)) {
		static const char hex[] = "0123456789abcdef";
		char text[ESCAPE_MAX] = { '\\', 'u', hex[cp >> 12 & 15], hex[cp >> 8 & 15],
			hex[cp >> 4 & 15], hex[cp & 15] };

		memcpy(*to, text, sizeof(text));
		*to += sizeof(text);
		return n;
	}
	memcpy(*to, p, n);
	*to += n;
	return n;
}

#define SPARE 16 /* scan_copy() writes further than it says */

/* The same for what follows as long as it is not ASCII either: languages other than English. */
static size_t
escape_run(char **to, const char *last, const char *p, const char *end)
{
	const char *start = p;

	do {
		p += escape(to, p, end);
	} while (p < end && (unsigned char)*p >= 0x80 && last - *to >= ESCAPE_MAX + SPARE);
	return (size_t)(p - start);
}

/* Writes as much of [p, end) as is sure to fit at to; the rest begins at what is returned. */
static const char *
fill(char **to, const char *last, const char *p, const char *end)
{
	while (end - p >= SCAN_QUOTE_BYTES && last - *to >= SCAN_QUOTE_ROOM) {
		size_t n = scan_quote_copy(to, p);

		p += n;
		if (n < 64)
			p += escape_run(to, last, p, end);
	}
	while (p < end && last - *to >= end - p + SPARE) {
		size_t n = scan_copy(*to, p, end);

		*to += n;
		p += n;
		if (p < end)
			p += escape(to, p, end);
	}
	return p;
}

/* How much room to ask for: half more than it has, for text with many escapes another round. */
static size_t
room_for(const struct buf *out, size_t n)
{
	size_t want = n + n / 2 + 8 * SPARE, least = n + SPARE + ESCAPE_MAX;

	if (want > out->max - out->n)
		want = out->max - out->n;
	return want > least ? want : least;
}

/* The last bytes before a limit: without anything to spare. */
static void
fill_tightly(struct buf *out, const char *p, const char *end)
{
	while (p < end && buf_ok(out)) {
		char text[ESCAPE_MAX], *to = text;

		if (scan_plain(p, end) != p && *p != 0x7f)
			*to++ = *p++;
		else
			p += escape(&to, p, end);
		buf_add(out, text, (size_t)(to - text));
	}
}

/* Most text is short, and there is room for it however much of it is escaped. */
static bool
has_room(const struct buf *out, size_t want)
{
	return !out->failed && want < out->max - out->n && out->n + want < out->room;
}

/* What is written besides a text that is short: a comma, quotes, what is behind, the NUL. */
#define AROUND (SPARE + 5)

static size_t
room_of(struct str s)
{
	return s.n * ESCAPE_MAX + AROUND;
}

static inline char *
put_quoted(char *to, const char *last, struct str s)
{
	*to++ = '"';
	if (s.n < SCAN_QUOTE_BYTES && scan_copy_plain(to, s.s, s.n))
		to += s.n;
	else
		fill(&to, last, s.s, s.s + s.n);
	*to++ = '"';
	return to;
}

/* A name that needs no escapes and its colon; names are a few bytes. */
static inline char *
put_plain_name(char *to, bool has_comma, struct str name)
{
	if (has_comma)
		*to++ = ',';
	*to++ = '"';
	str_copy(to, name.s, name.n);
	to += name.n;
	*to++ = '"';
	*to++ = ':';
	return to;
}

static void
set_end(struct buf *out, char *to)
{
	*to = '\0';
	out->n = (size_t)(to - out->p);
}

static void
quote_long(struct buf *out, struct str s)
{
	const char *p = s.s, *end = s.s + s.n;

	while (p < end && buf_ok(out)) {
		size_t want = room_for(out, (size_t)(end - p));
		char *to;

		if (want > out->max - out->n) {
			fill_tightly(out, p, end);
			break;
		}
		buf_room(out, want);
		to = out->p + out->n;
		p = fill(&to, to + want, p, end);
		set_end(out, to);
	}
}

/* The text in quotes, with a comma before it where one is due, and what stands behind it. */
static void
quote(struct jw *w, struct str s, char behind)
{
	struct buf *out = w->out;

	if (has_room(out, room_of(s))) {
		char *to = out->p + out->n;

		if (w->comma)
			*to++ = ',';
		to = put_quoted(to, out->p + out->room, s);
		if (behind != '\0')
			*to++ = behind;
		set_end(out, to);
		return;
	}
	if (w->comma)
		buf_byte(out, ',');
	buf_byte(out, '"');
	quote_long(out, s);
	buf_byte(out, '"');
	if (behind != '\0')
		buf_byte(out, behind);
}

void
jw_name_str(struct jw *w, struct str name)
{
	quote(w, name, ':');
	w->comma = false;
}

void
jw_name(struct jw *w, const char *name)
{
	jw_name_str(w, str_of(name));
}

void
jw_plain_name_str(struct jw *w, struct str name)
{
	struct buf *out = w->out;

	if (!buf_room(out, name.n + 4))
		return;
	set_end(out, put_plain_name(out->p + out->n, w->comma, name));
	w->comma = false;
}

void
jw_plain_member(struct jw *w, struct str name, struct str value)
{
	struct buf *out = w->out;
	char *to;

	if (!has_room(out, name.n + AROUND + room_of(value))) {
		jw_plain_name_str(w, name);
		jw_str(w, value);
		return;
	}
	to = put_plain_name(out->p + out->n, w->comma, name);
	set_end(out, put_quoted(to, out->p + out->room, value));
	w->comma = true;
}

void
jw_plain_int(struct jw *w, struct str name, int64_t v)
{
	struct buf *out = w->out;
	size_t n = str_int_n(v);
	char *to;

	if (!buf_room(out, w->comma + name.n + 3 + n))
		return;
	to = put_plain_name(out->p + out->n, w->comma, name);
	str_int_put(to, n, v);
	set_end(out, to + n);
	w->comma = true;
}

void
jw_raw(struct jw *w, struct str json)
{
	comma(w, true);
	buf_str(w->out, json.s != NULL ? json : STR("null"));
}

void
jw_null(struct jw *w)
{
	jw_raw(w, STR("null"));
}

void
jw_str(struct jw *w, struct str s)
{
	if (s.s == NULL) {
		jw_null(w);
		return;
	}
	quote(w, s, '\0');
	w->comma = true;
}

void
jw_text(struct jw *w, const char *s)
{
	jw_str(w, str_of(s));
}

void
jw_int(struct jw *w, int64_t v)
{
	comma(w, true);
	buf_int(w->out, v);
}

void
jw_bool(struct jw *w, bool v)
{
	jw_raw(w, v ? STR("true") : STR("false"));
}
