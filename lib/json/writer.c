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

/* Writes what does not stand for itself; returns how many bytes that were. */
static size_t
escape(struct buf *out, const char *p, const char *end)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = *p != '\0' ? strchr(from, *p) : NULL;
	size_t n;

	if (at != NULL) {
		buf_byte(out, '\\');
		buf_byte(out, to[at - from]);
		return 1;
	}
	if ((unsigned char)*p < 0x20) {
		buf_printf(out, "\\u%04x", (unsigned)*p);
		return 1;
	}
	n = utf8_next(p, (size_t)(end - p), NULL);
	if (n == 0) {
		buf_puts(out, "\xef\xbf\xbd");
		return 1;
	}
	buf_add(out, p, n);
	return n;
}

static void
quote(struct buf *out, struct str s)
{
	const char *p = s.s, *end = s.s + s.n;

	buf_byte(out, '"');
	while (p < end) {
		const char *stop = scan_plain(p, end);

		buf_add(out, p, (size_t)(stop - p));
		p = stop;
		if (p < end)
			p += escape(out, p, end);
	}
	buf_byte(out, '"');
}

void
jw_name_str(struct jw *w, struct str name)
{
	comma(w, false);
	quote(w->out, name);
	buf_byte(w->out, ':');
}

void
jw_name(struct jw *w, const char *name)
{
	jw_name_str(w, str_of(name));
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
	comma(w, true);
	quote(w->out, s);
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
